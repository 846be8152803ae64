"""The form for a note: its id comes with the page, so that pressing twice is one note."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from orders.models import Order
from orders.models.desk import MAX_NOTE


class NoteForm(forms.Form):
    note_id = forms.UUIDField(
        widget=forms.HiddenInput,
        error_messages={"required": _("Write it again."), "invalid": _("Write it again.")},
    )
    text = forms.CharField(
        label=_("Note"),
        max_length=MAX_NOTE,
        help_text=_("For staff; the buyer never sees it. Nobody can change it afterwards."),
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={
            "required": _("The note was empty. Write something first."),
            "max_length": _(
                "A note can be up to %(limit_value)d characters long; this one has %(show_value)d."
            ),
        },
    )


def note_form(request: Any, order: Order) -> NoteForm:
    """An empty form, or one with what could not be written down a moment ago."""
    text = request.session.pop(f"note-{order.pk}", "")
    return NoteForm(initial={"note_id": uuid.uuid4(), "text": text}, auto_id="note-%s")
