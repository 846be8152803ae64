"""From cart to order to session, through the real Stripe library and the sandbox."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from downloads.models import UserAsset
from orders.errors import (
    AmountTooLarge,
    AmountTooSmall,
    CartNeedsAttention,
    ConsentMissing,
    OrderChanged,
    OrderClosed,
    PaymentOnItsWay,
    PaymentServiceUnavailable,
    PaymentUnderReview,
)
from orders.models import Order, OrderAnomaly, OrderItem, Payment, Refund
from orders.services.carts import cart_add, cart_remove
from orders.services.checkout import checkout_resume, checkout_start
from orders.services.fulfilment import payment_give_up, sync_checkout
from orders.services.reconcile import payments_sweep, reconcile
from orders.services.reviewing import anomaly_resolve
from orders.stripe_sandbox import actions, controls
from orders.stripe_sandbox.models import SandboxControls, SandboxObject
from tests.factories import (
    buy,
    make_asset,
    make_cart,
    make_product,
    make_user,
    session_id_of,
    start_checkout,
)

pytestmark = pytest.mark.django_db


def sessions_at_stripe() -> int:
    return SandboxObject.objects.filter(kind="checkout.session").count()


def checkout(user: Any, cart: Any) -> Any:
    return checkout_start(cart=cart, user=user, email=user.email, consented=True)


def test_titles_prices_and_files_are_frozen_at_checkout(client: Client) -> None:
    user, asset = make_user(), make_asset()
    product = make_product("First title", price_pennies=700, assets=[asset])
    order = start_checkout(user, product).order
    product.title, product.price_pennies = "Second title", 9900
    product.tracks.first().files.first().delete()
    product.save(clean=False)

    actions.pay(session_id_of(order))
    controls.deliver_all(controls.through(client))

    item = OrderItem.objects.get()
    assert (item.title, item.unit_price_pennies) == ("First title", 700)
    assert UserAsset.objects.get().asset == asset


def test_pressing_twice_makes_one_order_and_one_session() -> None:
    user = make_user()
    cart = make_cart(user, make_product())

    first, second = checkout(user, cart), checkout(user, cart)

    assert first == second
    assert Order.objects.count() == Payment.objects.count() == sessions_at_stripe() == 1


@pytest.mark.wide
def test_a_changed_cart_gets_a_new_order_and_the_old_session_is_closed() -> None:
    user, extra = make_user(), make_product()
    cart = make_cart(user, make_product())
    old = checkout(user, cart).order
    cart_add(cart=cart, product_id=extra.pk)

    new = checkout(user, cart).order

    old.refresh_from_db()
    assert new != old
    assert old.status == Order.Status.EXPIRED
    assert SandboxObject.objects.get(object_id=session_id_of(old)).data["status"] == "expired"


def test_an_old_session_that_was_paid_meanwhile_counts_and_is_said_so() -> None:
    user, extra = make_user(), make_product()
    cart = make_cart(user, make_product())
    old = checkout(user, cart).order
    actions.pay(session_id_of(old))
    cart_add(cart=cart, product_id=extra.pk)

    with pytest.raises(CartNeedsAttention, match="has just arrived"):
        checkout(user, cart)

    old.refresh_from_db()
    assert old.is_paid
    assert [item.product_id for item in cart.items.all()] == [extra.pk]


def test_cancelling_keeps_the_cart_and_the_order(client: Client) -> None:
    user = make_user()
    started = start_checkout(user, make_product())
    client.force_login(user)

    page = client.get(reverse("orders:checkout_cancel"), {"order": started.order.pk})

    assert page.status_code == 200
    assert client.get(reverse("orders:cart")).context["summary"].count == 1
    assert checkout_resume(order=started.order).url == started.url


def test_paying_removes_only_what_was_bought(client: Client) -> None:
    user, bought, later = make_user(), make_product(), make_product()
    order = start_checkout(user, bought).order
    cart_add(cart=order.cart, product_id=later.pk)

    actions.pay(session_id_of(order))
    controls.deliver_all(controls.through(client))

    assert [item.product_id for item in order.cart.items.all()] == [later.pk]


def test_nothing_to_pay_skips_stripe(client: Client) -> None:
    user = make_user()

    order = start_checkout(user, make_product(price_pennies=0)).order

    assert order.is_paid
    assert order.payments.get().kind == Payment.Kind.FREE
    assert UserAsset.objects.filter(user=user).count() == 1
    assert sessions_at_stripe() == 0


def test_without_consent_nothing_starts() -> None:
    user = make_user()
    cart = make_cart(user, make_product())

    with pytest.raises(ConsentMissing):
        checkout_start(cart=cart, user=user, email=user.email, consented=False)

    assert not Order.objects.exists()


def test_consent_is_recorded_with_its_version_and_time() -> None:
    order = start_checkout(make_user(), make_product()).order

    assert order.consent_version
    assert order.consent_at is not None


def test_less_than_stripes_smallest_amount_is_refused_with_a_sentence() -> None:
    user = make_user()
    cart = make_cart(user, make_product(price_pennies=29))

    with pytest.raises(AmountTooSmall, match=r"£0\.30"):
        checkout(user, cart)


@pytest.mark.wide
def test_a_repriced_line_stops_checkout_until_it_is_seen() -> None:
    user, product = make_user(), make_product(price_pennies=400)
    cart = make_cart(user, product)
    product.price_pennies = 900
    product.save_revision().publish()

    with pytest.raises(CartNeedsAttention):
        checkout(user, cart)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("state", ["DOWN", "FAILING", "LOSING_ANSWERS"])
def test_stripe_being_down_loses_nothing_and_a_retry_makes_no_second_order(
    client: Client, state: str
) -> None:
    user = make_user()
    make_cart(user, make_product())
    client.force_login(user)
    controls.set_api(getattr(SandboxControls.Api, state))

    refused = client.post(reverse("orders:checkout_start"), {"consent": "on"})
    controls.set_api(SandboxControls.Api.UP)
    accepted = client.post(reverse("orders:checkout_start"), {"consent": "on"})

    assert refused.status_code == 503
    assert refused["Retry-After"]
    assert "charged" in refused.content.decode()
    assert accepted.status_code == 303
    assert Order.objects.count() == Payment.objects.count() == sessions_at_stripe() == 1
    assert client.get(reverse("orders:cart")).context["summary"].count == 1


@pytest.mark.wide
def test_an_answer_lost_long_ago_starts_a_fresh_attempt_of_the_same_order() -> None:
    user = make_user()
    cart = make_cart(user, make_product())
    controls.set_api(SandboxControls.Api.DOWN)
    with pytest.raises(PaymentServiceUnavailable):
        checkout(user, cart)
    controls.set_api(SandboxControls.Api.UP)
    payment = Payment.objects.get()
    payment.request["expires_at"] = int((timezone.now() + timedelta(minutes=5)).timestamp())
    payment.save()

    started = checkout(user, cart)

    assert Order.objects.count() == 1
    assert started.order.payments.get(attempt=2).status == Payment.Status.OPEN
    assert started.order.status == Order.Status.PENDING


def test_a_declined_card_leaves_the_session_open_for_another_try(client: Client) -> None:
    user = make_user()
    order = start_checkout(user, make_product()).order

    actions.decline(session_id_of(order))
    controls.deliver_all(controls.through(client))
    actions.pay(session_id_of(order))
    controls.deliver_all(controls.through(client))

    order.refresh_from_db()
    assert order.is_paid
    assert UserAsset.objects.count() == 1


@pytest.mark.wide
def test_an_expired_session_expires_the_order_and_the_cart_can_be_bought_again(
    client: Client,
) -> None:
    user = make_user()
    order = start_checkout(user, make_product()).order
    actions.expire(session_id_of(order))
    controls.deliver_all(controls.through(client))
    order.refresh_from_db()

    again = checkout(user, order.cart).order

    assert order.status == Order.Status.EXPIRED
    assert again != order
    assert again.status == Order.Status.PENDING


def test_an_expiry_that_no_event_told_is_found_by_the_sweep() -> None:
    order = start_checkout(make_user(), make_product()).order
    actions.expire(session_id_of(order))
    order.payments.update(expires_at=timezone.now() - timedelta(hours=1))

    payments_sweep()

    order.refresh_from_db()
    assert order.status == Order.Status.EXPIRED


def test_paid_after_we_thought_it_expired_is_still_paid(client: Client) -> None:
    user = make_user()
    order = start_checkout(user, make_product()).order
    Payment.objects.update(status=Payment.Status.EXPIRED)
    Order.objects.update(status=Order.Status.EXPIRED)

    actions.pay(session_id_of(order))
    controls.deliver_all(controls.through(client))

    order.refresh_from_db()
    assert order.is_paid
    assert UserAsset.objects.count() == 1


def test_a_delayed_method_waits_then_pays(client: Client) -> None:
    order = start_checkout(make_user(), make_product()).order
    post = controls.through(client)

    actions.delay(session_id_of(order))
    controls.deliver_all(post)
    order.refresh_from_db()
    waiting = (order.status, UserAsset.objects.count())
    actions.settle(session_id_of(order), succeeds=True)
    controls.deliver_all(post)

    order.refresh_from_db()
    assert waiting == (Order.Status.PROCESSING, 0)
    assert order.is_paid
    assert UserAsset.objects.count() == 1


@pytest.mark.wide
def test_a_delayed_method_that_fails_offers_a_new_attempt(client: Client) -> None:
    order = start_checkout(make_user(), make_product()).order
    post = controls.through(client)
    actions.delay(session_id_of(order))
    controls.deliver_all(post)
    actions.settle(session_id_of(order), succeeds=False)
    controls.deliver_all(post)
    order.refresh_from_db()
    failed = order.status

    again = checkout(order.user, order.cart)

    assert failed == Order.Status.FAILED
    assert again.order == order
    assert order.payments.count() == 2
    assert not UserAsset.objects.exists()


def test_an_older_snapshot_that_arrives_late_changes_nothing(client: Client) -> None:
    user = make_user()
    order = buy(client, user, make_product())
    before = Payment.objects.values().get()

    sync_checkout(session_id_of(order))

    assert Payment.objects.values().get() == before


def test_a_price_paid_that_differs_from_the_agreement_is_an_anomaly_and_grants_nothing(
    client: Client,
) -> None:
    order = start_checkout(make_user(), make_product(price_pennies=499)).order
    Payment.objects.update(amount_pennies=9_999)

    actions.pay(session_id_of(order))
    controls.deliver_all(controls.through(client))

    order.refresh_from_db()
    assert order.anomalies.get().code == "amount_mismatch"
    assert not order.is_paid
    assert not UserAsset.objects.exists()

    # Nobody is sent to pay again, and the refund that people make of it is understood.
    with pytest.raises(PaymentUnderReview):
        checkout_start(cart=order.cart, user=order.user, email=order.email, consented=True)
    actions.refund(session_id_of(order))
    assert set(controls.deliver_all(controls.through(client))) == {200}
    assert Refund.objects.get().status == "succeeded"
    since = order.created_at - timedelta(hours=1)
    assert [one.code for one in reconcile(since=since)] == ["on_record"]
    assert OrderAnomaly.objects.count() == 1

    # Once people have settled it, it is over: the buyer can buy again, and everything agrees.
    anomaly_resolve(anomaly=OrderAnomaly.objects.get(), by=make_user())
    order.refresh_from_db()
    assert order.status == Order.Status.EXPIRED
    assert list(reconcile(since=since)) == []
    again = checkout_start(cart=order.cart, user=order.user, email=order.email, consented=True)
    assert again.order != order


def test_the_success_page_asks_stripe_itself_when_the_webhook_stays_away(client: Client) -> None:
    user = make_user()
    order = start_checkout(user, make_product()).order
    actions.pay(session_id_of(order))
    client.force_login(user)
    url = reverse("orders:checkout_state", args=[order.pk])

    states = [client.get(url, {"looks": look}).context["state"] for look in (1, 2, 3)]

    assert states == ["waiting", "waiting", "paid"]


def test_removing_everything_and_checking_out_is_refused() -> None:
    user = make_user()
    cart = make_cart(user, make_product())
    cart_remove(cart=cart, item_id=cart.items.get().pk)

    with pytest.raises(Exception, match="empty"):
        checkout(user, cart)


def test_a_session_that_stripe_no_longer_knows_is_given_up_and_paid_anew(client: Client) -> None:
    order = start_checkout(make_user(), make_product()).order
    SandboxObject.objects.all().delete()

    again = checkout(order.user, order.cart)

    assert again.order == order
    assert again.order.payments.get(attempt=2).status == Payment.Status.OPEN
    assert order.anomalies.get().code == "session_missing"


@pytest.mark.wide
def test_a_changed_cart_survives_a_session_that_stripe_no_longer_knows() -> None:
    order = start_checkout(make_user(), make_product()).order
    SandboxObject.objects.all().delete()
    cart_add(cart=order.cart, product_id=make_product().pk)

    assert checkout(order.user, order.cart).order != order


@pytest.mark.wide
def test_an_expired_order_is_not_resumed_but_bought_again_from_the_cart(client: Client) -> None:
    user, product = make_user(), make_product()
    old = start_checkout(user, product).order
    actions.expire(session_id_of(old))
    controls.deliver_all(controls.through(client))
    start_checkout(user, product)
    client.force_login(user)

    response = client.post(reverse("orders:checkout_resume", args=[old.pk]), follow=True)

    assert response.status_code == 200
    assert "can no longer be paid" in response.content.decode()
    old.refresh_from_db()
    with pytest.raises(OrderClosed):
        checkout_resume(order=old)


@pytest.mark.wide
@pytest.mark.parametrize("change", ["unpublished", "repriced"])
def test_an_order_waiting_for_payment_is_not_sold_on_once_its_product_changed(change: str) -> None:
    product = make_product(price_pennies=499)
    order = start_checkout(make_user(), product).order
    if change == "unpublished":
        product.unpublish()
    else:
        product.price_pennies = 999
        product.save_revision().publish()

    with pytest.raises(OrderChanged):
        checkout_resume(order=order)

    order.refresh_from_db()
    assert order.status == Order.Status.EXPIRED
    assert SandboxObject.objects.get(object_id=session_id_of(order)).data["status"] == "expired"


@pytest.mark.wide
def test_a_payment_that_arrived_meanwhile_leaves_no_second_order_for_the_same_product() -> None:
    user, product = make_user(), make_product()
    first = start_checkout(user, product).order
    actions.pay(session_id_of(first))
    cart_add(cart=first.cart, product_id=make_product().pk)

    with pytest.raises(CartNeedsAttention):
        checkout(user, first.cart)

    assert OrderItem.objects.filter(product=product).count() == 1


def test_a_product_with_a_payment_on_its_way_is_not_sold_again(client: Client) -> None:
    user, product = make_user(), make_product()
    first = start_checkout(user, product).order
    actions.delay(session_id_of(first))
    controls.deliver_all(controls.through(client))
    cart_add(cart=first.cart, product_id=make_product().pk)

    with pytest.raises(PaymentOnItsWay, match=product.title):
        checkout(user, first.cart)

    assert Order.objects.count() == 1


def test_more_than_stripe_can_charge_is_refused_with_a_sentence(settings: Any) -> None:
    settings.CART_MAX_QUANTITY = 99
    user = make_user()
    cart = make_cart(user, make_product(price_pennies=99_999_999))
    cart.items.update(quantity=2)

    with pytest.raises(AmountTooLarge, match=r"£999,999\.99"):
        checkout(user, cart)

    assert not Order.objects.exists()


@pytest.mark.wide
def test_one_session_that_cannot_be_found_does_not_stop_the_sweep(client: Client) -> None:
    lost, paid = (start_checkout(make_user(), make_product()).order for _ in range(2))
    SandboxObject.objects.filter(object_id=session_id_of(lost)).delete()
    actions.pay(session_id_of(paid))
    for order, hours in ((lost, 3), (paid, 1)):
        order.payments.update(expires_at=timezone.now() - timedelta(hours=hours))

    payments_sweep()

    for order in (lost, paid):
        order.refresh_from_db()
    assert (lost.status, paid.status) == (Order.Status.EXPIRED, Order.Status.PAID)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("currency", ["JPY", "KWD", "ISK"])
def test_currencies_with_other_digits_are_charged_exactly(
    client: Client, settings: Any, currency: str
) -> None:
    settings.STRIPE_CURRENCY, settings.CART_MAX_QUANTITY = currency, 99
    user, product = make_user(), make_product(price_pennies=1250)
    cart = make_cart(user, product, make_product(price_pennies=0))
    cart.items.filter(product=product).update(quantity=3)
    order = checkout(user, cart).order
    charged = SandboxObject.objects.get(object_id=session_id_of(order)).data["amount_total"]
    actions.pay(session_id_of(order))
    controls.deliver_all(controls.through(client))

    order.refresh_from_db()
    assert order.is_paid
    assert order.total_pennies == 3750
    assert charged == {"JPY": 3750, "KWD": 3750, "ISK": 375_000}[currency]


@pytest.mark.wide
def test_what_an_order_takes_off_is_taken_off_at_stripe_too(client: Client) -> None:
    user = make_user()
    order = start_checkout(user, make_product(), make_product()).order
    actions.delay(session_id_of(order))
    actions.settle(session_id_of(order), succeeds=False)
    controls.deliver_all(controls.through(client))
    Order.objects.update(discount_pennies=101, total_pennies=897)

    again = checkout_start(cart=order.cart, user=user, email=user.email, consented=True).order
    session = SandboxObject.objects.get(object_id=session_id_of(again)).data
    actions.pay(session["id"])
    controls.deliver_all(controls.through(client))

    assert again == order
    assert (session["amount_subtotal"], session["amount_total"]) == (998, 897)
    payment = order.payments.get(attempt=2)
    assert (payment.status, payment.amount_pennies, payment.captured_pennies) == ("paid", 897, 897)
    coupon = SandboxObject.objects.get(kind="coupon").data
    assert (coupon["amount_off"], coupon["times_redeemed"], coupon["valid"]) == (101, 1, False)


@pytest.mark.wide
def test_a_delayed_payment_that_fails_leads_to_the_order_that_waits_beside_it() -> None:
    """The first order was given up, came to light again as delayed, and then failed."""
    user = make_user()
    cart = make_cart(user, make_product())
    first = checkout(user, cart).order
    payment_give_up(payment=first.payments.get(), reason="lost sight of it")
    second = checkout(user, cart)
    assert second.order != first
    actions.delay(session_id_of(first))
    sync_checkout(session_id_of(first))
    actions.settle(session_id_of(first), succeeds=False)

    started = checkout(user, cart)

    assert (started.order, started.url) == (second.order, second.url)
    first.refresh_from_db()
    assert first.status == Order.Status.FAILED
