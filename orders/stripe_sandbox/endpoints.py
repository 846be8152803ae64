"""What each API call does, its parameters checked, inside the request's transaction."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet

from orders.stripe_sandbox import checkout, refunds, store, totals
from orders.stripe_sandbox.common import Caller, Json, now
from orders.stripe_sandbox.constants import EVENT_LIFE, SESSION_MAX_LIFE, SESSION_MIN_LIFE
from orders.stripe_sandbox.currencies import check_amount, check_currency, check_total
from orders.stripe_sandbox.errors import ApiError, no_such
from orders.stripe_sandbox.models import (
    SandboxControls,
    SandboxDelivery,
    SandboxEvent,
    SandboxObject,
)
from orders.stripe_sandbox.objects import checkout as objects
from orders.stripe_sandbox.pages import (
    as_list,
    created_within,
    page_of_items,
    page_of_rows,
)


@dataclass(frozen=True)
class Call:
    """One checked request. `object_id`: the id in the path, "" when there is none."""

    path: str
    params: Json
    object_id: str
    caller: Caller


def create_session(call: Call) -> Json:
    params, created = call.params, now()
    _check_times(params, created)
    items = [
        objects.line_item(_checked_line(line, index, params), created=created)
        for index, line in enumerate(params["line_items"])
    ]
    if not items:
        raise ApiError("You must provide at least one line item.", param="line_items")
    for discount in params.get("discounts", []):
        items = totals.with_discount(
            items, _usable_coupon(discount["coupon"], items[0]["currency"])
        )
    data = objects.session(params, items, created=created, base_url=settings.SITE_BASE_URL)
    check_total(data["amount_total"], data["currency"])
    hidden = {
        "line_items": items,
        "payment_intent_data": params.get("payment_intent_data", {}),
    }
    return _shown(store.add(data, hidden=hidden))


def _check_times(params: Json, created: int) -> None:
    if "expires_at" not in params:
        return
    life = params["expires_at"] - created
    if life < SESSION_MIN_LIFE:
        rule = "at least 30 minutes from"
    elif life > SESSION_MAX_LIFE:
        rule = "less than 24 hours from"
    else:
        return
    message = f"The `expires_at` timestamp must be {rule} Checkout Session creation."
    raise ApiError(message, param="expires_at")


def _checked_line(line: Json, index: int, params: Json) -> Json:
    """The line with its currency in lower case; every line of a session has the same one."""
    param = f"line_items[{index}][price_data]"
    price_data = line["price_data"]
    currency = check_currency(price_data["currency"], f"{param}[currency]")
    first = params["line_items"][0]["price_data"]["currency"]
    if currency != params.get("currency", first).lower():
        message = "All line items of a Checkout Session must be in the same currency."
        raise ApiError(message, param=f"{param}[currency]")
    check_amount(price_data["unit_amount"], currency, f"{param}[unit_amount]")
    _check_tax_behavior(price_data, f"{param}[tax_behavior]", params)
    return {**line, "price_data": {**price_data, "currency": currency}}


def _check_tax_behavior(price_data: Json, param: str, params: Json) -> None:
    """As an account without a default: the shop must not depend on a setting of the dashboard.

    Source: https://docs.stripe.com/tax/products-prices-tax-categories-tax-behavior
    """
    is_taxed = params.get("automatic_tax", {}).get("enabled", False)
    if is_taxed and price_data.get("tax_behavior", "unspecified") == "unspecified":
        message = (
            "The price does not have a `tax_behavior` set which is required for automatic tax"
            " computation."
        )
        raise ApiError(message, param=param)


def _usable_coupon(coupon_id: str, currency: str) -> int:
    """The amount that the coupon takes off, in minor units."""
    param = "discounts[0][coupon]"
    coupon = store.get("coupon", coupon_id, param=param, status=400).data
    redeem_by = coupon["redeem_by"]
    if not coupon["valid"] or (redeem_by is not None and redeem_by < now()):
        message = f"Coupon {coupon_id} is expired and cannot be applied."
        raise ApiError(message, param=param, code="coupon_expired")
    if coupon["currency"] != currency:
        message = f"The coupon's currency ({coupon['currency']}) is not the session's ({currency})."
        raise ApiError(message, param=param)
    amount: int = coupon["amount_off"]
    return amount


def retrieve_session(call: Call) -> Json:
    return _shown(store.get("checkout.session", call.object_id, param="session"))


def list_sessions(call: Call) -> Json:
    rows = _rows("checkout.session", call.params)
    if "status" in call.params:
        rows = rows.filter(status=call.params["status"])
    if "customer_details" in call.params:
        rows = rows.filter(data__customer_details__email=call.params["customer_details"]["email"])
    return _list_of_objects(rows, call)


def list_line_items(call: Call) -> Json:
    session = store.get("checkout.session", call.object_id, param="session")
    items, has_more = page_of_items(session.hidden["line_items"], call.params)
    return as_list(items, url=call.path, has_more=has_more)


def expire_session(call: Call) -> Json:
    session = store.lock("checkout.session", call.object_id, param="session")
    checkout.expire(session, call.caller)
    return _shown(session)


def create_coupon(call: Call) -> Json:
    currency = check_currency(call.params["currency"], "currency")
    check_amount(call.params["amount_off"], currency, "amount_off")
    wanted = call.params.get("id")
    if wanted and SandboxObject.objects.filter(object_id=wanted).exists():
        raise ApiError("Coupon already exists.", param="id", code="resource_already_exists")
    data = objects.coupon({**call.params, "currency": currency}, created=now())
    return _shown(store.add(data))


def retrieve_coupon(call: Call) -> Json:
    return _shown(store.get("coupon", call.object_id, param="coupon"))


def retrieve_payment_intent(call: Call) -> Json:
    return _shown(store.get("payment_intent", call.object_id, param="intent"))


def retrieve_charge(call: Call) -> Json:
    return _shown(store.get("charge", call.object_id))


def create_refund(call: Call) -> Json:
    """The switch of the sandbox's page decides what becomes of it."""
    course = SandboxControls.objects.values_list("refunds", flat=True).filter(pk=1).first()
    return refunds.create(call.params, call.caller, course=course or refunds.Course.SUCCEED)


