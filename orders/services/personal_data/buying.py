"""What was chosen, agreed, paid, given back and written about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Q
from django.db.models.functions import Lower

from orders.models import (
    CartItem,
    Dispute,
    GiftCode,
    Order,
    OrderAnomaly,
    OrderItem,
    OutboxMail,
    Payment,
    Refund,
    RefundLine,
    StripeEvent,
)
from orders.services.mail.kinds import GIFT, TO_OTHERS
from orders.services.personal_data.person import Person
from orders.services.personal_data.table import Derived, Kind, Table

ABOUT_THE_BUYER = ("billing_details", "customer_details", "customer_email")


def _letters(person: Person) -> Any:
    """Those about the person's orders, and what else was written to their addresses."""
    to_them = Q(folded__in=person.emails)
    gifts = person.gifts().order_by().values("order_item__order")
    others = to_them & (Q(order=None) | Q(order__in=gifts))
    letters = OutboxMail.objects.alias(folded=Lower("to_email"))
    return letters.filter(Q(order__in=person.order_ids()) | others).order_by("created_at", "pk")


def _is_theirs(person: Person, facts: Mapping[str, Any]) -> bool:
    """Not so: what was written to who redeemed a gift of the person's. Where the shop was to mail a code
    to, the person said. The database folds more letters than we do, so addresses are compared again."""
    if person.has_address(facts["to_email"]):
        return True
    owns = person.owns_order(order_id=facts["order"], user_id=facts["order__user"])
    return owns and (facts["kind"] == GIFT or facts["kind"] not in TO_OTHERS)


def _about_the_buyer(payload: Any) -> dict[str, Any]:
    """Of an event, what it says of the buyer; the rest is ids and amounts that stand elsewhere."""
    data = payload.get("data") if isinstance(payload, dict) else None
    found = data.get("object") if isinstance(data, dict) else None
    return {
        name: found[name] for name in ABOUT_THE_BUYER if isinstance(found, dict) and found.get(name)
    }


