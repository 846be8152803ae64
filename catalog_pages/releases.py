"""Before its day: a product can be seen and heard, and bought from its release date on, by itself.

Nothing has to run at midnight. Whether a product is out is asked of the date alone, in the shop's own time
zone (`TIME_ZONE`), by everybody who asks whether it can be bought: `ProductQuerySet.offered` in the
database, `can_be_bought` for rows in memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from catalog_pages.shop_days import today


def comes_out_on(product: Any, parts: Iterable[Any] = (), *, on: date | None = None) -> date | None:
    """The day on which the last of them comes out; None when all are out `on` that day (today)."""
    day = on or today()
    dates = (thing.release_date for thing in (product, *parts))
    return max((found for found in dates if found and found > day), default=None)


def can_be_bought(product: Any, parts: Iterable[Any] = (), *, on: date | None = None) -> bool:
    """Whether a published product is priced, out, and, of a bundle, all that it contains as well.

    Any objects with `price_pennies`, `release_date` and, for parts, `live` will do.
    """
    parts = list(parts)
    is_whole = all(part.live for part in parts)
    return (
        product.price_pennies is not None
        and is_whole
        and comes_out_on(product, parts, on=on) is None
    )
