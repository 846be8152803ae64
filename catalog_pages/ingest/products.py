"""One release becomes, or joins, one product page: rows only, one transaction per product."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from catalog_pages.audio.text import fold
from catalog_pages.ingest.grouping import LAST, ReleasePlan, TrackPlan
from catalog_pages.ingest.matching import attached_lineages, product_of, track_of
from catalog_pages.models import (
    Artist,
    CataloguePage,
    CoverImage,
    DigitalAsset,
    Genre,
    ProductPage,
    ProductTrack,
    TrackFile,
)
from catalog_pages.publishing import RESERVED_SLUGS
from catalog_pages.site_tree import ensure_site_tree

MAX_SLUG_BASE = 200

Named = TypeVar("Named", Artist, Genre)
# sha256 of a file -> its asset
Assets = Mapping[str, DigitalAsset]


@dataclass(frozen=True)
class Written:
    """What `product_write` did: `added` files are new on the product; 0 and not `changed`: nothing."""

    page: ProductPage
    created: bool
    changed: bool
    added: int


@dataclass(frozen=True)
class ProductDetails:
    """What a product says beside its tracks; names of artist and genre are looked up or made."""

    title: str
    artist: str
    genre: str
    price_pennies: int | None
    release_date: date | None
    credits: str
    cover: CoverImage | None

    @classmethod
    def of(
        cls, plan: ReleasePlan, cover: CoverImage | None, price_pennies: int | None
    ) -> ProductDetails:
        """As the files' own tags say."""
        return cls(
            title=plan.title,
            artist=plan.artist,
            genre=plan.genre,
            price_pennies=price_pennies,
            release_date=plan.release_date,
            credits=plan.credits,
            cover=cover,
        )

    def put_on(self, page: ProductPage) -> None:
        page.title = self.title
        page.artist = named_or_new(Artist, self.artist)
        page.genre = named_or_new(Genre, self.genre) if self.genre else None
        page.cover = self.cover
        page.price_pennies = self.price_pennies
        page.release_date = self.release_date
        page.credits = self.credits


def product_write(
    *, plan: ReleasePlan, assets: Assets, cover: CoverImage | None, price_pennies: int | None
) -> Written:
    """Make the release's product as a draft, or add what is missing as a draft of the existing one.

    An editor's work is left alone: a title, text, cover, order or price that is there stays, and so
    does a file that was replaced by a newer version. Nothing missing means nothing written.
    """
    with transaction.atomic():
        page = product_of(plan, assets.values())
        if page is None:
            return product_create(plan, assets, ProductDetails.of(plan, cover, price_pennies))
        return product_extend(page, plan, assets, price_pennies)


def product_publish(page: ProductPage, *, user: Any = None) -> str:
    """Publish the latest draft; "" or the sentences that say what hinders it.

    Not inside the product's own transaction: the rules look for files in storage, which may be far.
    """
    revision = page.get_latest_revision() or page.save_revision(clean=False)
    try:
        revision.publish(user=user)
    except ValidationError as error:
        return " ".join(error.messages)
    return ""


def is_ours_to_publish(page: ProductPage) -> bool:
    """False while an editor has a say: a draft of theirs is open, or they took the product down.

    Drafts that imports save have no user; what is older than the published version does not count.
    """
    was_taken_down = not page.live and page.first_published_at is not None
    open_drafts = page.revisions.filter(pk__gt=page.live_revision_id or 0, user__isnull=False)
    return not was_taken_down and not open_drafts.exists()


def is_published(page: ProductPage) -> bool:
    return page.live and not page.has_unpublished_changes


# --- A new product ------------------------------------------------------------------------------


def product_create(
    plan: ReleasePlan, assets: Assets, details: ProductDetails, *, user: Any = None
) -> Written:
    """A new draft with these tracks and details; only inside a transaction."""
    page = ProductPage(
        slug=_unused_slug(details.title, details.artist),
        owner=user,
        live=False,
        has_unpublished_changes=True,
    )
    details.put_on(page)
    page.tracks = _numbered([_new_track(track, assets) for track in plan.tracks])
    catalogue = CataloguePage.objects.first()
    if catalogue is None:
        ensure_site_tree()
        catalogue = CataloguePage.objects.get()
    catalogue.add_child(instance=page)
    page.save_revision(clean=False, user=user)  # a draft may lack a price
    return Written(page, created=True, changed=False, added=len(assets))


