"""The answer to "why can't I download this?": a sentence for the holder, the facts behind it for staff.

`explain` reads; it decides nothing that `policy.decide` has not decided, and asks no bucket: whether
one answers at this moment is no state of a grant, and neither is the age of a link.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import prefetch_related_objects
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.models import ModelLogEntry

from catalog_pages.errors import DomainError
from catalog_pages.models import DigitalAsset, FixityCheck
from catalog_pages.storage import RemoteStorage
from downloads.errors import FileMissing
from downloads.grants import CLAIMED
from downloads.ledger import DENIALS
from downloads.models import AccessEvent, Download, Revocation, UserAsset
from downloads.policy import Decision, decide, limit_of

SHOWN = 500  # of the ledger and of the downloads: the newest
LOGGED_EVENT = "event"  # in Wagtail's log: the line of the ledger that the entry comments on

Cause, Kind, Found = Revocation.Cause, AccessEvent.Kind, FixityCheck.Found

HOW_IT_OPENS = {
    Cause.REFUND: _("It opens by itself only when the refund fails."),
    Cause.DISPUTE: _("It opens by itself when the dispute is settled in the shop's favour."),
    Cause.STAFF: _("It opens when staff give it back."),
    Cause.ACCOUNT: _("The account is closed for good, and so is this."),
}
STOPPED = {
    Cause.REFUND: _("Closed: refunded"),
    Cause.DISPUTE: _("Closed: payment disputed"),
    Cause.STAFF: _("Taken back by staff"),
    Cause.ACCOUNT: _("Closed: the account was closed"),
}
OPENED = {
    Cause.REFUND: _("Open again: no longer refunded"),
    Cause.DISPUTE: _("Open again: no longer disputed"),
    Cause.STAFF: _("Given back by staff"),
    Cause.ACCOUNT: _("Open again: the account is open again"),
}


def moment(at: datetime) -> str:
    """`3 March 2027, 14:02`, in the shop's time zone."""
    return date_format(timezone.localtime(at), "DATETIME_FORMAT")


@dataclass(frozen=True)
class Closure:
    """A revocation: what closed the grant and since when; `until` once it is lifted."""

    cause: Revocation.Cause
    since: datetime
    until: datetime | None
    how_it_opens: str

    @property
    def words(self) -> str:
        return str(self.cause.label).capitalize()


@dataclass(frozen=True)
class Use:
    """How often one version has been downloaded since the limit last began; None: without a limit."""

    version: str
    is_bought: bool
    used: int
    limit: int | None

    @property
    def left(self) -> int | None:
        return None if self.limit is None else max(0, self.limit - self.used)

    @property
    def words(self) -> str:
        return (
            gettext("{used} of {limit}").format(used=self.used, limit=self.limit)
            if self.limit
            else gettext("{used}, without a limit").format(used=self.used)
        )


@dataclass(frozen=True)
class Fetch:
    """One download as staff see it. `client` tells two clients apart and says nothing about either."""

    started_at: datetime
    version: str
    client: str
    sent_bytes: int
    size_bytes: int
    words: str


@dataclass(frozen=True)
class Entry:
    """One line of the ledger. `actor` is whoever pressed or claimed, empty for buyers and the shop.

    `version` names the file where the event is about one; `note` is what staff wrote down.
    """

    at: datetime
    text: str
    actor: str = ""
    version: str = ""
    note: str = ""

    def __str__(self) -> str:
        return f"{self.text}, {moment(self.at)}"


@dataclass(frozen=True)
class StoredBytes:
    """What is known about the bought file in the storage."""

    words: str
    is_missing: bool = False


@dataclass(frozen=True)
class Explanation:
    """`allowed`, `code`, `message`, `left` and `limit` are for the holder; all else is for staff alone.

    The newest come first in `fetches` and `ledger`, 500 of each at most; `is_cut` when there are more.
    """

    decision: Decision
    stored: StoredBytes
    closures: Sequence[Closure]
    uses: Sequence[Use]
    limit_is_agreed: bool
    counted_from: datetime | None
    next_words: str
    fetches: Sequence[Fetch]
    ledger: Sequence[Entry]
    is_cut: bool

    @property
    def error(self) -> DomainError | None:
        return self.decision.error or (FileMissing() if self.stored.is_missing else None)

    @property
    def allowed(self) -> bool:
        return self.error is None

    @property
    def code(self) -> str:
        """The stable code of the refusal that the holder would get; empty when they would get none."""
        return self.error.code if self.error else ""

    @property
    def message(self) -> str:
        return self.error.message if self.error else ""

    @property
    def left(self) -> int | None:
        return self.decision.left

    @property
    def limit(self) -> int | None:
        return self.decision.limit

    @property
    def standing(self) -> list[Closure]:
        return [closure for closure in self.closures if closure.until is None]

    @property
    def is_taken_back(self) -> bool:
        return any(closure.cause == Cause.STAFF for closure in self.standing)

    @property
    def is_reset_useful(self) -> bool:
        """Whether something counts against the limit."""
        return any(use.limit and use.used for use in self.uses)


