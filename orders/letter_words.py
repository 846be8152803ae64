"""An owner's own words in letters: which placeholders they may hold, and what becomes of them.

Nothing of the text is ever evaluated: a placeholder is one of a few fixed names between braces.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from django.utils.translation import gettext as _

SHOP_NAME, CONTACT_EMAIL, ORDER_NUMBER = "shop_name", "contact_email", "order_number"
# Letters that go to the buyer and are about one order.
ABOUT_AN_ORDER = frozenset(
    "receipt processing payment_failed refunded access_suspended access_restored".split()
)
_PLACEHOLDER = re.compile(r"\{([a-z_]{1,40})\}")


def placeholders_of(kind: str) -> tuple[str, ...]:
    """The names that a letter of this kind knows."""
    everywhere = (SHOP_NAME, CONTACT_EMAIL)
    return (*everywhere, ORDER_NUMBER) if kind in ABOUT_AN_ORDER else everywhere


def placeholders_in(text: str) -> set[str]:
    return set(_PLACEHOLDER.findall(text))


def words_problem(*, kind: str, text: str) -> str:
    """What is wrong with the placeholders, as a sentence; "" when nothing is."""
    known = placeholders_of(kind)
    for name in _PLACEHOLDER.findall(text):
        if name == ORDER_NUMBER and name not in known:
            return _(
                "This letter is about no order that its reader knows of: leave out {order_number}."
            )
        if name not in known:
            return _("There is nothing called {%(name)s}. Use %(known)s.") % {
                "name": name,
                "known": _listed(known),
            }
    if re.search(r"[{}]", _PLACEHOLDER.sub("", text)):
        return _("Braces are for %(known)s alone: look at the { and } in your text.") % {
            "known": _listed(known)
        }
    return ""


def words_paragraphs(text: str, values: Mapping[str, str]) -> list[str]:
    """Paragraphs with their placeholders filled in, as plain text. What has no value stays as typed."""
    filled = _PLACEHOLDER.sub(
        lambda found: values.get(found[1], found[0]), text.replace("\r\n", "\n")
    )
    parts = (part.strip() for part in re.split(r"\n[ \t]*\n", filled))
    return [part for part in parts if part]


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"{{{name}}}" for name in names)
