"""Telling the catalogue what sells best: the order alone, once a day."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Sum

from catalog_pages.ranks import PLACES, rank_products
from catalog_pages.shop_days import today
from orders.models import FiguresProductDay

DAYS = 90


def bestsellers_tell() -> bool:
    """By copies of the last ninety days in all currencies; of equals, the newer product first."""
    since = today() - timedelta(days=DAYS)
    sold = FiguresProductDay.objects.filter(day__gt=since).values("product")
    best = sold.annotate(sold=Sum("copies")).filter(sold__gt=0).order_by("-sold", "-product")
    return rank_products(list(best.values_list("product", flat=True)[:PLACES]))
