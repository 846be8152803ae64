"""Everything known about one order, read in a fixed number of queries for any number of facts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Prefetch, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog_pages.money import format_money
from downloads.models import Revocation, UserAsset
from orders.admin.attention import title_of, words_of
from orders.admin.cards import card_of
from orders.admin.mail import kind_of
from orders.admin.order_answer import Answer, answer_of
from orders.admin.order_files import LineFiles, OrderFiles, order_files
from orders.admin.timeline import Story, story_of
from orders.errors import RefundBlockedByDispute
from orders.models import (
    Dispute,
    Order,
    OrderAnomaly,
    OrderItem,
    OutboxMail,
    Payment,
    Refund,
    StripeEvent,
)
from orders.services.access import BLOCKING_DISPUTES
from orders.services.events import SETTLED
from orders.services.gift_facts import GiftView, gift_views
from orders.services.refund_facts import UNDONE
from orders.services.refunds import paid_for

EVENTS_SHOWN = 100


@dataclass(frozen=True)
class LineView:
    """One line: money in minor units, and whether its files open now; `given` counts gifts' files too."""

    item: OrderItem
    currency: str
    paid_pennies: int
    refunded_pennies: int
    under_way_pennies: int
    access: str
    is_open: bool
    given: int
    files: LineFiles


@dataclass(frozen=True)
class PaymentView:
    payment: Payment
    card: str
    left_pennies: int

    @property
    def captured(self) -> str:
        pennies = self.payment.captured_pennies
        return "" if pennies is None else format_money(pennies, self.payment.currency)


@dataclass(frozen=True)
class RefundView:
    refund: Refund
    amount: str
    what_for: str
    asked_by: str


@dataclass(frozen=True)
class OrderPage:
    order: Order
    lines: list[LineView]
    payments: list[PaymentView]
    refunds: list[RefundView]
    disputes: list[Dispute]
    anomalies: list[dict[str, Any]]
    mails: list[dict[str, Any]]
    events: list[dict[str, Any]]
    gifts: list[GiftView] = field(default_factory=list)
    files: OrderFiles | None = None
    story: Story | None = None
    answer: Answer | None = None

    @property
    def can_refund(self) -> bool:
        """Whether the refund form has anything to offer; the service has the last word."""
        return any(view.left_pennies > 0 for view in self.payments)

    @property
    def refund_all(self) -> str:
        """What one press could refund, where only one payment has something left; else empty."""
        left = [view for view in self.payments if view.left_pennies > 0]
        one = left[0] if len(left) == 1 else None
        return format_money(one.left_pennies, one.payment.currency) if one else ""

    @property
    def no_refund(self) -> str:
        """Why there is no button for a refund, where a reader would look for it."""
        disputed = any(dispute.status in BLOCKING_DISPUTES for dispute in self.disputes)
        return str(RefundBlockedByDispute.message if disputed and not self.can_refund else "")


def order_page(order: Order, reader: Any) -> OrderPage:
    """Facts that `reader` may see nowhere else are not told by the story either."""
    payments = list(
        order.payments.prefetch_related(
            "disputes",
            Prefetch("refunds", Refund.objects.select_related("requested_by")),
            "refunds__lines__item",
        )
    )
    refunds = [refund for payment in payments for refund in payment.refunds.all()]
    disputes = [dispute for payment in payments for dispute in payment.disputes.all()]
    gifts = gift_views(order)
    anomalies, mails, files = _anomalies(order), _mails(order), order_files(order)
    story = story_of(
        order,
        payments=payments,
        refunds=refunds,
        disputes=disputes,
        anomalies=[anomaly["row"] for anomaly in anomalies],
        mails=[mail["row"] for mail in mails],
        gifts=gifts,
        reader=reader,
    )
    return OrderPage(
        order=order,
        lines=[_line(order, item, files) for item in _items(order)],
        payments=[_payment(payment) for payment in payments],
        refunds=[_refund(refund) for refund in refunds],
        disputes=disputes,
        anomalies=anomalies,
        mails=mails,
        events=_events(order, payments, refunds, disputes),
        gifts=gifts,
        files=files,
        story=story,
        answer=answer_of(files, [mail["row"] for mail in mails]),
    )


