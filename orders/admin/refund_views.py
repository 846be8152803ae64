"""A refund in three steps: the form, a sentence to agree to, and the refund itself.

All three are one address, and work without JavaScript. The form carries the refund's id from the
start, so that pressing twice, in two windows or on a slow line, is one refund.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views import View
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin

from catalog_pages.errors import DomainError
from catalog_pages.money import format_money
from orders.admin import log
from orders.admin.refund_form import (
    EVERYTHING,
    RefundForm,
    RefundPlan,
    offered,
    reason_not_to_refund,
    refund_plan,
)
from orders.models import Order, Refund
from orders.services.refunds import Refundable, refund_request, refundable

UNUSABLE = _("This form cannot be used any more. Open it again.")
CHANGED = _(
    "What is left to refund has changed since you looked. Nothing was refunded; look again."
)
UNREACHABLE = _("Stripe cannot be reached. The refund is written down and will be sent by itself.")


class RefundView(PermissionCheckedMixin, WagtailAdminTemplateMixin, View):
    """GET shows the form, or with `all` the sentence for everything.

    POST with `step`: `ask` shows the sentence, `change` the form with what was
    typed, `do` refunds what the sentence said."""

    permission_policy: Any = None
    permission_required = "refund"
    any_permission_required = ["view"]
    http_method_names = ["get", "post"]
    page_title = _("Refund")
    header_icon = "rotate"
    template_name = "orders/admin/refund.html"

    order: Order

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        self.order = get_object_or_404(Order, pk=pk)
        state = refundable(order=self.order)
        if reason := reason_not_to_refund(self.order, state):
            return self.refuse(reason)
        first = {
            "refund_id": uuid.uuid4(),
            "payment": offered(state)[0].payment.pk,
            "what": EVERYTHING,
        }
        if "all" in request.GET and len(offered(state)) == 1:
            return self.show_all(first, state)
        return self.show(RefundForm(initial=first, order=self.order, state=state))

    def show_all(self, first: dict[str, Any], state: Refundable) -> HttpResponse:
        """The sentence for everything at once, as if the form had been sent as it opens."""
        data = QueryDict(mutable=True)
        data.update({**first, "reason": Refund.Reason.REQUESTED_BY_CUSTOMER, "note": ""})
        form = RefundForm(data, order=self.order, state=state)
        plan = refund_plan(form) if form.is_valid() else None
        return self.show(form, None if plan is not None and plan.problem else plan)

    def post(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        self.order = get_object_or_404(Order, pk=pk)
        state = refundable(order=self.order)
        form = RefundForm(request.POST, order=self.order, state=state)
        step = request.POST.get("step")
        if step == "do" and form.is_valid() and self.exists(form.cleaned_data["refund_id"]):
            return self.do(form, refund_plan(form), again=True)
        if reason := reason_not_to_refund(self.order, state):
            return self.refuse(reason)
        if not form.is_valid():
            return self.show(form)
        return self.go_on(form, refund_plan(form), step)

    def exists(self, refund_id: uuid.UUID) -> bool:
        return Refund.objects.filter(pk=refund_id).exists()

    def go_on(self, form: RefundForm, plan: RefundPlan, step: str | None) -> HttpResponse:
        if step == "change":
            return self.show(form)
        if plan.problem:
            form.add_error(*plan.problem)
            return self.show(form)
        if step != "do":
            return self.show(form, plan)
        if self.request.POST.get("confirmed") != plan.fingerprint:
            form.add_error(None, CHANGED)
            return self.show(form)
        return self.do(form, plan)

    def do(self, form: RefundForm, plan: RefundPlan, *, again: bool = False) -> HttpResponse:
        """Refund what was agreed to, to the penny; pressed `again`, find what the first press did."""
        data = form.cleaned_data
        is_as_first = again and data["what"] == EVERYTHING
        try:
            refund = refund_request(
                refund_id=data["refund_id"],
                payment=plan.payment.payment,
                by=self.request.user,
                reason=data["reason"],
                note=data["note"],
                amount_pennies=None if plan.item_ids or is_as_first else plan.amount_pennies,
                item_ids=plan.item_ids,
            )
        except DomainError as refusal:
            return self.show(self.renewed(form, refusal.message))
        if not again:
            amount = format_money(refund.amount_pennies, refund.currency)
            comment = f"{amount}, {refund.get_reason_display().lower()}"
            log.log_press(log.REFUND, on=self.order, by=self.request.user, comment=comment)
        self.tell(refund)
        return redirect(self.order_url)

    def renewed(self, form: RefundForm, problem: str) -> RefundForm:
        """The form as it was typed, for another refund than the one that was refused."""
        data = self.request.POST.copy()
        data["refund_id"] = str(uuid.uuid4())
        fresh = RefundForm(data, order=self.order, state=refundable(order=self.order))
        fresh.add_error(None, problem)
        return fresh

    def tell(self, refund: Refund) -> None:
        amount = format_money(refund.amount_pennies, refund.currency)
        if refund.status == Refund.Status.SUCCEEDED:
            messages.success(
                self.request, gettext("{amount} has gone back to the buyer.").format(amount=amount)
            )
        elif refund.status in (Refund.Status.PENDING, Refund.Status.REQUIRES_ACTION):
            messages.success(
                self.request,
                gettext("{amount} is on its way back to the buyer.").format(amount=amount),
            )
        elif refund.status == Refund.Status.REQUESTED:
            messages.warning(self.request, UNREACHABLE)
        else:
            why = refund.failure or gettext("the refund did not succeed.")
            messages.error(
                self.request,
                gettext("Stripe said: {why} Nothing was changed here.").format(why=why),
            )

    def show(self, form: RefundForm, plan: RefundPlan | None = None) -> HttpResponse:
        if "refund_id" in form.errors:
            messages.error(self.request, UNUSABLE)
            return redirect(self.request.path)
        return self.render_to_response(self.get_context_data(form=form, plan=plan))

    def refuse(self, reason: str) -> HttpResponse:
        messages.error(self.request, reason)
        return redirect(self.order_url)

    @property
    def order_url(self) -> str:
        return reverse("order_desk:inspect", args=[self.order.pk])

    def get_page_subtitle(self) -> str:
        return self.order.number

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        index = {"url": reverse("order_desk:index"), "label": gettext("Orders")}
        order = {"url": self.order_url, "label": self.order.number}
        return [*self.breadcrumbs_items, index, order, self._here()]

    def _here(self) -> dict[str, Any]:
        return {"url": "", "label": self.page_title, "sublabel": self.order.number}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        form = kwargs["form"]
        data = form.data if isinstance(form.data, QueryDict) else self.request.POST
        typed = [(name, value) for name in form.fields for value in data.getlist(name)]
        return super().get_context_data(
            order=self.order, order_url=self.order_url, typed=typed, **kwargs
        )
