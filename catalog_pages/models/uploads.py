"""Files on their way in: what has arrived of each, and what became of it."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from catalog_pages.models.assets import DigitalAsset, protected_key, validate_file_name

KNOWN_STATES = ["receiving", "checking", "stored", "duplicate", "refused", "failed"]


class PendingUpload(models.Model):
    """One file that an editor sends in pieces. Its id becomes the id of the `DigitalAsset`.

    So the bytes have their final key from the start, and an object in a bucket is written once.
    Sizes are bytes. The row outlives its end for a while: the page that asked reads it there.
    """

    class State(models.TextChoices):
        RECEIVING = "receiving", _("arriving")
        CHECKING = "checking", _("being checked")
        STORED = "stored", _("stored")
        DUPLICATE = "duplicate", _("already here")
        REFUSED = "refused", _("refused")
        FAILED = "failed", _("given up")

    UNFINISHED = (State.RECEIVING, State.CHECKING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    file_name = models.CharField(max_length=255, validators=[validate_file_name])
    size_bytes = models.BigIntegerField(help_text=_("As the browser declared it."))
    fingerprint = models.CharField(
        max_length=64,
        help_text=_("SHA-256 of the file's name, size, date and ends: it is chosen again."),
    )
    piece_bytes = models.PositiveIntegerField()
    received_bytes = models.BigIntegerField(
        default=0, help_text=_("When last looked; the storage itself knows better.")
    )
    multipart_id = models.CharField(
        max_length=512,
        null=True,
        blank=True,
        unique=True,
        help_text=_("The bucket's own name for it."),
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.RECEIVING)
    sentence = models.TextField(blank=True)
    # An asset may be deleted before what a duplicate of it left in storage: the row has to know of that.
    asset = models.ForeignKey(DigitalAsset, null=True, on_delete=models.SET_NULL, related_name="+")
    holds_bytes = models.BooleanField(
        default=True, help_text=_("False once its bytes are an asset's, or are gone.")
    )
    claim = models.UUIDField(null=True, help_text=_("Of the task that is checking it."))
    claimed_at = models.DateTimeField(
        null=True, help_text=_("When a check of it was last claimed, given back or enqueued again.")
    )
    attempts = models.PositiveSmallIntegerField(
        default=0, help_text=_("Claims that never came to an end.")
    )
    created_at = models.DateTimeField(auto_now_add=True)
    touched_at = models.DateTimeField(help_text=_("When something last happened to it."))

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(size_bytes__gt=0), name="upload_has_bytes"),
            models.CheckConstraint(
                condition=Q(received_bytes__gte=0) & Q(received_bytes__lte=F("size_bytes")),
                name="upload_received_within_size",
            ),
            models.CheckConstraint(condition=Q(piece_bytes__gt=0), name="upload_piece_has_bytes"),
            models.CheckConstraint(
                condition=Q(fingerprint__regex=r"^[0-9a-f]{64}$"), name="upload_fingerprint_is_hex"
            ),
            models.CheckConstraint(
                condition=~Q(file_name__contains="/") & ~Q(file_name__contains="\\"),
                name="upload_file_name_is_plain",
            ),
            models.CheckConstraint(
                condition=Q(state__in=KNOWN_STATES),
                name="upload_state_is_known",
            ),
            models.CheckConstraint(
                condition=Q(state="receiving")
                | Q(state="failed")
                | Q(received_bytes=F("size_bytes")),
                name="upload_is_checked_when_whole",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["stored", "duplicate"]) | Q(asset__isnull=True),
                name="upload_has_asset_only_when_kept",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["receiving", "checking"]) | Q(holds_bytes=True),
                name="upload_unfinished_holds_bytes",
            ),
            models.CheckConstraint(
                condition=Q(state="checking") | Q(claim__isnull=True),
                name="upload_claimed_while_checking",
            ),
            models.UniqueConstraint(
                fields=("uploaded_by", "fingerprint"),
                condition=Q(state__in=["receiving", "checking"]),
                name="upload_once_while_unfinished",
            ),
        ]
        indexes = [models.Index(fields=("state", "touched_at"), name="upload_oldest_first")]

    def __str__(self) -> str:
        return f"{self.file_name}, {self.get_state_display()}"

    @property
    def key(self) -> str:
        """Where the whole file lies in protected storage: the key of the asset that it becomes."""
        return protected_key(DigitalAsset(pk=self.pk), self.file_name)
