"""Whether stored files are still what was stored: read again, hashed, compared with their rows.

Public: `verify` for the command, `check_asset` for one file. Neither is called inside a transaction:
storage is read for hours, and each result is written by itself. What was found is read as
`DigitalAsset.last_found`.
"""

from __future__ import annotations

import hashlib
import logging
import stat
import uuid
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from django.core.files.storage import FileSystemStorage
from django.db import IntegrityError, transaction
from django.db.models import F, Sum
from django.db.models.fields.files import FieldFile
from django.utils import timezone

from catalog_pages.assets import CHUNK_BYTES, Digest
from catalog_pages.excerpts import excerpts_of
from catalog_pages.models import (
    DigitalAsset,
    Excerpt,
    FixityCheck,
    ProductPage,
    ProductTrack,
)
from catalog_pages.models.assets import protected_storage
from catalog_pages.orphans import is_storage_ours
from catalog_pages.storage import StorageUnavailable

logger = logging.getLogger(__name__)

GIVE_UP_AFTER = 3  # refusals in a row of a storage that answers nobody

Found = FixityCheck.Found
OnBytes: TypeAlias = Callable[[int], object]


@dataclass(frozen=True)
class Finding:
    """One stored file with which something is wrong, as a line for people: `str()` of it.

    `name` is the file as people know it, `wrong` a phrase ("altered: the SHA-256 is … and should
    be …"), `products` the titles that use it, `remedy` a sentence or nothing.
    """

    name: str
    key: str
    wrong: str
    asset_id: uuid.UUID | None = None
    products: tuple[str, ...] = ()
    remedy: str = ""

    def __str__(self) -> str:
        uses = ", ".join(f"“{title}”" for title in self.products)
        known = f"asset {self.asset_id}, {f'in {uses}' if uses else 'in no product now'}, "
        place = f"{known if self.asset_id else ''}stored as {self.key}"
        line = " ".join(f"{self.name} ({place}): {self.wrong}. {self.remedy}".split())
        return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in line)


@dataclass
class Report:
    """Counts of audio files and of excerpts, and the bytes that were read of both.

    `unread` could not be asked for: nothing is known of them. `gave_up`: the storage answered nobody,
    and the rest was left alone.
    """

    intact: int = 0
    missing: int = 0
    altered: int = 0
    unread: int = 0
    excerpts: int = 0
    broken_excerpts: int = 0
    bytes_read: int = 0
    gave_up: bool = False

    @property
    def checked(self) -> int:
        return self.intact + self.missing + self.altered

    @property
    def found(self) -> int:
        """How many files are not as they were stored."""
        return self.missing + self.altered + self.broken_excerpts


@dataclass(frozen=True)
class Plan:
    """Which audio files to read, in this order, and the bytes that they and their excerpts have.

    `spare_ids`: those that follow a sample, one for each file of it that cannot be read.
    """

    asset_ids: list[uuid.UUID]
    size_bytes: int
    spare_ids: list[uuid.UUID] = field(default_factory=list)


def plan(sample: int | None = None) -> Plan:
    """All audio files, or the `sample` checked longest ago; those never checked come first."""
    assets = DigitalAsset.objects.order_by(
        F("fixity__checked_at").asc(nulls_first=True), "created_at", "pk"
    ).annotate(cut_bytes=Sum("excerpts__size_bytes"))
    # Ids, not rows, and no open cursor: a reader that stays open for hours hinders SQLite's writers.
    rows = list(assets.values_list("pk", "size_bytes", "cut_bytes"))
    ids, sizes = [pk for pk, _, _ in rows], [size + (cut or 0) for _, size, cut in rows]
    spare_ids = ids[sample:] if sample else []
    return Plan(ids[:sample], sum(sizes[:sample]), spare_ids)


def check_asset(asset: DigitalAsset) -> FixityCheck.Found:
    """Read the stored bytes once, in constant memory, and note what was found for everybody.

    Raises OSError, and notes nothing, when the storage cannot tell whether the file is there.
    """
    found, wrong = _compared(asset)
    _note(asset, found, wrong)
    return found


