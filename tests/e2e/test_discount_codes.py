"""An editor chooses what a code is good for, in Wagtail's own windows; a shopper uses it on a phone."""

from __future__ import annotations

import os
import re
from typing import Any

import pytest
from django.contrib.auth.models import Group
from playwright.sync_api import BrowserContext, Page, expect

from catalog_pages.models import Artist, Genre
from catalog_pages.roles import EDITORS, ensure_roles
from orders.models import DiscountCode
from orders.roles import ensure_order_roles
from tests.e2e.conftest import DESKTOP, ContextMaker
from tests.factories import PASSWORD, make_cart, make_product, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def sign_in(context: BrowserContext, user: Any) -> Page:
    page = context.new_page()
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("main form button[type=submit]").first.click()
    expect(page).not_to_have_url(re.compile("/accounts/login/"))
    return page


def shot(page: Page, name: str) -> None:
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def choose(page: Page, box: str, title: str) -> None:
    """Press the box's own button, and take `title` in the window that opens."""
    page.locator(f"[data-base='{box}'] [data-many-choosers-add]").click()
    window = page.locator(".modal-body")
    window.get_by_role("link", name=title).first.click()
    expect(page.locator(".modal-body")).to_have_count(0)
    expect(page.locator(f"[data-base='{box}']").get_by_text(title).first).to_be_visible()


@pytest.mark.wide
def test_an_editor_makes_a_code_for_some_products_and_an_artist(new_context: ContextMaker) -> None:
    ensure_roles()
    ensure_order_roles()
    editor = make_user()
    editor.groups.add(Group.objects.get(name=EDITORS))
    first, second = make_product("Harbour"), make_product("Lighthouse")
    ada, dub = Artist.objects.create(name="Ada Brook"), Genre.objects.create(name="Dub")
    page = sign_in(new_context(size=DESKTOP), editor)

    page.goto("/admin/discount-codes/new/")
    page.locator("#id_code").fill("SUMMER")
    page.locator("#id_percent").fill("20")
    choose(page, "id_products", "Harbour")
    choose(page, "id_products", "Lighthouse")
    choose(page, "id_artists", "Ada Brook")
    choose(page, "id_genres", "Dub")
    shot(page, "admin-form")
    page.get_by_role("button", name="Create").click()

    expect(page.get_by_text("“SUMMER” is ready.")).to_be_visible()
    shot(page, "admin-list")
    code = DiscountCode.objects.get()
    assert set(code.products.all()) == {first, second}
    assert (list(code.artists.all()), list(code.genres.all())) == ([ada], [dub])
    page.goto(f"/admin/discount-codes/inspect/{code.pk}/")
    expect(page.get_by_text("“Harbour”, “Lighthouse”, “Ada Brook”, “Dub”")).to_be_visible()
    shot(page, "admin-inspect")


def test_a_shopper_uses_a_code_on_a_phone(new_context: ContextMaker) -> None:
    DiscountCode.objects.create(code="SUMMER", kind="percent", percent=20)
    user = make_user()
    make_cart(user, make_product("Harbour", price_pennies=1000))
    page = sign_in(new_context(), user)

    page.goto("/cart/")
    page.get_by_text("Have a code?").click()
    page.get_by_label("Code", exact=True).fill("summr")
    page.get_by_role("button", name="Use code").click()
    expect(page.get_by_text("We do not know this code.")).to_be_visible()
    expect(page.get_by_label("Code", exact=True)).to_have_value("summr")
    shot(page, "cart-wrong")
    page.get_by_label("Code", exact=True).fill("summer")
    page.get_by_role("button", name="Use code").click()

    expect(page.get_by_text("Discount, SUMMER")).to_be_visible()
    shot(page, "cart-used")
    DiscountCode.objects.update(is_active=False)
    page.reload()
    expect(page.get_by_text("This code is no longer valid.")).to_be_visible()
    shot(page, "cart-no-fit")
    page.get_by_role("button", name="Remove the code SUMMER").click()
    expect(page.get_by_text("The code is out of your cart.")).to_be_visible()
