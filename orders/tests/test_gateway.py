"""Every request that reaches Stripe: of the declared shape, under a key, and outside transactions."""

from __future__ import annotations

import inspect
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from catalog_pages.models import ShopSettings
from orders import stripe_gateway
from orders.models import Order, Refund
from orders.services.carts import cart_add
from orders.services.checkout import checkout_resume, checkout_start
from orders.services.events import HANDLERS
from orders.services.reconcile import order_check, reconcile
from orders.services.refund_facts import refunds_send_waiting
from orders.services.refunds import refund_request
from orders.stripe_facts import CalledInsideTransaction, GatewayNotFound, GatewayRefused
from orders.stripe_sandbox import actions, controls
from orders.stripe_sandbox.models import SandboxControls
from orders.stripe_sandbox.tests.factories import line, new_coupon, session_params
from orders.tests.wire import ENDPOINTS, RecordingTransport, Sent, problems, through
from tests.factories import buy, make_cart, make_product, make_user, session_id_of, start_checkout

pytestmark = pytest.mark.django_db
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
CALLS_NOTHING = {"livemode", "in_a_hurry", "parse_webhook"}


@pytest.fixture
def transport() -> Iterator[RecordingTransport]:
    with through(RecordingTransport()) as recording:
        yield recording


def tell(client: Client, *event_types: str) -> None:
    """Deliver these events, or all, and lose the others."""
    for delivery in controls.pending_deliveries():
        if not event_types or delivery.event.type in event_types:
            controls.deliver(delivery, controls.through(client))
        controls.drop(delivery.event)


def checkouts_of_many_kinds(client: Client, settings: Any) -> None:
    settings.CART_MAX_QUANTITY = 5
    buyer = make_user()
    odd, long = make_product("Våren [0] & 春=100%"), make_product("x" * 245, price_pennies=1)
    cart = make_cart(buyer, odd, long)
    cart_add(cart=cart, product_id=odd.pk, quantity=2)

    def press() -> Order:
        return checkout_start(cart=cart, user=buyer, email=buyer.email, consented=True).order

    first = press()
    checkout_resume(order=first)
    actions.expire(session_id_of(first))
    tell(client)
    press()
    cart_add(cart=cart, product_id=make_product().pk)
    changed = press()
    actions.decline(session_id_of(changed))
    actions.delay(session_id_of(changed))
    actions.settle(session_id_of(changed), succeeds=False)
    tell(client)
    press()


def a_checkout_with_a_discount() -> None:
    order = start_checkout(make_user(), make_product(), make_product()).order
    actions.expire(session_id_of(order))
    Order.objects.filter(pk=order.pk).update(discount_pennies=101, total_pennies=897)
    checkout_start(cart=order.cart, user=order.user, email=order.email, consented=True)


def many_lines_with_tax(client: Client) -> None:
    ShopSettings.load()
    ShopSettings.objects.update(tax="exclusive")
    buy(client, make_user(), *[make_product() for _ in range(11)])
    ShopSettings.objects.update(tax="none")


def refunds_of_every_kind(client: Client) -> None:
    for reason in ("", *Refund.Reason.values):
        order = buy(client, make_user(), make_product(), make_product(), make_product())
        payment, item = order.payments.get(), order.items.all()[0]
        wishes: list[dict[str, Any]] = [{"item_ids": [item.pk]}, {"amount_pennies": 1}, {}]
        for wish in wishes:
            refund_request(refund_id=uuid.uuid4(), payment=payment, by=None, reason=reason, **wish)
        tell(client)


def an_answer_that_is_lost(client: Client) -> None:
    payment = buy(client, make_user(), make_product()).payments.get()
    controls.set_api(SandboxControls.Api.LOSING_ANSWERS)
    refund_request(refund_id=uuid.uuid4(), payment=payment, by=None, reason="")
    controls.set_api(SandboxControls.Api.UP)
    Refund.objects.update(created_at=timezone.now() - timedelta(hours=1))
    assert refunds_send_waiting() == 1
    tell(client)


def news_in_an_odd_order(client: Client) -> None:
    for bad_news in (actions.refund, actions.open_dispute):
        order = start_checkout(make_user(), make_product()).order
        actions.pay(session_id_of(order))
        for delivery in controls.pending_deliveries():
            controls.drop(delivery.event)
        order.payments.update(stripe_session_id=None)
        bad_news(session_id_of_intent(order))
        tell(client, "refund.created", "charge.refunded", "charge.dispute.created")


