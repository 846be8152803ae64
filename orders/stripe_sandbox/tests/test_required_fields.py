"""Every object carries what the installed library declares for it."""

from __future__ import annotations

import re
import sys
from types import ModuleType
from typing import Any, ClassVar, Union, get_args, get_origin

import pytest
import stripe
from stripe._object_classes import get_object_class

from orders.stripe_sandbox import actions, controls, schemas
from orders.stripe_sandbox.constants import API_VERSION
from orders.stripe_sandbox.models import SandboxEvent, SandboxObject
from orders.stripe_sandbox.params import Hash, Listing, Metadata, Param, TimeRange
from orders.stripe_sandbox.tests.factories import line, new_coupon, new_session, stripe_client

pytestmark = pytest.mark.django_db

# Stripe leaves these out until they are asked for or happen to apply.
LEFT_OUT = {
    "charge": {"refunds"},
    "checkout.session": {"line_items"},
    "coupon": {"applies_to", "currency_options", "deleted"},
    "customer": {"cash_balance", "deleted", "invoice_credit_balance", "sources", "subscriptions"}
    | {"tax", "tax_ids"},
    "price": {"currency_options", "deleted", "tiers"},
}
# One key per payment method exists in the schema; an object has only its own.
ONE_OF_MANY = {"payment_method"}


def declared(cls: type) -> dict[str, Any]:
    """The fields of a library class with their types, its helpers left out."""
    return {
        name: hint
        for name, hint in cls.__annotations__.items()
        if not name.startswith("_") and get_origin(hint) is not ClassVar
    }


def is_optional(hint: Any) -> bool:
    return get_origin(hint) is Union and type(None) in get_args(hint)


def inner_class(hint: Any) -> type | None:
    """The class inside a class that a field holds, itself or in a list, if any."""
    if isinstance(hint, type) and issubclass(hint, stripe.StripeObject):
        return hint
    return next((found for part in get_args(hint) if (found := inner_class(part))), None)


def problems(data: Any, cls: type | None, path: str) -> list[str]:
    """Where `data` falls short of `cls`: required fields absent or null, optional ones absent.

    Only whole objects must show their optional fields; parts of them may leave some out.
    """
    if isinstance(data, list):
        return [found for entry in data for found in problems(entry, cls, f"{path}[]")]
    if not isinstance(data, dict):
        return []
    kind = data["object"] if isinstance(data.get("object"), str) else None
    cls = get_object_class("V1", kind) if kind else cls
    if cls is None:
        return []
    found = []
    for name, hint in declared(cls).items():
        where = f"{path}.{name}"
        if name not in data:
            if not is_optional(hint) or not may_be_left_out(kind, name):
                found.append(f"{where} is absent")
        elif data[name] is None and not is_optional(hint):
            found.append(f"{where} is null")
        else:
            found += problems(data[name], inner_class(hint), where)
    return found


def may_be_left_out(kind: str | None, name: str) -> bool:
    return kind is None or kind in ONE_OF_MANY or name in LEFT_OUT.get(kind, ())


def shortcomings(data: dict[str, Any]) -> list[str]:
    return problems(data, None, data["object"])


def refunds_in_every_state() -> None:
    paid = actions.pay(new_session().id)["id"]
    actions.refund(paid, amount=50)
    actions.refund(paid, amount=50, pending=True)
    settled, failed, canceled = (actions.refund(paid, amount=50, pending=True) for _ in range(3))
    actions.settle_refund(settled["id"], succeeds=True)
    actions.settle_refund(failed["id"], succeeds=False)
    actions.cancel_refund(canceled["id"])


def disputes_in_every_state() -> None:
    paid = [actions.pay(new_session().id)["id"] for _ in range(7)]
    actions.open_dispute(paid[0])
    actions.respond_to_dispute(actions.open_dispute(paid[1])["id"])
    actions.close_dispute(actions.open_dispute(paid[2])["id"], outcome="lost")
    inquiries = [
        actions.open_dispute(session, status="warning_needs_response")["id"] for session in paid[3:]
    ]
    actions.respond_to_dispute(inquiries[1])
    actions.close_dispute(inquiries[2], outcome="warning_closed")
    actions.respond_to_dispute(inquiries[3])
    actions.escalate_dispute(inquiries[3])


@pytest.fixture
def everything() -> None:
    """At least one object of every kind, in every state that matters."""
    coupon = new_coupon()
    paid = new_session(discounts=[{"coupon": coupon.id}], customer_creation="always")
    actions.pay(paid.id)
    actions.refund(paid.id, amount=100)
    dispute = actions.open_dispute(paid.id)
    actions.respond_to_dispute(dispute["id"])
    actions.close_dispute(dispute["id"], outcome="won")
    refunds_in_every_state()
    disputes_in_every_state()
    declined = new_session()
    actions.decline(declined.id)
    actions.expire(declined.id)
    taxed = new_session(
        line_items=[line(tax_behavior="exclusive")], automatic_tax={"enabled": True}
    )
    actions.delay(taxed.id)
    actions.settle(taxed.id, succeeds=True)
    failed = new_session()
    actions.delay(failed.id)
    actions.settle(failed.id, succeeds=False)
    new_session()


