"""Buyers name their price, and take what is free: as browsers and clients ask for it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog_pages.models import ProductPage
from downloads.models import UserAsset
from orders.models import CartItem, Order
from orders.services.pricing import cart_summary
from orders.services.whose_cart import cart_of_user
from orders.tests.happenings import refund, tell
from orders.throttles import FREE_ORDERS_AN_HOUR
from tests.factories import buy, make_asset, make_bundle, make_product, make_user, start_checkout

pytestmark = pytest.mark.django_db


def post_json(client: Client, name: str, body: Any) -> Any:
    return client.post(reverse(f"orders:{name}"), json.dumps(body), content_type="application/json")


def body_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


def named(least: int = 300, suggested: int | None = 600, **fields: Any) -> ProductPage:
    return make_product(
        price_pennies=least,
        suggested_price_pennies=suggested,
        pay_what_you_want=True,
        **fields,
    )


# --- Into the cart -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "pennies"),
    [("3", 300), ("4,99", 499), (" £7.50 ", 750), ("GBP 3.00", 300), ("999999.99", 99_999_999)],
)
def test_a_price_is_typed_as_people_write_it(client: Client, typed: str, pennies: int) -> None:
    response = client.post(reverse("orders:cart_add"), {"product": named().pk, "price": typed})

    assert response.status_code == 303
    assert CartItem.objects.get().chosen_price_pennies == pennies
    assert client.get(reverse("orders:cart")).context["summary"].total_pennies == pennies


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("2.99", "The least for this is £3.00. Choose that or more."),
        ("0", "The least for this is £3.00."),
        ("-5", "Enter a price such as 4.99."),
        ("", "Enter a price such as 4.99."),
        ("NaN", "Enter a price such as 4.99."),
        ("inf", "Enter a price such as 4.99."),
        ("1e9", "Enter a price such as 4.99."),
        ("４.００", "Enter a price such as 4.99."),
        ("4.999", "A price in GBP has at most two decimals"),
        ("1000000", "A price can be at most £999,999.99."),
        ("9" * 5000, "Enter a price such as 4.99."),
        ("5\0", "Enter a price such as 4.99."),
        ("<script>", "Enter a price such as 4.99."),
    ],
)
def test_a_price_that_cannot_be_is_a_sentence_beside_what_was_typed(
    client: Client, typed: str, sentence: str
) -> None:
    product = named()

    by_form = client.post(
        reverse("orders:cart_add"), {"product": product.pk, "price": typed, "quantity": "2"}
    )
    by_json = post_json(client, "cart_add", {"product": product.pk, "price": typed})

    assert by_form.status_code == by_json.status_code == 400
    assert sentence in by_form.content.decode()
    assert by_form.context["typed"] == typed[:40]
    assert "<script>" not in by_form.content.decode().split("<main")[1]
    assert 'name="quantity" value="2"' in by_form.content.decode()
    assert by_json.json()["title"].startswith(sentence)
    assert not CartItem.objects.exists()


def test_the_page_that_asks_again_leads_into_the_cart(client: Client) -> None:
    product = named()
    client.post(reverse("orders:cart_add"), {"product": product.pk, "price": "1"})

    response = client.post(reverse("orders:cart_add"), {"product": product.pk, "price": "3"})

    assert response.status_code == 303
    assert CartItem.objects.get().chosen_price_pennies == 300


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"price_pennies": 299}, "price_below_minimum"),
        ({"price_pennies": -1}, "price_below_minimum"),
        ({"price_pennies": 10**30}, "price_invalid"),
        ({"price_pennies": "500"}, "price_invalid"),
        ({"price_pennies": 500.0}, "price_invalid"),
        ({"price_pennies": True}, "price_invalid"),
        ({"price_pennies": [500]}, "price_invalid"),
        ({"price": 5}, "price_invalid"),
        ({"price": 4.99}, "price_invalid"),
        ({"price": ["4.99"]}, "price_invalid"),
        ({"price": {}}, "price_invalid"),
    ],
)
def test_json_of_another_type_is_refused(client: Client, body: dict[str, Any], code: str) -> None:
    response = post_json(client, "cart_add", {"product": named().pk, **body})

    assert (response.status_code, response.json()["code"]) == (400, code)
    assert not CartItem.objects.exists()


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_does_not_know_are_no_price(client: Client, text: str) -> None:
    body = f'{{"product": {named().pk}, "price_pennies": {text}}}'

    response = client.post(reverse("orders:cart_add"), body, content_type="application/json")

    assert response.status_code == 400
    assert not CartItem.objects.exists()


def test_json_takes_minor_units_or_text(client: Client) -> None:
    product = named()

    for body, pennies in (({"price_pennies": 750}, 750), ({"price": "8.25"}, 825)):
        answer = post_json(client, "cart_add", {"product": product.pk, **body})

        assert answer.status_code == 200
        assert answer.json()["lines"][0]["unit_price_pennies"] == pennies


@pytest.mark.wide
@pytest.mark.parametrize("body", [{}, {"price": None}, {"price_pennies": None}])
def test_without_a_price_the_least_is_meant(client: Client, body: dict[str, Any]) -> None:
    answer = post_json(client, "cart_add", {"product": named().pk, **body})

    assert answer.json()["total_pennies"] == 300


@pytest.mark.wide
@pytest.mark.parametrize(
    ("code", "typed", "sentence"),
    [
        ("JPY", "300.5", "no decimals"),
        ("JPY", "4,99", "no decimals"),
        ("KWD", "1.255", "The last decimal of a price in KWD must be 0"),
        ("KWD", "0.29", "The least for this is KD\N{NO-BREAK SPACE}0.300."),
    ],
)
def test_decimals_follow_the_currency(
    client: Client, settings: Any, code: str, typed: str, sentence: str
) -> None:
    settings.STRIPE_CURRENCY = code

    response = client.post(reverse("orders:cart_add"), {"product": named().pk, "price": typed})

    assert response.status_code == 400
    assert sentence in response.content.decode()
    assert not CartItem.objects.exists()


def test_minor_units_keep_the_step_of_three_digit_currencies(client: Client, settings: Any) -> None:
    settings.STRIPE_CURRENCY = "KWD"

    refused = post_json(client, "cart_add", {"product": named().pk, "price_pennies": 1255})

    assert refused.json()["code"] == "price_invalid"


# --- In the cart -------------------------------------------------------------------------------


def in_cart(client: Client, price: str = "5") -> CartItem:
    client.post(reverse("orders:cart_add"), {"product": named().pk, "price": price})
    return CartItem.objects.get()


def test_a_price_is_changed_in_the_cart(client: Client) -> None:
    item = in_cart(client)
    assert 'value="5.00"' in client.get(reverse("orders:cart")).content.decode()

    response = client.post(reverse("orders:cart_price"), {"item": item.pk, "price": "7"})

    assert response.status_code == 303
    item.refresh_from_db()
    assert item.chosen_price_pennies == 700


@pytest.mark.wide
@pytest.mark.parametrize("typed", ["2.99", "-1", "", "NaN", "9" * 5000])
def test_a_price_refused_in_the_cart_stays_beside_its_sentence(client: Client, typed: str) -> None:
    item = in_cart(client)

    response = client.post(reverse("orders:cart_price"), {"item": item.pk, "price": typed})
    by_json = post_json(client, "cart_price", {"item": item.pk, "price": typed})

    assert response.status_code == by_json.status_code == 400
    page = body_of(response)
    assert f'id="price-{item.pk}-error"' in page
    assert f'value="{typed[:40]}"' in page
    item.refresh_from_db()
    assert item.chosen_price_pennies == 500


def test_prices_of_other_carts_and_of_fixed_lines_are_not_to_be_chosen(client: Client) -> None:
    theirs = in_cart(Client())
    mine = Client()
    mine.post(reverse("orders:cart_add"), {"product": make_product().pk})
    fixed = CartItem.objects.exclude(pk=theirs.pk).get()

    stolen = post_json(mine, "cart_price", {"item": theirs.pk, "price": "9"})
    forced = post_json(mine, "cart_price", {"item": fixed.pk, "price": "1"})
    missing = post_json(mine, "cart_price", {"item": fixed.pk})

    assert (stolen.status_code, stolen.json()["code"]) == (404, "cart_item_not_found")
    assert (forced.status_code, forced.json()["code"]) == (400, "price_not_yours_to_choose")
    assert missing.json()["code"] == "price_invalid"
    theirs.refresh_from_db()
    assert theirs.chosen_price_pennies == 500


def test_a_least_that_rose_is_told_and_accepted_by_naming_more(client: Client) -> None:
    item = in_cart(client, "4")
    product = item.product
    product.price_pennies = 550
    product.save()

    page = body_of(client.get(reverse("orders:cart")))
    client.post(reverse("orders:cart_price"), {"item": item.pk, "price": "5.50"})

    assert "The least for this is £5.50 now. You chose less." in page
    summary = client.get(reverse("orders:cart")).context["summary"]
    assert (summary.total_pennies, summary.lines[0].problem) == (550, "")


def test_a_chosen_price_is_frozen_into_the_order(client: Client) -> None:
    user, product = make_user(), named()
    client.force_login(user)
    client.post(reverse("orders:cart_add"), {"product": product.pk, "price": "7.50"})

    order = start_checkout(user).order

    item = order.items.get()
    assert (item.list_price_pennies, item.unit_price_pennies) == (300, 750)
    assert order.total_pennies == 750


@pytest.mark.wide
def test_the_cart_says_what_is_in_a_bundle_and_what_is_owned(client: Client) -> None:
    user = make_user()
    one, two = make_product("One"), make_product("Two")
    buy(client, user, one)
    client.force_login(user)
    client.post(reverse("orders:cart_add"), {"product": make_bundle("Both", one, two).pk})

    page = body_of(client.get(reverse("orders:cart")))

    assert "Contains One and Two" in page
    assert "You own One already." in page


# --- Free --------------------------------------------------------------------------------------


def test_a_free_product_is_one_click_for_whoever_is_signed_in(client: Client) -> None:
    user, product = make_user(), make_product(price_pennies=0, assets=[make_asset(), make_asset()])
    client.force_login(user)

    response = client.post(reverse("orders:checkout_free"), {"product": product.pk})

    order = Order.objects.get()
    assert response.status_code == 303
    assert response["Location"] == f"{reverse('orders:checkout_success')}?order={order.pk}"
    assert order.is_paid
    assert UserAsset.objects.filter(user=user).count() == 2


def test_a_second_click_finds_it_among_the_purchases(client: Client) -> None:
    client.force_login(make_user())
    product = make_product(price_pennies=0)
    client.post(reverse("orders:checkout_free"), {"product": product.pk})

    response = client.post(reverse("orders:checkout_free"), {"product": product.pk}, follow=True)

    assert response.redirect_chain == [(reverse("orders:purchases"), 303)]
    assert "You own this already." in response.content.decode()
    assert Order.objects.count() == 1


def test_a_guest_takes_what_is_free_by_the_cart(client: Client) -> None:
    product = make_product(price_pennies=0)

    response = client.post(reverse("orders:checkout_free"), {"product": product.pk})

    assert (response.status_code, response["Location"]) == (303, reverse("orders:cart"))
    assert CartItem.objects.get().product == product
    assert not Order.objects.exists()


def test_what_has_a_price_now_is_put_into_the_cart_with_a_word_about_it(client: Client) -> None:
    user, product = make_user(), make_product("Harbour", price_pennies=500)
    client.force_login(user)

    response = client.post(reverse("orders:checkout_free"), {"product": product.pk}, follow=True)

    assert "“Harbour” has a price now." in response.content.decode()
    assert cart_summary(cart=cart_of_user(user_id=user.pk)).total_pennies == 500
    assert not Order.objects.exists()


@pytest.mark.parametrize("product", ["", "x", "0", "9" * 400, "-1"])
def test_what_is_not_for_sale_is_not_free_either(client: Client, product: str) -> None:
    client.force_login(make_user())

    response = client.post(reverse("orders:checkout_free"), {"product": product})

    assert response.status_code == 404


def test_free_things_need_a_press_on_our_own_page(client: Client) -> None:
    product = make_product(price_pennies=0)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_user())
    form = {"product": product.pk}
    address = reverse("orders:checkout_free")

    foreign = strict.post(address, form, headers={"Sec-Fetch-Site": "cross-site"})
    bare = strict.post(address, form)
    by_link = strict.get(address, form)
    own = strict.post(address, form, headers={"Sec-Fetch-Site": "same-origin"})

    assert [foreign.status_code, bare.status_code, by_link.status_code] == [403, 403, 405]
    assert own.status_code == 303
    assert Order.objects.count() == 1


@pytest.mark.sampled(2)
@pytest.mark.parametrize("same", ["account", "client"])
def test_free_orders_are_limited_for_account_and_client(client: Client, same: str) -> None:
    user, product = make_user(), make_product(price_pennies=0)
    address = reverse("orders:checkout_free")

    statuses = []
    for number in range(FREE_ORDERS_AN_HOUR + 1):
        client.force_login(user if same == "account" else make_user())
        peer = "198.51.100.7" if same == "client" else f"198.51.100.{number}"
        statuses.append(client.post(address, {"product": product.pk}, REMOTE_ADDR=peer).status_code)

    assert statuses == [303] * FREE_ORDERS_AN_HOUR + [429]
    cache.clear()
    assert client.post(address, {"product": product.pk}).status_code == 303


# --- What is owned -----------------------------------------------------------------------------


def fragment(client: Client, product: ProductPage) -> Any:
    return client.get(reverse("orders:header_fragment"), {"product": product.pk})


@pytest.mark.wide
def test_a_bundles_page_says_which_of_it_is_owned(client: Client) -> None:
    user = make_user()
    one, two, three = make_product("One"), make_product("Two"), make_product("Three")
    bundle = make_bundle("All", one, two, three)
    buy(client, user, one, three)
    client.force_login(user)

    answer = fragment(client, bundle)

    assert "You own 2 of these 3 already: One and Three." in body_of(answer)
    assert answer.context["owned_product_id"] is None
    assert 'id="owned-contents"' in body_of(client.get(bundle.url))


@pytest.mark.wide
def test_a_bundle_of_which_everything_is_owned_is_owned(client: Client) -> None:
    user, parts = make_user(), (make_product(), make_product())
    bundle = make_bundle("Both", *parts)
    buy(client, user, *parts)
    client.force_login(user)

    answer = fragment(client, bundle)

    assert answer.context["owned_product_id"] == bundle.pk
    assert "You own this" in body_of(answer)


@pytest.mark.wide
def test_what_came_with_a_bundle_is_owned_until_it_is_refunded(client: Client) -> None:
    user, part = make_user(), make_product()
    order = buy(client, user, make_bundle("Both", part, make_product()))
    client.force_login(user)
    assert fragment(client, part).context["owned_product_id"] == part.pk

    refund(order)
    tell(client)

    assert fragment(client, part).context["owned_product_id"] is None


@pytest.mark.wide
def test_the_fragment_asks_the_same_number_of_questions_for_any_bundle(client: Client) -> None:
    user = make_user()
    buy(client, user, make_product())
    client.force_login(user)
    bundles = [
        make_bundle(f"Of {count}", *(make_product() for _ in range(count))) for count in (2, 9)
    ]

    def queries(bundle: ProductPage) -> int:
        fragment(client, bundle)
        with CaptureQueriesContext(connection) as captured:
            assert fragment(client, bundle).status_code == 200
        return len(captured)

    assert queries(bundles[1]) == queries(bundles[0])


def test_strangers_are_told_nothing_about_what_is_in_a_bundle(client: Client) -> None:
    bundle = make_bundle("Both", make_product("One"))

    assert "owned-contents" not in body_of(fragment(client, bundle))
