"""Webhooks on the wire: signed, sent once, tried again, given up; over real sockets."""

from __future__ import annotations

import socket
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from standardwebhooks import Webhook

from orders.models import WebhookDelivery, WebhookEndpoint
from orders.services.outgoing import delivery_send, endpoint_rotate, endpoint_update
from orders.services.outgoing.delivery import (
    LEASE,
    MAX_ATTEMPTS,
    PATIENCE,
    WAITS,
    retry_after,
    wait_after,
)
from orders.services.outgoing.endpoints import delivery_send_again
from orders.services.outgoing.errors import NotSent, WebhookDeliveryWaits, WebhookEndpointOff
from orders.services.outgoing.transport import post
from orders.tests.hooks import (
    Received,
    Reply,
    answer,
    make_delivery,
    make_due,
    make_endpoint,
    receiver,
    send_all,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _local_shop(settings: Any) -> None:  # the fixture that puts it back
    settings.SITE_BASE_URL = "http://127.0.0.1:8000"


def silence(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


def verified(secret: str, got: Received) -> Any:
    """What the reference library makes of it; it raises for a wrong signature."""
    return Webhook(secret).verify(got.body, got.headers)


def test_a_receiver_verifies_the_signature_with_the_reference_library() -> None:
    with receiver() as here:
        made = make_endpoint(here.url)
        delivery = make_delivery(made.endpoint, title="Tidewater – Låg sol")

        assert delivery_send(delivery_id=str(delivery.pk))

    [got] = here.received
    assert verified(made.secret, got) == delivery.event.payload
    assert got.headers["webhook-id"] == delivery.event.webhook_id
    assert got.headers["content-type"] == "application/json"
    assert got.headers["host"] == f"127.0.0.1:{here.port}"
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts, delivery.last_status_code) == ("delivered", 1, 204)
    assert delivery.next_attempt_at is None


def test_the_sample_in_the_documents_verifies_what_is_sent() -> None:
    page = (settings.BASE_DIR / "docs" / "webhooks.md").read_text()
    sample: dict[str, Any] = {}
    exec(page.partition("```python\n")[2].partition("```")[0], sample)  # our own page
    with receiver() as here:
        made = make_endpoint(here.url)
        delivery_send(delivery_id=str(make_delivery(made.endpoint).pk))
    [got] = here.received

    is_ours = sample["is_from_the_shop"]

    assert is_ours(made.secret, got.headers, got.body)
    assert not is_ours(made.secret, got.headers, got.body + b" ")
    assert not is_ours(made.secret, got.headers | {"webhook-timestamp": "1700000000"}, got.body)


def test_a_changed_body_and_another_secret_do_not_verify() -> None:
    with receiver() as here:
        made = make_endpoint(here.url)
        send = make_delivery(made.endpoint)
        delivery_send(delivery_id=str(send.pk))
    [got] = here.received

    with pytest.raises(Exception, match="No matching signature"):
        verified(make_endpoint().secret, got)
    with pytest.raises(Exception, match="No matching signature"):
        verified(made.secret, Received(got.path, got.headers, got.body + b" "))


def test_after_a_rotation_both_secrets_verify_for_a_day_and_then_the_new_one_alone() -> None:
    with receiver() as here:
        made = make_endpoint(here.url)
        rotated = endpoint_rotate(endpoint=made.endpoint)
        delivery_send(delivery_id=str(make_delivery(made.endpoint).pk))
        WebhookEndpoint.objects.update(previous_secret_ends_at=timezone.now())
        delivery_send(delivery_id=str(make_delivery(made.endpoint).pk))

    during, later = here.received
    assert verified(made.secret, during) == verified(rotated.secret, during)
    assert verified(rotated.secret, later)
    with pytest.raises(Exception, match="No matching signature"):
        verified(made.secret, later)


def test_each_attempt_has_the_same_id_and_a_time_of_its_own() -> None:
    with receiver(answer(500)) as here:
        made = make_endpoint(here.url)
        delivery = make_delivery(made.endpoint)
        delivery_send(delivery_id=str(delivery.pk))
        here.reply = answer(200)
        make_due(delivery)

        assert send_all() == 1

    first, second = here.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert verified(made.secret, second)
    endpoint = WebhookEndpoint.objects.get()
    assert endpoint.failing_since is None


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_success_is_delivered(status: int) -> None:
    with receiver(answer(status)) as here:
        delivery = make_delivery(make_endpoint(here.url).endpoint)

        assert delivery_send(delivery_id=str(delivery.pk))


@pytest.mark.parametrize("status", [300, 400, 401, 404, 409, 418, 500, 503])
def test_everything_else_waits_and_says_why(status: int) -> None:
    with receiver(answer(status, b"<h1>No \x00\xff way</h1>" + b"y" * 900)) as here:
        delivery = make_delivery(make_endpoint(here.url).endpoint)
        before = timezone.now()

        assert not delivery_send(delivery_id=str(delivery.pk))

    delivery.refresh_from_db()
    assert (delivery.status, delivery.last_status_code) == ("failed", status)
    assert delivery.last_error.startswith(f"Answered {status}. <h1>No way</h1>yyy")
    assert len(delivery.last_error) <= 220
    assert delivery.last_error.isascii()
    assert delivery.next_attempt_at >= before + WAITS[0]
    assert WebhookEndpoint.objects.get().failing_since is not None


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with receiver() as elsewhere, receiver() as here:
        here.reply = answer(status, Location=elsewhere.url)
        delivery = make_delivery(make_endpoint(here.url).endpoint)

        assert not delivery_send(delivery_id=str(delivery.pk))

    assert elsewhere.received == []
    assert len(here.received) == 1
    delivery.refresh_from_db()
    assert (delivery.status, delivery.last_status_code) == ("failed", status)


def test_gone_switches_the_endpoint_off() -> None:
    with receiver(answer(410)) as here:
        made = make_endpoint(here.url)
        delivery, other = make_delivery(made.endpoint), make_delivery(made.endpoint)

        delivery_send(delivery_id=str(delivery.pk))

        assert not delivery_send(delivery_id=str(other.pk))
    delivery.refresh_from_db()
    other.refresh_from_db()
    endpoint = WebhookEndpoint.objects.get()
    assert (delivery.status, other.status, other.attempts) == ("given_up", "pending", 0)
    assert not endpoint.is_active
    assert endpoint.disabled_at is not None
    assert "410" in endpoint.disabled_reason


def moving(endpoint: WebhookEndpoint, url: str, reply: Reply) -> Reply:
    """Answers as `reply` does, when the endpoint has been given another address."""

    def answer_late(handler: BaseHTTPRequestHandler) -> None:
        endpoint_update(endpoint=endpoint, url=url)
        connection.close()  # of this thread
        reply(handler)

    return answer_late


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "reply", [answer(410), answer(500), answer(503, Retry_After="86400"), silence]
)
def test_an_address_that_is_the_endpoints_no_more_judges_neither_it_nor_the_delivery(
    reply: Reply,
) -> None:
    with receiver() as old, receiver() as new:
        endpoint = make_endpoint(old.url).endpoint
        delivery, other = make_delivery(endpoint), make_delivery(endpoint)
        old.reply = moving(endpoint, new.url, reply)

        assert not delivery_send(delivery_id=str(delivery.pk))

        endpoint.refresh_from_db()
        delivery.refresh_from_db()
        assert (endpoint.url, endpoint.is_active, endpoint.failing_since) == (new.url, True, None)
        assert (delivery.status, delivery.attempts) == ("pending", 0)
        assert send_all() == 2
    assert (len(old.received), len(new.received)) == (1, 2)
    assert old.received[0].headers["webhook-id"] == delivery.event.webhook_id
    assert other.event.webhook_id != delivery.event.webhook_id


