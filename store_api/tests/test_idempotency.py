"""A create that is sent again with its Idempotency-Key is done once, and answers as it did."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from orders.models import Cart
from store_api.idempotency.claims import KEPT, idempotency_tidy
from store_api.models import IdempotentRequest
from store_api.scopes import Scope
from store_api.tests.calling import V1, Caller, app_of, third_party
from store_api.tests.idempotency_site import SITE
from tests.factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.urls(SITE)]
KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"


def post(
    call: Caller, path: str = "things/", body: Any = None, key: str = KEY, **headers: str
) -> Any:
    return call("post", path, body or {}, Idempotency_Key=key, **headers)


def guest() -> Caller:
    return Caller(Client(raise_request_exception=False))


def refused(answer: Any) -> tuple[int, str]:
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == answer.status_code
    return answer.status_code, answer.json()["code"]


def test_the_same_request_again_is_answered_as_before_and_done_once() -> None:
    call = guest()
    first = post(call, body={"name": "Tidewater"})

    again = post(call, body={"name": "Tidewater"})

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    for name in ("Location", "Cache-Control", "Content-Type", "Allow", "Vary"):
        assert again[name] == first[name]
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"
    assert Cart.objects.count() == 1


def test_without_a_key_or_with_another_it_is_done_again() -> None:
    call = guest()

    answers = [
        call("post", "things/", {}),
        call("post", "things/", {}),
        post(call),
        post(call, key="2"),
    ]

    assert len({answer.json()["secret"] for answer in answers}) == 4
    assert Cart.objects.count() == 4


def test_members_in_another_order_and_spaces_are_the_same_body() -> None:
    call = guest()
    first = post(call, body='{"name": "Tidewater", "parts": [1, 2]}')

    again = post(call, body='{"parts":[1,2],"name":"Tidewater"}')

    assert again.json() == first.json()


@pytest.mark.parametrize(
    "other",
    [
        "{}",
        '{"n": 2}',
        '{"n": "1"}',
        '{"n": true}',
        '{"n": 1.5}',
        '{"n": [1]}',
        '{"N": 1}',
        '{"n": null}',
    ],
)
def test_another_body_under_the_same_key_is_refused(other: str) -> None:
    call = guest()
    first = post(call, body='{"n": 1}')

    assert refused(post(call, body=other)) == (422, "idempotency_key_reused")

    assert post(call, body='{"n": 1}').content == first.content
    assert Cart.objects.count() == 1


@pytest.mark.parametrize("path", ["other-things/", "things/?currency=GBP"])
def test_another_address_under_the_same_key_is_refused(path: str) -> None:
    call = guest()
    post(call)

    assert refused(post(call, path)) == (422, "idempotency_key_reused")


def test_an_account_that_brings_another_carts_secret_asks_for_something_else() -> None:
    call = app_of(make_user())
    post(call, X_Cart_Token="one")

    assert refused(post(call, X_Cart_Token="two")) == (422, "idempotency_key_reused")


@pytest.mark.parametrize("key", ["x", "!~", "k" * 255, "a,b;c=d"])
def test_a_key_in_quotes_is_the_same_key(key: str) -> None:
    call = guest()
    first = post(call, key=key)

    again = post(call, key=f'"{key}"')

    assert first.status_code == 201
    assert again.content == first.content


@pytest.mark.parametrize(
    "key", ["", " ", "k" * 256, "a b", 'a"b', '"a', 'a"', '""', "a\\b", "ключ", "\x7f", "é"]
)
def test_what_is_no_key_is_refused_before_anything_is_done(key: str) -> None:
    answer = guest().client.post(f"{V1}things/", HTTP_IDEMPOTENCY_KEY=key)

    assert refused(answer) == (400, "idempotency_key_invalid")
    assert not Cart.objects.exists()


def test_where_a_key_is_required_its_absence_is_refused() -> None:
    call = guest()

    assert refused(call("post", "ordered-things/", {})) == (400, "idempotency_key_missing")
    assert post(call, "ordered-things/").status_code == 201
    assert call("get", "ordered-things/").status_code == 200


def test_reading_and_wrong_methods_need_no_key_and_use_none() -> None:
    call = guest()

    assert call("get", "things/", Idempotency_Key=KEY).status_code == 200
    assert refused(call("put", "things/", {}, Idempotency_Key=KEY)) == (405, "method_not_allowed")
    assert not IdempotentRequest.objects.exists()


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [("{", "application/json", 400), ("a=1", "application/x-www-form-urlencoded", 415)],
)
def test_a_body_that_cannot_be_read_uses_no_key(body: str, content_type: str, status: int) -> None:
    answer = guest().client.post(
        f"{V1}odd-things/", body, content_type=content_type, headers={"Idempotency-Key": KEY}
    )

    assert refused(answer)[0] == status
    assert not IdempotentRequest.objects.exists()


def test_a_view_that_reads_no_body_is_not_disturbed_by_one() -> None:
    call = guest()
    first = post(call, body="{")

    assert post(call, body="{").content == first.content
    assert refused(post(call, body="[")) == (422, "idempotency_key_reused")
    for size in (100_001, 3_000_000):
        assert refused(post(call, body=" " * size, key="long"))[0] == 413


@pytest.mark.parametrize(
    ("way", "status"),
    [("refused", 409), ("broken", 500), ("unspeakable", 500), ("unwell", 503)],
)
def test_what_did_not_succeed_leaves_the_key_free(way: str, status: int) -> None:
    call = guest()

    answers = [post(call, "odd-things/", {"way": way}), post(call, "odd-things/", {"way": way})]
    other = post(call, "odd-things/", {"way": "empty"})

    assert [answer.status_code for answer in answers] == [status, status]
    assert all("Idempotent-Replayed" not in answer for answer in answers)
    assert other.status_code == 204


@pytest.mark.parametrize(("way", "body"), [("streamed", b"one two"), ("plain", b"plain")])
def test_what_is_no_answer_of_the_api_is_passed_on_and_not_kept(way: str, body: bytes) -> None:
    call = guest()

    for made in (1, 2):
        answer = post(call, "odd-things/", {"way": way})

        assert b"".join(answer) == body
        assert Cart.objects.count() == made


def test_an_answer_without_a_body_is_repeated_without_one() -> None:
    call = guest()

    first, again = (post(call, "odd-things/", {"way": "empty"}) for _ in range(2))

    assert (first.status_code, again.status_code) == (204, 204)
    assert again.content == first.content == b""
    assert again["Idempotent-Replayed"] == "true"


def test_a_media_type_of_its_own_is_repeated() -> None:
    call = guest()

    first, again = (post(call, "odd-things/", {"way": "special"}) for _ in range(2))

    assert again["Content-Type"] == first["Content-Type"] == "application/vnd.shop+json"


def test_an_answer_is_kept_for_a_day_whether_or_not_it_was_tidied_away() -> None:
    call = guest()
    first = post(call)
    row = IdempotentRequest.objects.get()
    IdempotentRequest.objects.update(started_at=timezone.now() - KEPT + timedelta(hours=1))
    assert post(call).content == first.content

    IdempotentRequest.objects.update(started_at=timezone.now() - KEPT - timedelta(seconds=1))
    later = post(call, body={"now": "something else"})

    assert later.status_code == 201
    assert later.json() != first.json()
    assert IdempotentRequest.objects.get().pk != row.pk


def test_tidying_forgets_what_is_older_than_a_day_and_nothing_else() -> None:
    post(guest(), key="old")
    post(guest(), key="new")
    start = IdempotentRequest.objects.earliest("pk").started_at
    newer = IdempotentRequest.objects.latest("pk")
    IdempotentRequest.objects.filter(pk=newer.pk).update(started_at=start + timedelta(seconds=1))

    assert idempotency_tidy(now=start + KEPT) == 0
    assert idempotency_tidy(now=start + KEPT + timedelta(seconds=1)) == 1

    assert IdempotentRequest.objects.get().pk == newer.pk


def test_a_first_request_costs_two_statements_more_and_a_repetition_two_in_all(
    django_assert_num_queries: Any,
) -> None:
    call = guest()

    with django_assert_num_queries(1):
        call("post", "things/", {})
    with django_assert_num_queries(1 + 2):
        post(call)
    with django_assert_num_queries(2):
        post(call)
    with django_assert_num_queries(1 + 2):
        post(call, "odd-things/", {"way": "refused"}, key="other")


def test_whoever_calls_without_the_right_uses_no_key() -> None:
    call = third_party(Scope.CATALOG_READ, user=make_user())

    assert refused(post(call)) == (403, "insufficient_scope")
    assert not IdempotentRequest.objects.exists()


def test_any_json_can_be_told_from_any_other() -> None:
    call = guest()
    body = '{"s": "\\ud83d\\udd7a \\u0000", "big": 123456789012345678901234567890, "f": 1e400, "z": []}'
    first = post(call, body=body)

    again = post(call, body=body)

    assert again.content == first.content
    assert refused(post(call, body=body.replace("1e400", "1e401"))) == (
        422,
        "idempotency_key_reused",
    )
