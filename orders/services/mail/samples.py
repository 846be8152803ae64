"""Letters with made-up facts, written by the same code as real ones, for whoever edits their words.

The rows that a letter tells of are written and taken back within one transaction. Nobody else sees them,
nothing is queued for them, and their foreign keys are never checked: that happens at a commit.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from downloads.models import UserAsset
from orders.consent import agreement_now
from orders.models import (
    Dispute,
    GiftCode,
    LetterText,
    Order,
    OrderItem,
    OutboxMail,
    Payment,
    Refund,
    RefundLine,
)
from orders.services.mail import kinds
from orders.services.mail.facts import Facts
from orders.services.mail.letters import Letter, facts_of, letter_of
from orders.services.mail.sending import sender
from orders.services.mail.server import MailServer

PRICE_PENNIES = 900


def sample_letter(*, text: LetterText) -> Letter:
    """The letter of its kind as these words make it, saved or not. Leaves nothing behind."""
    with transaction.atomic():
        mail = _mail(text.kind)
        facts = _new_version() if text.kind == kinds.NEW_VERSION else facts_of(mail)
        letter = letter_of(kind=text.kind, order=mail.order, facts=facts, own=text)
        transaction.set_rollback(True)
    return letter


def sample_send(*, text: LetterText, to_email: str) -> None:
    """Mail it. Raises what `MailServer.deliver` does. No transaction may be open."""
    letter = sample_letter(text=text)
    message = EmailMultiAlternatives(
        subject=_("Test: {subject}").format(subject=letter.subject)[:200],
        body=letter.text,
        from_email=sender(letter.shop_name),
        to=[to_email],
        headers={"Auto-Submitted": "auto-generated"},
    )
    message.attach_alternative(letter.html, "text/html")
    with MailServer() as server:
        server.deliver(message)


def _mail(kind: str) -> OutboxMail:
    order = _order(paid=kind not in {kinds.PROCESSING, kinds.PAYMENT_FAILED})
    fact = FACTS_OF.get(kind, lambda order: str(order.pk))(order)
    mail = OutboxMail(
        kind=kind, fact=fact, order=order, to_email=order.email, created_at=timezone.now()
    )
    if kind in {kinds.GUEST_LINKS, kinds.NEW_VERSION}:
        mail.order = None
    return mail


def _order(*, paid: bool) -> Order:
    """One album for a guest whom nobody else can be."""
    agreement, now = agreement_now(), timezone.now()
    order = Order.objects.create(
        email=f"listener-{uuid.uuid4().hex[:8]}@example.invalid",
        placed_as_guest=True,
        status=Order.Status.PAID if paid else Order.Status.FAILED,
        currency=settings.STRIPE_CURRENCY,
        subtotal_pennies=PRICE_PENNIES,
        total_pennies=PRICE_PENNIES,
        consent_version=agreement.consent_version,
        consent_at=now,
        terms_version=agreement.terms_version,
        cart_fingerprint=uuid.uuid4().hex,
        paid_at=now if paid else None,
    )
    item = OrderItem.objects.create(
        order=order,
        product_id=0,
        position=1,
        title="Harbour Lights",
        artist_name="The Sea Wall",
        list_price_pennies=PRICE_PENNIES,
        unit_price_pennies=PRICE_PENNIES,
        quantity=1,
        total_pennies=PRICE_PENNIES,
    )
    if paid:
        UserAsset.objects.create(
            email=order.email, asset_id=uuid.uuid4(), order_item=item, title=item.title, position=1
        )
    return order


def _payment(order: Order) -> Payment:
    return Payment.objects.create(
        order=order,
        status=Payment.Status.PAID,
        amount_pennies=PRICE_PENNIES,
        captured_pennies=PRICE_PENNIES,
        currency=order.currency,
        idempotency_key=uuid.uuid4().hex,
        card_brand="visa",
        card_last4="4242",
        paid_at=order.paid_at,
    )


def _refund(order: Order) -> str:
    refund = Refund.objects.create(
        payment=_payment(order),
        amount_pennies=PRICE_PENNIES,
        currency=order.currency,
        status=Refund.Status.SUCCEEDED,
        succeeded_at=timezone.now(),
        stripe_refund_id=uuid.uuid4().hex,
    )
    item = order.items.get()
    RefundLine.objects.create(refund=refund, item=item, amount_pennies=PRICE_PENNIES)
    return str(refund.pk)


def _dispute(status: str) -> Callable[[Order], str]:
    def write(order: Order) -> str:
        dispute = Dispute.objects.create(
            payment=_payment(order),
            stripe_dispute_id=f"dp_{uuid.uuid4().hex}",
            status=status,
            amount_pennies=PRICE_PENNIES,
            currency=order.currency,
            opened_at=timezone.now(),
            lost_at=timezone.now() if status == "lost" else None,
        )
        return dispute.stripe_dispute_id

    return write


def _gift(order: Order) -> str:
    gift = GiftCode.objects.create(
        order_item=order.items.get(),
        seat=1,
        message="For the long nights. With love",
        redeemed_at=timezone.now(),
        redeemed_email="friend@example.invalid",
    )
    return str(gift.pk)


FACTS_OF: dict[str, Callable[[Order], str]] = {
    kinds.REFUNDED: _refund,
    kinds.ACCESS_SUSPENDED: _dispute("needs_response"),
    kinds.ACCESS_RESTORED: _dispute("won"),
    kinds.GIFT: _gift,
    kinds.GIFT_REDEEMED: _gift,
    kinds.GIFT_TAKEN_BACK: _gift,
    kinds.GIFT_RETURNED: _gift,
}


def _new_version() -> Facts:
    """Made up as a whole: a real one begins with files."""
    item: Any = SimpleNamespace(title="Harbour Lights", artist_name="The Sea Wall")
    offer: Any = SimpleNamespace(
        grant=SimpleNamespace(title="First Light"),
        version=SimpleNamespace(format_name="FLAC", size_bytes=31_000_000),
    )
    return Facts(
        headline=_("There is a new version"),
        subject=_("A new version of “Harbour Lights”"),
        words={
            "items": [(item, [offer])],
            "count": 1,
            "stop_path": reverse("orders:updates_stop", args=["sample"]),
            "is_guests": False,
        },
        button=(_("Go to your files"), reverse("orders:purchases")),
    )
