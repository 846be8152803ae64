"""The story of an order, oldest first: what happened, when by the shop's clock, and who did it.

A fixed number of queries for any number of facts. What an order page has read already is passed in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.models import ModelLogEntry

from catalog_pages.money import format_money
from downloads.explain import LOGGED_EVENT
from downloads.grants import CLAIMED
from downloads.ledger import DENIALS
from downloads.models import AccessEvent, Revocation, UserAsset
from orders.admin.attention import title_of
from orders.admin.cards import card_of
from orders.admin.log import ACTIONS, ANOMALY_RESOLVE, MAIL_AGAIN, TOLD_ELSEWHERE
from orders.coded_words import letter_words
from orders.models import (
    Dispute,
    FreeCopy,
    Order,
    OrderAnomaly,
    OrderNote,
    OutboxMail,
    Payment,
    Refund,
    StripeEvent,
)
from orders.services.gift_facts import GiftView

SHOWN = 300  # of the ledger's lines, and of everything together: the newest
Kind, Cause = AccessEvent.Kind, Revocation.Cause


@dataclass(frozen=True)
class Moment:
    """One line of the story. `who`: whoever of the staff, or the buyer; empty for the shop itself."""

    at: datetime
    text: str
    who: str = ""
    note: str = ""
    kind: str = ""

    @property
    def shown_at(self) -> datetime:
        return timezone.localtime(self.at, timezone.get_default_timezone())


@dataclass(frozen=True)
class Story:
    moments: list[Moment]
    is_cut: bool = False


def story_of(
    order: Order,
    *,
    payments: Sequence[Payment],
    refunds: Sequence[Refund],
    disputes: Sequence[Dispute],
    anomalies: Sequence[OrderAnomaly],
    mails: Sequence[OutboxMail],
    gifts: Sequence[GiftView],
    reader: Any,
) -> Story:
    """Everything that happened to the order and that `reader` may see; of very much, the newest."""
    sees_files = reader.has_perm("downloads.view_userasset")
    sees_letters = reader.has_perm("orders.view_outboxmail")
    sees_trouble = reader.has_perm("orders.view_orderanomaly")
    hidden = {
        action
        for action, sees in ((MAIL_AGAIN, sees_letters), (ANOMALY_RESOLVE, sees_trouble))
        if not sees
    }
    ledger, is_cut = _ledger(order) if sees_files else ([], False)
    moments = [
        *_placed(order),
        *_payments(order, payments),
        *_refunds(refunds),
        *_disputes(disputes, payments),
        *_anomalies(anomalies if sees_trouble else []),
        *_mails(mails if sees_letters else []),
        *_gifts(gifts),
        *_notes(order),
        *_copies_for_it(order),
        *_presses(order, hidden),
        *ledger,
    ]
    moments.sort(key=lambda moment: moment.at)
    return Story(moments[-SHOWN:], is_cut or len(moments) > SHOWN)


def _placed(order: Order) -> Iterator[Moment]:
    copy = FreeCopy.objects.filter(order=order).select_related("issued_by", "about").first()
    if copy is None:
        text = _("Ordered (%(channel)s)") % {"channel": order.get_channel_display()}
        yield Moment(order.created_at, text, order.email, kind="placed")
    else:
        text = _("Free copy issued to %(email)s") % {"email": order.email}
        if copy.about is not None:
            text += " " + _("(because of order %(number)s)") % {"number": copy.about.number}
        yield Moment(order.created_at, text, str(copy.issued_by or ""), copy.reason, "placed")
    if order.claimed_at is not None:
        yield Moment(
            order.claimed_at, _("Taken over by an account"), str(order.user or ""), kind="claimed"
        )


ENDINGS = {
    Payment.Status.EXPIRED: "checkout.session.expired",
    Payment.Status.FAILED: "checkout.session.async_payment_failed",
}


def _payments(order: Order, payments: Sequence[Payment]) -> Iterator[Moment]:
    heard = _endings_heard(payments)
    for payment in payments:
        if payment.attempt > 1:
            text = _("Payment begun again (attempt %(number)s)") % {"number": payment.attempt}
            yield Moment(payment.created_at, text, kind="payment")
        if payment.paid_at is None:
            if payment.status in ENDINGS:
                yield _ending(payment, heard.get(payment.stripe_session_id, order.updated_at))
            continue
        if payment.kind == Payment.Kind.FREE:
            yield Moment(payment.paid_at, _("Settled: nothing to pay"), kind="paid")
        else:
            amount = format_money(payment.captured_pennies or 0, payment.currency)
            text = _("Paid %(amount)s") % {"amount": amount}
            yield Moment(payment.paid_at, text, note=card_of(payment), kind="paid")


def _endings_heard(payments: Iterable[Payment]) -> dict[str | None, datetime]:
    """Session -> when Stripe first told that nothing came of it."""
    ended = [row.stripe_session_id for row in payments if row.status in ENDINGS]
    events = StripeEvent.objects.filter(object_id__in=ended, type__in=ENDINGS.values())
    rows = events.order_by("-received_at").values_list("object_id", "received_at")
    return dict(rows) if any(ended) else {}


def _ending(payment: Payment, heard_at: datetime) -> Moment:
    """When the time to pay was over is known; of anything else, when the shop heard of it."""
    if payment.status == Payment.Status.FAILED:
        return Moment(heard_at, _("The payment failed"), kind="payment")
    at = min(filter(None, (payment.expires_at, heard_at)))
    return Moment(at, _("Nothing was paid, and the time to pay is over"), kind="payment")


def _refunds(refunds: Iterable[Refund]) -> Iterator[Moment]:
    for refund in refunds:
        values = {"amount": format_money(refund.amount_pennies, refund.currency)}
        asked = _("Refund of %(amount)s asked for") % values
        if not refund.requested_by_id:
            asked = _("Refund of %(amount)s made at Stripe") % values
        who = str(refund.requested_by or "")
        yield Moment(refund.created_at, asked, who, refund.note, "refund")
        if refund.succeeded_at is not None:
            text = _("Refund of %(amount)s went back") % values
            # Heard of by one message, it is written down after the moment that it succeeded.
            yield Moment(max(refund.succeeded_at, refund.created_at), text, kind="refunded")
        if refund.status in (Refund.Status.FAILED, Refund.Status.CANCELED):
            text = _("Refund of %(amount)s did not succeed") % values
            yield Moment(refund.updated_at, text, note=refund.failure, kind="refund")


def _disputes(disputes: Iterable[Dispute], payments: Iterable[Payment]) -> Iterator[Moment]:
    paid_at = {payment.pk: payment.paid_at for payment in payments}
    for dispute in disputes:
        amount = format_money(dispute.amount_pennies, dispute.currency)
        text = _("Disputed by the buyer's bank")
        # Stripe's clock has whole seconds; nothing is disputed before it was paid.
        opened_at = max(filter(None, (dispute.opened_at, paid_at.get(dispute.payment_id))))
        yield Moment(opened_at, text, note=f"{amount} {dispute.reason}", kind="disputed")
        ended = {"won": _("Dispute won"), "lost": _("Dispute lost")}.get(dispute.status)
        if ended:
            at = dispute.updated_at
            if dispute.status == "lost" and dispute.lost_at is not None:
                at = dispute.lost_at
            yield Moment(at, ended, kind="disputed")


def _anomalies(anomalies: Iterable[OrderAnomaly]) -> Iterator[Moment]:
    for anomaly in anomalies:
        text = _("Needs attention: %(what)s") % {"what": title_of(anomaly)}
        yield Moment(anomaly.created_at, text, kind="attention")
        if anomaly.resolved_at is not None and anomaly.resolved_by is None:
            text = _("Settled by later facts: %(what)s") % {"what": title_of(anomaly)}
            yield Moment(anomaly.resolved_at, text, kind="attention")


def _mails(mails: Iterable[OutboxMail]) -> Iterator[Moment]:
    for mail in mails:
        values = {"letter": letter_words(mail.kind), "email": mail.to_email}
        who = str(mail.requested_by or "")
        if mail.status == OutboxMail.Status.SENT and mail.sent_at is not None:
            yield Moment(
                mail.sent_at, _("“%(letter)s” mailed to %(email)s") % values, who, "", "mailed"
            )
        elif mail.status == OutboxMail.Status.FAILED:
            text = _("“%(letter)s” could not be mailed to %(email)s") % values
            yield Moment(mail.created_at, text, who, mail.last_error, "mail")
        elif mail.status == OutboxMail.Status.QUEUED:
            text = _("“%(letter)s” to %(email)s waits to be sent") % values
            yield Moment(mail.created_at, text, who, mail.last_error, "mail")


def _gifts(gifts: Iterable[GiftView]) -> Iterator[Moment]:
    for view in gifts:
        if view.gift.redeemed_at is not None:
            text = _("Gift copy of “%(title)s” redeemed") % {"title": view.title}
            who = str(view.gift.redeemed_by or view.gift.redeemed_email)
            yield Moment(view.gift.redeemed_at, text, who, view.ending, "gift")


def _notes(order: Order) -> Iterator[Moment]:
    for note in OrderNote.objects.filter(order=order).select_related("written_by"):
        yield Moment(note.created_at, _("Note"), str(note.written_by or ""), note.text, "note")


def _copies_for_it(order: Order) -> Iterator[Moment]:
    copies = FreeCopy.objects.filter(about=order).select_related("order", "issued_by")
    for copy in copies:
        values = {"email": copy.order.email, "number": copy.order.number}
        text = _("Free copy issued to %(email)s, order %(number)s") % values
        yield Moment(copy.created_at, text, str(copy.issued_by or ""), copy.reason, "copy")


def _presses(order: Order, hidden: set[str]) -> Iterator[Moment]:
    """Which buttons were pressed, by whom, where no other fact says so."""
    entries = ModelLogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Order),
        object_id=str(order.pk),
        action__in=ACTIONS.keys() - TOLD_ELSEWHERE - hidden,
    ).select_related("user")
    for entry in entries:
        text = f"{entry.message}: {entry.comment}"
        yield Moment(entry.timestamp, text, str(entry.user or ""), kind="pressed")


def _ledger(order: Order) -> tuple[list[Moment], bool]:
    """What happened to the files: many in the same minute are one line."""
    events = list(
        AccessEvent.objects.filter(grant__order_item__order=order)
        .select_related("actor", "grant__order_item", "grant__user")
        .order_by("-at", "-pk")[: SHOWN + 1]
    )
    is_cut = len(events) > SHOWN
    reasons = _reasons({str(event.grant_id) for event in events})
    events = events[:SHOWN][::-1]
    groups = groupby(events, key=lambda event: _alike(event, reasons))
    return [_of_files(list(group), reasons) for _key, group in groups], is_cut


def _reasons(grant_ids: set[str]) -> dict[int, str]:
    """What staff wrote when they pressed a button, by the line of the ledger that it made."""
    entries = ModelLogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(UserAsset), object_id__in=grant_ids
    )
    found = (entry for entry in entries.values_list("data", flat=True) if LOGGED_EVENT in entry)
    return {entry[LOGGED_EVENT]: str(entry.get("comment", "")) for entry in found}


def _alike(event: AccessEvent, reasons: dict[int, str]) -> tuple[Any, ...]:
    minute = event.at.replace(second=0, microsecond=0)
    line = (event.grant.order_item_id, event.grant.seat)
    return event.kind, event.code, event.actor_id, line, minute, reasons.get(event.pk, "")


def _of_files(events: list[AccessEvent], reasons: dict[int, str]) -> Moment:
    first = events[0]
    grant, number = first.grant, len({event.grant_id for event in events})
    title = grant.order_item.title
    what = _("“%(title)s”") % {"title": grant.title}
    if number > 1:
        what = ngettext(
            "%(number)s file of “%(title)s”", "%(number)s files of “%(title)s”", number
        ) % {"number": number, "title": title}
    who = str(first.actor or "") if first.code != CLAIMED else ""
    if first.kind in (Kind.DOWNLOADED, Kind.LINK_ISSUED):
        who = str(grant.user or grant.email)
    return Moment(
        first.at, _words(first) % {"what": what}, who, reasons.get(first.pk, ""), first.kind
    )


def _words(event: AccessEvent) -> str:
    if event.kind == Kind.GRANTED:
        given = _("%(what)s given")
        return (
            _("%(what)s given to the account that claimed it") if event.code == CLAIMED else given
        )
    if event.kind == Kind.REVOKED:
        return {
            Cause.REFUND: _("%(what)s closed: refunded"),
            Cause.DISPUTE: _("%(what)s closed: payment disputed"),
            Cause.STAFF: _("%(what)s revoked by staff"),
            Cause.ACCOUNT: _("%(what)s closed: the account was closed"),
        }[Cause(event.code)]
    if event.kind == Kind.RESTORED:
        by_hand = event.code == Cause.STAFF
        return _("%(what)s restored by staff") if by_hand else _("%(what)s open again")
    if event.kind == Kind.DENIED:
        why = str(DENIALS.get(event.code, event.code.replace("_", " "))).replace("%", "%%")
        return _("%(what)s refused to its holder") + f": {why}"
    return {
        Kind.LINK_ISSUED: _("Storage address given out for %(what)s"),
        Kind.DOWNLOADED: _("Downloaded %(what)s"),
        Kind.LIMIT_RESET: _("Download limit reset for %(what)s"),
        Kind.NOT_COUNTED: _("Download of %(what)s counts no more"),
        Kind.LISTENED: _("%(what)s listened to"),
    }[Kind(event.kind)]
