"""What Stripe posts: believed only when it is genuine, and never lost once it is."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import stripe
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse

from downloads.models import AccessEvent, UserAsset
from downloads.policy import decide
from orders.models import Order, OrderAnomaly, OutboxMail, StripeEvent
from orders.services.checkout import checkout_start
from orders.services.events import events_retry
from orders.services.fulfilment import payment_give_up
from orders.stripe_gateway import API_VERSION
from orders.stripe_sandbox import actions, controls
from orders.stripe_sandbox.models import SandboxControls, SandboxEvent, SandboxObject
from tests.factories import buy, make_product, make_user, session_id_of, start_checkout

pytestmark = pytest.mark.django_db
URL = "/checkout/webhook/"
SECRET = "whsec_test_first"


def sign(body: bytes, secret: str = SECRET, stamp: int | None = None) -> str:
    """Stripe's scheme, written by hand: the library must not judge itself."""
    stamp = int(time.time()) if stamp is None else stamp
    digest = hmac.new(
        secret.encode(), str(stamp).encode() + b"." + body, hashlib.sha256
    ).hexdigest()
    return f"t={stamp},v1={digest}"


def event_body(**changes: Any) -> bytes:
    event = {
        "id": "evt_1",
        "object": "event",
        "type": "checkout.session.completed",
        "livemode": False,
        "api_version": API_VERSION,
        "created": int(time.time()),
        "data": {"object": {"id": "cs_test_1", "object": "checkout.session", "metadata": {}}},
        **changes,
    }
    return json.dumps(event).encode()


def post(client: Client, body: bytes, header: str | None) -> Any:
    headers = {} if header is None else {"Stripe-Signature": header}
    return client.post(URL, body, content_type="application/json", headers=headers)


def test_the_pinned_version_is_the_librarys() -> None:
    assert stripe.api_version == API_VERSION


@pytest.mark.parametrize(
    "case",
    [
        "none", "wrong secret", "old", "future", "not utf-8", "not ascii", "junk", "list", "no data",
        "altered", "empty", "huge stamp", "v0", "null object", "deep", "surrogate", "nan", "infinite",
        "nul",
    ],
)  # fmt: skip
def test_what_is_not_genuine_gets_400_one_log_line_and_no_row(
    client: Client, caplog: pytest.LogCaptureFixture, case: str
) -> None:
    body, now = event_body(), int(time.time())
    requests = {
        "none": (body, None),
        "wrong secret": (body, sign(body, "whsec_other")),
        "old": (body, sign(body, stamp=now - 3600)),
        "future": (body, sign(body, stamp=now + 3600)),
        "not utf-8": (b"\xff\xfe", sign(b"\xff\xfe")),
        "not ascii": (body, "t=1,v1=é"),
        "junk": (b"{", sign(b"{")),
        "list": (b"[]", sign(b"[]")),
        "no data": (b'{"id":"evt_1"}', sign(b'{"id":"evt_1"}')),
        "altered": (body.replace(b"evt_1", b"evt_2"), sign(body)),
        "empty": (b"", sign(b"")),
        "huge stamp": (body, f"t={'9' * 5000},v1=00"),
        "v0": (body, sign(body).replace("v1=", "v0=")),
        "null object": (event_body(data={"object": None}), sign(event_body(data={"object": None}))),
        "deep": (b"[" * 100_000, sign(b"[" * 100_000)),
        **{
            name: (odd, sign(odd))
            for name, odd in {
                "surrogate": event_body(id="evt_X").replace(b"evt_X", b"evt_\\ud800"),
                "nan": event_body(pending_webhooks=float("nan")),
                "infinite": event_body(pending_webhooks="X").replace(b'"X"', b"1e400"),
                "nul": event_body(id="evt_\0"),
            }.items()
        },
    }

    response = post(client, *requests[case])

    assert response.status_code == 400
    assert not StripeEvent.objects.exists()
    assert len(caplog.records) == 1, caplog.messages


def test_a_body_over_a_megabyte_is_413(client: Client) -> None:
    body = b"x" * 1_000_001

    assert post(client, body, sign(body)).status_code == 413
    assert not StripeEvent.objects.exists()


