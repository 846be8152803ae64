"""Letters about orders: what was sent to whom, what waits and why."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import Q
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, TitleColumn

from catalog_pages.beginnings import begins
from catalog_pages.errors import DomainError
from catalog_pages.search_text import asked_text
from downloads.admin.base import (
    BREAKS,
    NOTHING,
    WIDE,
    ActionView,
    ReadOnlyViewSet,
    ShopDateColumn,
    status_tag,
)
from downloads.admin.big_lists import DayFilter, ValuesFilter
from orders.admin import log
from orders.admin.base import DeskInspectView, SearchedByOrder, order_link
from orders.coded_words import letter_words
from orders.models import OutboxMail
from orders.services.finding import Found
from orders.services.mail import mail_send_again

TONES = {
    OutboxMail.Status.SENT: "good",
    OutboxMail.Status.QUEUED: "careful",
    OutboxMail.Status.FAILED: "bad",
}


def kind_of(mail: OutboxMail) -> str:
    return letter_words(mail.kind)


def state_of(mail: OutboxMail) -> SafeString:
    return status_tag(mail.get_status_display(), TONES.get(OutboxMail.Status(mail.status), ""))


class MailFilterSet(WagtailFilterSet):
    status = django_filters.ChoiceFilter(
        label=_("Status"),
        choices=OutboxMail.Status.choices,
        empty_label=_("All"),
        widget=forms.RadioSelect,
    )
    kind = ValuesFilter(label=_("Kind"), words=letter_words)
    created_at = DayFilter(label=_("Written"))

    class Meta:
        model = OutboxMail
        fields: list[str] = []


class MailIndexView(SearchedByOrder):
    page_title = _("Mail")
    verbose_name, verbose_name_plural = _("mail"), _("mails")
    filterset_class = MailFilterSet
    select_related = ("order",)
    hide = ("body_text", "body_html")
    default_ordering = "-created_at"
    ties = {"status": "created_at", "kind": "created_at", "to_email": "pk"}
    export = {
        _("Mail"): kind_of,
        _("To"): lambda row: row.to_email,
        _("Subject"): lambda row: row.subject,
        _("Status"): lambda row: row.get_status_display(),
        _("Attempts"): lambda row: row.attempts,
        _("Last error"): lambda row: row.last_error,
        _("Order"): lambda row: row.order.number if row.order else "",
        _("Written"): lambda row: row.created_at,
        _("Sent"): lambda row: row.sent_at,
    }

    def matching_found(self, found: Found) -> Q:
        """Letters about the orders, and those to an address that are about none."""
        text = asked_text(self.search_query)
        if " " in text or not text:
            return super().matching_found(found)
        mine = begins(OutboxMail.objects.filter(order=None), "to_email", text)
        return super().matching_found(found) | Q(pk__in=self.some(mine))

    @property
    def no_results_message(self) -> str:
        matching = self.is_searching or self.is_filtering
        return gettext("No mail matches.") if matching else gettext("No mail has been written yet.")


class MailInspectView(DeskInspectView):
    page_title = _("Mail")
    labels = {
        "to_email": _("To"),
        "created_at": _("Written"),
        "sent_at": _("Sent"),
        "next_attempt_at": _("Tried again after"),
        "requested_by": _("Sent again for"),
        "body_text": _("Text"),
        "message_id": _("Message-ID"),
    }

    def get_page_subtitle(self) -> str:
        return self.object.subject or kind_of(self.object)

    def get_kind_display_value(self) -> str:
        return kind_of(self.object)

    def get_status_display_value(self) -> SafeString:
        return state_of(self.object)

    def get_subject_display_value(self) -> str:
        return self.object.subject or gettext("Written when it is sent")

    def get_last_error_display_value(self) -> str:
        return self.object.last_error or NOTHING

    def get_next_attempt_at_display_value(self) -> Any:
        waits = self.object.status == OutboxMail.Status.QUEUED
        return (waits and self.object.next_attempt_at) or NOTHING

    def get_sent_at_display_value(self) -> Any:
        return self.object.sent_at or NOTHING

    def get_requested_by_display_value(self) -> str:
        return str(self.object.requested_by or NOTHING)

    def get_body_text_display_value(self) -> str | SafeString:
        if not self.object.body_text:
            return gettext("Written when it is sent")
        return format_html('<pre class="desk-pre" tabindex="0">{}</pre>', self.object.body_text)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        button = {"name": "outbox_mail:send-again", "label": gettext("Send again")}
        may = self.user_has_permission("resend")
        return super().get_context_data(button=button if may else None, **kwargs)


class SendAgainView(ActionView):
    model = OutboxMail
    permission_required = "resend"

    def perform(self, row: OutboxMail) -> None:
        try:
            again = mail_send_again(mail=row, by=self.request.user)
        except DomainError as refusal:
            self.say(False, refusal.message)
            return
        log.log_press(log.MAIL_AGAIN, on=row, by=self.request.user, comment=kind_of(row))
        again.refresh_from_db()
        sent = again.status == OutboxMail.Status.SENT
        words = (
            gettext("“{letter}” was sent to {email}.")
            if sent
            else gettext("“{letter}” is on its way to {email}.")
        )
        self.say(True, words.format(letter=kind_of(row), email=again.to_email))


class OutboxMailViewSet(ReadOnlyViewSet):
    model = OutboxMail
    name = "outbox_mail"
    url_prefix = "orders/mail"
    icon = "mail"
    menu_label = _("Mail")
    index_view_class = MailIndexView
    inspect_view_class = MailInspectView
    export_filename = "mails"
    actions = {"send-again": SendAgainView}
    list_display = [
        TitleColumn(
            "kind",
            label=_("Kind"),
            accessor=kind_of,
            url_name="outbox_mail:inspect",
            sort_key="kind",
        ),
        Column("to_email", label=_("To"), classname=BREAKS),
        Column("subject", label=_("Subject"), classname=WIDE),
        Column("status", label=_("Status"), accessor=state_of, sort_key="status"),
        Column("attempts", label=_("Attempts"), classname=WIDE),
        Column("last_error", label=_("Last error"), classname=f"{WIDE} {BREAKS}"),
        Column("order", label=_("Order"), accessor=lambda row: order_link(row.order)),
        ShopDateColumn("created_at", label=_("Written"), sort_key="created_at", classname=WIDE),
    ]
    inspect_view_fields = [
        "kind",
        "to_email",
        "subject",
        "status",
        "attempts",
        "last_error",
        "next_attempt_at",
        "order",
        "created_at",
        "sent_at",
        "requested_by",
        "message_id",
        "body_text",
    ]
