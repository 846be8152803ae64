"""The dry run: what a file would change, row by row, and what is wrong with it. Writes no product."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from catalog_pages.editing import MIRRORS
from catalog_pages.errors import DomainError
from catalog_pages.locales import language_of
from catalog_pages.models import CatalogueImport, ImportRow
from catalog_pages.money import MoneyError
from catalog_pages.publishing import SUGGESTION_TOO_LOW, SUGGESTION_UNUSED
from catalog_pages.sheets.cells import COLUMNS, MOST_CHARACTERS, READ_ONLY, holdable
from catalog_pages.sheets.products import (
    AT_ONCE,
    Names,
    ProductFacts,
    facts_of,
    without_keys,
)
from catalog_pages.sheets.reading import Row, SheetRefused, Unreadable, read_rows
from catalog_pages.sheets.values import Known, newlines, value_of

logger = logging.getLogger(__name__)

State = CatalogueImport.State
RowState = ImportRow.State
PRICE_FIELDS = {"price_pennies", "pay_what_you_want", "suggested_price_pennies"}


def import_read(*, import_id: int) -> str:
    """Compare the file with the products; the state that this leaves the import in, "" for none.

    Harmless to repeat until it is confirmed. A file that cannot be read leaves a sentence and no row.
    """
    source = CatalogueImport.objects.filter(pk=import_id, state=State.READING).first()
    if source is None:
        return ""
    with translation.override(language_of(source.created_by)):
        _read(source)
    return source.state


def _read(source: CatalogueImport) -> None:
    source.rows.all().delete()
    try:
        _Comparison(source).run(bytes(source.content or b""))
    except SheetRefused as refusal:
        source.rows.all().delete()
        _end(source, State.FAILED, sentence=refusal.message)
    except Exception:
        logger.exception("Import %s could not be compared", source.pk)
        source.rows.all().delete()
        said = _("Something in this file could not be understood, which the shop has written down.")
        _end(source, State.FAILED, sentence=said)


def _end(source: CatalogueImport, state: str, **fields: Any) -> None:
    source.state, source.content = state, None
    for name, value in fields.items():
        setattr(source, name, value)
    source.save(update_fields=["state", "content", *fields])


class _Comparison:
    """One file against the products, a few hundred rows at a time."""

    def __init__(self, source: CatalogueImport) -> None:
        self.source = source
        self.names = Names.load()
        self.known = Known.of(self.names)
        self.seen: dict[int, int] = {}  # product -> the row that it was in first
        self.twice: dict[int, int] = {}  # that row -> the one in which it is again
        self.read = self.same = 0

    def run(self, content: bytes) -> None:
        columns, rows = read_rows(content)
        for chunk in _chunks(rows):
            self._compare(chunk)
        self._refuse_first_of_twice()
        found = self.source.rows
        absent = [name for name in COLUMNS if name not in columns and name not in READ_ONLY]
        said = _("Not in this file, and left alone: %(names)s.") % {"names": ", ".join(absent)}
        _end(
            self.source,
            State.READY,
            sentence=said if absent else "",
            rows_read=self.read,
            rows_same=self.same,
            rows_wrong=found.filter(state=RowState.WRONG).count(),
            rows_changed=found.filter(state=RowState.WAITING).count(),
        )

    def _compare(self, chunk: list[Row]) -> None:
        keys = {number: _key(cells["id"]) for number, cells in chunk}
        products = facts_of(key for key in keys.values() if key is not None)
        made = []
        for number, cells in chunk:
            self.read += 1
            row = self._row(number, cells, keys[number], products.get(keys[number] or 0))
            if row is None:
                self.same += 1
            else:
                made.append(row)
        with transaction.atomic():
            ImportRow.objects.bulk_create(made)

    def _row(
        self, number: int, cells: dict[str, str], key: int | None, product: ProductFacts | None
    ) -> ImportRow | None:
        """What the row comes to; None when it changes nothing."""
        errors = {"": cells[""]} if cells.get("") else {}
        if product is None:
            errors["id"] = _("There is no product with this number.")
            if isinstance(cells["id"], Unreadable):
                errors["id"] = cells["id"].sentence
            elif key is None:
                errors["id"] = _("Write the number of a product, as the export has it.")
            return self._wrong(number, cells, errors)
        if product.pk in self.seen:
            first = self.seen[product.pk]
            self.twice[first] = number
            errors["id"] = _("Product %(id)d is in row %(row)d as well.") % {
                "id": product.pk,
                "row": first,
            }
            return self._wrong(number, cells, errors)
        self.seen[product.pk] = number
        changes, values = self._differences(cells, product, errors)
        if changes and product.mirrors:
            errors["id"] = MIRRORS % {"title": product.mirrors}
        _check_prices(product, values, errors)
        if errors:
            return self._wrong(number, cells, errors, changes, product)
        if not changes:
            return None
        return ImportRow(
            source=self.source,
            number=number,
            page_id=product.pk,
            title=product.values["title"][:255],
            revision_id=product.revision_id,
            changes=changes,
            values=values,
            state=RowState.WAITING,
        )

    def _differences(
        self, cells: dict[str, str], product: ProductFacts, errors: dict[str, str]
    ) -> tuple[dict[str, list[str]], dict[str, Any]]:
        """Old and new texts by column, new values by field; an empty cell leaves alone what is there."""
        changes: dict[str, list[str]] = {}
        values: dict[str, Any] = {}
        now = product.cells(self.names)
        for column, text in cells.items():
            is_same = _is_same(text, now.get(column, ""))
            if column in ("id", "live", "") or not text.strip() or is_same:
                continue
            if column == "slug":
                said = _("Its address is “%(slug)s”. An import changes no addresses.")
                errors[column] = said % {"slug": now["slug"]}
                continue
            if isinstance(text, Unreadable):
                errors[column] = text.sentence
                continue
            try:
                field, value = value_of(column, text, self.known)
            except (DomainError, MoneyError) as error:
                errors[column] = str(error)
                continue
            if _plain(value) != _plain(product.values[field]):
                # As it would be stored, whichever way it was typed: 4,99 is 4.99, and scripts are gone.
                stored = replace(product, values={**product.values, field: value})
                changes[column] = [now[column], stored.cells(self.names)[column]]
                values[field] = value
        return changes, values

    def _wrong(
        self,
        number: int,
        cells: dict[str, str],
        errors: dict[str, str],
        changes: dict[str, list[str]] | None = None,
        product: ProductFacts | None = None,
    ) -> ImportRow:
        return ImportRow(
            source=self.source,
            number=number,
            page_id=product.pk if product else None,
            title=(product.values["title"] if product else holdable(cells.get("title", "")))[:255],
            changes=changes or {},
            errors=errors,
            state=RowState.WRONG,
        )

    def _refuse_first_of_twice(self) -> None:
        """Which of two rows is meant nobody knows: neither is taken."""
        by_row = {number: pk for pk, number in self.seen.items()}
        for first, second in self.twice.items():
            said = _("Product %(id)d is in row %(row)d as well.")
            error = {"id": said % {"id": by_row[first], "row": second}}
            ImportRow.objects.filter(source=self.source, number=first).update(
                state=RowState.WRONG, errors=error
            )


def _check_prices(product: ProductFacts, values: dict[str, Any], errors: dict[str, str]) -> None:
    """The rules that hold between price, suggestion and who names the price."""
    if not PRICE_FIELDS & set(values):
        return
    new = {**product.values, **values}
    suggested = new["suggested_price_pennies"]
    if suggested is None:
        return
    if not new["pay_what_you_want"]:
        errors["suggested_price"] = str(SUGGESTION_UNUSED)
    elif suggested < (new["price_pennies"] or 0):
        errors["suggested_price"] = str(SUGGESTION_TOO_LOW)


def _is_same(text: str, now: str) -> bool:
    """Whether the cell says what is there already, or as much of it as a sheet can hold."""
    typed, stored = newlines(text).strip(), newlines(holdable(now)).strip()
    is_cut = isinstance(text, Unreadable) and len(text) >= MOST_CHARACTERS - 1
    return stored.startswith(typed) if is_cut else typed == stored


def _plain(value: Any) -> Any:
    return without_keys(value) if isinstance(value, str) else value


def _key(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    chunk: list[Row] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == AT_ONCE:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
