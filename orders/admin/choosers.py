"""A form field for any number of rows, each chosen in the window that Wagtail has for one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from wagtail.admin.widgets.chooser import BaseChooser

ID = re.compile(r"[0-9]{1,18}", flags=re.ASCII)
MANY = 200


class ManyChoosers(forms.Widget):
    """One chooser under another, all of the same name, and a button that adds one.

    A cleared one counts for nothing. Wagtail's choosers are nothing without scripts, and so is this.
    """

    template_name = "orders/admin/_many_choosers.html"

    def __init__(self, chooser: BaseChooser, *, choose: str | Promise) -> None:
        super().__init__()
        self.chooser, self.choose = chooser, choose

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        return [value for value in data.getlist(name) if value]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        base = context["widget"]["attrs"].get("id", f"id_{name}")
        values = _plain(value)
        context |= {
            "choosers": [
                self.chooser.render(name, one, {"id": f"{base}-{place}"})
                for place, one in enumerate(values)
            ],
            "blank": self.chooser.render_html(name, None, {"id": "__ID__"}),
            "base": base,
            "constructor": self.chooser.js_constructor,
            "options": self.chooser.base_js_init_options,
            "options_id": f"{base}-options",
            "count": len(values),
            "choose": self.choose,
        }
        return context

    def _render(self, template_name: str, context: dict[str, Any], renderer: Any = None) -> Any:
        """By the project's own templates, as Wagtail's choosers are; forms know Django's alone."""
        return render_to_string(template_name, context)

    def use_required_attribute(self, initial: Any) -> bool:
        return False

    @property
    def media(self) -> forms.Media:
        return self.chooser.media + forms.Media(js=["orders/admin/many_choosers.js"])


class ManyField(forms.ModelMultipleChoiceField):
    """Rows by their ids; what cannot be an id is a sentence, whatever was posted."""

    def clean(self, value: Any) -> Any:
        values = list(value or ())
        if len(values) > MANY:
            raise ValidationError(_("Choose up to {many}.").format(many=MANY))
        if not all(ID.fullmatch(str(one)) for one in values):
            raise ValidationError(_("Choose from what the shop has."))
        return super().clean(values)


def _plain(value: Any) -> list[int | str]:
    """Ids to draw a chooser for; strange ones that somebody posted are left out."""
    rows: Iterable[Any] = value or ()
    ids = [row.pk if isinstance(row, Model) else row for row in rows]
    return [one for one in ids if ID.fullmatch(str(one))][:MANY]
