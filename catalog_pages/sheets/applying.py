"""A file that was shown and confirmed, written: each row on its own, and each once."""

from __future__ import annotations

from typing import Any

from django.utils import translation
from django.utils.dateparse import parse_date

from catalog_pages.changing import IMPORT, Came, Outcome, product_change
from catalog_pages.locales import language_of
from catalog_pages.models import CatalogueImport, ImportRow
from catalog_pages.sheets.products import AT_ONCE

State = CatalogueImport.State
RowState = ImportRow.State


def import_apply(*, import_id: int) -> int:
    """Write every row that waits; how many were written.

    Started again after it was cut off, it goes on. A product that has another version than the one that
    was shown, that is locked or in moderation, or that whoever confirmed may not edit is left alone, and
    its row says so.
    """
    source = CatalogueImport.objects.select_related("confirmed_by").filter(pk=import_id).first()
    if source is None or source.state != State.APPLYING:
        return 0
    written = 0
    while rows := list(source.rows.filter(state=RowState.WAITING).order_by("number")[:AT_ONCE]):
        for row in rows:
            with translation.override(language_of(source.confirmed_by)):
                outcome = _written(row, source)
            is_done = outcome.came != Came.LEFT
            ImportRow.objects.filter(pk=row.pk).update(
                state=RowState.DONE if is_done else RowState.LEFT, sentence=outcome.sentence
            )
            written += is_done
    CatalogueImport.objects.filter(pk=source.pk, state=State.APPLYING).update(state=State.DONE)
    return written


def _written(row: ImportRow, source: CatalogueImport) -> Outcome:
    values: dict[str, Any] = dict(row.values)
    if "release_date" in values:
        values["release_date"] = parse_date(values["release_date"])
    return product_change(
        page_id=row.page_id or 0,
        values=values,
        user=source.confirmed_by,
        action=IMPORT,
        comment=f"{source.file_name}: {', '.join(row.changes)}",
        revision_id=row.revision_id,
    )
