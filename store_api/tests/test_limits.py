"""How often anybody may ask: by person, by app and by address, counted for all processes together."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pytest
import redis
from django.test import Client
from django.urls import include, path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from orders import throttles
from site_config.shared_cache import SharedCache
from store_api.permissions import ScopedViewMixin
from store_api.scopes import Scope
from store_api.tests.calling import Caller, app_of
from tests.factories import make_user
from tests.partners import make_access_token, make_partner
from tests.server_processes import accepts, end, free_ports, program, spawn, wait_until
from tests.servers import gunicorn, shop_environment

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
SCOPE = [str(Scope.CATALOG_READ)]


class Anything(ScopedViewMixin, APIView):
    scope = Scope.CATALOG_READ
    permission_classes: list[Any] = []

    def get(self, request: Request) -> Response:
        return Response({})

    def post(self, request: Request) -> Response:
        return Response({})


urlpatterns = [
    path("api/v1/t/", Anything.as_view()),
    path("", include("site_config.urls")),
]


@pytest.fixture(autouse=True)
def _small_limits(settings: Any) -> None:
    settings.API_LIMITS = {"address": 10, "person": 10, "app": 10}


def third_party(user: Any = None) -> Caller:
    """An app that a token of its own came to, with a person or without."""
    token = make_access_token(make_partner(), user, scopes=[Scope.CATALOG_READ])
    return Caller(Authorization=f"Bearer {token}")


def statuses(call: Any, times: int, **headers: str) -> list[int]:
    return [call("get", "t/", **headers).status_code for _ in range(times)]


def test_an_address_is_stopped_and_told_when_its_minute_ends() -> None:
    anybody = app_of()

    answers = statuses(anybody, 10)
    refused = anybody("get", "t/")

    assert answers == [200] * 10
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
    assert refused["Retry-After"] == "50"
    assert refused["Content-Type"] == "application/problem+json"


def test_a_new_minute_begins_at_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    anybody = app_of()
    statuses(anybody, 11)

    now = throttles.clock()
    monkeypatch.setattr(throttles, "clock", lambda: now + 50)

    assert statuses(anybody, 1) == [200]


def test_another_address_is_not_concerned() -> None:
    statuses(app_of(), 11)
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")

    assert elsewhere.get("/api/v1/t/").status_code == 200


def test_an_address_that_a_client_claims_is_not_believed() -> None:
    claims = [f"203.0.113.{number}" for number in range(11)]

    answers = [statuses(app_of(), 1, X_Forwarded_For=claim)[0] for claim in claims]

    assert answers == [200] * 10 + [429]


def test_a_person_is_one_wherever_they_are() -> None:
    person = make_user()
    calls = [app_of(person) for _ in range(11)]
    for number, call in enumerate(calls):
        call.client.defaults["REMOTE_ADDR"] = f"192.0.2.{number}"

    assert [call("get", "t/").status_code for call in calls] == [200] * 10 + [429]
    assert statuses(app_of(make_user()), 1) == [200]


def test_an_app_is_one_for_all_its_people_and_not_held_to_an_address(settings: Any) -> None:
    settings.API_LIMITS = {"address": 5, "person": 5, "app": 10}
    app = third_party()

    assert statuses(app, 11) == [200] * 10 + [429]
    assert statuses(third_party(), 1) == [200]
    assert statuses(app_of(), 1) == [200]


def test_a_person_is_counted_by_themselves_in_each_app(settings: Any) -> None:
    settings.API_LIMITS = {"address": 1000, "person": 5, "app": 1000}
    person = make_user()

    through_an_app = statuses(third_party(person), 6)

    assert through_an_app == [200] * 5 + [429]
    assert statuses(third_party(person), 1) == [200]
    assert statuses(app_of(person), 1) == [200]


def test_one_person_does_not_use_up_what_their_app_has(settings: Any) -> None:
    settings.API_LIMITS = {"address": 1000, "person": 5, "app": 12}
    partner = make_partner()
    greedy, other = (
        Caller(Authorization=f"Bearer {make_access_token(partner, make_user(), scopes=SCOPE)}")
        for _ in range(2)
    )

    assert statuses(greedy, 20) == [200] * 5 + [429] * 15
    assert statuses(other, 5) == [200] * 5


def test_writes_have_a_fifth_and_their_own_count() -> None:
    anybody = app_of()

    writes = [anybody("post", "t/").status_code for _ in range(3)]

    assert writes == [200, 200, 429]
    assert statuses(anybody, 10) == [200] * 10


def test_whoever_tries_tokens_is_stopped(settings: Any) -> None:
    guesser = app_of()

    answers = [guesser("get", "t/", X_Session_Token=f"guess-{number}") for number in range(3)]

    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert answers[-1]["Retry-After"] == "50"


def test_an_hourly_limit_says_when_its_hour_ends(settings: Any) -> None:
    settings.API_LIMITS = {"address": 1000, "person": 1000, "app": 1000}
    guesser = app_of()

    answers = [guesser("get", "cart/", X_Cart_Token=f"guess-{number}") for number in range(31)]

    assert answers[-1].status_code == 429
    assert answers[-1]["Retry-After"] == "3590"


def test_documents_and_options_ask_nothing_of_a_limit() -> None:
    answers = [Client().options("/api/v1/t/").status_code for _ in range(11)]

    assert answers == [200] * 11


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """A Redis of the test's own, that keeps nothing."""
    executable = program("redis-server", install="apt-get install -y redis-server")
    (port,) = free_ports(1)
    command = [executable, "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    process = spawn([*command, "--dir", str(folder)], log=folder / "redis.log")
    try:
        wait_until(accepts(port), process, folder / "redis.log")
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        end(process)


def test_a_counter_in_redis_keeps_its_end_and_is_never_begun_by_counting(tmp_path: Path) -> None:
    with redis_server(tmp_path) as address:
        shared = SharedCache(address, {})
        with pytest.raises(ValueError, match="not found"):
            shared.incr("counter")
        shared.add("counter", 1, timeout=60)

        counted = [shared.incr("counter"), shared.incr("counter", 5), shared.get("counter")]

        raw = redis.Redis.from_url(address)
        assert counted == [2, 7, 7]
        assert 0 < raw.ttl(shared.make_key("counter")) <= 60
        raw.close()
        shared.close()


def _status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def _within_one_minute(urls: list[str], counts: redis.Redis) -> list[int]:
    """The statuses of one minute, which other processes read from a clock of their own: a round that a
    minute's end cuts in two says nothing, and begins anew with nothing counted.
    """
    while True:
        counts.flushall()
        minute = int(time.time()) // 60
        found = [_status(url) for url in urls]
        if int(time.time()) // 60 == minute:
            return found


@pytest.mark.django_db(transaction=True)
def test_two_processes_count_together(tmp_path: Path) -> None:
    with redis_server(tmp_path) as address:
        limits = {"REDIS_URL": address, "API_ADDRESS_LIMIT": "10"}
        one = shop_environment(tmp_path / "one", **limits)
        two = shop_environment(tmp_path / "two", **limits)
        with gunicorn(one, threads=4) as first, gunicorn(two, threads=4) as second:
            addresses = [f"{server.url}/api/v1/genres/" for server in (first, second)]

            urls = list(islice(cycle(addresses), 16))
            answers = _within_one_minute(urls, redis.Redis.from_url(address))

    assert first.pid != second.pid
    assert answers == [200] * 10 + [429] * 6
