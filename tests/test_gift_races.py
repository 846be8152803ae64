"""Gifts under haste: real threads and connections; on PostgreSQL they really race."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

import pytest
from django.test import Client

from downloads.models import UserAsset
from downloads.policy import decide
from orders.errors import GiftClosed, GiftRedeemed
from orders.models import GiftCode, Order, OutboxMail, Refund
from orders.services.fulfilment import sync_checkout
from orders.services.gifts import gift_redeem, gift_send
from orders.services.projections import compare_projections
from orders.services.refunds import refund_request
from orders.stripe_sandbox import actions
from orders.tests.happenings import tell
from orders.tests.test_gifts import bought
from tests.factories import make_cart, make_product, make_user, session_id_of, start_checkout
from tests.together import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.wide]


def refund(order: Order) -> Refund:
    return refund_request(
        refund_id=uuid.uuid4(), payment=order.payments.get(), by=None, reason="",
        item_ids=[order.items.get().pk],
    )  # fmt: skip


def test_of_many_who_redeem_one_gift_at_once_one_gets_it(client: Client) -> None:
    bought(client)
    code = GiftCode.objects.get().code
    users = [make_user() for _ in range(4)]

    results: list[Any] = at_once(
        *[partial(gift_redeem, code_text=code, user=user) for user in users],
        *[partial(gift_redeem, code_text=code, email=f"bo{n}@example.com") for n in range(4)],
    )

    winners = [result for result in results if isinstance(result, GiftCode)]
    assert len(winners) == 1, results
    assert sum(isinstance(result, GiftRedeemed) for result in results) == 7, results
    grant = UserAsset.objects.get(seat=1)
    gift = GiftCode.objects.get()
    assert (grant.user, grant.email) == (gift.redeemed_by, gift.redeemed_email)
    assert OutboxMail.objects.filter(kind="gift_redeemed").count() == (gift.redeemed_by is None)


def test_one_account_that_presses_often_has_one_copy(client: Client) -> None:
    bought(client)
    code, user = GiftCode.objects.get().code, make_user()

    results = at_once(*[partial(gift_redeem, code_text=code, user=user)] * 6)

    assert all(isinstance(result, GiftCode) for result in results), results
    assert UserAsset.objects.filter(user=user).count() == 1


@pytest.mark.parametrize("turn", range(4))
def test_redeeming_and_refunding_at_once_leaves_nobody_with_files(
    client: Client, turn: int
) -> None:
    order = bought(client, quantity=3)
    code = GiftCode.objects.order_by("seat")[0].code

    redeemed, refunded = at_once(
        partial(gift_redeem, code_text=code, email="bo@example.com"), partial(refund, order)
    )

    assert isinstance(refunded, Refund), refunded
    assert isinstance(redeemed, GiftCode | GiftClosed), redeemed
    assert not any(decide(grant).allowed for grant in UserAsset.objects.all())
    told = OutboxMail.objects.filter(kind="gift_taken_back").count()
    assert told == isinstance(redeemed, GiftCode)
    assert list(compare_projections([order])) == []


def test_news_of_the_payment_by_many_roads_at_once_makes_each_code_once() -> None:
    user, product = make_user(), make_product()
    cart = make_cart(user, product)
    cart.items.update(quantity=5)
    order = start_checkout(user).order
    actions.pay(session_id_of(order))

    at_once(*[partial(sync_checkout, session_id_of(order))] * 5)

    assert GiftCode.objects.count() == 4
    assert UserAsset.objects.filter(seat=0).count() == 1


def test_sending_while_it_is_redeemed_writes_to_nobody_afterwards(client: Client) -> None:
    bought(client)
    gift = GiftCode.objects.select_related("order_item").get()

    at_once(
        partial(gift_send, gift=gift, email="bo@example.com"),
        partial(gift_redeem, code_text=gift.code, email="cy@example.com"),
    )

    tell(client)
    gift.refresh_from_db()
    assert gift.redeemed_email == "cy@example.com"
    assert OutboxMail.objects.filter(kind="gift").count() <= 1
