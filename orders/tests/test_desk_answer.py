"""“Where is my download?”, answered at the top of an order, and the search on the home that leads there."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from downloads.grants import access_block
from downloads.models import Revocation, UserAsset
from downloads.roles import ensure_download_roles
from downloads.tests.desk import fetched
from orders.models import Order, OutboxMail
from orders.services.mail import RECEIPT
from orders.tests.desk import desk_client, order_url, staff_client, text_of
from tests.factories import buy, make_asset, make_product, make_user

pytestmark = pytest.mark.django_db
SEE = ("orders.view_order", "downloads.view_userasset", "orders.view_outboxmail")


@pytest.fixture
def order() -> Order:
    product = make_product("Harbour", assets=[make_asset(), make_asset()])
    return buy(Client(), make_user("ada@example.com"), product)


def summary(client: Client, order: Order) -> str:
    """The top of the page, without what follows it."""
    return text_of(client.get(order_url(order))).partition("Lines")[0]


def test_nothing_fetched_and_a_letter_that_waits(order: Order) -> None:
    ensure_download_roles()
    OutboxMail.objects.update(status=OutboxMail.Status.QUEUED, sent_at=None)

    said = summary(desk_client(), order)

    assert "Downloaded Not yet" in said
    assert "Mail with the links Waiting" in said


def test_what_was_fetched_counts_each_file_once(order: Order) -> None:
    ensure_download_roles()
    first, _second = UserAsset.objects.filter(order_item__order=order)
    fetched(first, 3)

    assert "Downloaded 1 of 2 files last on" in summary(desk_client(), order)


def test_what_does_not_open_any_more_is_said_before_anybody_scrolls(order: Order) -> None:
    ensure_download_roles()
    item_ids = list(order.items.values_list("pk", flat=True))
    access_block(order_item_ids=item_ids, cause=Revocation.Cause.REFUND)

    assert "Downloaded Not yet 2 of 2 files are closed" in summary(desk_client(), order)


def test_the_newest_receipt_answers_and_says_what_the_mail_server_said(order: Order) -> None:
    ensure_download_roles()
    sent = OutboxMail.objects.get(order=order, kind=RECEIPT)
    OutboxMail.objects.create(
        dedupe_key="again",
        kind=RECEIPT,
        fact=sent.fact,
        order=order,
        to_email="ada@example.com",
        message_id="<again@localhost>",
        status=OutboxMail.Status.FAILED,
        last_error="550 5.1.1 No such mailbox here",
    )

    said = summary(desk_client(), order)

    assert "Mail with the links Given up" in said
    assert "550 5.1.1 No such mailbox here" in said


@pytest.mark.parametrize("missing", SEE[1:])
def test_each_half_of_the_answer_needs_its_own_right(order: Order, missing: str) -> None:
    said = summary(staff_client(*(right for right in SEE if right != missing)), order)

    assert ("Downloaded" in said) is (missing != "downloads.view_userasset")
    assert ("Mail with the links" in said) is (missing != "orders.view_outboxmail")


@pytest.mark.parametrize(
    ("right", "is_there"), [("orders.view_order", True), ("orders.view_dispute", False)]
)
def test_the_search_is_on_the_home_of_whoever_sees_orders(right: str, is_there: bool) -> None:
    home: Any = staff_client(right).get(reverse("wagtailadmin_home"))

    assert ("Find an order" in home.content.decode()) is is_there


def test_the_search_leads_to_the_list_of_orders(order: Order) -> None:
    client = desk_client()
    home = client.get(reverse("wagtailadmin_home")).content.decode()
    found = client.get(reverse("order_desk:index"), {"q": "ADA@example.com"})

    assert f'action="{reverse("order_desk:index")}"' in home
    assert [row.pk for row in found.context["object_list"]] == [order.pk]
