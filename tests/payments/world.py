"""What is true at Stripe, read from the sandbox's own objects, and what follows from it here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from orders.models import Order, RefundLine
from orders.services.access import BLOCKING_DISPUTES
from orders.stripe_sandbox.models import SandboxObject

Json = dict[str, Any]


@dataclass
class World:
    """The objects at Stripe that belong to one order."""

    order: Order
    sessions: list[Json] = field(default_factory=list)
    intents: list[Json] = field(default_factory=list)
    refunds: list[Json] = field(default_factory=list)
    disputes: list[Json] = field(default_factory=list)

    @property
    def paid_sessions(self) -> list[Json]:
        return [session for session in self.sessions if session["payment_status"] == "paid"]

    @property
    def is_paid(self) -> bool:
        return bool(self.paid_sessions)

    @property
    def captured(self) -> int:
        return sum(session["amount_total"] for session in self.paid_sessions)

    @property
    def succeeded(self) -> list[Json]:
        return [refund for refund in self.refunds if refund["status"] == "succeeded"]

    @property
    def is_disputed(self) -> bool:
        return any(dispute["status"] in BLOCKING_DISPUTES for dispute in self.disputes)

    def open_lines(self) -> set[int]:
        """The formula: paid, not disputed, and not refunded by choice or in full."""
        if not self.is_paid or self.is_disputed:
            return set()
        lines = set(self.order.items.values_list("pk", flat=True))
        if self.succeeded and sum(r["amount"] for r in self.succeeded) >= self.captured:
            return set()
        ours = [r["metadata"]["refund"] for r in self.succeeded if "refund" in r["metadata"]]
        return lines - set(
            RefundLine.objects.filter(refund__in=ours).values_list("item_id", flat=True)
        )


def world_of(order: Order) -> World:
    rows = SandboxObject.objects.all().order_by("pk")
    sessions = [
        row.data
        for row in rows.filter(kind="checkout.session")
        if row.data["metadata"].get("order") == str(order.pk)
    ]
    intents = {session["payment_intent"] for session in sessions} - {None}

    def of(kind: str) -> list[Json]:
        return [row.data for row in rows.filter(kind=kind, payment_intent__in=intents)]

    return World(
        order,
        sessions,
        [row.data for row in rows.filter(kind="payment_intent", object_id__in=intents)],
        of("refund"),
        of("dispute"),
    )
