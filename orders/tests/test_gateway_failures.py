"""What goes wrong between Stripe and the shop: three kinds of failure, pages, and a hurry."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import pytest
import stripe
import stripe._stripe_client
from django.db import transaction
from django.test import Client

from orders import stripe_gateway
from orders.errors import PaymentRefused
from orders.models import StripeEvent
from orders.services.checkout import checkout_start
from orders.services.events import HANDLERS, events_waiting
from orders.stripe_facts import (
    CalledInsideTransaction,
    GatewayError,
    GatewayNotFound,
    GatewayRefused,
    GatewayUnavailable,
)
from orders.stripe_sandbox import actions, controls
from orders.stripe_sandbox.models import SandboxEvent, SandboxObject
from orders.stripe_sandbox.transport import SandboxTransport
from orders.tests.wire import Answering, RecordingTransport, through
from tests.factories import make_cart, make_product, make_user, session_id_of, start_checkout

pytestmark = pytest.mark.django_db
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
KEY = "sk_live_51ThisIsTheSecretOfTheShop"


def refusal(message: str = "No.", **words: str) -> dict[str, Any]:
    return {"error": {"type": "invalid_request_error", "message": message, **words}}


def failure_of(transport: SandboxTransport) -> GatewayError:
    with through(transport), pytest.raises(GatewayError) as caught:
        stripe_gateway.get_checkout("cs_test_1")
    return caught.value


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, GatewayRefused), (402, GatewayRefused), (404, GatewayNotFound),
        *((status, GatewayUnavailable) for status in (401, 403, 409, 429, 500, 502, 503, 504)),
    ],
)  # fmt: skip
def test_every_status_is_one_of_three_failures(status: int, kind: type[GatewayError]) -> None:
    error = failure_of(Answering(status, refusal(code="odd", param="amount")))

    assert type(error) is kind
    assert isinstance(error.__cause__, stripe.StripeError)
    if isinstance(error, GatewayRefused):
        assert (str(error), error.code, error.param) == ("No.", "odd", "amount")


@pytest.mark.parametrize("status", [200, 302, 400, 404, 408, 413, 429, 500, 502])
@pytest.mark.parametrize(
    "body", ["<html>A proxy's own words</html>", "", "{", "[]", '"no"', "null"]
)
def test_an_answer_that_is_not_stripes_says_nothing_about_the_order(status: int, body: str) -> None:
    """A proxy's page must not close a payment or a refund that Stripe may have made."""
    assert isinstance(failure_of(Answering(status, body)), GatewayUnavailable)


def all_errors(base: type[stripe.StripeError]) -> Iterator[type[stripe.StripeError]]:
    for error in base.__subclasses__():
        yield error
        yield from all_errors(error)


@pytest.mark.parametrize("kind", sorted(set(all_errors(stripe.StripeError)), key=str))
@pytest.mark.parametrize("status", [None, 400, 404, 500])
def test_every_error_of_the_library_is_translated(
    kind: type[stripe.StripeError], status: int | None
) -> None:
    error = kind.__new__(kind)
    stripe.StripeError.__init__(error, "Words", http_status=status)
    error.should_retry = False  # type: ignore[attr-defined]

    failure = failure_of(Answering(error=error))

    assert "Words" in str(failure)
    if status in (None, 500) or issubclass(kind, stripe.APIConnectionError | stripe.RateLimitError):
        assert type(failure) is GatewayUnavailable


