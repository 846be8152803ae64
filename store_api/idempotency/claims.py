"""Who may do the work. The row is there before it begins; the database lets one of many insert it.

The row's number is the claim: whoever was thought dead, and lost the row, neither answers nor releases
the next one's.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from catalog_pages.database_errors import once_more
from catalog_pages.inserting import inserted
from store_api.idempotency.errors import KeyInUse, KeyReused
from store_api.idempotency.keys import Asked
from store_api.idempotency.sealing import Answer
from store_api.models import IdempotentRequest

logger = logging.getLogger(__name__)

KEPT = timedelta(hours=24)
# Longer than a request takes: a checkout makes three calls to Stripe, of three tries with 15 s each.
# Whoever takes even longer loses the key, not the work: services can be repeated.
LEASE = timedelta(minutes=3)
TRIES = 4
LONGEST_WAIT_S = 30


def key_claim(asked: Asked, *, now: datetime) -> int | Answer:
    """The claim of whoever is to do the work, or the answer of whoever did it.

    Committed before it returns. Raises KeyReused, KeyInUse and AnswerLost; RuntimeError within a
    transaction, as nobody else would see the claim and what is remote has no place in one.
    """
    _refuse_transaction()
    for _ in range(TRIES):
        row = IdempotentRequest(
            key_digest=asked.key_digest, fingerprint=asked.fingerprint, started_at=now
        )
        if inserted(row):
            return row.pk
        known = IdempotentRequest.objects.filter(key_digest=asked.key_digest).first()
        if known is not None and not _removed_if_over(known, now):
            return _answered(known, asked, now)
    raise KeyInUse(1)  # every time somebody else came and went


def answer_keep(claim: int, asked: Asked, answer: Answer) -> None:
    """Store it, if the key is still ours. The work is done: a database that fails now is noted, no more.

    `asked`: as whom the caller will ask again, which may be another than who claimed the key.
    """
    row = IdempotentRequest.objects.filter(pk=claim)
    stored = {
        "key_digest": asked.key_digest,
        "fingerprint": asked.fingerprint,
        "answer": answer.sealed(asked.seal),
    }
    try:
        once_more(lambda: row.update(**stored))
    except (DatabaseError, InterfaceError):
        logger.exception("An answer could not be stored; asked again, the work will be repeated")


def key_release(claim: int) -> None:
    """Nothing was done under it, or it may be done again: the key is free. Never raises for the database."""
    try:
        once_more(IdempotentRequest.objects.filter(pk=claim).delete)
    except (DatabaseError, InterfaceError):
        logger.exception("An Idempotency-Key could not be released; it is free in %s", LEASE)


def idempotency_tidy(*, now: datetime | None = None) -> int:
    """Forget what is older than a day, answered or not; how many. Run by the scheduler."""
    before = (now or timezone.now()) - KEPT
    removed, _ = IdempotentRequest.objects.filter(started_at__lt=before).delete()
    return removed


def _refuse_transaction() -> None:
    """As `atomic(durable=True)` does, which would begin and end one for a single statement."""
    blocks: list[Any] = connection.atomic_blocks
    if blocks and not blocks[-1]._from_testcase:
        raise RuntimeError("A key is claimed outside of any transaction.")


def _removed_if_over(known: IdempotentRequest, now: datetime) -> bool:
    """Rows older than a day, and those of the dead. Of several who remove one, one inserts the next."""
    lasts = LEASE if known.answer is None else KEPT
    if now - known.started_at <= lasts:
        return False
    same = IdempotentRequest.objects.filter(pk=known.pk, answer__isnull=known.answer is None)
    same.delete()
    return True


def _answered(known: IdempotentRequest, asked: Asked, now: datetime) -> Answer:
    if known.fingerprint != asked.fingerprint:
        raise KeyReused
    if known.answer is None:
        raise KeyInUse(_wait_s(now - known.started_at))
    return Answer.unsealed(known.answer, asked.seal)


def _wait_s(so_far: timedelta) -> int:
    """Again as long as it has taken until now: those who wait for the dead ask less and less often."""
    return max(1, min(int(so_far.total_seconds()), LONGEST_WAIT_S))
