"""The shop in containers, as its operator starts it: bought from, rolled, killed, started again.

Needs docker with Compose (COMPOSE names another command than `docker compose`), and some minutes. Where no
registry can be reached, `deploy/try/base_images` makes stand-ins of Debian's packages.
"""

from __future__ import annotations

import json
import os
import shlex
import socket
import subprocess
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.prove.chaos.shopping import FILE, Buyer, Tally

pytestmark = pytest.mark.prove

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = shlex.split(os.environ.get("COMPOSE", "docker compose"))
IMAGE = "digital-downloads-try"
STOCK = """
import json
from catalog_pages.models import ProductPage
stock = {}
for page in ProductPage.objects.live().filter(price_pennies__gt=0, contents=None)[:6]:
    files = [one.asset.sha256 for track in page.tracks.all() for one in track.files.all()]
    if files:
        stock[str(page.pk)] = files
print(json.dumps(stock))
"""
READY = "import urllib.request as web; print(web.urlopen('http://127.0.0.1:8000/readyz/').read().decode())"


class Shop:
    def __init__(self, port: int, environment: Mapping[str, str]) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.environment = {**os.environ, **environment, "PORT": str(port), "SHOP_IMAGE": IMAGE}

    def compose(self, *words: str, seconds: int = 600) -> str:
        return self.run([*COMPOSE, *words], seconds)

    def run(self, command: list[str], seconds: int = 600) -> str:
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, timeout=seconds, text=True, check=False,
            stdin=subprocess.DEVNULL, capture_output=True,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}: {done.stderr[-2000:]}"
        return done.stdout

    def manage(self, *words: str) -> str:
        return self.compose("exec", "-T", "web", "python", "manage.py", *words)

    def stock(self) -> dict[str, list[str]]:
        stock: dict[str, list[str]] = json.loads(self.manage("shell", "-v", "0", "-c", STOCK))
        assert stock
        return stock

    def buyer(self, number: int, tally: Tally) -> Buyer:
        return Buyer(number, self.url, self.stock(), tally)

    @contextmanager
    def under_load(self, tally: Counter[str]) -> Iterator[None]:
        """Guests look at pages and put something into carts all the while; `tally` by what they were told."""
        product = next(iter(self.stock()))
        ended = threading.Event()

        def look() -> None:
            while not ended.is_set():
                tally[_told("GET", f"{self.url}/catalog/")] += 1
                tally[_told("POST", f"{self.url}/cart/add/", {"product": product})] += 1
                time.sleep(0.1)  # below what the proxy lets one address ask

        threads = [threading.Thread(target=look) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            ended.set()
            for thread in threads:
                thread.join()


def _told(method: str, url: str, data: Mapping[str, str] | None = None) -> str:
    headers = {"Sec-Fetch-Site": "same-origin"}
    try:
        answer = requests.request(
            method, url, data=data, headers=headers, allow_redirects=False, timeout=30
        )
    except requests.RequestException as error:
        return f"{method} {type(error).__name__}"
    return f"{method} {answer.status_code}"


@pytest.fixture(scope="module", autouse=True)
def image() -> None:
    try:
        subprocess.run([*COMPOSE, "version"], check=True, capture_output=True)
        subprocess.run(["docker", "info"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs docker with Compose, and a daemon that answers")
    subprocess.run([str(ROOT / "deploy/try/base_images")], check=True)
    subprocess.run(
        ["docker", "build", "--quiet", "--network", "host", "--tag", IMAGE, "."],
        cwd=ROOT, env={**os.environ, "DOCKER_BUILDKIT": "1"}, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.fixture
def start() -> Iterator[Any]:
    """Starts a shop of its own, from nothing; everything of it is gone afterwards."""
    started: list[Shop] = []

    def begin(**environment: str) -> Shop:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        with socket.create_server(("127.0.0.1", 0)) as probe:
            tls_port = probe.getsockname()[1]
        own = {"COMPOSE_PROJECT_NAME": f"try{uuid.uuid4().hex[:8]}", "TLS_PORT": str(tls_port)}
        values = {name: text.replace("{port}", str(port)) for name, text in environment.items()}
        shop = Shop(port, {**own, **values})
        started.append(shop)
        begun = time.monotonic()
        shop.compose("up", "--detach", "--wait")
        print(f"\nA shop was open after {time.monotonic() - begun:.0f} s.")
        shop.manage("seed_demo", "--no-progress")
        return shop

    yield begin
    for shop in started:
        shop.compose("down", "--volumes", "--timeout", "5")


def bought(shop: Shop, number: int) -> tuple[Buyer, str]:
    """Somebody who paid and has every file, and the landing page."""
    tally = Tally()
    buyer = shop.buyer(number, tally)
    wanted = sorted(buyer.stock)[:2]
    page = buyer.land(buyer.pay(wanted))
    buyer.fetch_all(page, {sha for product in wanted for sha in buyer.stock[product]})
    return buyer, page


def test_a_small_shop_in_earnest(start: Any) -> None:
    shop = start()

    for path, status in (("/", 200), ("/healthz/", 200), ("/readyz/", 404), ("/metrics/", 404)):
        assert requests.get(shop.url + path, timeout=30).status_code == status, path
    assert "database: ok" in shop.compose("exec", "-T", "web", "python", "-c", READY)

    buyer, page = bought(shop, 1)
    link = FILE.findall(page)[0].replace("&amp;", "&")
    whole = buyer.ask("file", "GET", link)
    part = buyer.ask("file", "GET", link, headers={"Range": "bytes=100-199"})
    assert (whole.status_code, part.status_code) == (200, 206)
    assert part.content == whole.content[100:200]

    shop.manage("backup", "/backups", "--keep", "3")
    assert "whole" in shop.manage("restore", "/backups", "--check")
    logged = shop.compose("logs", "proxy")
    assert "/downloads/" in logged
    assert "127.0.0.1 " not in logged

    told: Counter[str] = Counter()
    with shop.under_load(told):
        shop.run([str(ROOT / "bin/roll")])
    print("Rolled meanwhile:", dict(told))
    assert set(told) <= {"GET 200", "POST 303"}

    told.clear()
    with shop.under_load(told):
        victim = shop.compose("ps", "--quiet", "web").split()[0]
        shop.run(["docker", "kill", victim])
        while told.total() < 300:
            time.sleep(0.1)
    print("A replica was killed meanwhile:", dict(told))
    assert {text for text in told if text.startswith("GET")} == {"GET 200"}

    shop.compose("down", "--timeout", "20")
    shop.compose("up", "--detach", "--wait")
    assert buyer.ask("file", "GET", link).content == whole.content, "neither key nor data were kept"


def test_paid_files_in_a_bucket_beside_it(start: Any) -> None:
    lines = (ROOT / "deploy/s3.env").read_text().splitlines()
    named = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))

    shop = start(**{**named, "AWS_S3_PUBLIC_URL": "http://127.0.0.1:{port}"})

    bought(shop, 1)