def test_every_object_has_every_field_of_the_library(everything: None) -> None:
    rows = SandboxObject.objects.all()

    found = {problem for row in rows for problem in shortcomings(row.data)}

    assert found == set()
    assert {row.kind for row in rows} == {
        "charge",
        "checkout.session",
        "coupon",
        "customer",
        "dispute",
        "payment_intent",
        "payment_method",
        "refund",
    }


def test_the_check_has_seen_every_state(everything: None) -> None:
    rows = SandboxObject.objects.filter(kind__in=("refund", "dispute"))

    states = {(row.kind, row.status) for row in rows}

    assert states == {
        *(("refund", status) for status in ("pending", "succeeded", "failed", "canceled")),
        *(("dispute", status) for status in ("needs_response", "under_review", "won", "lost")),
        ("dispute", "warning_needs_response"),
        ("dispute", "warning_under_review"),
        ("dispute", "warning_closed"),
    }


def test_every_line_item_has_every_field_of_the_library(everything: None) -> None:
    sessions = SandboxObject.objects.filter(kind="checkout.session")

    lines = [item for row in sessions for item in row.hidden["line_items"]]

    assert {problem for item in lines for problem in shortcomings(item)} == set()


def test_every_event_has_every_field_of_the_library(everything: None) -> None:
    events = [controls.json_of(row) for row in SandboxEvent.objects.all()]

    found = {problem for event in events for problem in shortcomings(event)}
    found |= {problem for event in events for problem in shortcomings(event["data"]["object"])}

    assert found == set()


def test_the_check_notices_a_field_that_is_missing() -> None:
    data = SandboxObject.objects.get(object_id=new_session().id).data
    del data["automatic_tax"]["enabled"], data["expires_at"], data["consent"]

    found = shortcomings(data)

    assert found == [
        "checkout.session.automatic_tax.enabled is absent",
        "checkout.session.consent is absent",
        "checkout.session.expires_at is absent",
    ]


def test_the_sandbox_speaks_the_version_of_the_library() -> None:
    assert stripe.api_version == API_VERSION


def test_expanded_objects_arrive_as_the_library_classes(everything: None) -> None:
    paid = SandboxObject.objects.filter(kind="checkout.session").earliest("pk")
    paths = ["line_items", "payment_intent.latest_charge"]

    session = stripe_client().v1.checkout.sessions.retrieve(
        paid.object_id, params={"expand": paths}
    )

    assert isinstance(session, stripe.checkout.Session)
    assert isinstance(session.payment_intent, stripe.PaymentIntent)
    assert isinstance(session.payment_intent.latest_charge, stripe.Charge)
    card = session.payment_intent.latest_charge.payment_method_details.card
    assert (card.brand, card.last4) == ("visa", "4242")
    assert isinstance(session.line_items.data[0], stripe.LineItem)
    assert session.line_items.data[0].description == line()["price_data"]["product_data"]["name"]


def unknown_to_stripe(schema: Hash, typed_dict: Any, path: str) -> list[str]:
    """Parameters that the sandbox takes and the library does not declare."""
    hints = typed_dict.__annotations__
    found = []
    for name, param in schema.fields.items():
        if name not in hints:
            found.append(f"{path}.{name}")
        elif inner := hash_of(param):
            nested = typed_dict_in(hints[name], sys.modules[typed_dict.__module__])
            found += unknown_to_stripe(inner, nested, f"{path}.{name}")
    return found


def hash_of(param: Param) -> Hash | None:
    if isinstance(param, Listing):
        return hash_of(param.item)
    return param if isinstance(param, Hash) else None


def typed_dict_in(hint: Any, module: ModuleType) -> Any:
    """The parameter class that an annotation names, wherever in it that stands."""
    named = (getattr(module, word, None) for word in re.findall(r"\w+", str(hint)))
    return next(found for found in named if hasattr(found, "__required_keys__"))


@pytest.mark.parametrize(
    ("schema", "typed_dict"),
    [
        (schemas.SESSION_CREATE, stripe.params.checkout.SessionCreateParams),
        (schemas.SESSION_LIST, stripe.params.checkout.SessionListParams),
        (schemas.SESSION_EXPIRE, stripe.params.checkout.SessionExpireParams),
        (schemas.RETRIEVE, stripe.params.checkout.SessionRetrieveParams),
        (schemas.PAGE, stripe.params.checkout.SessionLineItemListParams),
        (schemas.COUPON_CREATE, stripe.params.CouponCreateParams),
        (schemas.REFUND_CREATE, stripe.params.RefundCreateParams),
        (schemas.BY_PAYMENT, stripe.params.RefundListParams),
        (schemas.BY_PAYMENT, stripe.params.DisputeListParams),
        (schemas.EVENT_LIST, stripe.params.EventListParams),
    ],
)
def test_the_sandbox_takes_no_parameter_that_stripe_has_not(schema: Hash, typed_dict: Any) -> None:
    assert unknown_to_stripe(schema, typed_dict, typed_dict.__name__) == []


def test_metadata_and_time_ranges_are_described_by_their_own_classes() -> None:
    assert isinstance(schemas.SESSION_CREATE.fields["metadata"], Metadata)
    assert isinstance(schemas.SESSION_LIST.fields["created"], TimeRange)
