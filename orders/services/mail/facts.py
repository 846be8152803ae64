"""What is true at this moment of the order that a letter is about. Amounts are in minor units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Prefetch
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from catalog_pages.money import format_money
from downloads.holders import normalise_email
from downloads.models import Revocation, UserAsset
from orders.models import (
    Dispute,
    GiftCode,
    Order,
    OrderItem,
    OutboxMail,
    Payment,
    Refund,
    RefundLine,
)
from orders.services.access import captured_among, refunded_among
from orders.services.gift_facts import (
    CLOSED,
    LOST,
    REFUNDED,
    SUSPENDED,
    GiftView,
    closed_lines,
    gift_views,
    open_views,
)
from orders.services.guests import guest_holdings, guest_link, is_guests
from orders.services.mail import kinds


@dataclass(frozen=True)
class FileState:
    """Whether a line's files can be fetched now; `why` not, as words that follow its title.

    `is_gift`: all its copies are for others, so that this is about its codes.
    """

    item: OrderItem
    is_open: bool
    why: str = ""
    is_gift: bool = False


@dataclass(frozen=True)
class Facts:
    """One letter before it has its frame: the headline, what its sentences speak of, its parts.

    `subject`: where the headline does not do. `links`: what to follow, and where to. `ledger`: the
    lines and the total of the order. `show_consent`: what the buyer agreed to. `for_lines`: which
    lines a refund is for. `files`: what can be fetched now. `gifts`: codes that wait to be redeemed.
    `quote`: what the buyer wrote to who gets a gift. `is_for_others`: nothing of the order is told.
    """

    headline: str
    words: dict[str, Any] = field(default_factory=dict)
    subject: str = ""
    links: list[tuple[str, str]] = field(default_factory=list)
    button: tuple[str, str] | None = None
    ledger: bool = False
    show_consent: bool = False
    refunded_pennies: int = 0
    for_lines: list[RefundLine] = field(default_factory=list)
    files: list[FileState] = field(default_factory=list)
    gifts: list[GiftView] = field(default_factory=list)
    quote: str = ""
    is_for_others: bool = False


def receipt(mail: OutboxMail, order: Order) -> Facts:
    files = file_states(order)
    closed = [state for state in files if not state.is_open]
    own = [state for state in files if not state.is_gift]
    gifts = open_views(gift_views(order))
    return Facts(
        headline=_thanks(closed=bool(closed), files=bool(own), gifts=bool(gifts)),
        subject=_("Your order {number}").format(number=order.number),
        words={
            "is_free": order.total_pennies == 0,
            "has_files": bool(own) and not closed,
            "gifts": gifts,
            "gifts_to_give": [view for view in gifts if not view.gift.recipient_email],
            "is_guests": is_guests(order),
            "guest_link_days": settings.GUEST_LINK_DAYS,
            "find_path": reverse("orders:guest_find"),
        },
        button=_to_files(order, files),
        ledger=True,
        show_consent=True,
        refunded_pennies=refunded_among([order.pk])[order.pk],
        files=files if closed else [],
        gifts=gifts,
    )


def _thanks(*, closed: bool, files: bool, gifts: bool) -> str:
    if closed or not (files or gifts):
        return _("Thank you for your order")
    return _("Thank you. Your files are ready") if files else _("Thank you. Your gift is ready")


def processing(mail: OutboxMail, order: Order) -> Facts:
    return Facts(headline=_("Your payment is on its way"), ledger=True)


def payment_failed(mail: OutboxMail, order: Order) -> Facts:
    is_retried = order.status == Order.Status.PROCESSING
    button = None if is_retried else (_("Go to your cart"), reverse("orders:cart"))
    return Facts(
        headline=_("Your payment did not arrive"),
        words={"is_retried": is_retried},
        button=button,
        ledger=True,
    )


def refunded(mail: OutboxMail, order: Order) -> Facts:
    refund = Refund.objects.select_related("payment").get(pk=mail.fact)
    files = file_states(order)
    return Facts(
        headline=_("We sent {amount} back to you").format(
            amount=format_money(refund.amount_pennies, refund.currency)
        ),
        words={
            "refund": refund,
            "sent_on": mail.created_at,
            "has_come_back": refund.status != Refund.Status.SUCCEEDED,
            **_shares(refund, order),
            "has_closed_gifts": _has_closed_gifts(order),
        },
        button=_to_files(order, files),
        for_lines=list(refund.lines.select_related("item").order_by("item__position")),
        files=files,
    )


def access_suspended(mail: OutboxMail, order: Order) -> Facts:
    files = file_states(order)
    words = _dispute(mail.fact) | _kinds(files, order)
    if words["has_own"] and words["has_gifts"]:
        waits = _("Your files and gift copies are closed for now")
    elif words["has_gifts"]:
        waits = _("Your gift copies are closed for now")
    else:
        waits = _("Your files are closed for now")
    return Facts(
        headline=_("Your payment was taken back") if words["is_lost"] else waits,
        words=words,
        files=files,
    )


def access_restored(mail: OutboxMail, order: Order) -> Facts:
    files = file_states(order)
    if refund := _refund(mail.fact):
        headline = _("Your refund did not reach you")
        return Facts(headline=headline, words={"refund": refund}, files=files)
    opened = [state.is_open for state in files]
    words = {"is_open": any(opened), "is_open_in_part": not all(opened)} | _kinds(files, order)
    if words["has_own"] and words["has_gifts"]:
        again = _("Your files and gift copies are available again")
    elif words["has_gifts"]:
        again = _("Your gift copies are available again")
    else:
        again = _("Your files are available again")
    return Facts(
        headline=again if any(opened) else _("Your dispute is settled"),
        words=words | _dispute(mail.fact),
        button=_to_files(order, files),
        files=files,
    )


def guest_links(mail: OutboxMail, order: Order | None) -> Facts:
    """Fresh links to everything that this address holds without an account, now."""
    held = guest_holdings(emails=[normalise_email(mail.to_email)], only_paid=True)
    links = [
        (
            _("Order {number} of {when}").format(
                number=order.number, when=date_format(order.created_at)
            ),
            guest_link(order),
        )
        for order in held.orders
    ]
    links += [
        (_("Gift: {title}").format(title=gift.order_item.title), guest_link(gift))
        for gift in held.gifts
    ]
    return Facts(
        headline=_("The links to your files"),
        subject=_("Your files"),
        words={"guest_link_days": settings.GUEST_LINK_DAYS, "count": len(links)},
        links=links,
    )


# Why a gift's line is closed, as the revocation that a file of it would have.
CAUSES = {
    REFUNDED: Revocation.Cause.REFUND,
    SUSPENDED: Revocation.Cause.DISPUTE,
    LOST: Revocation.Cause.DISPUTE,
}
# What each kind of letter tells. DoesNotExist when the row that it tells of is gone.
FACTS: dict[str, Callable[[OutboxMail, Order], Facts]] = {
    kinds.RECEIPT: receipt,
    kinds.PROCESSING: processing,
    kinds.PAYMENT_FAILED: payment_failed,
    kinds.REFUNDED: refunded,
    kinds.ACCESS_SUSPENDED: access_suspended,
    kinds.ACCESS_RESTORED: access_restored,
}
# The same for letters that are about no order.
FACTS_WITHOUT_ORDER: dict[str, Callable[[OutboxMail, Order | None], Facts]] = {
    kinds.GUEST_LINKS: guest_links,
}


def file_states(order: Order) -> list[FileState]:
    """Every line that has files: open, or closed and why, from the revocations that stand."""
    standing = Revocation.objects.filter(lifted_at=None)
    grants = UserAsset.objects.filter(seat=0).prefetch_related(
        Prefetch("revocations", queryset=standing, to_attr="standing")
    )
    items = order.items.prefetch_related(Prefetch("grants", queryset=grants, to_attr="held"))
    words = _why_closed(order)
    closed = closed_lines([order.pk])[order.pk]
    states = []
    for item in items:
        if item.is_gift:
            reason = CAUSES.get(closed.get(item.pk, ""))
            why = words[reason] if reason is not None else ""
            states.append(FileState(item, is_open=not why, why=why, is_gift=True))
            continue
        causes = {stop.cause for grant in item.held for stop in grant.standing}
        why = next((sentence for cause, sentence in words.items() if cause in causes), "")
        if item.held:
            states.append(FileState(item, is_open=not causes, why=why))
    return states


def _kinds(files: list[FileState], order: Order) -> dict[str, bool]:
    """What a dispute closes and opens: files of the buyer's own, gift copies, or both."""
    own = any(not state.is_gift for state in files)
    gifts = GiftCode.objects.filter(order_item__order=order).exists()
    return {"has_own": own or not gifts, "has_gifts": gifts}


def _has_closed_gifts(order: Order) -> bool:
    return any(view.state in CLOSED for view in gift_views(order))


def _why_closed(order: Order) -> dict[str, str]:
    """Words for each cause, the one that will not pass first."""
    looking = _("closed while your bank looks into the payment")
    taken = _("no longer available, your bank took the payment back")
    return {
        Revocation.Cause.REFUND: _("no longer available, refunded"),
        Revocation.Cause.STAFF: _("no longer available, taken back by the shop"),
        Revocation.Cause.ACCOUNT: _("no longer available, the account was closed"),
        Revocation.Cause.DISPUTE: taken if _is_lost(order) else looking,
    }


def order_path(order: Order) -> str:
    """Where the buyer sees this order: a guest by a fresh link, an account by signing in."""
    return guest_link(order) if is_guests(order) else order.get_absolute_url()


def _to_files(order: Order, files: list[FileState]) -> tuple[str, str] | None:
    if not any(state.is_open and not state.is_gift for state in files):
        return None
    return _("Go to your files"), guest_link(order) if is_guests(order) else reverse(
        "orders:purchases"
    )


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