def test_a_length_that_is_no_number_is_400(client: Client) -> None:
    body = event_body()

    response = client.generic(
        "POST", URL, body, content_type="application/json", CONTENT_LENGTH="abc"
    )

    assert response.status_code == 400


def test_a_poisonous_event_keeps_its_reason_and_lets_the_others_through(client: Client) -> None:
    order = start_checkout(make_user(), make_product()).order
    actions.pay(session_id_of(order))
    poison = StripeEvent.objects.create(
        event_id="evt_poison", type="checkout.session.completed", livemode=False,
        payload={"data": {"object": []}}, created_at=order.created_at,
    )  # fmt: skip
    completed = controls.pending_deliveries()[-1]
    controls.set_api(SandboxControls.Api.DOWN)
    controls.deliver(completed, controls.through(client))
    controls.set_api(SandboxControls.Api.UP)

    assert events_retry() == 0  # its turn comes in half a minute
    settled = events_retry(even_early=True)

    poison.refresh_from_db()
    order.refresh_from_db()
    assert settled == 1
    assert order.is_paid
    assert (poison.status, poison.attempts) == ("failed", 2)
    assert poison.error


def test_get_is_not_allowed(client: Client) -> None:
    assert client.get(URL).status_code == 405


def test_both_secrets_are_good_while_they_are_rolled(client: Client) -> None:
    for number, secret in enumerate(("whsec_test_first", "whsec_test_second")):
        body = event_body(id=f"evt_{number}")
        assert post(client, body, sign(body, secret)).status_code == 200


def test_foreign_and_unhandled_events_are_kept_and_answered_200(client: Client) -> None:
    foreign, unhandled = event_body(id="evt_a"), event_body(id="evt_b", type="product.created")

    answers = [post(client, body, sign(body)).status_code for body in (foreign, unhandled)]

    assert answers == [200, 200]
    assert set(StripeEvent.objects.values_list("status", flat=True)) == {"ignored"}


def test_a_session_of_ours_whose_row_is_missing_is_kept_and_tried_again(client: Client) -> None:
    order = start_checkout(make_user(), make_product()).order
    actions.pay(session_id_of(order))
    saved = list(order.payments.all())
    items = list(order.items.all())
    for row in (*saved, *items):
        row.delete()
    deliveries = controls.pending_deliveries()
    through = controls.through(client)

    missing = controls.deliver(deliveries[-1], through)
    for row in (*items, *saved):
        row.save(force_insert=True)
    found = controls.deliver(deliveries[-1], through)

    assert (missing, found) == (503, 200)
    event = StripeEvent.objects.get()
    assert (event.status, event.attempts, event.error) == ("handled", 1, "")
    order.refresh_from_db()
    assert order.is_paid


def test_stripe_being_down_while_an_event_arrives_keeps_it_for_later(client: Client) -> None:
    order = start_checkout(make_user(), make_product()).order
    actions.pay(session_id_of(order))
    completed = controls.pending_deliveries()[-1]
    through = controls.through(client)
    controls.set_api(SandboxControls.Api.DOWN)

    down = controls.deliver(completed, through)
    controls.set_api(SandboxControls.Api.UP)
    up = controls.deliver(completed, through)

    assert (down, up) == (503, 200)
    assert UserAsset.objects.count() == 1


class Killed(BaseException):
    """The process dies here; nothing below may catch it."""


@contextmanager
def dying_at(statement: int) -> Iterator[list[int]]:
    """Die when the given SQL statement is about to run; counts them otherwise."""
    seen = [0]

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        seen[0] += 1
        if seen[0] == statement:
            raise Killed
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrapper):
        yield seen


