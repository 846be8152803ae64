"""Gifts redeemed through the API: to accounts and guests, within the limits that the page has."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.idp.oidc.models import Client as App
from django.test import Client
from django.urls import reverse

from downloads.models import UserAsset
from orders.models import GiftCode, OutboxMail
from orders.services.gift_tries import REDEEMED_AN_HOUR, WRONG_TRIES
from orders.services.guests import guest_link_open
from orders.tests.happenings import refund
from orders.tests.test_gifts import bought, gift_url
from store_api.scopes import Scope
from store_api.tests.calling import Caller, app_of, third_party
from tests.factories import make_product, make_user
from tests.partners import make_access_token, make_partner

CART = [str(Scope.CART_WRITE)]
pytestmark = pytest.mark.django_db
PATH = "gifts/redeem/"
BO = "bo@example.com"
NO_SUCH = "22222-22222-22222-22222"


@pytest.fixture
def gift(client: Client) -> GiftCode:
    bought(client, make_product("Harbour"), quantity=2)
    return GiftCode.objects.get()


def redeem(caller: Caller, code: str, **fields: Any) -> Any:
    return caller("post", PATH, {"code": code, **fields})


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_a_gift_goes_to_the_account_that_is_signed_in(gift: GiftCode) -> None:
    bo = make_user(BO)

    answer = redeem(app_of(bo), gift.code.lower().replace("-", " "))

    assert answer.status_code == 201
    assert answer.json() == {
        "purchase": gift.order_item_id,
        "product": {
            "id": gift.order_item.product_id,
            "slug": "harbour",
            "title": "Harbour",
            "artist": "The Test Pressings",
            "covers": [],
        },
        "order_token": None,
    }
    assert answer["Cache-Control"] == "no-store"
    assert UserAsset.objects.get(seat=1).user == bo


def test_a_guest_gets_a_token_and_a_letter(gift: GiftCode) -> None:
    answer = redeem(app_of(), gift.code, email=BO)

    assert answer.status_code == 201
    assert guest_link_open(token=answer.json()["order_token"]) == gift
    assert OutboxMail.objects.get(kind="gift_redeemed").to_email == BO
    grant = UserAsset.objects.get(seat=1)
    assert (grant.user, grant.email) == (None, BO)


def test_a_browser_that_redeems_here_sees_the_files_on_the_page(gift: GiftCode) -> None:
    browser = Client()

    redeem(Caller(browser), gift.code, email=BO)

    assert browser.get(reverse("orders:gift_copy", args=[gift.pk])).status_code == 200
    assert Client().get(reverse("orders:gift_copy", args=[gift.pk])).status_code == 302


@pytest.mark.wide
def test_an_app_without_a_person_redeems_for_a_guest(gift: GiftCode) -> None:
    app = third_party(Scope.CART_WRITE)
    App.objects.update(grant_types=App.GrantType.CLIENT_CREDENTIALS)

    answer = redeem(app, gift.code, email=BO)

    assert answer.status_code == 201
    assert guest_link_open(token=answer.json()["order_token"]) == gift


def test_an_app_needs_the_scope(gift: GiftCode) -> None:
    app = third_party(Scope.CATALOG_READ, Scope.DOWNLOADS_READ, user=make_user())

    assert code_of(redeem(app, gift.code)) == (403, "insufficient_scope")
    gift.refresh_from_db()
    assert gift.redeemed_at is None


@pytest.mark.wide
def test_the_same_account_asks_again_and_nothing_happens(gift: GiftCode) -> None:
    app = app_of(make_user(BO))
    first = redeem(app, gift.code)

    again = redeem(app, gift.code)

    assert (again.status_code, again.json()) == (200, first.json())
    assert UserAsset.objects.filter(seat=1).count() == 1


@pytest.mark.wide
@pytest.mark.parametrize("email", [BO, "cy@example.com"])
def test_a_redeemed_code_opens_nothing_to_whoever_types_an_address(
    gift: GiftCode, email: str
) -> None:
    redeem(app_of(), gift.code, email=BO)

    answer = redeem(app_of(), gift.code, email=email)

    assert code_of(answer) == (410, "gift_redeemed")
    assert "order_token" not in answer.json()


def test_a_gift_that_was_taken_back_is_closed(gift: GiftCode) -> None:
    refund(gift.order_item.order)

    assert code_of(redeem(app_of(make_user()), gift.code)) == (410, "gift_closed")


@pytest.mark.wide
def test_whoever_owns_it_already_leaves_the_code_as_good_as_before(gift: GiftCode) -> None:
    ada = gift.order_item.order.user

    assert code_of(redeem(app_of(ada), gift.code)) == (409, "gift_owned")
    assert redeem(app_of(make_user()), gift.code).status_code == 201


@pytest.mark.parametrize(
    ("fields", "code"),
    [({}, "email_missing"), ({"email": " "}, "email_missing"), ({"email": "bo"}, "email_invalid")],
)
def test_a_guest_needs_an_address(gift: GiftCode, fields: dict[str, str], code: str) -> None:
    assert code_of(redeem(app_of(), gift.code, **fields)) == (400, code)
    gift.refresh_from_db()
    assert gift.redeemed_at is None


@pytest.mark.wide
def test_an_account_cannot_name_another_address(gift: GiftCode) -> None:
    answer = redeem(app_of(make_user()), gift.code, email="somebody@example.com")

    assert answer.status_code == 400
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [
        ("email", "not_for_accounts")
    ]
    gift.refresh_from_db()
    assert gift.redeemed_at is None


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "name", ["redeemed_by", "user", "seat", "redeemed_email", "order_item", "link_key", "id"]
)
def test_what_the_client_must_not_set_is_refused_by_name(gift: GiftCode, name: str) -> None:
    answer = redeem(app_of(make_user()), gift.code, **{name: 1})

    assert answer.status_code == 400
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [(name, "unknown_field")]
    gift.refresh_from_db()
    assert gift.redeemed_at is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        "code",
        None,
        {"code": 7},
        {"code": None},
        {"code": ["a"]},
        {"code": ""},
        {"code": "a\0b"},
        {"code": "x" * 201},
        {"code": NO_SUCH, "email": 7},
        {"code": NO_SUCH, "email": "x" * 255},
    ],
)
def test_what_is_no_request_is_refused(body: Any) -> None:
    answer = app_of()("post", PATH, body if body is not None else "null")

    assert answer.status_code in (400, 415)
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("code", [NO_SUCH, " ", "nonsense", "ß" * 30, "–––"])
def test_a_code_that_we_do_not_know_is_none(code: str) -> None:
    assert code_of(redeem(app_of(make_user()), code)) == (404, "gift_unknown")


def test_guesses_are_counted_together_with_the_pages(client: Client, gift: GiftCode) -> None:
    for _ in range(WRONG_TRIES - 1):
        client.get(reverse("orders:gift", args=[NO_SUCH]))
    assert code_of(redeem(app_of(make_user()), NO_SUCH)) == (404, "gift_unknown")

    answer = redeem(app_of(make_user()), gift.code)

    assert code_of(answer) == (429, "gift_tries_too_many")
    assert int(answer["Retry-After"]) > 0
    assert client.get(gift_url(gift)).status_code == 429
    gift.refresh_from_db()
    assert gift.redeemed_at is None


@pytest.mark.wide
def test_guests_redeem_no_more_in_an_hour_than_on_the_page(gift: GiftCode) -> None:
    for _ in range(REDEEMED_AN_HOUR):
        redeem(app_of(), gift.code, email="no address")

    answer = redeem(app_of(), gift.code, email=BO)

    assert code_of(answer) == (429, "too_many_tries")
    assert int(answer["Retry-After"]) > 0


def test_reading_redeems_nothing(gift: GiftCode) -> None:
    answer = app_of(make_user())("get", PATH)

    assert answer.status_code == 405
    assert set(answer["Allow"].split(", ")) == {"POST", "OPTIONS"}


@pytest.mark.wide
def test_a_gift_is_looked_at_before_it_is_redeemed(gift: GiftCode) -> None:
    GiftCode.objects.filter(pk=gift.pk).update(message="Happy birthday")

    seen = Caller()("post", "gifts/look/", {"code": gift.code}).json()

    assert (seen["product"]["title"], seen["message"]) == ("Harbour", "Happy birthday")
    assert (seen["state"], seen["detail"], seen["purchase"]) == ("open", "", None)
    gift.refresh_from_db()
    assert gift.redeemed_at is None


def test_what_was_redeemed_tells_its_holder_where_it_is_and_others_no_words(gift: GiftCode) -> None:
    GiftCode.objects.filter(pk=gift.pk).update(message="Happy birthday")
    bo = app_of(make_user(BO))
    redeem(bo, gift.code)

    mine = bo("post", "gifts/look/", {"code": gift.code}).json()
    theirs = Caller()("post", "gifts/look/", {"code": gift.code}).json()

    assert (mine["state"], mine["purchase"]) == ("redeemed", gift.order_item_id)
    assert (theirs["state"], theirs["purchase"], theirs["message"]) == ("redeemed", None, "")
    assert theirs["detail"]


def test_looking_and_redeeming_count_wrong_codes_together(gift: GiftCode) -> None:
    app = Caller()
    for _ in range(WRONG_TRIES):
        assert app("post", "gifts/look/", {"code": NO_SUCH}).status_code == 404

    assert code_of(redeem(app, gift.code, email=BO)) == (429, "gift_tries_too_many")


@pytest.mark.wide
def test_people_of_one_app_guess_each_for_themselves(gift: GiftCode) -> None:
    partner = make_partner()
    greedy, other = (
        Caller(Authorization=f"Bearer {make_access_token(partner, make_user(), scopes=CART)}")
        for _ in range(2)
    )
    for _ in range(WRONG_TRIES):
        assert greedy("post", "gifts/look/", {"code": NO_SUCH}).status_code == 404

    assert code_of(greedy("post", "gifts/look/", {"code": gift.code})) == (
        429,
        "gift_tries_too_many",
    )
    assert other("post", "gifts/look/", {"code": gift.code}).status_code == 200
