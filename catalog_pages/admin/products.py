"""The list of products in the admin: price, artist, genre and state, found as the shop's own search finds."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.menu import MenuItem
from wagtail.admin.ui.tables import Column
from wagtail.admin.ui.tables.pages import BulkActionsColumn, PageStatusColumn, PageTitleColumn
from wagtail.admin.views.pages.listing import IndexView
from wagtail.admin.viewsets.pages import PageListingViewSet
from wagtail.admin.widgets.button import HeaderButton
from wagtail.permissions import page_permission_policy

from catalog_pages.admin.capped import UnsortedPaginator
from catalog_pages.admin.screens import WIDE
from catalog_pages.models import ProductPage
from catalog_pages.money import format_money
from catalog_pages.querysets import ProductQuerySet
from catalog_pages.search_text import asked_text

RIGHTS = ["add", "change", "publish", "bulk_delete", "lock", "unlock"]


def price_text(product: ProductPage) -> str:
    """What it costs on sale, or would; what buyers name themselves says so."""
    if product.price_pennies is None:
        return _("No price")
    price = format_money(product.price_pennies, settings.STRIPE_CURRENCY)
    return _("from %(price)s") % {"price": price} if product.pay_what_you_want else price


class ProductFilterSet(WagtailFilterSet):
    class Meta:
        model = ProductPage
        fields = ["genre", "live"]


class ProductIndexView(IndexView):
    default_ordering = "-pk"  # the newest first, straight from an index
    paginator_class = UnsortedPaginator

    def get_base_queryset(self) -> ProductQuerySet:
        return ProductPage.objects.visible_to(self.request.user)

    def get_valid_orderings(self) -> list[str]:
        return [*super().get_valid_orderings(), "-pk"]

    def paginate_queryset(self, queryset: ProductQuerySet, page_size: int) -> Any:
        """What a row shows is read for the rows of one page alone; the others are sorted by their keys."""
        ids = queryset.values_list("pk", flat=True)
        paginator, page, shown, has_others = super().paginate_queryset(ids, page_size)
        shown = list(shown)
        full = self.annotate_queryset(ProductPage.objects.filter(pk__in=shown))
        products = {product.pk: product for product in full}
        page.object_list = [products[pk] for pk in shown if pk in products]
        return paginator, page, page.object_list, has_others

    def annotate_queryset(self, pages: ProductQuerySet) -> ProductQuerySet:
        """As Wagtail's, but for `specific`: these are products already, with all that a row shows."""
        shown = pages.select_related("artist", "genre", "latest_revision")
        shown = shown.prefetch_related("content_type", "sites_rooted_here")
        shown = shown.prefetch_workflow_states()
        return shown.annotate_site_root_state().annotate_approved_schedule()

    def search_queryset(self, queryset: ProductQuerySet) -> ProductQuerySet:
        return queryset.found_by(asked_text(self.search_query)) if self.is_searching else queryset

    def get_ordering(self) -> Any:
        asked = self.request.GET.get("ordering", self.default_ordering)
        return asked if asked in self.get_valid_orderings() else self.default_ordering

    def order_queryset(self, queryset: ProductQuerySet) -> ProductQuerySet:
        ordering = str(self.ordering)
        return queryset.order_by(ordering, "-pk") if ordering != "-pk" else queryset.order_by("-pk")

    @cached_property
    def header_more_buttons(self) -> list[Any]:
        buttons = list(super().header_more_buttons)
        user = self.request.user
        if user.has_perm("catalog_pages.export_products"):
            url = reverse("prices:export")
            buttons.append(
                HeaderButton(_("Export prices and texts"), url=url, icon_name="download")
            )
        if user.has_perm("catalog_pages.add_catalogueimport"):
            url = reverse("prices:index")
            buttons.append(HeaderButton(_("Import prices and texts"), url=url, icon_name="upload"))
        return buttons


class ProductMenuItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return bool(page_permission_policy.user_has_any_permission(request.user, RIGHTS))


class ProductListingViewSet(PageListingViewSet):
    model = ProductPage
    name = "products"
    url_prefix = "products"
    icon = "tag"
    menu_label = gettext_lazy("Products")
    menu_order = 230
    menu_item_class = ProductMenuItem
    add_to_admin_menu = True
    index_view_class = ProductIndexView
    filterset_class = ProductFilterSet
    columns = [
        BulkActionsColumn("bulk_actions"),
        PageTitleColumn("title", label=gettext_lazy("Title"), sort_key="title", classname="title"),
        Column("artist", label=gettext_lazy("Artist"), sort_key="artist__name", classname=WIDE),
        Column("genre", label=gettext_lazy("Genre"), sort_key="genre__name", classname=WIDE),
        Column("price", label=gettext_lazy("Price"), accessor=price_text, sort_key="price_pennies"),
        PageStatusColumn("status", label=gettext_lazy("Status"), sort_key="live"),
    ]
