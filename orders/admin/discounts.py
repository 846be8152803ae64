"""Discount codes: made by editors of the catalogue, and who used one shown to those who see orders."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.conf import settings
from django.db import IntegrityError
from django.db.models import Count, F, OuterRef, ProtectedError, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column
from wagtail.admin.views import generic
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.permissions import ModelPermissionPolicy

from catalog_pages.admin.deleting import refuse
from catalog_pages.money import format_money
from downloads.admin.base import BREAKS, NOTHING, WIDE, ShopDateColumn, status_tag
from downloads.admin.big_lists import DayFilter
from orders.admin.base import DeskIndexView, DeskInspectView
from orders.admin.discount_form import DISCOUNT_PANELS, taken
from orders.models import DiscountCode, DiscountUse, Order

USES_SHOWN = 100
KEEP = gettext_lazy(
    "“{code}” has been used, and its orders say so. Untick “in use” instead: nobody can use it then."
)
STATES = {
    "usable": (gettext_lazy("Can be used"), "good"),
    "waiting": (gettext_lazy("Not yet valid"), "careful"),
    "over": (gettext_lazy("Over"), ""),
    "used_up": (gettext_lazy("Used up"), ""),
    "stopped": (gettext_lazy("Not in use"), ""),
}


def with_counts(codes: QuerySet[DiscountCode]) -> QuerySet[Any]:
    """Adds `used`: by how many orders that were paid or wait for their payment."""
    uses = DiscountUse.objects.filter(code=OuterRef("pk"), released_at=None).order_by()
    counts = uses.values("code").annotate(number=Count("pk")).values("number")
    return codes.annotate(used=Coalesce(Subquery(counts), 0))


def state_key(code: Any) -> str:
    now = timezone.now()
    if not code.is_active:
        return "stopped"
    if code.ends_at is not None and code.ends_at <= now:
        return "over"
    if code.max_uses is not None and code.used >= code.max_uses:
        return "used_up"
    if code.starts_at is not None and code.starts_at > now:
        return "waiting"
    return "usable"


def state_of(code: Any) -> SafeString:
    words, tone = STATES[state_key(code)]
    return status_tag(str(words), tone)


def in_state(codes: QuerySet[Any], state: str) -> QuerySet[Any]:
    """The same as `state_key`, asked of the database."""
    now = timezone.now()
    over = Q(ends_at__isnull=False, ends_at__lte=now)
    used_up = Q(max_uses__isnull=False, used__gte=F("max_uses"))
    waiting = Q(starts_at__isnull=False, starts_at__gt=now)
    if state == "stopped":
        return codes.filter(is_active=False)
    codes = codes.filter(is_active=True)
    if state == "over":
        return codes.filter(over)
    codes = codes.exclude(over)
    if state == "used_up":
        return codes.filter(used_up)
    codes = codes.exclude(used_up)
    return codes.filter(waiting) if state == "waiting" else codes.exclude(waiting)


def takes_off(code: DiscountCode) -> str:
    """`20%`, `£5.00`."""
    if code.kind == DiscountCode.Kind.PERCENT:
        return f"{code.percent}%"
    return money(code.amount_pennies)


def money(pennies: int | None) -> str:
    return NOTHING if pennies is None else format_money(pennies, currency_now())


def currency_now() -> str:
    return str(settings.STRIPE_CURRENCY)


def validity(code: DiscountCode) -> str:
    """`From 1 May 2031, 09:00 until 8 May 2031, 09:00`, in the shop's time."""
    starts, ends = (moment(at) for at in (code.starts_at, code.ends_at))
    if starts and ends:
        return gettext("From {starts} until {ends}").format(starts=starts, ends=ends)
    return (
        gettext("From {starts}").format(starts=starts)
        if starts
        else gettext("Until {ends}").format(ends=ends)
        if ends
        else gettext("Always")
    )


