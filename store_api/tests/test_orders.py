"""Orders over the API: what their buyers may know, and nobody else."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client
from django.utils.dateparse import parse_datetime

from orders.models import GiftCode, Order, OutboxMail, Refund
from orders.models.orders import new_link_key
from orders.services.claims import rights_claim
from orders.services.gift_facts import GIFT_LETTER
from orders.services.guests import guest_token
from orders.tests.guesting import EMAIL, guest_buys, redeemed_gift
from orders.tests.happenings import dispute, refund, refund_line, tell
from orders.tests.test_gifts import bought as bought_with_gifts
from store_api.scopes import Scope
from store_api.tests.buying import cost, guest_of, problem_of
from store_api.tests.calling import Caller, app_of, third_party
from tests.factories import buy, make_product, make_user, start_checkout

pytestmark = pytest.mark.django_db
SECRET_WORDS = ("cs_test", "pi_", "ch_", "re_", "stripe_", "idempotency", "livemode")


def test_the_list_has_the_newest_first_and_what_is_in_each(client: Client) -> None:
    user = make_user()
    older = buy(client, user, make_product("Winter", price_pennies=300))
    newer = start_checkout(user, make_product("Tidewater", price_pennies=899)).order
    buy(client, make_user(), make_product())

    body = app_of(user)("get", "orders/").json()

    assert [order["id"] for order in body["results"]] == [str(newer.pk), str(older.pk)]
    assert [order["status"] for order in body["results"]] == ["pending", "paid"]
    assert body["results"][0]["lines"][0] == {
        "id": newer.items.get().pk,
        "title": "Tidewater",
        "artist": "The Test Pressings",
        "product": {
            "id": newer.items.get().product_id,
            "slug": "tidewater",
            "title": "Tidewater",
            "artist": "The Test Pressings",
            "covers": [],
        },
        "quantity": 1,
        "list_price_pennies": 899,
        "unit_price_pennies": 899,
        "discount_pennies": 0,
        "tax_pennies": 0,
        "total_pennies": 899,
        "is_gift": False,
    }


def test_the_list_is_narrowed_by_status(client: Client) -> None:
    user = make_user()
    paid = buy(client, user, make_product())
    start_checkout(user, make_product())
    app = app_of(user)

    found = app("get", "orders/?status=paid").json()["results"]
    wrong = app("get", "orders/?status=lost")

    assert [order["id"] for order in found] == [str(paid.pk)]
    assert problem_of(wrong) == (400, "invalid")
    assert [error["field"] for error in wrong.json()["errors"]] == ["status"]


@pytest.mark.wide
def test_the_list_comes_in_parts_that_join_without_gap(client: Client) -> None:
    user = make_user()
    orders = [buy(client, user, make_product(price_pennies=0)) for _ in range(3)]
    app = app_of(user)

    first = app("get", "orders/?page_size=2").json()
    second = app("get", first["next"].partition("/api/v1/")[2]).json()

    seen = [order["id"] for order in first["results"] + second["results"]]
    assert seen == [str(order.pk) for order in reversed(orders)]
    assert second["next"] is None


@pytest.mark.wide
def test_the_list_costs_the_same_for_any_number(client: Client) -> None:
    few, many = make_user(), make_user()
    buy(client, few, make_product(), make_product())
    for _ in range(6):
        buy(client, many, make_product(price_pennies=0), make_product(price_pennies=0))
    apps = [app_of(user) for user in (few, many)]
    apps[0]("get", "orders/")  # what the first request of a process looks up is no matter here

    costs = [cost(lambda app=app: app("get", "orders/"))[1] for app in apps]

    assert costs[0] == costs[1]


def test_one_order_tells_all_that_its_buyer_may_know(client: Client) -> None:
    user = make_user()
    order = buy(client, user, make_product("Tidewater", price_pennies=899))
    item, payment = order.items.get(), order.payments.get()

    answer = app_of(user)("get", f"orders/{order.pk}/")
    body = answer.json()

    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    assert (body["number"], body["status"], body["channel"]) == (order.number, "paid", "web")
    assert (body["total_pennies"], body["currency"], body["email"]) == (899, "GBP", user.email)
    assert body["consent"]["version"] == order.consent_version
    assert body["consent"]["text"].startswith("Deliver now.")
    assert (body["checkout_url"], body["expires_at"]) == (None, None)
    assert [line["id"] for line in body["lines"]] == [item.pk]
    (paid,) = body["payments"]
    assert (paid["attempt"], paid["kind"], paid["status"]) == (1, "stripe", "paid")
    assert (paid["captured_pennies"], paid["card_last4"]) == (899, payment.card_last4)
    assert (body["refunds"], body["gifts"]) == ([], [])
    assert (body["is_disputed"], body["is_lost"]) == (False, False)


@pytest.mark.wide
def test_no_answer_holds_an_id_of_the_payment_service(client: Client) -> None:
    user = make_user()
    order = buy(client, user, make_product())
    refund(order, amount_pennies=100)
    tell(client)
    app = app_of(user)

    for path in ("orders/", f"orders/{order.pk}/", f"orders/{order.pk}/receipt/"):
        text = app("get", path).content.decode()
        assert not [word for word in SECRET_WORDS if word in text], path


@pytest.mark.wide
def test_refunds_say_what_they_are_for(client: Client) -> None:
    user = make_user()
    order = buy(client, user, make_product("Winter"), make_product("Spring"))
    refund_line(order, "Winter")
    tell(client)

    body = app_of(user)("get", f"orders/{order.pk}/").json()

    (sent_back,) = body["refunds"]
    winter = order.items.get(title="Winter")
    assert (sent_back["amount_pennies"], sent_back["status"]) == (499, "succeeded")
    assert sent_back["lines"] == [{"line": winter.pk, "title": "Winter", "amount_pennies": 499}]


@pytest.mark.parametrize(("sent_back", "amount"), [(None, 998), (499, 499)])
def test_what_went_back_is_told_of_a_paid_order(
    client: Client, sent_back: int | None, amount: int
) -> None:
    user = make_user()
    order = buy(client, user, make_product("Winter"), make_product("Spring"))
    untouched = buy(client, user, make_product())
    refund(order, amount_pennies=sent_back)
    tell(client)
    app = app_of(user)

    listed = {row["id"]: row for row in app("get", "orders/").json()["results"]}
    detail = app("get", f"orders/{order.pk}/").json()

    assert listed[str(order.pk)]["status"] == "paid"
    assert listed[str(order.pk)]["refunded_pennies"] == amount
    assert listed[str(untouched.pk)]["refunded_pennies"] == 0
    assert detail["refunded_pennies"] == amount


@pytest.mark.wide
def test_a_refund_on_its_way_has_not_gone_back_yet(client: Client) -> None:
    user = make_user()
    order = buy(client, user, make_product())
    refund(order)
    tell(client)
    Refund.objects.update(status=Refund.Status.PENDING)

    body = app_of(user)("get", f"orders/{order.pk}/").json()

    assert (body["refunded_pennies"], len(body["refunds"])) == (0, 1)


@pytest.mark.wide
@pytest.mark.parametrize(("outcome", "is_lost"), [("", False), ("lost", True)])
def test_a_dispute_is_told_in_a_word(client: Client, outcome: str, is_lost: bool) -> None:
    user = make_user()
    order = buy(client, user, make_product())
    dispute(client, order, outcome)

    body = app_of(user)("get", f"orders/{order.pk}/").json()

    assert (body["is_disputed"], body["is_lost"]) == (True, is_lost)


def test_gift_codes_are_for_their_buyer_and_no_third_party(client: Client) -> None:
    user = make_user()
    order = bought_with_gifts(client, make_product("Harbour"), quantity=3, user=user)
    first, second = GiftCode.objects.order_by("seat")
    GiftCode.objects.filter(pk=second.pk).update(
        redeemed_at=order.paid_at, redeemed_email="somebody@example.com"
    )
    path = f"orders/{order.pk}/"

    own = app_of(user)("get", path).json()["gifts"]
    theirs = third_party(Scope.ORDERS_READ, user=user)("get", path)

    assert [(gift["state"], gift["code"]) for gift in own] == [
        ("open", first.code),
        ("redeemed", None),
    ]
    assert own[0]["url"].endswith(f"/gifts/{first.code}/")
    assert own[1]["redeemed_at"]
    assert "somebody@" not in str(own)
    assert [gift["state"] for gift in theirs.json()["gifts"]] == ["open", "redeemed"]
    assert first.code not in theirs.content.decode()


@pytest.mark.wide
def test_a_gift_tells_its_buyer_what_the_letter_says_and_when_it_left(client: Client) -> None:
    user = make_user()
    order = bought_with_gifts(client, make_product("Harbour"), user=user)
    gift = GiftCode.objects.get()
    GiftCode.objects.update(message="Happy birthday")
    letter = OutboxMail.objects.create(
        order=order,
        kind=GIFT_LETTER,
        fact=str(gift.pk),
        to_email="friend@example.com",
        status=OutboxMail.Status.SENT,
        sent_at=order.paid_at,
    )

    (told,) = app_of(user)("get", f"orders/{order.pk}/").json()["gifts"]

    assert told["message"] == "Happy birthday"
    assert parse_datetime(told["sent_at"]) == letter.sent_at


@pytest.mark.wide
def test_a_gift_that_was_refunded_shows_no_code(client: Client) -> None:
    user = make_user()
    order = bought_with_gifts(client, make_product("Harbour"), user=user)
    refund(order)
    tell(client)

    (gift,) = app_of(user)("get", f"orders/{order.pk}/").json()["gifts"]

    assert (gift["state"], gift["code"], gift["url"]) == ("refunded", None, None)


@pytest.mark.wide
def test_a_detail_costs_the_same_for_any_number_of_lines(client: Client) -> None:
    user = make_user()
    small = buy(client, user, make_product())
    large = buy(client, user, *[make_product() for _ in range(6)])
    app = app_of(user)
    app("get", f"orders/{small.pk}/")

    costs = [cost(lambda pk=pk: app("get", f"orders/{pk}/"))[1] for pk in (small.pk, large.pk)]

    assert costs[0] == costs[1]


def test_a_guest_sees_the_order_of_the_token_alone(client: Client) -> None:
    order = guest_buys(Client())
    other = guest_buys(Client(), "other@example.com")
    guest = guest_of(order)

    assert [row["id"] for row in guest("get", "orders/").json()["results"]] == [str(order.pk)]
    assert guest("get", f"orders/{order.pk}/").status_code == 200
    assert guest("get", f"orders/{order.pk}/receipt/").status_code == 200
    assert problem_of(guest("get", f"orders/{other.pk}/")) == (404, "not_found")


@pytest.mark.wide
def test_a_guest_in_a_browser_sees_what_was_bought_there(client: Client) -> None:
    order = guest_buys(client)
    browser = Caller(client)

    assert [row["id"] for row in browser("get", "orders/").json()["results"]] == [str(order.pk)]
    assert browser("get", f"orders/{order.pk}/").json()["status"] == "paid"


@pytest.mark.wide
def test_a_token_ends_with_its_key_and_with_a_claim(client: Client) -> None:
    order = guest_buys(client)
    guest, path = guest_of(order), f"orders/{order.pk}/"

    Order.objects.filter(pk=order.pk).update(link_key=new_link_key())
    renewed = guest("get", path)
    order.refresh_from_db()
    guest = guest_of(order)
    rights_claim(user=make_user(EMAIL))
    claimed = guest("get", path)

    assert problem_of(renewed) == (401, "order_token_invalid")
    assert problem_of(claimed) == (401, "order_token_claimed")
    assert order.number not in claimed.content.decode()


def test_whoever_was_given_a_copy_never_sees_its_order(client: Client) -> None:
    order = guest_buys(client)
    gift = redeemed_gift(order, "friend@example.com")
    friend = guest_of(gift)

    listed = friend("get", "orders/")

    assert (listed.status_code, listed.json()["results"]) == (200, [])
    for path in ("", "receipt/"):
        assert problem_of(friend("get", f"orders/{order.pk}/{path}")) == (404, "not_found")
    assert problem_of(friend("post", f"orders/{order.pk}/pay/")) == (404, "not_found")


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("method", "path"), [("get", ""), ("get", "receipt/"), ("post", "receipt/"), ("post", "pay/")]
)
def test_what_is_not_yours_answers_like_what_is_not_there(
    client: Client, method: str, path: str
) -> None:
    foreign = buy(client, make_user(), make_product())
    callers = [app_of(make_user()), guest_of(guest_buys(Client()))]

    for caller in callers:
        caller(method, f"orders/{uuid.uuid4()}/{path}")
        answers = [
            cost(lambda pk=pk, caller=caller: caller(method, f"orders/{pk}/{path}"))
            for pk in (foreign.pk, uuid.uuid4())
        ]
        (theirs, theirs_cost), (nothing, nothing_cost) = answers
        assert (theirs.status_code, theirs.content) == (nothing.status_code, nothing.content)
        assert theirs.status_code == 404
        assert theirs_cost == nothing_cost


@pytest.mark.parametrize(
    "path", ["orders/", "orders/0b0e7c1e-6f0c-4c43-9c39-0f6b2b6f7a11/", "purchases/"]
)
def test_nobody_in_particular_is_asked_to_sign_in(path: str) -> None:
    assert problem_of(Caller()("get", path)) == (401, "not_authenticated")
    app = third_party(Scope.ORDERS_READ, Scope.DOWNLOADS_READ)
    assert problem_of(app("get", path)) == (403, "person_missing")


@pytest.mark.wide
def test_an_app_without_a_person_reads_what_a_guests_token_opens(client: Client) -> None:
    order = guest_buys(client)
    app = third_party(Scope.ORDERS_READ)

    answer = app("get", f"orders/{order.pk}/", X_Order_Token=guest_token(order))

    assert answer.json()["number"] == order.number


@pytest.mark.parametrize("path", ["orders/junk/", "orders/1/", "orders/%00/", "orders/a/b/"])
def test_odd_ids_are_nothing(path: str) -> None:
    assert problem_of(app_of(make_user())("get", path)) == (404, "not_found")


@pytest.mark.parametrize(
    "cursor",
    ["junk", "cD0wMDAxLTAxLTAxKzAwJTNBMDA=", "cD05OTk5LTEyLTMxVDIzOjU5OjU5LTIzOjU5", "cD0lMDA="],
)
def test_a_cursor_that_is_none_is_not_found(cursor: str) -> None:
    answer = app_of(make_user())("get", f"orders/?cursor={cursor}")

    assert answer.status_code == 404
