"""How a number compares with what it was before, in words; and money of whatever currency there is."""

from __future__ import annotations

from django.utils.translation import gettext as _

from catalog_pages.locales import grouped
from catalog_pages.money import currency, format_money, is_supported


def change_words(now: int, before: int) -> str:
    """`up 25%`, `down 8%`, `no change`, `up from nothing`; "" where a percentage says nothing, as
    between numbers on both sides of zero."""
    if now == before:
        return _("no change")
    if before == 0:
        return _("up from nothing") if now > 0 else _("down from nothing")
    if before < 0 or now < 0:
        return ""
    percent = (200 * abs(now - before) + before) // (2 * before)
    if now > before:
        return _("up %(percent)s%%") % {
            "percent": grouped(percent) if percent else _("less than 1")
        }
    return _("down %(percent)s%%") % {"percent": percent or _("less than 1")}


def money(pennies: int, code: str) -> str:
    """A bank may dispute an amount in a currency that no shop can sell in: then it is a plain number."""
    return format_money(pennies, code) if is_supported(code) else f"{grouped(pennies)} {code}"


def digits_of(code: str) -> int:
    return currency(code).digits if is_supported(code) else 0


def percent_words(part: int, whole: int) -> str:
    """One decimal, half up: `12.5%`; "" of nothing."""
    if not whole:
        return ""
    tenths = (2000 * part + whole) // (2 * whole)
    return f"{tenths // 10}.{tenths % 10}%"
