"""Links for programs: each opens one thing for whoever has it, for a few minutes, without signing in.

None is given for what would be refused at this moment; the reason is raised instead, and written into
the ledger as that of any refusal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from catalog_pages.errors import DomainError
from catalog_pages.models import DigitalAsset
from downloads.content_disposition import safe_file_name
from downloads.counting import Wanted, places_refused
from downloads.delivery import archive_parcel, is_whole, outage_noticed, refuse_unavailable
from downloads.errors import DownloadUnderWay, FileMissing, LimitReached
from downloads.ledger import refusal_record
from downloads.links import TICKET, archive_url, file_url, ticket_end
from downloads.models import UserAsset
from downloads.policy import Client, Decision, decide
from downloads.purchase_archive import archive_grants, archive_name, member_names, open_files

# What has to happen before the holder gets the file, in words for them.
NEXT = {
    "account_closed": _("The account is closed for good, and so is this."),
    "revoked_by_refund": _("It opens by itself only if the refund fails."),
    "revoked_by_staff": _("It opens when the shop gives it back."),
    "suspended_by_dispute": _("It opens by itself if the dispute is settled in the shop's favour."),
    LimitReached.code: _("Write to the shop: it can let you start again."),
    FileMissing.code: _("The shop has to bring the file back. Try again later."),
    DownloadUnderWay.code: _(
        "Let the other download finish, or wait for a minute after it has stopped."
    ),
}


@dataclass(frozen=True)
class Offer:
    """A link, and what it delivers: exactly `size_bytes`, of this `sha256`; None for a ZIP, which
    exists nowhere before it is sent."""

    url: str
    expires_at: datetime
    file_name: str
    content_type: str
    size_bytes: int
    sha256: str | None


@dataclass(frozen=True)
class Answer:
    """Whether the holder would get this file now: `decision` by the rules, `error` by all that is known.

    `next_words`: what has to happen first; empty when nothing has to.
    """

    grant: UserAsset
    decision: Decision
    error: DomainError | None

    @property
    def allowed(self) -> bool:
        return self.error is None

    @property
    def code(self) -> str:
        return self.error.code if self.error else ""

    @property
    def message(self) -> str:
        return self.error.message if self.error else ""

    @property
    def next_words(self) -> str:
        return str(NEXT.get(self.code, ""))


def file_offer(*, grant: UserAsset, asset: DigitalAsset, client: Client) -> Offer:
    """A link to a file of the grant: what was bought, or a newer version of it.

    Raises what fetching it would: AccessStopped, LimitReached, DownloadUnderWay, FileMissing and
    StorageDown.
    """
    with _recorded(grant, asset):
        outage_noticed(asset)  # first: what it gives back is left again
        decision = decide(grant, asset=asset, client=client)
        if decision.error is not None:
            raise decision.error
        refuse_unavailable([asset])
        _refuse_without_places([Wanted(grant, asset)], client)
    return Offer(
        url=settings.SITE_BASE_URL + file_url(grant, asset, kind=TICKET),
        expires_at=ticket_end(),
        file_name=safe_file_name(asset.file_name),  # as the download says it
        content_type=asset.content_type,
        size_bytes=asset.size_bytes,
        sha256=asset.sha256,
    )


def archive_offer(*, grant: UserAsset, scope: str, fmt: str, client: Client) -> Offer | None:
    """A link to a ZIP of what came with the grant; None when nothing did in this format.

    Raises as `file_offer`: the reason of the first file when all are closed, and a limit that any of
    them has reached.
    """
    grants = list(archive_grants(grant, scope=scope, fmt=fmt))
    if not grants:
        return None
    with _recorded(grant, None):
        wanted = open_files(grants)
        refuse_unavailable([want.asset for want in wanted])
        _refuse_without_places(wanted, client)
    parcel = archive_parcel(
        wanted, names=member_names(wanted), file_name=archive_name(grants, fmt=fmt)
    )
    return Offer(
        url=settings.SITE_BASE_URL + archive_url(grant, scope=scope, fmt=fmt, kind=TICKET),
        expires_at=ticket_end(),
        file_name=parcel.file_name,
        content_type=parcel.stored.content_type,
        size_bytes=parcel.stored.size_bytes,
        sha256=None,
    )


def answers_for_holder(grants: Sequence[UserAsset], *, client: Client) -> list[Answer]:
    """Why the holder gets each bought file or not, without a fact that is for staff.

    One query, where grants were fetched `with_facts`. Asks no bucket: whether one answers at this moment
    is no state of a right.
    """
    refused = places_refused([Wanted(grant, grant.asset) for grant in grants], client=client)
    answers = []
    for grant in grants:
        decision = decide(grant, client=client)
        missing = None if is_whole(grant.asset) else FileMissing()
        error = decision.error or missing or refused.get((grant.pk, grant.asset_id))
        answers.append(Answer(grant, decision, error))
    return answers


def _refuse_without_places(wanted: Sequence[Wanted], client: Client) -> None:
    for error in places_refused(wanted, client=client).values():
        raise error


@contextmanager
def _recorded(grant: UserAsset, asset: DigitalAsset | None) -> Iterator[None]:
    try:
        yield
    except DomainError as error:
        refusal_record(grant=grant, error=error, asset=asset)
        raise
