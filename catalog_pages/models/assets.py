"""The bytes that are sold. A `DigitalAsset` never changes; a new file is a new row."""

from __future__ import annotations

import uuid
from pathlib import PurePosixPath
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.storage import Storage, storages
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

FORBIDDEN_IN_NAMES = frozenset("/\\\0\r\n")


class ImmutableAssetError(Exception):
    """Somebody tried to change bytes that buyers may already own."""


def protected_storage() -> Storage:
    return storages["protected"]


def public_storage() -> Storage:
    return storages["public"]


def protected_key(asset: DigitalAsset, filename: str) -> str:
    """A storage key made of the row's uuid alone: names of people's files never become paths."""
    return f"{asset.pk.hex[:2]}/{asset.pk.hex}"


def excerpt_key(excerpt: Excerpt, filename: str) -> str:
    return f"excerpts/{excerpt.token}.mp3"


def validate_file_name(name: str) -> None:
    """A plain name: no folders, no parent references, no control characters."""
    if (
        FORBIDDEN_IN_NAMES & set(name)
        or name in {"", ".", ".."}
        or PurePosixPath(name).name != name
        or any(ord(character) < 32 for character in name)
    ):
        raise ValidationError(
            gettext("A file name must be a plain name without folders."), code="file_name_not_plain"
        )


class DigitalAsset(models.Model):
    """One immutable file in protected storage. Sizes are bytes, durations milliseconds."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    file = models.FileField(
        storage=protected_storage, upload_to=protected_key, max_length=200, editable=False
    )
    file_name = models.CharField(
        max_length=255, validators=[validate_file_name], verbose_name=_("file name")
    )
    sha256 = models.CharField("SHA-256", max_length=64, unique=True, editable=False)
    crc32 = models.BigIntegerField(
        editable=False, help_text=_("A sized ZIP states it before the bytes.")
    )
    size_bytes = models.BigIntegerField(editable=False, verbose_name=_("size bytes"))
    content_type = models.CharField(max_length=100, editable=False, verbose_name=_("content type"))
    format_name = models.CharField(
        max_length=20,
        editable=False,
        help_text=_("As shown: FLAC, MP3, Opus …"),
        verbose_name=_("format name"),
    )
    codec = models.CharField(max_length=40, blank=True, editable=False, verbose_name=_("codec"))
    duration_ms = models.PositiveIntegerField(
        null=True, editable=False, verbose_name=_("duration ms")
    )
    bitrate_bps = models.PositiveIntegerField(
        null=True, editable=False, verbose_name=_("bitrate bps")
    )
    sample_rate_hz = models.PositiveIntegerField(
        null=True, editable=False, verbose_name=_("sample rate hz")
    )
    channels = models.PositiveSmallIntegerField(
        null=True, editable=False, verbose_name=_("channels")
    )
    tags = models.JSONField(default=dict, blank=True, editable=False, verbose_name=_("tags"))
    lineage = models.UUIDField(
        default=uuid.uuid4,
        editable=False,
        db_index=True,
        help_text=_("Shared by all versions of one file."),
    )
    replaces = models.OneToOneField(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="replaced_by",
        editable=False,
        verbose_name=_("replaces"),
    )
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        editable=False,
        verbose_name=_("uploaded by"),
    )
    created_at = models.DateTimeField(auto_now_add=True, verbose_name=_("created at"))

    class Meta:
        verbose_name = _("audio file")
        ordering = ["-created_at", "file_name"]
        indexes = [
            # What the list in the admin is sorted by.
            models.Index(fields=("created_at", "id"), name="asset_by_time"),
            models.Index(fields=("file_name", "id"), name="asset_by_file_name"),
            models.Index(fields=("size_bytes", "id"), name="asset_by_size"),
            models.Index(fields=("duration_ms", "id"), name="asset_by_duration"),
            models.Index(fields=("format_name", "id"), name="asset_by_format"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(size_bytes__gt=0), name="asset_has_bytes"),
            models.CheckConstraint(
                condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="asset_sha256_is_hex"
            ),
            models.CheckConstraint(
                condition=~Q(file_name__contains="/") & ~Q(file_name__contains="\\"),
                name="asset_file_name_is_plain",
            ),
            models.CheckConstraint(
                condition=~Q(replaces=models.F("id")), name="asset_replaces_another"
            ),
        ]

    def __str__(self) -> str:
        return self.file_name

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise ImmutableAssetError(
                "A stored file never changes; store the new bytes as a new one."
            )
        validate_file_name(self.file_name)
        super().save(*args, **kwargs)

    @property
    def is_audio(self) -> bool:
        return self.duration_ms is not None

    @property
    def last_found(self) -> str:
        """What the last check found of the bytes, "" before the first; no query with `fixity` selected."""
        check = getattr(self, "fixity", None)
        return check.found if check is not None else ""

    @property
    def etag(self) -> str:
        return f'"{self.sha256}"'


class Excerpt(models.Model):
    """A public cut of one master. Its name cannot be guessed and says nothing of the master's."""

    asset = models.ForeignKey(DigitalAsset, on_delete=models.CASCADE, related_name="excerpts")
    start_ms = models.PositiveIntegerField()
    length_ms = models.PositiveIntegerField()
    token = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    file = models.FileField(storage=public_storage, upload_to=excerpt_key, max_length=200)
    duration_ms = models.PositiveIntegerField()
    size_bytes = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    peaks = models.JSONField(default=list, help_text=_("Loudness from 0 to 100, evenly spaced."))
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=("asset", "start_ms", "length_ms"), name="excerpt_once_per_cut"
            ),
            models.CheckConstraint(condition=Q(length_ms__gt=0), name="excerpt_has_length"),
        ]

    def __str__(self) -> str:
        return gettext("{asset} from {start_ms} ms").format(
            asset=self.asset, start_ms=self.start_ms
        )


class FixityCheck(models.Model):
    """What was found when a stored file was last read and hashed again. One row for each file.

    The only word on a missing file for whoever may not ask the storage itself: a link to a bucket is
    made without a call to it.
    """

    class Found(models.TextChoices):
        INTACT = "intact", _("as it was stored")
        MISSING = "missing", _("missing")
        ALTERED = "altered", _("altered")

    asset = models.OneToOneField(
        DigitalAsset, on_delete=models.CASCADE, related_name="fixity", primary_key=True
    )
    found = models.CharField(max_length=10, choices=Found.choices)
    checked_at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(found__in=["intact", "missing", "altered"]),
                name="fixity_found_is_known",
            )
        ]
        indexes = [
            models.Index(fields=("checked_at",), name="fixity_oldest_first"),
            models.Index(fields=("found",), condition=~Q(found="intact"), name="fixity_damaged"),
        ]

    def __str__(self) -> str:
        return f"{self.asset_id}: {self.get_found_display()}"
