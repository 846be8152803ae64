"""Purchases over the API: what was bought or received, by whom, and what strangers see of it."""

from __future__ import annotations

from functools import partial

import pytest
from django.test import Client
from django.utils.dateparse import parse_datetime

from catalog_pages.models import ProductPage, TrackFile
from downloads.models import UserAsset
from orders.models import GiftCode, Order, UpdateWish
from orders.models.orders import new_link_key
from orders.services.claims import rights_claim
from orders.services.gifts import gift_redeem
from orders.services.guests import guest_token
from orders.tests.guesting import EMAIL, guest_buys, redeemed_gift
from orders.tests.test_gifts import bought as bought_with_gifts
from store_api.scopes import Scope
from store_api.tests.buying import cost, fetch, guest_of, line_of, listed, problem_of
from store_api.tests.calling import Caller, app_of, third_party
from store_api.tests.test_catalogue_answers import make_cover
from tests.factories import buy, make_asset, make_bundle, make_product, make_user

pytestmark = pytest.mark.django_db


def test_a_purchase_shows_its_files_and_what_they_are(client: Client) -> None:
    user = make_user()
    assets = [make_asset(b"one" * 500, file_name="one.flac"), make_asset(b"two" * 700)]
    order = buy(client, user, make_product("Tidewater", assets=assets))

    track = assets[0].track_files.get().track

    (purchase,) = listed(app_of(user))

    assert purchase["id"] == line_of(order)
    assert purchase["order"] == str(order.pk)
    assert (purchase["is_gift"], purchase["wants_updates"]) == (False, False)
    assert purchase["product"] == {
        "id": order.items.get().product_id,
        "slug": "tidewater",
        "title": "Tidewater",
        "artist": "The Test Pressings",
        "covers": [],
    }
    assert parse_datetime(purchase["received_at"]) is not None
    assert purchase["files"][0] == {
        "id": str(assets[0].pk),
        "format": "FLAC",
        "file_name": "one.flac",
        "content_type": "audio/flac",
        "size_bytes": 1500,
        "sha256": assets[0].sha256,
        "duration_ms": 61000,
        "title": UserAsset.objects.get(asset=assets[0]).title,
        "position": UserAsset.objects.get(asset=assets[0]).position,
        "allowed": True,
        "code": "",
        "message": "",
        "downloads_left": 20,
        "download_limit": 20,
        "newer": None,
        "track": {
            "product": {"id": order.items.get().product_id, "title": "Tidewater"},
            "disc": track.disc,
            "number": track.number,
        },
    }
    assert [row["id"] for row in purchase["files"]] == [str(asset.pk) for asset in assets]
    assert purchase["archives"] == [{"format": None, "size_bytes": 3600}]


def test_one_purchase_is_the_same_as_in_the_list(client: Client) -> None:
    user = make_user()
    order = buy(client, user, make_product())
    app = app_of(user)

    answer = app("get", f"purchases/{line_of(order)}/")

    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    assert [answer.json()] == listed(app)


def test_a_product_that_left_the_shop_stays_with_its_buyer(client: Client) -> None:
    user, product = make_user(), make_product("Gone")
    buy(client, user, product)
    product.unpublish()

    (purchase,) = listed(app_of(user))

    shown = purchase["product"]
    assert (shown["id"], shown["slug"], shown["title"]) == (product.pk, None, "Gone")
    assert purchase["files"][0]["allowed"] is True


@pytest.mark.wide
def test_what_was_bought_is_named_alike_in_purchases_orders_and_receipts(client: Client) -> None:
    user, product = make_user(), make_product("Tidewater")
    ProductPage.objects.filter(pk=product.pk).update(cover=make_cover())
    order = buy(client, user, product)
    app = app_of(user)

    named = listed(app)[0]["product"]
    lines = [
        app("get", "orders/").json()["results"][0]["lines"][0],
        app("get", f"orders/{order.pk}/").json()["lines"][0],
        app("get", f"orders/{order.pk}/receipt/").json()["lines"][0],
    ]

    assert (named["id"], named["slug"], len(named["covers"])) == (product.pk, "tidewater", 4)
    assert [line["product"] for line in lines] == [named] * 3


