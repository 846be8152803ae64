"""Taking down which products sell best, for the order of a list."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from catalog_pages.models import ProductPage, ProductRank

PLACES = 1_000  # whoever looks further than that reads by another order


@transaction.atomic
def rank_products(best_first: Sequence[int]) -> bool:
    """Let the products with these keys have these places and no other any; True when that is news.

    Nothing is written otherwise: every write here makes caches of public pages begin anew.
    """
    wanted = list(dict.fromkeys(best_first))[:PLACES]
    there = set(ProductPage.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    ranked = [pk for pk in wanted if pk in there]
    if ranked == list(ProductRank.objects.order_by("place").values_list("pk", flat=True)):
        return False
    ProductRank.objects.all().delete()
    ProductRank.objects.bulk_create(
        ProductRank(product_id=pk, place=place) for place, pk in enumerate(ranked, start=1)
    )
    return True
