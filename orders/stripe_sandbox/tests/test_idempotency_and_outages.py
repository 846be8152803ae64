"""Calls made twice, calls that are refused, calls that get no answer."""

from __future__ import annotations

import time

import pytest
import stripe
from stripe import InvalidRequestError

from orders.stripe_sandbox import actions, controls
from orders.stripe_sandbox.models import SandboxIdempotency, SandboxObject
from orders.stripe_sandbox.tests.factories import (
    new_key,
    new_session,
    session_params,
    stripe_client,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("road")]


def test_the_same_key_and_body_get_the_stored_answer() -> None:
    key, params = new_key(), session_params()
    sessions = stripe_client().v1.checkout.sessions

    first = sessions.create(params=params, options={"idempotency_key": key})
    second = sessions.create(params=params, options={"idempotency_key": key})

    assert second.to_dict() == first.to_dict()
    assert second.last_response.headers["idempotent-replayed"] == "true"
    assert second.last_response.headers["original-request"] == first.last_response.request_id
    assert "idempotent-replayed" not in first.last_response.headers
    assert first.last_response.idempotency_key == key
    assert SandboxObject.objects.count() == 1


def test_the_same_key_with_another_body_is_an_idempotency_error() -> None:
    key = new_key()
    sessions = stripe_client().v1.checkout.sessions
    sessions.create(params=session_params(), options={"idempotency_key": key})

    with pytest.raises(stripe.IdempotencyError, match="same parameters") as refusal:
        sessions.create(
            params=session_params(client_reference_id="order-2"), options={"idempotency_key": key}
        )

    assert refusal.value.http_status == 400
    assert refusal.value.error.type == "idempotency_error"
    assert SandboxObject.objects.count() == 1


def test_a_fresh_expiry_under_the_same_key_is_an_idempotency_error() -> None:
    key, params = new_key(), session_params()
    sessions = stripe_client().v1.checkout.sessions
    sessions.create(params=params, options={"idempotency_key": key})

    with pytest.raises(stripe.IdempotencyError):
        sessions.create(
            params={**params, "expires_at": params["expires_at"] + 1},
            options={"idempotency_key": key},
        )


def test_the_same_key_at_another_address_is_an_idempotency_error() -> None:
    key = new_key()
    made = new_session()
    api = stripe_client().v1
    api.checkout.sessions.create(params=session_params(), options={"idempotency_key": key})

    with pytest.raises(stripe.IdempotencyError, match="same endpoint"):
        api.checkout.sessions.expire(made.id, options={"idempotency_key": key})


def test_a_refusal_that_was_executed_is_stored_under_its_key() -> None:
    made = new_session()
    actions.expire(made.id)
    key = new_key()
    sessions = stripe_client().v1.checkout.sessions

    for replayed in (None, "true"):
        with pytest.raises(InvalidRequestError, match="can be expired") as refusal:
            sessions.expire(made.id, options={"idempotency_key": key})
        assert refusal.value.headers.get("idempotent-replayed") == replayed


def test_a_refusal_of_wrong_parameters_is_not_stored_under_its_key() -> None:
    key = new_key()
    sessions = stripe_client().v1.checkout.sessions
    with pytest.raises(InvalidRequestError):
        sessions.create(params=session_params(mode="gift"), options={"idempotency_key": key})

    made = sessions.create(params=session_params(), options={"idempotency_key": key})

    assert made.status == "open"


def test_a_key_is_forgotten_after_a_day() -> None:
    key, params = new_key(), session_params()
    sessions = stripe_client().v1.checkout.sessions
    first = sessions.create(params=params, options={"idempotency_key": key})
    SandboxIdempotency.objects.filter(key=key).update(created=int(time.time()) - 86_400)

    second = sessions.create(params=params, options={"idempotency_key": key})

    assert second.id != first.id


def test_an_idempotency_key_has_at_most_255_characters() -> None:
    with pytest.raises(InvalidRequestError, match="at most 255"):
        stripe_client().v1.checkout.sessions.create(
            params=session_params(), options={"idempotency_key": "k" * 256}
        )


def test_a_lost_answer_can_be_fetched_again_with_the_same_key() -> None:
    key, params = new_key(), session_params()
    sessions = stripe_client().v1.checkout.sessions
    controls.set_api(controls.Api.LOSING_ANSWERS)
    with pytest.raises(stripe.APIConnectionError):
        sessions.create(params=params, options={"idempotency_key": key})
    controls.set_api(controls.Api.UP)

    made = sessions.create(params=params, options={"idempotency_key": key})

    assert SandboxObject.objects.get().object_id == made.id


def test_the_stored_answer_is_given_even_when_the_object_has_moved_on() -> None:
    key, params = new_key(), session_params()
    sessions = stripe_client().v1.checkout.sessions
    first = sessions.create(params=params, options={"idempotency_key": key})
    actions.pay(first.id)

    second = sessions.create(params=params, options={"idempotency_key": key})

    assert second.status == "open"


def test_while_stripe_is_down_every_call_fails_as_on_a_broken_network() -> None:
    made = new_session()
    controls.set_api(controls.Api.DOWN)

    with pytest.raises(stripe.APIConnectionError, match="Unexpected error communicating") as error:
        stripe_client().v1.checkout.sessions.retrieve(made.id)

    assert error.value.should_retry is True
    controls.set_api(controls.Api.UP)
    assert stripe_client().v1.checkout.sessions.retrieve(made.id).id == made.id


def test_while_stripe_is_failing_every_call_is_a_500() -> None:
    controls.set_api(controls.Api.FAILING)

    with pytest.raises(stripe.APIError) as error:
        new_session()

    assert error.value.http_status == 500
    assert SandboxObject.objects.count() == 0


def test_the_library_retries_a_broken_connection_when_it_is_told_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("stripe.HTTPClient.INITIAL_DELAY", 0)
    monkeypatch.setattr("stripe.HTTPClient.MAX_DELAY", 0)
    controls.set_api(controls.Api.LOSING_ANSWERS)

    with pytest.raises(stripe.APIConnectionError):
        stripe_client(max_network_retries=2).v1.checkout.sessions.create(params=session_params())

    assert SandboxObject.objects.count() == 1