@pytest.mark.parametrize("state", [controls.Api.DOWN, controls.Api.FAILING])
def test_an_absent_or_failing_stripe_is_unavailable_for_lists_too(state: str) -> None:
    controls.set_api(state)

    with pytest.raises(GatewayUnavailable):
        stripe_gateway.get_refund("re_1")
    with pytest.raises(GatewayUnavailable):
        next(stripe_gateway.list_checkouts(since=LONG_AGO))


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("status", "message"),
    [
        (401, "Invalid API Key provided: sk_live_51Thi************************Shop"),
        (401, "Expired API Key provided: sk_live_51Thi************************Shop"),
        (403, "The provided key 'sk_live_51Thi*****Shop' does not have access to this account."),
    ],
)
def test_nothing_of_the_key_is_in_what_is_logged_or_stored(
    client: Client, caplog: pytest.LogCaptureFixture, status: int, message: str
) -> None:
    """Stripe repeats the ends of a key that it does not take; the inbox is shown to staff."""
    order = start_checkout(make_user(), make_product()).order
    actions.pay(session_id_of(order))
    caplog.clear()

    with through(Answering(status, refusal(message))):
        controls.deliver_all(controls.through(client))

    event = StripeEvent.objects.get(type="checkout.session.completed")
    told = "\n".join([event.error, *(r.getMessage() for r in caplog.records if is_ours(r))])
    assert "GatewayUnavailable" in told
    assert "sk_live" not in told
    assert "Shop" not in told


def is_ours(record: logging.LogRecord) -> bool:
    return record.name.startswith("orders.")


def test_stripes_own_refusal_of_an_amount_is_a_sentence_and_the_cart_survives() -> None:
    buyer = make_user()
    cart = make_cart(buyer, make_product())

    with through(Answering(400, refusal(code="amount_too_small"))), pytest.raises(PaymentRefused):
        checkout_start(cart=cart, user=buyer, email=buyer.email, consented=True)

    assert cart.items.count() == 1
    assert cart.orders.get().status == "failed"
    again = checkout_start(cart=cart, user=buyer, email=buyer.email, consented=True)
    assert again.url


def many_sessions(number: int) -> Callable[[], Iterator[Any]]:
    start_checkout(make_user(), make_product())
    copy_object(SandboxObject.objects.get(kind="checkout.session"), number)
    return lambda: stripe_gateway.list_checkouts(since=LONG_AGO)


def a_paid_order() -> str:
    session_id = session_id_of(start_checkout(make_user(), make_product()).order)
    actions.pay(session_id)
    return session_id


def many_refunds(number: int) -> Callable[[], Iterator[Any]]:
    actions.refund(a_paid_order())
    row = SandboxObject.objects.get(kind="refund")
    copy_object(row, number)
    return lambda: stripe_gateway.list_refunds(payment_intent_id=row.payment_intent)


def many_disputes(number: int) -> Callable[[], Iterator[Any]]:
    actions.open_dispute(a_paid_order())
    copy_object(SandboxObject.objects.get(kind="dispute"), number)
    return lambda: stripe_gateway.list_disputes(since=LONG_AGO)


def many_events(number: int) -> Callable[[], Iterator[Any]]:
    a_paid_order()
    row = SandboxEvent.objects.get(type="checkout.session.completed")
    SandboxEvent.objects.bulk_create(
        SandboxEvent(
            event_id=f"evt_copy{place}", type=row.type, created=row.created, subject=row.subject,
            payload=row.payload.replace(row.event_id, f"evt_copy{place}"),
        )
        for place in range(number - 1)
    )  # fmt: skip
    return lambda: stripe_gateway.list_events(since=LONG_AGO, types=HANDLERS)


def copy_object(row: SandboxObject, number: int) -> None:
    SandboxObject.objects.bulk_create(
        SandboxObject(
            object_id=f"{row.object_id}c{place}", kind=row.kind, created=row.created,
            status=row.status, payment_intent=row.payment_intent, expires_at=row.expires_at,
            data={**row.data, "id": f"{row.object_id}c{place}"},
        )
        for place in range(number - 1)
    )  # fmt: skip


LISTS = [many_sessions, many_refunds, many_disputes, many_events]


@pytest.mark.sampled(4)
@pytest.mark.parametrize("many", LISTS)
def test_a_long_list_comes_in_pages_and_only_as_far_as_it_is_read(
    many: Callable[[int], Callable[[], Iterator[Any]]],
) -> None:
    listed = many(250)

    with through(RecordingTransport()) as transport:
        objects = listed()
        requests = []
        for number in (1, 99, 1, 149):
            assert len(list(islice(objects, number))) == number
            requests.append(len(transport.sent))
        assert next(objects, None) is None
        found = [found.id for found in listed()]

    assert requests == [1, 1, 2, 3]
    assert len(transport.sent) == 6
    assert len(set(found)) == 250
    first, second, third = transport.sent[3:]
    assert "starting_after" not in first.form
    assert second.form == {**first.form, "starting_after": found[99]}
    assert third.form == {**first.form, "starting_after": found[199]}
    assert first.form["limit"] == "100"


