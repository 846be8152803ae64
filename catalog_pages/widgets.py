"""A colour as text, with the browser's own picker beside it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _


class ColourInput(forms.TextInput):
    """The text is what is sent; the picker has no name and works through our script alone."""

    def __init__(self, default: str = "#000000", attrs: dict[str, Any] | None = None) -> None:
        super().__init__(
            {"maxlength": "20", "spellcheck": "false", "autocomplete": "off", **(attrs or {})}
        )
        self.default = default

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        return format_html(
            '<div class="colour-input" data-colour-input data-default="{}">{}'
            '<input type="color" value="{}" aria-label="{}" data-colour-picker></div>',
            self.default,
            super().render(name, value, attrs, renderer),
            self.default,
            _("Pick a colour"),
        )

    @property
    def media(self) -> forms.Media:
        return forms.Media(
            css={"all": ["catalog_pages/admin/colour.css"]}, js=["catalog_pages/admin/colour.js"]
        )
