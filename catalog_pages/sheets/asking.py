"""An editor sends a file, or confirms what it changes; the work itself is done in the background."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog_pages.errors import DomainError
from catalog_pages.models import CatalogueImport
from catalog_pages.sheets.tasks import apply_import, read_import

State = CatalogueImport.State


class ImportOver(DomainError):
    code = "import_over"
    status = 409

    def __init__(self) -> None:
        super().__init__(_("This import waits for nothing that could be confirmed."))


def import_begin(*, file_name: str, content: bytes, user: Any) -> CatalogueImport:
    """Keep a file and have it compared with the products; nothing of it is written."""
    with transaction.atomic():
        source = CatalogueImport.objects.create(
            file_name=file_name.replace("\0", "")[:255], content=content, created_by=user
        )
        transaction.on_commit(partial(read_import.enqueue, source.pk))
    return source


def import_confirm(*, source: CatalogueImport, user: Any) -> None:
    """Have the differences written, as they were shown, in the name of `user`.

    Pressed twice it is done once; one that the queue has lost goes on. Raises ImportOver.
    """
    with transaction.atomic():
        mine = CatalogueImport.objects.filter(pk=source.pk)
        ready = mine.filter(state=State.READY)
        begun = ready.update(state=State.APPLYING, confirmed_by=user, confirmed_at=timezone.now())
        if not begun and not mine.filter(state=State.APPLYING).exists():
            raise ImportOver
        transaction.on_commit(partial(apply_import.enqueue, source.pk))
