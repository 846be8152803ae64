"""What somebody with bad intentions, or two devices, tries with guests, codes and gifts."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from catalog_pages.models import ProductPage
from orders.errors import GiftLettersArePaid, OrderChanged
from orders.models import CartItem, DiscountCode, GiftCode, Order, OutboxMail
from orders.services.cart_merging import cart_merge
from orders.services.carts import cart_add, cart_set_gift
from orders.services.checkout import checkout_free, checkout_resume
from orders.services.claims import account_close, rights_claim
from orders.services.gifts import gift_redeem, gift_send
from orders.services.mail import mail_send_due
from orders.services.pricing import cart_summary
from orders.services.refunds import refund_request
from orders.services.shopper import Shopper, owned_among
from orders.services.whose_cart import cart_of_guest, cart_of_user
from orders.stripe_sandbox.models import SandboxObject
from orders.tests.guesting import EMAIL, guest_buys, guest_order, pay
from orders.throttles import FREE_ORDERS_AN_HOUR
from tests.factories import (
    buy,
    make_bundle,
    make_cart,
    make_editor,
    make_product,
    make_user,
    start_checkout,
)

pytestmark = pytest.mark.django_db
START = "orders:checkout_start"


def post_email(client: Client, email: str, **fields: str) -> Any:
    return client.post(reverse(START), {"email": email, **fields})


def put_in(client: Client, product: ProductPage, **fields: Any) -> None:
    client.post(reverse("orders:cart_add"), {"product": product.pk, **fields})


def test_the_shop_writes_to_nobody_for_nothing(client: Client) -> None:
    product = make_product(price_pennies=0)
    put_in(client, product, quantity=9)
    item = CartItem.objects.get()
    cart_set_gift(
        cart=item.cart, item_id=item.pk, is_gift=False, email="victim@example.com", message="Buy!"
    )
    assert post_email(client, "spam@example.com").status_code == 303

    with pytest.raises(GiftLettersArePaid):
        gift_send(gift=GiftCode.objects.all()[1], email="victim@example.com", message="Buy!")
    mail_send_due()

    assert {address for letter in mail.outbox for address in letter.to} == {"spam@example.com"}
    assert GiftCode.objects.filter(recipient_email="").count() == 8
    assert not OutboxMail.objects.filter(to_email="victim@example.com").exists()


@pytest.mark.wide
def test_free_orders_by_the_cart_are_throttled_like_those_by_one_click(client: Client) -> None:
    user = make_user()
    client.force_login(user)
    statuses = []
    for _ in range(FREE_ORDERS_AN_HOUR + 1):
        put_in(client, make_product(price_pennies=0))
        statuses.append(client.post(reverse(START)).status_code)

    assert statuses == [303] * FREE_ORDERS_AN_HOUR + [429]


def test_an_order_claimed_on_another_device_does_not_block_this_one(client: Client) -> None:
    first = guest_order(client, EMAIL)
    rights_claim(user=make_user(EMAIL))

    answer = post_email(client, EMAIL, consent="on")

    assert answer.status_code == 303
    first.refresh_from_db()
    assert first.status == Order.Status.EXPIRED  # one cart leaves one session to pay
    assert Order.objects.get(status=Order.Status.PENDING).user is None


@pytest.mark.wide
def test_an_address_alone_tells_nothing_about_codes_it_has_used(client: Client) -> None:
    DiscountCode.objects.create(code="ONCE", kind="percent", percent=10, max_uses_per_buyer=1)
    product = make_product()
    customer = Client()
    put_in(customer, make_product())
    customer.post(reverse("orders:cart_apply_code"), {"code": "ONCE"})
    assert post_email(customer, EMAIL, consent="on").status_code == 303
    put_in(client, product)
    client.post(reverse("orders:cart_apply_code"), {"code": "ONCE"})

    known, unknown = post_email(client, EMAIL), post_email(client, "stranger@example.com")

    assert known.status_code == unknown.status_code == 400
    told = [
        answer.content.decode().replace(EMAIL, "stranger@example.com")
        for answer in (known, unknown)
    ]
    assert ("used as often" in told[0]) == ("used as often" in told[1]) is False


@pytest.mark.parametrize(
    "fields",
    [
        {"gift_email": "a" * 250 + "@example.com"},
        {"gift_message": "\ud800"},
        {"gift_email": "a@\ud800x.com"},
    ],
)
def test_odd_words_for_a_gift_are_a_sentence(client: Client, fields: dict[str, str]) -> None:
    put_in(client, make_product())
    body = json.dumps({"item": CartItem.objects.get().pk, "is_gift": True, **fields})

    answer = client.post(reverse("orders:cart_gift"), body, content_type="application/json")

    assert answer.status_code == 400
    assert answer.json()["code"] in {"gift_invalid", "bad_json"}


def test_a_nul_in_an_address_is_a_sentence(client: Client) -> None:
    DiscountCode.objects.create(code="ONCE", kind="percent", percent=10, max_uses_per_buyer=1)
    put_in(client, make_product())
    client.post(reverse("orders:cart_apply_code"), {"code": "ONCE"})

    assert post_email(client, "a\0b", consent="on").status_code == 400


@pytest.mark.parametrize("gift_first", [True, False])
def test_one_for_oneself_and_one_to_give_away_are_two(gift_first: bool) -> None:
    product = make_product()
    cart = cart_of_user(user_id=make_user().pk, create=True)
    assert cart is not None

    for is_gift in (gift_first, not gift_first):
        cart_add(cart=cart, product_id=product.pk, is_gift=is_gift)

    item = cart.items.get()
    assert (item.quantity, item.is_gift) == (2, False)


def test_signing_in_keeps_the_friend_and_the_words() -> None:
    product = make_product()
    mine, guest = make_cart(make_user(), product), cart_of_guest(cart_id=None, create=True)
    assert guest is not None
    gift = cart_add(cart=guest, product_id=product.pk, is_gift=True)
    cart_set_gift(
        cart=guest, item_id=gift.pk, is_gift=True, email="friend@example.com", message="Listen"
    )

    cart_merge(guest=guest, into=mine)

    item = mine.items.get()
    assert (item.quantity, item.is_gift) == (2, False)
    assert (item.gift_email, item.gift_message) == ("friend@example.com", "Listen")


def test_signing_in_with_an_unpaid_order_says_nothing_of_purchases(client: Client) -> None:
    guest_order(client, EMAIL)
    make_user(EMAIL)

    answer = client.post(
        reverse("account_login"),
        {"login": EMAIL, "password": "correct-horse-battery"},
        follow=True,
    )

    assert "What you bought without an account" not in answer.content.decode()
    assert Order.objects.get().user is not None


@pytest.mark.wide
def test_after_a_refund_the_success_page_promises_no_files(client: Client) -> None:
    order = guest_buys(client)
    refund_request(
        refund_id=uuid.uuid4(), payment=order.payments.get(), by=make_editor(), reason=""
    )

    page = client.get(f"{reverse('orders:checkout_success')}?order={order.pk}").content.decode()

    assert "Thank you for your order" in page
    assert "Your files are ready" not in page
    assert "It opens your files" not in page


@pytest.mark.wide
def test_a_closed_account_is_written_to_no_more(client: Client) -> None:
    buyer, friend = make_user(), make_user()
    cart = make_cart(buyer, make_product())
    cart_set_gift(cart=cart, item_id=cart.items.get().pk, is_gift=True)
    order = buy(client, buyer)
    gift_redeem(code_text=GiftCode.objects.get().code, user=friend)
    account_close(user=friend)

    refund_request(
        refund_id=uuid.uuid4(), payment=order.payments.get(), by=make_editor(), reason=""
    )

    assert not OutboxMail.objects.filter(to_email__endswith="closed.invalid").exists()


def test_a_bundle_that_waits_is_not_paid_once_a_part_was_pulled() -> None:
    part = make_product()
    order = start_checkout(make_user(), make_bundle("Both", part, make_product())).order
    ProductPage.objects.filter(pk=part.pk).update(live=False)

    with pytest.raises(OrderChanged):
        checkout_resume(order=order)


@pytest.mark.wide
def test_what_this_browser_bought_as_a_guest_is_owned_after_signing_in(client: Client) -> None:
    order = guest_buys(client)
    product = order.items.get().product
    client.force_login(make_user(EMAIL.upper(), verified=False))

    put_in(client, product)
    page = client.get(reverse("orders:cart")).content.decode()

    assert "You own this already" in page


@pytest.mark.wide
def test_a_copy_redeemed_with_an_address_is_owned_in_that_browser(client: Client) -> None:
    product = make_product()
    cart = make_cart(make_user(), product)
    CartItem.objects.filter(cart=cart).update(quantity=3)
    buyer = cart.user
    assert buyer is not None
    buy(Client(), buyer)
    one, two = GiftCode.objects.all()

    for gift in (one, two):
        client.post(reverse("orders:gift", args=[gift.code]), {"email": EMAIL})

    two.refresh_from_db()
    assert two.redeemed_at is None
    assert owned_among(Shopper(guest_gift_ids=frozenset({one.pk})), [product.pk]) == {product.pk}


@pytest.mark.wide
def test_on_a_shared_browser_an_account_may_buy_what_a_guest_bought(client: Client) -> None:
    product = guest_buys(client).items.get().product
    client.force_login(make_user("partner@example.com"))

    put_in(client, product)

    assert client.post(reverse(START), {"consent": "on"}).status_code == 303


@pytest.mark.wide
def test_a_guest_redeems_the_spare_copy_for_a_friend_in_the_same_browser(client: Client) -> None:
    product = make_product()
    put_in(client, product, quantity=2)
    assert post_email(client, EMAIL, consent="on").status_code == 303
    pay(Order.objects.get())
    gift = GiftCode.objects.get()

    mine = client.post(reverse("orders:gift", args=[gift.code]), {"email": EMAIL})
    friends = client.post(reverse("orders:gift", args=[gift.code]), {"email": "friend@example.com"})

    assert (mine.status_code, friends.status_code) == (409, 303)


def test_refunding_the_only_paid_line_leaves_what_cost_nothing() -> None:
    user = make_user()
    paid, free = make_product(price_pennies=499), make_product(price_pennies=0)
    order = buy(Client(), user, paid, free)
    payment, item = order.payments.get(), order.items.get(product=paid)

    refund_request(
        refund_id=uuid.uuid4(), payment=payment, by=make_editor(), reason="", item_ids=[item.pk]
    )

    assert owned_among(Shopper(user), [paid.pk, free.pk]) == {free.pk}


@pytest.mark.wide
def test_a_whole_refund_takes_what_cost_nothing_too() -> None:
    user = make_user()
    paid, free = make_product(price_pennies=499), make_product(price_pennies=0)
    order = buy(Client(), user, paid, free)

    refund_request(
        refund_id=uuid.uuid4(), payment=order.payments.get(), by=make_editor(), reason=""
    )

    assert owned_among(Shopper(user), [paid.pk, free.pk]) == set()


def test_a_free_copy_beside_a_paid_line_is_mailed_to_nobody() -> None:
    user = make_user()
    cart = make_cart(user, make_product(price_pennies=0), make_product())
    free = cart.items.order_by("pk")[0]
    cart_set_gift(
        cart=cart, item_id=free.pk, is_gift=True, email="victim@example.com", message="Buy!"
    )

    buy(Client(), user)

    assert not OutboxMail.objects.filter(to_email="victim@example.com").exists()
    with pytest.raises(GiftLettersArePaid):
        gift_send(gift=GiftCode.objects.get(), email="victim@example.com")


@pytest.mark.wide
def test_redeeming_by_the_dozen_is_refused(client: Client) -> None:
    put_in(client, make_product(price_pennies=0), quantity=99)
    post_email(client, EMAIL)
    statuses = [
        Client().post(reverse("orders:gift", args=[gift.code]), {"email": "victim@example.com"})
        for gift in GiftCode.objects.all()[:25]
    ]

    assert [answer.status_code for answer in statuses].count(429) == 5
    assert OutboxMail.objects.filter(to_email="victim@example.com").count() == 20


def test_pressing_buy_as_a_gift_again_adds_no_copy() -> None:
    product = make_product()
    cart = make_cart(make_user(), product)

    for _ in range(3):
        cart_add(cart=cart, product_id=product.pk, is_gift=True)

    assert (cart.items.get().quantity, cart.items.get().is_gift) == (2, False)


def test_what_is_owned_becomes_a_gift_as_a_whole(client: Client) -> None:
    user, product = make_user(), make_product()
    buy(client, user, product)
    cart = make_cart(user, product)

    cart_add(cart=cart, product_id=product.pk, is_gift=True, shopper=Shopper(user))

    assert (cart.items.get().quantity, cart.items.get().is_gift) == (1, True)


@pytest.mark.wide
def test_refused_free_checkouts_use_up_no_limit(client: Client) -> None:
    user, owned = make_user(), make_product(price_pennies=0)
    client.force_login(user)
    put_in(client, owned)
    client.post(reverse(START))
    put_in(client, owned)
    for _ in range(FREE_ORDERS_AN_HOUR + 2):
        assert client.post(reverse(START)).status_code == 409
    CartItem.objects.all().delete()

    put_in(client, make_product(price_pennies=0))

    assert client.post(reverse(START)).status_code == 303


def test_a_friend_without_a_copy_is_asked_about() -> None:
    user = make_user()
    cart = make_cart(user, make_product())
    cart_set_gift(cart=cart, item_id=cart.items.get().pk, is_gift=False, email="friend@example.com")

    line = cart_summary(cart=cart).lines[0]

    assert line.problem == "gift_without_copy"
    assert "friend@example.com" in line.message


@pytest.mark.wide
@pytest.mark.parametrize(
    "email", ['"a\x01b"@example.com', '"a@b"@example.com', "a@\u00dftest.example", "a@b\x0b.com"]
)
def test_an_address_that_would_arrive_elsewhere_is_refused(client: Client, email: str) -> None:
    put_in(client, make_product())

    answer = post_email(client, email, consent="on")

    assert answer.status_code == 400
    assert not Order.objects.exists()


@pytest.mark.wide
def test_an_address_with_letters_of_its_own_is_taken(client: Client) -> None:
    put_in(client, make_product())

    assert post_email(client, "ada@b\u00fccher.example", consent="on").status_code == 303


def test_nobody_can_stand_in_the_way_of_closing_an_account(client: Client) -> None:
    user = make_user()
    make_user(f"account-{user.pk}@closed.invalid", verified=False)

    account_close(user=user)

    user.refresh_from_db()
    assert not user.is_active


def test_a_price_for_a_line_that_also_names_a_product_is_a_sentence(client: Client) -> None:
    put_in(client, make_product())

    answer = client.post(
        reverse("orders:cart_price"), {"item": "1", "price": "abc", "product": "99999"}
    )

    assert answer.status_code in (400, 404)


def test_a_total_that_stripe_would_not_charge_is_said_in_the_cart(client: Client) -> None:
    put_in(client, make_product(price_pennies=10))

    page = client.get(reverse("orders:cart")).content.decode()

    assert "The smallest amount that can be paid is £0.30." in page


def test_whoever_is_refused_for_haste_is_told_when_to_come_back(client: Client) -> None:
    answers = [client.post(reverse("orders:guest_find"), {"email": EMAIL}) for _ in range(11)]

    assert answers[-1].status_code == 429
    assert 0 < int(answers[-1]["Retry-After"]) <= 3600


@pytest.mark.wide
def test_another_text_asks_for_another_consent(client: Client, monkeypatch: Any) -> None:
    put_in(client, make_product())

    old = post_email(client, EMAIL, consent="yes", consent_version="2025-01")

    assert old.status_code == 400
    assert not Order.objects.exists()
    page = client.get(reverse("orders:cart")).content.decode()
    assert 'name="consent_version"' in page
    assert post_email(client, EMAIL, consent="yes", consent_version="2026-11").status_code == 303


def test_one_click_takes_the_product_out_of_the_cart_too() -> None:
    user, free = make_user(), make_product(price_pennies=0)
    cart = make_cart(user, free, make_product())

    checkout_free(product=free, user=user)

    assert free not in [item.product for item in cart.items.all()]
    assert cart.items.count() == 1


def test_what_is_in_a_bundle_beside_it_is_mentioned_and_not_refused() -> None:
    part = make_product("Part")
    cart = make_cart(make_user(), part, make_bundle("Both", part, make_product()))

    summary = cart_summary(cart=cart)

    messages = {line.title: line.message for line in summary.lines}
    assert messages == {"Part": "This is in “Both” too, which is in your cart.", "Both": ""}
    assert summary.can_checkout


@pytest.mark.wide
def test_a_friend_finds_a_redeemed_gift_among_the_purchases_of_that_browser(client: Client) -> None:
    buyer = make_user()
    cart = make_cart(buyer, make_product("Harbour"))
    CartItem.objects.filter(cart=cart).update(quantity=3)
    order = buy(Client(), buyer)
    gift = GiftCode.objects.all()[0]
    client.post(reverse("orders:gift", args=[gift.code]), {"email": "friend@example.com"})

    page = client.get(reverse("orders:purchases")).content.decode()

    assert page.count("Download </span>FLAC") == 1
    assert order.number not in page


@pytest.mark.wide
def test_stripe_shows_the_code_beside_what_it_takes_off(client: Client) -> None:
    DiscountCode.objects.create(code="SPRING", kind="percent", percent=10)
    put_in(client, make_product())
    client.post(reverse("orders:cart_apply_code"), {"code": "spring"})

    assert post_email(client, EMAIL, consent="on").status_code == 303

    assert SandboxObject.objects.get(kind="coupon").data["name"] == "SPRING"
