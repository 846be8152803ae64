"""What Stripe posts: believed only when it is genuine, and never lost once it is."""

from __future__ import annotations

import json
from typing import Any

import pytest
import stripe
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from downloads.models import UserAsset
from downloads.policy import decide
from orders.models import Order, OrderAnomaly, OutboxMail, StripeEvent
from orders.services.checkout import checkout_start
from orders.services.events import events_retry
from orders.services.fulfilment import payment_give_up
from orders.stripe_gateway import API_VERSION
from orders.stripe_sandbox import actions, controls
from orders.stripe_sandbox.models import SandboxControls, SandboxEvent, SandboxObject
from orders.tests.signed import URL, event_body, post, sign
from tests.factories import buy, make_product, make_user, session_id_of, start_checkout

pytestmark = pytest.mark.django_db


def test_the_pinned_version_is_the_librarys() -> None:
    assert stripe.api_version == API_VERSION


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


def test_the_webhook_needs_no_csrf_token() -> None:
    body = event_body()

    assert post(Client(enforce_csrf_checks=True), body, sign(body)).status_code == 200
    assert reverse("orders:stripe_webhook") == URL


@pytest.mark.wide
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


@pytest.mark.wide
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


def test_a_name_that_only_speaks_of_a_nul_is_no_nul(client: Client) -> None:
    body = event_body(
        data={"object": {"id": "cs_test_1", "object": "checkout.session", "name": "\\u0000"}}
    )
    odd = event_body(
        data={"object": {"id": "cs_test_1", "object": "checkout.session", "name": "\\\0"}}
    )

    assert post(client, body, sign(body)).status_code == 200
    assert post(client, odd, sign(odd)).status_code == 400


@pytest.mark.parametrize(
    "subject",
    [
        {"id": "cs_test_1", "object": "checkout.session", "metadata": ["a"]},
        {"id": "cs_test_1", "object": "checkout.session", "metadata": {"store": {"a": 1}}},
        {"object": "checkout.session"},
        {"id": None, "object": ["a"], "metadata": 5},
    ],
)
def test_an_event_that_speaks_of_nothing_of_ours_is_kept_and_ignored(
    client: Client, subject: dict[str, Any]
) -> None:
    body = event_body(data={"object": subject})

    assert post(client, body, sign(body)).status_code == 200
    assert StripeEvent.objects.get().status == "ignored"


def test_a_session_of_the_wrong_mode_changes_nothing_and_is_on_record(client: Client) -> None:
    order = start_checkout(make_user(), make_product()).order
    actions.pay(session_id_of(order))
    session = SandboxObject.objects.get(object_id=session_id_of(order))
    session.data["livemode"] = True
    session.save()

    controls.deliver(controls.pending_deliveries()[-1], controls.through(client))

    order.refresh_from_db()
    assert not order.is_paid
    assert OrderAnomaly.objects.get().code == "wrong_livemode"


def test_whoever_waits_for_an_answer_waits_briefly(client: Client, settings: Any) -> None:
    settings.STRIPE_HURRY_SECONDS = -1  # the time is over before anybody is asked
    order = start_checkout(make_user(), make_product()).order
    actions.pay(session_id_of(order))
    completed = controls.pending_deliveries()[-1]

    with CaptureQueriesContext(connection) as queries:
        status = controls.deliver(completed, controls.through(client))

    assert status == 503
    assert "no time left" in StripeEvent.objects.get().error
    words = "busy_timeout = 1000" if connection.vendor == "sqlite" else "lock_timeout = 1000"
    assert any(words in query["sql"] for query in queries)


@pytest.mark.wide
def test_when_stripe_is_away_one_question_is_enough(client: Client) -> None:
    for number in range(3):
        order = start_checkout(make_user(), make_product()).order
        StripeEvent.objects.create(
            event_id=f"evt_{number}", type="checkout.session.expired", livemode=False,
            object_id=session_id_of(order), created_at=order.created_at,
            payload={"data": {"object": SandboxObject.objects.get(object_id=session_id_of(order)).data}},
        )  # fmt: skip
    controls.set_api(SandboxControls.Api.DOWN)

    assert events_retry() == 0
    assert sum(StripeEvent.objects.values_list("attempts", flat=True)) == 1

    controls.set_api(SandboxControls.Api.UP)
    assert events_retry(even_early=True) == 3


def test_an_event_that_somebody_else_has_taken_is_left_to_them(client: Client) -> None:
    """The claim is a conditional update: whoever finds the row as it was listed has it."""
    order = start_checkout(make_user(), make_product()).order
    event = StripeEvent.objects.create(
        event_id="evt_1", type="product.created", livemode=False, object_id="prod_1",
        created_at=order.created_at, payload={"data": {"object": {}}},
    )  # fmt: skip

    def meanwhile(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        if sql.startswith("SELECT") and "stripeevent" in sql and not taken:
            taken.append(
                StripeEvent.objects.filter(pk=event.pk).update(next_attempt_at=order.created_at)
            )
        return result

    taken: list[int] = []
    with connection.execute_wrapper(meanwhile):
        assert events_retry() == 0
    event.refresh_from_db()
    assert event.status == "received"