@pytest.mark.django_db(transaction=True)
def test_an_address_that_was_given_up_on_for_days_does_not_switch_off_the_one_after_it() -> None:
    with receiver() as old:
        endpoint = make_endpoint(old.url).endpoint
        delivery = make_delivery(endpoint)
        WebhookDelivery.objects.update(attempts=MAX_ATTEMPTS - 1)
        WebhookEndpoint.objects.update(failing_since=timezone.now() - PATIENCE)
        old.reply = moving(endpoint, "http://127.0.0.1:8009/", answer(500))

        delivery_send(delivery_id=str(delivery.pk))

    endpoint.refresh_from_db()
    delivery.refresh_from_db()
    assert (endpoint.is_active, endpoint.failing_since) == (True, None)
    assert (delivery.status, delivery.attempts) == ("pending", MAX_ATTEMPTS - 1)


@pytest.mark.django_db(transaction=True)
def test_what_an_address_took_is_delivered_and_says_nothing_of_the_one_after_it() -> None:
    with receiver() as old:
        endpoint = make_endpoint(old.url).endpoint
        delivery = make_delivery(endpoint)

        def take_late(handler: BaseHTTPRequestHandler) -> None:
            WebhookEndpoint.objects.update(
                url="http://127.0.0.1:8009/", failing_since=timezone.now()
            )
            connection.close()
            answer(200)(handler)

        old.reply = take_late

        assert delivery_send(delivery_id=str(delivery.pk))

    delivery.refresh_from_db()
    assert delivery.status == "delivered"
    assert WebhookEndpoint.objects.get().failing_since is not None


