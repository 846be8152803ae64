"""Files that other programs or tired people made: each cell is taken as it is meant, or named and left."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import pytest

from catalog_pages.models import CatalogueImport, ImportRow, ProductPage
from catalog_pages.sheets.reading import SheetRefused, read_rows
from catalog_pages.tests.editors import owner_client
from catalog_pages.tests.test_bulk_changes import change_prices
from catalog_pages.tests.test_sheets import (
    differences,
    errors,
    exported,
    read,
    sheet,
    write,
    xlsx,
)
from tests.factories import make_product

pytestmark = [pytest.mark.django_db, pytest.mark.wide]
State = CatalogueImport.State


def alias_of(page: ProductPage) -> ProductPage:
    alias = page.create_alias(parent=page.get_parent(), update_slug=f"{page.slug}-again")
    return ProductPage.objects.get(pk=alias.pk)


@pytest.mark.parametrize(
    "description",
    [
        "<p><a href='http://a.example'>one <a href='http://b.example'>two</a></p>",
        "<![iftext‹!",
        "<![if x]> hello",
        "<b>" * 5000,
    ],
)
def test_a_description_that_no_parser_takes_is_wrong_in_its_row_alone(description: str) -> None:
    odd, good = make_product("Odd"), make_product("Good")

    source = read(
        sheet({"id": odd.pk, "description": description}, {"id": good.pk, "description": "New"})
    )

    assert source.state == State.READY
    assert source.rows.get(page_id=good.pk).state == ImportRow.State.WAITING
    wrong = source.rows.filter(page_id=odd.pk, state=ImportRow.State.WRONG)
    assert all("not well formed" in row.errors["description"] for row in wrong)


def test_what_nobody_foresaw_ends_an_import_with_a_sentence(monkeypatch: Any) -> None:
    page = make_product()

    def broken(text: str) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("catalog_pages.sheets.comparing._key", broken)
    source = read(sheet({"id": page.pk, "price": "9.99"}))

    assert source.state == State.FAILED
    assert "could not be understood" in source.sentence
    assert source.content is None


@pytest.mark.parametrize("formula", ["=3+1.99", "=SUM(A1:A2)"])
def test_a_formula_that_was_never_computed_is_named(formula: str) -> None:
    page = make_product(price_pennies=700)

    source = read(xlsx(["id", "price"], [page.pk, formula]))

    assert (source.rows_wrong, source.rows_same) == (1, 0)
    assert errors(source) == {
        "price": "The file has a formula here, but not what it comes to. Write the result."
    }


def test_a_row_of_formulas_alone_is_not_passed_over() -> None:
    source = read(xlsx(["id", "price"], ["=1+1", "=3+1.99"]))

    assert source.rows_wrong == 1
    assert errors(source)["id"].startswith("The file has a formula here")


def test_a_formula_counts_as_what_it_came_to() -> None:
    page = make_product(price_pennies=700)
    made = xlsx(["id", "price"], [page.pk, "=3+1.99"])
    computed = with_part(
        made,
        "xl/worksheets/sheet1.xml",
        lambda part: re.sub(rb"<v ?/>|<v></v>", b"<v>4.99</v>", part),
    )

    assert computed != made
    assert differences(read(computed)) == {"price": ["7.00", "4.99"]}


@pytest.mark.parametrize("fault", ["#REF!", "#N/A", " #DIV/0! "])
def test_the_faults_of_a_spreadsheet_are_no_texts(fault: str) -> None:
    page = make_product("Harbour")
    said = f"The spreadsheet shows the fault {fault.strip()} here. Write what is meant."

    in_xlsx = read(xlsx(["id", "title"], [page.pk, fault]))
    in_csv = read(sheet({"id": page.pk, "title": fault}))

    assert errors(in_xlsx) == errors(in_csv) == {"title": said}


def test_what_is_called_like_a_fault_already_stays() -> None:
    page = make_product("#N/A", price_pennies=700)

    source = read(sheet({"id": page.pk, "title": "#N/A", "price": "4.99"}))

    assert differences(source) == {"price": ["7.00", "4.99"]}


def test_the_dry_run_shows_what_would_be_stored() -> None:
    page = make_product("Harbour")
    odd = "<h2>Head</h2><p onclick='x()'>a <script>alert(1)</script><img src=x onerror=y></p>"

    source = read(
        sheet({"id": page.pk, "title": "a   b", "description": odd, "pay_what_you_want": "TRUE"})
    )

    assert differences(source) == {
        "title": ["Harbour", "a b"],
        "description": ["", "<p>Head</p><p>a</p>"],
        "pay_what_you_want": ["no", "yes"],
    }


def test_an_alias_is_not_exported_and_not_imported() -> None:
    page, other = make_product("Harbour"), make_product("Inland")
    alias = alias_of(page)

    rows = [{"id": pk, "price": "9.99"} for pk in (alias.pk, other.pk)]
    source = read(sheet(*rows))
    write(source)

    assert [row["title"] for row in exported()] == ["Harbour", "Inland"]
    assert source.rows.get(number=2).errors == {"id": "It mirrors “Harbour”; change that one."}
    other.refresh_from_db()
    assert (source.state, other.price_pennies) == (State.DONE, 999)


def test_a_product_that_became_an_alias_after_the_dry_run_is_left_alone() -> None:
    page, other, third = (make_product(title) for title in ("Harbour", "Inland", "Third"))
    source = read(sheet(*({"id": row.pk, "price": "9.99"} for row in (other, third))))
    ProductPage.objects.filter(pk=other.pk).update(alias_of=page)

    write(source)

    assert source.state == State.DONE
    assert [row.state for row in source.rows.all()] == ["left", "done"]
    assert source.rows.get(number=2).sentence == "It mirrors “Harbour”; change that one."


def test_an_alias_among_many_is_named_and_left_alone() -> None:
    page, other = make_product("Harbour"), make_product("Inland")
    alias = alias_of(page)

    table, answer = change_prices(owner_client(), alias, other)

    assert "It mirrors “Harbour”; change that one." in table.content.decode()
    assert answer.status_code == 302
    other.refresh_from_db()
    alias.refresh_from_db()
    assert (alias.price_pennies, other.price_pennies) == (499, 999)


def test_a_product_that_fails_holds_up_no_other(monkeypatch: Any) -> None:
    broken, good = make_product("Broken"), make_product("Good")
    source = read(sheet(*({"id": row.pk, "price": "9.99"} for row in (broken, good))))
    asset = broken.tracks.get().files.get().asset
    storage = type(asset.file.storage)
    exists = storage.exists

    def storage_away(self: Any, name: str) -> bool:
        if name == asset.file.name:
            raise OSError("storage is away")
        return exists(self, name)

    monkeypatch.setattr(storage, "exists", storage_away)
    write(source)

    assert source.state == State.DONE
    assert "It is only a draft: it could not be published" in source.rows.get(number=2).sentence
    prices = dict(ProductPage.objects.values_list("title", "price_pennies"))
    assert prices == {"Broken": 499, "Good": 999}


def test_a_book_whose_texts_would_fill_the_memory_is_refused() -> None:
    made = io.BytesIO(xlsx(["id", "price"], [1, 4.99]))
    with zipfile.ZipFile(made, "a", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/sharedStrings.xml", b"<si><t>1</t></si>" * 2_000_000)

    with pytest.raises(SheetRefused, match="far too large once unpacked"):
        read_rows(made.getvalue())


def with_part(book: bytes, name: str, edited: Any) -> bytes:
    """The same XLSX with one part of it changed."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(book)) as old,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for part in old.namelist():
            new.writestr(part, edited(old.read(part)) if part == name else old.read(part))
    return made.getvalue()
