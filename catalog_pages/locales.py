"""How the language of this moment writes numbers and lists; Django's formats write its dates.

The language is the shop's (`LANGUAGE_CODE`), in the admin each person's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.lists import format_list
from babel.numbers import format_decimal
from django.conf import settings
from django.utils.translation import get_language, ngettext, to_locale
from django.utils.translation import gettext_lazy as _

ENGLISH = Locale("en", "GB")
NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"


def locale_now() -> Locale:
    """Of the active language; the shop's own where translations are switched off."""
    return locale_of(get_language() or settings.LANGUAGE_CODE)


def language_of(user: Any) -> str:
    """The admin's language of somebody: for sentences that are made in the background and read by them."""
    profile = getattr(user, "wagtail_userprofile", None)
    return (
        (profile and profile.get_preferred_language()) or get_language() or settings.LANGUAGE_CODE
    )


@lru_cache(maxsize=64)
def locale_of(language: str) -> Locale:
    """What Babel knows of `de` or `pt-br`; of a dialect that it does not know, its language's."""
    for name in (to_locale(language), language.partition("-")[0]):
        try:
            return Locale.parse(name)
        except (ValueError, UnknownLocaleError):
            continue
    return ENGLISH


def joined(words: Iterable[object]) -> str:
    """`a, b and c`."""
    return format_list([str(word) for word in words], locale=locale_now())


def quoted(titles: Iterable[str]) -> str:
    """`“a”, “b” and “c”`."""
    return joined(f"“{title}”" for title in titles)


def grouped(number: int) -> str:
    """`12,345`."""
    return format_decimal(number, locale=locale_now())


SIZES = (_("{size} kB"), _("{size} MB"), _("{size} GB"), _("{size} TB"))


def size_words(size_bytes: int) -> str:
    """`31 MB`: powers of a thousand as disks and data plans count, two figures at least."""
    if size_bytes < 1000:
        words = ngettext("{size} byte", "{size} bytes", size_bytes)
        return words.format(size=size_bytes).replace(" ", NO_BREAK_SPACE)
    power, size = 0, Decimal(size_bytes) / 1000
    while size >= Decimal("999.5") and power < len(SIZES) - 1:
        power, size = power + 1, size / 1000
    pattern = "0.0" if size < Decimal("9.95") else "0"
    number = format_decimal(size, format=pattern, locale=locale_now())
    return SIZES[power].format(size=number).replace(" ", NO_BREAK_SPACE)


def decimal(number: Decimal) -> str:
    """`44.1`: as many decimals as there are, three at most."""
    return format_decimal(number, locale=locale_now())
