"""Dates, money, numbers, lists and plurals as each language writes them, before there is any catalogue."""

from __future__ import annotations

import gettext
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from django.template.loader import render_to_string
from django.test import Client
from django.utils.formats import date_format
from django.utils.translation import ngettext, override, trans_real

from catalog_pages.admin.upload_words import plural_forms
from catalog_pages.locales import decimal, grouped, joined, locale_of, size_words
from catalog_pages.money import BY_CODE, format_money, parse_money
from catalog_pages.templatetags.shop import moment_in_zone, sentence_case
from tests.factories import make_product

DAY = date(2026, 11, 29)
GAP = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("language", "pennies", "code", "words"),
    [
        ("en-gb", 123456, "EUR", "€1,234.56"),
        ("en-us", -499, "GBP", "-£4.99"),
        ("de", 123456, "EUR", f"1.234,56{GAP}€"),
        ("de", -499, "EUR", f"-4,99{GAP}€"),
        ("pl", 123456, "PLN", f"1{GAP}234,56{GAP}zł"),
        ("fr", 123456, "EUR", f"1\N{NARROW NO-BREAK SPACE}234,56{GAP}€"),
        ("ja", 1500, "JPY", "¥1,500"),
        ("de", 12500, "KWD", f"12,500{GAP}KD"),
    ],
)
def test_money(language: str, pennies: int, code: str, words: str) -> None:
    with override(language):
        assert format_money(pennies, code) == words


def test_money_by_code_stands_where_the_sign_would() -> None:
    with override("de"):
        assert format_money(499, "EUR", by=BY_CODE) == f"4,99{GAP}EUR"


@pytest.mark.parametrize("language", ["en-gb", "de", "pl"])
def test_an_amount_can_be_typed_as_it_is_shown(language: str) -> None:
    with override(language):
        assert parse_money(format_money(499, "EUR"), "EUR") == 499


@pytest.mark.parametrize(
    ("language", "day", "moment"),
    [
        ("en-gb", "29 November 2026", "29 November 2026, 18:05"),
        ("de", "29. November 2026", "29. November 2026 18:05"),
        ("pl", "29 listopada 2026", "29 listopada 2026 18:05"),
        ("ar", "29 نوفمبر، 2026", None),
    ],
)
def test_dates(language: str, day: str, moment: str | None) -> None:
    with override(language):
        assert date_format(DAY).removesuffix(" r.") == day.removesuffix(" r.")
        if moment:
            assert (
                date_format(datetime(2026, 11, 29, 18, 5, tzinfo=UTC), "DATETIME_FORMAT") == moment
            )


def test_a_moment_says_its_clock() -> None:
    assert (
        moment_in_zone(datetime(2026, 11, 29, 18, 5, tzinfo=UTC)) == "29 November 2026, 18:05 UTC"
    )


@pytest.mark.parametrize(
    ("language", "number", "fraction", "size", "words"),
    [
        ("en-gb", "12,345", "44.1", f"5.8{GAP}MB", "a, b and c"),
        ("de", "12.345", "44,1", f"5,8{GAP}MB", "a, b und c"),
        ("ar", "12,345", "44.1", f"5.8{GAP}MB", "a وb وc"),
    ],
)
def test_numbers_sizes_and_lists(
    language: str, number: str, fraction: str, size: str, words: str
) -> None:
    with override(language):
        assert grouped(12345) == number
        assert decimal(Decimal("44.1")) == fraction
        assert size_words(5_800_000) == size
        assert joined(["a", "b", "c"]).replace("،", "") == words


def test_a_language_that_nobody_knows_counts_as_english() -> None:
    assert locale_of("tlh-qo") == locale_of("en-gb")


@pytest.mark.django_db
def test_a_page_in_german_says_so(client: Client) -> None:
    product = make_product(price_pennies=499)

    with override("de"):
        page = client.get(product.url).content.decode()

    assert '<html lang="de">' in page
    assert f"4,99{GAP}£" in page


POLISH = {
    ("%(cart_count)s item", "%(cart_count)s items"): (
        "%(cart_count)s rzecz",
        "%(cart_count)s rzeczy",
        "%(cart_count)s rzeczy!",
    ),
    ("{all} file done", "{all} files done"): ("{all} plik", "{all} pliki", "{all} plików"),
}


@pytest.fixture
def polish() -> Iterator[None]:
    """A catalogue of two sentences, as a translator's would be: three forms, chosen by the number."""
    catalog = Catalog(locale="pl")
    for msgid, forms in POLISH.items():
        catalog.add(msgid, forms, flags=["python-format"] if "%" in msgid[0] else [])
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    earlier = trans_real._translations.get("pl")
    trans_real._translations["pl"] = trans_real.DjangoTranslation("pl")
    trans_real._translations["pl"].merge(gettext.GNUTranslations(compiled))
    with override("pl"):
        yield
    trans_real._translations.pop("pl")
    if earlier is not None:
        trans_real._translations["pl"] = earlier


@pytest.mark.parametrize(
    ("count", "words"), [(1, "1 rzecz"), (3, "3 rzeczy"), (5, "5 rzeczy!"), (22, "22 rzeczy")]
)
def test_plurals_of_a_template(polish: None, count: int, words: str) -> None:
    said = render_to_string("orders/_header_fragment.html", {"cart_count": count, "user": None})

    assert f", {words}<" in said


@pytest.mark.parametrize(
    ("count", "form"),
    [(1, "plik"), (3, "pliki"), (12, "plików"), (22, "pliki"), (1022, "pliki"), (312, "plików")],
)
def test_plurals_that_a_script_chooses(polish: None, count: int, form: str) -> None:
    sent = plural_forms(lambda number: ngettext("{all} file done", "{all} files done", number))

    which = sent["which"]
    place = count if count < len(which) else 100 + count % 100  # as upload_transfer.js has it
    assert sent["forms"][int(which[place])] == f"{{all}} {form}"


def test_pages_run_the_way_that_their_language_does() -> None:
    with override("ar"):
        assert '<html lang="ar" dir="rtl">' in render_to_string("500.html")
    with override("de"):
        assert '<html lang="de">' in render_to_string("500.html")


def test_labels_keep_the_capitals_that_their_language_wants() -> None:
    with override("en-gb"):
        assert sentence_case("Current Password") == "Current password"
    with override("de"):
        assert sentence_case("Aktuelles Passwort") == "Aktuelles Passwort"
