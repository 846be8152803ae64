"""Bulk actions on "all pages of the list": what that list shows, with its search and its filters.

Wagtail sends the list's address along and looks at nothing in it but a search and a parent; without a parent
it would take every page there is. Here the list itself is asked, and one that is not known is refused.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from wagtail.admin import messages
from wagtail.admin.views.pages.bulk_actions.delete import DeleteBulkAction
from wagtail.admin.views.pages.bulk_actions.move import MoveBulkAction
from wagtail.admin.views.pages.bulk_actions.page_bulk_action import PageBulkAction
from wagtail.admin.views.pages.bulk_actions.publish import PublishBulkAction
from wagtail.admin.views.pages.bulk_actions.unpublish import UnpublishBulkAction
from wagtail.admin.views.pages.listing import ExplorableIndexView
from wagtail.models import Page
from wagtail.query import PageQuerySet

from catalog_pages.admin.products import ProductFilterSet, ProductIndexView
from catalog_pages.admin.publishing import parts_first
from catalog_pages.errors import DomainError
from catalog_pages.models import ProductPage


class ListRefused(DomainError):
    """Nobody can say what the list showed, so nothing is done to all of it."""

    code = "list_refused"
    status = 422


class _Explorer(ExplorableIndexView):
    def annotate_queryset(self, pages: PageQuerySet) -> PageQuerySet:
        """Keys are all that is wanted."""
        return pages


def listed(request: HttpRequest) -> Any:
    """Keys of all pages of the list that the request came from, on whichever of its screens.

    Raises ListRefused for a list that is neither the explorer's nor that of products, and for filters that
    the list could not have applied.
    """
    view = _list_of(request)
    if view.filters and not view.filters.is_valid():
        raise ListRefused(
            _("The filters of this list cannot be applied. Clear them, then choose again.")
        )
    found = view.search_queryset(view.filter_queryset(view.get_base_queryset()))
    if isinstance(found, PageQuerySet):
        return found.order_by().values("pk")
    return [page.pk for page in found]


def _list_of(request: HttpRequest) -> Any:
    parent = request.GET.get("childOf")
    if parent is None:
        came_from = urlsplit(request.GET.get("next", "")).path
        if came_from not in ("", reverse("products:index")):
            raise ListRefused(
                _("All pages of this list cannot be chosen at once. Tick them one by one.")
            )
        products = ProductIndexView(model=ProductPage, filterset_class=ProductFilterSet)
        products.setup(request)
        return products
    is_key = parent.isascii() and parent.isdigit() and len(parent) < 10
    page = Page.objects.filter(pk=int(parent)).first() if is_key else None
    if page is None:
        raise ListRefused(_("The page that this list was of is not there any more."))
    explorer = _Explorer(model=Page)
    explorer.setup(request)
    explorer.parent_page = page.specific
    return explorer


class OfTheList(PageBulkAction):
    """What "all" means, for every action on pages."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if "all" in request.GET.getlist("id"):
            try:
                listed(request)
            except ListRefused as refusal:
                messages.error(request, refusal.message)
                nowhere = self.next_url == request.path
                return redirect("products:index" if nowhere else self.next_url)
        return super().dispatch(request, *args, **kwargs)

    def get_all_objects_in_listing_query(self, parent_id: str | None) -> Any:
        return listed(self.request)


class PublishListed(OfTheList, PublishBulkAction):
    @classmethod
    def execute_action(
        cls,
        objects: list[Page],
        include_descendants: bool = False,
        user: Any = None,
        **kwargs: Any,
    ) -> tuple[int, int]:
        """Parts before the bundles that contain them, which would be refused without."""
        below = [
            page
            for parent in objects
            for page in (parent.get_descendants().not_live() if include_descendants else [])
            if page.permissions_for_user(user).can_publish()
        ]
        in_order = parts_first([*objects, *below])
        super().execute_action(in_order, user=user, **kwargs)
        return len(objects), len(in_order) - len(objects)


class UnpublishListed(OfTheList, UnpublishBulkAction):
    pass


class DeleteListed(OfTheList, DeleteBulkAction):
    pass


class MoveListed(OfTheList, MoveBulkAction):
    pass
