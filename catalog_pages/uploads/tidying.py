"""What nobody will finish, and checks that died. Run by the scheduler and by `manage.py clean_uploads`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy

from catalog_pages.models import PendingUpload
from catalog_pages.uploads.checking import CLAIM_LASTS, bytes_remove
from catalog_pages.uploads.places import place
from catalog_pages.uploads.tasks import check_upload

State = PendingUpload.State
DAYS_KEPT = 7
# A check that waits for longer than this has been lost by the queue, or could not be done.
CHECK_WAITS = timedelta(minutes=5)
CHECK_WAITS_AT_MOST = timedelta(hours=6)
GIVEN_UP = {
    State.RECEIVING: gettext_lazy(
        "Nothing more arrived of this file for days, so it was given up."
    ),
    State.CHECKING: gettext_lazy(
        "The shop's storage would not let this file be checked for days. Choose it again."
    ),
}


@dataclass(frozen=True)
class Tidied:
    """How many uploads were checked again, given up, or forgotten, and how many strays removed."""

    checked_again: int
    given_up: int
    forgotten: int
    strays: int


def uploads_tidy(*, days: int = DAYS_KEPT) -> Tidied:
    """Enqueue checks that died; remove what has been untouched for `days`; forget what ended then.

    Nothing goes that an upload in progress or an asset needs. Raises OSError when the storage does not
    answer; running it again, or twice at once, is harmless.
    """
    before = timezone.now() - timedelta(days=days)
    again = _check_again()
    given_up = _give_up(before)
    for upload in _ended().filter(holds_bytes=True):
        bytes_remove(upload)
    strays = _remove_strays(before)
    over = _ended().filter(holds_bytes=False, touched_at__lt=before)
    # A batch of music reads there what became of its files, on whatever day it is opened again.
    forgotten, _ = over.filter(batch_files__isnull=True).delete()
    return Tidied(again, given_up, forgotten, strays)


def _ended() -> QuerySet[PendingUpload]:
    return PendingUpload.objects.exclude(state__in=PendingUpload.UNFINISHED)


def _check_again() -> int:
    """Enqueue each check that is due, once: its row says when that was, and of two of us one does it."""
    now, enqueued = timezone.now(), 0
    for upload in PendingUpload.objects.filter(state=State.CHECKING):
        same = PendingUpload.objects.filter(
            pk=upload.pk, state=State.CHECKING, claim=upload.claim, claimed_at=upload.claimed_at
        )
        if _is_due(upload, now) and same.update(claim=None, claimed_at=now):
            check_upload.enqueue(str(upload.pk))
            enqueued += 1
    return enqueued


def _is_due(upload: PendingUpload, now: datetime) -> bool:
    """Whether its task died, or it has waited long enough for the next attempt.

    `touched_at` is when the file was handed over, `claimed_at` when it was last enqueued or tried. A
    wait is as long as all the waiting before it: 5 minutes, 10, 20, and in the end hours. A check that
    a full disk prevents would otherwise fetch gigabytes from a bucket every few minutes.
    """
    if upload.claim is not None and upload.claimed_at is not None:
        return upload.claimed_at < now - CLAIM_LASTS
    last = upload.claimed_at or upload.touched_at
    wait = max(CHECK_WAITS, min(last - upload.touched_at, CHECK_WAITS_AT_MOST))
    return last < now - wait


def _give_up(before: datetime) -> int:
    """End what has stopped arriving, or could not be checked for as long; its bytes go next."""
    untouched = PendingUpload.objects.filter(touched_at__lt=before, claim=None)
    ended = {"state": State.FAILED, "touched_at": timezone.now()}
    return sum(
        untouched.filter(state=state).update(sentence=sentence, **ended)
        for state, sentence in GIVEN_UP.items()
    )


def _remove_strays(before: datetime) -> int:
    """What storage holds of uploads that no row knows any more."""
    current = place()
    if current.is_remote:
        named = current.strays(before=before)
        known = _known([upload_id for upload_id, _ in named])
        gone = [pair for pair in named if pair[0] not in known]
        for upload_id, multipart_id in gone:
            current.discard_stray(upload_id, multipart_id)
        return len(gone)
    ids = current.strays()
    unknown = set(ids) - _known(ids)
    for upload_id in unknown:
        current.discard_stray(upload_id)
    return len(unknown)


def _known(ids: list[UUID]) -> set[UUID]:
    rows = PendingUpload.objects.filter(holds_bytes=True)
    return set(rows.values_list("pk", flat=True).iterator()) & set(ids)
