"""Outgoing webhooks: who wants to be told what, what happened, and how the telling went."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class WebhookType(models.TextChoices):
    """What can be told. The words are part of the API and never change."""

    ORDER_PAID = "order.paid", _("An order was paid")
    ORDER_REFUNDED = "order.refunded", _("Money went back")
    DOWNLOAD_GRANTED = "download.granted", _("Somebody may fetch files")
    PRODUCT_PUBLISHED = "product.published", _("A product was published")


class WebhookEndpoint(models.Model):
    """An address that is told of events. Its secrets are kept encrypted; `services.outgoing` opens them.

    Made by a person of staff, or by an app without a person: it goes when the app goes.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    url = models.CharField(_("URL"), max_length=500)
    description = models.CharField(
        max_length=200,
        blank=True,
        help_text=_("For you; nobody else reads it."),
        verbose_name=_("description"),
    )
    events = models.JSONField(
        help_text=_("Which types of event it is told."), verbose_name=_("events")
    )
    sealed_secret = models.CharField(max_length=500, editable=False)
    sealed_previous_secret = models.CharField(max_length=500, blank=True, editable=False)
    previous_secret_ends_at = models.DateTimeField(
        null=True, blank=True, help_text=_("Until then both secrets sign.")
    )
    is_active = models.BooleanField(_("in use"), default=True)
    enabled_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text=_("When it was last switched on; empty if it never was off."),
    )
    disabled_at = models.DateTimeField(null=True, blank=True, verbose_name=_("disabled at"))
    disabled_reason = models.CharField(max_length=200, blank=True)
    failing_since = models.DateTimeField(
        null=True,
        blank=True,
        help_text=_("The first attempt that failed since one last worked."),
        verbose_name=_("failing since"),
    )
    app = models.ForeignKey(
        "allauth_idp_oidc.Client",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="webhook_endpoints",
        help_text=_("The app that made it, when nobody was signed in to that app."),
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    created_at = models.DateTimeField(auto_now_add=True, verbose_name=_("created at"))
    updated_at = models.DateTimeField(auto_now=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("webhook endpoint")
        verbose_name_plural = _("webhook endpoints")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(sealed_previous_secret="", previous_secret_ends_at=None)  # nosec B106  # empty: no secret
                | (~Q(sealed_previous_secret="") & Q(previous_secret_ends_at__isnull=False)),  # nosec B106  # empty: no secret
                name="webhook_previous_secret_ends",
            ),
            models.CheckConstraint(
                condition=Q(is_active=True, disabled_at=None, disabled_reason="")
                | Q(is_active=False, disabled_at__isnull=False),
                name="webhook_off_has_time",
            ),
            models.CheckConstraint(
                condition=Q(app=None) | Q(created_by=None), name="webhook_of_app_or_person"
            ),
            models.CheckConstraint(
                condition=~Q(url="") & ~Q(sealed_secret=""),  # nosec B106  # empty: no secret
                name="webhook_has_url_and_secret",
            ),
        ]

    def __str__(self) -> str:
        return self.url


class WebhookEvent(models.Model):
    """One fact that somebody wants to hear of, written with the fact itself, and once for ever."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    type = models.CharField(max_length=40, choices=WebhookType.choices)
    dedupe_key = models.CharField(
        max_length=200, unique=True, help_text=_("Type and business fact: it is never told twice.")
    )
    occurred_at = models.DateTimeField()
    payload = models.JSONField(help_text=_("What is sent, to everybody the same."))
    addressed_at = models.DateTimeField(
        null=True, blank=True, help_text=_("Empty until a delivery to each endpoint is written.")
    )

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["-occurred_at", "-pk"]
        indexes = [
            models.Index(
                fields=("occurred_at",),
                condition=Q(addressed_at=None),
                name="webhook_event_unaddressed",
            ),
            models.Index(fields=("type",), name="webhook_event_by_type"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(type__in=WebhookType.values), name="webhook_event_type_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.webhook_id}"

    @property
    def webhook_id(self) -> str:
        """The message's name on the wire; the same at each attempt, to each endpoint."""
        return f"evt_{self.id.hex}"


class WebhookDelivery(models.Model):
    """One event on its way to one endpoint."""

    class Status(models.TextChoices):
        PENDING = "pending", _("Waiting")
        DELIVERED = "delivered", _("Delivered")
        FAILED = "failed", _("Failed, will be tried again")
        GIVEN_UP = "given_up", _("Given up")

    OPEN = (Status.PENDING, Status.FAILED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    event = models.ForeignKey(WebhookEvent, on_delete=models.CASCADE, related_name="deliveries")
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries"
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(
        null=True, blank=True, help_text=_("Not before this; while it is sent, its lease.")
    )
    last_status_code = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text=_("Empty when there was no answer.")
    )
    last_error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    delivered_at = models.DateTimeField(null=True, blank=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("webhook delivery")
        ordering = ["-created_at", "-pk"]
        verbose_name_plural = _("webhook deliveries")
        permissions = [("resend_webhookdelivery", "Can have webhooks sent again")]
        indexes = [
            models.Index(
                fields=("next_attempt_at",),
                condition=Q(status__in=("pending", "failed")),
                name="webhook_delivery_due",
            ),
            models.Index(fields=("endpoint", "-created_at"), name="webhook_delivery_listed"),
            models.Index(fields=("created_at", "id"), name="webhook_delivery_by_time"),
            models.Index(fields=("status", "created_at"), name="webhook_delivery_by_status"),
        ]
        constraints = [
            models.UniqueConstraint(fields=("event", "endpoint"), name="webhook_delivery_once"),
            models.CheckConstraint(
                condition=Q(status="delivered", delivered_at__isnull=False)
                | (~Q(status="delivered") & Q(delivered_at=None)),
                name="webhook_delivered_has_time",
            ),
            models.CheckConstraint(
                condition=Q(status__in=("pending", "failed"), next_attempt_at__isnull=False)
                | (~Q(status__in=("pending", "failed")) & Q(next_attempt_at=None)),
                name="webhook_open_has_next_attempt",
            ),
        ]

    def __str__(self) -> str:
        return gettext("{event_id} to {endpoint_id}").format(
            event_id=self.event_id, endpoint_id=self.endpoint_id
        )
