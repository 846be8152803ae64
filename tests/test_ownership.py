"""What is not yours answers exactly like what does not exist."""

from __future__ import annotations

import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from downloads.models import UserAsset
from tests.factories import buy, make_product, make_user, session_id_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "what", ["order", "grant", "success by order", "success by session", "state", "cancel"]
)
def test_another_shoppers_things_answer_like_nothing_at_all(client: Client, what: str) -> None:
    owner, stranger = make_user(), make_user()
    order = buy(client, owner, make_product())
    grant = UserAsset.objects.get()
    success = reverse("orders:checkout_success")
    nothing = uuid.uuid4()
    addresses = {
        "order": (order.get_absolute_url(), reverse("orders:detail", args=[nothing])),
        "grant": (
            reverse("downloads:file", args=[grant.pk]),
            reverse("downloads:file", args=[nothing]),
        ),
        "success by order": (f"{success}?order={order.pk}", f"{success}?order={nothing}"),
        "success by session": (
            f"{success}?session_id={session_id_of(order)}",
            f"{success}?session_id=cs_test_nothing",
        ),
        "state": (
            reverse("orders:checkout_state", args=[order.pk]),
            reverse("orders:checkout_state", args=[nothing]),
        ),
        "cancel": (
            reverse("orders:checkout_cancel") + f"?order={order.pk}",
            reverse("orders:checkout_cancel") + f"?order={nothing}",
        ),
    }
    client.force_login(stranger)

    answers = []
    for address in addresses[what]:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            response = client.get(address)
        answers.append((response.status_code, response.content, len(queries)))

    assert answers[0] == answers[1]
    assert answers[0][0] == 404


@pytest.mark.parametrize(
    "query", ["", "?order=", "?order=junk", "?session_id=", "?session_id=%00", "?order=%00"]
)
def test_a_success_page_without_a_real_order_is_not_found(client: Client, query: str) -> None:
    client.force_login(make_user())

    assert client.get(reverse("orders:checkout_success") + query).status_code == 404


def test_signed_out_everything_personal_leads_to_sign_in(client: Client) -> None:
    order = buy(client, make_user(), make_product())
    grant = UserAsset.objects.get()

    for address in (
        reverse("orders:list"),
        order.get_absolute_url(),
        reverse("orders:purchases"),
        reverse("downloads:file", args=[grant.pk]),
        reverse("profile"),
    ):
        response = client.get(address)
        assert response.status_code == 302
        assert response["Location"].startswith(reverse("account_login"))
