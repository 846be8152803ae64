"""From a whole upload to an asset: joined, hashed, read, and only then a row that can be sold.

The bytes lie at their final key before anything else happens, and a row is inserted in the same
transaction that ends the upload. So whatever fails, and whenever the process dies, there is never an
asset without bytes; and bytes without an asset are known to the upload until they are removed.
"""

from __future__ import annotations

import logging
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import monotonic
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.log_actions import log

from catalog_pages.assets import CHUNK_BYTES, StoredAsset, asset_adopt, digest_of
from catalog_pages.errors import DomainError
from catalog_pages.models import DigitalAsset, PendingUpload
from catalog_pages.uploads.errors import BytesLost
from catalog_pages.uploads.places import place

logger = logging.getLogger(__name__)

State = PendingUpload.State
# A claim without a sign of life for so long is that of a process that died. Decoding a file takes less
# (`audio.decoding`), and signs are given with every few megabytes of all else.
CLAIM_LASTS = timedelta(minutes=10)
BEAT_SECONDS = 30
ATTEMPTS_AT_MOST = 3
WAITS = _(
    "The shop could not check this file yet, and tries again by itself. You may leave this page."
)
STOPPED = _("Checking this file stopped three times without an answer, so it was given up.")


class ClaimLost(Exception):
    """Somebody else is checking this upload by now; nothing of ours may stay."""


def upload_check(*, upload_id: UUID) -> str:
    """Check one upload that has arrived; returns the state in which it is then, "" for none.

    Any number may run at once: one checks. Refusals end the upload with a sentence and remove its
    bytes. When a disk or a bucket does not do its part the upload stays in `checking` with a sentence,
    and `tidying.uploads_tidy` has it tried again, after longer and longer waits.
    """
    upload = _claimed(upload_id)
    if upload is None:
        return _state_of(upload_id)
    check = Check(upload)
    try:
        check.run()
    except ClaimLost:
        logger.warning("Another task checks upload %s", upload.pk)
    except DomainError as refusal:
        check.end(
            State.FAILED if isinstance(refusal, BytesLost) else State.REFUSED, refusal.message
        )
    except OSError:
        logger.exception("Upload %s could not be checked; it will be tried again", upload.pk)
        check.give_back()
    return _state_of(upload_id)


@dataclass
class Check:
    """One task's work on one upload, for as long as its claim holds."""

    upload: PendingUpload
    beaten_at: float = 0.0

    def run(self) -> None:
        place().settle(self.upload)
        with _on_this_machine(self.upload.key, self.beat) as source:
            stored = self._adopt(source)
        if stored.created:
            log(instance=stored.asset, action="wagtail.create", user=self.upload.uploaded_by)
        else:
            sentence = gettext("This is the same file as “{asset}”, already here.").format(
                asset=stored.asset
            )
            self.end(State.DUPLICATE, sentence, stored.asset)

    def _adopt(self, source: Path) -> StoredAsset:
        digest = digest_of(source, beat=self.beat)
        if digest.size_bytes != self.upload.size_bytes:
            raise BytesLost
        self.beat(at_once=True)
        return asset_adopt(
            asset_id=self.upload.pk,
            source=source,
            digest=digest,
            file_name=self.upload.file_name,
            uploaded_by=self.upload.uploaded_by,
            together=self._store,
        )

    def _store(self, asset: DigitalAsset) -> None:
        self._become(
            state=State.STORED, sentence=gettext("Stored."), asset=asset, holds_bytes=False
        )

    def end(self, state: str, sentence: str, asset: DigitalAsset | None = None) -> None:
        """First the decision, then the bytes: nobody can still make an asset of what goes."""
        try:
            self._become(state=state, sentence=sentence, asset=asset)
        except ClaimLost:
            return
        bytes_remove(self.upload)

    def give_back(self) -> None:
        """Not this process's fault: the attempt does not count. When it was is kept, for the next."""
        self._mine().update(claim=None, claimed_at=timezone.now(), attempts=0, sentence=WAITS)

    def beat(self, *, at_once: bool = False) -> None:
        """Say that this task is alive; ClaimLost when somebody thought otherwise."""
        if not at_once and monotonic() - self.beaten_at < BEAT_SECONDS:
            return
        self.beaten_at = monotonic()
        if not self._mine().update(claimed_at=timezone.now()):
            raise ClaimLost

    def _become(self, **fields: object) -> None:
        ended = {"claim": None, "claimed_at": None, "touched_at": timezone.now()}
        if not self._mine().update(**fields, **ended):
            raise ClaimLost

    def _mine(self) -> QuerySet[PendingUpload]:
        return PendingUpload.objects.filter(
            pk=self.upload.pk, state=State.CHECKING, claim=self.upload.claim
        )


def bytes_remove(upload: PendingUpload) -> None:
    """Remove what an ended upload left in storage; what fails is left to the next tidying."""
    if DigitalAsset.objects.filter(pk=upload.pk).exists():
        logger.error("Upload %s has ended without its asset, which is there", upload.pk)
        return
    try:
        place().discard(upload)
    except OSError:
        logger.exception("The bytes of upload %s could not be removed yet", upload.pk)
        return
    PendingUpload.objects.filter(pk=upload.pk).update(holds_bytes=False)


def _claimed(upload_id: UUID) -> PendingUpload | None:
    """The upload, ours for as long as we give signs of life; None when there is nothing to do."""
    now = timezone.now()
    free = PendingUpload.objects.filter(pk=upload_id, state=State.CHECKING).filter(
        Q(claim=None) | Q(claimed_at__lt=now - CLAIM_LASTS)
    )
    if free.filter(attempts__gte=ATTEMPTS_AT_MOST).update(
        state=State.FAILED, sentence=STOPPED, claim=None, claimed_at=None, touched_at=now
    ):
        bytes_remove(PendingUpload.objects.get(pk=upload_id))
        return None
    claim = uuid.uuid4()
    free.update(claim=claim, claimed_at=now, attempts=F("attempts") + 1)
    return PendingUpload.objects.filter(pk=upload_id, claim=claim).first()


def _state_of(upload_id: UUID) -> str:
    return PendingUpload.objects.filter(pk=upload_id).values_list("state", flat=True).first() or ""


@contextmanager
def _on_this_machine(key: str, beat: Callable[[], None]) -> Iterator[Path]:
    """The stored bytes as a file here: the stored one itself, or a temporary copy from the bucket."""
    storage = place().storage
    if not storage.is_remote:
        yield Path(storage.path(key))
        return
    with tempfile.NamedTemporaryFile() as copy:
        with storage.open(key, "rb") as stored:
            while block := stored.read(CHUNK_BYTES):
                copy.write(block)
                beat()
        copy.flush()
        yield Path(copy.name)
