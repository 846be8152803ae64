"""Taking a file in, piece by piece, from an editor's browser.

Every step can be repeated: whoever lost an answer asks again with `upload_begin` and goes on from
what it says. Sizes and offsets are bytes.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy

from catalog_pages.assets import refuse_name, refuse_size
from catalog_pages.audio.containers import container_for_name
from catalog_pages.models import FixityCheck, PendingUpload
from catalog_pages.uploads.checking import bytes_remove
from catalog_pages.uploads.errors import NoRoom, NotWhole, UploadOver
from catalog_pages.uploads.places import bucket_place, local_place, place
from catalog_pages.uploads.tasks import check_upload

logger = logging.getLogger(__name__)

State = PendingUpload.State
RECEIVING, CHECKING = State.RECEIVING, State.CHECKING
DROPPED = gettext_lazy("This upload was removed.")
LOOKS = 3  # for what another window began; one is in vain only when that has ended again already
TWO_WINDOWS = gettext_lazy(
    "This file is being sent from another window as well. Try again in a moment."
)


@dataclass(frozen=True)
class Begun:
    """`parts` are the numbers of those in the bucket; None where pieces go to the shop itself."""

    upload: PendingUpload
    is_new: bool
    parts: list[int] | None = None


def upload_begin(
    *,
    user: Any,
    file_name: str,
    size_bytes: int,
    last_modified: int,
    edges: str = "",
    again: bool = False,
) -> Begun:
    """Expect a file from `user`, or find what has become of the same one.

    The same file is one of the same name, size, date (`last_modified`, milliseconds) and `edges`: the
    browser's own word on its first and last bytes, "" for none. An unfinished upload of it goes on, and
    what has arrived is counted anew, from the storage itself. Whoever begins `again` after an answer was
    lost also finds one that has led to an asset, and sends nothing twice; whoever only chooses a file
    that is here already is told so when it has arrived.

    Raises FileRefused (its name; empty), FileTooLarge, UnreadableAudio (a type that is not sold),
    NoRoom, UploadOver when another window begins and ends the same file all the while, and OSError when
    the storage does not do its part.
    """
    refuse_name(file_name)
    refuse_size(size_bytes)
    container_for_name(file_name)
    fingerprint = _fingerprint(file_name, size_bytes, last_modified, edges)
    upload, is_new = _found_or_made(user, file_name, size_bytes, fingerprint, again=again)
    parts = None
    if upload.state == RECEIVING:
        parts = _prepare(upload, is_new=is_new)
    return Begun(upload, is_new, parts)


def upload_receive(*, upload: PendingUpload, offset: int, blocks: Iterable[bytes]) -> int:
    """Add `blocks` at `offset` to what this machine has; returns how much it has then.

    Raises WrongOffset, PieceTooLong, NoRoom, BytesLost, UploadOver, WrongPlace, and OSError when the
    disk or the sender fails; whole blocks that came before the error stay and are counted.
    """
    if upload.state != RECEIVING:
        raise UploadOver
    current = local_place()
    try:
        return current.append(upload, offset, blocks)
    finally:
        _count(upload, current.received(upload))


def upload_part_url(*, upload: PendingUpload, number: int) -> str:
    """Where the browser may PUT part `number` within the hour.

    Raises UploadOver, WrongPlace, NotBegun, and OSError when there are no keys to sign with.
    """
    if upload.state != RECEIVING:
        raise UploadOver
    url = bucket_place().part_url(upload, number)
    PendingUpload.objects.filter(pk=upload.pk).update(touched_at=timezone.now())
    return url


def upload_finish(*, upload: PendingUpload) -> PendingUpload:
    """Have the whole file checked, in the background; harmless to repeat.

    Raises NotWhole, BytesLost when a bucket has thrown its parts away, UploadOver when it was dropped in
    the same moment, and OSError when the storage cannot say what it has.
    """
    if upload.state != RECEIVING:
        return upload
    if place().received(upload) != upload.size_bytes:
        raise NotWhole
    _hand_over(upload)
    current = PendingUpload.objects.select_related("asset").filter(pk=upload.pk).first()
    if current is None:
        raise UploadOver
    return current


def upload_drop(*, upload: PendingUpload) -> None:
    """Forget an upload that has not been handed over, and remove what came of it.

    Raises UploadOver when it has been, whatever `upload` says: the row decides, before any byte goes.
    Bytes that a storage will not let go of yet are left to the next tidying.
    """
    rows = PendingUpload.objects.filter(pk=upload.pk)
    ended = {"state": State.FAILED, "sentence": DROPPED, "touched_at": timezone.now()}
    if not rows.filter(state=RECEIVING).update(**ended):
        raise UploadOver
    upload.refresh_from_db()  # a bucket's name for it may be newer than what was read
    bytes_remove(upload)
    rows.filter(holds_bytes=False).delete()


def _fingerprint(file_name: str, size_bytes: int, last_modified: int, edges: str) -> str:
    facts = [file_name, size_bytes, last_modified, edges]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _found_or_made(
    user: Any, file_name: str, size_bytes: int, fingerprint: str, *, again: bool
) -> tuple[PendingUpload, bool]:
    """Raises UploadOver when another window keeps beginning and ending the same file meanwhile."""
    conflict: IntegrityError | None = None
    for _ in range(LOOKS):
        if found := _unfinished(user, fingerprint) or (again and _kept(user, fingerprint)):
            return found, False
        try:
            return _made(user, file_name, size_bytes, fingerprint), True
        except IntegrityError as error:
            # The same file was chosen in another window in the same moment; that may be over by now.
            conflict = error
    logger.warning("An upload was neither found nor made %d times", LOOKS, exc_info=conflict)
    raise UploadOver(str(TWO_WINDOWS)) from conflict


def _unfinished(user: Any, fingerprint: str) -> PendingUpload | None:
    return PendingUpload.objects.filter(
        uploaded_by=user, fingerprint=fingerprint, state__in=PendingUpload.UNFINISHED
    ).first()


def _made(user: Any, file_name: str, size_bytes: int, fingerprint: str) -> PendingUpload:
    """A new row. Raises IntegrityError when there is an unfinished one of the same file."""
    upload = PendingUpload(
        uploaded_by=user,
        file_name=file_name,
        size_bytes=size_bytes,
        fingerprint=fingerprint,
        piece_bytes=place().piece_bytes(size_bytes),
        touched_at=timezone.now(),
    )
    with transaction.atomic():
        upload.save(force_insert=True)
    return upload


def _kept(user: Any, fingerprint: str) -> PendingUpload | None:
    """The newest upload of the file that led to an asset; None when that is not known to be whole.

    Bytes that are lost or damaged come back with the file that is sent again.
    """
    damaged = (FixityCheck.Found.MISSING, FixityCheck.Found.ALTERED)
    kept = PendingUpload.objects.filter(
        uploaded_by=user, fingerprint=fingerprint, asset__isnull=False
    ).exclude(asset__fixity__found__in=damaged)
    upload = kept.select_related("asset").order_by("-touched_at").first()
    if upload is None or upload.asset is None:
        return None
    stored = upload.asset.file
    try:
        is_whole = stored.storage.size(stored.name or "") == upload.size_bytes
    except FileNotFoundError:
        return None
    return upload if is_whole else None


def _prepare(upload: PendingUpload, *, is_new: bool) -> list[int] | None:
    current = place()
    try:
        current.begin(upload)
    except NoRoom:
        if is_new:
            upload.delete()
        raise
    _count(upload, current.received(upload))
    return current.parts(upload) if current.is_remote else None


def _count(upload: PendingUpload, received_bytes: int) -> None:
    """Write down what has arrived; of no importance to anything but people's eyes and the clock."""
    upload.received_bytes, upload.touched_at = received_bytes, timezone.now()
    PendingUpload.objects.filter(pk=upload.pk, state=RECEIVING).update(
        received_bytes=received_bytes, touched_at=upload.touched_at
    )


def _hand_over(upload: PendingUpload) -> None:
    """Of two requests at once, one enqueues."""
    with transaction.atomic():
        changed = PendingUpload.objects.filter(pk=upload.pk, state=RECEIVING).update(
            state=CHECKING, received_bytes=upload.size_bytes, touched_at=timezone.now()
        )
        if changed:
            transaction.on_commit(partial(check_upload.enqueue, str(upload.pk)))
