"""Bundles: a product that contains other products, sold at a price of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey
from wagtail.admin.panels import MultipleChooserPanel, PageChooserPanel
from wagtail.models import Orderable

from catalog_pages.forms import ContentsFormSet

Titled = TypeVar("Titled", bound=Any)


class BundledProduct(Orderable):
    """One product in a bundle. What a bundle contains is no bundle itself; publishing says so."""

    page = ParentalKey(
        "catalog_pages.ProductPage", on_delete=models.CASCADE, related_name="contents"
    )
    product = models.ForeignKey(
        "catalog_pages.ProductPage",
        on_delete=models.PROTECT,
        related_name="in_bundles",
        verbose_name=_("product"),
    )

    panels = [PageChooserPanel("product", "catalog_pages.ProductPage")]

    class Meta(Orderable.Meta):
        verbose_name = _("bundled product")
        verbose_name_plural = _("bundled products")
        constraints = [
            models.UniqueConstraint(fields=("page", "product"), name="bundled_once_per_product"),
            models.CheckConstraint(
                condition=~models.Q(page=models.F("product")), name="bundle_not_in_itself"
            ),
        ]

    def __str__(self) -> str:
        return str(self.product)


def in_order_of_title(bundles: Iterable[Titled]) -> list[Titled]:
    """The bundles that a product is in; databases differ in how they sort words, and this does not."""
    return sorted(bundles, key=lambda bundle: (bundle.title.casefold(), bundle.pk))


class ContentsPanel(MultipleChooserPanel):
    """The products of a bundle, in the order in which they are delivered; several are chosen at once."""

    def get_form_options(self) -> dict[str, Any]:
        options = super().get_form_options()
        options["formsets"][self.relation_name]["formset"] = ContentsFormSet
        return options
