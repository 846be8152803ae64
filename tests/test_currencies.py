"""Shops in other currencies, from the price to the refund, as Stripe counts them."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from catalog_pages.models import ProductPage
from downloads.models import UserAsset
from downloads.policy import decide
from orders.errors import AmountTooSmall, NothingToRefund, RefundTooLarge
from orders.models import Order, OrderAnomaly, Payment, Refund
from orders.services.carts import cart_accept_prices
from orders.services.checkout import checkout_start
from orders.services.reconcile import reconcile
from orders.services.refunds import refund_request, refundable
from orders.stripe_sandbox import actions, controls
from orders.stripe_sandbox.models import SandboxObject
from tests.factories import buy, make_cart, make_editor, make_product, make_user, session_id_of

pytestmark = pytest.mark.django_db
SPACE = "\N{NO-BREAK SPACE}"
# Stripe's least charges as its documentation prints them, and as a sentence of ours says them.
MINIMA = [
    ("USD", 50, "$0.50"), ("EUR", 50, "€0.50"), ("JPY", 50, "¥50"), ("GBP", 30, "£0.30"),
    ("CZK", 1500, f"Kč{SPACE}15.00"), ("DKK", 250, f"kr{SPACE}2.50"), ("SEK", 300, f"kr{SPACE}3.00"),
    ("NOK", 300, f"kr{SPACE}3.00"), ("HKD", 400, "HK$4.00"), ("PLN", 200, f"zł{SPACE}2.00"),
    ("HUF", 17500, f"Ft{SPACE}175.00"),
]  # fmt: skip


def sessions() -> list[dict[str, Any]]:
    rows = SandboxObject.objects.filter(kind="checkout.session").order_by("pk")
    return [row.data for row in rows]


def tell(client: Client) -> None:
    assert set(controls.deliver_all(controls.through(client))) <= {200}


@pytest.mark.sampled(4)
@pytest.mark.parametrize(("code", "least", "shown"), MINIMA)
def test_less_than_stripe_charges_is_a_sentence_before_stripe_hears_of_it(
    settings: Any, code: str, least: int, shown: str
) -> None:
    settings.STRIPE_CURRENCY = code
    buyer, product = make_user(), make_product(price_pennies=least - 1)
    cart = make_cart(buyer, product)

    def press() -> Order:
        return checkout_start(cart=cart, user=buyer, email=buyer.email, consented=True).order

    with pytest.raises(AmountTooSmall) as caught:
        press()
    assert str(caught.value) == f"The smallest amount that can be paid is {shown}."
    assert sessions() == []
    assert not Order.objects.exists()
    assert cart.items.count() == 1

    for pennies in (least, least + 1):
        ProductPage.objects.filter(pk=product.pk).update(price_pennies=pennies)
        cart_accept_prices(cart=cart)
        order = press()
        assert sessions()[-1]["amount_total"] == order.total_pennies == pennies
        assert sessions()[-1]["currency"] == code.lower()


def test_two_small_prices_together_may_be_enough(settings: Any) -> None:
    settings.STRIPE_CURRENCY = "EUR"
    buyer = make_user()
    cart = make_cart(buyer, make_product(price_pennies=25), make_product(price_pennies=25))

    order = checkout_start(cart=cart, user=buyer, email=buyer.email, consented=True).order

    assert sessions()[0]["amount_total"] == order.total_pennies == 50


@pytest.mark.wide
@pytest.mark.parametrize("code", ["JPY", "ISK", "KWD", "TWD"])
def test_nothing_to_pay_is_never_too_little(settings: Any, client: Client, code: str) -> None:
    settings.STRIPE_CURRENCY = code

    order = buy(client, make_user(), make_product(price_pennies=0))

    assert order.is_paid
    assert sessions() == []


def open_titles(order: Order) -> list[str]:
    grants = UserAsset.objects.filter(order_item__order=order).order_by("order_item__position")
    return [grant.order_item.title for grant in grants if decide(grant).allowed]


def differences() -> list[str]:
    found = reconcile(since=timezone.now() - timedelta(days=3))
    return [difference.code for difference in found]


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("code", "factor", "one", "two"),
    [("JPY", 1, 500, 1250), ("ISK", 100, 995, 1801), ("UGX", 100, 3700, 1), ("KWD", 1, 1250, 3330)],
)
def test_a_foreign_order_is_paid_refunded_and_agrees_with_stripe(
    settings: Any, client: Client, code: str, factor: int, one: int, two: int
) -> None:
    settings.STRIPE_CURRENCY = code
    products = [make_product("One", price_pennies=one), make_product("Two", price_pennies=two)]

    order = buy(client, make_user(), *products)

    assert SandboxObject.objects.get(kind="charge").data["amount"] == (one + two) * factor
    payment = order.payments.get()
    assert (payment.status, payment.captured_pennies) == (Payment.Status.PAID, one + two)
    assert (payment.currency, order.currency) == (code, code)
    assert open_titles(order) == ["One", "Two"]
    assert differences() == []

    staff = make_editor()

    def ask(**wish: Any) -> Refund:
        return refund_request(
            refund_id=uuid.uuid4(), payment=payment, by=staff, reason="duplicate", **wish
        )

    part = ask(item_ids=[order.items.get(title="Two").pk])
    tell(client)
    assert open_titles(order) == ["One"]
    with pytest.raises(RefundTooLarge):
        ask(amount_pennies=one + 1)
    rest = ask()
    tell(client)
    with pytest.raises(NothingToRefund):
        ask()

    assert [refund.amount_pennies for refund in (part, rest)] == [two, one]
    at_stripe = SandboxObject.objects.filter(kind="refund").order_by("pk")
    assert [row.data["amount"] for row in at_stripe] == [two * factor, one * factor]
    assert set(Refund.objects.values_list("status", "currency")) == {("succeeded", code)}
    assert refundable(order=order).payments[0].left_pennies == 0
    assert open_titles(order) == []
    assert differences() == []
    assert not OrderAnomaly.objects.exists()


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("code", "price", "part", "kept"),
    [("JPY", 500, 200, 200), ("ISK", 995, 20_000, 200), ("KWD", 1250, 1000, 1000)],
)
def test_a_refund_and_a_dispute_made_at_stripe_arrive_in_our_units(
    settings: Any, client: Client, code: str, price: int, part: int, kept: int
) -> None:
    settings.STRIPE_CURRENCY = code
    order = buy(client, make_user(), make_product(price_pennies=price))

    actions.refund(session_id_of(order), amount=part)
    dispute = actions.open_dispute(session_id_of(order))
    tell(client)

    assert Refund.objects.get().amount_pennies == kept
    stored = order.payments.get().disputes.get()
    assert (stored.amount_pennies, stored.currency) == (price, code)
    assert stored.stripe_dispute_id == dispute["id"]
    assert differences() == []
