"""Payment facts. Each row is keyed by a business id; Stripe's ids are unique or absent, never ""."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class Payment(models.Model):
    """One attempt to pay one order.

    The row is committed *before* Stripe is called and holds the whole request, `expires_at`
    included: after a crash the same request is sent again under the same idempotency key.
    """

    class Kind(models.TextChoices):
        STRIPE = "stripe", _("Stripe")
        FREE = "free", _("Nothing to pay")

    class Status(models.TextChoices):
        CREATED = "created", _("Not sent yet")
        OPEN = "open", _("Waiting for the buyer")
        PROCESSING = "processing", _("On its way")
        PAID = "paid", _("Paid")
        FAILED = "failed", _("Failed")
        EXPIRED = "expired", _("Expired")

    order = models.ForeignKey("orders.Order", on_delete=models.PROTECT, related_name="payments")
    attempt = models.PositiveSmallIntegerField(default=1)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.STRIPE)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.CREATED)
    amount_pennies = models.BigIntegerField(help_text=_("What was agreed, before tax on top."))
    captured_pennies = models.BigIntegerField(
        null=True,
        blank=True,
        help_text=_("What Stripe took, tax included; empty until it is paid."),
    )
    currency = models.CharField(max_length=3)
    request = models.JSONField(default=dict, help_text=_("The parameters sent to Stripe, frozen."))
    idempotency_key = models.CharField(max_length=255, unique=True)
    stripe_session_id = models.CharField(max_length=255, null=True, blank=True, unique=True)
    stripe_payment_intent_id = models.CharField(max_length=255, null=True, blank=True, unique=True)
    stripe_charge_id = models.CharField(max_length=255, null=True, blank=True, unique=True)
    livemode = models.BooleanField(null=True, blank=True)
    url = models.TextField(blank=True)
    card_brand = models.CharField(max_length=40, blank=True)
    card_last4 = models.CharField(max_length=4, blank=True, db_index=True)
    country = models.CharField(
        max_length=2,
        blank=True,
        help_text=_("Of the billing address, as Stripe told when it was paid."),
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    paid_at = models.DateTimeField(null=True, blank=True)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["order_id", "attempt"]
        indexes = [
            models.Index(
                fields=("paid_at",), condition=Q(paid_at__isnull=False), name="payment_by_paid_at"
            ),
            models.Index(fields=("created_at", "id"), name="payment_by_time"),
            models.Index(fields=("status", "created_at"), name="payment_by_status"),
            models.Index(fields=("currency", "created_at"), name="payment_by_currency"),
            models.Index(fields=("amount_pennies", "id"), name="payment_by_amount"),
            models.Index(
                fields=("created_at", "id"), condition=Q(kind="free"), name="payment_free_by_time"
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=("order", "attempt"), name="payment_once_per_attempt"),
            models.CheckConstraint(condition=Q(amount_pennies__gte=0), name="payment_not_negative"),
            models.CheckConstraint(
                condition=~Q(kind="free") | Q(amount_pennies=0, stripe_session_id__isnull=True),
                name="payment_free_is_free",
            ),
            models.CheckConstraint(
                condition=~Q(stripe_session_id="")
                & ~Q(stripe_payment_intent_id="")
                & ~Q(stripe_charge_id=""),
                name="payment_stripe_ids_null_or_real",
            ),
            models.CheckConstraint(
                condition=~Q(status="paid") | Q(paid_at__isnull=False),
                name="payment_paid_has_paid_at",
            ),
            models.CheckConstraint(
                condition=~Q(status="paid") | Q(captured_pennies__gte=0),
                name="payment_paid_has_captured",
            ),
        ]

    def __str__(self) -> str:
        return gettext("{order_id} attempt {attempt}").format(
            order_id=self.order_id, attempt=self.attempt
        )


class Refund(models.Model):
    """Money going back. Only `succeeded` counts.

    One that staff ask for here exists before Stripe is asked, under the id that its form carried; one
    made at Stripe appears when Stripe tells of it, and has no lines: nobody said which were meant.
    """

    class Status(models.TextChoices):
        REQUESTED = "requested", _("Being sent to Stripe")
        PENDING = "pending", _("On its way")
        REQUIRES_ACTION = "requires_action", _("Waiting for the buyer")
        SUCCEEDED = "succeeded", _("Refunded")
        FAILED = "failed", _("Failed")
        CANCELED = "canceled", _("Cancelled")

    class Reason(models.TextChoices):
        """Stripe's own list: https://docs.stripe.com/api/refunds/create."""

        REQUESTED_BY_CUSTOMER = "requested_by_customer", _("The buyer asked for it")
        DUPLICATE = "duplicate", _("Paid twice")
        FRAUDULENT = "fraudulent", _("Fraud")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    stripe_refund_id = models.CharField(max_length=255, null=True, blank=True, unique=True)
    amount_pennies = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.REQUESTED)
    reason = models.CharField(max_length=40, choices=Reason.choices, blank=True)
    note = models.CharField(
        max_length=300, blank=True, help_text=_("For staff; buyers never see it.")
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    failure = models.CharField(max_length=300, blank=True, help_text=_("Why it did not succeed."))
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    succeeded_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text=_("When the shop first heard that it succeeded; kept if a bank sends it back."),
    )

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["created_at", "pk"]
        indexes = [
            models.Index(
                fields=("succeeded_at",),
                condition=Q(succeeded_at__isnull=False),
                name="refund_by_succeeded_at",
            ),
            models.Index(fields=("created_at", "id"), name="refund_by_time"),
            models.Index(fields=("status", "created_at"), name="refund_by_status"),
            models.Index(fields=("currency", "created_at"), name="refund_by_currency"),
            models.Index(fields=("amount_pennies", "id"), name="refund_by_amount"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="succeeded") | Q(succeeded_at__isnull=False),
                name="refund_succeeded_has_a_time",
            ),
            models.CheckConstraint(condition=Q(amount_pennies__gt=0), name="refund_is_positive"),
            models.CheckConstraint(
                condition=~Q(stripe_refund_id=""), name="refund_stripe_id_null_or_real"
            ),
            # What Stripe decided, Stripe has; only one not sent yet, or refused, has no id there.
            models.CheckConstraint(
                condition=Q(status__in=("requested", "failed")) | Q(stripe_refund_id__isnull=False),
                name="refund_decided_has_stripe_id",
            ),
        ]

    def __str__(self) -> str:
        return gettext("Refund {pk}").format(pk=self.pk)


