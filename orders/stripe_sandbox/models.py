"""What the sandbox remembers. Plain text ids and JSON: no relation to any table of the shop."""

from __future__ import annotations

from django.db import models


class SandboxModel(models.Model):
    """Keeps these tables out of Wagtail's reference index, which would write on every save."""

    wagtail_reference_index_ignore = True

    class Meta:
        abstract = True


class SandboxObject(SandboxModel):
    """One Stripe object: `data` is what the API shows, `hidden` what only the sandbox knows.

    The columns repeat parts of `data` that are searched; `store.save` keeps them equal. Lists go by
    `created` and, within one second, by the row number.
    """

    object_id = models.CharField(max_length=255, unique=True)
    kind = models.CharField(max_length=40)
    created = models.BigIntegerField()
    status = models.CharField(max_length=40, blank=True)
    payment_intent = models.CharField(max_length=255, blank=True)
    expires_at = models.BigIntegerField(null=True)
    data = models.JSONField(default=dict)
    hidden = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["kind", "status", "expires_at"], name="sandbox_object_due"),
            models.Index(fields=["kind", "payment_intent"], name="sandbox_object_intent"),
            models.Index(fields=["kind", "created", "id"], name="sandbox_object_page"),
        ]

    def __str__(self) -> str:
        return self.object_id


class SandboxIdempotency(SandboxModel):
    """The stored answer of one idempotency key."""

    key = models.CharField(max_length=255, unique=True)
    path = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)
    created = models.BigIntegerField(db_index=True)
    request_id = models.CharField(max_length=255)
    status = models.PositiveSmallIntegerField(default=0)
    body = models.TextField(default="")

    def __str__(self) -> str:
        return self.key


class SandboxEvent(SandboxModel):
    """An event as Stripe would tell it; `payload` is the exact text of every delivery."""

    event_id = models.CharField(max_length=255, unique=True)
    type = models.CharField(max_length=100)
    created = models.BigIntegerField(db_index=True)
    subject = models.CharField(max_length=255, db_index=True)
    payload = models.TextField()

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"


class SandboxDelivery(SandboxModel):
    """One event on its way to the webhook URL, with everything that happened to it."""

    class Status(models.TextChoices):
        PENDING = "pending"
        DELIVERED = "delivered"
        FAILED = "failed"
        DROPPED = "dropped"

    event = models.ForeignKey(SandboxEvent, on_delete=models.CASCADE, related_name="deliveries")
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True)
    last_status = models.PositiveSmallIntegerField(null=True)
    last_error = models.TextField(blank=True)
    log = models.JSONField(default=list)

    class Meta:
        indexes = [models.Index(fields=["status", "next_attempt_at"], name="sandbox_delivery_due")]

    def __str__(self) -> str:
        return f"{self.event} {self.status}"


class SandboxControls(SandboxModel):
    """The single row of switches that a person or a test can set."""

    class Api(models.TextChoices):
        UP = "up"
        DOWN = "down"
        FAILING = "failing"
        LOSING_ANSWERS = "losing_answers"

    class Refunds(models.TextChoices):
        SUCCEED = "succeed"
        PENDING = "pending"
        FAIL = "fail"

    api = models.CharField(max_length=20, choices=Api.choices, default=Api.UP)
    refunds = models.CharField(max_length=20, choices=Refunds.choices, default=Refunds.SUCCEED)
    held = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"API {self.api}, deliveries {'held' if self.held else 'running'}"
