"""Finding a grant: by holder, order, product, track, file or id; and how each one stands, in words."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

import django_filters
from django import forms
from django.conf import settings
from django.db.models import (
    Count,
    Exists,
    F,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Coalesce, NullIf
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html, strip_tags
from django.utils.safestring import SafeString
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, TitleColumn

from catalog_pages.models import FixityCheck
from catalog_pages.search_text import asked_text
from downloads.admin.base import BREAKS, WIDE, WIDEST, DeskIndexView, ShopDateColumn, status_tag
from downloads.admin.big_lists import COUNTED, DayFilter, is_read_whole, newest_marked
from downloads.admin.exports import AT_ONCE
from downloads.admin.finding import Found, grants_found
from downloads.models import Download, Revocation, UserAsset

STANDING = Revocation.objects.filter(lifted_at=None)
DAMAGED = (FixityCheck.Found.MISSING, FixityCheck.Found.ALTERED)


def counted() -> QuerySet[Download]:
    """Downloads that count against their grant's limit."""
    since = Q(grant__counted_from=None) | Q(counted_at__gt=F("grant__counted_from"))
    return Download.objects.filter(since, counted_at__isnull=False).order_by()


def limit_in(field: str) -> NullIf:
    """The limit that holds, in SQL: as agreed, else the shop's; NULL without one."""
    return NullIf(Coalesce(field, Value(settings.DOWNLOAD_LIMIT)), Value(0))


def used_up() -> list[Q]:
    """Grants of which some version has reached the limit: as agreed, and where it is the shop's.

    Each is found by an index of its own, which `most_counted__gt` names; together they would be by none.
    """
    agreed = Q(download_limit__gt=0, most_counted__gte=F("download_limit"))
    if not settings.DOWNLOAD_LIMIT:
        return [agreed]
    usual = Q(download_limit=None, most_counted__gte=settings.DOWNLOAD_LIMIT)
    return [agreed, usual & Q(most_counted__gt=1) if settings.DOWNLOAD_LIMIT > 1 else usual]


def latest() -> Subquery:
    rows = Download.objects.filter(grant=OuterRef("pk")).order_by("-started_at")
    return Subquery(rows.values("started_at")[:1])


def with_facts(grants: QuerySet[UserAsset]) -> QuerySet[Any]:
    """Adds what a row shows, in two queries: `limit` (None: without one), `used` of the bought version,
    `most_used` of any version, `last_download`, and `standing`, the revocations that count."""
    versions: QuerySet[Any] = counted().filter(grant=OuterRef("pk")).values("asset")
    times = versions.annotate(times=Count("pk")).values("times")
    return (
        grants.annotate(
            limit=limit_in("download_limit"),
            used=Coalesce(Subquery(times.filter(asset=OuterRef("asset"))), 0),
            most_used=Coalesce(Subquery(times.order_by("-times")[:1]), 0),
            last_download=latest(),
        )
        .select_related("user", "asset__fixity", "order_item__order")
        .prefetch_related(Prefetch("revocations", STANDING.order_by("pk"), to_attr="standing"))
    )


def state_of(grant: Any) -> SafeString:
    """In the order in which the holder is refused: by a cause, by the limit, by our own fault."""
    if grant.standing:
        causes = ", ".join(str(row.get_cause_display()) for row in grant.standing)
        return status_tag(gettext("Closed: {causes}").format(causes=causes), "bad")
    if grant.limit and grant.used >= grant.limit:
        return status_tag(gettext("Limit reached"), "careful")
    check = getattr(grant.asset, "fixity", None)
    if check and check.found in DAMAGED:
        return status_tag(gettext("File missing or damaged"), "bad")
    if grant.limit and grant.most_used >= grant.limit:
        return status_tag(gettext("Limit reached for another version"), "careful")
    return status_tag(gettext("Open"), "good")


def holder_of(grant: UserAsset) -> str | SafeString:
    if grant.user is not None:
        return str(grant.user)
    return format_html("{} <small>without an account</small>", grant.email)


def used_of(grant: Any) -> str:
    return (
        gettext("{used} of {limit}").format(used=grant.used, limit=grant.limit)
        if grant.limit
        else str(grant.used)
    )


def order_of(grant: UserAsset) -> SafeString:
    order = grant.order_item.order
    address = reverse("order_desk:inspect", args=[order.pk])
    return format_html('<a class="desk-nowrap" href="{}">{}</a>', address, order.number)


