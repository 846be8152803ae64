"""What can be bought now, by the id that somebody sent."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

from catalog_pages.models import ProductPage
from catalog_pages.querysets import ProductQuerySet
from catalog_pages.shop_days import today
from orders.errors import ProductNotForSale, ProductNotOutYet

PUT = ("title", "price_pennies", "pay_what_you_want")


def product_for_sale(product_id: object) -> ProductPage:
    """The product of that id that can be bought; ProductNotForSale for everything else, however odd."""
    return one_of(for_sale(), product_id)


def product_to_put(product_id: object) -> ProductPage:
    """As `product_for_sale`, with what a cart asks of it and nothing more."""
    return one_of(for_sale().select_related(None).only(*PUT), product_id)


def for_sale() -> ProductQuerySet:
    return _for_sale_on(today())


@lru_cache(maxsize=1)
def _for_sale_on(day: date) -> ProductQuerySet:
    """Asked of every cart that something goes into; to put the question together takes longer than to answer
    it. It is never answered itself: whoever filters it further has a question of their own."""
    return ProductPage.objects.live().offered(on=day).select_related("artist")


def one_of(products: ProductQuerySet, product_id: object) -> ProductPage:
    found = products.filter(pk=row_id(product_id)).order_by()[:1]  # there is one, in no order
    product = next(iter(found), None)
    if product is None:
        raise _not_for_sale(row_id(product_id))
    return product


def _not_for_sale(pk: int) -> ProductNotForSale:
    """The refusal that tells a shopper most: a day, where there is one to wait for."""
    product = ProductPage.objects.live().filter(pk=pk).first()
    day = product.comes_out_on if product and product.is_whole else None
    return ProductNotOutYet(day) if day else ProductNotForSale()


def row_id(raw: object) -> int:
    """A database id from outside; 0, which no row has, for what cannot be one."""
    text = str(raw) if isinstance(raw, str | int) and not isinstance(raw, bool) else ""
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text, flags=re.ASCII) else 0
