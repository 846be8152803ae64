"""What of the products on one page the shopper owns already, and what of them lies in the cart."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from catalog_pages.models import BundledProduct
from orders.models import Cart
from orders.services.offers import row_id
from orders.services.shopper import Shopper, owned_among

MOST_SHOWN = 60  # products in the lists of one page
LONGEST_ID = 19  # digits, with the comma after them


@dataclass(frozen=True)
class Ownership:
    """`product_id`: the page's own product, when it is owned; of a bundle also the titles inside, and
    which of them are owned; `shown`: which of the others on the page are."""

    product_id: int | None = None
    contents: list[str] = field(default_factory=list)
    owned_contents: list[str] = field(default_factory=list)
    shown: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Held:
    """What lies in a cart: how many copies, which products, and of which one copy is the shopper's own."""

    count: int = 0
    products: frozenset[int] = frozenset()
    own: frozenset[int] = frozenset()


def ownership_of(shopper: Shopper, product_id: str, shown: Collection[int] = ()) -> Ownership:
    """For the page of the product of that id, as an address names it, with the products `shown` on it.

    Nothing for whoever is not known here; two queries at most, however many are shown.
    """
    wanted = row_id(product_id)
    if not shopper.is_known or not (wanted or shown):
        return Ownership()
    rows = BundledProduct.objects.filter(page=wanted).order_by("sort_order", "pk")
    contents = dict(rows.values_list("product", "product__title")) if wanted else {}
    owned = owned_among(shopper, {wanted, *contents, *shown})
    return Ownership(
        product_id=wanted if wanted in owned else None,
        contents=list(contents.values()),
        owned_contents=[title for pk, title in contents.items() if pk in owned],
        shown=[pk for pk in shown if pk in owned],
    )


def products_shown(raw: str) -> list[int]:
    """The products that a page says it shows: `12,7`. None for what no page of ours says."""
    if len(raw) > MOST_SHOWN * LONGEST_ID or raw.count(",") >= MOST_SHOWN:
        return []
    return [pk for pk in map(row_id, raw.split(",")) if pk]


def cart_held(*, cart: Cart | None) -> Held:
    """One query, without prices."""
    if cart is None:
        return Held()
    lines = list(cart.items.values_list("product", "quantity", "is_gift"))
    return Held(
        count=sum(quantity for _, quantity, _ in lines),
        products=frozenset(product for product, _, _ in lines),
        own=frozenset(product for product, _, is_gift in lines if not is_gift),
    )
