"""Carts that nobody comes back to: a guest's secret or browser session is long gone by then."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from orders.models import Cart, CartItem

KEPT = timedelta(days=90)
KEPT_EMPTY = timedelta(days=2)
AT_ONCE = 1000


def carts_tidy() -> int:
    """Delete guests' carts: empty ones two days after their last change, others 90 days after it.

    An account's cart stays as long as the account. Orders keep what they were made from.
    """
    now = timezone.now()
    guests = Cart.objects.filter(user=None)
    items = CartItem.objects.filter(cart=OuterRef("pk"))
    empty = guests.filter(~Exists(items), updated_at__lt=now - KEPT_EMPTY)
    old = guests.filter(updated_at__lt=now - KEPT)
    with (
        transaction.atomic()
    ):  # whoever changes one of them comes before the look, or finds it gone
        found = {
            pk
            for carts in (empty, old)
            for pk in carts.select_for_update(skip_locked=connection.features.has_select_for_update)
            .order_by()
            .values_list("pk", flat=True)[:AT_ONCE]
        }
        Cart.objects.filter(pk__in=found).delete()
    return len(found)