def _items(order: Order) -> QuerySet[OrderItem]:
    standing = Revocation.objects.filter(lifted_at=None)
    grants = UserAsset.objects.prefetch_related(
        Prefetch("revocations", standing, to_attr="standing")
    )
    return order.items.annotate(promised=Count("deliveries")).prefetch_related(
        Prefetch("grants", grants), "refund_lines__refund"
    )


def _line(order: Order, item: Any, files: OrderFiles) -> LineView:
    sums = {"done": 0, "asked": 0, "undone": 0}
    for line in item.refund_lines.all():
        sums[_stage(line.refund)] += line.amount_pennies
    grants = [grant for grant in item.grants.all() if grant.seat == 0]
    stopped = [grant for grant in grants if grant.standing]
    return LineView(
        item=item,
        currency=order.currency,
        paid_pennies=paid_for(order, item) if order.is_paid else 0,
        refunded_pennies=sums["done"],
        under_way_pennies=sums["asked"],
        access=_("All copies are gifts")
        if item.is_gift
        else _access(item.promised, grants, stopped),
        is_open=bool(grants) and not stopped,
        given=len(item.grants.all()),
        files=files.lines.get(item.pk, LineFiles()),
    )


def _stage(refund: Refund) -> str:
    if refund.status == Refund.Status.SUCCEEDED:
        return "done"
    return "undone" if refund.status in UNDONE else "asked"


def _access(promised: int, grants: list[Any], stopped: list[Any]) -> str:
    """`Has all 3 files`, `Closed: refunded`, `1 of 3 files closed: refunded`."""
    if not grants:
        return _("Not given yet") if promised else _("No files")
    causes = {row.get_cause_display() for grant in stopped for row in grant.standing}
    why = ", ".join(sorted(causes))
    if len(stopped) == len(grants):
        return _("Closed: {why}").format(why=why)
    if stopped:
        words = ngettext(
            "{closed} of {number} file closed: {why}",
            "{closed} of {number} files closed: {why}",
            len(grants),
        )
        return words.format(closed=len(stopped), number=len(grants), why=why)
    words = ngettext("Has the file", "Has all {number} files", len(grants))
    return words.format(number=len(grants))


def _payment(payment: Payment) -> PaymentView:
    left = payment.captured_pennies or 0
    for refund in payment.refunds.all():
        left -= 0 if refund.status in UNDONE else refund.amount_pennies
    if any(dispute.status in BLOCKING_DISPUTES for dispute in payment.disputes.all()):
        left = 0
    return PaymentView(payment=payment, card=card_of(payment), left_pennies=left)


def _refund(refund: Refund) -> RefundView:
    titles = [f"“{line.item.title}”" for line in refund.lines.all()]
    asked_by = str(refund.requested_by) if refund.requested_by else _("At Stripe")
    return RefundView(
        refund=refund,
        amount=format_money(refund.amount_pennies, refund.currency),
        what_for=", ".join(titles) or _("No line in particular"),
        asked_by=asked_by,
    )


def _anomalies(order: Order) -> list[dict[str, Any]]:
    rows = OrderAnomaly.objects.filter(order=order).select_related("resolved_by")
    return [{"row": row, "title": title_of(row), "words": words_of(row)} for row in rows]


def _mails(order: Order) -> list[dict[str, Any]]:
    rows = OutboxMail.objects.filter(order=order).defer("body_text", "body_html")
    return [
        {"row": row, "kind": kind_of(row)} for row in rows.select_related("requested_by", "order")
    ]


def _events(
    order: Order,
    payments: Iterable[Payment],
    refunds: Iterable[Refund],
    disputes: Iterable[Dispute],
) -> list[dict[str, Any]]:
    """What is marked as this order's, and what failed before it could be."""
    ids = {refund.stripe_refund_id for refund in refunds}
    ids |= {dispute.stripe_dispute_id for dispute in disputes}
    for payment in payments:
        ids |= {
            payment.stripe_session_id,
            payment.stripe_payment_intent_id,
            payment.stripe_charge_id,
        }
    mine = Q(order=order) | Q(object_id__in=ids - {None})
    rows = StripeEvent.objects.filter(mine).defer("payload")[:EVENTS_SHOWN]
    return [{"row": row, "is_open": row.status not in SETTLED} for row in rows]
