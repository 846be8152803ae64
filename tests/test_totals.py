"""Whatever is in a cart, the totals here and at Stripe are the same, to the last penny."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings as shop_config
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog_pages.models import BundledProduct, ProductPage, ShopSettings
from catalog_pages.money import allocate, currency, to_stripe
from downloads.models import Revocation, UserAsset
from orders.errors import AmountTooLarge, AmountTooSmall, DiscountNotUsable
from orders.models import Cart, DiscountCode, Order, Payment, Refund
from orders.services.carts import cart_add, cart_apply_code, cart_set_gift
from orders.services.checkout import checkout_start
from orders.services.pricing import cart_summary
from orders.services.refunds import paid_for, refund_request, refundable
from orders.services.shopper import Shopper
from orders.services.whose_cart import cart_of_user
from orders.stripe_sandbox import actions, controls
from orders.stripe_sandbox.models import SandboxObject
from tests.factories import make_editor, make_product, make_user, session_id_of

EXAMPLES = int(os.environ.get("CART_EXAMPLES", "20"))
CURRENCIES = ("GBP", "EUR", "JPY", "ISK", "KWD", "HUF")
MOST = 30_000


@dataclass(frozen=True)
class Line:
    """What a shopper does with one product; prices in steps of the currency."""

    product: int
    price: int
    quantity: int
    chooses: bool
    above_minimum: int
    is_gift: bool


@dataclass(frozen=True)
class Code:
    percent: int | None
    amount: int
    products: frozenset[int]


LINES = st.lists(
    st.builds(
        Line,
        product=st.integers(0, 4),
        price=st.one_of(st.just(0), st.just(1), st.integers(1, MOST)),
        quantity=st.one_of(st.just(1), st.integers(1, 9)),
        chooses=st.booleans(),
        above_minimum=st.integers(0, 5_000),
        is_gift=st.booleans(),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda line: line.product,
)
CODES = st.one_of(
    st.none(),
    st.builds(
        Code,
        percent=st.one_of(st.none(), st.integers(1, 100)),
        amount=st.integers(1, 2 * MOST),
        products=st.frozensets(st.integers(0, 4), max_size=3),
    ),
)


@given(total=st.integers(0, 10**9), weights=st.lists(st.integers(0, 10**8), max_size=12))
def test_shares_sum_to_the_whole_and_none_is_off_by_one(total: int, weights: list[int]) -> None:
    shares = allocate(total, weights)

    assert sum(shares) == (total if weights else 0)
    assert all(share >= 0 for share in shares)
    whole = sum(weights)
    for share, weight in zip(shares, weights, strict=True):
        assert not whole or abs(share * whole - total * weight) < whole


@pytest.mark.wide
@pytest.mark.django_db
def test_every_cart_costs_the_same_here_and_at_stripe(client: Client, settings: Any) -> None:
    """Also: nothing is negative, lines sum to the order, and a full refund returns what was paid."""
    products = [make_product() for _ in range(5)]
    BundledProduct.objects.create(page=products[4], product=products[0], sort_order=1)
    BundledProduct.objects.create(page=products[4], product=products[1], sort_order=2)
    staff = make_editor()

    @_settings()
    @given(
        code=st.sampled_from(CURRENCIES),
        lines=LINES,
        discount=CODES,
        tax=st.sampled_from(ShopSettings.Tax.values),
        country=st.sampled_from(["GB", "DE", "US", "JP"]),
        by_lines=st.booleans(),
    )
    def whatever_is_bought(
        code: str,
        lines: list[Line],
        discount: Code | None,
        tax: str,
        country: str,
        by_lines: bool,
    ) -> None:
        settings.STRIPE_CURRENCY = code
        ShopSettings.load()
        ShopSettings.objects.update(tax=tax)
        order = _check_out(products, lines, discount)
        if order is None:
            return
        _agree_before_payment(order)
        if order.is_paid:
            assert order.total_pennies == 0
            return
        actions.pay(session_id_of(order), country=country)
        assert set(controls.deliver_all(controls.through(client))) == {200}
        order.refresh_from_db()
        _agree_after_payment(order)
        _refund_everything(order, staff, by_lines=by_lines)

    whatever_is_bought()


def _settings() -> Any:
    return settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )


def _check_out(
    products: list[ProductPage], lines: list[Line], discount: Code | None
) -> Order | None:
    """The order, or None where a sentence says why there is none; then Stripe was not asked either."""
    buyer = make_user()
    cart = cart_of_user(user_id=buyer.pk, create=True)
    assert cart is not None
    for line in lines:
        _put_in(cart, products[line.product], line)
    if discount is not None:
        _use_code(cart, products, discount)
    shown = cart_summary(cart=cart, shopper=Shopper(buyer))
    sessions = SandboxObject.objects.count()
    try:
        order = checkout_start(cart=cart, user=buyer, email=buyer.email, consented=True).order
    except (AmountTooSmall, AmountTooLarge):
        assert SandboxObject.objects.count() == sessions
        assert not Order.objects.filter(user=buyer).exists()
        return None
    assert order.total_pennies == shown.total_pennies
    return order


def _put_in(cart: Cart, product: ProductPage, line: Line) -> None:
    step = currency(shop_config.STRIPE_CURRENCY).step
    ProductPage.objects.filter(pk=product.pk).update(
        price_pennies=line.price * step, pay_what_you_want=line.chooses
    )
    item = cart_add(
        cart=cart,
        product_id=product.pk,
        quantity=line.quantity,
        chosen_price_pennies=(line.price + line.above_minimum) * step if line.chooses else None,
    )
    cart_set_gift(cart=cart, item_id=item.pk, is_gift=line.is_gift)


def _use_code(cart: Cart, products: list[ProductPage], discount: Code) -> None:
    step = currency(shop_config.STRIPE_CURRENCY).step
    row = DiscountCode.objects.create(
        code=f"CODE{uuid.uuid4().hex[:12]}",
        kind="percent" if discount.percent else "amount",
        percent=discount.percent,
        amount_pennies=None if discount.percent else discount.amount * step,
    )
    row.products.set([products[place] for place in discount.products])
    try:
        cart_apply_code(cart=cart, code=row.code.lower())
    except DiscountNotUsable:
        assert not cart_summary(cart=cart).discount_pennies


def _agree_before_payment(order: Order) -> None:
    items = list(order.items.all())
    assert sum(item.unit_price_pennies * item.quantity for item in items) == order.subtotal_pennies
    assert sum(item.discount_pennies for item in items) == order.discount_pennies
    assert (
        sum(item.total_pennies for item in items) == order.subtotal_pennies - order.discount_pennies
    )
    amounts = [order.subtotal_pennies, order.discount_pennies, order.total_pennies]
    for item in items:
        amounts += [item.discount_pennies, item.total_pennies, item.unit_price_pennies]
        assert item.discount_pennies <= item.unit_price_pennies * item.quantity
    assert min(amounts) >= 0
    step = currency(order.currency).step
    assert all(amount % step == 0 for amount in amounts)
    if order.total_pennies:
        session = _session(order)
        assert session["amount_total"] == to_stripe(order.total_pennies, order.currency)
        assert session["amount_subtotal"] == to_stripe(order.subtotal_pennies, order.currency)


def _agree_after_payment(order: Order) -> None:
    assert order.is_paid
    payment = order.payments.get(status=Payment.Status.PAID)
    paid = _session(order)["amount_total"]
    assert to_stripe(order.total_pennies, order.currency) == paid
    assert payment.captured_pennies == order.total_pennies
    items = list(order.items.all())
    assert sum(item.tax_pennies for item in items) == order.tax_pennies
    assert sum(paid_for(order, item) for item in items) == order.total_pennies
    if order.tax_behavior == "none":
        assert order.tax_pennies == 0
    on_top = order.tax_pennies if order.tax_behavior == "exclusive" else 0
    assert order.subtotal_pennies - order.discount_pennies + on_top == order.total_pennies


def _refund_everything(order: Order, staff: Any, *, by_lines: bool) -> None:
    payment = order.payments.get(status=Payment.Status.PAID)
    if by_lines:
        for line in refundable(order=order).lines:
            if line.left_pennies:
                refund_request(
                    refund_id=uuid.uuid4(), payment=payment, by=staff, reason="",
                    item_ids=[line.item.pk],
                )  # fmt: skip
    else:
        refund_request(refund_id=uuid.uuid4(), payment=payment, by=staff, reason="")
    refunds = Refund.objects.filter(payment=payment)
    assert {refund.status for refund in refunds} == {Refund.Status.SUCCEEDED}
    assert sum(refund.amount_pennies for refund in refunds) == payment.captured_pennies
    grants = UserAsset.objects.filter(order_item__order=order)
    stopped = Revocation.objects.filter(lifted_at=None).values("grant_id")
    left = grants.exclude(pk__in=stopped)
    if by_lines:  # what cost nothing was not among them
        left = left.filter(order_item__total_pennies__gt=0)
    assert not left.exists()


def _session(order: Order) -> dict[str, Any]:
    return SandboxObject.objects.get(object_id=session_id_of(order)).data
