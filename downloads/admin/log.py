"""Who pressed which button, kept in Wagtail's log and shown in its site history."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy
from wagtail.log_actions import LogActionRegistry, LogFormatter, log

from downloads.explain import LOGGED_EVENT
from downloads.models import AccessEvent, UserAsset

LIMIT_RESET = "downloads.limit_reset"
TAKE_BACK = "downloads.take_back"
GIVE_BACK = "downloads.give_back"

# What each is called in a filter, and how it reads in a history.
ACTIONS = {
    LIMIT_RESET: (gettext_lazy("Reset the limit"), gettext_lazy("Reset the download limit")),
    TAKE_BACK: (gettext_lazy("Take back"), gettext_lazy("Took the file back")),
    GIVE_BACK: (gettext_lazy("Give back"), gettext_lazy("Gave the file back")),
}


def log_press(action: str, *, grant: UserAsset, by: Any, event: AccessEvent, comment: str) -> None:
    """Write down a press, beside the line that the ledger got for it.

    `comment` is a sentence without names or addresses of buyers: the log outlives them.
    """
    log(instance=grant, action=action, user=by, data={"comment": comment, LOGGED_EVENT: event.pk})


class PressFormatter(LogFormatter):
    def format_message(self, log_entry: Any) -> str:
        return str(ACTIONS[log_entry.action][1])

    def format_comment(self, log_entry: Any) -> str:
        return str(log_entry.data.get("comment", ""))


def register_log_actions(registry: LogActionRegistry) -> None:
    for action, (label, _) in ACTIONS.items():
        formatter = type("Formatter", (PressFormatter,), {"label": label})
        registry.register_action(action)(formatter)
