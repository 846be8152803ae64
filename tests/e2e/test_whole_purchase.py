"""The whole purchase on the narrowest screen, magnified, without JavaScript, and by keys alone."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, Page

from catalog_pages.models import ProductPage
from orders.models import Order
from tests.e2e.conftest import DESKTOP, ContextMaker
from tests.e2e.hands import Keys, Pointer
from tests.e2e.purchase_walk import buy_as_a_guest, fetched

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NARROW: dict[str, Any] = {"size": {"width": 320, "height": 640}}
# What a browser makes of its zoom: fewer pixels of CSS, and more of the screen for each of them.
TWICE: dict[str, Any] = {"size": {"width": 640, "height": 450}, "device_scale_factor": 2}
FOUR_TIMES: dict[str, Any] = {"size": {"width": 320, "height": 256}, "device_scale_factor": 4}
NO_SCRIPT: dict[str, Any] = {"java_script_enabled": False}
WINDOWS = {
    "320 px": NARROW,
    "200 % zoom": TWICE,
    "without JavaScript": {"size": DESKTOP, **NO_SCRIPT},
    "400 % zoom": FOUR_TIMES,
    "320 px, without JavaScript": NARROW | NO_SCRIPT,
    "200 % zoom, without JavaScript": TWICE | NO_SCRIPT,
}
WIDTHS = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"


@pytest.fixture
def sha256(product: ProductPage) -> str:
    return product.tracks.first().files.first().asset.sha256


@pytest.mark.sampled(2)
@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS.keys())
def test_a_guest_buys_and_fetches(
    new_context: ContextMaker, sha256: str, window: dict[str, Any]
) -> None:
    page = new_context(**window).new_page()
    seen: list[str] = []

    def look(place: str, action: Locator) -> None:
        fits(page, place)
        # Nothing lies over it, and it takes a click where it is scrolled to.
        action.click(trial=True)
        fits(page, place)
        seen.append(place)

    buy_as_a_guest(page, Pointer(), look)

    assert seen == ["home", "catalogue", "product", "cart", "payment", "files"]
    assert fetched(page, Pointer()) == sha256
    assert Order.objects.get().status == "paid"


def fits(page: Page, place: str) -> None:
    content, screen = page.evaluate(WIDTHS)
    assert content <= screen, f"{place} is {content} px wide on a screen of {screen}"


@pytest.mark.sampled(2)
@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_guest_buys_and_fetches_by_keys_alone(
    new_context: ContextMaker, sha256: str, javascript: bool
) -> None:
    page = new_context(size=DESKTOP, java_script_enabled=javascript).new_page()
    keys = Keys(page)

    buy_as_a_guest(page, keys)

    assert fetched(page, keys) == sha256
    assert Order.objects.get().status == "paid"
