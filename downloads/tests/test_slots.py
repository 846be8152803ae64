"""Downloads keep a bounded number of threads busy, whatever becomes of them."""

from __future__ import annotations

import gc
import socket
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import RequestFactory

from downloads import slots
from downloads.slots import NoSlot, Slot, Slots


@pytest.fixture
def quick_turns() -> Iterator[None]:
    """Threads take turns after a few instructions, so that they meet in the middle of things."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


def take_all(some: Slots) -> list[Slot]:
    return list(iter(some.take, None))


def test_no_more_are_given_than_there_are() -> None:
    three = Slots(3)

    held = take_all(three)

    assert len(held) == three.busy == three.limit == 3
    assert three.take() is None
    assert three.busy == 3


def test_a_released_slot_is_given_again() -> None:
    one = Slots(1)
    held = one.take()
    assert held is not None

    held.release()

    assert one.busy == 0
    assert one.take() is not None


def test_a_slot_released_twice_frees_nobody_elses() -> None:
    two = Slots(2)
    first, second = take_all(two)

    first.release()
    first.release()

    assert two.busy == 1
    third = two.take()
    first.release()
    assert two.busy == 2
    assert two.take() is None
    assert second is not third


def test_a_forgotten_slot_comes_back() -> None:
    one = Slots(1)
    held = one.take()
    assert one.take() is None

    del held
    gc.collect()

    assert one.busy == 0


def test_a_slot_forgotten_in_a_circle_comes_back() -> None:
    one = Slots(1)
    circle: dict[str, Any] = {"slot": one.take()}
    circle["circle"] = circle

    del circle
    gc.collect()

    assert one.busy == 0


def test_a_released_slot_that_is_forgotten_later_frees_nobody_elses() -> None:
    one = Slots(1)
    first = one.take()
    assert first is not None
    first.release()
    second = one.take()

    del first
    gc.collect()

    assert one.busy == 1
    assert second is not None


def test_there_is_always_one() -> None:
    none = Slots(0)

    assert none.take() is not None


@pytest.mark.parametrize(
    ("threads", "paid", "public"),
    [(1, 1, 1), (2, 1, 1), (3, 1, 1), (4, 2, 1), (7, 3, 1), (16, 8, 4), (64, 32, 16)],
)
def test_the_shop_gives_half_to_buyers_and_a_quarter_to_listeners(
    settings: Any, threads: int, paid: int, public: int
) -> None:
    settings.WEB_THREADS = threads

    assert (slots.paid.limit, slots.public.limit) == (paid, public)


@pytest.mark.parametrize("threads", range(4, 65))
def test_a_quarter_is_always_left_for_pages(settings: Any, threads: int) -> None:
    settings.WEB_THREADS = threads

    assert threads - slots.paid.limit - slots.public.limit >= threads / 4


def test_a_smaller_limit_takes_nothing_away_and_gives_nothing_more(settings: Any) -> None:
    settings.WEB_THREADS = 8
    limited = Slots(lambda: settings.WEB_THREADS)
    held = take_all(limited)

    settings.WEB_THREADS = 4

    assert limited.busy == 8
    for slot in held[:4]:
        slot.release()
    assert limited.take() is None
    held[4].release()
    assert limited.take() is not None


@pytest.mark.usefixtures("quick_turns")
def test_many_threads_never_hold_more_than_there_are() -> None:
    few, together, refusals = Slots(3), [], []
    start = threading.Barrier(12)

    def come_and_go() -> None:
        start.wait(timeout=30)
        for _ in range(500):
            slot = few.take()
            together.append(few.busy)
            if slot is None:
                refusals.append(1)
            else:
                slot.release()

    threads = [threading.Thread(target=come_and_go) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert max(together) <= 3
    assert few.busy == 0
    assert len(take_all(few)) == 3


@pytest.mark.usefixtures("quick_turns")
def test_one_slot_released_by_many_threads_is_released_once() -> None:
    for _ in range(50):
        two = Slots(2)
        shared, other = take_all(two)
        start = threading.Barrier(4)

        def release(slot: Slot = shared, start: threading.Barrier = start) -> None:
            start.wait(timeout=30)
            slot.release()

        threads = [threading.Thread(target=release) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)

        assert two.busy == 1
        assert other is not None


def test_the_refusal_says_when_to_come_back() -> None:
    refusal = NoSlot()

    assert (refusal.code, refusal.status, refusal.retry_after_s) == ("downloads_busy", 503, 5)
    assert "try again" in refusal.message


@pytest.fixture
def server_socket() -> Iterator[socket.socket]:
    """The server's end of a connection whose reader takes nothing."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()),
        listener.accept()[0] as server,
    ):
        yield server


def request_over(connection: socket.socket) -> HttpRequest:
    return RequestFactory().get("/", **{"gunicorn.socket": connection})


def is_corked(connection: socket.socket) -> bool:
    return bool(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_CORK))


def test_a_reader_who_takes_nothing_is_let_go(
    server_socket: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slots, "STALLED_S", 0.05)

    held = Slots(1).take(request_over(server_socket))

    assert held is not None
    with pytest.raises(TimeoutError):
        server_socket.sendall(bytes(50_000_000))


def test_a_proxy_may_pause(server_socket: socket.socket, settings: Any) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

    held = Slots(1).take(request_over(server_socket))

    assert held is not None
    assert server_socket.gettimeout() is None


@pytest.mark.skipif(sys.platform != "linux", reason="TCP_CORK is Linux's")
def test_packets_are_filled_until_the_slot_is_released(server_socket: socket.socket) -> None:
    held = Slots(1).take(request_over(server_socket))
    assert held is not None
    assert is_corked(server_socket)

    held.release()

    assert not is_corked(server_socket)


def test_a_refused_request_keeps_its_connection_as_it_was(server_socket: socket.socket) -> None:
    one = Slots(1)
    held = one.take()

    assert one.take(request_over(server_socket)) is None

    assert held is not None
    assert server_socket.gettimeout() is None


def test_a_connection_that_is_gone_gives_its_slot_back(server_socket: socket.socket) -> None:
    one = Slots(1)
    held = one.take(request_over(server_socket))
    assert held is not None

    server_socket.close()
    held.release()

    assert one.busy == 0


def test_a_server_that_shows_no_socket_is_left_alone() -> None:
    held = Slots(1).take(RequestFactory().get("/"))

    assert held is not None
    held.release()