@pytest.mark.django_db(transaction=True)
def test_killed_at_any_statement_and_delivered_again_it_ends_right(client: Client) -> None:
    user, product = make_user(), make_product()
    statement, finished = 0, False

    while not finished:
        statement += 1
        order = start_checkout(user, product).order
        actions.pay(session_id_of(order))
        completed = controls.pending_deliveries()[-1]
        body, header = completed.event.payload.encode(), sign(completed.event.payload.encode())
        try:
            with dying_at(statement):
                post(client, body, header)
            finished = True
        except Killed:
            connection.close()  # as a dead process would: whatever was open is rolled back

        assert post(client, body, sign(body)).status_code == 200

        order.refresh_from_db()
        assert order.status == Order.Status.PAID
        grants = UserAsset.objects.filter(order_item__order=order)
        assert grants.count() == 1
        assert AccessEvent.objects.filter(grant=grants.get(), kind="granted").count() == 1
        assert OutboxMail.objects.filter(order=order).count() == 1
        assert not order.cart.items.exists()
        controls.drop(completed.event)

    assert statement > 20


def test_the_handler_never_calls_stripe_inside_a_transaction(client: Client) -> None:
    from django.db import transaction

    from orders import stripe_gateway

    with transaction.atomic(), pytest.raises(stripe_gateway.CalledInsideTransaction):
        stripe_gateway.get_checkout("cs_test_1")


def test_the_webhook_needs_no_csrf_token() -> None:
    body = event_body()

    assert post(Client(enforce_csrf_checks=True), body, sign(body)).status_code == 200
    assert reverse("orders:stripe_webhook") == URL


def test_a_lock_that_somebody_holds_too_long_is_answered_503(client: Client) -> None:
    """Stripe sends it again; meanwhile nobody waits for ever."""
    order = start_checkout(make_user(), make_product()).order
    actions.pay(session_id_of(order))
    completed = controls.pending_deliveries()[-1]

    def busy(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "FOR UPDATE" in sql or sql.startswith('UPDATE "orders_payment"'):
            raise OperationalError("database is locked")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(busy):
        locked = controls.deliver(completed, controls.through(client))
    free = controls.deliver(completed, controls.through(client))

    assert (locked, free) == (503, 200)
    assert StripeEvent.objects.get().attempts == 1


def test_a_payment_that_stripe_denies_afterwards_stays_paid_and_is_on_record(
    client: Client,
) -> None:
    order = buy(client, make_user(), make_product())
    session = SandboxObject.objects.get(object_id=session_id_of(order))
    session.data["payment_status"] = "unpaid"
    session.save()
    completed = SandboxEvent.objects.get(type="checkout.session.completed")
    controls.deliver_all(controls.through(client), [controls.duplicate(controls.retell(completed))])

    order.refresh_from_db()
    assert order.is_paid
    assert UserAsset.objects.count() == 1
    assert OrderAnomaly.objects.get().code == "paid_contradicted"


def test_an_event_of_the_wrong_mode_changes_nothing_and_is_on_record(client: Client) -> None:
    order = start_checkout(make_user(), make_product()).order
    actions.pay(session_id_of(order))
    told = controls.json_of(controls.pending_deliveries()[-1].event)
    body = json.dumps({**told, "livemode": True}).encode()

    assert post(client, body, sign(body)).status_code == 200

    order.refresh_from_db()
    assert order.status == Order.Status.PENDING
    assert OrderAnomaly.objects.get().code == "wrong_livemode"


def test_a_second_payment_is_kept_flagged_and_gives_nothing_twice(client: Client) -> None:
    user = make_user()
    first = start_checkout(user, make_product()).order
    payment_give_up(payment=first.payments.get(), reason="lost sight of it")
    Order.objects.filter(pk=first.pk).update(status="failed")
    second = checkout_start(cart=first.cart, user=user, email=user.email, consented=True).order
    assert second == first
    for payment in first.payments.all():
        actions.pay(payment.stripe_session_id)

    controls.deliver_all(controls.through(client))

    assert list(first.payments.values_list("status", flat=True)) == ["paid", "paid"]
    assert UserAsset.objects.count() == 1
    assert OutboxMail.objects.filter(kind="receipt").count() == 1
    anomaly = OrderAnomaly.objects.get(code="second_payment")
    assert anomaly.order == first

    actions.refund(anomaly.reference)
    controls.deliver_all(controls.through(client))

    anomaly.refresh_from_db()
    assert anomaly.resolved_at is not None
    assert decide(UserAsset.objects.get()).allowed
