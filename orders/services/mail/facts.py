"""What is true at this moment of the order that a letter is about. Amounts are in minor units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Prefetch
from django.urls import reverse

from catalog_pages.money import format_money
from downloads.models import Revocation, UserAsset
from orders.models import Dispute, Order, OrderItem, OutboxMail, Payment, Refund, RefundLine
from orders.services.access import captured_among, refunded_among
from orders.services.mail import kinds


@dataclass(frozen=True)
class FileState:
    """Whether a line's files can be fetched now; `why` not, as words that follow its title."""

    item: OrderItem
    is_open: bool
    why: str = ""


@dataclass(frozen=True)
class Facts:
    """One letter before it has its frame: the headline, what its sentences speak of, its parts.

    `subject`: where the headline does not do. `ledger`: the lines and the total of the order.
    `show_consent`: what the buyer agreed to. `for_lines`: which lines a refund is for. `files`: what
    can be fetched now.
    """

    headline: str
    words: dict[str, Any] = field(default_factory=dict)
    subject: str = ""
    button: tuple[str, str] | None = None
    ledger: bool = False
    show_consent: bool = False
    refunded_pennies: int = 0
    for_lines: list[RefundLine] = field(default_factory=list)
    files: list[FileState] = field(default_factory=list)


def receipt(mail: OutboxMail, order: Order) -> Facts:
    files = file_states(order)
    closed = [state for state in files if not state.is_open]
    return Facts(
        headline="Thank you for your order" if closed else "Thank you. Your files are ready",
        subject=f"Your order {order.number}",
        words={"is_free": order.total_pennies == 0, "has_files": bool(files) and not closed},
        button=_to_files(files),
        ledger=True,
        show_consent=True,
        refunded_pennies=refunded_among([order.pk])[order.pk],
        files=files if closed else [],
    )


def processing(mail: OutboxMail, order: Order) -> Facts:
    return Facts(headline="Your payment is on its way", ledger=True)


def payment_failed(mail: OutboxMail, order: Order) -> Facts:
    is_retried = order.status == Order.Status.PROCESSING
    button = None if is_retried else ("Go to your cart", reverse("orders:cart"))
    return Facts(
        headline="Your payment did not arrive",
        words={"is_retried": is_retried},
        button=button,
        ledger=True,
    )


def refunded(mail: OutboxMail, order: Order) -> Facts:
    refund = Refund.objects.select_related("payment").get(pk=mail.fact)
    files = file_states(order)
    return Facts(
        headline=f"We sent {format_money(refund.amount_pennies, refund.currency)} back to you",
        words={
            "refund": refund,
            "sent_on": mail.created_at,
            "has_come_back": refund.status != Refund.Status.SUCCEEDED,
            **_shares(refund, order),
        },
        button=_to_files(files),
        for_lines=list(refund.lines.select_related("item").order_by("item__position")),
        files=files,
    )


def access_suspended(mail: OutboxMail, order: Order) -> Facts:
    words = _dispute(mail.fact)
    return Facts(
        headline="Your payment was taken back"
        if words["is_lost"]
        else "Your files are closed for now",
        words=words,
        files=file_states(order),
    )


def access_restored(mail: OutboxMail, order: Order) -> Facts:
    files = file_states(order)
    if refund := _refund(mail.fact):
        headline = "Your refund did not reach you"
        return Facts(headline=headline, words={"refund": refund}, files=files)
    opened = [state.is_open for state in files]
    words = {"is_open": any(opened), "is_open_in_part": not all(opened)}
    return Facts(
        headline="Your files are available again" if any(opened) else "Your dispute is settled",
        words=words | _dispute(mail.fact),
        button=_to_files(files),
        files=files,
    )


# What each kind of letter tells. DoesNotExist when the row that it tells of is gone.
FACTS: dict[str, Callable[[OutboxMail, Order], Facts]] = {
    kinds.RECEIPT: receipt,
    kinds.PROCESSING: processing,
    kinds.PAYMENT_FAILED: payment_failed,
    kinds.REFUNDED: refunded,
    kinds.ACCESS_SUSPENDED: access_suspended,
    kinds.ACCESS_RESTORED: access_restored,
}


def file_states(order: Order) -> list[FileState]:
    """Every line that has files: open, or closed and why, from the revocations that stand."""
    standing = Revocation.objects.filter(lifted_at=None)
    grants = UserAsset.objects.filter(seat=0).prefetch_related(
        Prefetch("revocations", queryset=standing, to_attr="standing")
    )
    items = order.items.prefetch_related(Prefetch("grants", queryset=grants, to_attr="held"))
    words = _why_closed(order)
    states = []
    for item in items:
        causes = {stop.cause for grant in item.held for stop in grant.standing}
        why = next((sentence for cause, sentence in words.items() if cause in causes), "")
        if item.held:
            states.append(FileState(item, is_open=not causes, why=why))
    return states


def _why_closed(order: Order) -> dict[str, str]:
    """Words for each cause, the one that will not pass first."""
    looking = "closed while your bank looks into the payment"
    taken = "no longer available, your bank took the payment back"
    return {
        Revocation.Cause.REFUND: "no longer available, refunded",
        Revocation.Cause.STAFF: "no longer available, taken back by the shop",
        Revocation.Cause.ACCOUNT: "no longer available, the account was closed",
        Revocation.Cause.DISPUTE: taken if _is_lost(order) else looking,
    }


def _to_files(files: list[FileState]) -> tuple[str, str] | None:
    if not any(state.is_open for state in files):
        return None
    return "Go to your files", reverse("orders:purchases")


def _shares(refund: Refund, order: Order) -> dict[str, Any]:
    """How this refund stands to what was paid: all of it, the last of it, or a part."""
    payment = refund.payment
    paid = payment.captured_pennies or 0
    payments = order.payments.filter(status=Payment.Status.PAID).count()
    return {
        "payment": payment,
        "paid_pennies": paid,
        "is_whole": refund.amount_pennies >= paid,
        "is_one_of_several": payments > 1,
        "is_all_back": refunded_among([order.pk])[order.pk] >= captured_among([order.pk])[order.pk],
    }


def _is_lost(order: Order) -> bool:
    return Dispute.objects.filter(payment__order=order, status="lost").exists()


def _dispute(dispute_id: str) -> dict[str, Any]:
    """The dispute, how it ended if it did, and how much the payment was that it is about."""
    dispute = Dispute.objects.select_related("payment").get(stripe_dispute_id=dispute_id)
    return {
        "dispute": dispute,
        "paid_pennies": dispute.payment.captured_pennies or 0,
        "is_lost": dispute.status == "lost",
        "is_withdrawn": dispute.status == "prevented",
    }


def _refund(fact: str) -> Refund | None:
    """The refund whose id this is; None when it is a dispute's."""
    try:
        refund_id = UUID(fact)
    except ValueError:
        return None
    return Refund.objects.get(pk=refund_id)