def verify(
    planned: Plan,
    *,
    repair_excerpts: bool = False,
    tell: Callable[[Finding], object] = lambda finding: None,
    on_bytes: OnBytes = lambda size: None,
    report: Report | None = None,
) -> Report:
    """Check every planned audio file and its excerpts; `tell` hears of each finding at once.

    A file that cannot be read leaves its place in a sample to the next one: no such file keeps samples
    from getting round. `on_bytes` adds up to the plan's bytes, and those of files read instead. A
    `report` that is given is filled on the way, so that an interrupt loses nothing; each result is in
    the database before the next file is opened. What was deleted meanwhile is passed over. Two runs at
    once end with the later result of each file. Raises StorageUnavailable, and notes nothing, when
    there is no storage at all or when it has none of our files.
    """
    round_ = _Round(report or Report(), tell, on_bytes, repair_excerpts)
    if planned.asset_ids:
        _refuse_lost_folder()
    waiting, spare = deque(planned.asset_ids), deque(planned.spare_ids)
    while waiting and not round_.report.gave_up:
        asset = DigitalAsset.objects.filter(pk=waiting.popleft()).first()
        if asset is not None and not round_.check(asset) and spare:
            waiting.append(spare.popleft())
    return round_.report


@dataclass
class _Round:
    report: Report
    tell: Callable[[Finding], object]
    on_bytes: OnBytes
    repair_excerpts: bool
    _refusals: int = field(default=0, init=False)
    _is_ours: bool = field(default=False, init=False)

    def check(self, asset: DigitalAsset) -> bool:
        """Read one file and its excerpts, and note it; False when the file could not be asked for."""
        found, wrong = self._read(asset, asset)
        if found is Found.MISSING and not self._is_ours:
            _refuse_strange_storage()
        self._is_ours = self._is_ours or found is not None
        if found and _note(asset, found, wrong):
            setattr(self.report, found.value, getattr(self.report, found.value) + 1)
            if found is not Found.INTACT:
                self.tell(_finding(asset, asset, wrong))
        for excerpt in asset.excerpts.defer("peaks"):
            self._check_excerpt(excerpt, asset, master_is_intact=found is Found.INTACT)
        return found is not None

    def _check_excerpt(
        self, excerpt: Excerpt, asset: DigitalAsset, *, master_is_intact: bool
    ) -> None:
        found, wrong = self._read(excerpt, asset)
        self.report.excerpts += found is not None
        broken = found not in {None, Found.INTACT}
        if broken and Excerpt.objects.filter(pk=excerpt.pk).exists():
            self.report.broken_excerpts += 1
            finding = _finding(excerpt, asset, wrong)
            logger.error("%s", finding)
            remedy = self._remedy(excerpt, asset, master_is_intact=master_is_intact)
            self.tell(replace(finding, remedy=remedy))

    def _remedy(self, excerpt: Excerpt, asset: DigitalAsset, *, master_is_intact: bool) -> str:
        if not master_is_intact:
            return "It can be made again once the audio file itself is back."
        if not self.repair_excerpts:
            return "It can be made again: run this with --repair-excerpts."
        return _made_again(excerpt, asset)

    def _read(
        self, row: DigitalAsset | Excerpt, asset: DigitalAsset
    ) -> tuple[FixityCheck.Found | None, str]:
        """As `_compared`, or None when nobody knows; the bar moves by the row's bytes either way."""
        seen = 0

        def count(size: int) -> None:
            nonlocal seen
            self.report.bytes_read += size
            moved = min(size, row.size_bytes - seen)
            seen += moved
            self.on_bytes(moved)

        try:
            result = _compared(row, count)
        except OSError as error:
            self._could_not(row, asset, error)
            return None, ""
        finally:
            self.on_bytes(row.size_bytes - seen)
        if row is asset:  # excerpts are kept elsewhere
            self._refusals = 0
        return result

    def _could_not(self, row: DigitalAsset | Excerpt, asset: DigitalAsset, error: OSError) -> None:
        self.report.unread += 1
        self.tell(_finding(row, asset, f"could not be read: {error.strerror or error}"))
        self._refusals += isinstance(error, StorageUnavailable)
        self.report.gave_up = self._refusals >= GIVE_UP_AFTER


def _finding(row: DigitalAsset | Excerpt, asset: DigitalAsset, wrong: str) -> Finding:
    name = asset.file_name if row is asset else f"excerpt of {asset.file_name}"
    pages = ProductPage.objects.filter(tracks__files__asset=asset).order_by("title").distinct()
    titles = tuple(pages.values_list("title", flat=True))
    return Finding(name, row.file.name or "", wrong, asset.pk, titles)