@pytest.mark.wide
def test_the_files_of_a_bundle_say_which_product_in_it_they_are_from(client: Client) -> None:
    user, assets = make_user(), [make_asset(), make_asset()]
    parts = [
        make_product(title, assets=[asset])
        for title, asset in zip(("Winter", "Spring"), assets, strict=True)
    ]
    make_product("A later sampler", assets=assets)
    buy(client, user, make_bundle("Seasons", *parts))

    (purchase,) = listed(app_of(user))

    assert [file["track"]["product"] for file in purchase["files"]] == [
        {"id": part.pk, "title": part.title} for part in parts
    ]


@pytest.mark.wide
def test_a_file_that_is_on_no_track_any_more_is_still_there(client: Client) -> None:
    user, asset = make_user(), make_asset()
    buy(client, user, make_product(assets=[asset]))
    TrackFile.objects.filter(asset=asset).delete()

    (file,) = listed(app_of(user))[0]["files"]

    assert (file["id"], file["track"], file["allowed"]) == (str(asset.pk), None, True)


@pytest.mark.wide
def test_purchases_are_narrowed_to_one_product(client: Client) -> None:
    user, wanted = make_user(), make_product("Wanted")
    orders = [buy(client, user, wanted), buy(client, user, make_product())]
    elsewhere = make_product()
    buy(client, make_user(), elsewhere)
    app = app_of(user)

    found = app("get", f"purchases/?product={wanted.pk}").json()["results"]

    assert [purchase["id"] for purchase in found] == [line_of(orders[0])]
    for nothing in (elsewhere.pk, 999999, 10**18 - 1):
        assert app("get", f"purchases/?product={nothing}").json()["results"] == []


@pytest.mark.parametrize("text", ["", "0", "-1", "1.0", "wanted", "%00", "%D9%A1", "9" * 19])
def test_a_product_that_is_no_number_is_named(text: str) -> None:
    answer = app_of(make_user())("get", f"purchases/?product={text}")

    assert problem_of(answer) == (400, "invalid")
    assert [error["field"] for error in answer.json()["errors"]] == ["product"]


def test_whoever_asked_for_letters_about_new_versions_sees_that(client: Client) -> None:
    user = make_user()
    order = buy(client, user, make_product())
    UpdateWish.objects.create(order_item=order.items.get(), seat=0)

    assert [purchase["wants_updates"] for purchase in listed(app_of(user))] == [True]


@pytest.mark.wide
def test_a_guest_has_what_the_token_opens_alone(client: Client) -> None:
    order, other = guest_buys(Client()), guest_buys(Client(), "other@example.com")
    guest = guest_of(order)

    (purchase,) = listed(guest)
    link = guest("post", f"purchases/{purchase['id']}/link/", {}).json()

    assert (purchase["id"], purchase["order"]) == (line_of(order), str(order.pk))
    assert fetch(link).status_code == 200
    for path in ("", "explain/"):
        assert problem_of(guest("get", f"purchases/{line_of(other)}/{path}")) == (404, "not_found")


@pytest.mark.wide
def test_a_guest_in_a_browser_has_what_was_bought_there(client: Client) -> None:
    order = guest_buys(client)

    assert [purchase["id"] for purchase in listed(Caller(client))] == [line_of(order)]


@pytest.mark.wide
def test_whoever_is_signed_in_may_bring_a_token_along(client: Client) -> None:
    user = make_user()
    own, other = buy(client, user, make_product()), guest_buys(Client())
    app = app_of(user)
    with_token = app_of(user, X_Order_Token=guest_token(other))

    assert [purchase["id"] for purchase in listed(app)] == [line_of(own)]
    assert [purchase["id"] for purchase in listed(with_token)] == [line_of(other), line_of(own)]


