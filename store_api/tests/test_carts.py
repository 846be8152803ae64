"""Carts over the API: whose they are, what goes in, and what nobody can do with them."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from wagtail.models import Page, Site

from catalog_pages.models import ProductPage
from orders.models import Cart, CartItem
from orders.services.code_tries import WRONG_TRIES
from orders.services.outgoing.payloads import product_of
from orders.tests.test_discounts import make_code
from store_api.caller import CART_GUESSES_AN_HOUR
from store_api.scopes import Scope
from store_api.tests.calling import Caller, app_of, third_party
from tests.factories import make_bundle, make_cart, make_product, make_user

pytestmark = pytest.mark.django_db


def with_cart(**headers: str) -> Caller:
    """An app without anybody signed in, and a cart of its own."""
    app = Caller(**headers)
    return Caller(X_Cart_Token=app("post", "carts/").json()["token"], **headers)


def test_a_new_cart_tells_its_secret_once_and_keeps_a_digest() -> None:
    answer = Caller()("post", "carts/")

    assert answer.status_code == 201
    secret = answer.json()["token"]
    assert len(secret) >= 43
    assert answer["Cache-Control"] == "no-store"
    cart = Cart.objects.get()
    assert secret not in (cart.token_hash, str(cart.pk))
    assert secret not in str(Caller(X_Cart_Token=secret)("get", "cart/").json())


def test_a_cart_is_filled_changed_and_emptied() -> None:
    app, product = with_cart(), make_product("Tidewater", price_pennies=899)

    added = app("post", "cart/items/", {"product": product.pk, "quantity": 2})
    line = added.json()
    changed = app("patch", f"cart/items/{line['id']}/", {"quantity": 3})
    gone = app("delete", f"cart/items/{line['id']}/")

    assert (added.status_code, added.json()["total_pennies"], line["quantity"]) == (201, 1798, 2)
    assert line["product"] == {
        "id": product.pk,
        "slug": "tidewater",
        "title": "Tidewater",
        "artist": product.artist.name if product.artist else "",
    }
    assert (changed.status_code, changed.json()["total_pennies"]) == (200, 2697)
    assert (gone.status_code, gone.content) == (204, b"")
    assert app("get", "cart/").json()["lines"] == []


def test_sent_twice_without_a_quantity_a_product_is_in_the_cart_once() -> None:
    app, product = with_cart(), make_product()

    for _ in range(2):
        answer = app("post", "cart/items/", {"product": product.pk})

    assert answer.json()["quantity"] == 1


def test_emptying_takes_out_lines_and_code_and_the_secret_works_on() -> None:
    app, product = with_cart(), make_product()
    app("post", "cart/items/", {"product": product.pk})
    make_code("SPRING", percent=10)
    assert app("post", "cart/discount/", {"code": "spring"}).json()["discount_code"] == "SPRING"

    answer = app("delete", "cart/")

    assert answer.status_code == 204
    now = app("get", "cart/").json()
    assert (now["lines"], now["discount_code"]) == ([], "")


def test_a_code_is_used_and_taken_out() -> None:
    app, product = with_cart(), make_product(price_pennies=1000)
    app("post", "cart/items/", {"product": product.pk})
    make_code("SPRING", percent=10)

    used = app("post", "cart/discount/", {"code": "SPRING"})
    out = app("delete", "cart/discount/")

    assert (used.json()["discount_pennies"], used.json()["total_pennies"]) == (100, 900)
    assert (out.status_code, app("get", "cart/").json()["total_pennies"]) == (204, 1000)
    unknown = app("post", "cart/discount/", {"code": "NOBODY"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "discount_unknown")


@pytest.mark.wide
def test_a_gift_is_described_in_one_change_or_not_at_all() -> None:
    app, product = with_cart(), make_product()
    line = app("post", "cart/items/", {"product": product.pk}).json()
    path = f"cart/items/{line['id']}/"

    gift = {"is_gift": True, "gift_email": "friend@example.com", "gift_message": "For you"}
    answer = app("patch", path, gift)
    refused = app("patch", path, {"quantity": 4, "gift_email": "nobody"})

    assert {name: answer.json()["lines"][0][name] for name in gift} == gift
    assert (refused.status_code, refused.json()["code"]) == (400, "gift_invalid")
    assert refused.json()["errors"][0]["field"] == "gift_email"
    after = app("patch", path, {"gift_message": "Other words"}).json()["lines"][0]
    assert (after["quantity"], after["gift_email"]) == (1, "friend@example.com")


def test_buyers_choose_a_price_only_where_the_product_lets_them() -> None:
    app = with_cart()
    fixed = make_product(price_pennies=500)
    free_hand = make_product(price_pennies=500, pay_what_you_want=True)

    refused = app("post", "cart/items/", {"product": fixed.pk, "price_pennies": 100})
    below = app("post", "cart/items/", {"product": free_hand.pk, "price_pennies": 499})
    taken = app("post", "cart/items/", {"product": free_hand.pk, "price_pennies": 700})

    assert (refused.status_code, refused.json()["code"]) == (400, "price_not_yours_to_choose")
    assert (below.status_code, below.json()["code"]) == (400, "price_below_minimum")
    assert (taken.json()["unit_price_pennies"], taken.json()["total_pennies"]) == (700, 700)


def test_a_day_that_has_come_since_hinders_no_other_change() -> None:
    app, product = with_cart(), make_product()
    line = app("post", "cart/items/", {"product": product.pk}).json()
    path = f"cart/items/{line['id']}/"
    CartItem.objects.update(is_gift=True, gift_send_on=date(2020, 1, 1))

    changed = app("patch", path, {"gift_message": "Late, but yours"})
    refused = app("patch", path, {"gift_send_on": "2020-01-01"})

    line = changed.json()["lines"][0]
    assert (line["gift_message"], line["gift_send_on"]) == ("Late, but yours", "2020-01-01")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "gift_send_on")


def test_a_choice_below_todays_least_is_never_told_as_the_price() -> None:
    app, product = with_cart(), make_product(price_pennies=500, pay_what_you_want=True)
    app("post", "cart/items/", {"product": product.pk, "price_pennies": 700})
    ProductPage.objects.update(price_pennies=900)

    again = app("post", "cart/items/", {"product": product.pk, "quantity": 1}).json()
    line = app("get", "cart/").json()["lines"][0]

    assert again["unit_price_pennies"] == line["unit_price_pennies"] == 900
    assert again["total_pennies"] == line["total_pennies"] == 1800


@pytest.mark.wide
def test_changed_prices_are_agreed_to() -> None:
    app, product = with_cart(), make_product(price_pennies=500)
    app("post", "cart/items/", {"product": product.pk})
    product.price_pennies = 600
    product.save_revision().publish()

    before = app("get", "cart/").json()
    after = app("post", "cart/accept-prices/").json()

    assert (before["can_checkout"], before["lines"][0]["problem"]) == (False, "repriced")
    assert (after["can_checkout"], after["total_pennies"]) == (True, 600)


def test_whoever_is_signed_in_has_the_cart_of_the_pages() -> None:
    user, product = make_user(), make_product()
    make_cart(user, product)

    assert app_of(user)("get", "cart/").json()["count"] == 1
    assert third_party(Scope.CART_WRITE, user=user)("get", "cart/").json()["count"] == 1


def test_a_secret_that_is_brought_goes_before_the_accounts_cart() -> None:
    user, product = make_user(), make_product()
    make_cart(user, product)
    guest = with_cart()

    answer = app_of(user, **guest.headers)("get", "cart/")

    assert answer.json()["count"] == 0


def test_a_browser_has_the_cart_of_its_session(client: Client) -> None:
    browser, product = Caller(client), make_product()

    browser("post", "cart/items/", {"product": product.pk})

    assert browser("get", "cart/").json()["count"] == 1
    assert client.get("/cart/", headers={"accept": "application/json"}).json()["count"] == 1


def test_looking_makes_no_cart() -> None:
    assert Caller()("get", "cart/").json()["lines"] == []
    assert Caller()("delete", "cart/").status_code == 204
    assert app_of(make_user())("get", "cart/").json()["count"] == 0
    assert not Cart.objects.exists()


def test_a_product_that_is_not_there_makes_no_cart() -> None:
    answer = Caller()("post", "cart/items/", {"product": 2**62})

    assert (answer.status_code, answer.json()["code"]) == (404, "product_not_for_sale")
    assert not Cart.objects.exists()


def test_an_app_without_a_person_is_told_to_make_a_cart() -> None:
    app, product = third_party(Scope.CART_WRITE), make_product()

    answer = app("post", "cart/items/", {"product": product.pk})

    assert (answer.status_code, answer.json()["code"]) == (404, "cart_unknown")
    token = app("post", "carts/").json()["token"]
    added = app("post", "cart/items/", {"product": product.pk}, X_Cart_Token=token)
    assert added.status_code == 201


def test_lines_of_another_cart_do_not_exist() -> None:
    mine, theirs, product = with_cart(), with_cart(), make_product()
    line = theirs("post", "cart/items/", {"product": product.pk}).json()
    mine("post", "cart/items/", {"product": product.pk})

    tries = [
        (mine(method, f"cart/items/{number}/", body), number)
        for method, body in (("patch", {"quantity": 5}), ("delete", None))
        for number in (line["id"], 987654321)
    ]

    bodies = {answer.content for answer, _ in tries if answer.json()["code"]}
    assert {answer.status_code for answer, _ in tries} == {404}
    assert {answer.json()["code"] for answer, _ in tries} == {"cart_item_not_found"}
    assert CartItem.objects.get(pk=line["id"]).quantity == 1
    assert bodies


def test_guessing_secrets_ends_soon_and_the_right_one_opens_all_the_same() -> None:
    right = with_cart()
    for number in range(CART_GUESSES_AN_HOUR):
        assert Caller(X_Cart_Token=f"guess-{number}")("get", "cart/").status_code == 404

    answer = Caller(X_Cart_Token="one more")("get", "cart/")

    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert right("get", "cart/").status_code == 200


@pytest.mark.parametrize("secret", ["", " ", "ü", "x" * 5000, "null", "0" * 64])
def test_a_secret_that_is_none_is_never_taken_for_no_secret(secret: str) -> None:
    user = make_user()
    make_cart(user, make_product())

    answer = app_of(user, X_Cart_Token=secret)("get", "cart/")

    assert (answer.status_code, answer.json()["code"]) == (404, "cart_unknown")


def test_the_digest_of_a_secret_opens_nothing() -> None:
    with_cart()

    stolen = Cart.objects.get().token_hash or ""

    assert Caller(X_Cart_Token=stolen)("get", "cart/").status_code == 404


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"quantity": 1}, "product"),
        ({"product": "7"}, "product"),
        ({"product": 7.5}, "product"),
        ({"product": True}, "product"),
        ({"product": None}, "product"),
        ({"product": 10**30}, "product"),
        ({"product": [7]}, "product"),
        ({"product": 7, "quantity": 0}, "quantity"),
        ({"product": 7, "quantity": 100}, "quantity"),
        ({"product": 7, "quantity": "2"}, "quantity"),
        ({"product": 7, "is_gift": "yes"}, "is_gift"),
        ({"product": 7, "price_pennies": -1}, "price_pennies"),
        ({"product": 7, "unit_price_pennies": 1}, "unit_price_pennies"),
        ({"product": 7, "discount_pennies": 500}, "discount_pennies"),
        ({"product": 7, "cart": "0b0e7c1e-6f0c-4c43-9c39-0f6b2b6f7a11"}, "cart"),
        ({"product": 7, "shown_price_pennies": 1}, "shown_price_pennies"),
    ],
    ids=str,
)
def test_what_cannot_be_put_in_is_told_by_its_field(body: object, field: str) -> None:
    answer = with_cart()("post", "cart/items/", body)

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_a_whole_number_may_be_written_with_a_point() -> None:
    app, product = with_cart(), make_product()

    body = f'{{"product": {product.pk}.0, "quantity": 2.0}}'
    answer = app("post", "cart/items/", body)

    assert (answer.status_code, answer.json()["quantity"]) == (201, 2)


@pytest.mark.wide
def test_putting_in_takes_at_most_ten_queries() -> None:
    app = with_cart()
    products = [make_product(f"Record {number}") for number in range(8)]
    for product in products[:7]:
        app("post", "cart/items/", {"product": product.pk})

    with CaptureQueriesContext(connection) as seen:
        answer = app("post", "cart/items/", {"product": products[7].pk})

    assert answer.status_code == 201
    assert len(seen) <= 10, "\n".join(query["sql"] for query in seen)


def test_the_accounts_cart_takes_at_most_ten_queries_too() -> None:
    user, products = make_user(), [make_product(f"Record {number}") for number in range(3)]
    make_cart(user, *products[:2])
    app = app_of(user)

    with CaptureQueriesContext(connection) as seen:
        answer = app("post", "cart/items/", {"product": products[2].pk})

    assert answer.status_code == 201
    assert len(seen) <= 10, "\n".join(query["sql"] for query in seen)


@pytest.mark.wide
def test_the_people_of_a_partner_s_server_do_not_stand_in_each_other_s_way() -> None:
    partner, product = third_party(Scope.CART_WRITE), make_product()
    make_code("SPRING", percent=10)
    one, other = ({"X_Cart_Token": partner("post", "carts/").json()["token"]} for _ in range(2))
    for cart in (one, other):
        partner("post", "cart/items/", {"product": product.pk}, **cart)

    for number in range(WRONG_TRIES + 1):
        partner("post", "cart/discount/", {"code": f"GUESS{number}"}, **one)

    assert partner("post", "cart/discount/", {"code": "SPRING"}, **other).status_code == 200


@pytest.mark.wide
def test_an_address_that_guesses_codes_is_told_no_more() -> None:
    app, product = with_cart(), make_product()
    make_code("SPRING", percent=10)
    app("post", "cart/items/", {"product": product.pk})
    for number in range(WRONG_TRIES):
        app("post", "cart/discount/", {"code": f"GUESS{number}"})

    answer = app("post", "cart/discount/", {"code": "SPRING"})

    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_codes")


def test_a_key_of_who_comes_with_nothing_is_theirs_once_they_have_a_session() -> None:
    """Two people behind one address chose the same key; one of them sends it again."""
    body = {"product": make_product().pk, "quantity": 2}
    first, second = Caller(Idempotency_Key="1"), Caller(Idempotency_Key="1")

    answers = [each("post", "cart/items/", body) for each in (first, second, first)]
    other = second("post", "cart/items/", {**body, "quantity": 1})

    assert [answer.status_code for answer in answers] == [201] * 3
    assert ["Idempotent-Replayed" in answer for answer in answers] == [False, False, True]
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    for each in (first, second):
        assert [line["quantity"] for line in each("get", "cart/").json()["lines"]] == [2]


@pytest.mark.wide
@pytest.mark.parametrize("path", ["carts/", "cart/accept-prices/"])
@pytest.mark.parametrize(
    ("body", "code"),
    [('{"user": 1}', "invalid"), ('{"a":', "parse_error"), ("[1]", "not_an_object")],
)
def test_where_no_body_is_asked_for_none_is_swallowed(path: str, body: str, code: str) -> None:
    caller = with_cart() if path != "carts/" else Caller()

    answer = caller("post", path, body)

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert caller("post", path, {}).status_code in (200, 201)


@pytest.mark.wide
def test_a_bundle_that_lacks_a_part_goes_into_no_cart() -> None:
    """As `on_sale` says of it; and back in, when the part is back."""
    part = make_product()
    bundle = make_bundle("Everything", part, make_product())
    caller = with_cart()
    part.unpublish()

    shown = caller("get", f"products/{bundle.slug}/").json()["on_sale"]
    answer = caller("post", "cart/items/", {"product": bundle.pk})
    part.save_revision().publish()

    assert not shown
    assert (answer.status_code, answer.json()["code"]) == (404, "product_not_for_sale")
    assert caller("post", "cart/items/", {"product": bundle.pk}).status_code == 201


@pytest.mark.wide
def test_a_line_leads_to_the_page_as_the_catalogue_does_however_many_sites_there_are() -> None:
    product, app = make_product("Tidewater"), with_cart()
    elsewhere = Page.get_first_root_node().add_child(instance=Page(title="Other", slug="other"))
    Site.objects.create(hostname="other.example", root_page=elsewhere)
    app("post", "cart/items/", {"product": product.pk})

    (line,) = app("get", "cart/").json()["lines"]

    assert line["product"]["url"] == "http://testserver/catalog/tidewater/"
    assert line["product"]["url"] == app("get", "products/tidewater/").json()["url"]
    assert product_of(product)["product"]["url"] == line["product"]["url"]


@pytest.mark.wide
@pytest.mark.parametrize(
    "day", ["2026-W53-5", "20991231", "2099-1-1", 20991231, "2099-12-31T00:00"]
)
def test_a_day_has_one_spelling(day: object) -> None:
    app, product = with_cart(), make_product()
    line = app("post", "cart/items/", {"product": product.pk}).json()

    answer = app("patch", f"cart/items/{line['id']}/", {"gift_send_on": day})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "gift_send_on")