def test_what_waited_is_sent_when_the_endpoint_is_switched_on_again_unless_it_is_old() -> None:
    with receiver() as here:
        endpoint = make_endpoint(here.url).endpoint
        endpoint_update(endpoint=endpoint, is_active=False)
        young, old = make_delivery(endpoint), make_delivery(endpoint)
        old.event.occurred_at = timezone.now() - timedelta(days=8)
        old.event.save()
        assert send_all() == 0

        endpoint_update(endpoint=endpoint, is_active=True)

        assert send_all() == 1
    old.refresh_from_db()
    young.refresh_from_db()
    assert (young.status, old.status) == ("delivered", "given_up")


def test_the_waits_are_those_of_the_specification_with_a_little_on_top() -> None:
    seconds = [wait_after(attempt).total_seconds() for attempt in range(1, MAX_ATTEMPTS)]

    assert seconds == [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    assert wait_after(MAX_ATTEMPTS) is None
    assert wait_after(2, jitter_percent=10) == timedelta(seconds=330)


def test_after_its_last_attempt_a_delivery_is_given_up_and_can_be_sent_again() -> None:
    with receiver(answer(500)) as here:
        delivery = make_delivery(make_endpoint(here.url).endpoint)
        WebhookDelivery.objects.update(attempts=MAX_ATTEMPTS - 1)
        delivery_send(delivery_id=str(delivery.pk))
        delivery.refresh_from_db()
        assert (delivery.status, delivery.next_attempt_at) == ("given_up", None)
        here.reply = answer(200)

        delivery_send_again(delivery=delivery)

        assert send_all() == 1
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == ("delivered", 1)


def test_what_is_due_already_is_not_sent_again_and_nothing_goes_where_it_is_off() -> None:
    endpoint = make_endpoint().endpoint
    delivery = make_delivery(endpoint)

    with pytest.raises(WebhookDeliveryWaits):
        delivery_send_again(delivery=delivery)
    endpoint_update(endpoint=endpoint, is_active=False)
    with pytest.raises(WebhookEndpointOff):
        delivery_send_again(delivery=delivery)


def test_days_of_nothing_but_failures_switch_the_endpoint_off() -> None:
    with receiver(answer(500)) as here:
        delivery = make_delivery(make_endpoint(here.url).endpoint)
        WebhookEndpoint.objects.update(failing_since=timezone.now() - PATIENCE)

        delivery_send(delivery_id=str(delivery.pk))

    endpoint = WebhookEndpoint.objects.get()
    assert not endpoint.is_active
    assert "5 days" in endpoint.disabled_reason


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("999999999999999999999", 86_400),
        ("Sat, 28 Nov 2026 09:40:00 GMT", 600),
        ("Sat, 28 Nov 2026 09:20:00 GMT", 0),
        ("soon", 0),
        ("-5", 0),
        ("²", 0),
        ("", 0),
        ("Sat, 99 Nov 2026 09:40:00 GMT", 0),
        ("Sat, 28 Nov 99999999999999999999 09:40:00 GMT", 0),
        ("Sat, 28 Nov 2026 09:40:00 +9999", 0),
        ("Mon, 01 Jan 0001 00:00:00 +2300", 0),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_a_day_at_most(header: str, seconds: int) -> None:
    now = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)

    assert retry_after(header, now) == timedelta(seconds=seconds)


@pytest.mark.parametrize(("status", "is_honoured"), [(429, True), (503, True), (500, False)])
def test_a_busy_receiver_says_when_to_come_back(status: int, is_honoured: bool) -> None:
    with receiver(answer(status, Retry_After="3600")) as here:
        delivery = make_delivery(make_endpoint(here.url).endpoint)
        before = timezone.now()

        delivery_send(delivery_id=str(delivery.pk))

    delivery.refresh_from_db()
    assert (delivery.next_attempt_at >= before + timedelta(hours=1)) is is_honoured


