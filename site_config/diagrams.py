"""Diagrams of the shop, drawn from the code itself as Mermaid, so that they cannot go stale."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from django.apps import apps
from django.db import models

from catalog_pages import publishing
from downloads import grants, policy, streaming
from orders import stripe_gateway, webhooks
from orders.models import Payment
from orders.services import carts, checkout, events, fulfilment
from orders.stripe_gateway import CheckoutSession

ROOMS = ("catalog_pages", "orders", "downloads", "accounts")
# The road of a purchase, in order; each arrow says what passes along it.
ROAD: tuple[tuple[Callable[..., Any], str], ...] = (
    (publishing.publish_problems, "published"),
    (carts.cart_add, "product and quantity"),
    (checkout.checkout_start, "frozen order"),
    (stripe_gateway.create_checkout, "buyer pays at Stripe"),
    (webhooks.stripe_webhook, "genuine event"),
    (events.event_record, "inbox row"),
    (fulfilment.sync_checkout, "looked up again"),
    (fulfilment.order_mark_paid, "paid"),
    (grants.grants_issue, "grant"),
    (policy.decide, "allowed"),
    (streaming.file_response, ""),
)


def entity_diagram() -> str:
    """Every model of ours: its columns, and the lines of its foreign keys."""
    lines = ["erDiagram"]
    for model in our_models():
        lines.append(f"    {model.__name__} {{")
        lines += [f"        {kind} {name}{mark}" for kind, name, mark in _columns(model)]
        lines.append("    }")
    for model in our_models():
        lines += _relations(model)
    return "\n".join(lines)


def flow_diagram() -> str:
    """The road of a purchase: each station is a function, described by its own docstring."""
    lines = ["flowchart TD"]
    for place, (function, passes) in enumerate(ROAD):
        sentence = inspect.getdoc(function) or ""
        first = sentence.split("\n\n")[0].replace("\n", " ").replace('"', "'")
        name = f"{function.__module__}.{function.__name__}"
        lines.append(f'    s{place}["<b>{name}</b><br/>{first}"]')
        if passes:
            lines.append(f'    s{place} -- "{passes}" --> s{place + 1}')
    return "\n".join(lines)


def payment_state_diagram() -> str:
    """Which snapshot of Stripe's moves a payment from where to where, asked of the merging itself."""
    moves: dict[tuple[str, str], list[str]] = {}
    for current in Payment.Status.values:
        for label, session in _snapshots():
            reached = str(fulfilment.merged_status(current, session))
            if reached != current:
                moves.setdefault((current, reached), []).append(label)
    lines = ["stateDiagram-v2", f"    [*] --> {Payment.Status.CREATED}"]
    lines += [
        f"    {start} --> {end} : {', '.join(labels)}" for (start, end), labels in moves.items()
    ]
    return "\n".join(lines)


def our_models() -> list[type[models.Model]]:
    return [model for room in ROOMS for model in apps.get_app_config(room).get_models()]


def _columns(model: type[models.Model]) -> Iterator[tuple[str, str, str]]:
    for field in model._meta.local_concrete_fields:
        if field.name.endswith("_ptr"):
            continue
        mark = (
            " PK"
            if field.primary_key
            else " FK"
            if field.is_relation
            else " UK"
            if field.unique
            else ""
        )
        yield field.get_internal_type().removesuffix("Field"), str(field.column), mark


def _relations(model: type[models.Model]) -> Iterator[str]:
    names = {known.__name__ for known in our_models()}
    for field in model._meta.local_concrete_fields:
        target = field.related_model
        if not isinstance(target, type) or target.__name__ not in names:
            continue
        one = "|o" if field.null else "||"
        many = "o|" if field.unique else "o{"
        yield f"    {target.__name__} {one}--{many} {model.__name__} : {field.name}"


def _snapshots() -> list[tuple[str, CheckoutSession]]:
    return [
        ("open", _snapshot("open", "unpaid", "")),
        ("paid", _snapshot("complete", "paid", "succeeded")),
        ("delayed", _snapshot("complete", "unpaid", "processing")),
        ("delayed method failed", _snapshot("complete", "unpaid", "requires_payment_method")),
        ("session expired", _snapshot("expired", "unpaid", "")),
    ]


def _snapshot(status: str, payment_status: str, intent: str) -> CheckoutSession:
    return CheckoutSession(
        id="cs_test_drawing", url="", status=status, payment_status=payment_status, livemode=False,
        currency="GBP", amount_subtotal=0, amount_discount=0, amount_tax=0, amount_total=0,
        created=datetime(2030, 1, 1, tzinfo=UTC), expires_at=datetime(2030, 1, 1, tzinfo=UTC),
        metadata={}, payment_intent_id=None,
        payment_intent_status=intent, charge_id=None, card_brand="", card_last4="",
    )  # fmt: skip
