"""The files that an order gave, and how each stands: the answer to "where is my download?"."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F
from django.utils.safestring import SafeString

from downloads.admin.grant_list import holder_of, state_of, used_of, with_facts
from downloads.models import Revocation, UserAsset
from orders.models import Order

SHOWN = 200


@dataclass(frozen=True)
class FileView:
    """One file in one holder's hands. `counts`: something counts against its limit."""

    grant: Any
    holder: str | SafeString
    state: SafeString
    used: str
    last_at: datetime | None
    is_taken_back: bool
    counts: bool


@dataclass(frozen=True)
class LineFiles:
    """What the buttons of one line could do."""

    open_to_take: bool = False
    taken_back: bool = False
    counts: bool = False


@dataclass(frozen=True)
class OrderFiles:
    """At most `SHOWN` files; `is_cut` when there are more. `lines`: by the line's id."""

    files: list[FileView]
    lines: dict[int, LineFiles]
    is_cut: bool


def order_files(order: Order) -> OrderFiles:
    grants = UserAsset.objects.filter(order_item__order=order)
    rows = list(
        with_facts(grants).order_by(F("order_item__position"), "seat", "position", "pk")[
            : SHOWN + 1
        ]
    )
    views = [_view(row) for row in rows[:SHOWN]]
    by_line: dict[int, list[FileView]] = defaultdict(list)
    for view in views:
        by_line[view.grant.order_item_id].append(view)
    return OrderFiles(views, {pk: _line(rows) for pk, rows in by_line.items()}, len(rows) > SHOWN)


def _line(views: list[FileView]) -> LineFiles:
    return LineFiles(
        open_to_take=any(not view.is_taken_back for view in views),
        taken_back=any(view.is_taken_back for view in views),
        counts=any(view.counts for view in views),
    )


def _view(grant: Any) -> FileView:
    return FileView(
        grant=grant,
        holder=holder_of(grant),
        state=state_of(grant),
        used=used_of(grant),
        last_at=grant.last_download,
        is_taken_back=any(row.cause == Revocation.Cause.STAFF for row in grant.standing),
        counts=bool(grant.limit and grant.most_used),
    )
