"""Artists and genres: snippets with clean addresses of their own."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel
from wagtail.fields import RichTextField
from wagtail.search import index
from wagtail.snippets.models import register_snippet

from catalog_pages.audio.text import fold

MAX_KEY = 200


class NamedWithSlug(models.Model):
    """A unique name and the slug that its page lives under."""

    name = models.CharField(max_length=200, unique=True, verbose_name=_("name"))
    slug = models.SlugField(
        max_length=200,
        unique=True,
        allow_unicode=True,
        blank=True,
        help_text=_("The last part of the page's address. Leave empty to make it from the name."),
        verbose_name=_("slug"),
    )

    name_key = models.CharField(
        max_length=MAX_KEY, blank=True, db_index=True, editable=False, default=""
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self.slug:
            self.slug = unused_slug(type(self), self.name)
        self.name_key = name_key(self.name)
        written = kwargs.get("update_fields")
        if written is not None and "name" in written:
            kwargs["update_fields"] = {*written, "name_key"}
        super().save(*args, **kwargs)


def name_key(name: str) -> str:
    """What names that differ in case or spacing alone have in common; only its beginning is kept."""
    return fold(name)[:MAX_KEY]


def unused_slug(model: type[models.Model], text: str) -> str:
    """A slug from `text` that no row of `model` uses yet; letters of every script are kept."""
    base = slugify(text, allow_unicode=True)[:190] or "untitled"
    taken = set(model._default_manager.filter(slug__startswith=base).values_list("slug", flat=True))
    if base not in taken:
        return base
    return next(slug for n in range(2, len(taken) + 3) if (slug := f"{base}-{n}") not in taken)


class TaxonomyQuerySet(models.QuerySet):
    def named(self, name: str) -> list[int]:
        """Keys of those with this name whatever its case and spacing, in their order; one query.

        SQLite folds the case of ASCII only, so that a key was made when the row was saved. A row that came
        without one, by SQL or `update`, is looked at as well.
        """
        rows = self.filter(name_key__in=["", name_key(name)]).values_list("pk", "name")
        return [pk for pk, known in rows if fold(known) == fold(name)]

    def with_products(self) -> TaxonomyQuerySet:
        """Only those with something on sale, so that no link leads to an empty page."""
        products: Any = self.model._meta.get_field("products")
        own = {products.field.name: models.OuterRef("pk"), "live": True}
        return self.filter(models.Exists(products.related_model.objects.filter(**own)))


@register_snippet
class Artist(NamedWithSlug, index.Indexed):
    """Who made it: a person, a band, a label's alias."""

    objects = TaxonomyQuerySet.as_manager()

    biography = RichTextField(
        blank=True, features=["bold", "italic", "link"], verbose_name=_("biography")
    )

    panels = [FieldPanel("name"), FieldPanel("slug"), FieldPanel("biography")]
    search_fields = [index.SearchField("name"), index.AutocompleteField("name")]

    class Meta(NamedWithSlug.Meta):
        verbose_name = _("artist")
        verbose_name_plural = _("artists")
        abstract = False
        ordering = ["name"]

    def get_absolute_url(self) -> str:
        return reverse("catalog:artist", args=[self.slug])


@register_snippet
class Genre(NamedWithSlug, index.Indexed):
    objects = TaxonomyQuerySet.as_manager()

    panels = [FieldPanel("name"), FieldPanel("slug")]
    search_fields = [index.SearchField("name"), index.AutocompleteField("name")]

    class Meta(NamedWithSlug.Meta):
        verbose_name = _("genre")
        verbose_name_plural = _("genres")
        abstract = False
        ordering = ["name"]

    def get_absolute_url(self) -> str:
        return reverse("catalog:genre", args=[self.slug])
