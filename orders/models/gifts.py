"""Gift codes: one for each copy of a paid line that is not the buyer's own."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext, gettext_lazy

from orders.models.orders import new_link_key

# Without vowels and look-alikes. 20 of 28 characters are 96 bits: more than anybody can guess.
GIFT_ALPHABET = "23456789BCDFGHJKLMNPQRSTVWXZ"
GIFT_LENGTH = 20


def new_gift_code() -> str:
    """Such as `7F3KW-9QXMD-2CHTR-KKN4B`."""
    characters = "".join(secrets.choice(GIFT_ALPHABET) for _ in range(GIFT_LENGTH))
    return "-".join(characters[start : start + 5] for start in range(0, GIFT_LENGTH, 5))


class GiftCode(models.Model):
    """The right to one copy, until somebody redeems it. Whether it works follows from the facts of
    its line: unpaid, refunded and disputed lines have codes that do not."""

    order_item = models.ForeignKey(
        "orders.OrderItem", on_delete=models.PROTECT, related_name="gift_codes"
    )
    seat = models.PositiveSmallIntegerField()
    code = models.CharField(max_length=30, unique=True, default=new_gift_code, editable=False)
    recipient_email = models.EmailField(
        blank=True, help_text=gettext_lazy("Whom the shop mails it to.")
    )
    message = models.CharField(max_length=500, blank=True)
    send_at = models.DateTimeField(null=True, blank=True)
    redeemed_at = models.DateTimeField(null=True, blank=True)
    redeemed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    redeemed_email = models.EmailField(
        blank=True, db_index=True, help_text=gettext_lazy("Who redeemed it; stays as evidence.")
    )
    link_key = models.CharField(
        max_length=32,
        default=new_link_key,
        editable=False,
        help_text=gettext_lazy(
            "Part of every link mailed to who redeemed it; a new one ends them all."
        ),
    )
    created_at = models.DateTimeField(auto_now_add=True)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["order_item_id", "seat"]
        indexes = [
            models.Index(
                Lower("redeemed_email"), condition=Q(redeemed_by=None), name="gift_guest_email"
            ),
            models.Index(fields=("created_at", "id"), name="gift_by_time"),
            models.Index(fields=("redeemed_at",), name="gift_by_redemption"),
        ]
        constraints = [
            models.UniqueConstraint(fields=("order_item", "seat"), name="gift_code_once_per_seat"),
            models.CheckConstraint(condition=Q(seat__gte=1), name="gift_seat_from_1"),
            models.CheckConstraint(
                condition=Q(redeemed_at=None, redeemed_by=None, redeemed_email="")
                | (Q(redeemed_at__isnull=False) & ~Q(redeemed_email="")),
                name="gift_redeemed_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(send_at=None) | ~Q(recipient_email=""), name="gift_is_sent_to_somebody"
            ),
        ]

    def __str__(self) -> str:
        return gettext("Gift {seat} of line {order_item_id}").format(
            seat=self.seat, order_item_id=self.order_item_id
        )