BUYING_TABLES = (
    Table(
        name="cart",
        words="What lies in the account's cart.",
        model=CartItem,
        find=lambda person: CartItem.objects.filter(cart__user=person.user).order_by("pk"),
        columns={
            "product": "product__title",
            "quantity": "quantity",
            "shown_price_pennies": "shown_price_pennies",
            "chosen_price_pennies": "chosen_price_pennies",
            "is_gift": "is_gift",
            "gift_email": "gift_email",
            "gift_message": "gift_message",
            "gift_send_on": "gift_send_on",
            "discount_code": "cart__discount_code__code",
            "added_at": "added_at",
        },
    ),
    Table(
        name="orders",
        words="Orders and what was agreed to with each.",
        model=Order,
        find=Person.orders,
        columns={
            "id": "id",
            "number": "number",
            "email": "email",
            "status": "status",
            "currency": "currency",
            "subtotal_pennies": "subtotal_pennies",
            "discount_pennies": "discount_pennies",
            "discount_code": "discount_use__code_text",
            "tax_pennies": "tax_pennies",
            "tax_behavior": "tax_behavior",
            "total_pennies": "total_pennies",
            "consent_version": "consent_version",
            "consent_at": "consent_at",
            "terms_version": "terms_version",
            "channel": "channel",
            "placed_as_guest": "placed_as_guest",
            "claimed_at": "claimed_at",
            "created_at": "created_at",
            "paid_at": "paid_at",
        },
    ),
    Table(
        name="order_lines",
        words="The lines of those orders, with what the buyer wished for gifts.",
        model=OrderItem,
        find=lambda person: OrderItem.objects.filter(order__in=person.order_ids()).order_by("pk"),
        columns={
            "id": "id",
            "order": "order__number",
            "title": "title",
            "artist_name": "artist_name",
            "quantity": "quantity",
            "list_price_pennies": "list_price_pennies",
            "unit_price_pennies": "unit_price_pennies",
            "discount_pennies": "discount_pennies",
            "tax_pennies": "tax_pennies",
            "total_pennies": "total_pennies",
            "is_gift": "is_gift",
            "gift_email": "gift_email",
            "gift_message": "gift_message",
            "gift_send_on": "gift_send_on",
        },
    ),
    Table(
        name="payments",
        words="Attempts to pay. Of a card we know its brand and last four figures.",
        model=Payment,
        find=lambda person: Payment.objects.filter(order__in=person.order_ids()).order_by("pk"),
        columns={
            "order": "order__number",
            "attempt": "attempt",
            "kind": "kind",
            "status": "status",
            "amount_pennies": "amount_pennies",
            "captured_pennies": "captured_pennies",
            "currency": "currency",
            "card_brand": "card_brand",
            "card_last4": "card_last4",
            "country": "country",
            "stripe_payment_intent_id": "stripe_payment_intent_id",
            "stripe_charge_id": "stripe_charge_id",
            "created_at": "created_at",
            "paid_at": "paid_at",
        },
    ),
    Table(
        name="payment_messages",
        words="What Stripe told us of those payments, and what it said of the buyer with it.",
        model=StripeEvent,
        find=lambda person: StripeEvent.objects.filter(order__in=person.order_ids()).order_by("pk"),
        columns={
            "order": "order__number",
            "type": "type",
            "created_at": "created_at",
            "buyer": Derived("payload", Kind.DATA, _about_the_buyer),
        },
    ),
    Table(
        name="refunds",
        words="Money that went back.",
        model=Refund,
        find=lambda person: Refund.objects.filter(payment__order__in=person.order_ids()).order_by(
            "created_at", "pk"
        ),
        columns={
            "id": "id",
            "stripe_refund_id": "stripe_refund_id",
            "order": "payment__order__number",
            "status": "status",
            "reason": "reason",
            "amount_pennies": "amount_pennies",
            "currency": "currency",
            "created_at": "created_at",
            "updated_at": "updated_at",
        },
    ),
    Table(
        name="refund_lines",
        words="Which lines a refund was for.",
        model=RefundLine,
        find=lambda person: RefundLine.objects.filter(
            refund__payment__order__in=person.order_ids()
        ).order_by("pk"),
        columns={
            "refund": "refund",
            "order_line": "item",
            "amount_pennies": "amount_pennies",
            "takes_files_back": "revokes",
        },
    ),
    Table(
        name="disputes",
        words="Payments that the buyer's bank asked back.",
        model=Dispute,
        find=lambda person: Dispute.objects.filter(payment__order__in=person.order_ids()).order_by(
            "opened_at", "pk"
        ),
        columns={
            "stripe_dispute_id": "stripe_dispute_id",
            "order": "payment__order__number",
            "status": "status",
            "reason": "reason",
            "amount_pennies": "amount_pennies",
            "currency": "currency",
            "opened_at": "opened_at",
        },
    ),
    Table(
        name="order_remarks",
        words="What made no sense about an order, and was looked into.",
        model=OrderAnomaly,
        find=lambda person: OrderAnomaly.objects.filter(order__in=person.order_ids()).order_by(
            "pk"
        ),
        columns={
            "order": "order__number",
            "code": "code",
            "created_at": "created_at",
            "resolved_at": "resolved_at",
        },
    ),
    Table(
        name="gifts_bought",
        words="Copies for others, and what the buyer wrote with each. Who redeemed one is not told.",
        model=GiftCode,
        find=lambda person: GiftCode.objects.filter(
            order_item__order__in=person.order_ids()
        ).order_by("pk"),
        columns={
            "order_line": "order_item",
            "code": "code",
            "recipient_email": "recipient_email",
            "message": "message",
            "send_at": "send_at",
            "is_redeemed": Derived("redeemed_at", Kind.YES_NO, lambda moment: moment is not None),
            "created_at": "created_at",
        },
    ),
    Table(
        name="letters",
        words="Letters about those orders and to those addresses, without their text.",
        model=OutboxMail,
        find=_letters,
        columns={
            "order": "order__number",
            "kind": "kind",
            "to_email": "to_email",
            "subject": "subject",
            "status": "status",
            "created_at": "created_at",
            "sent_at": "sent_at",
        },
        keeps=_is_theirs,
        looks_at=("order", "order__user", "kind"),
    ),
)
