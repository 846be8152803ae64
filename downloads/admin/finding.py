"""Which grants a text is about: by holder, order, title, file or id, each where an index serves it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.db.models.functions import Lower

from catalog_pages.beginnings import begins
from catalog_pages.models import DigitalAsset
from catalog_pages.search_text import asked_text
from downloads.models import UserAsset

MAX_FOUND = 500
MAX_WORDS = 8
MAX_FILES = 100  # of those whose names begin so


@dataclass(frozen=True)
class Found:
    """Ids of grants; `is_cut`: more match than these."""

    ids: list[uuid.UUID] = field(default_factory=list)
    is_cut: bool = False


@dataclass(frozen=True)
class _Part:
    """Rows beside which more were not looked for."""

    rows: QuerySet[UserAsset]


def grants_found(text: str | None) -> Found:
    """At most `MAX_FOUND` grants that the text as a whole, or each of its words, points to."""
    asked = asked_text(text)
    words = asked.split()[:MAX_WORDS]
    if not words:
        return Found()
    if (key := id_in(asked)) is not None:
        return _found([UserAsset.objects.filter(pk=key), UserAsset.objects.filter(asset=key)], None)
    whole = _found([*_by_title(asked), _by_file(asked)], None)
    if len(words) == 1:
        return _joined(whole, _found(_by_word(words[0]), None))
    each: Found | None = None
    for word in sorted(words, key=_is_loose):
        each = _found(_by_word(word), each)
    return _joined(whole, each or Found())


def id_in(text: str) -> uuid.UUID | None:
    """The id that the whole text is, with dashes or without."""
    digits = "".join(text.split())
    try:
        return uuid.UUID(digits) if len(digits.replace("-", "")) == 32 else None
    except ValueError:
        return None


def _is_loose(word: str) -> bool:
    """Titles are shared by many; addresses and numbers come first, so that nothing is cut off."""
    return "@" not in word and not any(c.isdigit() for c in word)


def _found(looks: Iterable[QuerySet[UserAsset] | _Part], among: Found | None) -> Found:
    found: dict[uuid.UUID, None] = {}
    is_cut = among is not None and among.is_cut
    for look in looks:
        rows = look.rows if isinstance(look, _Part) else look
        is_cut = is_cut or isinstance(look, _Part)
        wanted = rows if among is None else rows.filter(pk__in=among.ids)
        some = wanted.order_by().values_list("pk", flat=True)[: MAX_FOUND + 1]
        found.update(dict.fromkeys(some))
    return _limited(found, is_cut=is_cut)


def _joined(first: Found, second: Found) -> Found:
    both = dict.fromkeys([*first.ids, *second.ids])
    return _limited(both, is_cut=first.is_cut or second.is_cut)


def _limited(ids: dict[uuid.UUID, None], *, is_cut: bool) -> Found:
    return Found(list(ids)[:MAX_FOUND], is_cut or len(ids) > MAX_FOUND)


def _by_word(word: str) -> Iterator[QuerySet[UserAsset] | _Part]:
    address = word.lower()
    grants = UserAsset.objects.all()
    accounts = get_user_model().objects.alias(folded=Lower("email")).filter(folded=address)
    yield begins(grants, "email", address)
    yield grants.filter(user__in=accounts.values("pk"))
    squashed = re.sub(r"[^0-9A-Za-z]", "", word).upper()
    if 4 <= len(squashed) <= 8:
        number = f"{squashed[:4]}-{squashed[4:]}"
        yield grants.filter(order_item__order__number__startswith=number)
    yield from _by_title(word)
    yield _by_file(word)


def _by_title(text: str) -> list[QuerySet[UserAsset]]:
    grants = UserAsset.objects.all()
    return [begins(grants, "title", text), begins(grants, "order_item__title", text)]


def _by_file(text: str) -> QuerySet[UserAsset] | _Part:
    files = begins(DigitalAsset.objects.all(), "file_name", text).values_list("pk", flat=True)
    keys = list(files[: MAX_FILES + 1])
    rows = UserAsset.objects.filter(asset__in=keys[:MAX_FILES])
    return _Part(rows) if len(keys) > MAX_FILES else rows
