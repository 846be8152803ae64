"""What is stored because it is read often, beside the facts that it was computed from."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Count, Q

from downloads.models import Revocation
from orders.locks import lock_order
from orders.models import Order, OrderItem, Payment
from orders.services.access import access_project, disputed_among, revoked_among
from orders.services.comparing import Difference, Finding, paged
from orders.services.fulfilment import order_issue_rights, order_project_status, projected_status
from orders.services.gifts import gift_grants_issue

# Causes that follow from facts; what staff took back stays taken back.
PROJECTED = (Revocation.Cause.REFUND, Revocation.Cause.DISPUTE)


@dataclass
class _Lines:
    """Ids of an order's lines: those that promise files, and those whose every file is open."""

    promised: set[int] = field(default_factory=set)
    open: set[int] = field(default_factory=set)


def compare_projections(orders: Iterable[Order]) -> Iterator[Finding]:
    """Orders whose status or files do not follow from their payments, refunds and disputes.

    Each is read anew under its lock before it is one: news may have come between two queries.
    """
    for suspect in _compare(orders):
        with transaction.atomic():
            order = lock_order(uuid.UUID(suspect.difference.reference))
            findings = list(_compare([order]))
        yield from (finding for finding in findings if _same(finding, suspect))


def _same(one: Finding, other: Finding) -> bool:
    return one.difference.code == other.difference.code


def _compare(orders: Iterable[Order]) -> Iterator[Finding]:
    for page in paged(orders):
        ids = [order.pk for order in page]
        statuses, lines = _statuses(ids), _lines(ids)
        disputed, revoked = disputed_among(ids), revoked_among(ids)
        for order in page:
            expected = projected_status(order.paid_at, statuses[order.pk])
            by_nothing = Payment.Status.PAID not in statuses[order.pk].values()
            if order.status != expected or (order.is_paid and by_nothing):
                yield _finding(order, "order_status", order.status, expected)
            should = lines[order.pk].promised - revoked[order.pk]
            if order.paid_at is None or order.pk in disputed:
                should = set()
            if lines[order.pk].open != should:
                ours = f"{len(lines[order.pk].open)} of {len(lines[order.pk].promised)} lines open"
                yield _finding(order, "order_access", ours, str(len(should)))


def _finding(order: Order, code: str, ours: str, theirs: str) -> Finding:
    @transaction.atomic
    def mend() -> bool:
        locked = lock_order(order.pk)
        order_project_status(locked)
        if locked.paid_at is not None:
            order_issue_rights(locked)
            gift_grants_issue(order=locked)
            access_project(order=locked)
        return not any(_compare([locked]))

    return Finding(Difference(code, str(order.pk), order.number, ours, theirs), mend)


def _statuses(ids: Collection[Any]) -> dict[Any, dict[int, str]]:
    """Order -> attempt -> status."""
    found: dict[Any, dict[int, str]] = defaultdict(dict)
    rows = Payment.objects.filter(order__in=ids).values_list("order", "attempt", "status")
    for order_id, attempt, status in rows:
        found[order_id][attempt] = status
    return found


def _lines(ids: Collection[Any]) -> dict[Any, _Lines]:
    stopped = Q(grants__revocations__lifted_at=None, grants__revocations__cause__in=PROJECTED) & Q(
        grants__revocations__isnull=False
    )
    found: dict[Any, _Lines] = defaultdict(_Lines)
    lines = OrderItem.objects.filter(order__in=ids).annotate(
        promised=Count("deliveries__asset", distinct=True),
        granted=Count("grants", distinct=True),
        redeemed=Count(
            "gift_codes", filter=Q(gift_codes__redeemed_at__isnull=False), distinct=True
        ),
        stopped=Count("grants", filter=stopped, distinct=True),
    )
    for line in lines.filter(promised__gt=0):
        copies = line.redeemed + (0 if line.is_gift else 1)
        if copies == 0:  # nobody has redeemed one of its gift copies
            continue
        found[line.order_id].promised.add(line.pk)
        if line.granted == line.promised * copies and not line.stopped:
            found[line.order_id].open.add(line.pk)
    return found
