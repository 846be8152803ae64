"""The refund form, and in a sentence what would happen if it were sent.

What may be refunded is decided by `orders.services.refunds`; this page shows its figures, and holds
the person to exactly what the sentence said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from catalog_pages.locales import quoted
from catalog_pages.money import AMOUNT_WORDS, MoneyError, format_money, parse_money
from orders.admin.cards import card_of
from orders.models import Order, Refund
from orders.services.access import revoked_lines
from orders.services.refunds import Refundable, RefundableLine, RefundablePayment

EVERYTHING, LINES, AMOUNT = "everything", "lines", "amount"
NOT_PAID = _("This order has not been paid, so there is nothing to refund.")
WAS_FREE = _("Nothing was charged for this order, so there is nothing to refund.")
ALL_BACK = _("Everything that was paid has gone back, or is on its way.")


def reason_not_to_refund(order: Order, state: Refundable) -> str:
    """Why the form has nothing to offer for this order; empty when it has."""
    if not order.is_paid:
        return str(NOT_PAID)
    if not state.payments:
        return str(WAS_FREE)
    left = [payment for payment in state.payments if payment.left_pennies > 0]
    if not left:
        return str(ALL_BACK)
    return "" if offered(state) else left[0].blocked


def offered(state: Refundable) -> list[RefundablePayment]:
    """The payments of which something can go back now."""
    return [row for row in state.payments if row.left_pennies > 0 and not row.blocked]


class RefundForm(forms.Form):
    """Checks shapes only: it must accept, on the second press, what the first one has changed."""

    refund_id = forms.UUIDField(widget=forms.HiddenInput)
    payment = forms.TypedChoiceField(coerce=int, widget=forms.RadioSelect, label=_("Which payment"))
    what = forms.ChoiceField(widget=forms.RadioSelect, label=_("What goes back"))
    items = forms.TypedMultipleChoiceField(
        coerce=int, required=False, widget=forms.CheckboxSelectMultiple, label=_("Which lines")
    )
    amount = forms.CharField(
        required=False, max_length=40, widget=forms.TextInput(attrs={"inputmode": "decimal"})
    )
    reason = forms.ChoiceField(choices=Refund.Reason.choices, label=_("Why"))
    note = forms.CharField(
        required=False,
        max_length=300,
        help_text=_("For staff; the buyer never sees it."),
        widget=forms.TextInput,
    )

    def __init__(self, *args: Any, order: Order, state: Refundable, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order = order
        self.state = state
        self._field("payment").choices = [
            (row.payment.pk, _payment_label(row)) for row in state.payments
        ]
        self._field("items").choices = [
            (line.item.pk, _line_label(line, order.currency)) for line in state.lines
        ]
        self._field("what").choices = self._ways()

    def _field(self, name: str) -> Any:
        return self.fields[name]

    def _ways(self) -> list[tuple[str, str]]:
        left = [format_money(row.left_pennies, self.order.currency) for row in offered(self.state)]
        everything = gettext("All that is left")
        if len(left) == 1:
            everything = gettext("Everything that is left: {left}").format(left=left[0])
        return [
            (EVERYTHING, everything),
            (LINES, gettext("Some lines, and their files are taken back")),
            (AMOUNT, gettext("An amount, and the buyer keeps the files")),
        ]

    @property
    def has_one_payment(self) -> bool:
        return len(self.state.payments) == 1

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("what") == LINES and "items" in data and not data["items"]:
            self.add_error("items", gettext("Choose at least one line."))
        if data.get("what") == AMOUNT and "amount" in data:
            data["amount_pennies"] = self._pennies(data["amount"])
        return data

    def _pennies(self, text: str) -> int | None:
        try:
            pennies = parse_money(text, self.order.currency, words=AMOUNT_WORDS)
        except MoneyError as error:
            self.add_error("amount", str(error))
            return None
        if pennies == 0:
            self.add_error("amount", gettext("Enter an amount above zero."))
        return pennies


@dataclass(frozen=True)
class RefundPlan:
    """What the form asks for, with what it would do. `problem` names a field and says why it cannot."""

    payment: RefundablePayment
    amount_pennies: int
    item_ids: tuple[int, ...]
    lost_titles: tuple[str, ...]
    loses_all: bool
    problem: tuple[str, str] | None

    @property
    def amount(self) -> str:
        return format_money(self.amount_pennies, self.payment.payment.currency)

    @property
    def sentence(self) -> str:
        card = card_of(self.payment.payment)
        amount = self.amount
        if card:
            back = gettext("{amount} goes back to the buyer's {card}.").format(
                amount=amount, card=card
            )
        else:
            back = gettext("{amount} goes back to the buyer, the way they paid.").format(
                amount=amount
            )
        return f"{back} {self._files()} {gettext('This cannot be undone.')}"

    def _files(self) -> str:
        if self.loses_all and self.lost_titles:
            return gettext("They lose all files of this order.")
        if self.lost_titles:
            return gettext("They lose the files of {titles}.").format(
                titles=quoted(self.lost_titles)
            )
        return gettext("They keep the files that they have.")

    @property
    def fingerprint(self) -> str:
        """What was confirmed: any other amount or loss is another refund, to be confirmed anew."""
        return f"{self.payment.payment.pk}/{self.amount_pennies}/{self._files()}"


def refund_plan(form: RefundForm) -> RefundPlan:
    """What a valid form would do now."""
    data, order, state = form.cleaned_data, form.order, form.state
    payment = next(row for row in state.payments if row.payment.pk == data["payment"])
    chosen = [
        line for line in state.lines if data["what"] == LINES and line.item.pk in data["items"]
    ]
    amount = payment.left_pennies
    if data["what"] == LINES:
        amount = sum(line.left_pennies for line in chosen)
    elif data["what"] == AMOUNT:
        amount = data["amount_pennies"]
    lost, loses_all = _lost(order, state, chosen, amount)
    return RefundPlan(
        payment=payment,
        amount_pennies=amount,
        item_ids=tuple(line.item.pk for line in chosen),
        lost_titles=lost,
        loses_all=loses_all,
        problem=_problem(payment, chosen, amount, data["what"]),
    )


def _lost(
    order: Order, state: Refundable, chosen: list[RefundableLine], amount: int
) -> tuple[tuple[str, ...], bool]:
    """Titles of lines whose files close, and whether that is because all money has gone back."""
    captured = sum(row.captured_pennies for row in state.payments)
    back = sum(row.refunded_pennies + row.under_way_pennies for row in state.payments)
    loses_all = back + amount >= captured
    closed = revoked_lines(order)
    losing = state.lines if loses_all else chosen
    return tuple(line.item.title for line in losing if line.item.pk not in closed), loses_all


def _problem(
    payment: RefundablePayment, chosen: list[RefundableLine], amount: int, what: str
) -> tuple[str, str] | None:
    """The field that cannot be so, and why, in time to say it beside the field."""
    field = {LINES: "items", AMOUNT: "amount"}.get(what, "what")
    left = format_money(max(payment.left_pennies, 0), payment.payment.currency)
    if payment.blocked:
        return "payment", payment.blocked
    if free := [line.item.title for line in chosen if line.paid_pennies <= 0]:
        return field, gettext("Nothing was charged for {titles}.").format(titles=quoted(free))
    if taken := [line.item.title for line in chosen if line.left_pennies <= 0]:
        sentence = ngettext(
            "{titles} has been refunded already.",
            "{titles} have been refunded already.",
            len(taken),
        )
        return field, sentence.format(titles=quoted(taken))
    if payment.left_pennies <= 0:
        return "payment", gettext("Nothing is left of this payment.")
    if amount > payment.left_pennies:
        return field, gettext("Only {left} of this payment is left to refund.").format(left=left)
    return None


def _payment_label(row: RefundablePayment) -> str:
    payment = row.payment
    names = {
        "amount": format_money(row.captured_pennies, payment.currency),
        "left": format_money(max(row.left_pennies, 0), payment.currency),
        "day": date_format(timezone.localtime(payment.paid_at)) if payment.paid_at else "",
        "card": card_of(payment),
    }
    if names["day"] and names["card"]:
        words = gettext("{amount}, paid on {day}, with {card}, {left} left")
    elif names["day"]:
        words = gettext("{amount}, paid on {day}, {left} left")
    elif names["card"]:
        words = gettext("{amount}, with {card}, {left} left")
    else:
        words = gettext("{amount}, {left} left")
    return words.format(**names) + (f". {row.blocked}" if row.blocked else "")


def _line_label(line: RefundableLine, currency: str) -> str:
    if line.left_pennies > 0:
        return f"{line.item.title}: {format_money(line.left_pennies, currency)}"
    words = (
        gettext("{title} (nothing left)") if line.paid_pennies else gettext("{title} (was free)")
    )
    return words.format(title=line.item.title)
