"""The outbox: one row per business fact that people are written to about."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class OutboxMail(models.Model):
    """A letter, written when its fact was committed and sent by the worker until it is taken."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Given up")
        SKIPPED = "skipped", _("Overtaken by events")

    dedupe_key = models.CharField(
        max_length=200, unique=True, help_text=_("Kind, business fact and resend number.")
    )
    kind = models.CharField(max_length=40)
    fact = models.CharField(
        max_length=150, help_text=_("The business id it tells of: an order, a payment, a refund.")
    )
    order = models.ForeignKey(
        "orders.Order", null=True, blank=True, on_delete=models.SET_NULL, related_name="mails"
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text=_("Who had it sent again."),
    )
    to_email = models.EmailField()
    subject = models.CharField(max_length=200, blank=True)
    body_text = models.TextField(blank=True, help_text=_("Empty until it is first sent."))
    body_html = models.TextField(blank=True)
    message_id = models.CharField(max_length=200, unique=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=("status", "next_attempt_at"), name="outbox_due"),
            models.Index(fields=("created_at", "id"), name="outbox_by_time"),
            models.Index(fields=("kind", "created_at"), name="outbox_by_kind"),
            models.Index(fields=("status", "created_at"), name="outbox_by_status"),
            models.Index(fields=("kind", "fact"), name="outbox_by_fact"),
        ]
        permissions = [("resend_outboxmail", "Can have mail sent again")]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="sent", sent_at__isnull=False)
                | (~Q(status="sent") & Q(sent_at__isnull=True)),
                name="outbox_sent_has_time",
            ),
        ]

    def __str__(self) -> str:
        return gettext("{kind} to {to_email}").format(kind=self.kind, to_email=self.to_email)

    @property
    def resend_number(self) -> int:
        """0 for the letter that its fact wrote, 1 and more for those that were wanted again."""
        return int(self.dedupe_key.rpartition(":")[2])