class GrantFilterSet(WagtailFilterSet):
    state = django_filters.ChoiceFilter(
        label=_("State"),
        method="keep_state",
        choices=[
            ("open", _("Open")),
            *(
                (cause.value, format_lazy(_("Closed: {label}"), label=cause.label))
                for cause in Revocation.Cause
            ),
            ("limit", _("Limit reached")),
            ("missing", _("File missing or damaged")),
        ],
        empty_label=_("All"),
        widget=forms.RadioSelect,
    )
    created_at = DayFilter(label=_("Given"))
    line = django_filters.NumberFilter(
        field_name="order_item_id",
        label=_("Order line"),
        min_value=1,
        max_value=2**31 - 1,
        widget=forms.NumberInput,
    )

    class Meta:
        model = UserAsset
        fields: list[str] = []

    def keep_state(self, grants: QuerySet[Any], name: str, state: str) -> QuerySet[Any]:
        damaged = FixityCheck.objects.exclude(found=FixityCheck.Found.INTACT).values("asset")
        if state == "open":
            stopped = Exists(STANDING.filter(grant=OuterRef("pk")))
            for reached in used_up():
                grants = grants.exclude(reached)
            return grants.filter(~stopped, ~Q(asset__in=damaged))
        is_whole = is_read_whole(self.data)
        if state == "limit" and is_whole:
            return grants.filter(reduce(or_, used_up()))
        if state == "limit":
            newest = grants.order_by("-created_at", "-pk").values_list("pk", flat=True)
            found = [newest.filter(reached)[: COUNTED + 1] for reached in used_up()]
            return grants.filter(pk__in=[pk for some in found for pk in some])
        if state == "missing":
            return grants.filter(asset__in=damaged)
        standing = STANDING.filter(cause=state)
        return newest_marked(
            grants, standing, path="grant", newest="-created_at", is_whole=is_whole
        )


class GrantIndexView(DeskIndexView):
    page_title = _("Downloads")
    verbose_name, verbose_name_plural = _("file"), _("files")
    filterset_class = GrantFilterSet
    default_ordering = "-created_at"
    search_hint = _("Email, order number, title, file or id")
    export = {
        _("File"): lambda row: row.title,
        _("Holder"): lambda row: str(row.user or row.email),
        _("Product"): lambda row: row.order_item.title,
        _("Order"): lambda row: row.order_item.order.number,
        _("State"): lambda row: strip_tags(state_of(row)),
        _("Downloads used"): lambda row: row.used,
        _("Limit"): lambda row: row.limit,
        _("Last download"): lambda row: row.last_download,
        _("Given"): lambda row: row.created_at,
    }

    def export_rows(self, queryset: QuerySet[Any]) -> Any:
        return with_facts(queryset).iterator(chunk_size=AT_ONCE)

    def paginate_queryset(self, queryset: QuerySet[Any], page_size: int) -> Any:
        """Facts are read for the rows of one page; for those of a large shop they take seconds."""
        ids: Any = queryset.values_list("pk", flat=True)
        if asked_text(self.search_query):
            ids = list(
                ids
            )  # few by now; asked for their newest, a database walks all grants by time
        paginator, page, shown, is_paginated = super().paginate_queryset(ids, page_size)
        shown = list(shown)
        grants = {grant.pk: grant for grant in with_facts(UserAsset.objects.filter(pk__in=shown))}
        page.object_list = [grants[pk] for pk in shown]
        return paginator, page, page.object_list, is_paginated

    @cached_property
    def found(self) -> Found:
        return grants_found(self.search_query)

    def search_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not asked_text(self.search_query):
            return queryset
        return queryset.filter(pk__in=self.found.ids)

    def is_search_cut(self) -> bool:
        return self.found.is_cut

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Among what was searched for, since a filter may look at the newest alone."""
        found = self.search_queryset(queryset) if self.is_filtering else queryset
        return super().filter_queryset(found)

    @property
    def no_results_message(self) -> str:
        matching = self.is_searching or self.is_filtering
        return (
            gettext("No download matches.")
            if matching
            else gettext("Nobody has bought a file yet.")
        )


GRANT_COLUMNS = [
    TitleColumn("title", label=_("Title"), url_name="download_desk:inspect"),
    Column("holder", label=_("Holder"), accessor=holder_of, classname=BREAKS),
    Column("product", label=_("Product"), accessor="order_item.title", classname=WIDEST),
    Column("order", label=_("Order"), accessor=order_of, classname=WIDE),
    Column("state", label=_("State"), accessor=state_of),
    Column("used", label=_("Downloads used"), accessor=used_of, classname=WIDE),
    ShopDateColumn("last_download", label=_("Last download"), classname=WIDE),
    ShopDateColumn("created_at", label=_("Given"), sort_key="created_at", classname=WIDE),
]
