"""The answer to "where is my download?" in two lines: what was fetched, and what became of the letter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from orders.admin.order_files import OrderFiles
from orders.models import OutboxMail
from orders.services.mail import RECEIPT


@dataclass(frozen=True)
class Answer:
    """`fetched` of `files` were downloaded at least once, the last time at `last_at`.

    `closed` do not open now; `mail` is the newest receipt, which leads to them.
    """

    files: int
    fetched: int
    closed: int
    last_at: datetime | None
    mail: OutboxMail | None


def answer_of(files: OrderFiles, mails: Iterable[OutboxMail]) -> Answer:
    """`files` are those that the page shows, `mails` all of the order's."""
    times = [file.last_at for file in files.files if file.last_at is not None]
    receipts = [mail for mail in mails if mail.kind == RECEIPT]
    return Answer(
        files=len(files.files),
        fetched=len(times),
        closed=sum(bool(file.grant.standing) for file in files.files),
        last_at=max(times, default=None),
        mail=max(receipts, key=lambda mail: mail.created_at, default=None),
    )
