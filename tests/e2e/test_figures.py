"""Somebody who may see what sold looks at it: at home, in the report, by keyboard, and as a spreadsheet."""

from __future__ import annotations

import csv
import os
import re
import uuid
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from downloads.models import UserAsset
from downloads.tests.desk import fetched
from orders.services.refunds import refund_request
from tests.e2e.conftest import DESKTOP, PHONE, ContextMaker
from tests.e2e.test_editing import sign_in_to_the_admin
from tests.factories import buy, make_product, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def shot(page: Page, name: str) -> None:
    """A picture, for whoever sets SHOTS to a folder."""
    if folder := os.environ.get("SHOTS"):
        size = page.viewport_size
        page.set_viewport_size({**size, "height": 2800})  # the admin scrolls within its own frame
        page.screenshot(path=Path(folder) / f"{name}.png")
        page.set_viewport_size(size)


def some_sales() -> None:
    harbour = make_product("Harbour", price_pennies=1000)
    tide = make_product("Low tide", price_pennies=500)
    orders = [
        buy(Client(), make_user(), *wanted) for wanted in ([harbour], [harbour, tide], [tide])
    ]
    refund_request(
        refund_id=uuid.uuid4(),
        payment=orders[0].payments.get(),
        by=None,
        reason="requested_by_customer",
        amount_pennies=250,
    )
    for grant in UserAsset.objects.all()[:3]:
        fetched(grant)


def fits(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.wide
def test_sales_and_a_refund_are_told_in_numbers_pictures_and_a_spreadsheet(
    new_context: ContextMaker, settings: object, tmp_path: Path
) -> None:
    settings.STRIPE_SANDBOX_DELIVERY = "manual"
    some_sales()
    page = new_context(size=DESKTOP).new_page()
    sign_in_to_the_admin(page)

    panel = page.locator("#figures-section")
    expect(panel).to_contain_text(
        re.compile(r"Net revenue\s+£27.50\s+before: £0.00, up from nothing")
    )
    expect(panel.get_by_role("img", name=re.compile("Revenue above the line"))).to_be_visible()
    shot(page, "home")
    panel.get_by_role("link", name="What sold, in detail").click()

    expect(page.locator("h1, h2").filter(has_text="GBP")).to_be_visible()
    expect(page.locator(".figures-card").filter(has_text="Downloads")).to_contain_text("3")
    shot(page, "report")
    page.locator("summary", has_text="All numbers, in GBP").click()
    today = page.locator("[data-table=series-GBP] tbody tr").last
    expect(today).to_contain_text(re.compile(r"£30.00\s*£2.50\s*£0.00\s*£27.50"))
    assert page.locator("#money-GBP-title").text_content() == (
        "Revenue above the line, refunds and lost disputes below it, in GBP"
    )
    assert page.locator("figure rect.figures-bar--down").count() == 1
    with page.expect_download() as waiting:
        page.locator("[data-table=series-GBP]").get_by_role("link", name=re.compile("CSV")).click()
    saved = tmp_path / "series.csv"
    waiting.value.save_as(saved)
    rows = list(csv.DictReader(saved.open(encoding="utf-8-sig", newline="")))
    assert [rows[-1][name] for name in ("Revenue", "Refunds", "Net", "Orders")] == [
        "30.00",
        "2.50",
        "27.50",
        "3",
    ]
    page.get_by_label("Period").select_option("7")
    page.get_by_label("Best sellers by").select_option("copies")
    page.get_by_role("button", name="Show", exact=True).press("Enter")
    expect(page).to_have_url(re.compile("period=7"))
    expect(page.locator("[data-table=products-GBP] tbody tr").first).to_contain_text("Harbour")
    page.get_by_label("Period").select_option("custom")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("body")).to_contain_text("Choose the day to begin with.")
    shot(page, "report-error")


@pytest.mark.wide
def test_the_report_is_readable_in_the_dark_and_on_a_phone(
    new_context: ContextMaker, settings: object
) -> None:
    settings.STRIPE_SANDBOX_DELIVERY = "manual"
    some_sales()
    for name, size, scheme in (("dark", DESKTOP, "dark"), ("phone", PHONE, "light")):
        page = new_context(size=size, color_scheme=scheme).new_page()
        sign_in_to_the_admin(page)
        shot(page, f"home-{name}")
        page.goto("/admin/reports/figures/")
        expect(page.locator(".figures-card").first).to_contain_text("£27.50")
        shot(page, f"report-{name}")
        assert fits(page)
