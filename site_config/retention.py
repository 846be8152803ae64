"""What the shop forgets about people by itself: every chore, for the scheduler and for whoever asks before.

Beside these, carts, sessions, tokens, uploads and keys of requests have been tidied by their own rooms. What
is kept how long, and why, is in docs/privacy.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from allauth.account.models import EmailConfirmation
from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from downloads.retention import clients_forget, clients_known
from orders.services import retention as kept
from orders.stripe_sandbox import tidying as sandbox

AT_ONCE = 200  # rows in one step: nobody waits long for them
IN_ONE_RUN = 20_000  # of each chore: what is left waits for the next run
IN_ONE_TURN = 400  # of the scheduler, which has other things to do
TASKS_KEPT = timedelta(days=14)


@dataclass(frozen=True)
class Chore:
    """`due` is what would be done now; `do` takes some of its keys, and may take them again."""

    name: str
    words: str
    due: Callable[[datetime], QuerySet[Any]]
    do: Callable[[list[Any]], object]


def chores() -> list[Chore]:
    days = settings.RETENTION
    return [
        Chore(
            "purchases",
            f"orders of guests and closed accounts after {days['guest_years']} years: address",
            lambda now: kept.purchases_due(now, days["guest_years"]),
            kept.purchases_forget,
        ),
        Chore(
            "unpaid",
            f"orders that were never paid after {days['unpaid_days']} days: address",
            lambda now: kept.unpaid_due(now, days["unpaid_days"]),
            kept.purchases_forget,
        ),
        Chore(
            "letter-texts",
            f"letters after {days['letter_days']} days: text",
            lambda now: kept.letter_texts_due(now, days["letter_days"]),
            kept.letter_texts_forget,
        ),
        Chore(
            "loose-letters",
            f"letters that belong to no order after {days['letter_days']} days: address",
            lambda now: kept.loose_letters_due(now, days["letter_days"]),
            kept.loose_letters_forget,
        ),
        Chore(
            "payment-messages",
            f"messages of Stripe after {days['message_days']} days: all about the buyer",
            lambda now: kept.messages_due(now, days["message_days"]),
            kept.messages_reduce,
        ),
        Chore(
            "download-clients",
            "downloads after 30 days: which client it was",
            clients_known,
            clients_forget,
        ),
        Chore("tasks", "background tasks after 14 days", _tasks_due, _tasks_delete),
        Chore(
            "confirmations",
            "links to confirm an address that have ended",
            lambda now: EmailConfirmation.objects.all_expired().order_by("pk"),
            lambda pks: EmailConfirmation.objects.filter(pk__in=pks).delete(),
        ),
        Chore(
            "sandbox-keys", "keys of requests to the sandbox", sandbox.keys_due, sandbox.keys_delete
        ),
        Chore(
            "sandbox-events",
            "events of the sandbox after 30 days",
            sandbox.events_due,
            sandbox.events_delete,
        ),
    ]


def personal_data_due(*, now: datetime | None = None) -> Iterator[tuple[Chore, int]]:
    """Each chore and how many rows it would change; nothing is changed."""
    moment = now or timezone.now()
    for chore in chores():
        yield chore, chore.due(moment).order_by().count()


def personal_data_tidy(*, now: datetime | None = None, most: int = IN_ONE_RUN) -> dict[str, int]:
    """Do every chore, in small steps; how many rows each had. Safe at any time, and for several at once."""
    moment = now or timezone.now()
    return {chore.name: _done(chore, moment, most) for chore in chores()}


def chores_in_turn() -> list[Callable[[], int]]:
    """Each as a job of the scheduler, few rows at a time: letters do not wait, nor the rest if one fails."""
    return [partial(_named, chore.name) for chore in chores()]


def _named(name: str) -> int:
    chore = next(chore for chore in chores() if chore.name == name)
    return _done(chore, timezone.now(), IN_ONE_TURN)


def _done(chore: Chore, moment: datetime, most: int) -> int:
    keys = list(chore.due(moment).values_list("pk", flat=True)[:most])
    for start in range(0, len(keys), AT_ONCE):
        chore.do(keys[start : start + AT_ONCE])
    return len(keys)


def _tasks_due(now: datetime) -> QuerySet[DBTaskResult]:
    ended = (TaskResultStatus.SUCCESSFUL, TaskResultStatus.FAILED)
    old = DBTaskResult.objects.filter(status__in=ended, finished_at__lt=now - TASKS_KEPT)
    return old.order_by("finished_at", "pk")


def _tasks_delete(pks: list[Any]) -> None:
    DBTaskResult.objects.filter(pk__in=pks).delete()
