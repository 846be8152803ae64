"""Who pressed which button of the order desk, kept in Wagtail's log and shown in its site history."""

from __future__ import annotations

from typing import Any

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
    REFUND: ("Refund", "Asked for a refund"),
    CHECK: ("Check with Stripe", "Checked with Stripe"),
    EVENT_RETRY: ("Stripe event again", "Had a Stripe event tried again"),
    MAIL_AGAIN: ("Mail again", "Had a mail sent again"),
    ANOMALY_RESOLVE: ("Dealt with", "Marked as dealt with"),
    NOTE: ("Note", "Wrote a note"),
    FREE_COPY: ("Free copy", "Issued a free copy"),
    WEBHOOK_ROTATE: ("Webhook secret", "Made a new secret for a webhook endpoint"),
    WEBHOOK_AGAIN: ("Webhook again", "Had a webhook sent again"),
    LETTER_TEST: ("Test letter", "Had a test letter sent to themselves"),
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
        return ACTIONS[log_entry.action][1]

    def format_comment(self, log_entry: Any) -> str:
        return str(log_entry.data.get("comment", ""))


def register_log_actions(registry: LogActionRegistry) -> None:
    for action, (label, _) in ACTIONS.items():
        formatter = type("Formatter", (DeskLogFormatter,), {"label": label})
        registry.register_action(action)(formatter)
