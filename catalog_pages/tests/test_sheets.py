"""Prices and texts out as a spreadsheet and in again: shown first, and nothing lost on the way."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from wagtail.models import PageLogEntry

from catalog_pages.changing import IMPORT
from catalog_pages.models import Artist, CatalogueImport, Genre, ImportRow, ProductPage
from catalog_pages.roles import EDITORS
from catalog_pages.sheets.applying import import_apply
from catalog_pages.sheets.asking import ImportOver, import_confirm
from catalog_pages.sheets.cells import COLUMNS, holdable, neutralised, restored
from catalog_pages.sheets.comparing import import_read
from catalog_pages.sheets.products import without_keys
from catalog_pages.sheets.values import rich_text
from catalog_pages.tests.editors import member_client, moderation, owner_client
from site_config.accounts.models import User
from tests.factories import make_editor, make_product

pytestmark = pytest.mark.django_db
State = CatalogueImport.State


def exported(client: Client | None = None) -> list[dict[str, str]]:
    answer = (client or owner_client()).get(reverse("prices:export"), {"format": "csv"})
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def sheet(*rows: dict[str, Any], separator: str = ",", encoding: str = "utf-8") -> bytes:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    made = io.StringIO()
    writer = csv.DictWriter(made, columns, delimiter=separator)
    writer.writeheader()
    writer.writerows(rows)
    return made.getvalue().encode(encoding)


def xlsx(*rows: list[Any]) -> bytes:
    book, made = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(made)
    return made.getvalue()


def read(content: bytes, name: str = "prices.csv") -> CatalogueImport:
    """The dry run of a file."""
    source = CatalogueImport.objects.create(
        file_name=name, content=content, created_by=make_editor()
    )
    import_read(import_id=source.pk)
    source.refresh_from_db()
    return source


def write(source: CatalogueImport, user: Any = None) -> CatalogueImport:
    """Confirm it, and let the worker do all of it."""
    import_confirm(source=source, user=user or source.created_by)
    import_apply(import_id=source.pk)
    source.refresh_from_db()
    return source


def differences(source: CatalogueImport) -> dict[str, list[str]]:
    return ImportRow.objects.get(source=source).changes


def errors(source: CatalogueImport) -> dict[str, str]:
    return ImportRow.objects.get(source=source).errors


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "'", "'="])
def test_no_text_is_computed_by_a_spreadsheet_and_each_comes_back(start: str) -> None:
    text = f"{start}cmd()|' /C calc'!A0"

    assert neutralised(text)[0] == "'"
    assert restored(neutralised(text)) == text


@pytest.mark.wide
@given(st.text())
def test_every_text_comes_back_as_it_was(text: str) -> None:
    assert restored(neutralised(text)) == holdable(text)


def test_the_export_has_all_that_the_import_takes() -> None:
    page = make_product(
        "=Harbour",
        price_pennies=499,
        pay_what_you_want=True,
        suggested_price_pennies=700,
        genre=Genre.objects.create(name="-Folk"),
        release_date=date(2026, 3, 31),
        description='<p data-block-key="abcde">Two <b>lines</b></p>',
        credits="Fiddle: A\nDrums: B",
    )

    assert exported() == [
        {
            "id": str(page.pk),
            "slug": "harbour",
            "title": "'=Harbour",
            "artist": "The Test Pressings",
            "genre": "'-Folk",
            "price": "4.99",
            "pay_what_you_want": "yes",
            "suggested_price": "7.00",
            "release_date": "2026-03-31",
            "description": "<p>Two <b>lines</b></p>",
            "credits": "Fiddle: A\nDrums: B",
            "live": "yes",
        }
    ]


def test_xlsx_has_the_same_rows_and_no_formula() -> None:
    make_product("=1+1")

    answer = owner_client().get(reverse("prices:export"), {"format": "xlsx"})

    book = load_workbook(io.BytesIO(b"".join(answer.streaming_content)))
    rows = list(book.active.iter_rows())
    assert [cell.value for cell in rows[0]] == list(COLUMNS)
    assert (rows[1][2].value, rows[1][2].data_type) == ("'=1+1", "s")


def test_what_was_exported_and_not_touched_changes_nothing() -> None:
    make_product("=Harbour", description="<p>a</p><ul><li>b</li></ul>", credits="A\r\nB")
    draft = make_product("Inland").get_latest_revision_as_object()
    draft.title, draft.credits = "Inland, half way", "C"
    draft.save_revision()
    answer = owner_client().get(reverse("prices:export"), {"format": "xlsx"})

    from_csv = read(sheet(*exported()))
    from_xlsx = read(b"".join(answer.streaming_content))

    for source in (from_csv, from_xlsx):
        assert (source.state, source.rows_read, source.rows_same) == (State.READY, 2, 2)
        assert (source.rows_changed, source.rows_wrong) == (0, 0)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("price", ["4,99", "£4.99", "4.99", " 4.99 ", "GBP 4.99"])
@pytest.mark.parametrize(
    ("separator", "encoding"), [(",", "utf-8"), (";", "utf-8-sig"), ("\t", "utf-16")]
)
def test_prices_are_taken_as_people_and_their_programs_write_them(
    price: str, separator: str, encoding: str
) -> None:
    page = make_product(price_pennies=700)

    source = read(sheet({"id": page.pk, "price": price}, separator=separator, encoding=encoding))

    assert differences(source)["price"] == ["7.00", "4.99"]
    write(source)
    page.refresh_from_db()
    assert page.price_pennies == 499


def test_numbers_days_and_answers_of_a_spreadsheet_are_understood() -> None:
    page = make_product(price_pennies=700)

    write(
        read(
            xlsx(
                ["ID", "Price", "release_date", "pay_what_you_want"],
                [page.pk, 4.99, date(2026, 3, 31), True],
            )
        )
    )

    page.refresh_from_db()
    assert (page.price_pennies, page.release_date, page.pay_what_you_want) == (
        499,
        date(2026, 3, 31),
        True,
    )


def test_nothing_is_written_before_it_is_confirmed_and_then_all_of_it_once() -> None:
    artist = Artist.objects.create(name="Ødegård")
    page = make_product("Harbour", price_pennies=499)
    row = {
        "id": page.pk, "title": "Harbour lights", "artist": "ØDEGÅRD", "price": "",
        "description": "One.\n\nTwo & three", "credits": "All: me", "live": "no",
    }  # fmt: skip

    source = read(sheet(row))
    page.refresh_from_db()
    assert page.title == "Harbour"
    assert differences(source)["title"] == ["Harbour", "Harbour lights"]
    write(source)
    write_again = import_apply(import_id=source.pk)

    page.refresh_from_db()
    assert (page.title, page.artist, page.price_pennies, page.live) == (
        "Harbour lights", artist, 499, True,
    )  # fmt: skip
    assert "Two &amp; three</p>" in page.description
    assert page.has_unpublished_changes is False
    assert (source.state, write_again) == (State.DONE, 0)
    entry = PageLogEntry.objects.get(action=IMPORT)
    assert (entry.user, entry.page_id) == (source.created_by, page.pk)
    with pytest.raises(ImportOver):
        import_confirm(source=source, user=source.created_by)


def test_a_product_that_changed_since_the_dry_run_is_left_alone() -> None:
    page, other = make_product("Harbour"), make_product("Inland")
    source = read(sheet({"id": page.pk, "price": "9"}, {"id": other.pk, "price": "9"}))
    page.save_revision()

    write(source)

    left = source.rows.get(state="left")
    assert (left.page_id, left.sentence) == (page.pk, "Somebody has changed it in the meantime.")
    other.refresh_from_db()
    assert other.price_pennies == 900


def test_locked_products_and_those_in_moderation_are_left_alone() -> None:
    moderation()
    locked, waiting = make_product(), make_product()
    ProductPage.objects.filter(pk=locked.pk).update(locked=True)
    waiting.save_revision()
    waiting.get_workflow().start(waiting, make_editor())

    source = write(read(sheet({"id": locked.pk, "price": "9"}, {"id": waiting.pk, "price": "9"})))

    assert [row.sentence for row in source.rows.all()] == ["It is locked.", "It is in moderation."]


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("cells", "column", "sentence"),
    [
        ({"price": "four"}, "price", "Enter a price such as 4.99."),
        ({"price": "-4"}, "price", "Enter a price such as 4.99."),
        ({"price": "4.999"}, "price", "A price in GBP has at most two decimals, such as 4.99."),
        (
            {"artist": "Nobody"},
            "artist",
            "There is no artist “Nobody”. Add it under Snippets first.",
        ),
        ({"genre": "Polka"}, "genre", "There is no genre “Polka”. Add it under Snippets first."),
        ({"pay_what_you_want": "perhaps"}, "pay_what_you_want", "Write yes or no."),
        ({"release_date": "31.03.2026"}, "release_date", "Write a day such as 2026-03-31."),
        ({"release_date": "2026-02-31"}, "release_date", "Write a day such as 2026-03-31."),
        (
            {"slug": "elsewhere"},
            "slug",
            "Its address is “harbour”. An import changes no addresses.",
        ),
        ({"title": "x" * 256}, "title", "A title has at most 255 characters."),
        ({"suggested_price": "9"}, "suggested_price", "Only buyers who name their price"),
        (
            {"pay_what_you_want": "yes", "suggested_price": "1"},
            "suggested_price",
            "is below the price",
        ),
        ({"description": "<p>open <b>bold" * 2000}, "description", ""),
    ],
)
def test_what_is_wrong_is_told_by_row_and_column(
    cells: dict[str, str], column: str, sentence: str
) -> None:
    page = make_product("Harbour")

    source = read(sheet({"id": page.pk, **cells}))

    if sentence:
        row = source.rows.get()
        assert (row.number, row.state) == (2, "wrong")
        assert sentence in row.errors[column]
        assert source.rows_changed == 0


@pytest.mark.wide
@pytest.mark.parametrize("key", ["", "0", "999999", "-1", "1.5", "x", "²", "9" * 30])
def test_a_row_of_no_product_says_so(key: str) -> None:
    make_product()

    source = read(sheet({"id": key, "price": "9"}))

    assert errors(source)["id"] in (
        "There is no product with this number.",
        "Write the number of a product, as the export has it.",
    )


def test_of_a_product_that_is_there_twice_neither_row_is_taken() -> None:
    page = make_product()

    source = read(sheet({"id": page.pk, "price": "8"}, {"id": page.pk, "price": "9"}))

    assert [row.errors["id"] for row in source.rows.all()] == [
        f"Product {page.pk} is in row 3 as well.",
        f"Product {page.pk} is in row 2 as well.",
    ]
    assert (source.rows_changed, source.rows_wrong) == (0, 2)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "This file is empty."),
        (b"\n\n;;;\n", "This file is empty."),
        (b"title,price\nHarbour,4.99\n", "The column “id” is missing"),
        (b"id,cost\n1,4\n", "There is no column “cost”."),
        (b"id,price,price\n1,4,5\n", "The column “price” is there twice."),
        ("id,title\n1,Caf\xe9\n".encode("latin-1"), "neither XLSX nor CSV in UTF-8"),
        (b"PK\x03\x04 no archive", "This XLSX file is damaged"),
        (b"\xff\xfe\x00", "neither XLSX nor CSV in UTF-8"),
        (b'id,title\n1,One\n2,"Two\n3,Three\n4,Four\n', "Row 3 is no CSV"),
        (b'id,title\n1,"One"s\n', "Row 2 is no CSV"),
    ],
)
def test_a_file_that_cannot_be_read_has_a_sentence(content: bytes, sentence: str) -> None:
    source = read(content)

    assert source.state == State.FAILED
    assert sentence in source.sentence
    assert not source.rows.exists()


def test_a_small_archive_that_unpacks_to_gigabytes_is_refused() -> None:
    made = io.BytesIO()
    with (
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.xml", "w") as part,
    ):
        for _ in range(401):
            part.write(bytes(1024 * 1024))

    assert read(made.getvalue()).sentence.startswith("This file would be far too large once")


def test_another_archive_is_no_spreadsheet() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("milk.txt", "bread")

    assert "This XLSX file is damaged" in read(made.getvalue()).sentence


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One.\n\nTwo <3", "<p>One.</p><p>Two &lt;3</p>"),
        ("<p>a<script>alert(1)</script> <b>b</b></p>", "<p>a <b>b</b></p>"),
        ("<p onclick='x'><a href='javascript:alert(1)'>z</a></p>", "<p><a>z</a></p>"),
        ("<h1>Big</h1><img src=x onerror=y>", "<p>Big</p>"),
    ],
)
def test_texts_become_what_the_editor_itself_would_have_stored(text: str, expected: str) -> None:
    made = without_keys(rich_text(text))

    assert made.replace("<p></p>", "") == expected


def test_columns_that_are_not_there_are_left_alone_and_named() -> None:
    page = make_product(credits="All: me")

    source = read(sheet({"id": page.pk, "price": "9"}))

    assert "Not in this file, and left alone: title, artist, genre" in source.sentence
    write(source)
    page.refresh_from_db()
    assert page.credits == "All: me"


def test_the_screens_show_the_differences_and_who_confirmed(
    django_capture_on_commit_callbacks: Any,
) -> None:
    page, client = make_product("Harbour", price_pennies=499), owner_client()
    file = SimpleUploadedFile("prices.csv", sheet({"id": page.pk, "price": "9"}), "text/csv")

    with django_capture_on_commit_callbacks(execute=True):
        sent = client.post(reverse("prices:index"), {"file": file})
    shown = client.get(sent["Location"]).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        client.post(f"{sent['Location']}confirm/")
    done = client.get(sent["Location"]).content.decode()

    assert "Nothing is changed yet." in shown
    assert "<del>4.99</del>" in shown
    assert "1 product was changed." in done
    page.refresh_from_db()
    assert page.price_pennies == 900


@pytest.mark.wide
@pytest.mark.parametrize("what", ["index", "export", "import", "state", "confirm", "delete"])
def test_each_address_has_a_right_of_its_own(what: str) -> None:
    source = CatalogueImport.objects.create(file_name="a.csv", state=State.READY)
    client = member_client(EDITORS)
    for group in [*_user(client).groups.all()]:
        group.permissions.remove(*Permission.objects.filter(content_type__model="catalogueimport"))
    args = [] if what in ("index", "export") else [source.pk]
    url = reverse(f"prices:{what}", args=args)

    answer = client.post(url) if what in ("confirm", "delete") else client.get(url)

    assert answer.status_code in (302, 403)
    assert "prices" not in answer.get("Location", "")
    source.refresh_from_db()
    assert source.state == State.READY
    assert "Export prices" not in client.get(reverse("products:index")).content.decode()


@pytest.mark.wide
def test_a_list_of_rows_costs_the_same_queries_for_one_and_for_thirty(
    django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    client = owner_client()
    pages = [make_product() for _ in range(30)]
    small = read(sheet({"id": pages[0].pk, "price": "9"}))
    large = read(sheet(*({"id": page.pk, "price": "9"} for page in pages)))
    client.get(reverse("prices:import", args=[small.pk]))
    with django_assert_max_num_queries(40) as first:
        client.get(reverse("prices:import", args=[small.pk]))

    with django_assert_num_queries(len(first.captured_queries)):
        client.get(reverse("prices:import", args=[large.pk]))


def _user(client: Client) -> Any:
    return User.objects.get(pk=client.session["_auth_user_id"])
