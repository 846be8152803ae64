"""A shop with many orders, quickly: one is bought by the real road, and its rows are copied.

Every copy has ids of its own, in columns and inside the JSON of Stripe's objects, so that shop and sandbox
agree about each of them as they do about the first.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from downloads.models import AccessEvent, UserAsset
from orders.models import (
    Cart,
    Order,
    OrderItem,
    OrderItemAsset,
    OutboxMail,
    Payment,
    StripeEvent,
)
from orders.models.orders import new_order_number
from orders.stripe_sandbox.common import new_id
from orders.stripe_sandbox.models import SandboxEvent, SandboxObject
from tests.factories import buy, make_product, make_user

Row = TypeVar("Row", bound=Model)
BATCH = 500
SANDBOX_KINDS = ("checkout.session", "payment_intent", "charge", "payment_method")
COMPLETED = "checkout.session.completed"


def make_orders(count: int) -> None:
    """Paid at the sandbox, told to the shop, granted; each with a cart of its own."""
    pattern = _Pattern(buy(Client(), make_user(), make_product()))
    for start in range(1, count, BATCH):
        pattern.copy(min(BATCH, count - start))


def forget(count: int, *, keep_events: bool = False) -> None:
    """As if the shop had not heard yet that the first so many orders were paid.

    `keep_events`: their events are in the inbox and due, with nobody at work on them.
    """
    ids = list(Order.objects.order_by("pk").values_list("pk", flat=True)[:count])
    for some in _in_batches(ids):
        grants = UserAsset.objects.filter(order_item__order__in=some)
        AccessEvent.objects.filter(grant__in=grants).delete()
        grants.delete()
        OutboxMail.objects.filter(order__in=some).delete()
        Payment.objects.filter(order__in=some).update(
            status=Payment.Status.OPEN, paid_at=None, captured_pennies=None,
            stripe_payment_intent_id=None, stripe_charge_id=None,
        )  # fmt: skip
        events = StripeEvent.objects.filter(order__in=some)
        if keep_events:
            events.update(
                status=StripeEvent.Status.RECEIVED, order=None, handled_at=None,
                next_attempt_at=timezone.now(),
            )  # fmt: skip
        else:
            events.delete()
        Order.objects.filter(pk__in=some).update(status=Order.Status.PENDING, paid_at=None)


def grow_older(*, days: int) -> None:
    """Everything happened so many days earlier, here and at the sandbox."""
    seconds = int(timedelta(days=days).total_seconds())
    with connection.cursor() as cursor:
        for model in (SandboxObject, SandboxEvent):
            table = model._meta.db_table
            cursor.execute(f"UPDATE {table} SET created = created - %s", [seconds])  # noqa: S608  # our own name
    earlier = timezone.now() - timedelta(days=days)
    Order.objects.update(created_at=earlier, updated_at=earlier)
    Payment.objects.update(created_at=earlier)
    StripeEvent.objects.update(created_at=earlier, received_at=earlier)


class _Pattern:
    """The rows of one order, and how to make the same of another one."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.item = order.items.get()
        self.delivery = self.item.deliveries.get()
        self.payment = order.payments.get()
        self.grant = UserAsset.objects.get(order_item=self.item)
        self.access = AccessEvent.objects.get(grant=self.grant)
        self.letter = OutboxMail.objects.get(order=order)
        self.inbox = StripeEvent.objects.get(order=order, type=COMPLETED)
        self.told = SandboxEvent.objects.get(type=COMPLETED)
        self.objects = list(SandboxObject.objects.filter(kind__in=SANDBOX_KINDS))
        self.ids = {row.object_id: row.kind for row in self.objects}
        self.ids |= {self.told.event_id: "event"}
        self.anywhere = re.compile("|".join([*self.ids, str(order.pk), order.number]))

    def copy(self, count: int) -> None:
        swaps = [self._swap() for _ in range(count)]
        orders = [
            _copied(self.order, swap, pk=uuid.UUID(swap(str(self.order.pk))), cart=Cart())
            for swap in swaps
        ]
        Cart.objects.bulk_create(order.cart for order in orders if order.cart)
        Order.objects.bulk_create(orders)
        rows = list(zip(swaps, orders, strict=True))
        Payment.objects.bulk_create(_copied(self.payment, s, order=o) for s, o in rows)
        OutboxMail.objects.bulk_create(_copied(self.letter, s, order=o) for s, o in rows)
        StripeEvent.objects.bulk_create(_copied(self.inbox, s, order=o) for s, o in rows)
        SandboxEvent.objects.bulk_create(_copied(self.told, s) for s in swaps)
        SandboxObject.objects.bulk_create(_copied(row, s) for s in swaps for row in self.objects)
        items = OrderItem.objects.bulk_create(_copied(self.item, s, order=o) for s, o in rows)
        files = list(zip(swaps, items, strict=True))
        OrderItemAsset.objects.bulk_create(
            _copied(self.delivery, s, order_item=item) for s, item in files
        )
        grants = UserAsset.objects.bulk_create(
            _copied(self.grant, s, pk=uuid.uuid4(), order_item=item) for s, item in files
        )
        AccessEvent.objects.bulk_create(AccessEvent(grant=g, kind="granted") for g in grants)

    def _swap(self) -> Swap:
        new = {old: new_id(kind) for old, kind in self.ids.items()}
        new |= {str(self.order.pk): str(uuid.uuid4()), self.order.number: new_order_number()}
        return Swap(self.anywhere, new)


class Swap:
    """Replaces every id of the pattern in a text by one copy's."""

    def __init__(self, anywhere: re.Pattern[str], new: Mapping[str, str]) -> None:
        self._anywhere = anywhere
        self._new = new

    def __call__(self, text: str) -> str:
        return self._anywhere.sub(lambda match: self._new[match[0]], text)


def _copied(row: Row, swap: Swap, **fields: Any) -> Row:
    values = {
        field.attname: _swapped(getattr(row, field.attname), swap)
        for field in row._meta.concrete_fields
        if not field.primary_key and field.name not in fields
    }
    return type(row)(**values, **fields)


def _swapped(value: Any, swap: Swap) -> Any:
    if isinstance(value, str):
        return swap(value)
    if isinstance(value, dict | list):
        return json.loads(swap(json.dumps(value)))
    return value


def _in_batches(ids: list[Any]) -> Iterator[Iterable[Any]]:
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]
