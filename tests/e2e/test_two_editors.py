"""Two editors have one product open: each sees the other, and nothing that either wrote is lost unsaid."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from catalog_pages.models import ProductPage
from tests.e2e.conftest import DESKTOP, ContextMaker
from tests.e2e.test_editing import sign_in_to_the_admin
from tests.factories import make_product

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def opened(new_context: ContextMaker, product: ProductPage) -> Page:
    page = new_context(size=DESKTOP).new_page()
    sign_in_to_the_admin(page)
    page.goto(reverse("wagtailadmin_pages:edit", args=[product.pk]))
    page.wait_for_load_state("networkidle")
    return page


def newest(product: ProductPage) -> ProductPage:
    product.refresh_from_db()
    return product.get_latest_revision_as_object()


def test_the_second_editor_is_told_and_decides(new_context: ContextMaker) -> None:
    product = make_product("Harbour", price_pennies=799)
    first, second = opened(new_context, product), opened(new_context, product)

    first.locator("#id_title").fill("Harbour lights")
    first.locator("#id_title").press("Tab")
    expect(first.get_by_text("Saved", exact=True).locator("visible=true").first).to_be_visible(
        timeout=30_000
    )
    second.locator("#id_price_pennies").fill("9.99")
    second.locator("#id_price_pennies").press("Tab")

    # Nothing is saved by itself over what the first wrote, and what the second wrote stays in the form.
    overwrites = second.get_by_text("Saving will overwrite a newer version.").locator(
        "visible=true"
    )
    expect(overwrites).to_be_visible(timeout=30_000)
    assert (newest(product).title, newest(product).price_pennies) == ("Harbour lights", 799)
    expect(second.locator("#id_price_pennies")).to_have_value("9.99")
    second.get_by_role("button", name="Save draft").first.click()
    asked = second.get_by_role("dialog").filter(has_text="saved a new version")
    expect(asked).to_contain_text(
        re.compile("Proceeding will overwrite the changes made by editor")
    )
    expect(asked.get_by_role("link", name="View latest version")).to_be_visible()
    assert newest(product).title == "Harbour lights"
    asked.get_by_role("button", name="Save draft").click()
    second.wait_for_load_state("networkidle")

    # The second went on knowingly; the first one's version is in the history, word for word.
    assert (newest(product).title, newest(product).price_pennies) == ("Harbour", 999)
    titles = [version.as_object().title for version in product.revisions.order_by("pk")]
    assert titles == ["Harbour", "Harbour lights", "Harbour"]
    assert (
        ProductPage.objects.get().price_pennies == 799
    )  # what is on sale waits for somebody to publish
