"""Tax as Stripe reports it: taken over once, to the last coin, and shown to whoever paid it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalog_pages.models import ProductPage, ShopSettings
from catalog_pages.money import currency
from orders.models import DiscountCode, Order, OrderAnomaly, OutboxMail, Payment, Refund
from orders.services.carts import cart_apply_code
from orders.services.checkout import checkout_start
from orders.services.fulfilment import sync_checkout
from orders.services.mail.letters import letter_write
from orders.services.pricing import cart_summary
from orders.services.reconcile import reconcile
from orders.services.refunds import paid_for, refund_request, refundable
from orders.stripe_sandbox import actions, controls
from orders.stripe_sandbox.models import SandboxObject
from tests.factories import (
    buy,
    make_cart,
    make_editor,
    make_product,
    make_user,
    session_id_of,
    start_checkout,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def taxed() -> Callable[[str], None]:
    """Set what the shop does about tax from now on."""

    def set_to(behavior: str) -> None:
        ShopSettings.load()
        ShopSettings.objects.update(tax=behavior)

    return set_to


def tell(client: Client) -> None:
    assert set(controls.deliver_all(controls.through(client))) <= {200}


def amounts(order: Order) -> tuple[int, int, int, int]:
    """Subtotal, discount, tax, total, as they are stored now."""
    order.refresh_from_db()
    return (
        order.subtotal_pennies, order.discount_pennies, order.tax_pennies, order.total_pennies,
    )  # fmt: skip


def line_taxes(order: Order) -> list[int]:
    return list(order.items.order_by("position").values_list("tax_pennies", flat=True))


def session(order: Order) -> SandboxObject:
    return SandboxObject.objects.get(object_id=session_id_of(order))


def change_at_stripe(order: Order, **data: Any) -> None:
    row = session(order)
    row.data.update(data)
    row.save()


def codes(order: Order) -> list[str]:
    return list(OrderAnomaly.objects.filter(order=order).values_list("code", flat=True))


def agrees_with_stripe() -> None:
    assert list(reconcile(since=timezone.now() - timedelta(days=1))) == []


# What is asked of Stripe ---------------------------------------------------------------------------


@pytest.mark.parametrize("behavior", ["inclusive", "exclusive"])
def test_stripe_is_asked_to_work_the_tax_out(behavior: str, taxed: Callable[[str], None]) -> None:
    taxed(behavior)

    request = start_checkout(make_user(), make_product()).order.payments.get().request

    assert request["automatic_tax"] == {"enabled": True}
    price = request["line_items"][0]["price_data"]
    assert price["tax_behavior"] == behavior
    assert price["product_data"]["tax_code"] == "txcd_10401100"


def test_without_tax_nothing_is_said_of_it() -> None:
    request = start_checkout(make_user(), make_product()).order.payments.get().request

    assert "automatic_tax" not in request
    assert "tax_behavior" not in request["line_items"][0]["price_data"]
    assert "tax_code" not in request["line_items"][0]["price_data"]["product_data"]


def test_a_setting_changed_meanwhile_leaves_orders_that_wait_as_they_are(
    client: Client, taxed: Callable[[str], None]
) -> None:
    order = start_checkout(make_user(), make_product()).order
    before = order.payments.get().request
    taxed("exclusive")

    actions.pay(session_id_of(order))
    tell(client)

    assert order.payments.get().request == before
    assert amounts(order) == (499, 0, 0, 499)


# What is stored ------------------------------------------------------------------------------------


def test_tax_on_top_joins_the_total_once_it_is_paid(
    client: Client, taxed: Callable[[str], None]
) -> None:
    taxed("exclusive")
    order = start_checkout(make_user(), make_product(), make_product(price_pennies=333)).order

    assert amounts(order) == (832, 0, 0, 832)
    actions.pay(session_id_of(order), country="DE")
    tell(client)

    assert amounts(order) == (832, 0, 158, 990)
    assert line_taxes(order) == [95, 63]
    assert order.tax_reported_at is not None
    payment = order.payments.get()
    assert (payment.amount_pennies, payment.captured_pennies) == (832, 990)
    assert codes(order) == []
    agrees_with_stripe()


def test_tax_inside_the_price_leaves_the_total(
    client: Client, taxed: Callable[[str], None]
) -> None:
    taxed("inclusive")

    order = buy(client, make_user(), make_product(), make_product(price_pennies=333))

    assert amounts(order) == (832, 0, 139, 832)
    assert line_taxes(order) == [83, 56]
    assert order.payments.get().captured_pennies == 832
    agrees_with_stripe()


def test_where_there_is_no_tax_that_is_what_was_reported(
    client: Client, taxed: Callable[[str], None]
) -> None:
    taxed("exclusive")
    order = start_checkout(make_user(), make_product()).order

    actions.pay(session_id_of(order), country="US")
    tell(client)

    assert amounts(order) == (499, 0, 0, 499)
    assert order.tax_reported_at is not None


@pytest.mark.sampled(4)
@pytest.mark.parametrize("behavior", ["inclusive", "exclusive"])
@pytest.mark.parametrize("code", ["GBP", "JPY", "ISK", "UGX", "KWD"])
def test_every_currency_agrees_to_its_last_coin(
    code: str, behavior: str, client: Client, taxed: Callable[[str], None], settings: Any
) -> None:
    settings.STRIPE_CURRENCY = code
    ShopSettings.objects.all().delete()
    taxed(behavior)
    step = currency(code).step
    products = [make_product(price_pennies=price * step) for price in (499, 333, 7)]

    order = buy(client, make_user(), *products)

    subtotal, _, tax, total = amounts(order)
    assert tax > 0
    assert total == subtotal + (tax if behavior == "exclusive" else 0)
    assert sum(line_taxes(order)) == tax
    assert sum(paid_for(order, item) for item in order.items.all()) == total
    payment = order.payments.get()
    assert payment.captured_pennies == total
    for line in refundable(order=order).lines:
        refund_request(
            refund_id=uuid.uuid4(), payment=payment, by=None, reason="", item_ids=[line.item.pk]
        )
    back = Refund.objects.values_list("amount_pennies", "status")
    assert sum(pennies for pennies, _ in back) == total
    assert {status for _, status in back} == {"succeeded"}
    assert codes(order) == []
    tell(client)
    agrees_with_stripe()


def test_a_code_comes_off_before_the_tax(client: Client, taxed: Callable[[str], None]) -> None:
    taxed("exclusive")
    user = make_user()
    cart = make_cart(user, make_product(price_pennies=399), make_product(price_pennies=301))
    DiscountCode.objects.create(code="LATE", kind="amount", amount_pennies=117)
    cart_apply_code(cart=cart, code="LATE")
    order = checkout_start(cart=cart, user=user, email=user.email, consented=True).order

    actions.pay(session_id_of(order))
    tell(client)

    assert amounts(order) == (700, 117, 116, 699)
    assert line_taxes(order) == [66, 50]
    assert codes(order) == []
    agrees_with_stripe()


@pytest.mark.wide
def test_an_order_longer_than_stripes_first_page_has_the_tax_of_each_line(
    client: Client, taxed: Callable[[str], None]
) -> None:
    taxed("exclusive")
    products = [make_product(price_pennies=100 * number) for number in range(1, 13)]

    order = buy(client, make_user(), *products)

    assert line_taxes(order) == [20 * number for number in range(1, 13)]


def test_lines_that_are_not_ours_leave_the_tax_to_be_shared_out(
    client: Client, taxed: Callable[[str], None]
) -> None:
    taxed("exclusive")
    order = start_checkout(make_user(), make_product(), make_product(price_pennies=333)).order
    actions.pay(session_id_of(order))
    row = session(order)
    row.hidden["line_items"][0]["amount_subtotal"] = 832
    del row.hidden["line_items"][1]
    row.save()

    tell(client)

    assert amounts(order) == (832, 0, 167, 999)
    assert line_taxes(order) == [100, 67]
    assert codes(order) == []


# What arrives late, twice or otherwise -----------------------------------------------------------------


@pytest.mark.wide
def test_a_payment_on_its_way_reports_the_tax_already(
    client: Client, taxed: Callable[[str], None]
) -> None:
    taxed("exclusive")
    order = start_checkout(make_user(), make_product()).order
    actions.delay(session_id_of(order))
    tell(client)

    assert amounts(order) == (499, 0, 100, 599)
    reported_at = order.tax_reported_at
    letter = letter_write(mail=OutboxMail.objects.get(kind="processing"))
    assert "Your payment of £5.99 is on its way" in letter.text
    actions.settle(session_id_of(order), succeeds=True)
    tell(client)

    assert amounts(order) == (499, 0, 100, 599)
    assert order.tax_reported_at == reported_at
    assert order.is_paid
    agrees_with_stripe()


@pytest.mark.wide
def test_a_delayed_payment_that_fails_takes_its_tax_with_it(
    client: Client, taxed: Callable[[str], None]
) -> None:
    taxed("exclusive")
    first = start_checkout(make_user(), make_product(), make_product(price_pennies=333))
    order = first.order
    actions.delay(session_id_of(order))
    actions.settle(session_id_of(order), succeeds=False)
    tell(client)

    assert order.payments.get().status == "failed"
    assert amounts(order) == (832, 0, 0, 832)
    assert line_taxes(order) == [0, 0]
    again = checkout_start(
        cart=order.cart, user=order.user, email=order.email, consented=True
    ).order
    actions.pay(session_id_of(again), country="DE")
    tell(client)

    assert again.pk == order.pk
    assert amounts(order) == (832, 0, 158, 990)
    assert order.payments.get(status="paid").amount_pennies == 832
    assert codes(order) == []
    agrees_with_stripe()


def test_news_that_comes_twice_or_late_changes_nothing(
    client: Client, taxed: Callable[[str], None]
) -> None:
    taxed("exclusive")
    order = buy(client, make_user(), make_product())
    before = Order.objects.filter(pk=order.pk).values().get()

    for row in SandboxObject.objects.filter(kind="checkout.session"):
        sync_checkout(row.object_id)

    after = Order.objects.filter(pk=order.pk).values().get()
    changed = {name for name, value in after.items() if before[name] != value} - {"updated_at"}
    assert changed == set()
    assert codes(order) == []


@pytest.mark.wide
@pytest.mark.parametrize("behavior", ["inclusive", "exclusive"])
def test_another_tax_later_goes_on_record_and_changes_nothing(
    behavior: str, client: Client, taxed: Callable[[str], None]
) -> None:
    taxed(behavior)
    order = buy(client, make_user(), make_product())
    before = amounts(order)
    data = session(order).data
    more = 5 if behavior == "exclusive" else 0
    tax = data["total_details"]["amount_tax"] + 5
    change_at_stripe(
        order,
        amount_total=data["amount_total"] + more,
        total_details={**data["total_details"], "amount_tax": tax},
    )

    for _ in range(2):
        sync_checkout(session_id_of(order))

    assert amounts(order) == before
    assert order.payments.get().captured_pennies == before[3]
    assert codes(order) == ["tax_changed"]


def test_a_delayed_payment_whose_tax_changed_on_the_way_goes_on_record(
    client: Client, taxed: Callable[[str], None]
) -> None:
    taxed("inclusive")
    order = start_checkout(make_user(), make_product()).order
    actions.delay(session_id_of(order))
    tell(client)
    actions.settle(session_id_of(order), succeeds=True)
    change_at_stripe(
        order, total_details={"amount_discount": 0, "amount_shipping": 0, "amount_tax": 70}
    )

    tell(client)

    assert order.__class__.objects.get(pk=order.pk).is_paid
    assert amounts(order) == (499, 0, 83, 499)
    assert codes(order) == ["tax_changed"]


@pytest.mark.wide
def test_a_second_payment_with_another_tax_is_one_to_refund_and_nothing_else(
    client: Client, taxed: Callable[[str], None]
) -> None:
    taxed("exclusive")
    order = start_checkout(make_user(), make_product()).order
    first = session_id_of(order)
    Payment.objects.filter(order=order).update(status="expired")
    Order.objects.filter(pk=order.pk).update(status="failed")
    again = checkout_start(
        cart=order.cart, user=order.user, email=order.email, consented=True
    ).order
    actions.pay(first, country="GB")
    actions.pay(session_id_of(again), country="DE")

    tell(client)

    assert again.pk == order.pk
    assert amounts(order) == (499, 0, 100, 599)
    captured = order.payments.order_by("attempt").values_list("captured_pennies", flat=True)
    assert list(captured) == [599, 594]
    assert codes(order) == ["second_payment"]


@pytest.mark.wide
def test_of_two_payments_on_their_way_the_one_that_arrives_counts(
    client: Client, taxed: Callable[[str], None]
) -> None:
    """As when one was given up for lost, and the buyer paid again from elsewhere."""
    taxed("exclusive")
    order = start_checkout(make_user(), make_product()).order
    first = session_id_of(order)
    actions.delay(first, country="GB")
    Order.objects.filter(pk=order.pk).update(status="failed")
    order.payments.update(status="failed")
    checkout_start(cart=order.cart, user=order.user, email=order.email, consented=True)
    second = session_id_of(order)
    actions.delay(second, country="DE")
    sync_checkout(second)
    order.payments.filter(stripe_session_id=first).update(status="expired")
    assert amounts(order) == (499, 0, 95, 594)
    sync_checkout(first)
    assert amounts(order) == (499, 0, 95, 594)

    actions.settle(first, succeeds=True)
    sync_checkout(first)

    assert amounts(order) == (499, 0, 100, 599)
    assert line_taxes(order) == [100]
    assert order.payments.get(status="paid").captured_pennies == 599
    assert codes(order) == []


@pytest.mark.wide
@pytest.mark.parametrize("behavior", ["none", "inclusive", "exclusive"])
def test_a_total_that_does_not_add_up_gives_no_files(
    behavior: str, client: Client, taxed: Callable[[str], None]
) -> None:
    taxed(behavior)
    order = start_checkout(make_user(), make_product()).order
    actions.pay(session_id_of(order))
    change_at_stripe(order, amount_total=session(order).data["amount_total"] + 1)

    tell(client)

    assert amounts(order) == (499, 0, 0, 499)
    assert not order.is_paid
    assert codes(order) == ["amount_mismatch"]


def test_a_total_that_has_no_coins_is_for_people_to_look_at(
    client: Client, taxed: Callable[[str], None], settings: Any
) -> None:
    settings.STRIPE_CURRENCY = "ISK"
    taxed("exclusive")
    order = start_checkout(make_user(), make_product()).order
    actions.pay(session_id_of(order))
    change_at_stripe(
        order,
        amount_total=59_880,
        total_details={"amount_discount": 0, "amount_shipping": 0, "amount_tax": 9_980},
    )

    tell(client)

    order.refresh_from_db()
    assert not order.is_paid
    assert codes(order) == ["amount_mismatch"]


def test_a_tax_that_has_no_coins_is_rounded_where_the_price_includes_it(
    client: Client, taxed: Callable[[str], None], settings: Any
) -> None:
    settings.STRIPE_CURRENCY = "ISK"
    taxed("inclusive")
    order = start_checkout(make_user(), make_product()).order
    actions.pay(session_id_of(order))
    change_at_stripe(
        order, total_details={"amount_discount": 0, "amount_shipping": 0, "amount_tax": 8_317}
    )

    tell(client)
    sync_checkout(session_id_of(order))

    assert amounts(order) == (499, 0, 83, 499)
    assert line_taxes(order) == [83]
    assert order.is_paid
    assert codes(order) == ["tax_not_whole"]


# What people see -----------------------------------------------------------------------------------


@pytest.mark.wide
def test_the_cart_says_how_tax_stands_to_the_price(
    client: Client, taxed: Callable[[str], None]
) -> None:
    user = make_user()
    make_cart(user, make_product())
    client.force_login(user)

    def sentence() -> str:
        return " ".join(client.get(reverse("orders:cart")).content.decode().split())

    assert "tax" not in sentence().split("To pay")[1].split("</aside>")[0].lower()
    taxed("inclusive")
    assert "Includes tax." in sentence()
    taxed("exclusive")
    assert "You will pay £4.99 plus tax" in sentence()
    assert "worked out there" in sentence()


def test_an_order_that_waits_says_that_tax_is_to_come(
    client: Client, taxed: Callable[[str], None]
) -> None:
    taxed("exclusive")
    order = start_checkout(make_user(), make_product()).order
    client.force_login(order.user)

    page = " ".join(client.get(order.get_absolute_url()).content.decode().split())
    listed = " ".join(client.get(reverse("orders:list")).content.decode().split())

    assert "£4.99 plus tax" in page
    assert "£4.99 plus tax" in listed


@pytest.mark.parametrize(
    ("behavior", "word", "line_tax", "tax", "total"),
    [
        ("exclusive", "Tax", "£1.00 tax", "£1.67", "£9.99"),
        ("inclusive", "Tax, included", "£0.83 tax included", "£1.39", "£8.32"),
    ],
)
def test_who_paid_sees_the_tax_of_each_line_and_of_all(
    behavior: str, word: str, line_tax: str, tax: str, total: str,
    client: Client, taxed: Callable[[str], None],
) -> None:  # fmt: skip
    taxed(behavior)
    order = buy(client, make_user(), make_product(), make_product(price_pennies=333))
    client.force_login(order.user)

    page = " ".join(client.get(order.get_absolute_url()).content.decode().split())
    letter = letter_write(mail=OutboxMail.objects.get(kind="receipt"))
    client.force_login(make_editor())
    desk = client.get(reverse("order_desk:inspect", args=[order.pk])).content.decode()

    html = " ".join(letter.html.split())
    for text in (page, html):
        assert f"You paid {total}" in text
        assert line_tax in text
        assert f"{word} </" in text
        assert "plus tax" not in text
    assert f"You paid {total}" in letter.text
    assert f", {line_tax}" in letter.text
    assert f"{word}: {tax}" in letter.text
    assert f"Total: {total}" in letter.text
    assert line_tax in " ".join(desk.split())
    assert tax in desk


def test_a_payment_that_failed_speaks_of_what_was_agreed(
    client: Client, taxed: Callable[[str], None]
) -> None:
    taxed("exclusive")
    order = start_checkout(make_user(), make_product()).order
    actions.delay(session_id_of(order))
    actions.settle(session_id_of(order), succeeds=False)

    tell(client)

    letter = letter_write(mail=OutboxMail.objects.get(kind="payment_failed"))
    assert "Your payment of £4.99 plus tax for order" in letter.text
    assert "Total: £4.99 plus tax" in letter.text


def test_what_is_free_has_no_tax(client: Client, taxed: Callable[[str], None]) -> None:
    taxed("exclusive")
    user = make_user()
    product = make_product(price_pennies=0)
    assert cart_summary(cart=make_cart(user, product)).tax == "exclusive"
    client.force_login(user)
    cart_page = client.get(reverse("orders:cart")).content.decode()

    order = checkout_start(cart=user.cart, user=user, email=user.email, consented=False).order

    assert "plus tax" not in cart_page
    assert amounts(order) == (0, 0, 0, 0)
    assert order.tax_behavior == "none"


def test_prices_and_taxes_of_others_stay_theirs(
    client: Client, taxed: Callable[[str], None]
) -> None:
    taxed("exclusive")
    product = make_product()
    waiting = start_checkout(make_user(), product).order
    ProductPage.objects.filter(pk=product.pk).update(price_pennies=F("price_pennies") + 100)

    buy(client, make_user(), product)

    assert amounts(waiting) == (499, 0, 0, 499)