def product_rewrite(
    page: ProductPage,
    plan: ReleasePlan,
    assets: Assets,
    details: ProductDetails,
    *,
    user: Any = None,
) -> Written:
    """A new version of a draft of ours, as it was corrected since; only inside a transaction."""
    version: ProductPage = page.get_latest_revision_as_object()
    details.put_on(version)
    version.tracks = _numbered([_new_track(track, assets) for track in plan.tracks])
    version.save_revision(clean=False, user=user)
    page.refresh_from_db()
    return Written(page, created=False, changed=True, added=len(assets))


def _new_track(plan: TrackPlan, assets: Assets) -> ProductTrack:
    track = ProductTrack(title=plan.title, disc=plan.disc, number=plan.number)
    track.files = [
        TrackFile(asset=assets[file.sha256], sort_order=at) for at, file in enumerate(plan.files)
    ]
    return track


def named_row(model: type[Named], name: str) -> Named | None:
    """The row with this name whatever its case; None when there is none."""
    found = model.objects.named(name)
    return model.objects.get(pk=found[0]) if found else None


def named_or_new(model: type[Named], name: str) -> Named:
    """The row with this name whatever its case, made when there is none, by whoever comes first."""
    known = named_row(model, name)
    if known is not None:
        return known
    try:
        with transaction.atomic():
            return model._default_manager.create(name=name)
    except IntegrityError:
        known = named_row(model, name)
        if known is None:
            raise
        return known


def _unused_slug(name: str, artist: str) -> str:
    """From the title; with the artist when the title is taken; then numbered."""
    title = slugify(name, allow_unicode=True)[:MAX_SLUG_BASE] or "untitled"
    both = (
        f"{title[: MAX_SLUG_BASE // 2]}-{slugify(artist, allow_unicode=True)[: MAX_SLUG_BASE // 2]}"
    )
    siblings = CataloguePage.objects.first()
    rows = (
        siblings.get_children().filter(slug__startswith=title[: MAX_SLUG_BASE // 2])
        if siblings
        else []
    )
    taken = {page.slug for page in rows} | RESERVED_SLUGS
    candidates = [title, both.strip("-"), *(f"{title}-{n}" for n in range(2, len(taken) + 3))]
    return next(slug for slug in candidates if slug not in taken)


# --- A product that is here already --------------------------------------------------------------


def product_extend(
    page: ProductPage,
    plan: ReleasePlan,
    assets: Assets,
    price_pennies: int | None,
    *,
    user: Any = None,
) -> Written:
    """Add what is missing as a draft of `page`; only inside a transaction."""
    version: ProductPage = page.get_latest_revision_as_object()
    added = _add_missing(version, plan, assets)
    priced = version.price_pennies is None and price_pennies is not None
    if priced:
        version.price_pennies = price_pennies
    if added or priced:
        version.save_revision(clean=False, user=user)
        page.refresh_from_db()
    return Written(page, created=False, changed=bool(added or priced), added=added)


def _add_missing(version: ProductPage, plan: ReleasePlan, assets: Assets) -> int:
    tracks = list(version.tracks.all())
    in_order = tracks == sorted(tracks, key=_order)
    attached = attached_lineages(tracks)
    added = 0
    for track_plan in plan.tracks:
        missing = [
            asset
            for asset in (assets[file.sha256] for file in track_plan.files)
            if asset.lineage not in attached
        ]
        if not missing:
            continue
        added += len(missing)
        track = track_of(track_plan, tracks, is_album=plan.is_album)
        if track is None:
            track = ProductTrack(
                title=track_plan.title, disc=track_plan.disc, number=track_plan.number
            )
            tracks.append(track)
        files = list(track.files.all())
        track.files = files + [
            TrackFile(asset=asset, sort_order=len(files) + at) for at, asset in enumerate(missing)
        ]
    if added:
        # An order that somebody arranged by hand is kept; new tracks then come last.
        version.tracks = _numbered(sorted(tracks, key=_order) if in_order else tracks)
    return added


def _order(track: ProductTrack) -> tuple[int, int, str]:
    return track.disc or 1, track.number or LAST, fold(track.title)


def _numbered(tracks: list[ProductTrack]) -> list[ProductTrack]:
    for position, track in enumerate(tracks):
        track.sort_order = position
    return tracks
