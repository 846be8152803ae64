"""What Stripe told us (the inbox), and what did not make sense (anomalies)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class StripeEvent(models.Model):
    """One event as received. Inserted by its unique id before anything is done about it."""

    class Status(models.TextChoices):
        RECEIVED = "received", _("Received")
        HANDLED = "handled", _("Handled")
        IGNORED = "ignored", _("Not for us")
        FAILED = "failed", _("Failed, will be tried again")

    event_id = models.CharField(max_length=255, unique=True)
    type = models.CharField(max_length=100, db_index=True)
    object_id = models.CharField(max_length=255, blank=True, db_index=True)
    livemode = models.BooleanField()
    api_version = models.CharField(max_length=40, blank=True)
    payload = models.JSONField()
    created_at = models.DateTimeField(help_text=_("Stripe's own time."))
    received_at = models.DateTimeField(auto_now_add=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RECEIVED)
    attempts = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    next_attempt_at = models.DateTimeField(
        null=True, blank=True, help_text=_("Not before this; while it is handled, its lease.")
    )
    handled_at = models.DateTimeField(null=True, blank=True)
    order = models.ForeignKey(
        "orders.Order",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="stripe_events",
    )

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["-received_at", "-pk"]
        indexes = [
            models.Index(fields=("status", "next_attempt_at"), name="stripe_event_due"),
            models.Index(fields=("received_at", "id"), name="stripe_event_by_time"),
        ]
        permissions = [("retry_stripeevent", "Can try Stripe events again")]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=("handled", "ignored"), handled_at__isnull=False)
                | (~Q(status__in=("handled", "ignored")) & Q(handled_at__isnull=True)),
                name="stripe_event_settled_has_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"


class Reconciliation(models.Model):
    """One run of the scheduler's comparison with Stripe; the next reaches back to the last complete one."""

    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(
        null=True,
        blank=True,
        db_index=True,
        help_text=_("Empty when Stripe could not be asked to the end."),
    )
    differences = models.PositiveIntegerField(default=0)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["-started_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}: {self.differences}"


class OrderAnomaly(models.Model):
    """A fact that contradicts another: written down for people, never guessed at."""

    order = models.ForeignKey(
        "orders.Order", null=True, blank=True, on_delete=models.CASCADE, related_name="anomalies"
    )
    code = models.CharField(max_length=60)
    reference = models.CharField(max_length=255, help_text=_("The Stripe id it is about."))
    detail = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name_plural = _("order anomalies")
        permissions = [("resolve_orderanomaly", "Can mark order anomalies as dealt with")]
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=("code", "reference"), name="anomaly_once_per_fact"),
            models.CheckConstraint(
                condition=Q(resolved_by__isnull=True) | Q(resolved_at__isnull=False),
                name="anomaly_resolved_by_means_resolved",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.reference}"
