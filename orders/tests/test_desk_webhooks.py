"""Webhooks in the admin: made by whoever has the right, the secret seen once, a delivery sent again."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from wagtail.models import ModelLogEntry

from orders.models import WebhookDelivery, WebhookEndpoint
from orders.services.outgoing.sealing import unseal
from orders.tests.desk import client_of, desk_client, said, staff_client, text_of
from orders.tests.hooks import ALL, make_delivery, make_endpoint
from tests.factories import make_editor

pytestmark = pytest.mark.django_db

LIST, ADD = "webhook_endpoints:index", "webhook_endpoints:add"
TYPED = {
    "url": "https://partner.example/hooks",
    "description": "Books",
    "events": ["order.paid", "order.refunded"],
    "is_active": "on",
}


@pytest.fixture
def owner() -> Client:
    return client_of(make_editor())


def page(name: str, row: Any) -> str:
    return reverse(name, args=[row.pk])


def test_an_endpoint_is_made_and_its_secret_stands_on_the_page_that_answers(owner: Client) -> None:
    answer = owner.post(reverse(ADD), TYPED)

    endpoint = WebhookEndpoint.objects.get()
    secret = unseal(endpoint.sealed_secret)
    assert answer.status_code == 200
    assert secret in text_of(answer)
    assert "no-store" in answer["Cache-Control"]
    assert (endpoint.url, endpoint.description) == (TYPED["url"], "Books")
    assert endpoint.events == ["order.paid", "order.refunded"]
    assert endpoint.created_by is not None


def test_no_other_page_shows_the_secret(owner: Client) -> None:
    made = make_endpoint()

    for name in ("webhook_endpoints:inspect", "webhook_endpoints:edit", "webhook_endpoints:delete"):
        shown = owner.get(page(name, made.endpoint)).content.decode()
        assert made.secret not in shown
        assert made.endpoint.sealed_secret not in shown
    listed = owner.get(reverse(LIST)).content.decode()
    assert made.endpoint.url in listed
    assert "whsec_" not in listed


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url": "http://partner.example/"}, "url"),
        ({"url": "https://10.0.0.1/"}, "url"),
        ({"url": ""}, "url"),
        ({"events": []}, "events"),
        ({"events": ["order.lost"]}, "events"),
        ({"description": "x" * 201}, "description"),
    ],
)
def test_what_cannot_be_used_is_said_at_its_field(
    owner: Client, change: dict[str, Any], field: str
) -> None:
    answer = owner.post(reverse(ADD), TYPED | change)

    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == [field]
    assert not WebhookEndpoint.objects.exists()


def test_an_endpoint_can_be_made_to_be_switched_on_later(owner: Client) -> None:
    owner.post(reverse(ADD), {name: TYPED[name] for name in TYPED if name != "is_active"})

    endpoint = WebhookEndpoint.objects.get()
    assert not endpoint.is_active
    assert "Switched off" in text_of(owner.get(reverse(LIST)))


def test_a_change_keeps_the_secret(owner: Client) -> None:
    made = make_endpoint()
    edit = page("webhook_endpoints:edit", made.endpoint)
    shown = owner.get(edit).content.decode()
    assert shown.count("checked") == len(ALL) + 1

    answer = owner.post(edit, TYPED | {"events": ["product.published"]})

    endpoint = WebhookEndpoint.objects.get()
    assert answer.status_code == 302
    assert endpoint.events == ["product.published"]
    assert endpoint.url == TYPED["url"]
    assert unseal(endpoint.sealed_secret) == made.secret


def test_a_new_secret_is_shown_once_and_noted_without_it(owner: Client) -> None:
    made = make_endpoint()

    answer = owner.post(page("webhook_endpoints:rotate", made.endpoint))

    endpoint = WebhookEndpoint.objects.get()
    secret = unseal(endpoint.sealed_secret)
    assert secret != made.secret
    assert secret in text_of(answer)
    assert "the secret before this one signs as well" in text_of(answer)
    assert "no-store" in answer["Cache-Control"]
    entry = ModelLogEntry.objects.get(action="orders.webhook_secret")
    assert "whsec_" not in str(entry.data)


def test_an_endpoint_is_deleted_after_a_question(owner: Client) -> None:
    endpoint = make_endpoint().endpoint
    make_delivery(endpoint)
    address = page("webhook_endpoints:delete", endpoint)
    assert "the record of its deliveries goes with it" in text_of(owner.get(address))

    owner.post(address)

    assert not WebhookEndpoint.objects.exists()


def test_its_page_lists_deliveries_and_what_went_wrong(owner: Client) -> None:
    endpoint = make_endpoint().endpoint
    delivery = make_delivery(endpoint)
    WebhookDelivery.objects.update(
        status="failed", attempts=3, last_status_code=500, last_error="Answered 500. <b>Oh</b>"
    )

    shown = owner.get(page("webhook_endpoints:inspect", endpoint))

    assert "Answered 500. &lt;b&gt;Oh&lt;/b&gt;" in shown.content.decode()
    assert "3 attempts" in text_of(shown)
    detail = text_of(owner.get(page("webhook_deliveries:inspect", delivery)))
    assert delivery.event.webhook_id in detail
    assert '"type": "order.paid"' in detail


def test_the_desk_sees_webhooks_and_sends_one_again(owner: Client) -> None:
    desk = desk_client()
    endpoint = make_endpoint().endpoint
    delivery = make_delivery(endpoint)
    WebhookDelivery.objects.update(status="given_up", next_attempt_at=None, attempts=10)
    for address in (
        reverse(LIST),
        reverse("webhook_deliveries:index"),
        page("webhook_endpoints:inspect", endpoint),
        page("webhook_deliveries:inspect", delivery),
    ):
        assert desk.get(address).status_code == 200

    answer = desk.post(page("webhook_deliveries:send-again", delivery))

    assert said(answer) == f"“order.paid” is on its way to {endpoint.url}."
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == ("pending", 0)
    again = desk.post(page("webhook_deliveries:send-again", delivery))
    assert said(again) == "This is waiting to be sent already."


def test_the_desk_makes_changes_and_deletes_no_endpoint() -> None:
    desk = desk_client()
    made = make_endpoint()
    before = made.endpoint.sealed_secret

    desk.post(reverse(ADD), TYPED)
    for name in ("edit", "delete", "rotate"):
        desk.post(page(f"webhook_endpoints:{name}", made.endpoint), TYPED)

    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.url, endpoint.sealed_secret) == (made.endpoint.url, before)


def test_whoever_has_no_right_sees_nothing() -> None:
    nobody = staff_client()
    endpoint = make_endpoint().endpoint
    delivery = make_delivery(endpoint)

    for address in (
        reverse(LIST),
        page("webhook_endpoints:inspect", endpoint),
        reverse("webhook_deliveries:index"),
        page("webhook_deliveries:inspect", delivery),
    ):
        answer = nobody.get(address)
        assert answer.status_code == 302, address
        assert endpoint.url not in answer.content.decode()
    nobody.post(page("webhook_deliveries:send-again", delivery))
    nobody.post(page("webhook_endpoints:rotate", endpoint))
    assert WebhookEndpoint.objects.get().sealed_secret == endpoint.sealed_secret


@pytest.mark.parametrize(
    "words", ["partner", "hooks.example", "order.paid", "nothing such", "%", '"']
)
def test_lists_are_searched_by_any_words(owner: Client, words: str) -> None:
    make_delivery(make_endpoint().endpoint)

    for name in (LIST, "webhook_deliveries:index"):
        assert owner.get(reverse(name), {"q": words}).status_code == 200


def test_the_deliveries_list_asks_the_same_for_any_length(owner: Client) -> None:
    endpoint = make_endpoint().endpoint
    make_delivery(endpoint)
    address = reverse("webhook_deliveries:index")
    owner.get(address)
    with CaptureQueriesContext(connection) as for_one:
        owner.get(address)
    for _ in range(12):
        make_delivery(endpoint)

    with CaptureQueriesContext(connection) as for_many:
        shown = owner.get(address)

    assert len(for_many) == len(for_one)
    assert len(shown.context["object_list"]) == 13
    assert "payload" not in " ".join(query["sql"] for query in for_many)