def explain(grant: UserAsset) -> Explanation:
    """Everything known about one grant, in a fixed number of queries for any number of facts.

    Revocations and downloads that were fetched with the grant (`with_facts`) are not read again.
    """
    prefetch_related_objects([grant], "revocations", "downloads")
    downloads = sorted(
        grant.downloads.all(), key=lambda row: (row.started_at, row.pk), reverse=True
    )
    events = list(grant.events.select_related("actor").order_by("-at", "-pk")[: SHOWN + 1])
    versions = {grant.asset_id, *(row.asset_id for row in downloads)}
    files = _files(versions | {event.asset_id for event in events if event.asset_id})
    decision, stored = decide(grant), stored_bytes(grant.asset)
    return Explanation(
        decision=decision,
        stored=stored,
        closures=_closures(grant.revocations.all()),
        uses=_uses(grant, downloads, files),
        limit_is_agreed=grant.download_limit is not None,
        counted_from=grant.counted_from,
        next_words=_next(grant, decision, stored, downloads),
        fetches=[_fetch(row, grant, files) for row in downloads[:SHOWN]],
        ledger=_ledger(grant, events[:SHOWN], files),
        is_cut=max(len(downloads), len(events)) > SHOWN,
    )


def stored_bytes(asset: DigitalAsset) -> StoredBytes:
    """By the file itself where it is on this machine, else by the last check. One query."""
    check = FixityCheck.objects.filter(asset=asset).first()
    is_here = not isinstance(asset.file.storage, RemoteStorage)
    if is_here and (fault := _fault_on_disk(asset)):
        return StoredBytes(fault, is_missing=True)
    if check is None:
        return StoredBytes(gettext("Not checked yet"))
    found = Found(check.found)
    words = gettext("{found} when last checked, {moment}").format(
        found=str(found.label).capitalize(), moment=moment(check.checked_at)
    )
    # What lies on this machine is back, where the last check missed it.
    is_gone = found is Found.MISSING and not is_here
    return StoredBytes(words, is_missing=is_gone or found is Found.ALTERED)


def _fault_on_disk(asset: DigitalAsset) -> str:
    try:
        size_bytes = asset.file.size
    except OSError:
        return gettext("Missing from the storage")
    return (
        ""
        if size_bytes == asset.size_bytes
        else gettext("Damaged: its length in the storage is wrong")
    )


File = tuple[str, int]  # its name and its size in bytes


def _files(asset_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, File]:
    rows = DigitalAsset.objects.filter(pk__in=asset_ids)
    return {
        pk: (name, size) for pk, name, size in rows.values_list("pk", "file_name", "size_bytes")
    }


def _closures(revocations: Iterable[Revocation]) -> list[Closure]:
    """Those that stand first, then the lifted, the newest first."""
    rows = sorted(revocations, key=lambda row: row.created_at, reverse=True)
    return [
        Closure(cause, row.created_at, row.lifted_at, str(HOW_IT_OPENS[cause]))
        for row in sorted(rows, key=lambda row: row.lifted_at is not None)
        for cause in [Cause(row.cause)]
    ]


def _uses(
    grant: UserAsset, downloads: Iterable[Download], files: Mapping[uuid.UUID, File]
) -> list[Use]:
    """The bought version first, then newer ones that have been fetched."""
    used = {grant.asset_id: 0}
    for row in downloads:
        counts = row.counts_since(grant.counted_from)
        used[row.asset_id] = used.get(row.asset_id, 0) + counts
    limit = limit_of(grant)
    return [Use(files[pk][0], pk == grant.asset_id, times, limit) for pk, times in used.items()]


