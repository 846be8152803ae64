"""A key is its caller's own, and a repetition passes every check that the first request passed."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.idp.oidc.models import Client as App
from allauth.idp.oidc.models import Token
from django.contrib.sessions.models import Session
from django.test import Client

from orders.models import Cart
from orders.services.guests import guest_token
from orders.tests.guesting import guest_buys
from store_api.scopes import Scope
from store_api.tests.calling import Caller, app_of, third_party
from store_api.tests.idempotency_site import SITE
from store_api.tests.test_idempotency import post, refused
from store_api.throttles import WRITES_SHARE
from tests.factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.urls(SITE)]


def browser_of(user: Any) -> Caller:
    client = Client()
    client.force_login(user)
    return Caller(client)


def partner(user: Any = None) -> Caller:
    """A third party's app for this person, or for itself."""
    call = third_party(Scope.CART_WRITE, user=user)
    App.objects.update(grant_types="authorization_code\nclient_credentials")
    return call


def test_no_caller_reads_what_another_was_answered_under_the_same_key() -> None:
    anna, ben = make_user(), make_user()
    callers = [
        app_of(anna),
        app_of(ben),
        partner(anna),
        partner(anna),
        partner(ben),
        partner(),
        partner(),
        Caller(X_Cart_Token="one"),
        Caller(X_Cart_Token="two"),
        Caller(),
        Caller(Client(REMOTE_ADDR="192.0.2.7")),
    ]

    answers = [post(call) for call in callers]

    assert [answer.status_code for answer in answers] == [201] * len(callers)
    assert len({answer.json()["secret"] for answer in answers}) == len(callers)
    assert not any("Idempotent-Replayed" in answer for answer in answers)
    assert [post(call).content for call in callers] == [answer.content for answer in answers]


def test_a_person_is_the_same_in_a_browser_and_in_our_own_app() -> None:
    user = make_user()
    first = post(browser_of(user))

    again = post(app_of(user))

    assert again.content == first.content
    assert Cart.objects.count() == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"X_Cart_Token": "a|b"}, {"X_Cart_Token": "a", "X_Order_Token": "b"}),
        ({"X_Cart_Token": "address:127.0.0.1"}, {}),
        ({"X_Cart_Token": "user:1"}, {"X_Cart_Token": "|user:1"}),
    ],
)
def test_no_secret_can_be_chosen_to_look_like_another_caller(
    one: dict[str, str], other: dict[str, str]
) -> None:
    """The second has an order's token that opens nothing, so it is refused, and never replayed to."""
    first = post(Caller(**one))

    answer = post(Caller(**other))

    assert first.status_code == 201
    assert answer.status_code == 401 or answer.json() != first.json()
    assert "Idempotent-Replayed" not in answer


def test_a_sign_in_that_ended_is_answered_nothing() -> None:
    call = app_of(make_user())
    post(call)
    Session.objects.all().delete()

    assert refused(post(call)) == (401, "session_ended")


def test_an_access_token_that_was_taken_back_is_answered_nothing() -> None:
    call = partner(make_user())
    assert post(call).status_code == 201
    Token.objects.all().delete()

    assert refused(post(call)) == (401, "token_invalid")


def test_a_scope_that_was_taken_back_is_answered_nothing() -> None:
    call = partner(make_user())
    assert post(call).status_code == 201
    Token.objects.update(scopes=str(Scope.CATALOG_READ))

    assert refused(post(call)) == (403, "insufficient_scope")


def test_an_account_that_was_closed_is_answered_nothing() -> None:
    user = make_user()
    call = app_of(user)
    assert post(call, "personal-things/").status_code == 201
    user.is_active = False
    user.save()

    assert refused(post(call, "personal-things/"))[0] == 401


def test_an_orders_token_that_opens_nothing_any_more_is_answered_nothing() -> None:
    order = guest_buys(Client())
    call = Caller(X_Order_Token=guest_token(order))
    assert post(call).status_code == 201
    assert post(call)["Idempotent-Replayed"] == "true"
    order.link_key = "another"
    order.save()

    assert refused(post(call)) == (401, "order_token_invalid")


def test_repetitions_count_against_the_limits(settings: Any) -> None:
    settings.API_LIMITS = settings.API_LIMITS | {"address": 3 * WRITES_SHARE}
    call = Caller()

    statuses = [post(call).status_code for _ in range(4)]

    assert statuses == [201, 201, 201, 429]
