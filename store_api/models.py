"""What the API keeps for itself."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class IdempotentRequest(models.Model):
    """One caller's Idempotency-Key. A row without an answer is being worked on, or its worker died.

    Whoever inserted the row does the work; the unique digest lets one of many. Rows tell nothing: key and
    caller are digests, and the answer is encrypted under a key that needs both (`idempotency/sealing.py`).
    """

    key_digest = models.CharField(max_length=64, help_text=_("Of the caller and the key."))
    fingerprint = models.CharField(
        max_length=64,
        help_text=_("Of what was asked: method, address, secrets brought along, and body."),
    )
    answer = models.BinaryField(
        null=True, blank=True, help_text=_("Encrypted. None while under way.")
    )
    started_at = models.DateTimeField(db_index=True)

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()  # nobody reads or changes these by hand
        constraints = [
            models.UniqueConstraint(fields=["key_digest"], name="idempotency_key_works_once"),
        ]

    def __str__(self) -> str:
        return f"{self.key_digest[:12]}, {'under way' if self.answer is None else 'answered'}"