class RefundLine(models.Model):
    """Which line a refund is for, and whether it takes the files back."""

    refund = models.ForeignKey(Refund, on_delete=models.CASCADE, related_name="lines")
    item = models.ForeignKey(
        "orders.OrderItem", on_delete=models.PROTECT, related_name="refund_lines"
    )
    amount_pennies = models.BigIntegerField()
    revokes = models.BooleanField(default=True)

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=("refund", "item"), name="refund_line_once_per_item"),
            models.CheckConstraint(
                condition=Q(amount_pennies__gte=0), name="refund_line_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.refund_id}: {self.item_id}"


class Dispute(models.Model):
    """A buyer's bank asks for the money back. Statuses are Stripe's own words."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="disputes")
    stripe_dispute_id = models.CharField(max_length=255, unique=True)
    status = models.CharField(max_length=40)
    reason = models.CharField(max_length=100, blank=True)
    amount_pennies = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    opened_at = models.DateTimeField()
    updated_at = models.DateTimeField(auto_now=True)
    lost_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When the shop heard that it was lost.")
    )

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["opened_at", "pk"]
        indexes = [
            models.Index(
                fields=("lost_at",), condition=Q(lost_at__isnull=False), name="dispute_by_lost_at"
            ),
            models.Index(fields=("opened_at", "id"), name="dispute_by_time"),
            models.Index(fields=("status", "opened_at"), name="dispute_by_status"),
            models.Index(fields=("currency", "opened_at"), name="dispute_by_currency"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="lost") | Q(lost_at__isnull=False),
                name="dispute_lost_has_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(stripe_dispute_id=""), name="dispute_stripe_id_real"
            ),
            models.CheckConstraint(condition=Q(amount_pennies__gte=0), name="dispute_not_negative"),
        ]

    def __str__(self) -> str:
        return self.stripe_dispute_id
