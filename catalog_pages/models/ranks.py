"""In which order products sold, as the shop's pages may know it: places, and no numbers of sales."""

from __future__ import annotations

from django.db import models


class ProductRank(models.Model):
    """Told to this room by whoever counts sales; see `catalog_pages.ranks`. No row: it has no place."""

    product = models.OneToOneField(
        "catalog_pages.ProductPage",
        on_delete=models.CASCADE,
        related_name="rank",
        primary_key=True,
    )
    place = models.PositiveIntegerField(db_index=True)

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.place}: {self.product_id}"
