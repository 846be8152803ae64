"""A spreadsheet of prices and texts on its way into the catalogue: what it would change, row by row."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

KNOWN_STATES = ["reading", "ready", "applying", "done", "failed"]
KNOWN_ROW_STATES = ["wrong", "waiting", "done", "left"]


class CatalogueImport(models.Model):
    """One file that somebody sent. Nothing of it is written before somebody confirms what it changes."""

    class State(models.TextChoices):
        READING = "reading", _("being read")
        READY = "ready", _("to be confirmed")
        APPLYING = "applying", _("being written")
        DONE = "done", _("done")
        FAILED = "failed", _("not readable")

    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    confirmed_at = models.DateTimeField(null=True)
    file_name = models.CharField(max_length=255)
    content = models.BinaryField(
        null=True,
        help_text=_("The file, until it has been read: the worker may be another machine."),
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.READING)
    sentence = models.TextField(blank=True)
    rows_read = models.PositiveIntegerField(default=0)
    rows_same = models.PositiveIntegerField(default=0)
    rows_wrong = models.PositiveIntegerField(default=0)
    rows_changed = models.PositiveIntegerField(default=0)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("import of prices and texts")
        verbose_name_plural = _("imports of prices and texts")
        ordering = ["-pk"]
        permissions = [("export_products", "Can export prices and texts of products")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=KNOWN_STATES), name="import_state_is_known"
            )
        ]

    def __str__(self) -> str:
        return self.file_name


class ImportRow(models.Model):
    """A row of the file that changes something or is wrong; the others are only counted."""

    class State(models.TextChoices):
        WRONG = "wrong", _("cannot be taken")
        WAITING = "waiting", _("to be written")
        DONE = "done", _("written")
        LEFT = "left", _("left alone")

    source = models.ForeignKey(CatalogueImport, on_delete=models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField(
        help_text=_("As the spreadsheet counts: the heading is 1.")
    )
    page_id = models.BigIntegerField(null=True)
    title = models.CharField(max_length=255, blank=True)
    revision_id = models.BigIntegerField(
        null=True, help_text=_("The product's version that the differences were shown against.")
    )
    changes = models.JSONField(default=dict, help_text=_("column -> [old, new], as shown"))
    values = models.JSONField(default=dict, help_text=_("field -> new value, as stored"))
    errors = models.JSONField(default=dict, help_text=_("column -> sentence"))
    state = models.CharField(max_length=8, choices=State.choices)
    sentence = models.TextField(blank=True)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=("source", "number"), name="import_row_once"),
            models.CheckConstraint(
                condition=Q(state__in=KNOWN_ROW_STATES), name="import_row_state_is_known"
            ),
        ]
        indexes = [models.Index(fields=("source", "state", "number"), name="import_rows_by_state")]

    def __str__(self) -> str:
        return f"{self.number}: {self.title}"
