"""Cells that spreadsheets cut, and characters that only look like none."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import get_language
from wagtail.users.models import UserProfile

from catalog_pages.audio.text import clean_text
from catalog_pages.batches.correcting import ALBUM_FIELDS
from catalog_pages.models import BatchAlbum, CatalogueImport
from catalog_pages.sheets.cells import MOST_CHARACTERS
from catalog_pages.sheets.comparing import import_read
from catalog_pages.sheets.reading import MOST_CELL
from catalog_pages.tests.editors import owner_client
from catalog_pages.tests.test_sheets import differences, errors, read, sheet
from tests.factories import make_editor, make_product

pytestmark = pytest.mark.django_db
JOINED = ["می\u200cخواهم", "👩\u200d🎤 live", "Love \U0001fa77", "❤\ufe0f"]


@pytest.fixture
def owner() -> Client:
    return owner_client()


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("length", [MOST_CHARACTERS + 5000, MOST_CELL + 5000])
def test_a_text_that_no_cell_holds_comes_back_unharmed(
    owner: Client, kind: str, length: int
) -> None:
    make_product("Long", description=f"<p>{'word ' * (length // 5)}end</p>", credits="=" * length)

    answer = owner.get(reverse("prices:export"), {"format": kind})
    source = read(b"".join(answer.streaming_content), f"prices.{kind}")

    assert (source.state, source.rows_same) == (CatalogueImport.State.READY, 1), source.sentence


@pytest.mark.parametrize(
    ("length", "sentence"),
    [(MOST_CHARACTERS, "its end may be missing"), (MOST_CELL + 1, "longer than 200000")],
)
def test_a_text_that_may_be_cut_is_wrong_in_its_row_alone(length: int, sentence: str) -> None:
    odd, good = make_product("Odd"), make_product("Good")

    source = read(
        sheet(
            {"id": odd.pk, "title": "", "description": "x" * length},
            {"id": good.pk, "title": "Better", "description": "y" * (MOST_CHARACTERS + 1)},
        )
    )

    assert (source.rows_wrong, source.rows_changed) == (1, 1)
    assert sentence in source.rows.get(page_id=odd.pk).errors["description"]


@pytest.mark.parametrize("text", JOINED)
def test_joiners_and_new_emoji_are_parts_of_names_by_every_road(text: str) -> None:
    page = make_product("Plain")

    source = read(sheet({"id": page.pk, "title": text, "credits": text}))

    assert differences(source) == {"title": ["Plain", text], "credits": ["", text]}
    assert ALBUM_FIELDS["title"](BatchAlbum(), text) == clean_text(text) == text


@pytest.mark.parametrize("sign", ["\u202e", "\x07", "\ufffe"])
def test_what_nobody_can_read_is_in_no_name(sign: str) -> None:
    page = make_product("Plain")

    source = read(sheet({"id": page.pk, "title": f"A{sign}B"}))

    assert "nobody can read" in errors(source)["title"]
    assert ALBUM_FIELDS["title"](BatchAlbum(), f"A{sign}B") == clean_text(f"A{sign}B") == "A B"


def test_the_sentences_of_an_import_are_in_the_language_of_whoever_reads_them() -> None:
    page, editor = make_product("Plain"), make_editor()
    UserProfile.objects.create(user=editor, preferred_language="de")
    source = CatalogueImport.objects.create(
        file_name="a.csv", content=f"id,price\n{page.pk},9999999999".encode(), created_by=editor
    )

    import_read(import_id=source.pk)

    assert errors(source)["price"].endswith(
        " 999.999,99\N{NO-BREAK SPACE}£."
    )  # as German writes amounts
    assert get_language() == "en-gb"


def test_blanks_of_every_kind_keep_words_apart_in_credits() -> None:
    page = make_product("Plain")

    source = read(sheet({"id": page.pk, "credits": "Paroles\u00a0: A\nDrums:\tB"}))

    assert differences(source)["credits"][1] == "Paroles\u00a0: A\nDrums: B"


def test_an_old_macs_line_ends_do_not_hide_the_separator() -> None:
    page = make_product("Plain")

    source = read(f"id;title\r{page.pk};One, two, three, four\r".encode())

    assert differences(source) == {"title": ["Plain", "One, two, three, four"]}
