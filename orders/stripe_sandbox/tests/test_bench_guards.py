"""Who may press the buttons of the bench: nobody from elsewhere, and nobody once there is a key."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from orders.stripe_sandbox import controls
from orders.stripe_sandbox.models import SandboxDelivery, SandboxEvent, SandboxObject
from orders.stripe_sandbox.tests.browsing import everything
from orders.stripe_sandbox.urls import urlpatterns

pytestmark = pytest.mark.django_db

PATHS = [
    "controls",
    "sessions/{session}/expire",
    "sessions/{session}/settle",
    "sessions/{session}/refund",
    "sessions/{session}/dispute",
    "refunds/{refund}/settle",
    "refunds/{refund}/fail",
    "refunds/{refund}/cancel",
    "disputes/{dispute}/answer",
    "disputes/{dispute}/escalate",
    "disputes/{dispute}/close",
    "events/{event}/replay",
    "events/{event}/retell",
    "deliveries/{delivery}/deliver",
    "deliveries/{delivery}/drop",
]
ANY_CHOICE = {
    "deliveries": "hold",
    "outcome": "won",
    "kind": "dispute",
    "amount": "1.00",
}


def every_path() -> list[str]:
    session_id = everything()
    ids = {
        "session": session_id,
        "refund": SandboxObject.objects.get(kind="refund").object_id,
        "dispute": SandboxObject.objects.get(kind="dispute").object_id,
        "event": SandboxEvent.objects.latest("pk").event_id,
        "delivery": controls.pending_deliveries()[0].pk,
    }
    return [f"/sandbox/{path.format(**ids)}/" for path in PATHS]


def everything_there_is() -> list[object]:
    return [
        list(model.objects.order_by("pk").values())
        for model in (SandboxObject, SandboxEvent, SandboxDelivery)
    ]


def test_every_button_is_protected_against_other_sites() -> None:
    paths, before = every_path(), everything_there_is()
    strict = Client(enforce_csrf_checks=True)

    answers = {strict.post(path, ANY_CHOICE).status_code for path in paths}

    assert answers == {403}
    assert everything_there_is() == before
    assert not controls.current().held


def test_a_button_does_nothing_when_it_is_only_looked_at(client: Client) -> None:
    paths, before = every_path(), everything_there_is()

    answers = {client.get(path).status_code for path in paths}

    assert answers == {405}
    assert everything_there_is() == before


def test_without_the_switch_there_is_no_bench(client: Client, settings) -> None:
    paths, before = every_path(), everything_there_is()
    settings.STRIPE_SANDBOX = False

    answers = {client.post(path, ANY_CHOICE).status_code for path in paths}
    answers |= {client.get("/sandbox/").status_code}

    assert answers == {404}
    assert everything_there_is() == before
    assert not controls.current().held


def test_every_address_of_the_bench_is_in_these_tests() -> None:
    addresses = {re.sub(r"<\w+:(\w+)_id>", r"{\1}", str(entry.pattern)) for entry in urlpatterns}

    assert addresses == {"", "pay/{session}/", *(f"{path}/" for path in PATHS)}


@pytest.mark.parametrize("object_id", ["%00", "a%0Ab", "..", "a%2Fb", "é", "x" * 256])
def test_an_id_that_stripe_cannot_have_made_is_not_found(client: Client, object_id: str) -> None:
    assert client.post(f"/sandbox/sessions/{object_id}/expire/").status_code == 404
    assert client.get(f"/sandbox/pay/{object_id}/").status_code == 404
