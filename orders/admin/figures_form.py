"""What somebody wants to see of the figures: a form sent by GET, so that every view has an address."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from wagtail.admin.widgets import AdminPageChooser
from wagtail.snippets.widgets import AdminSnippetChooser

from catalog_pages.locales import locale_of
from catalog_pages.models import Artist, ProductPage
from catalog_pages.money import THREE_DIGITS, TWO_DIGITS, ZERO_DIGITS
from catalog_pages.shop_days import today
from orders.admin.choosers import ID
from orders.services.figures.asking import BY_COPIES, BY_NET, Asked
from orders.services.figures.periods import (
    DAY,
    FIRST_DAY,
    MONTH,
    MOST_BY_DAY,
    MOST_DAYS,
    WEEK,
    Period,
    last_days,
    last_month,
    this_month,
    this_year,
)

CUSTOM = "custom"
USUAL = "30"
UNKNOWN = "unknown"
PERIODS: dict[str, Callable[[], Period]] = {
    "1": lambda: last_days(1),
    "7": lambda: last_days(7),
    USUAL: lambda: last_days(30),
    "month": this_month,
    "last_month": last_month,
    "year": this_year,
}
PERIOD_CHOICES = [
    ("1", gettext_lazy("Today")),
    ("7", gettext_lazy("Last 7 days")),
    (USUAL, gettext_lazy("Last 30 days")),
    ("month", gettext_lazy("This month")),
    ("last_month", gettext_lazy("Last month")),
    ("year", gettext_lazy("This year")),
    (CUSTOM, gettext_lazy("Days of my choice")),
]
SOME_DAY = gettext_lazy("Type a day such as 2026-05-31.")
NOT_A_CHOICE = gettext_lazy("Choose from the list.")
NO_SUCH_THING = gettext_lazy("There is no such thing. Choose again.")
CHOSEN = ("product", "artist")


@lru_cache(maxsize=8)
def country_names(language: str) -> dict[str, str]:
    """Code -> name, by name."""
    territories = locale_of(language).territories.items()
    countries = {
        code: name
        for code, name in territories
        if len(code) == 2 and code.isalpha() and code not in ("EU", "EZ", "UN", "XA", "XB", "ZZ")
    }
    return dict(sorted(countries.items(), key=lambda pair: pair[1]))


def country_name(code: str) -> str:
    if not code:
        return _("Unknown")
    return country_names(get_language() or settings.LANGUAGE_CODE).get(code, code)


def currencies() -> list[tuple[str, str]]:
    """All there are, the shop's own first."""
    own = settings.STRIPE_CURRENCY
    others = sorted((TWO_DIGITS | ZERO_DIGITS | THREE_DIGITS) - {own})
    return [("", _("All")), *((code, code) for code in (own, *others))]


def countries() -> list[tuple[str, str]]:
    names = country_names(get_language() or settings.LANGUAGE_CODE)
    return [("", _("All")), (UNKNOWN, _("Unknown")), *names.items()]


class DayField(forms.DateField):
    """A day as browsers send it; far ones are a mistake, and cost nothing."""

    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")

    def __init__(self, **kwargs: Any) -> None:
        kwargs |= {"required": False, "input_formats": ["%Y-%m-%d"]}
        super().__init__(error_messages={"invalid": SOME_DAY}, **kwargs)

    def clean(self, value: Any) -> Any:
        day = super().clean(value)
        if day is not None and day < FIRST_DAY:
            raise ValidationError(_("Choose a day from the year 2000 on."), code="early")
        if day is not None and day > today():
            raise ValidationError(_("Choose a day up to today."), code="late")
        return day


class FiguresForm(forms.Form):
    """`asked()` says what to show, once it is valid."""

    period = forms.ChoiceField(label=gettext_lazy("Period"), choices=PERIOD_CHOICES)
    first = DayField(label=gettext_lazy("From"))
    last = DayField(label=gettext_lazy("To and including"))
    grouping = forms.ChoiceField(
        label=gettext_lazy("Show by"),
        required=False,
        choices=[
            ("", gettext_lazy("What fits")),
            (DAY, gettext_lazy("Day")),
            (WEEK, gettext_lazy("Week, from Monday")),
            (MONTH, gettext_lazy("Month")),
        ],
    )
    currency = forms.ChoiceField(label=gettext_lazy("Currency"), required=False, choices=currencies)
    country = forms.ChoiceField(label=gettext_lazy("Country"), required=False, choices=countries)
    product = forms.ModelChoiceField(
        label=gettext_lazy("Product"),
        queryset=ProductPage.objects.all(),
        required=False,
        widget=AdminPageChooser(target_models=[ProductPage]),
    )
    artist = forms.ModelChoiceField(
        label=gettext_lazy("Artist"),
        queryset=Artist.objects.all(),
        required=False,
        widget=AdminSnippetChooser(Artist),
    )
    top = forms.ChoiceField(
        label=gettext_lazy("Best sellers by"),
        required=False,
        choices=[(BY_NET, gettext_lazy("Net revenue")), (BY_COPIES, gettext_lazy("Copies"))],
    )

    def __init__(self, data: Any) -> None:
        data = data.copy()
        data.setdefault("period", USUAL)
        # What cannot be an id no chooser can draw: it is left out, and told.
        self.strange = [name for name in CHOSEN if data.get(name) and not ID.fullmatch(data[name])]
        for name in self.strange:
            data[name] = ""
        super().__init__(data)
        for name, one in self.fields.items():
            if name in CHOSEN:
                one.error_messages["invalid_choice"] = NO_SUCH_THING
            elif isinstance(one, forms.ChoiceField):
                one.error_messages["invalid_choice"] = NOT_A_CHOICE

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        for name in self.strange:
            self.add_error(name, NO_SUCH_THING)
        choice = data.get("period")
        if choice in PERIODS:
            self.errors.pop("first", None)
            self.errors.pop("last", None)
            data["chosen"] = PERIODS[choice]()
        elif choice == CUSTOM:
            self._from_to(data)
        if "chosen" in data and data.get("grouping") == DAY and data["chosen"].days > MOST_BY_DAY:
            sentence = _("By day, choose at most %(days)s days; or look by week or by month.")
            self.add_error("grouping", sentence % {"days": MOST_BY_DAY})
        return data

    def _from_to(self, data: dict[str, Any]) -> None:
        for name, sentence in (
            ("first", _("Choose the day to begin with.")),
            ("last", _("Choose the day to end with.")),
        ):
            if name not in self.errors and not data.get(name):
                self.add_error(name, sentence)
        first, last = data.get("first"), data.get("last")
        if first is None or last is None:
            return
        if last < first:
            self.add_error("last", _("The last day has to be the first one, or later."))
        elif Period(first, last).days > MOST_DAYS:
            self.add_error("last", _("Choose at most five years."))
        else:
            data["chosen"] = Period(first, last)

    def asked(self) -> Asked:
        data = self.cleaned_data
        country = data["country"]
        return Asked(
            period=data["chosen"],
            grouping=data["grouping"] or data["chosen"].grouping(),
            currency=data["currency"],
            country=None if not country else "" if country == UNKNOWN else country,
            product_id=data["product"] and data["product"].pk,
            artist_id=data["artist"] and data["artist"].pk,
            top=data["top"] or BY_NET,
        )