@pytest.mark.sampled(4)
@pytest.mark.parametrize("many", LISTS)
def test_an_empty_list_and_a_full_page_are_one_request(
    many: Callable[[int], Callable[[], Iterator[Any]]],
) -> None:
    listed = many(100)

    with through(RecordingTransport()) as transport:
        assert len(list(listed())) == 100
        assert len(transport.sent) == 1
        SandboxObject.objects.all().delete()
        SandboxEvent.objects.all().delete()
        assert list(listed()) == []
        assert len(transport.sent) == 2


@pytest.mark.sampled(4)
@pytest.mark.parametrize("many", LISTS)
def test_no_page_of_a_list_is_fetched_inside_a_transaction(
    many: Callable[[int], Callable[[], Iterator[Any]]],
) -> None:
    listed = many(101)

    with through(RecordingTransport()) as transport:
        objects = listed()
        assert len(list(islice(objects, 100))) == 100
        with transaction.atomic(), pytest.raises(CalledInsideTransaction):
            next(objects)

    assert len(transport.sent) == 1


@pytest.mark.sampled(4)
@pytest.mark.parametrize("many", LISTS)
def test_stripe_going_away_between_two_pages_is_said(
    many: Callable[[int], Callable[[], Iterator[Any]]],
) -> None:
    objects = many(101)()
    list(islice(objects, 100))
    controls.set_api(controls.Api.DOWN)

    with pytest.raises(GatewayUnavailable):
        next(objects)


@contextmanager
def silent_server() -> Iterator[tuple[str, list[bytes]]]:
    """An address that accepts, reads and says nothing; and what it was asked."""
    asked: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []

    def listen() -> None:
        while True:
            try:
                taken, _ = listener.accept()
            except OSError:
                return
            held.append(taken)
            asked.append(taken.recv(10_000))

    thread = threading.Thread(target=listen, name="a-silent-stripe")
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for taken in held:
            taken.close()


@contextmanager
def a_real_client_of(address: str, settings: Any) -> Iterator[None]:
    """The adapter as in production, but for the address that the library begins with."""
    settings.STRIPE_SANDBOX, settings.STRIPE_SECRET_KEY = False, "sk_test_x"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stripe._stripe_client, "DEFAULT_API_BASE", address)
        stripe_gateway._stripe_client.cache_clear()
        try:
            yield
        finally:
            stripe_gateway._stripe_client.cache_clear()


def test_a_webhook_gives_up_on_a_silent_stripe_within_two_seconds_and_keeps_the_event(
    client: Client, settings: Any
) -> None:
    order = start_checkout(make_user(), make_product()).order
    actions.pay(session_id_of(order))
    completed = controls.pending_deliveries()[-1]

    with silent_server() as (address, asked), a_real_client_of(address, settings):
        begun = time.monotonic()
        status = controls.deliver(completed, controls.through(client))
        seconds = time.monotonic() - begun

    assert status == 503
    (request,) = asked
    assert request.startswith(f"GET /v1/checkout/sessions/{session_id_of(order)}?".encode())
    # The patience of everybody else would take longer than this.
    assert seconds < 9
    event = events_waiting().get()
    assert (event.status, event.attempts) == ("failed", 1)
    assert event.error.startswith("GatewayUnavailable")
    assert event.next_attempt_at is not None


@pytest.mark.prove
def test_whoever_is_in_no_hurry_asks_three_times_under_one_key(settings: Any) -> None:
    with (
        silent_server() as (address, asked),
        a_real_client_of(address, settings),
        pytest.raises(GatewayUnavailable),
    ):
        stripe_gateway.create_refund(
            payment_intent_id="pi_1", amount=1, reason="", metadata={}, key="refund-1"
        )

    assert len(asked) == 1 + stripe_gateway.RETRIES
    assert all(b"Idempotency-Key: refund-1\r\n" in request for request in asked)
