"""A guest's whole purchase, from the front door to the files; tests say how it is walked, and look on.

No test is in here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.e2e.hands import Hand

BUYER = "ada@example.com"
# Told where the buyer stands, and what leads on from there.
Look = Callable[[str, Locator], None]


def buy_as_a_guest(page: Page, hand: Hand, look: Look = lambda place, action: None) -> None:
    """Buys “Harbour” for £4.99 and ends where its files are."""

    def go_on(place: str, action: Locator) -> None:
        expect(action).to_be_visible()
        look(place, action)
        hand.press(action)

    page.goto("/")
    main = page.get_by_role("main")
    go_on("home", main.get_by_role("link", name="Browse the catalogue"))
    expect(main.get_by_role("heading", level=1)).to_have_text("Catalogue")
    go_on("catalogue", main.get_by_role("link", name=re.compile("Harbour")).first)
    expect(main.get_by_role("heading", level=1)).to_have_text("Harbour")
    go_on("product", shown(page, "button", "Add to cart"))
    open_the_cart(page, hand)
    hand.write(page.get_by_role("textbox", name="Email address", exact=True), BUYER)
    hand.tick(page.get_by_role("checkbox", name=re.compile("Deliver now")))
    go_on("cart", shown(page, "button", "Pay £4.99"))
    expect(page.get_by_role("heading", name="Test payment")).to_be_visible()
    go_on("payment", page.get_by_role("button", name="Pay £4.99"))
    # By a look of the page's own, with a script or without.
    expect(page.get_by_role("heading", level=1)).to_contain_text("Your files are ready")
    look("files", the_file(page))


def open_the_cart(page: Page, hand: Hand) -> None:
    """After “Add to cart”, which shows the cart itself, or with a script what is in it and the way there."""
    cart = page.get_by_role("main").get_by_role("heading", name="Cart", exact=True)
    way = page.get_by_role("dialog").get_by_role("link", name="Go to cart")
    expect(cart.or_(way)).to_be_visible()
    if way.is_visible():
        hand.press(way)
    expect(cart).to_be_visible()


def shown(page: Page, role: str, name: str) -> Locator:
    """The first that is to be seen: what a phone has at its foot, a wide window has beside the picture."""
    return page.get_by_role(role, name=re.compile(name)).locator("visible=true").first  # type: ignore[arg-type]


def the_file(page: Page) -> Locator:
    return page.get_by_role("link", name=re.compile("Download FLAC")).first


def fetched(page: Page, hand: Hand) -> str:
    """The SHA-256 of the file once it has wholly arrived."""
    with page.expect_download() as waiting:
        hand.press(the_file(page))
    assert waiting.value.failure() is None
    return hashlib.sha256(Path(waiting.value.path()).read_bytes()).hexdigest()
