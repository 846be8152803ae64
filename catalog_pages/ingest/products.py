"""One release becomes, or joins, one product page: rows only, one transaction per product."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from django.core.exceptions import ValidationError
from django.db import transaction
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
            return _create(plan, assets, cover, price_pennies)
        return _extend(page, plan, assets, price_pennies)


def product_publish(page: ProductPage) -> str:
    """Publish the latest draft; "" or the sentences that say what hinders it.

    Not inside the product's own transaction: the rules look for files in storage, which may be far.
    """
    revision = page.get_latest_revision() or page.save_revision(clean=False)
    try:
        revision.publish()
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


def _create(
    plan: ReleasePlan, assets: Assets, cover: CoverImage | None, price_pennies: int | None
) -> Written:
    page = ProductPage(
        title=plan.title,
        slug=_unused_slug(plan),
        artist=named_or_new(Artist, plan.artist),
        genre=named_or_new(Genre, plan.genre) if plan.genre else None,
        cover=cover,
        price_pennies=price_pennies,
        release_date=plan.release_date,
        credits=plan.credits,
        live=False,
        has_unpublished_changes=True,
    )
    page.tracks = _numbered([_new_track(track, assets) for track in plan.tracks])
    catalogue = CataloguePage.objects.first()
    if catalogue is None:
        ensure_site_tree()
        catalogue = CataloguePage.objects.get()
    catalogue.add_child(instance=page)
    page.save_revision(clean=False)  # a draft may lack a price
    return Written(page, created=True, changed=False, added=len(assets))


def _new_track(plan: TrackPlan, assets: Assets) -> ProductTrack:
    track = ProductTrack(title=plan.title, disc=plan.disc, number=plan.number)
    track.files = [
        TrackFile(asset=assets[file.sha256], sort_order=at) for at, file in enumerate(plan.files)
    ]
    return track


def named_row(model: type[Named], name: str) -> Named | None:
    """The row with this name whatever its case; None when there is none."""
    names = model._default_manager.values_list("pk", "name")
    found = next((pk for pk, known in names if fold(known) == fold(name)), None)
    return None if found is None else model._default_manager.get(pk=found)


def named_or_new(model: type[Named], name: str) -> Named:
    """The row with this name whatever its case, made when there is none."""
    return named_row(model, name) or model._default_manager.create(name=name)


def _unused_slug(plan: ReleasePlan) -> str:
    """From the title; with the artist when the title is taken; then numbered."""
    title = slugify(plan.title, allow_unicode=True)[:MAX_SLUG_BASE] or "untitled"
    both = f"{title[: MAX_SLUG_BASE // 2]}-{slugify(plan.artist, allow_unicode=True)[: MAX_SLUG_BASE // 2]}"
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


def _extend(
    page: ProductPage, plan: ReleasePlan, assets: Assets, price_pennies: int | None
) -> Written:
    version: ProductPage = page.get_latest_revision_as_object()
    added = _add_missing(version, plan, assets)
    priced = version.price_pennies is None and price_pennies is not None
    if priced:
        version.price_pennies = price_pennies
    if added or priced:
        version.save_revision(clean=False)
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