def session_id_of_intent(order: Order) -> str:
    """The session of an order that has forgotten it, as after a crash."""
    return next(
        session.id
        for session in stripe_gateway.list_checkouts(since=SINCE)
        if session.metadata["order"] == str(order.pk)
    )


def everything_is_compared(client: Client) -> None:
    order = start_checkout(make_user(), make_product()).order
    actions.pay(session_id_of(order))
    actions.refund(session_id_of(order), amount=99)
    order_check(order=order)
    waiting = start_checkout(make_user(), make_product()).order
    actions.delay(session_id_of(waiting))
    tell(client)
    list(reconcile(since=timezone.now() - timedelta(days=40), repair=True))


@pytest.mark.wide
def test_whatever_the_services_send_is_what_the_library_declares(
    client: Client, transport: RecordingTransport, settings: Any
) -> None:
    checkouts_of_many_kinds(client, settings)
    a_checkout_with_a_discount()
    many_lines_with_tax(client)
    refunds_of_every_kind(client)
    an_answer_that_is_lost(client)
    news_in_an_odd_order(client)
    everything_is_compared(client)

    assert {problem for sent in transport.sent for problem in problems(sent)} == set()
    assert {sent.endpoint for sent in transport.sent} == set(ENDPOINTS)
    for sent in transport.sent:
        keeps_stripes_limits(sent)
        names_the_version_and_the_key_once(sent)


def keeps_stripes_limits(sent: Sent) -> None:
    for metadata in (sent.form, sent.form.get("payment_intent_data", {})):
        pairs = metadata.get("metadata", {}).items()
        assert len(pairs) <= 50
        assert all(len(name) <= 40 and len(text) <= 500 for name, text in pairs)
    assert len(sent.form.get("line_items", ())) <= 100
    assert len(sent.form.get("client_reference_id", "")) <= 200
    assert len(sent.form.get("types", ())) <= 20
    assert 1 <= int(sent.form.get("limit", "1")) <= 100


def names_the_version_and_the_key_once(sent: Sent) -> None:
    assert sent.headers["stripe-version"] == stripe_gateway.API_VERSION
    assert sent.headers["authorization"] == f"Bearer {stripe_gateway.SANDBOX_KEY}"
    assert stripe_gateway.SANDBOX_KEY not in f"{sent.path} {sent.form}"
    creates = {
        "/v1/checkout/sessions": r"order-[0-9a-f-]{36}-a[1-9][0-9]*",
        "/v1/coupons": r"coupon-order-[0-9a-f-]{36}-a[1-9][0-9]*",
        "/v1/refunds": r"refund-[0-9a-f-]{36}",
    }
    if sent.method == "POST" and sent.path in creates:
        assert re.fullmatch(creates[sent.path], sent.headers["idempotency-key"])
    assert len(sent.headers.get("idempotency-key", "")) <= 255


def test_the_frozen_request_is_sent_as_it_was_frozen(transport: RecordingTransport) -> None:
    order = start_checkout(make_user(), make_product("One"), make_product("Two")).order

    payment, sent = order.payments.get(), transport.sent[-1]

    assert sent.form["success_url"] == (
        "http://testserver/checkout/success/?session_id={CHECKOUT_SESSION_ID}"
    )
    assert sent.headers["idempotency-key"] == payment.idempotency_key
    assert sent.form == as_text(payment.request)
    assert "payment_method_types" not in sent.form
    assert "ui_mode" not in sent.form
    assert sent.form["adaptive_pricing"] == {"enabled": "false"}
    assert sent.form["metadata"] == sent.form["payment_intent_data"]["metadata"]


def as_text(value: Any) -> Any:
    """JSON as a form carries it: every leaf is text, and a list is a hash of places."""
    if isinstance(value, list):
        value = {str(place): item for place, item in enumerate(value)}
    if isinstance(value, dict):
        return {name: as_text(item) for name, item in value.items()}
    return str(value).lower() if isinstance(value, bool) else str(value)


