"""Form fields of the editor: money as people type it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from modelcluster.forms import BaseChildFormSet
from wagtail.admin.forms import WagtailAdminPageForm

from catalog_pages.money import MoneyError, currency, format_plain, parse_money
from catalog_pages.posted import CarefulForm
from catalog_pages.publishing import NO_ARTIST, NO_PRICE, Problem, publish_problems


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


class ContentsFormSet(BaseChildFormSet):
    """What a bundle contains. A row in which nothing was chosen is no row, in drafts as well."""

    def _should_delete_form(self, form: Any) -> bool:
        return super()._should_delete_form(form) or not form.data.get(form.add_prefix("product"))

    def clean(self) -> None:
        super().clean()
        for form in self.forms:
            product = form.cleaned_data.get("product") if form.is_valid() else None
            if product is not None and product.pk == self.instance.pk:
                form.add_error("product", gettext("A bundle cannot contain itself."))

    def get_unique_error_message(self, unique_check: Any) -> str:
        return gettext("A product can be in a bundle only once.")

    def get_form_error(self) -> str:
        return gettext("This product is in the bundle already.")


def _unread_rows(formset: BaseChildFormSet, name: str) -> list[Problem]:
    """What is wrong with rows that cannot be put on the page, one sentence for each row."""
    kept = [form for form in formset.forms if not formset._should_delete_form(form)]
    sentence = gettext("Row {number} has a mistake; it is told there when you save.")
    return [
        Problem(sentence.format(number=row + 1), field=name, row=row)
        for row, form in enumerate(kept)
        if not form.is_valid()
    ] or [Problem(told, field=name) for told in formset.non_form_errors()]


class ProductPageForm(CarefulForm, WagtailAdminPageForm):
    """The product editor's form: drafts may be unfinished, what is published may not."""

    price_pennies = MoneyFormField(label=_("Price"), required=True)
    suggested_price_pennies = MoneyFormField(label=_("Suggested price"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        code = settings.STRIPE_CURRENCY
        example = format_plain(499 if currency(code).digits != 3 else 4990, code)
        price, artist = self.fields["price_pennies"], self.fields["artist"]
        price.help_text = gettext(
            "In {code}, such as {example}. Type 0 to give it away. Where buyers name their "
            "price, this is the least that they pay."
        ).format(code=code, example=example)
        self.fields["suggested_price_pennies"].help_text = gettext(
            "What stands in the buyer's field at first, when buyers name their price. Leave empty "
            "for the price."
        )
        price.error_messages["required"] = NO_PRICE
        artist.error_messages["required"] = NO_ARTIST

    def is_valid(self) -> bool:
        """The form's own rules; then, for everything but a draft, what the product still lacks."""
        valid = super().is_valid()
        if self.is_deferred_validation or self._sends_back or self.errors.get(NON_FIELD_ERRORS):
            return valid
        problems = self._problems()
        for problem in problems:
            # Lists have no error of their own: what is wrong with a row is told at the top of the page.
            field = problem.field if problem.field in self.fields else None
            self.add_error(field, ValidationError(problem, code="not_ready"))
        return valid and not problems

    def checklist(self) -> list[Problem]:
        """What hinders publishing the form as it stands; what a field cannot read counts as well.

        Changes the page object in memory and nothing else.
        """
        self.is_valid()
        unread = [
            Problem(f"{self.fields[name].label}: {error}", field=name)
            for name, errors in self.errors.items()
            if name in self.fields and not (name == "slug" and "title" in self.errors)
            for error in errors
        ]
        for name in ("tracks", "contents"):
            formset = self.formsets[name]
            if formset.is_valid():
                formset.save(commit=False)
            else:
                unread += _unread_rows(formset, name)
        told = {problem.field for problem in unread}
        problems = publish_problems(self.instance)
        return unread + [problem for problem in problems if problem.field not in told]

    @property
    def _sends_back(self) -> bool:
        """A moderator who asks for changes must be able to do so because things are missing."""
        action = self.data.get("workflow-action-name")
        return bool(self.data.get("action-workflow-action")) and action != "approve"

    def _problems(self) -> list[Problem]:
        """All at once, so that nobody publishes five times to find five mistakes.

        Fields say what is wrong with them themselves. Tracks and contents can only be asked about once
        their own forms are right: they are put on the page object, in memory.
        """
        rows = [self.formsets["tracks"], self.formsets["contents"]]
        if not all(formset.is_valid() for formset in rows):
            return []
        for formset in rows:
            formset.save(commit=False)
        return [
            problem
            for problem in publish_problems(self.instance)
            if problem.field not in self.errors
        ]
