"""Files that are opened by themselves, in a tab of their own: they show and play, and run nothing."""

from __future__ import annotations

import pytest
from django.test import Client
from playwright.sync_api import Page

from catalog_pages.models import ProductPage
from tests.e2e.conftest import ContextMaker, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tab(new_context: ContextMaker) -> Page:
    return new_context().new_page()


def complaints(page: Page) -> list[str]:
    """What the browser says of policies and of what it would not load, from here on."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


@pytest.mark.parametrize(
    "path",
    ["/", "/static/shop/icons.svg", "/static/shop/base.css", "/catalog/new.atom", "/robots.txt",
     "/api/v1/products/", "/api/docs/"],
)  # fmt: skip
def test_a_browser_knows_every_word_of_our_policies_and_misses_nothing(
    tab: Page, product: ProductPage, shop_url: str, path: str
) -> None:
    said = complaints(tab)

    tab.goto(shop_url + path)
    tab.wait_for_load_state("networkidle")

    assert said == []


def test_an_excerpt_plays_in_a_tab_of_its_own(
    tab: Page, product: ProductPage, shop_url: str
) -> None:
    page = Client().get(product.url).content.decode()
    path = page[page.index("/media/excerpts/") :].partition('"')[0]
    said = complaints(tab)

    tab.goto(shop_url + path)

    wait_until(tab, "document.querySelector('video, audio').readyState >= 2")
    assert said == []