def calls(order: Order, coupon_id: str) -> list[tuple[Callable[..., Any], dict[str, Any]]]:
    """Every function that asks Stripe something, with every kind of argument it takes."""
    gateway, payment = stripe_gateway, order.payments.get()
    session, intent = {"session_id": payment.stripe_session_id}, payment.stripe_payment_intent_id
    refund = {"payment_intent_id": intent, "amount": 1, "metadata": {"refund": "1"}}
    tax = {"automatic_tax": {"enabled": True}, "line_items": [line(tax_behavior="inclusive")]}
    return [
        (gateway.create_checkout, {"params": payment.request, "idempotency_key": "a"}),
        (gateway.create_checkout, {"params": session_params(**tax), "idempotency_key": "b"}),
        (
            gateway.create_checkout,
            {"params": session_params(discounts=[{"coupon": coupon_id}]), "idempotency_key": "c"},
        ),
        (
            gateway.ensure_coupon,
            {"coupon_id": "order-1-a1", "name": "SPRING", "amount_off": 100, "currency": "GBP"},
        ),
        (gateway.get_checkout, session),
        (gateway.expire_checkout, session),
        (gateway.find_checkout_by_payment_intent, {"payment_intent_id": intent}),
        (gateway.list_checkouts, {"since": SINCE}),
        *(
            (gateway.create_refund, {**refund, "reason": reason, "key": f"refund-{reason}"})
            for reason in ("", *Refund.Reason.values)
        ),
        (gateway.get_refund, {"refund_id": "re_1"}),
        (gateway.get_refund, {"refund_id": "pyr_1"}),
        (gateway.get_dispute, {"dispute_id": "dp_1"}),
        (gateway.get_dispute, {"dispute_id": "du_1"}),
        *(
            (listing, wish)
            for listing in (gateway.list_refunds, gateway.list_disputes)
            for wish in (
                {"since": SINCE},
                {"payment_intent_id": intent},
                {"payment_intent_id": intent, "since": SINCE},
            )
        ),
        (gateway.list_events, {"since": SINCE, "types": list(HANDLERS)}),
        (gateway.list_events, {"since": SINCE, "types": {"refund.created"}}),
    ]


def ask(function: Callable[..., Any], arguments: dict[str, Any]) -> None:
    """Make the call; a list is opened, because it asks nothing before that."""
    answer = function(**arguments)
    if inspect.isgenerator(answer):
        next(answer, None)


def test_every_function_with_every_kind_of_argument_sends_what_is_declared(
    client: Client, transport: RecordingTransport
) -> None:
    order = buy(client, make_user(), make_product())
    listed = calls(order, new_coupon().id)
    transport.sent.clear()

    for number, (function, arguments) in enumerate(listed, start=1):
        # This session cannot expire any more, and those refunds and disputes are nobody's.
        with suppress(GatewayRefused):
            ask(function, arguments)
        assert len(transport.sent) == number, (function, arguments)

    assert {problem for sent in transport.sent for problem in problems(sent)} == set()
    # More lines than a session shows are asked for once tax was worked out for them.
    assert set(ENDPOINTS) - {sent.endpoint for sent in transport.sent} == {
        ("GET", "/v1/checkout/sessions/:id/line_items")
    }
    assert {function.__name__ for function, _ in listed} == asking_functions()


@pytest.mark.parametrize(
    ("lines", "tax", "pays", "questions"),
    [(10, True, True, 1), (11, False, True, 1), (11, True, False, 1), (11, True, True, 2)],
)
def test_further_lines_are_asked_for_only_where_their_tax_matters(
    lines: int, tax: bool, pays: bool, questions: int, transport: RecordingTransport
) -> None:
    price = line(tax_behavior="exclusive")
    params = session_params(line_items=[price] * lines, automatic_tax={"enabled": tax})
    made = stripe_gateway.create_checkout(params=params, idempotency_key="lines")
    if pays:
        actions.pay(made.id)
    transport.sent.clear()

    session = stripe_gateway.get_checkout(made.id)

    assert len(transport.sent) == questions
    assert len(session.lines) == (lines if lines == 10 or questions == 2 else 0)


def asking_functions() -> set[str]:
    public = {
        name
        for name, value in vars(stripe_gateway).items()
        if inspect.isfunction(value) and value.__module__ == stripe_gateway.__name__
    }
    return {name for name in public if not name.startswith("_")} - CALLS_NOTHING


