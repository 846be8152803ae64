"""The API over real HTTP: the same answers, real broken connections, and a server that ends."""

from __future__ import annotations

import http.client
import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
import stripe
from django.db import connection, connections
from django.db.backends.signals import connection_created

from orders.stripe_sandbox import actions, controls
from orders.stripe_sandbox.constants import API_VERSION, SECRET_KEY
from orders.stripe_sandbox.models import SandboxObject
from orders.stripe_sandbox.tests import factories, loopback
from orders.stripe_sandbox.tests.factories import (
    new_key,
    new_session,
    session_params,
    stripe_client,
    told,
)

in_one_transaction = pytest.mark.django_db
# Rows that other threads must see. Only the sandbox's own tables are emptied afterwards.
committed = pytest.mark.django_db(transaction=True, available_apps=["orders.stripe_sandbox"])


def is_listening(url: str) -> bool:
    address = urlsplit(url)
    with socket.socket() as probe:
        return probe.connect_ex((address.hostname, address.port)) == 0


@in_one_transaction
def test_the_test_and_the_server_see_each_others_uncommitted_rows() -> None:
    with loopback.serve(shared_connection=True) as url, factories.api_at(url):
        made = new_session()
        actions.pay(made.id)

        read = stripe_client().v1.checkout.sessions.retrieve(made.id)

    assert connection.in_atomic_block
    assert SandboxObject.objects.filter(object_id=made.id).exists()
    assert (read.status, read.payment_status) == ("complete", "paid")


@in_one_transaction
def test_a_shared_connection_is_the_tests_own_again_afterwards() -> None:
    with loopback.serve(shared_connection=True) as url, factories.api_at(url):
        new_session()

    assert not connection.allow_thread_sharing
    assert SandboxObject.objects.count() == 1


@pytest.mark.parametrize(("shared", "opened"), [(True, 0), (False, 2)])
@committed
def test_every_request_has_a_connection_of_its_own_unless_the_tests_is_shared(
    shared: bool, opened: int
) -> None:
    connection.ensure_connection()
    connections_made: list[object] = []

    def note(connection: object, **_signal: object) -> None:
        connections_made.append(connection)

    connection_created.connect(note)
    try:
        with loopback.serve(shared_connection=shared) as url, factories.api_at(url):
            made = new_session()
            stripe_client().v1.checkout.sessions.retrieve(made.id)
    finally:
        connection_created.disconnect(note)

    assert len(connections_made) == opened
    assert connection not in connections_made
    assert SandboxObject.objects.get().object_id == made.id


@pytest.mark.parametrize("shared", [True, False])
@committed
def test_the_server_ends_with_the_test_also_when_it_fails(shared: bool) -> None:
    addresses = []
    before = threading.active_count()

    with suppress(ZeroDivisionError), loopback.serve(shared_connection=shared) as url:
        addresses.append(url)
        was_listening = is_listening(url)
        1 / 0  # noqa: B018 - a test that fails

    assert was_listening
    assert not is_listening(addresses[0])
    assert threading.active_count() == before
    assert not connection.allow_thread_sharing


@committed
@pytest.mark.parametrize("state", ["down", "losing_answers"])
def test_a_connection_without_an_answer_is_a_connection_error(state: str) -> None:
    key, params = new_key(), session_params()
    with loopback.serve() as url, factories.api_at(url):
        sessions = stripe_client().v1.checkout.sessions
        controls.set_api(state)
        with pytest.raises(stripe.APIConnectionError):
            sessions.create(params=params, options={"idempotency_key": key})
        made_meanwhile = SandboxObject.objects.count()
        controls.set_api("up")

        made = sessions.create(params=params, options={"idempotency_key": key})

    assert made_meanwhile == (1 if state == "losing_answers" else 0)
    assert SandboxObject.objects.get().object_id == made.id


@in_one_transaction
def test_a_failing_api_is_a_500_and_does_nothing() -> None:
    controls.set_api("failing")
    with (
        loopback.serve(shared_connection=True) as url,
        factories.api_at(url),
        pytest.raises(stripe.APIError) as refusal,
    ):
        new_session()

    assert refusal.value.http_status == 500
    assert refusal.value.user_message == "An unknown error occurred"
    assert SandboxObject.objects.count() == 0


@committed
def test_requests_with_one_key_at_the_same_time_make_one_session() -> None:
    key, params, start = new_key(), session_params(), threading.Barrier(6)
    ids: list[str] = []

    def create() -> None:
        try:
            start.wait(10)
            sessions = stripe_client().v1.checkout.sessions
            ids.append(sessions.create(params=params, options={"idempotency_key": key}).id)
        finally:
            connections.close_all()

    with loopback.serve() as url, factories.api_at(url):
        threads = [threading.Thread(target=create) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

    assert ids == [SandboxObject.objects.get().object_id] * 6


def raw(url: str, method: str, path: str, body: str = "", **headers: str) -> tuple[int, str]:
    """A request that the library would never make."""
    address = urlsplit(url)
    client = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
    known = {"Authorization": f"Bearer {SECRET_KEY}", "Stripe-Version": API_VERSION, **headers}
    try:
        client.request(method, path, body=body or None, headers=known)
        answer = client.getresponse()
        return answer.status, answer.read().decode()
    finally:
        client.close()


@in_one_transaction
@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/refunds/re_%00", "", 404),
        ("GET", "/v1/refunds/%FF%FE", "", 404),
        ("GET", "/v1/refunds/re_x%2F..%2Fcharges", "", 404),
        ("GET", "/v1/refunds?payment_intent=%00", "", 400),
        ("GET", "/v1/refunds?limit=%D9%A3", "", 400),
        ("GET", "/v1/refunds?limit=10%0A", "", 400),
        ("GET", "/v1/refunds?limit=99999999999999999999", "", 400),
        ("GET", "/v1/refunds?expand[%C2%B2]=data.charge", "", 400),
        ("GET", "/v1/refunds?expand[" + "9" * 5000 + "]=data.charge", "", 400),
        ("GET", "/v1/refunds?created[gte]=1.5", "", 400),
        ("POST", "/v1/refunds", "payment_intent=pi_x&metadata[a]=%00", 400),
        ("POST", "/v1/refunds", "metadata[a%00]=b", 400),
        ("POST", "/v1/refunds", "[]=[]&&&=", 400),
        ("POST", "/v1/refunds", "payment_intent[a]=b&payment_intent=c", 400),
        ("DELETE", "/v1/refunds", "", 404),
        ("GET", "/", "", 404),
    ],
)
def test_nonsense_gets_an_answer_as_stripe_gives_it(
    method: str, path: str, body: str, status: int
) -> None:
    with loopback.serve(shared_connection=True) as url:
        answered, text = raw(url, method, path, body)

    assert answered == status
    assert '"type":"invalid_request_error"' in text


@in_one_transaction
def test_without_the_key_there_is_no_answer_but_401() -> None:
    with loopback.serve(shared_connection=True) as url:
        status, text = raw(url, "GET", "/v1/events", Authorization="Basic c2s6")

    assert status == 401
    assert "Invalid API Key" in text


@committed
def test_events_are_paged_over_http_like_everything_else() -> None:
    with loopback.serve() as url, factories.api_at(url):
        session_id = actions.pay(new_session().id)["id"]
        listed = stripe_client().v1.events.list(params={"limit": 1})
        found = [event.type for event in listed.auto_paging_iter()]

    assert found == told(session_id)[::-1]
