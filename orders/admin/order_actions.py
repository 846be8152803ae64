"""Buttons on the page of an order that need no form of their own, and the one for a line's files.

Each needs the right to see orders and its own right, and is written down with who and when.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views import View
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin

from catalog_pages.errors import DomainError
from downloads.admin.actions import press_line_give_back, press_line_reset, press_line_take_back
from downloads.admin.base import ActionView
from downloads.admin.viewsets import ReasonForm
from downloads.models import Revocation, UserAsset
from orders.admin import log
from orders.admin.notes import NoteForm
from orders.models import Order, OrderItem, OutboxMail
from orders.services.mail import receipt_send_again
from orders.services.notes import order_note_write
from orders.services.reconcile import order_check
from orders.stripe_facts import GatewayError

TAKE_BACK, GIVE_BACK, RESET = (
    "downloads.revoke_userasset",
    "downloads.restore_userasset",
    "downloads.reset_userasset",
)
RESEND = "orders.resend_outboxmail"


class RightsOfOthers(PermissionCheckedMixin):
    """A right with a dot in it is asked for by its whole name: it is another model's than the view's."""

    request: HttpRequest

    def user_has_permission(self, permission: str) -> bool:
        if "." in permission:
            return bool(self.request.user.has_perm(permission))
        return bool(super().user_has_permission(permission))


class CheckView(ActionView):
    """Asks Stripe about the order, repairs what differs and tells what that was."""

    model = Order
    permission_required = "check"

    def perform(self, row: Order) -> None:
        try:
            differences = order_check(order=row)
        except GatewayError:
            self.say(False, gettext("Stripe cannot be asked right now. Try again in a while."))
            return
        found = len(differences)
        words = ngettext("%(number)s difference", "%(number)s differences", found)
        comment = words % {"number": found}
        log.log_press(log.CHECK, on=row, by=self.request.user, comment=comment)
        if not differences:
            self.say(True, gettext("Everything agrees with Stripe."))
        for difference in differences:
            self.report(difference)

    def report(self, difference: Any) -> None:
        if difference.repaired:
            messages.success(
                self.request, gettext("{sentence} Repaired.").format(sentence=difference.sentence)
            )
        else:
            problem = f" {difference.problem}" if difference.problem else ""
            messages.warning(
                self.request,
                gettext("{sentence} Not repaired.{problem}").format(
                    sentence=difference.sentence, problem=problem
                ),
            )


class SendLinksView(RightsOfOthers, ActionView):
    """The receipt once more, with the links to the files: the answer to "where is my download?"."""

    model = Order
    permission_required = RESEND

    def perform(self, row: Order) -> None:
        try:
            again = receipt_send_again(order=row, by=self.request.user)
        except DomainError as refusal:
            self.say(False, refusal.message)
            return
        log.log_press(log.MAIL_AGAIN, on=row, by=self.request.user, comment=gettext("Receipt"))
        again.refresh_from_db()
        values = {"email": again.to_email}
        if again.status == OutboxMail.Status.SENT:
            self.say(True, gettext("The receipt with its links was sent to %(email)s.") % values)
        else:
            self.say(
                True, gettext("The receipt with its links is on its way to %(email)s.") % values
            )


class NoteView(ActionView):
    model = Order
    permission_required = "note"

    def perform(self, row: Order) -> None:
        form = NoteForm(self.request.POST)
        if not form.is_valid():
            self.keep(row, form)
            return
        try:
            _note, is_new = order_note_write(
                note_id=form.cleaned_data["note_id"],
                order=row,
                text=form.cleaned_data["text"],
                by=self.request.user,
            )
        except DomainError as refusal:
            self.say(False, refusal.message)
            return
        if is_new:
            log.log_press(log.NOTE, on=row, by=self.request.user, comment="")
        self.say(True, gettext("The note is written down."))

    def keep(self, row: Order, form: NoteForm) -> None:
        """What was typed is there again, for the person who typed it."""
        for errors in form.errors.values():
            self.say(False, " ".join(map(str, errors)))
        if text := self.request.POST.get("text", "").replace("\0", "").strip():
            self.request.session[f"note-{row.pk}"] = text[:10_000]


class LineView(RightsOfOthers, ActionView):
    """A button of one line of the order, named by `line`."""

    model = Order

    def line_of(self, order: Order) -> OrderItem:
        return line_named(order, self.request.POST.get("line", ""))


def line_named(order: Order, text: str) -> OrderItem:
    """The line of this order with that id; 404 for any other."""
    is_id = text.isascii() and text.isdigit() and len(text) < 18
    line = order.items.filter(pk=int(text)).first() if is_id else None
    if line is None:
        raise Http404
    return line


class ResetLineView(LineView):
    permission_required = RESET

    def perform(self, row: Order) -> None:
        line = self.line_of(row)
        times = press_line_reset(order_item_id=line.pk, by=self.request.user)
        if not times:
            self.say(True, gettext("Nothing counts against these limits, so nothing was changed."))
            return
        sentence = ngettext(
            "The limit of %(number)s file of “%(title)s” has been reset.",
            "The limits of %(number)s files of “%(title)s” have been reset.",
            times,
        )
        self.say(True, sentence % {"number": times, "title": line.title})


class RestoreLineView(LineView):
    permission_required = GIVE_BACK

    def perform(self, row: Order) -> None:
        line = self.line_of(row)
        times = press_line_give_back(order_item_id=line.pk, by=self.request.user)
        if not times:
            self.say(
                True, gettext("Staff have taken nothing of this back, so nothing was changed.")
            )
            return
        standing = Revocation.objects.filter(grant__order_item=line, lifted_at=None)
        values = {"title": line.title}
        if causes := sorted({str(row.get_cause_display()) for row in standing}):
            values["causes"] = ", ".join(causes)
            sentence = gettext("“%(title)s” is restored, but files of it stay closed: %(causes)s.")
            messages.warning(self.request, sentence % values)
        else:
            self.say(True, gettext("“%(title)s” is restored. It can be downloaded again.") % values)


class RevokeLineView(RightsOfOthers, WagtailAdminTemplateMixin, View):
    """GET asks for the reason, POST takes the files of a line back."""

    permission_policy: Any = None
    permission_required = TAKE_BACK
    any_permission_required = ["view"]
    http_method_names = ["get", "post"]
    page_title = _("Revoke")
    header_icon = "download"
    template_name = "orders/admin/revoke_line.html"

    order: Order
    line: OrderItem

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        self.find(pk, request.GET.get("line", ""))
        return self.render_to_response(self.get_context_data(form=ReasonForm()))

    def post(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        self.find(pk, request.POST.get("line", ""))
        form = ReasonForm(request.POST)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form))
        times = press_line_take_back(
            order_item_id=self.line.pk, by=request.user, reason=form.cleaned_data["reason"]
        )
        values = {"title": self.line.title}
        if times:
            messages.success(request, gettext("The files of “%(title)s” are revoked.") % values)
        elif not UserAsset.objects.filter(order_item=self.line).exists():
            sentence = gettext("Nobody holds files of “%(title)s”, so nothing was changed.")
            messages.success(request, sentence % values)
        else:
            sentence = gettext(
                "All files of “%(title)s” were revoked already. Nothing was changed."
            )
            messages.success(request, sentence % values)
        return redirect(self.order_url)

    def find(self, pk: uuid.UUID, line: str) -> None:
        self.order = get_object_or_404(Order, pk=pk)
        self.line = line_named(self.order, line)

    @property
    def order_url(self) -> str:
        return reverse("order_desk:inspect", args=[self.order.pk])

    def get_page_subtitle(self) -> str:
        return self.line.title

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        index = {"url": reverse("order_desk:index"), "label": gettext("Orders")}
        order = {"url": self.order_url, "label": self.order.number}
        here = {"url": "", "label": self.page_title, "sublabel": self.line.title}
        return [*self.breadcrumbs_items, index, order, here]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        grants = UserAsset.objects.filter(order_item=self.line)
        return super().get_context_data(
            order=self.order,
            order_url=self.order_url,
            line=self.line,
            own=grants.filter(seat=0).count(),
            given=grants.filter(seat__gt=0).count(),
            codes=self.line.gift_codes.filter(redeemed_at=None).count(),
            **kwargs,
        )
