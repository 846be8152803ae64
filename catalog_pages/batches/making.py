"""Albums of a batch become drafts, and drafts are published: one transaction for each album."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _
from wagtail.images.permissions import permission_policy as pictures
from wagtail.log_actions import log

from catalog_pages.batches.plans import assets_of, plan_of
from catalog_pages.editing import NOBODY, hindrance, may_publish
from catalog_pages.ingest.covers import cover_inside
from catalog_pages.ingest.grouping import ReleasePlan
from catalog_pages.ingest.matching import namesake_of
from catalog_pages.ingest.products import (
    ProductDetails,
    Written,
    named_row,
    product_create,
    product_extend,
    product_publish,
    product_rewrite,
)
from catalog_pages.locales import language_of
from catalog_pages.locks import lock_album
from catalog_pages.models import (
    Artist,
    BatchAlbum,
    CataloguePage,
    CoverImage,
    DigitalAsset,
    Genre,
    ProductPage,
)

Wish = BatchAlbum.Wish


def album_make(*, album_id: int) -> str:
    """Do what was asked of an album; the sentence that says what came of it, "" when nothing was asked.

    Any number may run at once, and again: an album makes one product. What hinders publishing leaves a
    draft and a sentence. Bytes are read and written before the transaction, and published after it.
    """
    album = _full(album_id)
    if album is None or album.wish == Wish.NONE:
        return ""
    with translation.override(language_of(album.wished_by)):
        sentence = str(NOBODY) if album.wished_by is None else _done(album, album.wished_by)
        BatchAlbum.objects.filter(pk=album_id).update(wish=Wish.NONE, sentence=sentence)
    return sentence


def _done(album: BatchAlbum, user: Any) -> str:
    cover = None
    if not (album.page_id or album.cover_id) and pictures.user_has_permission(user, "add"):
        cover = cover_inside(assets_of(album).values(), title=album.title)
    with transaction.atomic():
        sentence, page = _write(album.pk, cover, user)
    if not sentence and page is not None and album.wish == Wish.PUBLISH:
        sentence = _publish(page, user)
    return sentence


def is_frozen(album: BatchAlbum, latest_revision_id: int | None, *, live: bool) -> bool:
    """Whether the product is corrected on its own page from now on, and not in the table any more."""
    return album.page_id is not None and (
        live or album.joined or latest_revision_id != album.revision_id
    )


# --- Writing ------------------------------------------------------------------------------------


def _write(album_id: int, cover: CoverImage | None, user: Any) -> tuple[str, ProductPage | None]:
    """The draft, made or corrected; or the sentence that says why not."""
    if lock_album(album_id) is None or (album := _full(album_id)) is None:
        return "", None
    plan, assets = plan_of(album), assets_of(album)
    page = ProductPage.objects.filter(pk=album.page_id).first() if album.page_id else None
    if page is not None and not _is_to_rewrite(album, page):
        return "", page
    if not plan.tracks:
        return _("It has no tracks: nothing was made of it."), page
    known = page or namesake_of(plan)
    refusal = hindrance(known, user) if known is not None else _may_add(user)
    if not refusal and (
        known is None or known == page
    ):  # what is joined keeps the names that it has
        refusal = _may_name(Artist, album.artist, user) or _may_name(Genre, album.genre, user)
    if refusal:
        named = _("“%(title)s” is in the shop already.") % {"title": known} if known else ""
        return f"{named} {refusal}".strip(), page
    written = _written(album, page, known, plan, assets, cover, user)
    _remember(album, written, joined=page is None and known is not None)
    if written.created:
        # The album's own history: an ordinary creation, by whoever pressed.
        log(instance=written.page, action="wagtail.create", user=user)
    elif written.changed:
        log(instance=written.page, action="wagtail.edit", user=user)
    return "", written.page


def _written(
    album: BatchAlbum,
    page: ProductPage | None,
    known: ProductPage | None,
    plan: ReleasePlan,
    assets: dict[str, DigitalAsset],
    cover: CoverImage | None,
    user: Any,
) -> Written:
    if page is not None:
        version = page.get_latest_revision_as_object()
        details = _details(album, plan, album.cover or version.cover)
        return product_rewrite(page, plan, assets, details, user=user)
    if known is not None:
        return product_extend(known, plan, assets, album.price_pennies, user=user)
    return product_create(plan, assets, _details(album, plan, album.cover or cover), user=user)


def _details(album: BatchAlbum, plan: ReleasePlan, cover: CoverImage | None) -> ProductDetails:
    return ProductDetails(
        title=album.title,
        artist=album.artist,
        genre=album.genre,
        price_pennies=album.price_pennies,
        release_date=album.release_date,
        credits=plan.credits,
        cover=cover,
    )


def _is_to_rewrite(album: BatchAlbum, page: ProductPage) -> bool:
    return album.is_changed and not is_frozen(album, page.latest_revision_id, live=page.live)


def _remember(album: BatchAlbum, written: Written, *, joined: bool) -> None:
    BatchAlbum.objects.filter(pk=album.pk).update(
        page=written.page,
        joined=album.joined or joined,
        is_changed=False,
        revision_id=written.page.latest_revision_id,
    )


def _may_add(user: Any) -> str:
    catalogue = CataloguePage.objects.first()
    if catalogue is not None and not catalogue.permissions_for_user(user).can_add_subpage():
        return _("You may not add products.")
    return ""


def _may_name(model: Any, name: str, user: Any) -> str:
    right = f"catalog_pages.add_{model._meta.model_name}"
    if not name or user.has_perm(right) or named_row(model, name) is not None:
        return ""
    return _("“%(name)s” is not here yet, and you may not add it.") % {"name": name}


def _publish(page: ProductPage, user: Any) -> str:
    """ "" once it is published, else what hinders it."""
    page = ProductPage.objects.get(pk=page.pk)
    if page.live and not page.has_unpublished_changes:
        return ""
    if refusal := hindrance(page, user):
        return refusal
    if not may_publish(page, user):
        return _("It is saved as a draft: you may not publish.")
    return product_publish(page, user=user)


# --- Reading ------------------------------------------------------------------------------------


def _full(album_id: int) -> BatchAlbum | None:
    albums = BatchAlbum.objects.select_related("cover", "wished_by")
    return albums.prefetch_related("tracks__files__asset").filter(pk=album_id).first()
