"""How long it is kept which client fetched a file: a keyed digest, by which downloads are counted."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import CharField, QuerySet, Value
from django.db.models.functions import Cast, Concat

from downloads.models import Download

CLIENT_KEPT = timedelta(days=30)  # after its window closed; longer than anybody asks why it counted
NOBODY = "forgotten-"


def clients_known(now: datetime) -> QuerySet[Any]:
    """Downloads whose window closed long ago and that still tell one client from another."""
    over = Download.objects.filter(ends_at__lt=now - CLIENT_KEPT, open_requests=0)
    return over.exclude(client__startswith=NOBODY)


def clients_forget(pks: list[Any]) -> None:
    """The download stays, with what of it counts; from then on no two are the same client's."""
    Download.objects.filter(pk__in=pks).update(
        client=Concat(Value(NOBODY), Cast("pk", CharField(max_length=20)))
    )
