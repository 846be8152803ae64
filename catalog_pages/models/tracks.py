"""The tracks of a product and the files that each is delivered as."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey
from modelcluster.models import ClusterableModel
from wagtail.admin.panels import FieldPanel, FieldRowPanel, InlinePanel
from wagtail.models import Orderable

from catalog_pages.panels import ExcerptPanel

DEFAULT_EXCERPT_SECONDS = 30


class ProductTrack(Orderable, ClusterableModel):
    """One piece of a product: its title and place, and where its excerpt is cut."""

    page = ParentalKey("catalog_pages.ProductPage", on_delete=models.CASCADE, related_name="tracks")
    title = models.CharField(max_length=255, verbose_name=_("title"))
    disc = models.PositiveSmallIntegerField(null=True, blank=True, verbose_name=_("disc"))
    number = models.PositiveSmallIntegerField(null=True, blank=True, verbose_name=_("number"))
    excerpt_start_seconds = models.PositiveIntegerField(
        _("excerpt starts at"),
        null=True,
        blank=True,
        help_text=_("Seconds into the track. Leave empty for a good guess."),
    )
    excerpt_length_seconds = models.PositiveIntegerField(
        _("excerpt length"),
        null=True,
        blank=True,
        help_text=format_lazy(
            _("Seconds. Leave empty for {default_excerpt_seconds}."),
            default_excerpt_seconds=DEFAULT_EXCERPT_SECONDS,
        ),
    )

    panels = [
        FieldPanel("title"),
        InlinePanel("files", heading=_("Files"), label=_("File"), min_num=0),
        ExcerptPanel(
            [FieldPanel("excerpt_start_seconds"), FieldPanel("excerpt_length_seconds")],
            heading=_("Excerpt"),
        ),
        FieldRowPanel([FieldPanel("disc"), FieldPanel("number")]),
    ]

    class Meta(Orderable.Meta):
        verbose_name = _("product track")
        verbose_name_plural = _("product tracks")
        constraints = [
            models.CheckConstraint(
                condition=Q(excerpt_length_seconds__isnull=True)
                | Q(excerpt_length_seconds__gte=5, excerpt_length_seconds__lte=90),
                name="track_excerpt_between_5_and_90_s",
                violation_error_message=_("An excerpt is between 5 and 90 seconds long."),
            )
        ]

    def __str__(self) -> str:
        return self.title


class TrackFile(Orderable):
    """One format of a track."""

    track = ParentalKey(ProductTrack, on_delete=models.CASCADE, related_name="files")
    asset = models.ForeignKey(
        # Null only while a draft is unfinished: Wagtail saves drafts whatever is missing.
        "catalog_pages.DigitalAsset",
        null=True,
        on_delete=models.PROTECT,
        related_name="track_files",
        verbose_name=_("asset"),
    )

    panels = [FieldPanel("asset", heading=_("Audio file"))]

    class Meta(Orderable.Meta):
        verbose_name = _("track file")
        verbose_name_plural = _("track files")
        constraints = [
            models.UniqueConstraint(fields=("track", "asset"), name="track_file_once_per_track")
        ]

    def __str__(self) -> str:
        return str(self.asset)