@pytest.mark.wide
def test_a_copy_that_was_given_is_no_way_into_the_order(client: Client) -> None:
    order = guest_buys(client)
    gift = redeemed_gift(order, "friend@example.com")
    friend = guest_of(gift)

    (purchase,) = listed(friend)
    path = f"purchases/{purchase['id']}/archive-link/"
    link = friend("post", f"purchases/{purchase['id']}/link/", {}).json()

    assert (purchase["is_gift"], purchase["order"]) == (True, None)
    assert order.number not in str(purchase)
    assert fetch(link).status_code == 200
    assert problem_of(friend("post", path, {"scope": "order"})) == (404, "scope_unknown")
    assert str(UserAsset.objects.get(seat=1).pk) in link["url"]


def test_a_buyer_never_gets_the_files_of_a_redeemed_copy(client: Client) -> None:
    buyer, friend = make_user("ada@example.com"), make_user()
    order = bought_with_gifts(client, make_product("Harbour"), quantity=1, is_gift=True, user=buyer)
    gift = GiftCode.objects.get()
    gift_redeem(code_text=gift.code, user=friend, email="")
    item_id = line_of(order)

    assert listed(app_of(buyer)) == []
    assert problem_of(app_of(buyer)("post", f"purchases/{item_id}/link/", {})) == (404, "not_found")
    assert problem_of(guest_of(order)("get", "purchases/")) == (401, "order_token_claimed")
    (purchase,) = listed(app_of(friend))
    assert (purchase["id"], purchase["is_gift"], purchase["order"]) == (item_id, True, None)


@pytest.mark.wide
def test_a_token_ends_with_its_key_and_with_a_claim(client: Client) -> None:
    order = guest_buys(client)
    guest = guest_of(order)
    link = guest("post", f"purchases/{line_of(order)}/link/", {}).json()

    Order.objects.filter(pk=order.pk).update(link_key=new_link_key())
    renewed = guest("get", "purchases/")
    order.refresh_from_db()
    rights_claim(user=make_user(EMAIL))
    claimed = guest_of(order)("get", "purchases/")
    ended = fetch(link, Accept="application/json")

    assert problem_of(renewed) == (401, "order_token_invalid")
    assert problem_of(claimed) == (401, "order_token_claimed")
    assert problem_of(ended) == (410, "link_expired")


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("method", "path"),
    [("get", ""), ("get", "explain/"), ("post", "link/"), ("post", "archive-link/")],
)
def test_what_is_not_yours_answers_like_what_is_not_there(
    client: Client, method: str, path: str
) -> None:
    foreign = line_of(buy(client, make_user(), make_product()))
    with_something = make_user()
    buy(client, with_something, make_product())
    callers = [app_of(make_user()), app_of(with_something), guest_of(guest_buys(Client()))]

    body = {} if method == "post" else None
    for caller in callers:
        caller(method, f"purchases/99999/{path}", body)
        (theirs, theirs_cost), (nothing, nothing_cost) = [
            cost(partial(caller, method, f"purchases/{pk}/{path}", body)) for pk in (foreign, 99999)
        ]
        assert (theirs.status_code, theirs.content) == (nothing.status_code, nothing.content)
        assert theirs.status_code == 404
        assert theirs_cost == nothing_cost


@pytest.mark.wide
@pytest.mark.parametrize(
    "item_id", ["0", "junk", "-1", "1.5", "9" * 18, "9" * 19, "9" * 40, "%00", "1%0a"]
)
def test_odd_ids_are_nothing(item_id: str) -> None:
    app = app_of(make_user())

    assert problem_of(app("get", f"purchases/{item_id}/")) == (404, "not_found")
    assert problem_of(app("post", f"purchases/{item_id}/link/", {})) == (404, "not_found")


@pytest.mark.wide
def test_purchases_are_for_apps_that_may_download(client: Client) -> None:
    user = make_user()
    order = buy(client, user, make_product())
    reader = third_party(Scope.ORDERS_READ, Scope.CART_WRITE, user=user)
    player = third_party(Scope.DOWNLOADS_READ, user=user)
    line = f"purchases/{line_of(order)}/"

    for method, path in (
        ("get", "purchases/"),
        ("get", line),
        ("get", f"{line}explain/"),
        ("post", f"{line}link/"),
        ("post", f"{line}archive-link/"),
    ):
        body = {} if method == "post" else None
        assert problem_of(reader(method, path, body)) == (403, "insufficient_scope")
        assert player(method, path, body).status_code == 200
