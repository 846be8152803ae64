"""Notes that staff write on orders, for staff."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import IntegrityError, transaction

from orders.errors import FormUsedElsewhere
from orders.models import Order, OrderNote


def order_note_write(
    *, note_id: uuid.UUID, order: Order, text: str, by: Any
) -> tuple[OrderNote, bool]:
    """The note, and whether this call wrote it; the same `note_id` is the same note.

    The caller has checked the text's length and that `by` may write. Raises FormUsedElsewhere when
    the id is that of another note.
    """
    note = OrderNote(pk=note_id, order=order, text=text, written_by=by)
    try:
        with transaction.atomic():
            note.save(force_insert=True)
    except IntegrityError:
        first = OrderNote.objects.filter(pk=note_id).first()
        if first is None:  # the order went away meanwhile
            raise
        if (first.order_id, first.text) != (order.pk, text):
            raise FormUsedElsewhere from None
        return first, False
    return note, True
