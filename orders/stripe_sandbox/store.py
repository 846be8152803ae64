"""Where the objects are kept. Every writer holds the row's lock inside one transaction."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from orders.stripe_sandbox.common import Json
from orders.stripe_sandbox.errors import no_such
from orders.stripe_sandbox.models import SandboxObject


def own_transaction() -> transaction.Atomic:
    """Stripe's transaction, never part of the shop's.

    Refuses (RuntimeError) to begin inside one: a call to Stripe cannot be rolled back with the
    shop's work, so code that tries has a bug that production would show as lost money.
    """
    return transaction.atomic(durable=True)


def add(data: Json, *, hidden: Json | None = None) -> SandboxObject:
    """Keep a new object under its own `id`; its kind is its `object`."""
    row = SandboxObject(
        object_id=data["id"],
        kind=data["object"],
        created=data["created"],
        data=data,
        hidden=hidden or {},
    )
    save(row)
    return row


def save(row: SandboxObject) -> None:
    """Write the row, with the searched columns equal to its data."""
    row.status = row.data.get("status") or ""
    row.payment_intent = row.data.get("payment_intent") or ""
    row.expires_at = row.data.get("expires_at")
    row.save()


def change(row: SandboxObject, **fields: Any) -> Json:
    """Set fields and write; returns what they were before, for `previous_attributes`."""
    before = {name: row.data.get(name) for name in fields}
    row.data.update(fields)
    save(row)
    return before


def get(kind: str, object_id: str, *, param: str = "id", status: int = 404) -> SandboxObject:
    """The object; ApiError `resource_missing` when there is none of that kind."""
    row = SandboxObject.objects.filter(kind=kind, object_id=object_id).first()
    if row is None:
        raise no_such(kind, object_id, param=param, status=status)
    return row


def lock(kind: str, object_id: str, *, param: str = "id", status: int = 404) -> SandboxObject:
    """As `get`, and nobody else may change it until the transaction ends."""
    rows = SandboxObject.objects.select_for_update()
    row = rows.filter(kind=kind, object_id=object_id).first()
    if row is None:
        raise no_such(kind, object_id, param=param, status=status)
    return row


def of_charge(rows: QuerySet[SandboxObject], charge_id: str) -> QuerySet[SandboxObject]:
    """Those of `rows` that belong to a charge; found by its intent, which is indexed."""
    intents = SandboxObject.objects.filter(kind="charge", object_id=charge_id)
    intent_id = intents.values_list("payment_intent", flat=True).first() or ""
    return rows.filter(payment_intent=intent_id, data__charge=charge_id)


def several(kind: str, object_ids: Collection[str]) -> dict[str, Json]:
    """The data of several objects by id, in one query; ApiError when one of them is missing."""
    rows = SandboxObject.objects.filter(kind=kind, object_id__in=object_ids)
    found: dict[str, Json] = dict(rows.values_list("object_id", "data"))
    for object_id in object_ids:
        if object_id not in found:
            raise no_such(kind, object_id)
    return found


def session_of(intent_id: str) -> str:
    """The id of the session that this intent pays for."""
    sessions = SandboxObject.objects.filter(kind="checkout.session", payment_intent=intent_id)
    return sessions.values_list("object_id", flat=True).get()
