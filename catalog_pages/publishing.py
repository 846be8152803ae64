"""When a product may be shown: one list of problems, asked by every road that publishes."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.core.exceptions import ValidationError

if TYPE_CHECKING:
    from catalog_pages.models import DigitalAsset, ProductPage, ProductTrack, TrackFile

RESERVED_SLUGS = frozenset({"artists", "genres"})
NO_PRICE = "Set a price. Type 0 if the product is meant to be free."
NO_ARTIST = "Choose the artist."
NO_CONTENT = "Add at least one track, or choose what the bundle contains."
SUGGESTION_UNUSED = (
    "Only buyers who name their price see a suggestion. Tick “Buyers name their price”, or leave "
    "this empty."
)
SUGGESTION_TOO_LOW = (
    "The suggested price is below the price, which is the least that buyers pay. Raise it, or leave "
    "it empty."
)


class PublishRefused(ValidationError):
    """A product is not ready; `messages` are the sentences for the editor."""

    def __init__(self, page: ProductPage, problems: list[str]) -> None:
        super().__init__([ValidationError(problem, code="not_ready") for problem in problems])
        self.page_id = page.pk
        self.page_title = page.title


def publish_problems(page: ProductPage) -> list[str]:
    """What still hinders publishing `page`, one sentence each; an empty list when it is ready.

    Looks at the page object as it is in memory, so that a form can ask before anything is saved.
    """
    problems = []
    if page.price_pennies is None:
        problems.append(NO_PRICE)
    problems += _suggestion_problems(page)
    if page.artist_id is None:
        problems.append(NO_ARTIST)
    if page.slug in RESERVED_SLUGS:
        problems.append(
            f"The address “{page.slug}” is used by the shop itself; choose another slug."
        )
    tracks, contents = list(page.tracks.all()), list(page.contents.all())
    if not tracks and not contents:
        problems.append(NO_CONTENT)
    for position, track in enumerate(tracks, start=1):
        problems += _track_problems(track, position)
    problems += _version_problems(page, tracks)
    return problems + (_bundle_problems(page, contents) if contents else [])


def _suggestion_problems(page: ProductPage) -> list[str]:
    if page.suggested_price_pennies is None:
        return []
    if not page.pay_what_you_want:
        return [SUGGESTION_UNUSED]
    return [SUGGESTION_TOO_LOW] if page.suggested_price_pennies < (page.price_pennies or 0) else []


def _bundle_problems(page: ProductPage, contents: list[Any]) -> list[str]:
    """A bundle is one level deep: what it contains is on sale, has files, and contains nothing."""
    parts = [row.product for row in contents if row.product_id is not None]
    ids = [part.pk for part in parts]
    bundled, track_files = (
        apps.get_model("catalog_pages", name) for name in ("BundledProduct", "TrackFile")
    )
    bundles = set(bundled.objects.filter(page__in=ids).values_list("page", flat=True))
    files = track_files.objects.filter(track__page__in=ids, asset__isnull=False)
    delivering = set(files.values_list("track__page", flat=True))
    problems = [
        f"“{page.title}” is part of the bundle “{title}”, so it cannot be a bundle itself."
        for title in _bundles_with(page)
    ]
    for part in {part.pk: part for part in parts}.values():
        if part.pk == page.pk:
            problems.append("A bundle cannot contain itself.")
            continue
        if ids.count(part.pk) > 1:
            problems.append(f"“{part.title}” is in the bundle twice.")
        if part.pk in bundles:
            problems.append(
                f"“{part.title}” is a bundle itself. Choose the products that it contains instead."
            )
        elif part.pk not in delivering:
            problems.append(f"“{part.title}” has no files.")
        if not part.live:
            problems.append(f"“{part.title}” is not on sale. Publish it first, or take it out.")
    return problems


def _bundles_with(page: ProductPage) -> list[str]:
    """Titles of the bundles on sale that contain `page`."""
    if page.pk is None:
        return []
    bundles = apps.get_model("catalog_pages", "ProductPage").objects.live()
    found = bundles.filter(contents__product=page.pk).exclude(pk=page.pk).order_by("title")
    return list(found.values_list("title", flat=True))


def _track_problems(track: ProductTrack, position: int) -> list[str]:
    name = f"Track {position}" + (f" (“{track.title}”)" if track.title else "")
    files = [file for file in track.files.all() if file.asset_id]
    problems = [] if track.title else [f"Give track {position} a title."]
    if not files:
        problems.append(f"{name} has no file yet.")
    return problems + [
        f"{name}: the file “{file.asset.file_name}” is missing from storage; upload it again."
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
    return (
        f"“{version}” was chosen as the new version of “{old}”, which is on sale in “{title}”. Publish "
        f"“{title}” with it first, or undo that on the page of “{version}” under Audio files."
    )


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
