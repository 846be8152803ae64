"""The form of a discount code: whatever is typed into it ends in a row that fits, or in sentences."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel, ObjectList
from wagtail.admin.widgets import AdminDateTimeInput, AdminPageChooser
from wagtail.snippets.widgets import AdminSnippetChooser

from catalog_pages.forms import MoneyFormField
from catalog_pages.models import Artist, Genre, ProductPage
from catalog_pages.money import currency, format_plain
from orders.admin.choosers import ManyChoosers, ManyField
from orders.models import DiscountCode

PERCENT_SENTENCE = _("Type a whole number from 1 to 100.")
LIMIT_SENTENCE = _("Type a whole number from 1 to 1,000,000, or leave it empty.")
SOME_DAY = _("Type a day and a time such as 2031-05-01 09:00.")
YEARS = range(2000, 2100)


class ShopDateTimeField(forms.DateTimeField):
    """A moment in the shop's time zone, whichever zone the editor's own account is set to."""

    widget = AdminDateTimeInput

    def prepare_value(self, value: Any) -> Any:
        with timezone.override(timezone.get_default_timezone()):
            return super().prepare_value(value)

    def to_python(self, value: Any) -> datetime | None:
        with timezone.override(timezone.get_default_timezone()):
            moment = super().to_python(value)
        if moment is not None and moment.year not in YEARS:
            raise ValidationError(SOME_DAY, code="invalid")
        return moment


class LimitField(forms.IntegerField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            min_value=1,
            max_value=1_000_000,
            required=False,
            error_messages={
                "invalid": LIMIT_SENTENCE,
                "min_value": LIMIT_SENTENCE,
                "max_value": LIMIT_SENTENCE,
            },
            **kwargs,
        )


class DiscountCodeForm(WagtailAdminModelForm):
    """One of percentage and amount counts, as `kind` says; the other is emptied."""

    percent = forms.IntegerField(
        label=_("Percentage"),
        min_value=1,
        max_value=100,
        required=False,
        help_text=_("For a percentage: from 1 to 100, taken off what the code is good for."),
        error_messages={
            "invalid": PERCENT_SENTENCE,
            "min_value": PERCENT_SENTENCE,
            "max_value": PERCENT_SENTENCE,
        },
    )
    amount_pennies = MoneyFormField(label=_("Amount"), required=False)
    min_subtotal_pennies = MoneyFormField(label=_("Least order"), required=False)
    starts_at = ShopDateTimeField(
        label=_("Valid from"), required=False, error_messages={"invalid": SOME_DAY}
    )
    ends_at = ShopDateTimeField(
        label=_("Valid until"), required=False, error_messages={"invalid": SOME_DAY}
    )
    max_uses = LimitField(
        label=_("Orders in all"), help_text=_("How many orders may use it. Empty: any number.")
    )
    max_uses_per_buyer = LimitField(
        label=_("Orders per buyer"),
        help_text=_("How many orders one email address may use it for. Empty: any number."),
    )
    products = ManyField(
        label=_("Products"),
        queryset=ProductPage.objects.all(),
        required=False,
        widget=ManyChoosers(
            AdminPageChooser(target_models=[ProductPage]), choose=_("Choose a product")
        ),
        help_text=_("It is good for these products."),
    )
    artists = ManyField(
        label=_("Artists"),
        queryset=Artist.objects.all(),
        required=False,
        widget=ManyChoosers(AdminSnippetChooser(Artist), choose=_("Choose an artist")),
        help_text=_("It is good for everything by these artists."),
    )
    genres = ManyField(
        label=_("Genres"),
        queryset=Genre.objects.all(),
        required=False,
        widget=ManyChoosers(AdminSnippetChooser(Genre), choose=_("Choose a genre")),
        help_text=_("It is good for everything of these genres."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        code = settings.STRIPE_CURRENCY
        example = format_plain(500 if currency(code).digits != 3 else 5000, code)
        zone = timezone.get_default_timezone_name()
        self.fields["amount_pennies"].help_text = gettext(
            "For an amount: in {code}, such as {example}, at most what the order comes to."
        ).format(code=code, example=example)
        self.fields["min_subtotal_pennies"].help_text = gettext(
            "In {code}, such as {example}: what the cart must come to before the discount. "
            "Empty: any order."
        ).format(code=code, example=example)
        self.fields["starts_at"].help_text = gettext(
            "In the shop's time ({zone}). Empty: from now on."
        ).format(zone=zone)
        self.fields["ends_at"].help_text = gettext(
            "In the shop's time ({zone}). Empty: for ever."
        ).format(zone=zone)

    def clean_code(self) -> str:
        code = self.cleaned_data["code"]
        same = DiscountCode.objects.filter(code__iexact=code).exclude(pk=self.instance.pk).first()
        if same is not None:
            raise ValidationError(taken(same.code), code="taken")
        return code

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("kind") == DiscountCode.Kind.PERCENT:
            data["amount_pennies"] = None
            self._need("percent", str(PERCENT_SENTENCE))
        elif data.get("kind") == DiscountCode.Kind.AMOUNT:
            data["percent"] = None
            self._need("amount_pennies", gettext("Type an amount above zero."))
        starts, ends = data.get("starts_at"), data.get("ends_at")
        if starts and ends and ends <= starts:
            self.add_error("ends_at", gettext("It has to end after it starts."))
        return data

    def _need(self, field: str, sentence: str) -> None:
        """What `kind` asks for; the other one may hold anything, and is not looked at."""
        other = {"percent": "amount_pennies", "amount_pennies": "percent"}[field]
        self.errors.pop(other, None)
        if field not in self.errors and not self.cleaned_data.get(field):
            self.add_error(field, sentence)


def taken(code: str) -> str:
    return gettext(
        "There is a code “{code}” already. Capital and small letters are the same."
    ).format(code=code)


DISCOUNT_PANELS = ObjectList(
    [
        FieldPanel("code"),
        FieldPanel("note"),
        FieldPanel("is_active"),
        MultiFieldPanel(
            [
                FieldPanel("kind", widget=forms.RadioSelect),
                FieldRowPanel([FieldPanel("percent"), FieldPanel("amount_pennies")]),
                FieldPanel("min_subtotal_pennies"),
            ],
            heading=_("What it takes off"),
        ),
        MultiFieldPanel(
            [
                FieldRowPanel([FieldPanel("starts_at"), FieldPanel("ends_at")]),
                FieldRowPanel([FieldPanel("max_uses"), FieldPanel("max_uses_per_buyer")]),
            ],
            heading=_("When, and how often"),
        ),
        MultiFieldPanel(
            [FieldPanel("products"), FieldPanel("artists"), FieldPanel("genres")],
            heading=_("What it is good for"),
            help_text=_(
                "Leave all three empty for everything in the shop. Otherwise one match is enough."
            ),
        ),
    ],
    base_form_class=DiscountCodeForm,
)
