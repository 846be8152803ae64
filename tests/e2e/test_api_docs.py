"""The API's documentation in a real browser: under our policy, from our origin alone."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import PHONE, ContextMaker

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.wide
def test_the_documentation_opens_and_asks_nobody_but_us(
    new_context: ContextMaker, shop_url: str
) -> None:
    page = new_context().new_page()
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(urlsplit(request.url).netloc))

    page.goto("/api/docs/")

    expect(page.locator(".opblock").first).to_be_visible(timeout=60_000)
    expect(page.locator(".info .title")).to_contain_text("Digital Downloads")
    page.locator(".opblock-summary-control").first.click()
    expect(page.locator(".opblock .responses-wrapper").first).to_be_visible()
    assert asked - {""} == {urlsplit(shop_url).netloc}


@pytest.mark.wide
def test_on_a_phone_nothing_of_it_is_wider_than_the_screen(
    new_context: ContextMaker, shop_url: str
) -> None:
    page = new_context().new_page()
    page.goto("/api/docs/")
    expect(page.locator(".opblock").first).to_be_visible(timeout=60_000)
    widest = "document.documentElement.scrollWidth"

    assert page.evaluate(widest) <= PHONE["width"]
    page.locator("#operations-checkout-checkout_create .opblock-summary-control").click()
    expect(page.locator(".opblock .responses-wrapper").first).to_be_visible()
    assert page.evaluate(widest) <= PHONE["width"]
    assert page.locator("html").get_attribute("lang") == "en"