def moment(at: Any) -> str:
    if at is None:
        return ""
    return date_format(timezone.localtime(at, timezone.get_default_timezone()), "DATETIME_FORMAT")


def used_of(code: Any) -> str:
    return (
        gettext("{used} of {max_uses}").format(used=code.used, max_uses=code.max_uses)
        if code.max_uses is not None
        else str(code.used)
    )


class DiscountFilterSet(WagtailFilterSet):
    state = django_filters.ChoiceFilter(
        label=gettext_lazy("State"),
        method="keep_state",
        choices=[(key, words) for key, (words, _) in STATES.items()],
        empty_label=gettext_lazy("All"),
        widget=forms.RadioSelect,
    )
    kind = django_filters.ChoiceFilter(
        label=gettext_lazy("Takes off"),
        choices=DiscountCode.Kind.choices,
        empty_label=gettext_lazy("All"),
        widget=forms.RadioSelect,
    )
    created_at = DayFilter(label=gettext_lazy("Made"))

    class Meta:
        model = DiscountCode
        fields: list[str] = []

    def keep_state(self, codes: QuerySet[Any], name: str, state: str) -> QuerySet[Any]:
        return in_state(codes, state)


class DiscountIndexView(DeskIndexView):
    any_permission_required = ["view", "add", "change", "delete"]
    page_title = gettext_lazy("Discount codes")
    add_item_label = gettext_lazy("Add a discount code")
    filterset_class = DiscountFilterSet
    find_in = ("code", "note")
    export = {
        gettext_lazy("Code"): lambda code: code.code,
        gettext_lazy("Takes off"): takes_off,
        gettext_lazy("Valid"): validity,
        gettext_lazy("Used"): lambda code: code.used,
        gettext_lazy("At most"): lambda code: code.max_uses,
        gettext_lazy("State"): lambda code: STATES[state_key(code)][0],
        gettext_lazy("Note"): lambda code: code.note,
        gettext_lazy("Made"): lambda code: code.created_at,
    }

    def get_base_queryset(self) -> QuerySet[Any]:
        return with_counts(super().get_base_queryset())

    @property
    def no_results_message(self) -> str:
        matching = self.is_searching or self.is_filtering
        return (
            gettext("No discount code matches.")
            if matching
            else gettext("There are no discount codes yet.")
        )


class OneCodeMixin:
    """Two editors who make the same code in the same moment: the second reads it at the field."""

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            return super().form_valid(form)  # type: ignore[misc]
        except IntegrityError:
            form.add_error("code", taken(form.cleaned_data["code"]))
            self.produced_error_message = self.get_error_message()  # type: ignore[attr-defined]
            return self.form_invalid(form)  # type: ignore[attr-defined]


class DiscountCreateView(OneCodeMixin, generic.CreateView):
    success_message = gettext_lazy("“%(object)s” is ready.")
    error_message = gettext_lazy("The code was not saved. Look at the marked fields.")


class DiscountEditView(OneCodeMixin, generic.EditView):
    success_message = gettext_lazy(
        "“%(object)s” is saved. Orders made before keep what they were promised."
    )
    error_message = gettext_lazy("The code was not saved. Look at the marked fields.")


class DiscountDeleteView(generic.DeleteView):
    """Deletes a code that no order ever used; any other is taken out of use instead."""

    @property
    def confirmation_message(self) -> str:
        return gettext("No order has used “{object}”. Carts that hold it lose it.").format(
            object=self.object
        )

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.user_has_permission("delete") and self.object.uses.exists():
            return self.refuse()
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            return super().form_valid(form)
        except ProtectedError:  # an order used it after the question was asked
            return self.refuse()

    def refuse(self) -> HttpResponse:
        back = reverse("discount_codes:inspect", args=[self.object.pk])
        return refuse(self.request, [KEEP.format(code=self.object)], back)