def test_nobody_there_is_a_failure_and_what_else_is_due_there_loses_no_attempt() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        endpoint = make_endpoint(f"http://127.0.0.1:{port}/").endpoint
        deliveries = [make_delivery(endpoint) for _ in range(3)]

        assert send_all() == 0

    for delivery in deliveries:
        delivery.refresh_from_db()
    assert sorted(delivery.attempts for delivery in deliveries) == [0, 0, 1]
    assert all(delivery.next_attempt_at > timezone.now() for delivery in deliveries)
    [tried] = [delivery for delivery in deliveries if delivery.attempts]
    assert tried.last_status_code is None
    assert tried.last_error == "The connection failed: Connection refused."


def test_an_endpoint_that_fails_takes_no_turn_from_one_that_works() -> None:
    with receiver(answer(500)) as bad, receiver() as good:
        failing = make_endpoint(bad.url).endpoint
        WebhookEndpoint.objects.update(failing_since=timezone.now())
        for _ in range(3):
            make_delivery(failing)
        make_delivery(make_endpoint(good.url).endpoint)

        assert send_all() == 1

    assert len(good.received) == 1


def drip(handler: BaseHTTPRequestHandler) -> None:
    """A status line that never ends, one byte after the other."""
    for _ in range(200):
        handler.wfile.write(b"H")
        handler.wfile.flush()
        time.sleep(0.05)


def drip_body(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(500)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    drip(handler)


def pour(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(500)
    handler.end_headers()
    for _ in range(4000):
        handler.wfile.write(b"z" * 65536)


def broken_chunks(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(500)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"no number\r\nwords\r\n")


def endless_chunk_size(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(500)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    drip(handler)


def headers_without_end(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    for number in range(5000):
        handler.send_header(f"X-{number}", "y" * 100)
    handler.end_headers()


def no_http(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n")


def continue_for_ever(handler: BaseHTTPRequestHandler) -> None:
    for _ in range(200):
        handler.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        handler.wfile.flush()
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (drip, "timed_out"),
        (continue_for_ever, "timed_out"),
        (headers_without_end, "answer_unreadable"),
        (no_http, "answer_unreadable"),
        (silence, "connection_closed"),
    ],
)
def test_what_is_no_answer_ends_in_time_with_a_reason(reply: Any, code: str) -> None:
    with receiver(reply) as here, pytest.raises(NotSent) as refused:
        post(url=here.url, body=b"{}", headers={}, timeout_seconds=1)

    assert refused.value.code == code


@pytest.mark.parametrize("reply", [drip_body, pour, broken_chunks, endless_chunk_size])
def test_of_a_slow_huge_or_broken_body_only_the_beginning_is_read(reply: Any) -> None:
    with receiver(reply) as here:
        got = post(url=here.url, body=b"{}", headers={}, timeout_seconds=2)

    assert got.status == 500
    assert len(got.excerpt) <= 200


def test_a_success_counts_whatever_its_body_does() -> None:
    def success(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()

    with receiver(success) as here:
        assert post(url=here.url, body=b"{}", headers={}, timeout_seconds=5).is_success


def test_killed_between_the_answer_and_its_note_it_is_sent_again_when_the_lease_ends() -> None:
    class Killed(BaseException):
        pass

    def die_at_the_note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith('UPDATE "orders_webhookdelivery"') and "delivered" in (params or ()):
            raise Killed
        return execute(sql, params, many, context)

    with receiver() as here:
        delivery = make_delivery(make_endpoint(here.url).endpoint)
        with pytest.raises(Killed), connection.execute_wrapper(die_at_the_note):
            delivery_send(delivery_id=str(delivery.pk))
        delivery.refresh_from_db()
        assert timezone.now() < delivery.next_attempt_at <= timezone.now() + LEASE
        assert send_all() == 0  # somebody may be at it still
        make_due(delivery)

        assert send_all() == 1

    first, second = here.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


def test_stopped_at_each_attempt_it_is_given_up_at_last() -> None:
    with receiver() as here:
        delivery = make_delivery(make_endpoint(here.url).endpoint)
        WebhookDelivery.objects.update(attempts=MAX_ATTEMPTS)

        assert not delivery_send(delivery_id=str(delivery.pk))

    delivery.refresh_from_db()
    assert (delivery.status, here.received) == ("given_up", [])
