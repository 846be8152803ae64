"""A buyer: cart, checkout, payment at the sandbox, landing page, files. Presses again what failed."""

from __future__ import annotations

import hashlib
import html
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import requests
from requests.adapters import HTTPAdapter

PATIENCE_S = 300.0  # for one purchase, from the cart to the last byte
PAUSE_S = 0.5
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')
CONSENT = re.compile(r'name="consent_version"\s+value="([^"]*)"')
STATE = re.compile(r'data-state="(\w+)"')
AGAIN = re.compile(r'hx-get="(/checkout/state/[^"?]+)')
FILE = re.compile(r'href="(/downloads/[0-9a-f-]{36}/[0-9a-f-]{36}/\?[^"]+)"')
SESSION = re.compile(r"cs_test_\w+")


class GaveUp(Exception):
    """What the buyer was waiting for when patience ended."""


@dataclass
class Tally:
    """What all buyers saw; filled by many threads."""

    fetched: list[str] = field(default_factory=list)  # sessions whose every file is there
    paid: list[str] = field(default_factory=list)  # sessions that the sandbox said are paid
    trouble: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def note(self, what: str) -> None:
        with self.lock:
            self.trouble[what] += 1


class _From(HTTPAdapter):
    """Connections from an address of one's own: limits count by it. Loopback has sixteen million."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, source_address=(self._address, 0), **kwargs)


class Buyer:
    def __init__(
        self, number: int, url: str, stock: Mapping[str, Sequence[str]], tally: Tally
    ) -> None:
        self.number, self.url, self.stock, self.tally = number, url, stock, tally
        self.dice = random.Random(number)
        self.address = f"127.{1 + number // 62_500}.{number // 250 % 250}.{1 + number % 250}"
        self.until = time.monotonic() + PATIENCE_S
        self.step = ""
        self.browser = requests.Session()
        self.browser.trust_env = False
        self.browser.mount("http://", _From(self.address))

    def buy(self) -> None:
        wanted = self.dice.sample(sorted(self.stock), k=self.dice.randint(1, 3))
        try:
            session = self.pay(wanted)
            page = self.land(session)
            self.fetch_all(page, {sha for product in wanted for sha in self.stock[product]})
        except GaveUp as error:
            with self.tally.lock:
                self.tally.failures.append(f"buyer {self.number}: {error}")
        else:
            with self.tally.lock:
                self.tally.fetched.append(session)
        finally:
            self.browser.close()

    def pay(self, wanted: Sequence[str]) -> str:
        """The sandbox's session, once it is paid."""
        while True:
            pay_url = self.check_out(wanted)
            found = SESSION.search(pay_url)
            if found and self.press_pay(pay_url):
                with self.tally.lock:
                    self.tally.paid.append(found[0])
                return found[0]
            self.pause("payment page")

    def check_out(self, wanted: Sequence[str]) -> str:
        while True:
            for product in wanted:
                self.ask(
                    "add", "POST", "/cart/add/", data={"product": product},
                    headers={"Sec-Fetch-Site": "same-origin"},
                )  # fmt: skip
            cart = self.ask("cart", "GET", "/cart/").text
            token, consent = TOKEN.search(cart), CONSENT.search(cart)
            if token is None or consent is None:
                self.pause("no checkout on the cart's page")
                continue
            form = {
                "csrfmiddlewaretoken": token[1], "consent_version": html.unescape(consent[1]),
                "consent": "on", "email": f"buyer{self.number}@example.com",
            }  # fmt: skip
            answer = self.ask("check out", "POST", "/checkout/start/", data=form)
            if answer.status_code == 303:
                return answer.headers["Location"]
            self.pause(f"checkout answered {answer.status_code}")

    def press_pay(self, pay_url: str) -> bool:
        """Whether the sandbox says that it is paid."""
        page = self.ask("payment page", "GET", pay_url)
        token = TOKEN.search(page.text)
        if token is not None:
            form = {"csrfmiddlewaretoken": token[1], "outcome": "pay"}
            answer = self.ask("pay", "POST", pay_url, data=form, once=True)
            if answer is not None and "/checkout/success/" in answer.headers.get("Location", ""):
                return True
        # No answer, or no form any more: whether it was paid, the same button tells.
        page = self.ask("payment page", "GET", pay_url)
        return page.status_code == 200 and 'value="pay"' not in page.text

    def land(self, session: str) -> str:
        """The landing page as soon as it has the files; it asks again by itself, as htmx does."""
        page = self.ask("landing", "GET", f"/checkout/success/?session_id={session}").text
        looks = 0
        while (state := STATE.search(page)) is None or state[1] != "paid":
            looks += 1
            self.pause(f"landing: {state[1] if state else 'no state'}")
            again = AGAIN.search(page)
            address = (
                f"{again[1]}?looks={looks}" if again else f"/checkout/success/?session_id={session}"
            )
            page = self.ask("landing", "GET", address).text
        return page

    def fetch_all(self, page: str, expected: set[str]) -> None:
        links = {html.unescape(found) for found in FILE.findall(page)}
        found = {self.fetch(link) for link in sorted(links)}
        if found != expected:
            raise GaveUp(f"wrong files: {len(found)} of {len(expected)}, {len(links)} links")

    def fetch(self, link: str) -> str:
        """The file's SHA-256, wherever it comes from."""
        while True:
            answer = self.ask("link", "GET", link)
            if answer.status_code == 302:
                answer = self.ask("file", "GET", answer.headers["Location"], once=True)
            if answer is not None and answer.status_code == 200:
                return hashlib.sha256(answer.content).hexdigest()
            self.pause(f"file answered {answer.status_code if answer is not None else 'nothing'}")

    def ask(self, step: str, method: str, address: str, *, once: bool = False, **more: Any) -> Any:
        """The answer, whatever it took; None if `once` and there was none. Redirects are not followed."""
        self.step = step
        url = address if address.startswith("http") else self.url + address
        while True:
            try:
                answer = self.browser.request(
                    method, url, allow_redirects=False, timeout=20, **more
                )
            except requests.RequestException as error:
                trouble = type(error).__name__
            else:
                if answer.status_code < 500:
                    return answer
                trouble = str(answer.status_code)
            if once:
                self.tally.note(f"{step}: {trouble}")
                return None
            self.pause(f"{step}: {trouble}")

    def pause(self, why: str) -> None:
        self.tally.note(why)
        if time.monotonic() > self.until:
            raise GaveUp(f"at {self.step}: {why}")
        time.sleep(PAUSE_S)


def crowd(
    size: int, purchases: int, make: Callable[[int], Buyer]
) -> tuple[list[threading.Thread], threading.Event]:
    """So many buyers at a time, until so many have shopped; the event ends it earlier."""
    numbers, lock, stop = iter(range(purchases)), threading.Lock(), threading.Event()

    def shop() -> None:
        while not stop.is_set():
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            make(number).buy()

    threads = [threading.Thread(target=shop, daemon=True) for _ in range(size)]
    for thread in threads:
        thread.start()
    return threads, stop
