"""No request of a browser leaves the shop's origin, but the redirect to Stripe's payment page.

`SHOTS=folder` keeps the recorded session there as `guest.har`, which any browser's developer tools open.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from catalog_pages.models import ProductPage
from orders.form_targets import form_target
from orders.models import Order
from orders.stripe_sandbox.transport import SandboxTransport
from orders.tests.wire import through
from tests.e2e.conftest import DESKTOP, ContextMaker, wait_until
from tests.e2e.hands import Pointer
from tests.e2e.purchase_walk import BUYER, buy_as_a_guest, fetched, open_the_cart, shown
from tests.e2e.test_listening import PLAYS
from tests.e2e.test_shopping import sign_up

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

INSIDE = ("data", "blob", "about")  # schemes of what is in the page already
# What opens a connection without a request that could be recorded.
HINTS = "document.querySelectorAll('link[rel~=preconnect], link[rel~=dns-prefetch]').length"


@pytest.fixture
def har(tmp_path: Path) -> Path:
    return Path(os.environ.get("SHOTS") or tmp_path) / "guest.har"


def recorded(context: BrowserContext) -> list[str]:
    """Addresses of all that the browser asks for from now on: pages, their parts, what scripts, workers,
    beacons and preloading ask for, and sockets."""
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    context.on(
        "page",
        lambda page: page.on("websocket", lambda socket: asked.append(socket.url)),
    )
    return asked


def elsewhere(addresses: list[str], shop_url: str) -> list[str]:
    outside = [address for address in addresses if urlsplit(address).scheme not in INSIDE]
    return [address for address in outside if form_target(address) != shop_url]


def test_a_whole_visit_stays_with_us(
    new_context: ContextMaker, product: ProductPage, shop_url: str, har: Path
) -> None:
    context = new_context(size=DESKTOP, record_har_path=har, record_har_content="omit")
    asked = recorded(context)
    page = context.new_page()

    look_around(page, product)
    buy_as_a_guest(page, Pointer(), lambda place, action: no_hints(page))
    fetched(page, Pointer())
    page.goto(Order.objects.get().get_absolute_url(), wait_until="networkidle")
    sign_up(page, BUYER)
    for address in ("/purchases/", "/orders/", "/accounts/profile/", "/accounts/email/"):
        page.goto(address, wait_until="networkidle")
        no_hints(page)
    workers = context.service_workers
    context.close()

    session = json.loads(har.read_text())["log"]["entries"]
    kept = [entry["request"]["url"] for entry in session]
    assert elsewhere(asked, shop_url) == elsewhere(kept, shop_url) == []
    assert workers == []
    for part in (
        "/fragments/search/",
        "/media/excerpts/",
        "/cart/add/",
        "/checkout/",
        "/sandbox/pay/",
    ):
        assert any(part in address for address in kept), f"{part} is not in the recording"


def look_around(page: Page, product: ProductPage) -> None:
    """Home, suggestions, a search, an excerpt."""
    page.goto("/", wait_until="networkidle")
    page.get_by_role("link", name="Browse the catalogue").click()
    field = page.get_by_role("searchbox")
    with page.expect_response(re.compile("/fragments/search/")):
        field.press_sequentially("harb")
    field.press("Enter")
    expect(page.get_by_role("main")).to_contain_text("for “harb”")
    page.goto(product.url, wait_until="networkidle")
    shown(page, "button", "Play").click()
    wait_until(page, PLAYS)
    shown(page, "button", "Pause").click()


def no_hints(page: Page) -> None:
    assert page.evaluate(HINTS) == 0


# --- With Stripe's own keys ------------------------------------------------------------------------


class WithKeys(SandboxTransport):
    """Stripe as a shop with keys knows it: its payment page stands at another origin than the shop."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address

    def request(self, *args: Any, **kwargs: Any) -> Any:
        body, status, headers = super().request(*args, **kwargs)
        answer = json.loads(body)
        if answer.get("object") == "checkout.session":
            answer["url"] = self.address
        return json.dumps(answer), status, headers


@pytest.fixture
def payment_page(receiver: tuple[str, Queue[dict[str, str]]]) -> Iterator[str]:
    """An origin of its own on this machine, where checkout.stripe.com would be."""
    address, _ = receiver
    with through(WithKeys(f"{address}?session=cs_test_a1B2c3")) as stripe:
        yield stripe.address


def press_pay(page: Page, product: ProductPage) -> None:
    page.goto(product.url)
    shown(page, "button", "Add to cart").click()
    open_the_cart(page, Pointer())
    page.get_by_role("textbox", name="Email address", exact=True).fill(BUYER)
    page.get_by_role("checkbox", name=re.compile("Deliver now")).check()
    shown(page, "button", "Pay £4.99").click()


def test_with_keys_the_redirect_to_the_payment_page_is_the_one_request_that_leaves(
    new_context: ContextMaker, product: ProductPage, payment_page: str, shop_url: str, settings: Any
) -> None:
    policy = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    targets = ["'self'", form_target(payment_page)]  # as `settings.base` names Stripe's with keys
    settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": {**policy, "form-action": targets}}
    context = new_context(size=DESKTOP)
    requests: list[Request] = []

    def note(request: Request) -> None:
        requests.append(request)

    context.on("request", note)
    page = context.new_page()

    press_pay(page, product)

    expect(page).to_have_title("Back")
    (left,) = (request for request in requests if elsewhere([request.url], shop_url))
    assert (left.url, left.method, left.post_data) == (payment_page, "GET", None)
    assert left.is_navigation_request()
    assert left.frame == page.main_frame
    came_by = left.redirected_from
    assert came_by is not None
    assert (came_by.method, urlsplit(came_by.url).path) == ("POST", "/checkout/start/")
    assert "referer" not in left.all_headers()


def test_a_redirect_to_where_the_policy_does_not_lead_is_not_followed(
    chromium: Browser,
    product: ProductPage,
    payment_page: str,
    shop_url: str,
    receiver: tuple[str, Queue[dict[str, str]]],
) -> None:
    """So what the policy of a page names is all that its forms can reach."""
    context = chromium.new_context(base_url=shop_url, viewport=DESKTOP)  # its complaint is meant
    page = context.new_page()

    with page.expect_console_message(lambda message: "form-action" in message.text):
        press_pay(page, product)

    page.goto("/cart/")
    assert receiver[1].empty()
    context.close()
