"""Legal texts: a draft to work on for each kind, and what was published, which never changes."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, ObjectList
from wagtail.fields import RichTextField
from wagtail.models import PreviewableMixin

from catalog_pages.plain_text import plain_text
from catalog_pages.posted import OpenedForm

FEATURES = ["h2", "h3", "bold", "italic", "ol", "ul", "link", "hr"]


class LegalKind(models.TextChoices):
    TERMS = "terms", _("Terms of sale")
    PRIVACY = "privacy", _("Privacy")
    IMPRINT = "imprint", _("Imprint")
    RETURNS = "returns", _("Returns and withdrawal")
    CONSENT = "consent", _("Consent at checkout")


class LegalText(PreviewableMixin, models.Model):
    """What is being worked on; nobody but staff sees it. One row for each kind, made on first use."""

    kind = models.CharField(
        max_length=20,
        choices=LegalKind.choices,
        unique=True,
        editable=False,
        verbose_name=_("kind"),
    )
    draft = RichTextField(_("text"), blank=True, features=FEATURES, max_length=200_000)

    edit_handler = ObjectList([FieldPanel("draft")], base_form_class=OpenedForm)

    class Meta:
        verbose_name = _("legal text")
        verbose_name_plural = _("legal texts")
        default_permissions = ("change", "view")
        permissions = [("publish_legaltext", "Can publish legal texts")]

    def __str__(self) -> str:
        return str(LegalKind(self.kind).label)

    def serve_preview(self, request: HttpRequest, mode_name: str) -> HttpResponse:
        """The public page as the next version would be."""
        newest = LegalVersion.objects.filter(kind=self.kind).first()
        version = LegalVersion(
            kind=self.kind,
            version=newest.version + 1 if newest else 1,
            body=self.draft,
            published_at=timezone.now(),
        )
        return render(request, "catalog_pages/legal.html", {"legal": version, "is_draft": True})


class LegalVersionsStay(Exception):
    """Somebody tried to delete a text that was published."""


class LegalVersionQuerySet(models.QuerySet["LegalVersion"]):
    """Texts are added, and none of them goes."""

    def delete(self) -> tuple[int, dict[str, int]]:
        raise LegalVersionsStay("What was published stays: orders name it.")

    def in_force(self) -> LegalVersionQuerySet:
        """The newest of each kind."""
        newer = LegalVersion.objects.filter(kind=OuterRef("kind"), version__gt=OuterRef("version"))
        return self.filter(~Exists(newer))


class LegalVersion(models.Model):
    """A text as it was published. Orders name it, so the database refuses to change it; no code deletes it.

    PostgreSQL refuses to delete it as well. SQLite cannot: emptying its tables deletes row by row.
    """

    kind = models.CharField(max_length=20, choices=LegalKind.choices)
    version = models.PositiveIntegerField()
    body = models.TextField()
    published_at = models.DateTimeField(default=timezone.now)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    objects = LegalVersionQuerySet.as_manager()
    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["kind", "-version"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=("kind", "version"), name="legal_version_once"),
            models.CheckConstraint(condition=Q(version__gte=1), name="legal_version_from_one"),
            models.CheckConstraint(
                condition=Q(kind__in=LegalKind.values), name="legal_version_of_a_kind"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title}, {self.version}"

    def get_absolute_url(self) -> str:
        return reverse("legal_version", args=[self.kind, self.version])

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise LegalVersionsStay("What was published stays: orders name it.")

    @property
    def title(self) -> str:
        return str(LegalKind(self.kind).label)

    @property
    def text(self) -> str:
        return plain_text(self.body)

    @property
    def newest_url(self) -> str:
        return reverse("legal", args=[self.kind])


def legal_links(kinds: list[str]) -> list[dict[str, Any]]:
    """Names and addresses of the newest texts, in the order of `LegalKind`; consent is read at checkout."""
    return [
        {"kind": kind, "label": kind.label, "url": reverse("legal", args=[kind.value])}
        for kind in LegalKind
        if kind.value in kinds and kind != LegalKind.CONSENT
    ]
