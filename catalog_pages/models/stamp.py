"""What the catalogue's state is told by: a token that no two states have in common."""

from __future__ import annotations

from django.db import models


class CatalogueStamp(models.Model):
    """The database renews it by itself, in the transaction of every write to what the catalogue shows.

    Usually one row; as many as there were writers at once, until the next write. See `catalog_pages.stamp`.
    """

    token = models.CharField(max_length=36, primary_key=True, editable=False)

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.token
