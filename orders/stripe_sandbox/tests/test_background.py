"""What happens in other threads: the courier, double clicks, two processes at once."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import timedelta

import pytest
import stripe
from django.db import connections

from orders.stripe_sandbox import actions, controls, delivery, worker
from orders.stripe_sandbox.errors import StateError
from orders.stripe_sandbox.models import SandboxDelivery, SandboxObject
from orders.stripe_sandbox.tests.factories import (
    new_key,
    new_session,
    session_params,
    stripe_client,
    told,
)
from orders.stripe_sandbox.tests.listener import Shop, listening

# Rows that other threads must see. Only the sandbox's own tables are emptied afterwards.
pytestmark = pytest.mark.django_db(transaction=True, available_apps=["orders.stripe_sandbox"])

PAID = ["charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"]


def test_a_background_thread_delivers_after_commit_and_retries(settings, monkeypatch) -> None:
    monkeypatch.setattr(delivery, "BACKOFF_SECONDS", (0,) * 11)
    made = new_session()
    with listening(500) as shop:
        settings.SITE_BASE_URL = shop.url
        settings.STRIPE_SANDBOX_DELIVERY = "thread"

        actions.pay(made.id)
        finished = worker.wait_until_idle(20)

    assert finished
    assert shop.types == [*PAID, "charge.succeeded"]
    assert set(SandboxDelivery.objects.values_list("status", flat=True)) == {"delivered"}


def test_the_thread_starts_again_for_the_next_event(settings) -> None:
    first, second = new_session(), new_session()
    with listening() as shop:
        settings.SITE_BASE_URL = shop.url
        settings.STRIPE_SANDBOX_DELIVERY = "thread"

        actions.expire(first.id)
        assert worker.wait_until_idle(20)
        actions.expire(second.id)
        assert worker.wait_until_idle(20)

    assert shop.types == ["checkout.session.expired"] * 2


def test_the_thread_survives_an_error_and_delivers_afterwards(settings, monkeypatch) -> None:
    monkeypatch.setattr(worker, "_AFTER_ERROR_SECONDS", 0.05)
    monkeypatch.setattr(delivery, "LEASE", timedelta(milliseconds=10))
    made = new_session()
    with listening() as shop:
        settings.SITE_BASE_URL = None
        settings.STRIPE_SANDBOX_DELIVERY = "thread"

        actions.expire(made.id)
        still_trying = not worker.wait_until_idle(0.3)
        settings.SITE_BASE_URL = shop.url
        finished = worker.wait_until_idle(20)

    assert (still_trying, finished) == (True, True)
    assert shop.types == ["checkout.session.expired"]


def test_held_deliveries_end_the_thread_and_release_starts_it(settings) -> None:
    made = new_session()
    with listening() as shop:
        settings.SITE_BASE_URL = shop.url
        settings.STRIPE_SANDBOX_DELIVERY = "thread"
        controls.hold()

        actions.pay(made.id)
        assert worker.wait_until_idle(20)
        while_held = list(shop.types)
        controls.release()
        assert worker.wait_until_idle(20)

    assert while_held == []
    assert shop.types == PAID


def test_in_manual_mode_no_thread_is_started(settings) -> None:
    settings.STRIPE_SANDBOX_DELIVERY = "manual"
    made = new_session()

    actions.pay(made.id)

    assert worker.wait_until_idle(0)
    assert len(controls.pending_deliveries()) == 3


def test_a_delivery_out_of_turn_is_made_while_the_others_are_held(settings) -> None:
    controls.hold()
    actions.pay(new_session().id)
    last = controls.pending_deliveries()[-1]
    with listening() as shop:
        settings.SITE_BASE_URL = shop.url
        settings.STRIPE_SANDBOX_DELIVERY = "thread"

        finished = controls.deliver_out_of_turn(last)
        assert worker.wait_until_idle(20)

    last.refresh_from_db()
    assert finished
    assert shop.types == ["checkout.session.completed"]
    assert (last.status, last.attempts) == ("delivered", 1)
    assert len(controls.pending_deliveries()) == 2


def test_a_shop_that_answers_one_request_at_a_time_is_not_waited_for(settings, monkeypatch) -> None:
    monkeypatch.setattr(controls, "PATIENCE_SECONDS", 0.05)
    actions.expire(new_session().id)
    [row] = controls.pending_deliveries()
    with listening() as shop:
        shop.may_answer.clear()
        settings.SITE_BASE_URL = shop.url
        settings.STRIPE_SANDBOX_DELIVERY = "thread"

        finished = controls.deliver_out_of_turn(row)
        with pytest.raises(StateError, match="just being sent"):
            controls.deliver_out_of_turn(row)
        shop.may_answer.set()
        for thread in threading.enumerate():
            if thread.name == worker.ONCE:
                thread.join(20)

    row.refresh_from_db()
    assert not finished
    assert shop.types == ["checkout.session.expired"]
    assert (row.status, row.attempts) == ("delivered", 1)
    assert worker.wait_until_idle(20)


def in_threads(count: int, work) -> list:
    """Run `work` in several threads that start together; returns what each returned."""
    start, results = threading.Barrier(count), []

    def run() -> None:
        try:
            start.wait(10)
            results.append(work())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def test_a_double_click_pays_once() -> None:
    made = new_session()

    sessions = in_threads(4, lambda: actions.pay(made.id))

    assert [session["payment_status"] for session in sessions] == ["paid"] * 4
    assert told(made.id) == PAID


def test_several_processes_deliver_each_event_once() -> None:
    made = new_session()
    actions.pay(made.id)
    shop = Shop()

    attempts = in_threads(4, lambda: delivery.deliver_due(post=shop))
    while delivery.seconds_until_next() is not None:
        attempts.append(delivery.deliver_due(post=shop))

    assert sum(attempts) == 3
    assert len(set(shop.bodies)) == 3


def test_requests_with_one_key_at_the_same_time_make_one_session() -> None:
    key, params = new_key(), session_params()

    def create() -> str:
        sessions = stripe_client().v1.checkout.sessions
        return sessions.create(params=params, options={"idempotency_key": key}).id

    ids = in_threads(4, create)

    assert len(ids) == 4
    assert set(ids) == {SandboxObject.objects.get().object_id}


def test_refunds_at_the_same_time_never_exceed_what_was_paid() -> None:
    paid = actions.pay(new_session().id)
    intent_id = paid["payment_intent"]

    def refund() -> str:
        try:
            params = {"payment_intent": intent_id, "amount": 300}
            return stripe_client().v1.refunds.create(params=params).status
        except stripe.InvalidRequestError as refusal:
            return str(refusal.param)

    outcomes = in_threads(4, refund)

    assert sorted(outcomes) == ["amount", "amount", "amount", "succeeded"]


def test_of_paying_and_expiring_at_the_same_time_one_wins() -> None:
    made = new_session()
    choices = iter([actions.pay, actions.expire, actions.pay, actions.expire])

    def act() -> None:
        with suppress(StateError):
            next(choices)(made.id)

    in_threads(4, act)

    assert told(made.id) in (PAID, ["checkout.session.expired"])
