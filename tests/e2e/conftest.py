"""A real Chromium against a real server of this process; skipped, with the reason, where there is none."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from catalog_pages.assets import asset_store
from catalog_pages.excerpts import ensure_excerpts
from catalog_pages.models import ProductPage
from catalog_pages.tests.sample_audio import write_tone
from orders.stripe_sandbox import worker
from orders.stripe_sandbox.models import SandboxDelivery
from tests.factories import make_product

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--autoplay-policy=no-user-gesture-required",
]  # fmt: skip
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
ContextMaker = Callable[..., BrowserContext]


def wait_until(page: Page, expression: str, *, seconds: int = 15) -> None:
    """Until a JavaScript expression is true. Playwright's own waiting evaluates text inside the page,
    which our policy forbids."""
    for _ in range(seconds * 10):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"Never became true: {expression}")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("needs Chromium: apt-get install --no-install-recommends chromium")
    # Playwright's loop runs in this thread; Django would take our own queries for misuse of it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def shop_url(live_server: Any, settings: Any) -> Iterator[str]:
    """The server's address, told to everything that builds links; events travel by themselves.

    Nothing is under way any more when it ends: emptying the tables would meet it there.
    """
    settings.SITE_BASE_URL = live_server.url
    settings.STRIPE_SANDBOX_DELIVERY = "thread"
    yield live_server.url
    assert not _still_at_work(seconds=30)


def _still_at_work(*, seconds: int) -> list[str]:
    """The threads that answer requests or deliver events and have not ended after so long."""
    pending = SandboxDelivery.objects.filter(status=SandboxDelivery.Status.PENDING)
    for _ in range(seconds * 10):
        names = [thread.name for thread in threading.enumerate()]
        busy = [name for name in names if "process_request_thread" in name or "sandbox" in name]
        if not busy:
            break
        if pending.update(status=SandboxDelivery.Status.DROPPED):
            worker.wake()  # the courier ends when it finds nothing more to wait for
        time.sleep(0.1)
    return busy


@pytest.fixture
def new_context(chromium: Browser, shop_url: str, tmp_path: Path) -> Iterator[ContextMaker]:
    """Browser profiles of separate people; whatever they leave in the console fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def make(*, size: dict[str, int] = PHONE, **options: Any) -> BrowserContext:
        context = chromium.new_context(
            base_url=shop_url,
            viewport=size,
            accept_downloads=True,
            has_touch=size is PHONE,
            **options,
        )
        context.set_default_timeout(15_000)
        context.on(
            "console",
            lambda message: complaints.append(message.text) if message.type == "error" else None,
        )
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()
    # A 404 that the test asked for is reported by the browser as well.
    serious = [text for text in complaints if "status of 4" not in text]
    assert serious == []


@pytest.fixture
def product(shop_url: str, tmp_path: Path) -> ProductPage:
    """“Harbour”: £4.99, one track of 45 seconds that can be listened to."""
    source = tmp_path / "Harbour.flac"
    write_tone(source, seconds=45)
    asset = asset_store(source=source, file_name="Harbour – first light.flac").asset
    page = make_product("Harbour", price_pennies=499, assets=[asset])
    ensure_excerpts(page)
    return page


# With an icon of its own, so that no browser asks for one when the test has ended.
PAGE = (
    b'<!doctype html><title>Back</title><link rel="icon" href="data:,"><p>You can close this page.'
)


@pytest.fixture
def receiver() -> Iterator[tuple[str, Queue[dict[str, str]]]]:
    """What a program on a computer opens to be come back to: a port of its own, and what arrived there."""
    arrived: Queue[dict[str, str]] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/done":
                arrived.put({name: values[0] for name, values in parse_qs(parts.query).items()})
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(PAGE)))
            self.end_headers()
            self.wfile.write(PAGE)

        def log_message(self, *args: Any) -> None:
            """Tests are quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/done", arrived
    server.shutdown()
    thread.join()
    server.server_close()
