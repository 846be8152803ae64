"""Cover art: Wagtail's image model under our own name, so that it can grow without a migration war."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.images.models import AbstractImage, AbstractRendition, Image


class CoverImage(AbstractImage):
    """A picture an editor uploaded or the ingest found inside an audio file."""

    # sha256 of an embedded cover: the twelve tracks of an album carry one picture, stored once.
    source_sha256 = models.CharField(
        max_length=64, blank=True, default="", db_index=True, editable=False
    )

    admin_form_fields = Image.admin_form_fields

    class Meta(AbstractImage.Meta):
        verbose_name = _("cover image")


class CoverRendition(AbstractRendition):
    """One size of one cover; made when a product is published, never by a reader's GET."""

    image = models.ForeignKey(CoverImage, on_delete=models.CASCADE, related_name="renditions")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=("image", "filter_spec", "focal_point_key"),
                name="catalog_pages_rendition_unique",
            )
        ]
