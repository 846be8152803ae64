"""Music on its way into the catalogue: files that belong together, and the albums they are sorted into.

A batch is work in progress that survives a reload and a night: nothing of it is seen by anybody but
editors, and its albums become products only when an editor says so.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from catalog_pages.models.assets import DigitalAsset
from catalog_pages.models.images import CoverImage
from catalog_pages.models.uploads import PendingUpload
from catalog_pages.money import MAX_PRICE_PENNIES

KNOWN_WISHES = ["", "draft", "publish"]


MOST_NUMBER = 9999  # of a track and of a disc


class MusicBatch(models.Model):
    """What somebody dropped on the screen, once or over days."""

    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    touched_at = models.DateTimeField(auto_now=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("batch of music")
        verbose_name_plural = _("batches of music")
        ordering = ["-touched_at", "-pk"]
        indexes = [models.Index(fields=("-touched_at", "-id"), name="batch_newest_first")]

    def __str__(self) -> str:
        return gettext("Music of %(day)s") % {"day": f"{self.created_at:%Y-%m-%d %H:%M}"}


class BatchAlbum(models.Model):
    """One product to be, as the tags say or as an editor corrected it."""

    class Wish(models.TextChoices):
        NONE = "", ""
        DRAFT = "draft", _("Save as a draft")
        PUBLISH = "publish", _("Publish")

    batch = models.ForeignKey(MusicBatch, on_delete=models.CASCADE, related_name="albums")
    position = models.PositiveIntegerField()
    title = models.CharField(max_length=255)
    artist = models.CharField(max_length=200)
    genre = models.CharField(max_length=200, blank=True)
    price_pennies = models.PositiveIntegerField(null=True)
    release_date = models.DateField(null=True)
    is_album = models.BooleanField(default=True, help_text=_("False for a file without an album."))
    cover = models.ForeignKey(
        CoverImage,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text=_("Null: the picture inside the files."),
    )
    page = models.ForeignKey(
        "catalog_pages.ProductPage", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    revision_id = models.BigIntegerField(
        null=True,
        help_text=_("The version that we wrote last; another one is somebody else's work."),
    )
    joined = models.BooleanField(
        default=False, help_text=_("The product was there before: it only got what was missing.")
    )
    is_changed = models.BooleanField(
        default=True, help_text=_("Corrected since it was last written to its product.")
    )
    wish = models.CharField(max_length=7, choices=Wish.choices, blank=True, default="")
    wished_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    sentence = models.TextField(blank=True, help_text=_("What came of the last wish."))

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(price_pennies__isnull=True) | Q(price_pennies__lte=MAX_PRICE_PENNIES),
                name="batch_album_price_within_bounds",
            ),
            models.CheckConstraint(condition=Q(wish__in=KNOWN_WISHES), name="batch_wish_is_known"),
        ]

    def __str__(self) -> str:
        return self.title


class BatchTrack(models.Model):
    """One piece of music of an album, in the formats that its files are."""

    album = models.ForeignKey(BatchAlbum, on_delete=models.CASCADE, related_name="tracks")
    title = models.CharField(max_length=255)
    artist = models.CharField(max_length=200, blank=True)
    disc = models.PositiveSmallIntegerField(null=True)
    number = models.PositiveSmallIntegerField(null=True)
    left_out = models.BooleanField(default=False)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(**{f"{name}__isnull": True})
                | Q(**{f"{name}__gte": 1, f"{name}__lte": MOST_NUMBER}),
                name=f"batch_track_{name}_1_to_9999",
            )
            for name in ("disc", "number")
        ]

    def __str__(self) -> str:
        return self.title


class BatchFile(models.Model):
    """One file of a batch: arriving while it has an `upload`, here once it has an `asset`."""

    batch = models.ForeignKey(MusicBatch, on_delete=models.CASCADE, related_name="files")
    upload = models.ForeignKey(
        PendingUpload, null=True, on_delete=models.SET_NULL, related_name="batch_files"
    )
    asset = models.ForeignKey(
        DigitalAsset, null=True, on_delete=models.CASCADE, related_name="batch_files"
    )
    track = models.ForeignKey(
        BatchTrack, null=True, on_delete=models.SET_NULL, related_name="files"
    )
    file_name = models.CharField(max_length=255)
    folder = models.CharField(max_length=255, blank=True)
    sentence = models.TextField(blank=True, help_text=_("Why there is no asset, or whose it is."))

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=("batch", "upload"), name="batch_upload_once"),
            models.UniqueConstraint(fields=("batch", "asset"), name="batch_asset_once"),
        ]

    def __str__(self) -> str:
        return self.file_name


class BatchCover(models.Model):
    """One picture that was dropped with the music."""

    batch = models.ForeignKey(MusicBatch, on_delete=models.CASCADE, related_name="covers")
    image = models.ForeignKey(CoverImage, on_delete=models.CASCADE, related_name="+")
    file_name = models.CharField(max_length=255)
    folder = models.CharField(max_length=255, blank=True)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=("batch", "image"), name="batch_cover_once")]

    def __str__(self) -> str:
        return self.file_name
