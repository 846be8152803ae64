"""Who pressed which button of the order desk, kept in Wagtail's log and shown in its site history."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy
from wagtail.log_actions import LogActionRegistry, LogFormatter, log

from orders.models import Order

REFUND = "orders.refund"
CHECK = "orders.check"
EVENT_RETRY = "orders.event_retry"
MAIL_AGAIN = "orders.mail_again"
ANOMALY_RESOLVE = "orders.anomaly_resolve"
NOTE = "orders.note"
FREE_COPY = "orders.free_copy"
WEBHOOK_ROTATE = "orders.webhook_secret"
WEBHOOK_AGAIN = "orders.webhook_again"
LETTER_TEST = "orders.letter_test"

# What each is called in a filter, and how it reads in a history.
ACTIONS = {
    REFUND: (gettext_lazy("Refund"), gettext_lazy("Asked for a refund")),
    CHECK: (gettext_lazy("Check with Stripe"), gettext_lazy("Checked with Stripe")),
    EVENT_RETRY: (
        gettext_lazy("Stripe event again"),
        gettext_lazy("Had a Stripe event tried again"),
    ),
    MAIL_AGAIN: (gettext_lazy("Mail again"), gettext_lazy("Had a mail sent again")),
    ANOMALY_RESOLVE: (gettext_lazy("Dealt with"), gettext_lazy("Marked as dealt with")),
    NOTE: (gettext_lazy("Note"), gettext_lazy("Wrote a note")),
    FREE_COPY: (gettext_lazy("Free copy"), gettext_lazy("Issued a free copy")),
    WEBHOOK_ROTATE: (
        gettext_lazy("Webhook secret"),
        gettext_lazy("Made a new secret for a webhook endpoint"),
    ),
    WEBHOOK_AGAIN: (gettext_lazy("Webhook again"), gettext_lazy("Had a webhook sent again")),
    LETTER_TEST: (
        gettext_lazy("Test letter"),
        gettext_lazy("Had a test letter sent to themselves"),
    ),
}

# What the story of an order tells by the facts themselves.
TOLD_ELSEWHERE = {REFUND, NOTE, FREE_COPY}


def log_press(action: str, *, on: Any, by: Any, comment: str) -> None:
    """Write down a press: on the order it is about, else on the row itself.

    `comment` is a sentence without names or addresses of buyers: the log outlives them.
    """
    order = on if isinstance(on, Order) else getattr(on, "order", None)
    log(instance=order or on, action=action, user=by, data={"comment": comment})


class DeskLogFormatter(LogFormatter):
    def format_message(self, log_entry: Any) -> str:
        return str(ACTIONS[log_entry.action][1])

    def format_comment(self, log_entry: Any) -> str:
        return str(log_entry.data.get("comment", ""))


def register_log_actions(registry: LogActionRegistry) -> None:
    for action, (label, _) in ACTIONS.items():
        formatter = type("Formatter", (DeskLogFormatter,), {"label": label})
        registry.register_action(action)(formatter)
