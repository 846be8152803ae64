"""What a shopper owns already is not sold to them again; giving it away stays possible."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog_pages.models import BundledProduct, ProductPage
from downloads.models import UserAsset
from orders.errors import AlreadyOwned, ProductNotForSale, ProductNotFree
from orders.models import Order
from orders.services.carts import cart_set_gift
from orders.services.checkout import checkout_free, checkout_resume, checkout_start
from orders.services.pricing import cart_summary
from orders.services.refunds import refund_request
from orders.services.shopper import Shopper, owned_among
from orders.services.whose_cart import cart_of_user
from tests.factories import buy, make_asset, make_cart, make_editor, make_product, make_user

pytestmark = pytest.mark.django_db


def make_bundle(*products: ProductPage, **fields: Any) -> ProductPage:
    bundle = make_product("Both", **fields)
    for place, product in enumerate(products):
        BundledProduct.objects.create(page=bundle, product=product, sort_order=place)
    return bundle


def start(user: Any) -> Order:
    cart = cart_of_user(user_id=user.pk)
    return checkout_start(cart=cart, user=user, email=user.email, consented=True).order


def test_a_second_purchase_is_refused_in_the_cart_and_in_the_service(client: Client) -> None:
    user, product = make_user(), make_product("Harbour")
    buy(client, user, product)

    cart = make_cart(user, product)

    line = cart_summary(cart=cart, shopper=Shopper(user)).lines[0]
    assert line.problem == "owned"
    assert "make it a gift" in line.message
    with pytest.raises(AlreadyOwned, match="You own “Harbour” already"):
        start(user)
    assert Order.objects.count() == 1


def test_as_a_gift_it_is_sold_and_gives_the_buyer_no_second_copy(client: Client) -> None:
    user, product = make_user(), make_product()
    buy(client, user, product)
    cart = make_cart(user, product)
    cart_set_gift(cart=cart, item_id=cart.items.get().pk, is_gift=True)

    order = buy(client, user)

    assert order.items.get().is_gift
    assert UserAsset.objects.filter(user=user).count() == 1


def test_what_was_refunded_may_be_bought_again(client: Client) -> None:
    user, product = make_user(), make_product()
    payment = buy(client, user, product).payments.get()
    refund_request(refund_id=uuid.uuid4(), payment=payment, by=make_editor(), reason="")

    assert owned_among(Shopper(user), [product.pk]) == set()
    make_cart(user, product)
    assert start(user).status == Order.Status.PENDING


def test_a_single_that_came_with_an_album_is_owned_and_the_album_is_not() -> None:
    asset, user = make_asset(), make_user()
    single, album = make_product(assets=[asset]), make_product(assets=[asset, make_asset()])
    free = make_product(price_pennies=0, assets=[asset])

    checkout_free(product=free, user=user)

    assert owned_among(Shopper(user), [single.pk, album.pk, free.pk]) == {single.pk, free.pk}


def test_a_bundle_delivers_and_shows_what_is_owned_inside(client: Client) -> None:
    user, one, two = make_user(), make_product("One"), make_product("Two")
    bundle = make_bundle(one, two, price_pennies=700)
    buy(client, user, one)

    line = cart_summary(cart=make_cart(user, bundle), shopper=Shopper(user)).lines[0]
    order = buy(client, user)

    assert [(part.title, part.is_owned) for part in line.contains] == [
        ("One", True),
        ("Two", False),
    ]
    delivered = order.items.get().deliveries.values_list("asset", flat=True)
    assert len(set(delivered)) == 3  # its own file, and one of each product
    assert owned_among(Shopper(user), [one.pk, two.pk, bundle.pk]) == {one.pk, two.pk, bundle.pk}


def test_a_bundle_of_which_a_part_is_gone_is_not_sold() -> None:
    user, one = make_user(), make_product("One")
    cart = make_cart(user, make_bundle(one))
    ProductPage.objects.filter(pk=one.pk).update(live=False)

    assert cart_summary(cart=cart).lines[0].problem == "unavailable"


def test_an_order_that_waits_is_not_paid_once_its_product_came_by_another_road() -> None:
    user, product = make_user(), make_product()
    make_cart(user, product)
    order = start(user)
    ProductPage.objects.filter(pk=product.pk).update(price_pennies=0)
    checkout_free(product=product, user=user)
    ProductPage.objects.filter(pk=product.pk).update(price_pennies=499)

    with pytest.raises(AlreadyOwned):
        checkout_resume(order=order)


def test_owning_takes_the_same_queries_for_one_product_and_for_many(client: Client) -> None:
    user, products = make_user(), [make_product() for _ in range(4)]
    buy(client, user, *products[:2])

    def queries(some: list[ProductPage]) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            owned_among(Shopper(user), [product.pk for product in some])
        return len(captured)

    assert queries(products[2:3]) == queries(products) <= 5


def test_one_click_takes_a_free_product(client: Client) -> None:
    user, product = make_user(), make_product(price_pennies=0)

    order = checkout_free(product=product, user=user)

    assert (order.status, order.total_pennies, order.consent_version) == ("paid", 0, "")
    assert UserAsset.objects.get(user=user).order_item.product == product
    with pytest.raises(AlreadyOwned):
        checkout_free(product=product, user=user)


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"price_pennies": 1}, ProductNotFree),
        ({"price_pennies": 0, "pay_what_you_want": True}, ProductNotFree),
        ({"price_pennies": 0, "live": False}, ProductNotForSale),
    ],
)
def test_one_click_takes_nothing_else(fields: dict[str, Any], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        checkout_free(product=make_product(**fields), user=make_user())
    assert not Order.objects.exists()
