"""The cart beside the page: putting in and taking out leaves the page and the music as they are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Locator, Page, Route, expect

from catalog_pages.assets import asset_store
from catalog_pages.excerpts import ensure_excerpts
from catalog_pages.models import Artist, ProductPage
from catalog_pages.tests.sample_audio import write_tone
from orders.models import CartItem
from tests.e2e.conftest import DESKTOP, ContextMaker, wait_until
from tests.e2e.test_listening import AUDIO, IS_MARKED, MARK, PLAYS
from tests.factories import PASSWORD, buy, make_product, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
HAS_FOCUS = "document.querySelector('#cart-drawer').contains(document.activeElement)"


@pytest.fixture
def product(shop_url: str, tmp_path: Path) -> ProductPage:
    source = tmp_path / "Harbour.flac"
    write_tone(source, seconds=20)
    asset = asset_store(source=source, file_name="Harbour.flac").asset
    artist = Artist.objects.create(name="Low Tide")
    page = make_product("Harbour", price_pennies=499, assets=[asset], artist=artist)
    ensure_excerpts(page)
    return page


def drawer_of(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Your cart")


def press(page: Page, words: str = "Add to cart") -> None:
    page.get_by_role("button", name=words).locator("visible=true").first.click()


def count(page: Page) -> Locator:
    return page.locator("#cart-count [aria-hidden]")


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.textContent")).strip()


def test_a_product_goes_in_on_a_phone_and_the_music_plays_on(
    new_context: ContextMaker, product: ProductPage
) -> None:
    page = new_context().new_page()
    page.goto(product.url)
    page.locator("[data-play]").first.click()
    wait_until(page, PLAYS)
    page.evaluate(MARK)

    press(page)

    drawer = drawer_of(page)
    expect(drawer).to_contain_text("Harbour")
    expect(drawer).to_contain_text("Low Tide")
    expect(drawer.locator(".sums-total").last).to_have_text("£4.99")
    expect(drawer.get_by_role("status")).to_have_text("“Harbour” is in your cart.")
    assert page.evaluate(HAS_FOCUS)
    expect(count(page)).to_have_text("1")
    scrolled = page.evaluate("window.scrollY")
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    assert page.evaluate("window.scrollY") == scrolled
    # The pressed button made way for this one.
    expect(page.locator("#buy-bar").get_by_text("Add to cart")).to_be_hidden()
    assert focused(page) == "Open cart"
    assert page.evaluate(IS_MARKED)
    assert page.evaluate(f"!{AUDIO}.paused")
    assert CartItem.objects.get().quantity == 1


def test_what_is_taken_out_in_the_drawer_can_be_put_in_again(
    new_context: ContextMaker, product: ProductPage
) -> None:
    page = new_context(size=DESKTOP).new_page()
    page.goto(product.url)
    page.evaluate(MARK)
    press(page)
    drawer = drawer_of(page)

    drawer.get_by_role("button", name="Remove Harbour").click()

    expect(drawer).to_contain_text("There is nothing in your cart yet.")
    expect(drawer.get_by_role("status")).to_have_text("Removed from your cart.")
    assert page.evaluate(HAS_FOCUS)
    expect(count(page)).to_have_count(0)
    drawer.get_by_role("button", name="Keep listening").click()
    expect(drawer).to_be_hidden()
    add = page.locator("#buy-box").get_by_role("button", name="Add to cart")
    expect(add).to_be_visible()
    expect(add).to_be_focused()
    press(page, "Buy as a gift")
    expect(drawer).to_contain_text("As a gift")
    page.mouse.click(10, 10)  # beside the sheet
    expect(drawer).to_be_hidden()
    expect(page.locator("#buy-box").get_by_role("button", name="Buy as a gift")).to_be_focused()
    assert page.evaluate(IS_MARKED)


def test_everything_is_reached_by_keys(new_context: ContextMaker, product: ProductPage) -> None:
    page = new_context(size=DESKTOP).new_page()
    page.goto(product.url)
    page.locator("#buy-box").get_by_role("button", name="Add to cart").focus()

    page.keyboard.press("Enter")

    drawer = drawer_of(page)
    expect(drawer).to_contain_text("Harbour")
    names = []
    for _ in range(5):
        page.keyboard.press("Tab")
        names.append(page.evaluate("document.activeElement.ariaLabel") or focused(page))
    assert names == ["Close the cart", "Harbour", "Remove Harbour", "Go to cart", "Keep listening"]
    page.keyboard.press("Enter")
    expect(drawer).to_be_hidden()
    expect(page.get_by_role("link", name="Open cart")).to_be_focused()
    page.keyboard.press("Enter")
    expect(drawer).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Open cart")).to_be_focused()
    page.keyboard.press("Enter")
    drawer.get_by_role("link", name="Go to cart").press("Enter")
    expect(page).to_have_url(re.compile("/cart/$"))
    expect(drawer).to_be_hidden()
    assert page.evaluate("document.activeElement.id") == "content"
    expect(page.locator("main")).not_to_contain_text("is in your cart.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_in_the_drawer_or_of_the_marks_stands_in_anybodys_way(
    new_context: ContextMaker, product: ProductPage, scheme: str
) -> None:
    page = new_context(color_scheme=scheme, reduced_motion="reduce").new_page()
    page.goto(product.url)
    press(page)
    expect(drawer_of(page)).to_contain_text("Harbour")
    page.evaluate(Axe().axe_script)

    faults = page.evaluate("(options) => axe.run('#cart-drawer', options)", WCAG)["violations"]
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Open cart")).to_be_visible()
    faults += page.evaluate("(options) => axe.run('#buy-bar', options)", WCAG)["violations"]

    assert faults == []


def test_a_price_that_is_refused_is_said_at_its_field(
    new_context: ContextMaker, shop_url: str
) -> None:
    product = make_product("Harbour", price_pennies=300, pay_what_you_want=True)
    page = new_context(size=DESKTOP).new_page()
    page.goto(product.url)
    field = page.locator("#buy-box").get_by_label("Your price")
    field.fill("2.50")

    press(page)

    expect(page.locator("#buy-box").get_by_role("alert")).to_contain_text("The least for this is")
    expect(field).to_have_value("2.50")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    field.fill("7")
    press(page)
    expect(drawer_of(page).locator(".sums-total").last).to_have_text("£7.00")
    expect(page.get_by_role("alert")).to_have_count(0)
    assert CartItem.objects.get().chosen_price_pennies == 700


def test_what_went_off_sale_meanwhile_is_said_at_the_button(
    new_context: ContextMaker, product: ProductPage
) -> None:
    page = new_context().new_page()
    page.goto(product.url)
    product.unpublish()

    press(page)

    expect(page.locator("#buy-bar").get_by_role("alert")).to_have_text(
        "This product is not for sale."
    )
    expect(drawer_of(page)).to_be_hidden()


def test_what_no_script_can_do_is_left_to_the_browser(
    new_context: ContextMaker, product: ProductPage
) -> None:
    page = new_context().new_page()
    page.goto(product.url)

    def broken_for_scripts(route: Route) -> None:
        if route.request.headers.get("hx-request"):
            route.fulfill(status=403, content_type="text/html", body="<h1>A gateway</h1>")
        else:
            route.continue_()

    page.route("**/cart/add/", broken_for_scripts)
    press(page)

    expect(page).to_have_url(re.compile("/cart/$"))
    expect(page.locator("main")).to_contain_text("“Harbour” is in your cart.")


def test_lists_say_what_is_owned_and_what_is_in_the_cart(
    new_context: ContextMaker, product: ProductPage
) -> None:
    user, owned = make_user("ada@example.com"), make_product("Owned", artist=product.artist)
    buy(Client(), user, owned)
    page = new_context().new_page()
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill("ada@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("main form button[type=submit]").first.click()
    page.goto(product.url)
    press(page)
    drawer_of(page).get_by_role("button", name="Keep listening").click()

    page.get_by_role("link", name="Low Tide").first.click()

    expect(page.locator("h1")).to_have_text("Low Tide")
    for _ in range(2):  # changed in place, and loaded whole
        card = page.locator(".release", has_text="Harbour")
        expect(card).to_contain_text("In your cart")
        expect(card.get_by_text("£4.99")).to_be_hidden()
        expect(page.locator(".release", has_text="Owned")).to_contain_text("You own this")
        page.goto("/catalog/")
