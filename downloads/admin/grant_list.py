"""Finding a grant: by holder, order, product, track, file or id; and how each one stands, in words."""

from __future__ import annotations

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
from django.utils.html import format_html, strip_tags
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, DateColumn, TitleColumn

from catalog_pages.models import FixityCheck
from catalog_pages.search_text import asked_text
from downloads.admin.base import BREAKS, WIDE, WIDEST, DeskIndexView, status_tag
from downloads.admin.big_lists import DayFilter
from downloads.admin.exports import AT_ONCE
from downloads.admin.finding import grants_found
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


def used_up() -> QuerySet[Any]:
    """Ids of grants of which some version has reached the limit. Reads the downloads once."""
    limited = counted().annotate(limit=limit_in("grant__download_limit"))
    versions: QuerySet[Any] = limited.values("grant", "asset").annotate(times=Count("pk"))
    return versions.filter(times__gte=F("limit")).values("grant")


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
        return status_tag(f"Closed: {causes}", "bad")
    if grant.limit and grant.used >= grant.limit:
        return status_tag("Limit reached", "careful")
    check = getattr(grant.asset, "fixity", None)
    if check and check.found in DAMAGED:
        return status_tag("File missing or damaged", "bad")
    if grant.limit and grant.most_used >= grant.limit:
        return status_tag("Limit reached for another version", "careful")
    return status_tag("Open", "good")


def holder_of(grant: UserAsset) -> str | SafeString:
    if grant.user is not None:
        return str(grant.user)
    return format_html("{} <small>without an account</small>", grant.email)


def used_of(grant: Any) -> str:
    return f"{grant.used} of {grant.limit}" if grant.limit else str(grant.used)


def order_of(grant: UserAsset) -> SafeString:
    order = grant.order_item.order
    address = reverse("order_desk:inspect", args=[order.pk])
    return format_html('<a class="desk-nowrap" href="{}">{}</a>', address, order.number)


class GrantFilterSet(WagtailFilterSet):
    state = django_filters.ChoiceFilter(
        label="State",
        method="keep_state",
        choices=[
            ("open", "Open"),
            *((cause.value, f"Closed: {cause.label}") for cause in Revocation.Cause),
            ("limit", "Limit reached"),
            ("missing", "File missing or damaged"),
        ],
        empty_label="All",
        widget=forms.RadioSelect,
    )
    created_at = DayFilter(label=_("Given"))
    line = django_filters.NumberFilter(
        field_name="order_item_id",
        label="Order line",
        min_value=1,
        max_value=2**31 - 1,
        widget=forms.NumberInput,
    )

    class Meta:
        model = UserAsset
        fields: list[str] = []

    def keep_state(self, grants: QuerySet[Any], name: str, state: str) -> QuerySet[Any]:
        standing = STANDING.filter(grant=OuterRef("pk"))
        reached, missing = Q(pk__in=used_up()), Q(asset__fixity__found__in=DAMAGED)
        if state == "open":
            return grants.filter(~Exists(standing)).exclude(reached).exclude(missing)
        if state in ("limit", "missing"):
            return grants.filter(reached if state == "limit" else missing)
        return grants.filter(Exists(standing.filter(cause=state)))


class GrantIndexView(DeskIndexView):
    page_title = "Downloads"
    verbose_name, verbose_name_plural = "file", "files"
    filterset_class = GrantFilterSet
    default_ordering = "-created_at"
    search_hint = _("Email, order number, title, file or id")
    export = {
        "File": lambda row: row.title,
        "Holder": lambda row: str(row.user or row.email),
        "Product": lambda row: row.order_item.title,
        "Order": lambda row: row.order_item.order.number,
        "State": lambda row: strip_tags(state_of(row)),
        "Downloads used": lambda row: row.used,
        "Limit": lambda row: row.limit,
        "Last download": lambda row: row.last_download,
        "Given": lambda row: row.created_at,
    }

    def export_rows(self, queryset: QuerySet[Any]) -> Any:
        return with_facts(queryset).iterator(chunk_size=AT_ONCE)

    def paginate_queryset(self, queryset: QuerySet[Any], page_size: int) -> Any:
        """Facts are read for the rows of one page; for those of a large shop they take seconds."""
        ids = queryset.values_list("pk", flat=True)
        paginator, page, shown, is_paginated = super().paginate_queryset(ids, page_size)
        shown = list(shown)
        grants = {grant.pk: grant for grant in with_facts(UserAsset.objects.filter(pk__in=shown))}
        page.object_list = [grants[pk] for pk in shown]
        return paginator, page, page.object_list, is_paginated

    def search_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not asked_text(self.search_query):
            return queryset
        return queryset.filter(pk__in=grants_found(self.search_query))

    @property
    def no_results_message(self) -> str:
        matching = self.is_searching or self.is_filtering
        return "No download matches." if matching else "Nobody has bought a file yet."


GRANT_COLUMNS = [
    TitleColumn("title", url_name="download_desk:inspect"),
    Column("holder", label="Holder", accessor=holder_of, classname=BREAKS),
    Column("product", label="Product", accessor="order_item.title", classname=WIDEST),
    Column("order", label="Order", accessor=order_of, classname=WIDE),
    Column("state", label="State", accessor=state_of),
    Column("used", label="Downloads used", accessor=used_of, classname=WIDE),
    DateColumn("last_download", label="Last download", classname=WIDE),
    DateColumn("created_at", label=_("Given"), sort_key="created_at", classname=WIDE),
]
