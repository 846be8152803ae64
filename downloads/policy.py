"""The one function that decides whether a download is allowed, and says why not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog_pages.errors import DomainError
from catalog_pages.models import DigitalAsset
from downloads import coverage
from downloads.errors import AccessStopped, LimitReached
from downloads.models import Download, Revocation, UserAsset

# A download that has sent its file so many times over, or is about to, is not resumed from elsewhere any
# more: "all but the first byte" would be a way around the limit.
JOINED_BELOW_COPIES = 2

# In the order in which they are told when several stand: what is final before what may pass.
SENTENCES = {
    Revocation.Cause.ACCOUNT: (
        "account_closed",
        _("The account that owned these files was closed."),
    ),
    Revocation.Cause.REFUND: (
        "revoked_by_refund",
        _("This was refunded, so its files are no longer available."),
    ),
    Revocation.Cause.STAFF: (
        "revoked_by_staff",
        _("The shop has taken these files back. Write to us if you wonder why."),
    ),
    Revocation.Cause.DISPUTE: (
        "suspended_by_dispute",
        _(
            "Your bank is looking into this payment. The files come back if it is settled in "
            "the shop's favour."
        ),
    ),
}


@dataclass(frozen=True)
class Decision:
    """`left`: how many downloads the holder has still, None without a limit.

    `error` says why nothing is allowed, `code` is its stable name; both are empty otherwise.
    """

    error: DomainError | None = None
    left: int | None = None
    limit: int | None = None

    @property
    def allowed(self) -> bool:
        return self.error is None

    @property
    def code(self) -> str:
        return self.error.code if self.error else ""

    @property
    def message(self) -> str:
        return self.error.message if self.error else ""


def limit_of(grant: UserAsset) -> int | None:
    """How often each file of the grant may be downloaded: as agreed, else the shop's; None: always."""
    limit = settings.DOWNLOAD_LIMIT if grant.download_limit is None else grant.download_limit
    return limit or None


@dataclass(frozen=True)
class Client:
    """Who asks for bytes: a digest that tells clients apart, and whether it asks for a file's rest."""

    digest: str
    resumes: bool = False


def joined(
    downloads: Iterable[Download],
    *,
    client: Client,
    size_bytes: int,
    now: datetime,
    asked_bytes: int = 0,
) -> Download | None:
    """Which of a file's downloads the client goes on with: its own, or one that it resumes.

    Whoever changes from one network to another looks like a new client that asks for the rest. What
    has lost its place needs a new one (`Download.has_place`), so one that has it comes first. The rest
    of what counts already may come when its window has closed.
    """
    rows = list(downloads)
    under_way = [row for row in rows if row.is_open(now)]
    own = [row for row in under_way if row.client == client.digest]
    if client.resumes:
        spared = size_bytes * JOINED_BELOW_COPIES - asked_bytes
        others = [row for row in under_way if row.sent_bytes + row.promised_bytes <= spared]
        begun = _unfinished([row for row in rows if row.client == client.digest], now, size_bytes)
        own += [*others, *(row for row in begun if row.sent_bytes <= spared)]

    def preferred(row: Download) -> tuple[bool, bool, datetime]:
        return row.has_place(now), row.client == client.digest, row.started_at

    return max(own, key=preferred, default=None)


def _unfinished(own: Iterable[Download], now: datetime, size_bytes: int) -> list[Download]:
    """The last that counted and whose window has closed, if it had a part from us and not all."""
    closed = [row for row in own if row.counted_at is not None and not row.is_open(now)]
    last = max(closed, key=lambda row: row.started_at, default=None)
    if last is None or not coverage.has_begun(last):
        return []
    return [] if coverage.is_whole(last, size_bytes=size_bytes) else [last]


def decide(
    grant: UserAsset, *, asset: DigitalAsset | None = None, client: Client | None = None
) -> Decision:
    """May the holder fetch this file now? `asset` is a newer version, where it is not the bought one.

    A client whose download counts already, or has its place, goes on with it, whatever is left. Reads
    revocations and downloads: two queries, none when `with_facts` fetched them for a list.
    """
    asset = asset or grant.asset
    standing = {row.cause for row in grant.revocations.all() if row.lifted_at is None}
    for cause, (code, words) in SENTENCES.items():
        if cause in standing:
            return Decision(AccessStopped(code, str(words)))
    limit = limit_of(grant)
    if limit is None:
        return Decision()
    downloads = [row for row in _downloads(grant) if row.asset_id == asset.pk]
    used = sum(row.counts_since(grant.counted_from) for row in downloads)
    left = max(0, limit - used)
    goes_on = client and _goes_on(downloads, client, asset.size_bytes)
    return Decision(None if left or goes_on else LimitReached(limit), left, limit)


def _downloads(grant: UserAsset) -> Iterable[Download]:
    fetched = getattr(grant, "_prefetched_objects_cache", {}).get("downloads")
    return grant.downloads.defer("covered") if fetched is None else fetched


def _goes_on(downloads: Iterable[Download], client: Client, size_bytes: int) -> bool:
    now = timezone.now()
    row = joined(downloads, client=client, size_bytes=size_bytes, now=now)
    return row is not None and row.has_place(now)
