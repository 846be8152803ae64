"""Keeping sound files: the bytes first, then the row that says they are there.

Public: `asset_store` and `asset_adopt` for commands, tasks and the upload view, never inside a transaction,
since they copy files. Excerpts of them: `catalog_pages.excerpts`.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files import File
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog_pages.audio.facts import AudioFacts
from catalog_pages.errors import DomainError
from catalog_pages.locales import grouped
from catalog_pages.models import DigitalAsset, Excerpt, FixityCheck
from catalog_pages.models.assets import protected_key, validate_file_name

Row = TypeVar("Row", DigitalAsset, Excerpt)

logger = logging.getLogger(__name__)

CHUNK_BYTES = 1024 * 1024
MAX_NAME_LENGTH = 255


class FileRefused(DomainError):
    """A file that is not kept; the sentence says why."""

    code = "file_refused"
    status = 422


class FileTooLarge(FileRefused):
    code = "file_too_large"
    status = 413

    def __init__(self) -> None:
        super().__init__(
            _("This file is larger than {size_limit}, the most that this shop takes.").format(
                size_limit=size_limit()
            )
        )


@dataclass(frozen=True)
class StoredAsset:
    """`created` is False when the same bytes were here already: the older row is the asset."""

    asset: DigitalAsset
    created: bool


@dataclass(frozen=True)
class Digest:
    """What identifies bytes: `sha256` in hex, `crc32` as ZIP wants it, and how many they are."""

    sha256: str
    crc32: int
    size_bytes: int


def digest_of(path: Path, *, beat: Callable[[], None] = lambda: None) -> Digest:
    """Read `path` once, with constant memory; `beat` is called with every megabyte."""
    sha256, crc32, size = hashlib.sha256(), 0, 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            sha256.update(chunk)
            crc32 = zlib.crc32(chunk, crc32)
            size += len(chunk)
            beat()
    return Digest(sha256.hexdigest(), crc32, size)


def refuse_size(size_bytes: int) -> None:
    """Raise FileTooLarge for a file with more bytes than the shop takes, FileRefused for one with none."""
    if size_bytes == 0:
        raise FileRefused(_("The file is empty."))
    if size_bytes > settings.MAX_UPLOAD_BYTES:
        raise FileTooLarge


def size_limit() -> str:
    """`2,048 MB`: the largest file that the shop takes, in the words of MAX_UPLOAD_MB."""
    limit = settings.MAX_UPLOAD_BYTES
    if limit < 1024 * 1024:
        return ngettext("{size} byte", "{size} bytes", limit).format(size=grouped(limit))
    return _("{size} MB").format(size=grouped(round(limit / 1024 / 1024)))


def refuse_name(file_name: str) -> None:
    """Raise FileRefused for a name with folders, of more than 255 characters, or of no characters."""
    try:
        file_name.encode()
        validate_file_name(file_name)
    except UnicodeEncodeError as error:
        raise FileRefused(_("The file's name is damaged; give it another one.")) from error
    except ValidationError as error:
        raise FileRefused(error.messages[0]) from error
    if len(file_name) > MAX_NAME_LENGTH:
        raise FileRefused(
            _("A file name can be at most {max_name_length} characters long.").format(
                max_name_length=MAX_NAME_LENGTH
            )
        )


def asset_store(
    *,
    source: Path,
    file_name: str,
    uploaded_by: Any = None,
    facts: AudioFacts | None = None,
) -> StoredAsset:
    """Keep the audio file at `source`, known to people as `file_name`, for good.

    Bytes that are here already (by sha256) lead to the asset that has them; if that asset's own
    bytes have vanished from storage, or are known to be damaged, these take their place.
    `uploaded_by` is a user or None; `facts` saves reading the sound again when the caller has just
    probed it. Whatever fails, there is never a row without bytes; and no bytes stay behind unless the
    process dies between the two.

    Raises FileRefused (empty, too large, a name with folders, changed meanwhile), UnreadableAudio,
    and OSError when a disk or a bucket does not do its part.
    """
    refuse_name(file_name)
    before = source.stat()
    refuse_size(before.st_size)
    digest = digest_of(source)
    existing = DigitalAsset.objects.filter(sha256=digest.sha256).first()
    if existing is not None:
        _heal(existing, source)
        return StoredAsset(existing, created=False)
    asset = _described(digest, facts or _probed(source, file_name))
    asset.file_name, asset.uploaded_by = file_name, uploaded_by
    keep_bytes(asset, protected_key(asset, file_name), source)
    after = source.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        _discard_bytes(asset)
        raise FileRefused(
            _("The file changed while it was being read; try again when it is complete.")
        )
    winner = keep_row(asset, same_row=models.Q(sha256=digest.sha256))
    return StoredAsset(winner, created=winner is asset)


def asset_adopt(
    *,
    asset_id: UUID,
    source: Path,
    digest: Digest,
    file_name: str,
    uploaded_by: Any = None,
    together: Callable[[DigitalAsset], None],
) -> StoredAsset:
    """Make an asset of bytes that lie in protected storage under the asset's own key already.

    `source` holds the same bytes on this machine, `digest` is theirs. `together` runs in the
    transaction that inserts the row: both happen or neither does. Bytes that were here before lead to
    the asset that has them, as in `asset_store`; `together` is not called then, and the bytes under
    `asset_id` are the caller's to remove, here as after every error.

    Raises UnreadableAudio, OSError, and whatever `together` raises.
    """
    if existing := DigitalAsset.objects.filter(sha256=digest.sha256).first():
        _heal(existing, source)
        return StoredAsset(existing, created=False)
    asset = _described(digest, _probed(source, file_name))
    asset.id, asset.file_name, asset.uploaded_by = asset_id, file_name, uploaded_by
    asset.file = protected_key(asset, file_name)
    try:
        with transaction.atomic():
            asset.save(force_insert=True)
            together(asset)
    except IntegrityError:
        winner = DigitalAsset.objects.filter(sha256=digest.sha256).first()
        if winner is None:
            raise
        return StoredAsset(winner, created=False)
    return StoredAsset(asset, created=True)


@contextmanager
def local_copy(asset: DigitalAsset) -> Iterator[Path]:
    """The master as a file on this machine: itself when it is one, else a temporary copy."""
    try:
        local = Path(asset.file.path)
    except NotImplementedError:  # a bucket
        with (
            tempfile.NamedTemporaryFile() as copy,
            asset.file.open("rb") as stored,
        ):
            shutil.copyfileobj(stored, copy, CHUNK_BYTES)
            copy.flush()
            yield Path(copy.name)
    else:
        yield local


# --- Bytes, then rows ---------------------------------------------------------------------------


def _probed(source: Path, file_name: str) -> AudioFacts:
    # PyAV costs a web process tens of megabytes, so it is loaded at the first upload, not before.
    from catalog_pages.audio.probe import probe

    return probe(source, file_name=file_name)


def _described(digest: Digest, facts: AudioFacts) -> DigitalAsset:
    return DigitalAsset(
        sha256=digest.sha256,
        crc32=digest.crc32,
        size_bytes=digest.size_bytes,
        content_type=facts.content_type,
        format_name=facts.format_name,
        codec=facts.codec,
        duration_ms=facts.duration_ms,
        bitrate_bps=facts.bitrate_bps,
        sample_rate_hz=facts.sample_rate_hz,
        channels=facts.channels,
        tags=facts.tags.as_json(),
    )


def _heal(asset: DigitalAsset, source: Path) -> None:
    """Put lost or damaged bytes back under the very name that the row, and every grant, knows."""
    storage, name = asset.file.storage, asset.file.name or ""
    damage = FixityCheck.objects.filter(asset=asset).exclude(found=FixityCheck.Found.INTACT)
    is_there = storage.exists(name)
    if is_there and storage.size(name) == asset.size_bytes and not damage.exists():
        return
    if is_there:
        storage.delete(name)
    with source.open("rb") as file:
        saved = storage.save(name, File(file))
    if saved != name:  # somebody else put them back in the same moment
        storage.delete(saved)
    damage.delete()  # until it is read the next time, nothing is known of it
    logger.warning("The lost bytes of asset %s are back", asset.pk)


def keep_bytes(row: Any, key: str, source: Path) -> None:
    """Copy `source` into the storage of the row's `file` field; nothing stays when that fails."""
    storage = row.file.storage
    try:
        with source.open("rb") as file:
            row.file = storage.save(key, File(file))
    except BaseException:
        with suppress(OSError):
            storage.delete(key)
        raise


def _discard_bytes(row: Any) -> None:
    with suppress(OSError):
        row.file.storage.delete(row.file.name)


def keep_row(row: Row, *, same_row: models.Q) -> Row:
    """Insert `row`, whose bytes are stored; or return the one that another process inserted first.

    The bytes go when the row does not come. Only a failing COMMIT leaves them: nobody knows then
    whether the row is there, and bytes without a row harm nobody, while a row without bytes does.
    """
    inserted = False
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            inserted = True
    except IntegrityError:
        _discard_bytes(row)
        winner = type(row)._default_manager.filter(same_row).first()
        if winner is None:
            raise
        return winner
    except BaseException:
        if not inserted:
            _discard_bytes(row)
        raise
    return row
