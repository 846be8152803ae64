"""Form fields of the editor: money as people type it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from wagtail.admin.forms import WagtailAdminPageForm

from catalog_pages.money import MoneyError, currency, format_plain, parse_money
from catalog_pages.publishing import publish_problems

# The same words at the field as in the list of `publish_problems`.
NO_PRICE = "Set a price. Type 0 if the product is meant to be free."
NO_ARTIST = "Choose the artist."


class MoneyFormField(forms.CharField):
    """A text box for `4.99`; its value is an integer of minor units, or None when left empty."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strip=True, empty_value="", **kwargs)
        self.widget.attrs.update({"inputmode": "decimal", "autocomplete": "off"})

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            return format_plain(value, settings.STRIPE_CURRENCY)
        return value

    def to_python(self, value: Any) -> int | None:  # type: ignore[override]
        text = super().to_python(value)
        if not text:
            return None
        try:
            return parse_money(text, settings.STRIPE_CURRENCY)
        except MoneyError as error:
            raise ValidationError(str(error), code="invalid_price") from error

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return self.to_python(data) != initial
        except ValidationError:
            return True

    def bound_data(self, data: Any, initial: Any) -> Any:
        return initial if self.disabled else data


class ProductPageForm(WagtailAdminPageForm):
    """The product editor's form: drafts may be unfinished, what is published may not."""

    price_pennies = MoneyFormField(label="Price", required=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        code = settings.STRIPE_CURRENCY
        example = format_plain(499 if currency(code).digits != 3 else 4990, code)
        price, artist = self.fields["price_pennies"], self.fields["artist"]
        price.help_text = f"In {code}, such as {example}. Type 0 to give it away."
        price.error_messages["required"] = NO_PRICE
        artist.error_messages["required"] = NO_ARTIST

    def is_valid(self) -> bool:
        """The form's own rules; then, for everything but a draft, what the product still lacks."""
        valid = super().is_valid()
        if self.is_deferred_validation or self._sends_back or self.errors.get(NON_FIELD_ERRORS):
            return valid
        problems = self._problems()
        for problem in problems:
            self.add_error(None, ValidationError(problem, code="not_ready"))
        return valid and not problems

    @property
    def _sends_back(self) -> bool:
        """A moderator who asks for changes must be able to do so because things are missing."""
        action = self.data.get("workflow-action-name")
        return bool(self.data.get("action-workflow-action")) and action != "approve"

    def _problems(self) -> list[str]:
        """All at once, so that nobody publishes five times to find five mistakes.

        Fields say what is wrong with them themselves. Tracks can only be asked about once their own
        forms are right: they are put on the page object, in memory.
        """
        tracks = self.formsets["tracks"]
        if not tracks.is_valid():
            return []
        tracks.save(commit=False)
        said = {NO_PRICE: "price_pennies", NO_ARTIST: "artist"}
        return [
            problem
            for problem in publish_problems(self.instance)
            if said.get(problem) not in self.errors
        ]