def _compared(
    row: DigitalAsset | Excerpt, on_bytes: OnBytes = lambda size: None
) -> tuple[FixityCheck.Found, str]:
    """What became of the row's bytes, and the phrase that says what is wrong; "" when nothing is."""
    try:
        actual = _digest(row.file, on_bytes)
    except FileNotFoundError:
        return Found.MISSING, "missing"
    except (_NoPlainFile, IsADirectoryError, NotADirectoryError):
        return Found.MISSING, "missing, and a folder or something else is in its place"
    differences = _differences(actual, row)
    return (Found.ALTERED, f"altered: {differences}") if differences else (Found.INTACT, "")


class _NoPlainFile(OSError):
    """A folder, a pipe or a device lies where the file should be."""


def _refuse_pipes(stored: FieldFile) -> None:
    """Before it is opened: a pipe that nobody writes to would never let go of us."""
    storage = stored.storage
    if isinstance(storage, FileSystemStorage):
        mode = Path(storage.path(stored.name or "")).stat().st_mode
        if not stat.S_ISREG(mode):
            raise _NoPlainFile(stat.filemode(mode))


def _digest(stored: FieldFile, on_bytes: OnBytes) -> Digest:
    _refuse_pipes(stored)
    sha256, crc32, size = hashlib.sha256(), 0, 0
    with stored.storage.open(stored.name or "", "rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            sha256.update(chunk)
            crc32 = zlib.crc32(chunk, crc32)
            size += len(chunk)
            on_bytes(len(chunk))
    return Digest(sha256.hexdigest(), crc32, size)


def _differences(actual: Digest, row: DigitalAsset | Excerpt) -> str:
    facts = [
        ("size", f"{actual.size_bytes:,} bytes", f"{row.size_bytes:,} bytes"),
        ("SHA-256", actual.sha256, row.sha256),
    ]
    if isinstance(row, DigitalAsset) and actual.sha256 == row.sha256:
        # The right bytes: then it is the row that is damaged, and ZIPs would state a wrong sum.
        facts.append(("CRC-32", f"{actual.crc32:08x}", f"{row.crc32:08x}"))
    return "; ".join(
        f"the {name} is {it_is} and should be {should}"
        for name, it_is, should in facts
        if it_is != should
    )


def _note(asset: DigitalAsset, found: FixityCheck.Found, wrong: str) -> bool:
    """Write the result down by itself; False when the audio file was deleted meanwhile."""
    there = DigitalAsset.objects.filter(pk=asset.pk)
    earlier = there.values_list("fixity__found").first()  # (None,) when never checked
    if earlier is None:
        return False
    try:
        with transaction.atomic():
            FixityCheck.objects.bulk_create(
                [FixityCheck(asset=asset, found=found, checked_at=timezone.now())],
                update_conflicts=True,
                unique_fields=["asset"],
                update_fields=["found", "checked_at"],
            )
    except IntegrityError:
        if there.exists():
            raise
        return False
    _log_change(asset, earlier[0], found, wrong)
    return True


def _log_change(
    asset: DigitalAsset, earlier: str | None, found: FixityCheck.Found, wrong: str
) -> None:
    """One error when something is found first, not one every night; and word that it is over."""
    if found == (earlier or Found.INTACT):
        return
    if found is Found.INTACT:
        logger.warning("%s (asset %s) is as it was stored again", asset, asset.pk)
    else:
        logger.error("%s", _finding(asset, asset, wrong))


def _made_again(excerpt: Excerpt, asset: DigitalAsset) -> str:
    """Remove the broken excerpt and cut those that the file's tracks should have; a sentence."""
    tracks = ProductTrack.objects.filter(files__asset=asset).distinct()
    tracks = tracks.prefetch_related("files__asset__excerpts")
    try:
        excerpt.delete()
        made = list(excerpts_of(tracks))
    except OSError as error:
        return f"It could not be made again: {error}."
    if not tracks:
        return "No product plays it, so it was removed."
    if len(made) < len(tracks):
        return "It could not be made again; the log says why."
    return "It was made again."


def _refuse_lost_folder() -> None:
    """A disk that is not mounted has lost no file; it only cannot be asked."""
    storage = protected_storage()
    if isinstance(storage, FileSystemStorage) and not Path(storage.location).is_dir():
        raise StorageUnavailable(f"there is no folder {storage.location}")


def _refuse_strange_storage() -> None:
    """An empty folder where the disk should be has lost no file either, nor has another's bucket."""
    if not is_storage_ours():
        raise StorageUnavailable(
            "it has none of this shop's files; is the disk mounted, and is the bucket the right one"
        )
