"""Bulk actions on products in the page explorer and in the list of products: prices and genres.

Both ask, then show what would become of each product, and change it only after that was confirmed: the
version that was shown is sent along, so that a product that somebody changed meanwhile is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.admin import messages
from wagtail.models import Page

from catalog_pages.admin.listed import OfTheList, listed
from catalog_pages.changing import GENRE, PRICE, Came, product_change
from catalog_pages.editing import hindrance
from catalog_pages.forms import MoneyFormField
from catalog_pages.models import Genre, ProductPage
from catalog_pages.money import format_money
from catalog_pages.prices import PERCENT, PriceChange, PriceRefused, Rounding, Way

# Each product is a version and perhaps a publication: more than this is work for a spreadsheet.
MOST_AT_ONCE = 500
WORTH_READING = 5000
SENTENCES_SHOWN = 20


@dataclass(frozen=True)
class Row:
    """One product of the preview: what would change, or why it is left alone."""

    page: ProductPage
    old: str
    new: str
    values: dict[str, Any]
    refusal: str = ""

    @property
    def changes(self) -> bool:
        return bool(self.values) and not self.refusal


class PriceForm(forms.Form):
    """How prices are to change; `change` says it once the form is valid."""

    way = forms.ChoiceField(
        label=gettext_lazy("Change"),
        choices=[
            (Way.SET, gettext_lazy("Set the price to")),
            (Way.RAISE_PERCENT, gettext_lazy("Raise by per cent")),
            (Way.LOWER_PERCENT, gettext_lazy("Lower by per cent")),
            (Way.RAISE_AMOUNT, gettext_lazy("Raise by amount")),
            (Way.LOWER_AMOUNT, gettext_lazy("Lower by amount")),
        ],
    )
    amount = forms.CharField(
        label=gettext_lazy("Price, amount or per cent"),
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    rounding = forms.ChoiceField(
        label=gettext_lazy("Then round to"),
        choices=[
            (Rounding.NONE, gettext_lazy("no rounding")),
            (Rounding.NINETY_NINE, gettext_lazy("the nearest .99")),
            (Rounding.FIFTY, gettext_lazy("the nearest .50")),
            (Rounding.WHOLE, gettext_lazy("the nearest whole amount")),
        ],
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        way = data.get("way")
        if not way or "amount" not in data or "rounding" not in data:
            return data
        if way in PERCENT:
            field: forms.Field = forms.DecimalField(
                min_value=0,
                max_value=100 if way == Way.LOWER_PERCENT else 1000,
                max_digits=7,
                decimal_places=2,
                localize=False,
            )
            name, text = (
                "percent",
                data["amount"].strip().removesuffix("%").replace(",", ".").strip(),
            )
        else:
            field, name, text = MoneyFormField(), "amount", data["amount"]
        try:
            value = field.clean(text)
        except forms.ValidationError as error:
            self.add_error("amount", error)
            return data
        given = {name: value}
        data["change"] = PriceChange(way=Way(way), rounding=Rounding(data["rounding"]), **given)
        return data


class GenreForm(forms.Form):
    genre = forms.ModelChoiceField(
        Genre.objects.all(), label=gettext_lazy("Genre"), empty_label=gettext_lazy("Choose a genre")
    )


class ProductBulkAction(OfTheList):
    """Ask, show, confirm. What a subclass changes it says in `row`."""

    models = [Page]
    template_name = "catalog_pages/admin/bulk_change.html"
    log_as = ""
    icon = "tag"

    def check_perm(self, page: Page) -> bool:
        """Everything passes: what is left alone, and why, stands in the table."""
        return True

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs = super().get_form_kwargs()
        if self.request.method != "POST":
            kwargs["data"] = None
        return kwargs

    @cached_property
    def products(self) -> list[ProductPage]:
        chosen = ProductPage.objects.visible_to(self.request.user)
        ids = self.request.GET.getlist("id")
        wanted: Any = [int(pk) for pk in ids[:WORTH_READING] if _is_key(pk)]
        if "all" in ids:
            wanted = listed(self.request)
        chosen = chosen.filter(pk__in=wanted)
        # With all that `hindrance` asks about each.
        products = chosen.select_related("artist", "genre", "latest_revision")
        products = products.prefetch_workflow_states().annotate_approved_schedule()
        return list(products.order_by("title", "pk")[: MOST_AT_ONCE + 1])

    @property
    def too_many(self) -> bool:
        return len(self.products) > MOST_AT_ONCE

    def rows(self, form: Any) -> list[Row]:
        """What would become of each; nothing is written."""
        return [self.checked(product, form) for product in self.products]

    def checked(self, product: ProductPage, form: Any) -> Row:
        version = product.get_latest_revision_as_object()
        row = self.row(product, version, form)
        refusal = hindrance(product, self.request.user) or row.refusal
        return Row(product, row.old, row.new, {} if refusal else row.values, refusal)

    def row(self, product: ProductPage, version: ProductPage, form: Any) -> Row:
        raise NotImplementedError

    def comment(self, row: Row) -> str:
        return f"{row.old} → {row.new}"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        form = kwargs.get("form") or self.get_form()
        context = {
            "form": form,
            "next": self.next_url,
            "submit_url": f"{self.request.path}?{self.request.META['QUERY_STRING']}",
            "title": self.display_name,
            "icon": self.icon,
            "products": self.products[:MOST_AT_ONCE],
            "too_many": self.too_many,
            "most": MOST_AT_ONCE,
            "view": self,
        }
        return context | kwargs

    def form_valid(self, form: Any) -> HttpResponse:
        if self.too_many or not self.products:
            return self.render_to_response(self.get_context_data(form=form))
        rows = self.rows(form)
        if "confirmed" not in self.request.POST:
            count = sum(row.changes for row in rows)
            return self.render_to_response(
                self.get_context_data(form=form, rows=rows, count=count, hidden=self.hidden(form))
            )
        self.apply(rows)
        return HttpResponseRedirect(self.next_url)

    def hidden(self, form: Any) -> list[tuple[str, str]]:
        """What was asked for, sent along with the confirmation."""
        return [(name, form.data.get(name, "")) for name in form.fields]

    def apply(self, rows: Iterable[Row]) -> None:
        published = drafts = 0
        sentences = []
        for row in rows:
            if not row.changes:
                if row.refusal:
                    sentences.append(f"“{row.page.title}”: {row.refusal}")
                continue
            outcome = product_change(
                page_id=row.page.pk,
                values=row.values,
                user=self.request.user,
                action=self.log_as,
                comment=self.comment(row),
                revision_id=_shown(self.request, row.page),
            )
            published += outcome.came == Came.PUBLISHED
            drafts += outcome.came == Came.DRAFT
            if outcome.sentence:
                sentences.append(f"“{row.page.title}”: {outcome.sentence}")
        _tell(self.request, published, drafts, sentences)


class ChangePricesAction(ProductBulkAction):
    display_name = gettext_lazy("Change prices")
    aria_label = gettext_lazy("Change prices of selected products")
    action_type = "change_prices"
    action_priority = 60
    form_class = PriceForm
    log_as = PRICE

    def row(self, product: ProductPage, version: ProductPage, form: Any) -> Row:
        code, price = settings.STRIPE_CURRENCY, version.price_pennies
        old = _("no price") if price is None else format_money(price, code)
        try:
            _refuse_other_draft(product, price, form.cleaned_data["change"].way)
            new = form.cleaned_data["change"].applied(price, code)
        except PriceRefused as refusal:
            return Row(version, old, "", {}, refusal.message)
        values: dict[str, Any] = {} if new == price else {"price_pennies": new}
        said = format_money(new, code)
        suggested = version.suggested_price_pennies
        if suggested is not None and version.pay_what_you_want and suggested < new:
            # Buyers are never offered less than the least that they may pay.
            values["suggested_price_pennies"] = new
            said = _("%(price)s, and the suggested price as well") % {"price": said}
        return Row(version, old, said, values)


class AssignGenreAction(ProductBulkAction):
    display_name = gettext_lazy("Assign genre")
    aria_label = gettext_lazy("Assign a genre to selected products")
    action_type = "assign_genre"
    action_priority = 61
    form_class = GenreForm
    log_as = GENRE

    def row(self, product: ProductPage, version: ProductPage, form: Any) -> Row:
        genre = form.cleaned_data["genre"]
        old = version.genre.name if version.genre_id and version.genre else _("none")
        values = {} if version.genre_id == genre.pk else {"genre_id": genre.pk}
        return Row(version, old, genre.name, values)


def _refuse_other_draft(product: ProductPage, price: int | None, way: Way) -> None:
    """Raises PriceRefused for what is on sale at another price than that of its draft, unless one is set: by
    ten per cent less than either of them, buyers or whoever writes the draft would be surprised."""
    if way == Way.SET or not product.live or price == product.price_pennies:
        return
    on_sale = product.price_pennies
    raise PriceRefused(
        _("It is on sale for %(price)s, and a draft of it has another price. Set one first.")
        % {
            "price": _("no price")
            if on_sale is None
            else format_money(on_sale, settings.STRIPE_CURRENCY)
        }
    )


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _shown(request: HttpRequest, page: ProductPage) -> int | None:
    """The version of `page` that the confirmed table was made from; -1, which none has, if in no table."""
    text = request.POST.get(f"version-{page.pk}")
    if text is None:
        return -1
    return int(text) if text.isdecimal() and len(text) < 19 else None


def _tell(request: HttpRequest, published: int, drafts: int, sentences: list[str]) -> None:
    if published:
        said = ngettext(
            "%(count)d product was changed and published.",
            "%(count)d products were changed and published.",
            published,
        )
        messages.success(request, said % {"count": published})
    if drafts:
        said = ngettext(
            "%(count)d product was changed as a draft.",
            "%(count)d products were changed as drafts.",
            drafts,
        )
        messages.success(request, said % {"count": drafts})
    if not published and not drafts:
        messages.warning(request, _("Nothing was changed."))
    for sentence in sentences[:SENTENCES_SHOWN]:
        messages.warning(request, sentence)
    more = len(sentences) - SENTENCES_SHOWN
    if more > 0:
        messages.warning(request, _("And %(count)d more were left alone.") % {"count": more})