def retrieve_refund(call: Call) -> Json:
    return _shown(store.get("refund", call.object_id))


def list_refunds(call: Call) -> Json:
    return _list_of_objects(_rows("refund", call.params), call)


def retrieve_dispute(call: Call) -> Json:
    return _shown(store.get("dispute", call.object_id))


def list_disputes(call: Call) -> Json:
    return _list_of_objects(_rows("dispute", call.params), call)


def retrieve_event(call: Call) -> Json:
    row = _kept_events().filter(event_id=call.object_id).first()
    if row is None:
        raise no_such("event", call.object_id)
    return _shown_events([row])[0]


def list_events(call: Call) -> Json:
    params = call.params
    if "type" in params and "types" in params:
        raise ApiError("You may only specify one of these parameters: type, types.")
    rows = created_within(_kept_events(), params.get("created", {}))
    if "type" in params:
        rows = _of_type(rows, params["type"])
    if "types" in params:
        rows = rows.filter(type__in=params["types"])
    if "delivery_success" in params:
        undelivered = Exists(_undelivered())
        rows = rows.filter(~undelivered if params["delivery_success"] else undelivered)
    page, has_more = page_of_rows(rows, params, id_field="event_id")
    return as_list(_shown_events(page), url=call.path, has_more=has_more)


def _of_type(rows: QuerySet[SandboxEvent], wanted: str) -> QuerySet[SandboxEvent]:
    if wanted.endswith("*"):
        return rows.filter(type__startswith=wanted[:-1])
    return rows.filter(type=wanted)


def _kept_events() -> QuerySet[SandboxEvent]:
    """Stripe keeps events for thirty days."""
    return SandboxEvent.objects.filter(created__gte=now() - EVENT_LIFE)


def _undelivered() -> QuerySet[SandboxDelivery]:
    of_event = SandboxDelivery.objects.filter(event=OuterRef("pk"))
    return of_event.exclude(status=SandboxDelivery.Status.DELIVERED)


def _shown_events(rows: list[SandboxEvent]) -> list[Json]:
    """The events as delivered, but for the number of deliveries that are still to come."""
    pending = SandboxDelivery.objects.filter(
        event__in=rows, status=SandboxDelivery.Status.PENDING
    ).values_list("event_id", flat=True)
    waiting = Counter(pending)
    return [{**json.loads(row.payload), "pending_webhooks": waiting[row.pk]} for row in rows]


def _rows(kind: str, params: Json) -> QuerySet[SandboxObject]:
    rows = SandboxObject.objects.filter(kind=kind)
    if "payment_intent" in params:
        rows = rows.filter(payment_intent=params["payment_intent"])
    if "charge" in params:
        rows = store.of_charge(rows, params["charge"])
    return created_within(rows, params.get("created", {}))


def _list_of_objects(rows: QuerySet[SandboxObject], call: Call) -> Json:
    page, has_more = page_of_rows(rows, call.params, id_field="object_id")
    return as_list([row.data for row in page], url=call.path, has_more=has_more)


def _shown(row: SandboxObject) -> Json:
    data: Json = row.data
    return data
