"""Told to end, a web process lets nobody down: real servers, real connections, real signals."""

from __future__ import annotations

import hashlib
import http.client
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.delivery.asking import ask
from tests.delivery.conftest import LARGE, Bought
from tests.servers import Server, gunicorn, shop_environment

PATIENCE_S = 30.0


@contextmanager
def a_shop(var_dir: Path, *, limit_s: int = 60, workers: int = 1, **more: str) -> Iterator[Server]:
    environment = shop_environment(var_dir / "ending", **more)
    # Kept connections live longer than gunicorn's two seconds, which a busy machine takes for one request.
    options = ["--graceful-timeout", str(limit_s), "--keep-alive", "60"]
    with gunicorn(environment, threads=4, workers=workers, options=options) as server:
        yield server


@contextmanager
def a_line(shop: Server) -> Iterator[http.client.HTTPConnection]:
    with closing(http.client.HTTPConnection("127.0.0.1", shop.port, timeout=PATIENCE_S)) as line:
        yield line


def begun(line: http.client.HTTPConnection, path: str, **headers: str) -> http.client.HTTPResponse:
    """An answer whose head is here; the rest fills the buffers on its way and waits to be read."""
    line.request("GET", path, headers=headers)
    return line.getresponse()


def refuses(shop: Server) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", shop.port), timeout=5):
            return False
    except ConnectionRefusedError:
        return True


def wait_until(fact: object, seconds: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + seconds
    while not fact():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_gone(shop: Server) -> bool:
    """Ended, though its parent, which is us, has not looked yet."""
    status = Path(f"/proc/{shop.pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z"


def what_still_comes(answer: http.client.HTTPResponse) -> bytes:
    """Of an answer that was cut off: what had left before."""
    blocks = []
    try:
        while block := answer.read1(1_000_000):
            blocks.append(block)
    except (http.client.IncompleteRead, ConnectionError):
        pass
    return b"".join(blocks)


@contextmanager
def caught_in_the_act(shop: Server) -> Iterator[None]:
    """What happens inside, the worker finds together with the signal that ends it."""
    (worker,) = shop.workers
    os.kill(worker, signal.SIGSTOP)
    yield
    os.kill(worker, signal.SIGTERM)
    os.kill(shop.pid, signal.SIGTERM)
    os.kill(worker, signal.SIGCONT)


def test_a_download_under_way_is_finished_and_nobody_else_is_let_in(
    bought: Bought, var_dir: Path
) -> None:
    with a_shop(var_dir) as shop, a_line(shop) as whole, a_line(shop) as part:
        wholly = begun(whole, bought.large_path)
        partly = begun(part, bought.large_path, Range="bytes=1000000-")

        os.kill(shop.pid, signal.SIGTERM)
        wait_until(lambda: refuses(shop))

        assert hashlib.sha256(wholly.read()).digest() == hashlib.sha256(LARGE).digest()
        assert (partly.status, partly.read()) == (206, LARGE[1_000_000:])
        wait_until(lambda: is_gone(shop))


def test_a_zip_under_way_is_finished(bought: Bought, var_dir: Path) -> None:
    with a_shop(var_dir) as shop, a_line(shop) as line:
        archive = begun(line, bought.archive_path)
        announced = int(archive.headers["Content-Length"])

        os.kill(shop.pid, signal.SIGTERM)
        wait_until(lambda: refuses(shop))

        assert len(archive.read()) == announced > len(LARGE)


def test_at_the_limit_a_download_is_cut_and_goes_on_elsewhere(
    bought: Bought, var_dir: Path
) -> None:
    with a_shop(var_dir, limit_s=5) as shop, a_line(shop) as line:
        answer = begun(line, bought.large_path)
        first = answer.read(100_000)
        told_at = time.monotonic()
        os.kill(shop.pid, signal.SIGTERM)
        wait_until(lambda: is_gone(shop))
        took_s = time.monotonic() - told_at
        first += what_still_comes(answer)
    assert took_s < 30  # a little more than five on an idle machine
    assert 0 < len(first) < len(LARGE)

    with a_shop(var_dir) as again:
        rest = ask(again.url + bought.large_path, Range=f"bytes={len(first)}-")

    assert (rest.status, first + rest.body == LARGE) == (206, True)


def test_a_request_on_a_kept_connection_is_answered_and_told_that_it_ends(
    bought: Bought, var_dir: Path
) -> None:
    with a_shop(var_dir) as shop, a_line(shop) as line, a_line(shop) as other:
        for kept in (line, other):
            assert begun(kept, "/healthz/").read() == b"ok\n"

        with caught_in_the_act(shop):
            line.request("GET", "/catalog/")
            other.request("GET", "/readyz/")
        page, probe = line.getresponse(), other.getresponse()

        assert (page.status, page.headers["Connection"]) == (200, "close")
        assert page.read()
        assert (probe.status, probe.read()) == (503, b"ending\n")


def test_whoever_has_connected_is_still_let_in(bought: Bought, var_dir: Path) -> None:
    with a_shop(var_dir) as shop, a_line(shop) as late:
        with caught_in_the_act(shop):
            late.request("GET", "/healthz/")  # the kernel takes the connection, and nobody reads it

        answer = late.getresponse()

        assert (answer.status, answer.read()) == (200, b"ok\n")


def test_with_notice_everything_goes_on_and_balancers_are_told(
    bought: Bought, var_dir: Path
) -> None:
    with a_shop(var_dir, SHUTDOWN_NOTICE_SECONDS="4") as shop:
        os.kill(shop.pid, signal.SIGTERM)
        wait_until(lambda: ask(shop.url + "/readyz/").status == 503, 3)

        assert ask(shop.url + "/catalog/").status == 200
        wait_until(lambda: refuses(shop))
        wait_until(lambda: is_gone(shop))


def test_two_processes_that_restart_one_by_one_lose_no_request(
    bought: Bought, var_dir: Path
) -> None:
    """HUP: gunicorn starts new workers and ends the old ones, while requests keep coming."""
    with a_shop(var_dir, workers=2) as shop:
        before = set(shop.workers)
        os.kill(shop.pid, signal.SIGHUP)
        deadline, answers = time.monotonic() + 60, []
        while set(shop.workers) & before:
            assert time.monotonic() < deadline
            answers.append(ask(shop.url + "/healthz/").status)
            answers.append(ask(shop.url + bought.path, Range="bytes=0-9").status)

    assert set(answers) == {200, 206}
