"""Prices of many products: by the explorer's own tick boxes, and as a spreadsheet that comes back changed."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from catalog_pages.models import CataloguePage, ProductPage
from tests.e2e.conftest import DESKTOP, ContextMaker, wait_until
from tests.e2e.test_editing import sign_in_to_the_admin
from tests.factories import make_product

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FORMULA = "=cmd()|' /C calc'!A0"


@pytest.fixture
def desk(new_context: ContextMaker) -> Page:
    page = new_context(size=DESKTOP).new_page()
    sign_in_to_the_admin(page)
    return page


def prices() -> dict[str, int | None]:
    return dict(ProductPage.objects.values_list("title", "price_pennies"))


@pytest.mark.wide
def test_ticked_prices_are_raised_and_rounded_after_a_look_at_each(desk: Page) -> None:
    make_product("Harbour", price_pennies=799)
    make_product("Inland", price_pennies=1250)
    make_product("Gift", price_pennies=0)
    make_product("Left out", price_pennies=300)

    desk.goto(f"/admin/pages/{CataloguePage.objects.get().pk}/")
    for title in ("Harbour", "Inland", "Gift"):
        row = desk.locator("tr").filter(has=desk.get_by_role("link", name=title, exact=True))
        row.locator("input[type=checkbox]").check()
    # The menu's entries learn what was ticked when it is open, which no hand is too fast for.
    desk.evaluate(
        "document.addEventListener('w-dropdown:shown', () => document.body.append('open'))"
    )
    desk.get_by_role("region", name="Bulk actions").get_by_role("button", name="More").click()
    wait_until(desk, "document.body.lastChild.data === 'open'")
    desk.get_by_role("link", name="Change prices of selected products").click()
    desk.locator("#id_way").select_option(label="Raise by per cent")
    desk.get_by_label("Price, amount or per cent").fill("10 %")
    desk.get_by_label("Then round to").select_option(label="the nearest .99")
    desk.get_by_role("button", name="Show what would change").click()

    expect(desk.locator("main")).to_contain_text("2 products would change. Nothing is changed yet.")
    rows = {
        cells[0].strip(): [cell.strip() for cell in cells[1:]]
        for cells in (
            row.locator("td").all_inner_texts()
            for row in desk.locator("table.listing tbody tr").all()
        )
    }
    assert rows == {
        "Harbour": ["£7.99", "£8.99"],
        "Inland": ["£12.50", "£13.99"],
        "Gift": ["£0.00", "Stays as it is."],
    }
    assert prices()["Harbour"] == 799
    desk.get_by_role("button", name="Change 2 products").click()
    expect(desk.locator(".messages")).to_contain_text("2 products were changed and published.")
    assert prices() == {"Harbour": 899, "Inland": 1399, "Gift": 0, "Left out": 300}


def exported(desk: Page, folder: Path) -> Path:
    desk.goto("/admin/prices/export/")
    with desk.expect_download() as waiting:
        desk.get_by_role("link", name="Download CSV").click()
    saved = folder / waiting.value.suggested_filename
    waiting.value.save_as(saved)
    return saved


def sent(desk: Page, file: Path) -> None:
    desk.goto("/admin/prices/")
    desk.get_by_label("CSV or XLSX file").set_input_files(str(file))
    desk.get_by_role("button", name="Show what would change").click()


@pytest.mark.wide
def test_a_spreadsheet_goes_out_and_comes_back_changed(desk: Page, tmp_path: Path) -> None:
    products = {
        title: make_product(title, price_pennies=500)
        for title in ("Comma", "Pound", "Wrong", "Untouched", FORMULA)
    }

    saved = exported(desk, tmp_path)
    assert saved.read_bytes().startswith(b"\xef\xbb\xbf")  # so that Excel reads names in any script
    assert f"'{FORMULA}" in saved.read_text("utf-8-sig")
    with saved.open(encoding="utf-8-sig", newline="") as file:
        rows = {row["title"]: row for row in csv.DictReader(file)}
    for title, price in (("Comma", "4,99"), ("Pound", "£4.99"), ("Wrong", "cheap")):
        rows[title]["price"] = price
    rows["Comma"]["title"] = "Comma, the second"
    # As Excel saves it where commas are in numbers: a mark, semicolons, a column that was thrown away.
    with saved.open("w", encoding="utf-8-sig", newline="") as file:
        columns = [name for name in rows["Comma"] if name != "description"]
        writer = csv.DictWriter(file, columns, delimiter=";", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows.values())
    sent(desk, saved)

    main = desk.locator("main")
    expect(main).to_contain_text("Nothing is changed yet.")
    expect(main).to_contain_text("5 rows read. 2 change something. 2 change nothing.")
    expect(main).to_contain_text("Not in this file, and left alone: description.")
    row = main.locator("tbody tr")
    for title in ("Comma", "Pound"):
        expect(row.filter(has_text=title)).to_contain_text(re.compile(r"price\s*5.00 → 4.99"))
    expect(row.filter(has_text="Comma")).to_contain_text(re.compile("Comma → Comma, the second"))
    expect(row.filter(has_text="Wrong")).to_contain_text("Enter a price such as 4.99.")
    assert set(prices().values()) == {500}

    desk.get_by_role("button", name="Change 2 products").click()

    expect(main).to_contain_text("2 products were changed.")
    assert prices() == {
        "Comma, the second": 499,
        "Pound": 499,
        "Wrong": 500,
        "Untouched": 500,
        FORMULA: 500,
    }
    assert ProductPage.objects.get(pk=products["Pound"].pk).live


@pytest.mark.wide
def test_a_file_without_its_most_important_column_says_so(desk: Page, tmp_path: Path) -> None:
    make_product("Harbour", price_pennies=500)
    nameless = tmp_path / "prices.csv"
    nameless.write_text("title,price\nHarbour,1.00\n")

    sent(desk, nameless)

    expect(desk.locator("main")).to_contain_text("id")
    expect(desk.locator("main")).to_contain_text("Nothing was changed.")
    expect(desk.get_by_role("button", name=re.compile("^Change"))).to_have_count(0)
    assert prices() == {"Harbour": 500}
