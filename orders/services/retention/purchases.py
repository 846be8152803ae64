"""Orders that are old enough forget whom they were agreed with."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Model, Q, QuerySet

from downloads.forgotten import DOMAIN, mark_of
from downloads.models import UserAsset
from orders.locks import lock_order
from orders.models import DiscountUse, GiftCode, Order, OrderItem, OutboxMail, Payment, StripeEvent
from orders.services.retention.messages import messages_reduce

A_YEAR = timedelta(days=365)
# Nobody signs in for these: guests that no account has taken over, and closed accounts.
NOBODYS = Q(user=None) | Q(user__closed_at__isnull=False)
UNPAID = (Order.Status.FAILED, Order.Status.EXPIRED)


def purchases_due(now: datetime, years: int) -> QuerySet[Order]:
    """Orders of guests and of closed accounts, paid or not, that are so old. 0 years: none, ever."""
    return _known(Order.objects.filter(created_at__lt=now - years * A_YEAR), years)


def unpaid_due(now: datetime, days: int) -> QuerySet[Order]:
    """Those that were never paid, and were given up so long ago: no books need them. 0 days: none, ever."""
    old = Order.objects.filter(status__in=UNPAID, updated_at__lt=now - timedelta(days=days))
    return _known(old, days)


def _known(orders: QuerySet[Order], limit: int) -> QuerySet[Order]:
    if not limit:
        return Order.objects.none()
    running = (Order.Status.PENDING, Order.Status.PROCESSING)
    known = orders.filter(NOBODYS).exclude(email__endswith=f"@{DOMAIN}")
    return known.exclude(status__in=running).order_by("created_at", "pk")


def purchases_forget(pks: Iterable[Any]) -> None:
    """A mark takes the address's place everywhere, so that its owner still finds what was bought."""
    for pk in pks:
        _forget(pk)


@transaction.atomic
def _forget(pk: Any) -> None:
    """Whoever claims it meanwhile comes before, and keeps the address, or after, and gets it back."""
    order = lock_order(pk)
    if not Order.objects.filter(NOBODYS, pk=pk).exists():
        return
    items = OrderItem.objects.filter(order=order)
    items.update(gift_email="", gift_message="")
    gifts = GiftCode.objects.filter(order_item__in=items)
    gifts.update(recipient_email="", message="", send_at=None)
    # A copy that somebody redeemed for an account is that account's.
    _mark(gifts.filter(redeemed_by=None, redeemed_at__isnull=False), "redeemed_email")
    _mark(UserAsset.objects.filter(NOBODYS, order_item__in=items), "email")
    _mark(DiscountUse.objects.filter(order=order), "buyer_email")
    letters = OutboxMail.objects.filter(order=order).exclude(status=OutboxMail.Status.QUEUED)
    letters.update(subject="", body_text="", body_html="")
    _mark(letters, "to_email")
    for payment in Payment.objects.filter(order=order):
        payment.request.pop("customer_email", None)
        payment.save(update_fields=["request"])
    messages_reduce(StripeEvent.objects.filter(order=order).values_list("pk", flat=True))
    Order.objects.filter(pk=order.pk).update(email=mark_of(order.email))


def _mark(rows: QuerySet[Any], field: str) -> None:
    model: type[Model] = rows.model
    for pk, email in rows.exclude(**{field: ""}).values_list("pk", field):
        model._default_manager.filter(pk=pk).update(**{field: mark_of(email)})