def _next(
    grant: UserAsset,
    decision: Decision,
    stored: StoredBytes,
    downloads: Iterable[Download],
) -> str:
    """What has to happen before the holder gets the file; empty when nothing has to."""
    standing = [Cause(row.cause) for row in grant.revocations.all() if row.lifted_at is None]
    if len(standing) > 1:
        return gettext("Every one of the causes below has to go before the file opens.")
    if standing:
        return str(HOW_IT_OPENS[standing[0]])
    if decision.error is not None:
        return gettext(
            "The limit does not end by itself. Reset it, and the holder may start again."
        )
    if stored.is_missing:
        return gettext(
            "It opens when the file is uploaded again, or restored from a backup and checked again "
            "(manage.py verify_assets)."
        )
    held = _held_until(grant, downloads)
    if held and decision.left is not None and len(held) >= decision.left:
        return gettext(
            "What is under way holds the last place. Another program or network has to "
            "wait until it ends; should nothing be heard of it any more, until {moment}."
        ).format(moment=moment(min(held)))
    return ""


def _held_until(grant: UserAsset, downloads: Iterable[Download]) -> list[datetime]:
    """When each place is free again that a download of the bought file holds and has not used."""
    now = timezone.now()
    return [
        row.held_until
        for row in downloads
        if row.asset_id == grant.asset_id and row.is_held(now) and row.held_until is not None
    ]


def _fetch(row: Download, grant: UserAsset, files: Mapping[uuid.UUID, File]) -> Fetch:
    name, size_bytes = files[row.asset_id]
    return Fetch(
        row.started_at, name, row.client[:6], row.sent_bytes, size_bytes, _state(row, grant)
    )


def _state(row: Download, grant: UserAsset) -> str:
    if row.counted_at is None:
        if row.shared:
            return gettext("Counted together with another")
        now = timezone.now()
        under_way = row.is_open(now) or row.is_busy(now)
        return (
            gettext("Not counted so far")
            if under_way
            else gettext("Not counted: too little arrived")
        )
    counts = row.counts_since(grant.counted_from)
    return gettext("Counted") if counts else gettext("Counted, before the limit was reset")


def _ledger(
    grant: UserAsset, events: Sequence[AccessEvent], files: Mapping[uuid.UUID, File]
) -> list[Entry]:
    notes = _notes(grant)
    began_with_address = grant.user is None or any(event.code == CLAIMED for event in events)
    first = grant.email if began_with_address else str(grant.user)
    return [
        Entry(
            at=event.at,
            text=_text(event, first, is_address=began_with_address),
            actor=str(event.actor or "") if event.code != CLAIMED else "",
            version=files[event.asset_id][0] if event.asset_id else "",
            note=notes.get(event.pk, ""),
        )
        for event in events
    ]


def _notes(grant: UserAsset) -> dict[int, str]:
    """What staff wrote when they pressed a button, by the line of the ledger that it made."""
    entries = ModelLogEntry.objects.for_instance(grant).values_list("data", flat=True)
    return {
        data[LOGGED_EVENT]: str(data.get("comment", "")) for data in entries if LOGGED_EVENT in data
    }


def _text(event: AccessEvent, first_holder: str, *, is_address: bool) -> str:
    if event.kind == Kind.GRANTED and event.code == CLAIMED:
        if not event.actor:
            return gettext("Given to the account that claimed it when it claimed the order")
        claimed = gettext("Given to the account {account} when it claimed the order")
        return claimed.format(account=event.actor)
    if event.kind == Kind.GRANTED:
        given = (
            gettext("Given to the address {holder}")
            if is_address
            else gettext("Given to the account {holder}")
        )
        return given.format(holder=first_holder)
    if event.kind == Kind.DENIED:
        return gettext("Refused: {why}").format(
            why=DENIALS.get(event.code, event.code.replace("_", " "))
        )
    if event.kind in (Kind.REVOKED, Kind.RESTORED):
        words = STOPPED if event.kind == Kind.REVOKED else OPENED
        return str(words[Cause(event.code)])
    return {
        Kind.LINK_ISSUED: gettext("The storage's own address was given out"),
        Kind.DOWNLOADED: gettext("Downloaded"),
        Kind.LIMIT_RESET: gettext("Limit reset"),
        Kind.NOT_COUNTED: gettext("Counts no more: the storage did not answer"),
        Kind.LISTENED: gettext("Listened to on a page, which is no download"),
    }[Kind(event.kind)]
