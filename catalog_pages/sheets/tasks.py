"""Work for the task queue: a spreadsheet, compared or written. One that is gone needs nothing."""

from __future__ import annotations

from django_tasks import task

from catalog_pages.sheets.applying import import_apply
from catalog_pages.sheets.comparing import import_read


@task()
def read_import(import_id: int) -> str:
    """Compare one file with the products; the state that it is in then."""
    return import_read(import_id=import_id)


@task()
def apply_import(import_id: int) -> int:
    """Write what was confirmed of one file; how many products changed."""
    return import_apply(import_id=import_id)