class DiscountInspectView(DeskInspectView):
    any_permission_required = ["view", "add", "change", "delete"]
    page_title = gettext_lazy("Discount code")
    template_name = "orders/admin/discount.html"
    labels = {
        "takes_off": gettext_lazy("Takes off"),
        "state": gettext_lazy("State"),
        "validity": gettext_lazy("Valid"),
        "used": gettext_lazy("Used by orders"),
        "max_uses_per_buyer": gettext_lazy("Orders per buyer"),
        "min_subtotal_pennies": gettext_lazy("Least order"),
        "good_for": gettext_lazy("Good for"),
        "created_at": gettext_lazy("Made"),
    }

    def get_object(self, queryset: QuerySet[Any] | None = None) -> Any:
        code = super().get_object(queryset)
        code.used = code.uses.filter(released_at=None).count()
        return code

    def get_note_display_value(self) -> str:
        return self.object.note or NOTHING

    def get_takes_off_display_value(self) -> str:
        return takes_off(self.object)

    def get_state_display_value(self) -> SafeString:
        return state_of(self.object)

    def get_validity_display_value(self) -> str:
        return validity(self.object)

    def get_used_display_value(self) -> str:
        return used_of(self.object)

    def get_max_uses_per_buyer_display_value(self) -> str:
        return str(self.object.max_uses_per_buyer or gettext("Any number"))

    def get_min_subtotal_pennies_display_value(self) -> str:
        return money(self.object.min_subtotal_pennies)

    def get_good_for_display_value(self) -> str:
        scope = [*self.object.products.all(), *self.object.artists.all(), *self.object.genres.all()]
        return ", ".join(f"“{one}”" for one in scope) or gettext("Everything")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may_see = ModelPermissionPolicy(Order).user_has_permission(self.request.user, "view")
        uses = uses_of(self.object) if may_see else []
        return super().get_context_data(
            may_see_uses=may_see, uses=uses[:USES_SHOWN], more=len(uses) > USES_SHOWN, **kwargs
        )


def uses_of(code: DiscountCode) -> list[DiscountUse]:
    """The newest uses, one more than a page shows."""
    rows = code.uses.select_related("order").order_by("-created_at", "-pk")
    return list(rows[: USES_SHOWN + 1])


class DiscountCodeViewSet(ModelViewSet):
    model = DiscountCode
    name = "discount_codes"
    url_prefix = "discount-codes"
    icon = "tag"
    menu_label = gettext_lazy("Discount codes")
    menu_order = 255
    add_to_admin_menu = True
    add_to_reference_index = False
    copy_view_enabled = False
    inspect_view_enabled = True
    edit_handler = DISCOUNT_PANELS
    index_view_class = DiscountIndexView
    add_view_class = DiscountCreateView
    edit_view_class = DiscountEditView
    delete_view_class = DiscountDeleteView
    inspect_view_class = DiscountInspectView
    list_per_page = 50
    export_filename = "discount-codes"
    list_display = [
        "code",
        Column("takes_off", label=gettext_lazy("Takes off"), accessor=takes_off),
        Column("validity", label=gettext_lazy("Valid"), accessor=validity, classname=WIDE),
        Column("used", label=gettext_lazy("Used"), accessor=used_of, sort_key="used"),
        Column("state", label=gettext_lazy("State"), accessor=state_of),
        Column("note", label=gettext_lazy("Note"), classname=f"{WIDE} {BREAKS}"),
        ShopDateColumn(
            "created_at", label=gettext_lazy("Made"), sort_key="created_at", classname=WIDE
        ),
    ]
    inspect_view_fields = [
        "code",
        "note",
        "takes_off",
        "state",
        "validity",
        "used",
        "max_uses_per_buyer",
        "min_subtotal_pennies",
        "good_for",
        "created_at",
    ]

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_common_view_kwargs(usage_url_name=None, **kwargs)

    def get_urlpatterns(self) -> list[URLPattern]:
        return [url for url in super().get_urlpatterns() if url.name != "usage"]
