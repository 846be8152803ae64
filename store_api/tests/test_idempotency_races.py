"""Many at once, processes that die, databases that fail, and what lies in the table."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection, connections, transaction
from django.test import Client
from django.utils import timezone

from orders.models import Cart
from store_api.idempotency.claims import LEASE, answer_keep, key_claim, key_release
from store_api.idempotency.keys import Asked
from store_api.idempotency.sealing import Answer
from store_api.models import IdempotentRequest
from store_api.tests.calling import Caller, app_of
from store_api.tests.idempotency_site import SITE, Things
from store_api.tests.test_idempotency import guest, post, refused
from tests.factories import make_user
from tests.payments.crashes import Killed
from tests.together import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls(SITE), pytest.mark.wide]
TABLE = IdempotentRequest._meta.db_table
ASKED = Asked(key_digest="d" * 64, fingerprint="f" * 64, seal=b"s" * 32)


@contextmanager
def from_statement_on(words: str, error: BaseException, *, forever: bool = False) -> Iterator[None]:
    """The first statement with all of these words raises, and everything after it too if `forever`."""
    struck: list[bool] = []

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if (struck and forever) or (not struck and all(word in sql for word in words.split())):
            struck.append(True)
            raise error
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrapper):
        yield
    assert struck


@pytest.mark.parametrize("signed_in", [True, False])
def test_eight_at_once_with_one_key_make_one_thing(signed_in: bool) -> None:
    headers = app_of(make_user()).headers if signed_in else {}
    callers = [Caller(Client(), **headers) for _ in range(8)]

    answers = at_once(*[partial(post, call) for call in callers])

    made = [answer for answer in answers if answer.status_code == 201]
    assert len({answer.content for answer in made}) == 1
    assert sum("Idempotent-Replayed" not in answer for answer in made) == 1
    assert {refused(answer) for answer in answers if answer not in made} <= {
        (409, "idempotency_key_in_use")
    }
    assert Cart.objects.count() == 1
    assert IdempotentRequest.objects.count() == 1


def test_while_it_is_being_done_others_are_told_when_to_ask_again() -> None:
    seen: list[Any] = []
    Things.during = lambda: seen.extend(
        at_once(partial(post, Caller()), partial(post, Caller(), body={"another": 1}))
    )

    first = post(Caller())

    same, another = seen
    assert refused(same) == (409, "idempotency_key_in_use")
    assert 1 <= int(same["Retry-After"]) <= 30
    assert refused(another) == (422, "idempotency_key_reused")
    assert post(Caller()).content == first.content
    assert Cart.objects.count() == 1


def test_eight_who_find_a_dead_request_leave_it_to_one_of_them() -> None:
    post(Caller())
    IdempotentRequest.objects.update(
        answer=None, started_at=timezone.now() - LEASE - timedelta(seconds=1)
    )
    Cart.objects.all().delete()

    answers = at_once(*[partial(post, Caller()) for _ in range(8)])

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert sum("Idempotent-Replayed" not in a for a in answers if a.status_code == 201) == 1
    assert Cart.objects.count() == 1


def test_whoever_waits_for_the_dead_is_told_to_wait_longer_and_longer() -> None:
    waits = []
    for seconds in (0, 5, 100, LEASE.total_seconds() - 60):
        post(Caller())
        IdempotentRequest.objects.update(
            answer=None, started_at=timezone.now() - timedelta(seconds=seconds)
        )
        waits.append(int(post(Caller())["Retry-After"]))

    assert 1 <= waits[0] < waits[1]
    assert 5 <= waits[1] <= 30
    assert waits[2:] == [30, 30]


def test_a_process_that_is_killed_leaves_the_key_in_use_until_its_time_is_over() -> None:
    with (
        from_statement_on(f"UPDATE {TABLE}", Killed(), forever=True),
        pytest.raises(Killed),
    ):
        post(guest())
    assert refused(post(guest())) == (409, "idempotency_key_in_use")

    IdempotentRequest.objects.update(started_at=timezone.now() - LEASE - timedelta(seconds=1))

    assert post(guest()).status_code == 201
    assert post(guest())["Idempotent-Replayed"] == "true"


def test_a_process_that_is_killed_before_the_work_did_nothing() -> None:
    with from_statement_on("INSERT orders_cart", Killed(), forever=True), pytest.raises(Killed):
        post(guest())

    assert not Cart.objects.exists()
    assert IdempotentRequest.objects.get().answer is None


def test_who_was_thought_dead_neither_answers_nor_releases_for_the_next() -> None:
    start = timezone.now()
    slow = key_claim(ASKED, now=start)
    next_one = key_claim(ASKED, now=start + LEASE + timedelta(seconds=1))
    assert isinstance(slow, int)
    assert isinstance(next_one, int)

    key_release(slow)
    answer_keep(slow, ASKED, Answer(201, {}, None, '"slow"'))
    answer_keep(next_one, ASKED, Answer(201, {}, None, '"next"'))

    again = key_claim(ASKED, now=start + LEASE + timedelta(seconds=2))
    assert again == Answer(201, {}, None, '"next"')


def test_who_answers_at_the_last_moment_is_believed() -> None:
    start = timezone.now()
    slow = key_claim(ASKED, now=start)
    assert isinstance(slow, int)
    answer = Answer(201, {}, None, '"slow"')
    done: list[bool] = []

    def answered_after_we_looked(
        execute: Any, sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        found = execute(sql, params, many, context)
        if sql.startswith("SELECT") and TABLE in sql and not done:
            done.append(True)
            at_once(partial(answer_keep, slow, ASKED, answer))
        return found

    with connection.execute_wrapper(answered_after_we_looked):
        found = key_claim(ASKED, now=start + LEASE + timedelta(seconds=1))

    assert done
    assert found == answer


def test_when_the_answer_cannot_be_stored_the_client_has_it_and_the_log_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken = OperationalError("the disk is full")
    stored = from_statement_on(f"UPDATE {TABLE}", broken, forever=True)
    with caplog.at_level(logging.ERROR), stored:
        first = post(guest())

    assert first.status_code == 201
    assert [record.message for record in caplog.records] == [
        "An answer could not be stored; asked again, the work will be repeated"
    ]
    assert refused(post(guest())) == (409, "idempotency_key_in_use")


def test_when_the_key_cannot_be_released_the_client_still_hears_what_was_wrong(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken = OperationalError("the server went away")
    with from_statement_on(f"DELETE {TABLE}", broken, forever=True):
        answer = post(guest(), "odd-things/", {"way": "refused"})

    assert refused(answer) == (409, "cart_full")
    assert "could not be released" in caplog.text


def test_when_the_key_cannot_be_claimed_nothing_is_done() -> None:
    with from_statement_on(f"INSERT {TABLE}", OperationalError("the server went away")):
        answer = post(guest())

    assert answer.status_code >= 500
    assert not Cart.objects.exists()
    assert post(guest()).status_code == 201


def test_the_work_is_done_with_no_transaction_open() -> None:
    seen: list[bool] = []
    Things.during = lambda: seen.append(connection.in_atomic_block)

    post(Caller())

    assert seen == [False]
    with transaction.atomic(), pytest.raises(RuntimeError):
        key_claim(ASKED, now=timezone.now())


def test_the_table_holds_no_secret_no_key_no_caller_and_no_body() -> None:
    answer = post(Caller(X_Cart_Token="sesame"), body={"name": "Tidewater"}, key="open-it")

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {TABLE}")
        raw = b"|".join(
            bytes(value) if isinstance(value, (bytes, memoryview)) else str(value).encode()
            for value in cursor.fetchone()
        )
    assert len(raw) > 300
    for hidden in (
        answer.json()["secret"],
        "sesame",
        "Tidewater",
        "open-it",
        "127.0.0.1",
        "things",
    ):
        assert hidden.encode() not in raw


def test_an_answer_moved_to_another_row_is_not_read_there() -> None:
    post(Caller(), key="one")
    post(Caller(), key="two")
    one, two = IdempotentRequest.objects.order_by("pk")
    IdempotentRequest.objects.filter(pk=two.pk).update(answer=one.answer)

    assert refused(post(Caller(), key="two")) == (409, "idempotency_answer_lost")


def test_answers_survive_a_new_secret_key_while_the_old_one_is_a_fallback(settings: Any) -> None:
    first = post(Caller())
    old = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new" * 20, ["older" * 10, old]

    assert post(Caller()).content == first.content

    settings.SECRET_KEY_FALLBACKS = []
    lost = post(Caller())
    assert refused(lost) == (409, "idempotency_answer_lost")
    assert "Retry-After" not in lost
    assert Cart.objects.count() == 1


@pytest.mark.parametrize("lost", [OperationalError, InterfaceError])
def test_a_key_is_released_over_a_new_connection_where_the_old_one_broke(
    lost: type[Exception],
) -> None:
    with from_statement_on(f"DELETE {TABLE}", lost("the connection is lost")):
        refusal = post(guest(), "odd-things/", {"way": "refused"})

    again = post(guest(), "odd-things/", {"way": "refused"})

    assert refused(refusal) == refused(again) == (409, "cart_full")


def test_a_key_of_a_connection_that_postgresql_ended_is_free_at_once() -> None:
    if connection.vendor != "postgresql":
        return  # SQLite has no server
    claim = key_claim(ASKED, now=timezone.now())
    assert isinstance(claim, int)
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute(f"SELECT pg_terminate_backend({connection.connection.info.backend_pid})")
    other.close()

    key_release(claim)

    assert isinstance(key_claim(ASKED, now=timezone.now()), int)
