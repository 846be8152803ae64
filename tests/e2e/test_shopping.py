"""A shopper on a phone: find, listen, sign up, buy, download; with and without JavaScript."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from catalog_pages.models import ProductPage
from orders.models import Order
from orders.stripe_sandbox import worker
from tests.e2e.conftest import ContextMaker, wait_until
from tests.factories import PASSWORD
from tests.signing_in import mailed_code

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# What is heard now; undefined in silence.
PLAYING = "[...document.querySelectorAll('audio')].find(audio => !audio.paused)"


def sign_up(page: Page, email: str) -> None:
    page.goto("/accounts/signup/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("main form button[type=submit]").first.click()
    page.locator("input[name=code]").fill(mailed_code())
    page.locator("main form button[type=submit]").first.click()
    expect(page).to_have_url(re.compile(r"/(purchases|cart)/"))


def fill_the_cart(page: Page) -> None:
    page.goto("/catalog/")
    page.locator("main").get_by_role("link", name=re.compile("Harbour")).first.click()
    expect(page.locator("h1")).to_have_text(re.compile("Harbour"))
    page.get_by_role("button", name=re.compile("Add to cart")).locator("visible=true").first.click()
    # Beside the page with JavaScript, on the cart's own without.
    expect(page.get_by_role("status").get_by_text("is in your cart.")).to_be_visible()


def pay(page: Page, button: str = "Pay £4.99") -> None:
    page.goto("/cart/")
    page.locator("input[name=consent]").check()
    page.get_by_role("button", name=re.compile("Pay £4.99")).click()
    expect(page.get_by_role("heading", name="Test payment")).to_be_visible()
    page.get_by_role("button", name=button).click()


def download(context: BrowserContext, page: Page) -> str:
    with page.expect_download() as waiting:
        page.get_by_role("link", name=re.compile("Download FLAC")).first.click()
    assert waiting.value.suggested_filename == "Harbour – first light.flac"
    return hashlib.sha256(Path(waiting.value.path()).read_bytes()).hexdigest()


def no_sideways_scrolling(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_shopper_on_a_phone_finds_buys_and_downloads(
    new_context: ContextMaker, product: ProductPage, javascript: bool
) -> None:
    context = new_context(java_script_enabled=javascript)
    page = context.new_page()

    fill_the_cart(page)
    sign_up(page, "ada@example.com")
    page.goto("/cart/")
    expect(page.locator("main")).to_contain_text("Harbour")
    pay(page)
    expect(page).to_have_url(re.compile("/checkout/success/"))
    # Without a reload with JavaScript; by the page's own refresh without.
    expect(page.get_by_role("link", name=re.compile("Download FLAC")).first).to_be_visible()

    assert download(context, page) == product.tracks.first().files.first().asset.sha256
    page.goto("/purchases/")
    assert download(context, page) == product.tracks.first().files.first().asset.sha256
    page.goto("/orders/")
    page.get_by_role("link", name=re.compile("[0-9A-Z]{4}-[0-9A-Z]{4}")).first.click()
    expect(page.locator("main")).to_contain_text("£4.99")
    page.goto("/cart/")
    expect(page.locator("main")).to_contain_text("There is nothing in your cart yet.")


def test_the_excerpt_plays_and_seeks(new_context: ContextMaker, product: ProductPage) -> None:
    page = new_context().new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(product.url)

    page.get_by_role("button", name=re.compile("Play")).locator("visible=true").first.click()

    wait_until(
        page,
        f"{PLAYING} && {PLAYING}.currentTime > 0.3",
    )
    length = page.evaluate(f"{PLAYING}.duration")
    assert 10 < length < 31
    page.evaluate(f"{PLAYING}.currentTime = 15")
    wait_until(
        page,
        f"{PLAYING}.currentTime > 15.2",
    )
    master = product.tracks.first().files.first().asset
    assert not [url for url in requests if master.file.name in url or "protected" in url]


@pytest.mark.wide
def test_the_files_appear_when_the_webhook_lands_without_a_reload(
    new_context: ContextMaker, product: ProductPage, settings: object
) -> None:
    from orders.stripe_sandbox import controls

    context = new_context()
    page = context.new_page()
    fill_the_cart(page)
    sign_up(page, "ada@example.com")
    controls.hold()
    pay(page)
    expect(page.get_by_role("heading", name=re.compile("waiting"))).to_be_visible()
    page.evaluate("window.notReloaded = true")

    controls.release()
    worker.wait_until_idle(10)

    expect(page.get_by_role("link", name=re.compile("Download FLAC")).first).to_be_visible()
    assert page.evaluate("window.notReloaded") is True
    expect(page.locator("#cart-count")).to_have_text("")


def test_a_second_shopper_cannot_fetch_it(new_context: ContextMaker, product: ProductPage) -> None:
    page = new_context().new_page()
    fill_the_cart(page)
    sign_up(page, "ada@example.com")
    pay(page)
    link = page.get_by_role("link", name=re.compile("Download FLAC")).first
    address = link.get_attribute("href")
    stranger = new_context().new_page()
    sign_up(stranger, "grace@example.com")

    response = stranger.goto(str(address))

    assert response is not None
    assert response.status == 404


def test_decline_cancel_and_expiry_keep_the_cart(
    new_context: ContextMaker, product: ProductPage
) -> None:
    page = new_context().new_page()
    fill_the_cart(page)
    sign_up(page, "ada@example.com")

    pay(page, button="Decline")
    expect(page.locator("main")).to_contain_text("declined")
    page.get_by_role("link", name=re.compile("Cancel")).click()
    expect(page).to_have_url(re.compile("/checkout/cancel/"))
    page.goto("/cart/")
    expect(page.locator("main")).to_contain_text("Harbour")
    pay(page, button="Let this session expire")
    worker.wait_until_idle(10)

    page.goto("/cart/")
    expect(page.locator("main")).to_contain_text("Harbour")
    assert set(Order.objects.values_list("status", flat=True)) == {"expired"}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("address", ["/", "/catalog/", "/cart/", "/accounts/login/", "product"])
def test_nothing_scrolls_sideways_at_320_pixels(
    new_context: ContextMaker, product: ProductPage, address: str
) -> None:
    page = new_context(size={"width": 320, "height": 640}).new_page()

    page.goto(product.url if address == "product" else address)

    assert no_sideways_scrolling(page)


def test_no_request_leaves_our_origin(
    new_context: ContextMaker, product: ProductPage, shop_url: str
) -> None:
    page = new_context().new_page()
    elsewhere: list[str] = []
    page.on(
        "request",
        lambda request: (
            None if request.url.startswith((shop_url, "data:")) else elsewhere.append(request.url)
        ),
    )

    for address in ("/", "/catalog/", product.url, "/cart/", "/accounts/login/", "/api/docs/"):
        page.goto(address, wait_until="networkidle")

    assert elsewhere == []
