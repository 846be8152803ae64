"""What may not be deleted or unpublished, in sentences; the database would say it with an error page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.contrib import messages
from django.db.models import PROTECT, Model, Q, QuerySet, TextField
from django.db.models.fields.reverse_related import ForeignObjectRel
from django.db.models.functions import Cast
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.models import Page, Revision

from catalog_pages.locales import joined
from catalog_pages.models import (
    Artist,
    CataloguePage,
    DigitalAsset,
    Genre,
    HomePage,
    ProductPage,
    TrackFile,
)

NAMES_SHOWN = 3


def refuse(request: HttpRequest, sentences: Iterable[str], back_to: str) -> HttpResponse:
    """Say why, and lead back to a page that can be read."""
    for sentence in sentences:
        messages.error(request, sentence)
    return redirect(back_to)


def reasons_to_keep_pages(pages: Iterable[Page]) -> list[str]:
    """One sentence for each of the shop's own pages among `pages` and everything below them."""
    said = _("The shop needs the page “{title}”; it cannot be deleted.")
    return [said.format(title=title) for title in _titles_of_own(pages)]


def reasons_to_keep_on_show(pages: Iterable[Page]) -> list[str]:
    """The same for what would be unpublished: without them the shop answers nobody."""
    said = _("The shop needs the page “{title}”; it cannot be unpublished.")
    return [said.format(title=title) for title in _titles_of_own(pages)]


def _titles_of_own(pages: Iterable[Page]) -> list[str]:
    titles: dict[int, str] = {}
    for page in pages:
        needed = Page.objects.descendant_of(page, inclusive=True).type(HomePage, CataloguePage)
        titles |= dict(needed.values_list("pk", "title"))
    return list(titles.values())


def reasons_to_keep_contained(pages: Iterable[Page]) -> list[str]:
    """One sentence for each product among `pages`, and below them, that a bundle contains.

    A draft or an earlier version that contains it counts: it could not be opened any more.
    """
    reasons: dict[int, str] = {}
    for page in pages:
        below = Page.objects.descendant_of(page, inclusive=True).values("pk")
        for product in ProductPage.objects.filter(pk__in=below).order_by("title"):
            if reason := _reason_to_keep_contained(product):
                reasons[product.pk] = reason
    return list(reasons.values())


def warnings_about_bundles(pages: Iterable[Page]) -> list[str]:
    """What taking `pages` off sale means for bundles that are on sale, one sentence each."""
    gone = [page.pk for page in pages]
    bundles = ProductPage.objects.live().filter(contents__product__in=gone).distinct()
    return [
        _("The bundle “{title}” cannot be bought now: part of it is not on sale.").format(
            title=bundle.title
        )
        for bundle in bundles.order_by("title")
    ]


def _reason_to_keep_contained(product: ProductPage) -> str:
    bundles = ProductPage.objects.filter(contents__product=product).distinct()
    if bundles:
        return _("“{title}” is part of {named}. Take it out there first, then publish.").format(
            title=product.title, named=_named(bundles)
        )
    text = _product_revisions().annotate(text=Cast("content", TextField()))
    named = f'"product": {product.pk}'  # as every database writes JSON
    versions = _products_of(
        text.filter(Q(text__contains=f"{named},") | Q(text__contains=f"{named}}}"))
    )
    return _kept_by_versions(product, versions) if versions else ""


def reasons_to_keep_asset(asset: DigitalAsset) -> list[str]:
    """Why `asset` stays; empty when nothing uses it and nobody bought it."""
    reasons = []
    users = ProductPage.objects.filter(tracks__files__asset=asset).distinct()
    if users:
        reasons.append(
            _("“{asset}” is used by {named}. Take it out of the track first, then publish.").format(
                asset=asset, named=_named(users)
            )
        )
    elif versions := products_with_version_naming_asset(asset):
        reasons.append(_kept_by_versions(asset, versions))
    if DigitalAsset.objects.filter(replaces=asset).exists():
        reasons.append(
            _("“{asset}” stays, because a newer file replaced it for people who bought it.").format(
                asset=asset
            )
        )
    # Rooms to the left protect a file for one reason: somebody bought it. This room may not know them.
    if _is_protected_by_others(asset, than=(TrackFile, DigitalAsset)):
        reasons.append(
            _("“{asset}” has been bought, and its buyers may come back for it. It stays.").format(
                asset=asset
            )
        )
    return reasons


def reasons_to_keep_snippets(instances: Sequence[Model]) -> list[str]:
    """One sentence per artist or genre that a product still names; empty for other snippets."""
    return [
        reason
        for instance in instances
        if isinstance(instance, Artist | Genre) and (reason := _reason_to_keep(instance))
    ]


def products_with_version_naming_asset(asset: DigitalAsset) -> QuerySet[ProductPage]:
    """Products that name `asset` in a draft or an earlier version, which live in revisions alone.

    Such a version could not be opened any more once the file is gone, so it counts as a use.
    """
    named = _product_revisions().annotate(text=Cast("content", TextField()))
    return _products_of(named.filter(text__contains=str(asset.pk)))


def _reason_to_keep(instance: Artist | Genre) -> str:
    products = ProductPage.objects.filter(**{instance._meta.model_name or "": instance})
    if products:
        return _("“{instance}” is named by {named}. Choose another one there first.").format(
            instance=instance, named=_named(products)
        )
    named = _product_revisions().filter(**{f"content__{instance._meta.model_name}": instance.pk})
    versions = _products_of(named)
    return _kept_by_versions(instance, versions) if versions else ""


def _kept_by_versions(instance: Model, products: QuerySet[ProductPage]) -> str:
    return _(
        "“{instance}” is named by a draft or an earlier version of {named}, so it stays."
    ).format(instance=instance, named=_named(products))


def _product_revisions() -> QuerySet[Revision]:
    return Revision.page_revisions.filter(
        content_type__app_label="catalog_pages", content_type__model="productpage"
    )


def _products_of(revisions: QuerySet[Revision]) -> QuerySet[ProductPage]:
    keys = {int(key) for key in revisions.values_list("object_id", flat=True).distinct()}
    return ProductPage.objects.filter(pk__in=keys)


def _named(products: QuerySet[ProductPage]) -> str:
    """`“A”`, `“A” and “B”`, `“A”, “B”, “C” and 4 more`."""
    titles = [f"“{title}”" for title in products.order_by("title").values_list("title", flat=True)]
    shown, rest = titles[:NAMES_SHOWN], len(titles) - NAMES_SHOWN
    if rest > 0:
        shown.append(ngettext("{number} more", "{number} more", rest).format(number=rest))
    return joined(shown)


def _is_protected_by_others(instance: Model, *, than: tuple[type[Model], ...]) -> bool:
    relations = [
        relation
        for relation in instance._meta.get_fields(include_hidden=True)
        if isinstance(relation, ForeignObjectRel)
        and getattr(relation, "on_delete", None) is PROTECT
        and relation.related_model not in than
    ]
    return any(
        relation.related_model._base_manager.filter(**{relation.field.name: instance}).exists()
        for relation in relations
    )
