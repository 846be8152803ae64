"""What lists and pages for staff share: nothing is typed into rows, and every button is one POST."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views import View
from wagtail.admin.admin_url_finder import ModelAdminURLFinder
from wagtail.admin.ui.tables import DateColumn
from wagtail.admin.utils import get_valid_next_url_from_request
from wagtail.admin.views import generic
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.admin.viewsets.model import ModelViewSet

from catalog_pages.admin.capped import CappedPaginator
from catalog_pages.search_text import clean_search_text
from catalog_pages.shop_days import shop_zone
from downloads.admin import finding
from downloads.admin.exports import StreamedExport

NOTHING = "–"
# Columns of a list: left out on a phone; left out on most desks as well; may be broken anywhere.
WIDE, WIDEST, BREAKS = "desk-wide", "desk-widest", "desk-breaks"


def status_tag(text: str, tone: str = "") -> SafeString:
    """`tone` is good, careful, bad, or nothing for what is neither."""
    return format_html(
        '<span class="desk-tag{}">{}</span>', f" desk-tag--{tone}" if tone else "", text
    )


def any_of(fields: tuple[str, ...], word: str) -> Q:
    """A condition: one of `fields` holds `word`."""
    condition = Q()
    for field in fields:
        condition |= Q(**{f"{field}__icontains": word})
    return condition


class ShopDateColumn(DateColumn):
    """By the shop's clock, as the filters and spreadsheets of its list are, whichever zone the account of
    the one who looks is set to."""

    cell_template_name = "downloads/admin/shop_date_cell.html"

    @property
    def zone(self) -> tzinfo:
        return shop_zone()


class DeskIndexView(StreamedExport, generic.IndexView):
    """A list that finds rows by every word of what was typed, each in any of `find_in`.

    Sorted by what an index is sorted by: `ties` names what follows a column in its index, where that
    is not the row's key.
    """

    any_permission_required = ["view"]
    template_name = "downloads/admin/index.html"
    results_template_name = "downloads/admin/index_results.html"
    paginator_class = CappedPaginator
    is_searchable = True
    find_in: tuple[str, ...] = ()
    search_hint: Any = ""
    ties: dict[str, str] = {}
    has_more = False

    def get_paginator(self, *args: Any, **kwargs: Any) -> Any:
        """Counts in this view's own words, where the model's are a programmer's."""
        paginator = super().get_paginator(*args, **kwargs)
        paginator.verbose_name = self.verbose_name
        paginator.verbose_name_plural = self.verbose_name_plural
        return paginator

    def get_search_form(self) -> Any:
        form = super().get_search_form()
        if form is not None and self.search_hint:
            form.fields["q"].widget.attrs["placeholder"] = str(self.search_hint)
        return form

    def order_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """No order leaves two pages to share a row; the tie goes the way of its column."""
        if not isinstance(self.ordering, str):
            return super().order_queryset(queryset)
        column, sign = self.ordering.lstrip("-"), "-" if self.ordering.startswith("-") else ""
        tie = self.ties.get(column, "pk")
        return queryset.order_by(f"{sign}{column}", *([f"{sign}{tie}"] if tie else []))

    def search_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        for word in clean_search_text(self.search_query).split():
            queryset = queryset.filter(self.matching(word))
        return queryset

    def matching(self, word: str) -> Q:
        return any_of(self.find_in, word)

    def some(self, rows: QuerySet[Any]) -> list[Any]:
        """Keys of at most `MAX_FOUND` rows that a search found; where there are more, the list says so."""
        keys = list(rows.values_list("pk", flat=True)[: finding.MAX_FOUND + 1])
        self.has_more = self.has_more or len(keys) > finding.MAX_FOUND
        return keys[: finding.MAX_FOUND]

    def is_search_cut(self) -> bool:
        return self.has_more


class ActionView(PermissionCheckedMixin, View):
    """One button. Needs the right to see the row and the right to press; leads back to where it was."""

    model: type[Model]
    permission_policy: Any = None
    any_permission_required = ["view"]
    inspect_url_name = ""
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: Any) -> HttpResponse:
        row = get_object_or_404(self.model, pk=pk)
        self.perform(row)
        back = get_valid_next_url_from_request(request)
        return HttpResponseRedirect(back or reverse(self.inspect_url_name, args=[row.pk]))

    def perform(self, row: Any) -> None:
        """Call one service and say in messages what came of it."""
        raise NotImplementedError

    def say(self, is_good: bool, sentence: str) -> None:
        messages.add_message(
            self.request, messages.SUCCESS if is_good else messages.ERROR, sentence
        )


class InspectURLFinder(ModelAdminURLFinder):
    """Where Wagtail's reports link to: the row's facts, for whoever may see them."""

    def get_edit_url(self, instance: Model) -> str | None:
        policy = self.permission_policy
        if self.user and policy and not policy.user_has_permission(self.user, "view"):
            return None
        return self.construct_edit_url(instance)


class ReadOnlyViewSet(ModelViewSet):
    """Rows that only the shop itself writes: there is no address to add, change, copy or delete one.

    `actions` maps the name and last part of an address to the view of its button.
    """

    copy_view_enabled = False
    inspect_view_enabled = True
    add_to_reference_index = False
    form_fields: list[str] = []
    list_per_page = 25
    actions: dict[str, type[View]] = {}

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        absent = ("add", "edit", "delete", "history", "usage")
        names = {f"{view}_url_name": None for view in absent}
        return super().get_common_view_kwargs(**names, **kwargs)

    def get_permissions_to_register(self) -> QuerySet[Permission]:
        """What a group can be given: to see, and each button; writing is nobody's."""
        name = self.model_name
        writing = [f"{action}_{name}" for action in ("add", "change", "delete")]
        content_type = ContentType.objects.get_for_model(self.model)
        return Permission.objects.filter(content_type=content_type).exclude(codename__in=writing)

    @property
    def url_finder_class(self) -> type[ModelAdminURLFinder]:
        return type(
            "RowURLFinder",
            (InspectURLFinder,),
            {
                "permission_policy": self.permission_policy,
                "edit_url_name": self.get_url_name("inspect"),
            },
        )

    def get_urlpatterns(self) -> list[URLPattern]:
        one = f"<{self.pk_path_converter}:pk>/"
        return [
            path("", self.index_view, name="index"),
            path("results/", self.index_results_view, name="index_results"),
            path(one, self.inspect_view, name="inspect"),
            *(
                path(f"{one}{name}/", self.construct_view(view), name=name)
                for name, view in self.actions.items()
            ),
        ]
