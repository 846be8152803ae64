"""Who may fetch which bytes: grants, the reasons that stop them, and the ledger of what happened."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q


class UserAsset(models.Model):
    """A grant: one holder may fetch one asset because of one line of one order.

    `seat` 0 is the buyer; 1 and above are gift copies. The holder is an account, or an email
    address until an account claims it; the address stays as evidence either way. Title and
    position are frozen from the delivery list, so that a purchase looks the same in five years.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="grants",
    )
    email = models.EmailField(blank=True, db_index=True)
    asset = models.ForeignKey(
        "catalog_pages.DigitalAsset", on_delete=models.PROTECT, related_name="grants"
    )
    order_item = models.ForeignKey(
        "orders.OrderItem", on_delete=models.PROTECT, related_name="grants"
    )
    seat = models.PositiveSmallIntegerField(default=0)
    title = models.CharField(max_length=255)
    position = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = "grant"
        ordering = ["created_at", "order_item_id", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=("order_item", "asset", "seat"), name="grant_once_per_seat"
            ),
            models.CheckConstraint(
                condition=Q(user__isnull=False) | ~Q(email=""), name="grant_has_a_holder"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.asset_id})"


class Revocation(models.Model):
    """A reason why a grant does not work now. It is lifted, never deleted, when the reason goes."""

    class Cause(models.TextChoices):
        REFUND = "refund", "refunded"
        DISPUTE = "dispute", "payment disputed"
        STAFF = "staff", "taken back by staff"
        ACCOUNT = "account", "account closed"

    grant = models.ForeignKey(UserAsset, on_delete=models.PROTECT, related_name="revocations")
    cause = models.CharField(max_length=20, choices=Cause.choices)
    created_at = models.DateTimeField(auto_now_add=True)
    lifted_at = models.DateTimeField(null=True, blank=True)

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=("grant", "cause"),
                condition=Q(lifted_at__isnull=True),
                name="revocation_once_per_cause",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.grant_id}: {self.get_cause_display()}"


class LedgerIsAppendOnly(Exception):
    """Somebody tried to rewrite history."""


class AccessEvent(models.Model):
    """One line of the append-only ledger that answers "why can't I download this?"."""

    class Kind(models.TextChoices):
        GRANTED = "granted"
        REVOKED = "revoked"
        RESTORED = "restored"
        LINK_ISSUED = "link_issued"
        DOWNLOADED = "downloaded"
        DENIED = "denied"

    grant = models.ForeignKey(UserAsset, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    code = models.CharField(
        max_length=40, blank=True, help_text="The stable code of a denial or cause."
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    at = models.DateTimeField(auto_now_add=True)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["at", "pk"]
        indexes = [models.Index(fields=("grant", "at"), name="access_event_by_grant")]

    def __str__(self) -> str:
        return f"{self.grant_id} {self.kind} {self.code}".strip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise LedgerIsAppendOnly("Write a new event instead.")
        super().save(*args, **kwargs)
