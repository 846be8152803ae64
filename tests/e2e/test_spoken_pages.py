"""What a screen reader makes of the pages: landmarks, headings and the names of what can be pressed.

Each template names what has to be there, in this order and nesting; more may stand in between.
"""

from __future__ import annotations

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from catalog_pages.models import Artist, Genre, ProductPage
from tests.e2e.conftest import DESKTOP, ContextMaker
from tests.e2e.hands import Pointer
from tests.e2e.purchase_walk import open_the_cart, shown
from tests.factories import PASSWORD, buy, make_product, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Around every page of the shop: a way past what repeats, who this is, the shop's own paths, and its foot.
FRAME = """
- link "Skip to the content"
- banner:
  - link "Digital Downloads"
  - navigation "Shop":
    - list:
      - listitem:
        - link "Catalogue"
      - listitem:
        - link "Purchases"
      - listitem:
        - link /Sign in|Account/
      - listitem:
        - link /[Cc]art/
- main
- contentinfo:
  - list:
    - listitem:
      - link "Catalogue"
"""
HOME = """
- main:
  - heading "Music you keep" [level=1]
  - link "Browse the catalogue"
  - link /Cover of .+ £4.99/
  - region "New releases":
    - heading "New releases" [level=2]
    - link "Everything in the catalogue"
    - list:
      - listitem:
        - link /Harbour/
        - button /^Play an excerpt of/
  - region "Artists":
    - heading "Artists" [level=2]
    - list
"""
CATALOGUE = """
- main:
  - heading "Catalogue" [level=1]
  - search:
    - searchbox "Search titles, artists and tracks"
    - button "Search"
  - heading "Releases" [level=2]
  - list:
    - listitem:
      - link /Cover of .+ £4.99/
      - button /^Play an excerpt of/
"""
PRODUCT = """
- main:
  - article:
    - heading "Harbour" [level=1]
    - paragraph:
      - link "The Test Pressings"
    - paragraph: £4.99
    - button "Add to cart"
    - button "Buy as a gift"
    - region "Listen":
      - heading "Listen" [level=2]
      - table:
        - rowgroup:
          - row /Listen Title Length/
        - rowgroup:
          - row /Harbour part 1/:
            - cell:
              - button "Play an excerpt of Harbour part 1"
            - cell:
              - slider "Position in Harbour part 1"
"""
CART = """
- main:
  - heading "Cart" [level=1]
  - region "In your cart":
    - list:
      - listitem:
        - heading "Harbour" [level=2]:
          - link "Harbour"
        - button "Remove Harbour"
  - complementary "To pay":
    - heading "To pay" [level=2]
    - term: Total
    - definition: £4.99
    - textbox "Email address"
    - checkbox /^Deliver now/
    - button "Pay £4.99"
"""
PURCHASES = """
- main:
  - heading "Your purchases" [level=1]
  - list:
    - listitem:
      - heading "Harbour" [level=2]:
        - link "Harbour"
      - paragraph:
        - link /^Receipt/
      - list:
        - listitem:
          - button "Play Harbour part 1"
          - link /^Download FLAC/
"""


def is_spoken(page: Page, template: str) -> None:
    body = page.locator("body")
    expect(body).to_match_aria_snapshot(FRAME)
    expect(body).to_match_aria_snapshot(template)
    # One name of the page, and no step left out below it.
    levels = page.locator("h1, h2, h3, h4").locator("visible=true").evaluate_all(
        "all => all.map(one => Number(one.tagName[1]))"
    )  # fmt: skip
    assert levels.count(1) == 1
    steps = [after - before for before, after in zip([0, *levels], levels, strict=False)]
    assert max(steps) == 1, levels


@pytest.fixture
def shop(product: ProductPage) -> ProductPage:
    """A second release beside “Harbour”, and artists and genres to tell them apart."""
    genre = Genre.objects.create(name="Ambient")
    make_product("Low tide", artist=Artist.objects.create(name="Reeds"), genre=genre)
    return product


@pytest.mark.sampled(2)
@pytest.mark.parametrize("place", ["home", "product", "catalogue"])
def test_pages_for_everybody(new_context: ContextMaker, shop: ProductPage, place: str) -> None:
    address, template = {
        "home": ("/", HOME),
        "catalogue": ("/catalog/", CATALOGUE),
        "product": (shop.url, PRODUCT),
    }[place]
    page = new_context(size=DESKTOP).new_page()

    page.goto(address)

    is_spoken(page, template)


def test_the_cart(new_context: ContextMaker, product: ProductPage) -> None:
    page = new_context(size=DESKTOP).new_page()
    page.goto(product.url)
    shown(page, "button", "Add to cart").click()
    open_the_cart(page, Pointer())

    is_spoken(page, CART)


def test_purchases(new_context: ContextMaker, product: ProductPage) -> None:
    buy(Client(), make_user("ada@example.com"), product)
    page = new_context(size=DESKTOP).new_page()
    page.goto("/accounts/login/?next=/purchases/")
    page.get_by_label("Email").fill("ada@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("main form button[type=submit]").first.click()

    is_spoken(page, PURCHASES)
