"""What of one product's page the shopper owns already."""

from __future__ import annotations

from dataclasses import dataclass, field

from catalog_pages.models import BundledProduct
from orders.services.carts import row_id
from orders.services.shopper import Shopper, owned_among


@dataclass(frozen=True)
class Ownership:
    """`product_id`: the product, when it is owned; of a bundle also the titles inside, and which of
    them are owned."""

    product_id: int | None = None
    contents: list[str] = field(default_factory=list)
    owned_contents: list[str] = field(default_factory=list)


def ownership_of(shopper: Shopper, product_id: str) -> Ownership:
    """For the product of that id as an address names it; nothing for whoever is not known here."""
    wanted = row_id(product_id)
    if not shopper.is_known or not wanted:
        return Ownership()
    rows = BundledProduct.objects.filter(page=wanted).order_by("sort_order", "pk")
    contents = dict(rows.values_list("product", "product__title"))
    owned = owned_among(shopper, {wanted, *contents})
    return Ownership(
        product_id=wanted if wanted in owned else None,
        contents=list(contents.values()),
        owned_contents=[title for pk, title in contents.items() if pk in owned],
    )