A_SESSION = session_params(metadata={"order": "1"}, expires_at=1800000000)
MISTAKES = {
    "an unknown name": ({"ui_style": "x"}, "ui_style is unknown"),
    "an unknown name inside": ({"adaptive_pricing": {"on": "true"}}, "adaptive_pricing[on] is unknown"),
    "an option that is no parameter": ({"idempotency_key": "a"}, "idempotency_key is unknown"),
    "no list": ({"line_items": {"1": as_text(line())}}, "line_items is no list"),
    "a float": ({"expires_at": "1800000000.0"}, "expires_at is '1800000000.0'"),
    "an exponent": ({"expires_at": "18e8"}, "expires_at is '18e8'"),
    "a number of Python's": ({"expires_at": "1_800_000_000"}, "expires_at is '1_800_000_000'"),
    "a truth of Python's": ({"adaptive_pricing": {"enabled": "True"}}, "adaptive_pricing[enabled] is 'True'"),
    "a word of nobody's": ({"customer_creation": "never"}, "customer_creation is 'never'"),
    "an empty text": ({"customer_email": ""}, "customer_email is ''"),
    "no hash": ({"metadata": "order"}, "metadata is no hash"),
    "a hash for a text": ({"metadata": {"order": {"id": "1"}}}, "metadata[order] is {'id': '1'}"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_the_check_notices(name: str) -> None:
    wrong, complaint = MISTAKES[name]
    right = as_text(A_SESSION)

    assert problems(Sent("POST", "/v1/checkout/sessions", right, {})) == []
    found = problems(Sent("POST", "/v1/checkout/sessions", right | wrong, {}))

    assert [problem.partition(" instead of ")[0] for problem in found] == [complaint]


def test_the_check_notices_what_is_missing_or_wrong_far_inside() -> None:
    wrong = as_text(line(pennies=4.99))  # type: ignore[arg-type]
    del wrong["price_data"]["currency"], wrong["price_data"]["product_data"]["name"]
    form = as_text(A_SESSION) | {"line_items": {"0": as_text(line()), "1": wrong}}

    found = problems(Sent("POST", "/v1/checkout/sessions", form, {}))

    assert found == [
        "line_items[1][price_data][currency] is missing",
        "line_items[1][price_data][unit_amount] is '4.99' instead of <class 'int'>",
        "line_items[1][price_data][product_data][name] is missing",
    ]


def test_a_request_to_an_endpoint_that_is_not_in_the_list_is_a_problem() -> None:
    for method, path in (("GET", "/v1/charges/ch_1"), ("DELETE", "/v1/refunds"), ("GET", "/v1/")):
        assert problems(Sent(method, path, {}, {})) == [
            f"{method} {path} is not in the list of endpoints"
        ]


@pytest.mark.parametrize(
    "shape",
    [
        "", "/", ".", "..", "../x", "{id}/../..", "{id}/", "{id}?limit=1", "{id}#", "{id}%2f", "{id} ",
        "{id}\n", "{id}\0", "{id}é", "é{id}", " {id}", "x{id}", "{id}" + "a" * 300, "{prefix}", "pi_1",
        "{id}\n{id}", "{ID}",
    ],
)  # fmt: skip
def test_what_is_no_id_is_not_found_and_never_becomes_part_of_an_address(
    transport: RecordingTransport, shape: str
) -> None:
    asked = [
        (stripe_gateway.get_checkout, "cs_test_1"),
        (stripe_gateway.expire_checkout, "cs_live_1"),
        (stripe_gateway.get_refund, "re_1"),
        (stripe_gateway.get_dispute, "du_1"),
    ]
    for function, real in asked:
        odd = shape.format(id=real, prefix=real[:-1], ID=real.upper())
        with pytest.raises(GatewayNotFound):
            function(odd)

    assert transport.sent == []


def test_a_list_of_everything_is_never_asked_for(transport: RecordingTransport) -> None:
    for listing in (stripe_gateway.list_refunds, stripe_gateway.list_disputes):
        with pytest.raises(GatewayNotFound):
            next(listing())

    assert transport.sent == []


def test_no_function_asks_stripe_while_a_transaction_is_open(
    client: Client, transport: RecordingTransport
) -> None:
    order = buy(client, make_user(), make_product())
    listed = calls(order, "coupon")
    transport.sent.clear()

    for function, arguments in listed:
        with transaction.atomic(), pytest.raises(CalledInsideTransaction):
            ask(function, arguments)

    assert transport.sent == []
