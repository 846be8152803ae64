"""One cell of one column, as it is stored; or the sentence that says why it cannot be."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bs4 import BeautifulSoup
from django.conf import settings
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from wagtail.admin.rich_text.converters.contentstate import ContentstateConverter

from catalog_pages.audio.text import fold, is_fine
from catalog_pages.errors import DomainError
from catalog_pages.models import ProductPage
from catalog_pages.money import parse_money
from catalog_pages.sheets.products import Names

MOST_TITLE = 255
YES = frozenset({"yes", "y", "true", "1", "x"})
NO = frozenset({"no", "n", "false", "0"})


class CellRefused(DomainError):
    code = "cell_refused"
    status = 422


@dataclass(frozen=True)
class Known:
    """The keys of artists and genres by what their names compare as."""

    artists: dict[str, int]
    genres: dict[str, int]

    @classmethod
    def of(cls, names: Names) -> Known:
        return cls(
            {fold(name): pk for pk, name in names.artists.items()},
            {fold(name): pk for pk, name in names.genres.items()},
        )


def value_of(column: str, text: str, known: Known) -> tuple[str, Any]:
    """The model's field and its new value. Raises CellRefused and MoneyError, whose text is the sentence."""
    field, read = READERS[column]
    return field, read(text, known)


def _title(text: str, known: Known) -> str:
    title = " ".join(text.split())
    if len(title) > MOST_TITLE:
        raise CellRefused(_("A title has at most %(most)d characters.") % {"most": MOST_TITLE})
    if not all(map(is_fine, title)):
        raise CellRefused(_("There are characters in it that nobody can read."))
    return title


def _artist(text: str, known: Known) -> int:
    if (pk := known.artists.get(fold(text))) is None:
        raise CellRefused(
            _("There is no artist “%(name)s”. Add it under Snippets first.")
            % {"name": text.strip()}
        )
    return pk


def _genre(text: str, known: Known) -> int:
    if (pk := known.genres.get(fold(text))) is None:
        raise CellRefused(
            _("There is no genre “%(name)s”. Add it under Snippets first.") % {"name": text.strip()}
        )
    return pk


def _price(text: str, known: Known) -> int:
    return parse_money(text, settings.STRIPE_CURRENCY)


def _yes_or_no(text: str, known: Known) -> bool:
    word = fold(text)
    if word not in YES | NO:
        raise CellRefused(_("Write yes or no."))
    return word in YES


def _day(text: str, known: Known) -> str:
    try:
        day = parse_date(text.strip())
    except ValueError:
        day = None
    if day is None:
        raise CellRefused(_("Write a day such as 2026-03-31."))
    return day.isoformat()


def _credits(text: str, known: Known) -> str:
    lines = newlines(text).replace("\t", " ")
    return "".join(c for c in lines if c == "\n" or is_fine(c)).strip("\n")


def newlines(text: str) -> str:
    """Line ends as this system writes them, whichever the spreadsheet's does."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def rich_text(text: str, known: Known | None = None) -> str:
    """Plain text in paragraphs, or simple HTML, as the editor itself would have stored it.

    What the editor cannot make goes: headings and pictures become text or nothing, scripts and addresses
    that run something go for good.
    """
    source = newlines(text).strip()
    markup = source if re.search(r"<[a-zA-Z/!]", source) else _paragraphs(source)
    features = ProductPage._meta.get_field("description").features
    # Parsers that were written for an editor's own markup give up on a stranger's in their own ways.
    try:
        soup = BeautifulSoup(markup, "html.parser")
        for tag in soup(["script", "style", "template", "iframe", "object"]):
            tag.decompose()
        converter = ContentstateConverter(features=features)
        return str(converter.to_database_format(converter.from_database_format(str(soup))))
    except Exception as error:
        raise CellRefused(
            _(
                "This HTML is not well formed. Use plain text, or <p>, <b>, <i>, <ul>, <ol>, <li>, <a>."
            )
        ) from error


def _paragraphs(text: str) -> str:
    parts = [html.escape(part).replace("\n", "<br/>") for part in re.split(r"\n\s*\n", text)]
    return "".join(f"<p>{part}</p>" for part in parts if part)


READERS: dict[str, tuple[str, Callable[[str, Known], Any]]] = {
    "title": ("title", _title),
    "artist": ("artist_id", _artist),
    "genre": ("genre_id", _genre),
    "price": ("price_pennies", _price),
    "pay_what_you_want": ("pay_what_you_want", _yes_or_no),
    "suggested_price": ("suggested_price_pennies", _price),
    "release_date": ("release_date", _day),
    "description": ("description", rich_text),
    "credits": ("credits", _credits),
}
