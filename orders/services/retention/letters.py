"""Letters that were sent long ago: that they were, stays."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from downloads.forgotten import DOMAIN, mark_of
from orders.models import OutboxMail


def letter_texts_due(now: datetime, days: int) -> QuerySet[OutboxMail]:
    """Letters that are settled and so old, and still have their text. 0 days: none, ever."""
    return _settled(now, days).exclude(body_text="", body_html="")


def letter_texts_forget(pks: Iterable[Any]) -> None:
    """Sent again, a letter gets its words anew."""
    OutboxMail.objects.filter(pk__in=list(pks)).update(subject="", body_text="", body_html="")


def loose_letters_due(now: datetime, days: int) -> QuerySet[OutboxMail]:
    """Letters that still say to whom they went, of no order, such as links that somebody asked for, or of a
    forgotten order for which they waited then."""
    loose = Q(order=None) | Q(order__email__endswith=f"@{DOMAIN}")
    return _settled(now, days).filter(loose).exclude(to_email__endswith=f"@{DOMAIN}")


def loose_letters_forget(pks: Iterable[Any]) -> None:
    for pk, email in OutboxMail.objects.filter(pk__in=list(pks)).values_list("pk", "to_email"):
        OutboxMail.objects.filter(pk=pk).update(to_email=mark_of(email))


def _settled(now: datetime, days: int) -> QuerySet[OutboxMail]:
    if not days:
        return OutboxMail.objects.none()
    old = OutboxMail.objects.filter(created_at__lt=now - timedelta(days=days))
    return old.exclude(status=OutboxMail.Status.QUEUED).order_by("created_at", "pk")
