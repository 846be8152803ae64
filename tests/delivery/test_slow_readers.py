"""Readers who read nothing: pages go on, the ones too many are asked to come back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.conf import settings

from tests import servers
from tests.delivery.asking import Answer, ask, unread
from tests.delivery.conftest import LARGE, Bought
from tests.servers import Server

THREADS = 4  # two for paid files, one for excerpts and pictures, one for pages


@pytest.fixture(scope="module")
def small_shop(bought: Bought, var_dir: Path) -> Iterator[Server]:
    with servers.gunicorn(servers.shop_environment(var_dir / "small"), threads=THREADS) as server:
        yield server


@pytest.fixture(scope="module")
def small_front(small_shop: Server, var_dir: Path) -> Iterator[Server]:
    """nginx before a shop that sends every byte itself, as it does with ZIPs."""
    root = settings.PROTECTED_MEDIA_ROOT
    with servers.nginx(var_dir / "small-nginx", small_shop.port, root) as server:
        yield server


def first_served(url: str) -> Answer:
    """The first answer that is not a refusal: a slot that has just been left is free in a moment.

    Long before nginx and gunicorn let go of readers who take nothing, which is after a minute.
    """
    deadline = time.monotonic() + 30
    while (answer := ask(url, Range="bytes=0-9")).status == 503:
        assert time.monotonic() < deadline, "no slot came back"
        time.sleep(0.02)
    return answer


def test_downloads_that_stand_still_leave_threads_for_pages(
    small_shop: Server, bought: Bought
) -> None:
    url = small_shop.url + bought.large_path

    with ExitStack() as crowd:
        answers = [crowd.enter_context(unread(url)) for _ in range(6)]
        page = ask(small_shop.url + "/catalog/")

    assert sorted(answer.status for answer in answers) == [200, 200, 503, 503, 503, 503]
    assert page.status == 200
    refused = [answer for answer in answers if answer.status == 503]
    assert {answer.headers["Retry-After"] for answer in refused} == {"5"}
    assert "no-store" in refused[0].headers["Cache-Control"]


def test_a_download_that_is_left_makes_room(small_shop: Server, bought: Bought) -> None:
    url = small_shop.url + bought.large_path
    with unread(url) as first, unread(url) as second:
        assert (first.status, second.status) == (200, 200)
        assert ask(url, Range="bytes=0-9").status == 503

    answer = first_served(url)

    assert (answer.status, answer.body) == (206, LARGE[:10])


def test_a_refused_reader_is_spoken_to(small_shop: Server, bought: Bought) -> None:
    url = small_shop.url + bought.large_path
    with unread(url), unread(url):
        page = ask(url, Accept="text/html")
        problem = ask(url, Accept="application/json")

    assert (page.status, problem.status) == (503, 503)
    assert "Please try again" in page.body.decode()
    assert b'"downloads_busy"' in problem.body


def test_behind_nginx_a_zip_that_nobody_reads_keeps_no_thread(
    small_front: Server, small_shop: Server, bought: Bought
) -> None:
    """nginx takes all of it off gunicorn's hands: more readers than slots are served."""
    url = small_front.url + bought.archive_path

    with ExitStack() as crowd:
        for _ in range(4):
            first_served(small_shop.url + bought.large_path)
            assert crowd.enter_context(unread(url)).status == 200
        answer = first_served(small_shop.url + bought.large_path)

    assert answer.status == 206


def test_behind_nginx_files_that_nobody_reads_keep_no_thread(
    nginx_shop: Server, bought: Bought
) -> None:
    url = nginx_shop.url + bought.large_path

    with ExitStack() as crowd:
        answers = [
            crowd.enter_context(unread(url, source=f"127.0.2.{number % 4 + 1}"))
            for number in range(40)
        ]
        page = ask(nginx_shop.url + "/catalog/")

    assert {answer.status for answer in answers} == {200}
    assert page.status == 200


def test_behind_nginx_one_address_opens_sixteen_downloads(
    nginx_shop: Server, bought: Bought
) -> None:
    url = nginx_shop.url + bought.large_path

    with ExitStack() as crowd:
        answers = [crowd.enter_context(unread(url, source="127.0.3.1")) for _ in range(17)]
        neighbour = ask(url, Range="bytes=0-9")

    assert [answer.status for answer in answers] == [200] * 16 + [503]
    assert answers[-1].headers["Retry-After"] == "5"
    assert neighbour.status == 206
