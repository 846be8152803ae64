"""What staff write down about orders, and the buyers as the desk lists them."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from orders.models.orders import Order

MAX_NOTE = 2000
MAX_REASON = 300


class NotesAreAppendOnly(Exception):
    """Somebody tried to rewrite what staff wrote down."""


class OrderNoteQuerySet(models.QuerySet["OrderNote"]):
    """Notes are added, and nothing else happens to them."""

    def update(self, **kwargs: Any) -> int:
        raise NotesAreAppendOnly("Write another note instead.")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise NotesAreAppendOnly("Notes stay as they were written.")


class OrderNote(models.Model):
    """A few words of staff about one order, for staff. Nobody changes one, the database included.

    The id is that of the form it was typed into, so that pressing twice is one note.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="notes")
    text = models.CharField(max_length=MAX_NOTE)
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    wagtail_reference_index_ignore = True
    objects = OrderNoteQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="order_note_says_something")
        ]

    def __str__(self) -> str:
        return gettext("Note on {order_id}").format(order_id=self.order_id)

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise NotesAreAppendOnly("Write another note instead.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise NotesAreAppendOnly("Notes stay as they were written.")


class FreeCopy(models.Model):
    """Why an order of nothing was made by staff: who gave it, to make good for which other order."""

    order = models.OneToOneField(Order, on_delete=models.PROTECT, related_name="free_copy")
    about = models.ForeignKey(
        Order,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="free_copies_for_it",
        help_text=_("The order from whose page it was given."),
    )
    reason = models.CharField(max_length=MAX_REASON)
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name_plural = _("free copies")
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="free_copy_has_a_reason")
        ]

    def __str__(self) -> str:
        return gettext("Free copy {order_id}").format(order_id=self.order_id)


class Customer(Order):
    """A buyer, as the newest order that they paid: there is no table of buyers to fall behind orders."""

    wagtail_reference_index_ignore = True

    class Meta:
        proxy = True
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
