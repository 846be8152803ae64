"""Form fields of the editor: money as people type it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from wagtail.admin.forms import WagtailAdminPageForm

from catalog_pages.money import MoneyError, currency, format_plain, parse_money
from catalog_pages.publishing import publish_problems


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
        if text in self.empty_values:
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
    """The product editor's form: an unfinished draft is saved, an unfinished product is not published."""

    price_pennies = MoneyFormField(label="Price", required=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "price_pennies" in self.fields:
            code = settings.STRIPE_CURRENCY
            example = format_plain(499 if currency(code).digits != 3 else 4990, code)
            self.fields["price_pennies"].help_text = (
                f"In {code}, such as {example}. Type 0 to give it away."
            )

    def is_valid(self) -> bool:
        """The form's own rules first; then, unless it is a draft, the product's."""
        valid = super().is_valid()
        if not valid or self.is_deferred_validation:  # a draft may be unfinished
            return valid
        self.save(commit=False)  # puts the tracks on the page object, in memory
        problems = publish_problems(self.instance)
        for problem in problems:
            self.add_error(None, ValidationError(problem, code="not_ready"))
        return not problems
