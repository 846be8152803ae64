"""When a product may be shown: one list of problems, asked by every road that publishes."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from django.apps import apps
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.models import Revision

if TYPE_CHECKING:
    from catalog_pages.models import DigitalAsset, ProductPage, ProductTrack, TrackFile

RESERVED_SLUGS = frozenset({"artists", "genres"})
NO_PRICE = _("Set a price. Type 0 if the product is meant to be free.")
NO_ARTIST = _("Choose the artist.")
NO_CONTENT = _("Add at least one track, or choose what the bundle contains.")
SUGGESTION_UNUSED = _(
    "Only buyers who name their price see a suggestion. Tick “Buyers name their price”, or leave "
    "this empty."
)
SUGGESTION_TOO_LOW = _(
    "The suggested price is below the price, which is the least that buyers pay. Raise it, or leave "
    "it empty."
)


class Problem(str):
    """One sentence about what hinders publishing, and the place in the editor that mends it.

    `field` is a name of the product's form; "tracks" and "contents" are its lists. `row` counts the
    list's rows from 0, None when no single one is meant.
    """

    field: str
    row: int | None

    def __new__(cls, sentence: object, *, field: str, row: int | None = None) -> Self:
        problem = super().__new__(cls, str(sentence))
        problem.field, problem.row = field, row
        return problem

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Any]]:
        return (str(self),), {"field": self.field, "row": self.row}


class PublishRefused(ValidationError):
    """A product is not ready; `messages` are the sentences for the editor."""

    def __init__(self, page: ProductPage, problems: Sequence[str]) -> None:
        super().__init__([ValidationError(problem, code="not_ready") for problem in problems])
        self.page_id = page.pk
        self.page_title = page.title


def publish_problems(
    page: ProductPage, coming: Mapping[int, ProductPage] | None = None
) -> list[Problem]:
    """What still hinders publishing `page`, one sentence each; an empty list when it is ready.

    Looks at the page object as it is in memory, so that a form can ask before anything is saved.
    `coming`: the versions, by key, that are asked about and published together with it, parts first.
    """
    problems = []
    if not page.title:
        problems.append(Problem(gettext("Give the product a title."), field="title"))
    if page.price_pennies is None:
        problems.append(Problem(NO_PRICE, field="price_pennies"))
    problems += _suggestion_problems(page)
    if page.artist_id is None:
        problems.append(Problem(NO_ARTIST, field="artist"))
    if page.slug in RESERVED_SLUGS:
        sentence = gettext("The address “{slug}” is used by the shop itself; choose another slug.")
        problems.append(Problem(sentence.format(slug=page.slug), field="slug"))
    tracks, contents = list(page.tracks.all()), list(page.contents.all())
    if not tracks and not contents:
        problems.append(Problem(NO_CONTENT, field="tracks"))
    for row, track in enumerate(tracks):
        problems += [
            Problem(sentence, field="tracks", row=row)
            for sentence in _track_problems(track, row + 1)
        ]
    problems += [Problem(told, field="tracks") for told in _version_problems(page, tracks)]
    told_of_contents = _bundle_problems(page, contents, coming or {}) if contents else []
    return problems + [Problem(told, field="contents") for told in told_of_contents]


def _suggestion_problems(page: ProductPage) -> list[Problem]:
    if page.suggested_price_pennies is None:
        return []
    if not page.pay_what_you_want:
        return [Problem(SUGGESTION_UNUSED, field="suggested_price_pennies")]
    if page.suggested_price_pennies >= (page.price_pennies or 0):
        return []
    return [Problem(SUGGESTION_TOO_LOW, field="suggested_price_pennies")]


def _bundle_problems(
    page: ProductPage, contents: list[Any], coming: Mapping[int, ProductPage]
) -> list[str]:
    """A bundle is one level deep: what it contains is on sale, has files, and contains nothing.

    What will be on sale when the bundle is has been asked about its files for itself.
    """
    parts = [row.product for row in contents if row.product_id is not None]
    ids = [part.pk for part in parts]
    in_time = _published_in_time(page, parts, coming)
    bundled, track_files = (
        apps.get_model("catalog_pages", name) for name in ("BundledProduct", "TrackFile")
    )
    bundles = set(bundled.objects.filter(page__in=ids).values_list("page", flat=True))
    files = track_files.objects.filter(track__page__in=ids, asset__isnull=False)
    delivering = set(files.values_list("track__page", flat=True))
    problems = [
        gettext(
            "“{title}” is part of the bundle “{title_2}”, so it cannot be a bundle itself."
        ).format(title=page.title, title_2=title)
        for title in _bundles_with(page)
    ]
    for part in {part.pk: part for part in parts}.values():
        if part.pk == page.pk:
            problems.append(gettext("A bundle cannot contain itself."))
            continue
        if ids.count(part.pk) > 1:
            problems.append(gettext("“{title}” is in the bundle twice.").format(title=part.title))
        version = coming.get(part.pk)
        if part.pk in bundles or (version is not None and version.contents.all()):
            problems.append(
                gettext(
                    "“{title}” is a bundle itself. Choose the products that it contains instead."
                ).format(title=part.title)
            )
        elif part.pk not in delivering and part.pk not in in_time:
            problems.append(gettext("“{title}” has no files.").format(title=part.title))
        if not part.live and part.pk not in in_time:
            problems.append(
                gettext("“{title}” is not on sale. Publish it first, or take it out.").format(
                    title=part.title
                )
            )
    return problems


def _published_in_time(
    page: ProductPage, parts: Sequence[ProductPage], coming: Mapping[int, ProductPage]
) -> set[int]:
    """Which parts go on sale together with `page`, or are agreed to before the day that it waits for."""
    now = timezone.now()
    at = max(page.go_live_at or now, now)
    in_time = {pk for pk, version in coming.items() if (version.go_live_at or now) <= at}
    waiting = [str(part.pk) for part in parts if not part.live and part.pk not in in_time]
    if at > now and waiting:
        agreed = Revision.page_revisions.filter(object_id__in=waiting, approved_go_live_at__lte=at)
        in_time |= {int(pk) for pk in agreed.values_list("object_id", flat=True)}
    return in_time


def _bundles_with(page: ProductPage) -> list[str]:
    """Titles of the bundles on sale that contain `page`."""
    if page.pk is None:
        return []
    bundles = apps.get_model("catalog_pages", "ProductPage").objects.live()
    found = bundles.filter(contents__product=page.pk).exclude(pk=page.pk).order_by("title")
    return list(found.values_list("title", flat=True))


def _track_problems(track: ProductTrack, position: int) -> list[str]:
    name = gettext("Track {position}").format(position=position) + (
        f" (“{track.title}”)" if track.title else ""
    )
    files = [file for file in track.files.all() if file.asset_id]
    problems = (
        [] if track.title else [gettext("Give track {position} a title.").format(position=position)]
    )
    if not files:
        problems.append(gettext("{name} has no file yet.").format(name=name))
    return problems + [
        gettext("{name}: the file “{file_name}” is missing from storage; upload it again.").format(
            name=name, file_name=file.asset.file_name
        )
        for file in files
        if not file.asset.file.storage.exists(file.asset.file.name)
    ]


def _version_problems(page: ProductPage, tracks: list[ProductTrack]) -> list[str]:
    """New versions that this product would be the first to sell, without ever having sold the old one.

    Whoever bought the old one elsewhere would be offered what they never paid for, if the new version was
    chosen by mistake. No query when none of its files replaces another.
    """
    files = [file for track in tracks for file in track.files.all() if file.asset_id]
    versions = {file.asset_id: file.asset for file in files if file.asset.replaces_id}
    if not versions:
        return []
    assets, track_files = (
        apps.get_model("catalog_pages", name) for name in ("DigitalAsset", "TrackFile")
    )
    lineages = {version.lineage for version in versions.values()}
    before = dict(assets.objects.filter(lineage__in=lineages).values_list("pk", "replaces"))
    uses = track_files.objects.filter(track__page__live=True, asset__lineage__in=lineages)
    on_sale = list(uses.select_related("asset", "track__page").order_by("track__page__title"))
    return [
        problem
        for version in versions.values()
        if (problem := _version_problem(page, version, set(_earlier(version, before)), on_sale))
    ]


def _version_problem(
    page: ProductPage, version: DigitalAsset, earlier: set[uuid.UUID], on_sale: list[TrackFile]
) -> str:
    """The sentence about one version, or none; `on_sale`: every use of its lineage that is on sale."""
    if any(use.asset_id == version.pk for use in on_sale):
        return ""
    olds = [use for use in on_sale if use.asset_id in earlier]
    if not olds or any(use.track.page_id == page.pk for use in olds):
        return ""
    old, title = olds[0].asset, olds[0].track.page.title
    return gettext(
        "“{version}” was chosen as the new version of “{old}”, which is on sale in "
        "“{title}”. Publish “{title}” with it first, or undo that on the page of "
        "“{version}” under Audio files."
    ).format(version=version, old=old, title=title)


def _earlier(
    version: DigitalAsset, before: Mapping[uuid.UUID, uuid.UUID | None]
) -> Iterator[uuid.UUID]:
    """The versions that it came from, newest first; a loop, which the shop never makes, ends."""
    seen = {version.pk}
    earlier = version.replaces_id
    while earlier is not None and earlier not in seen:
        seen.add(earlier)
        yield earlier
        earlier = before.get(earlier)
