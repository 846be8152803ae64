"""A language that shows what is translated: every sentence of the catalogues stands in ⟦brackets⟧."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser

from django.apps import apps
from django.conf import settings
from django.db import models
from django.utils.translation import trans_real

OPEN, CLOSE = "⟦", "⟧"
SHOWN_ATTRIBUTES = {"alt", "aria-label", "data-label", "placeholder", "title"}
SILENT = {"script", "style"}


class Brackets(trans_real.DjangoTranslation):
    """The shop's own language, marked. Placeholders stay as they are; so does what is empty."""

    def gettext(self, message: str) -> str:
        return self._marked(message.rpartition(trans_real.CONTEXT_SEPARATOR)[2])

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        return self.gettext(singular if number == 1 else plural)

    @staticmethod
    def _marked(message: str) -> str:
        return f"{OPEN}{message}{CLOSE}" if message.strip() else message


@contextmanager
def everything_marked() -> Iterator[None]:
    language = settings.LANGUAGE_CODE
    real = trans_real.translation(language)
    default, active = trans_real._default, getattr(trans_real._active, "value", None)
    marked = Brackets(language)
    trans_real._translations[language] = marked
    trans_real._default = trans_real._active.value = marked
    try:
        yield
    finally:
        trans_real._translations[language] = real
        trans_real._default = default
        if active is None:
            del trans_real._active.value
        else:
            trans_real._active.value = active


class Outside:
    """What of a text stands in no brackets; they may stand in one another, and reach from block to block."""

    def __init__(self) -> None:
        self.depth = 0

    def __call__(self, text: str) -> str:
        kept = []
        for character in text:
            if character == OPEN:
                self.depth += 1
            elif character == CLOSE:
                self.depth -= 1
            elif not self.depth:
                kept.append(character)
        return "".join(kept)


def outside(text: str) -> str:
    return Outside()(text)


class _Reader(HTMLParser):
    """One text for each block, so that a sentence with a link in it stays whole."""

    INLINE = {"a", "abbr", "b", "code", "em", "i", "small", "span", "strong", "time"}

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, str]] = []  # what stands outside, and all of it
        self.block: list[str] = []
        self.outside = Outside()
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.silent += tag in SILENT
        if tag not in self.INLINE:
            self.flush()
        for name, value in attrs:
            if value and (name in SHOWN_ATTRIBUTES or name.startswith(("data-say-", "data-says-"))):
                self.say(value)
        if tag == "input" and values.get("type") in ("submit", "button", "reset"):
            self.say(values.get("value") or "")
        if tag == "meta" and values.get("name") == "description":
            self.say(values.get("content") or "")

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in SILENT
        if tag not in self.INLINE:
            self.flush()

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.block.append(data)

    def flush(self) -> None:
        text = " ".join("".join(self.block).split())
        if text:
            self.found.append((self.outside(text), text))
        self.block = []

    def say(self, value: str) -> None:
        self.found.append((outside(value), value))


def texts(html: str) -> list[tuple[str, str]]:
    """All that a page says, its text and the attributes that are read: what is unmarked of it, and it."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    reader.flush()
    return reader.found


WORD = re.compile(r"[^\W\d_]{2,}")


def words_of_data() -> set[str]:
    """Words of names, titles, addresses and ids in the database: they are nobody's to translate."""
    found: set[str] = set()
    for model in apps.get_models():
        names = [
            field.name
            for field in model._meta.concrete_fields
            if isinstance(
                field,
                (
                    models.CharField,
                    models.TextField,
                    models.UUIDField,
                    models.FileField,
                    models.JSONField,
                ),
            )
            and not field.choices
        ]
        if model._meta.label in LEFT_OUT or not names:
            continue
        for row in model._base_manager.values_list(*names):
            for value in row:
                found.update(WORD.findall(outside(str(value))))
    return found


# Names of rights and of models, which Django stores in English.
LEFT_OUT = {"auth.Permission", "contenttypes.ContentType"}
