"""The promise, end to end through HTTP: what is paid is granted, and only that."""

from __future__ import annotations

import hashlib

import pytest
from django.test import Client
from django.urls import reverse

from downloads.models import UserAsset
from orders.models import Order, OutboxMail, StripeEvent
from orders.stripe_sandbox import actions, controls
from tests.factories import buy, make_asset, make_product, make_user, session_id_of, start_checkout

pytestmark = pytest.mark.django_db


def test_a_paid_order_gives_exactly_the_bytes_that_were_uploaded(client: Client) -> None:
    content = b"every single byte" * 5000
    product = make_product("Våren", assets=[make_asset(content, file_name="Våren – live.flac")])
    user = make_user()

    order = buy(client, user, product)

    client.force_login(user)
    grant = UserAsset.objects.get(user=user)
    response = client.get(reverse("downloads:file", args=[grant.pk]))
    assert response.status_code == 200
    body = b"".join(response.streaming_content)
    assert hashlib.sha256(body).hexdigest() == grant.asset.sha256
    assert body == content
    assert order.total_pennies == 499
    assert "filename*=UTF-8''V%C3%A5ren" in response["Content-Disposition"]


def test_nothing_is_granted_before_the_signed_webhook(client: Client) -> None:
    user = make_user()
    order = start_checkout(user, make_product()).order
    actions.pay(session_id_of(order))

    client.force_login(user)
    page = client.get(reverse("orders:checkout_success"), {"session_id": session_id_of(order)})

    assert page.context["state"] == "waiting"
    assert not UserAsset.objects.exists()


def test_events_delivered_twice_and_out_of_order_pay_and_mail_once(client: Client) -> None:
    user = make_user()
    order = start_checkout(user, make_product()).order
    actions.pay(session_id_of(order))
    deliveries = controls.pending_deliveries()

    post = controls.through(client)
    answers = controls.deliver_all(post, [*reversed(deliveries), *deliveries])

    assert set(answers) == {200}
    order.refresh_from_db()
    assert order.status == Order.Status.PAID
    assert UserAsset.objects.count() == 1
    assert OutboxMail.objects.filter(kind="receipt").count() == 1
    assert not StripeEvent.objects.filter(status=StripeEvent.Status.FAILED).exists()
