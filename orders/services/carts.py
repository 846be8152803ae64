"""Carts: what goes in, what comes out, and what it would cost now.

Prices are looked up at every read; what the shopper posts is a product and a quantity, never a price.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import OuterRef, Subquery

from catalog_pages.models import ProductPage
from catalog_pages.money import format_money
from orders.errors import CartFull, CartItemNotFound, ProductNotForSale, QuantityInvalid
from orders.locks import lock_cart
from orders.models import Cart, CartItem, Order, OrderItem

MAX_LINES = 100  # Stripe's limit of line items in one session


@dataclass(frozen=True)
class CartLine:
    """One line as it stands now. `problem` is a stable code, `message` its sentence; both may be ""."""

    item_id: int
    product: ProductPage
    title: str
    artist_name: str
    quantity: int
    unit_price_pennies: int
    line_total_pennies: int
    problem: str = ""
    message: str = ""


@dataclass(frozen=True)
class CartSummary:
    """Everything a page, the API or checkout needs to know of a cart. Amounts in minor units."""

    lines: list[CartLine]
    currency: str
    max_quantity: int

    @property
    def count(self) -> int:
        return sum(line.quantity for line in self.lines)

    @property
    def subtotal_pennies(self) -> int:
        return sum(line.line_total_pennies for line in self.lines)

    @property
    def total_pennies(self) -> int:
        return self.subtotal_pennies

    @property
    def has_problems(self) -> bool:
        return any(line.problem for line in self.lines)

    @property
    def can_checkout(self) -> bool:
        return bool(self.lines) and not self.has_problems


def parse_quantity(raw: object, *, zero_removes: bool = False) -> int:
    """A quantity from a form or JSON; QuantityInvalid for everything outside 1..cap (or 0)."""
    maximum = settings.CART_MAX_QUANTITY
    if isinstance(raw, bool) or not isinstance(raw, str | int):
        raise QuantityInvalid(maximum)
    text = str(raw).strip()
    if not re.fullmatch(r"[0-9]{1,4}", text, flags=re.ASCII):
        raise QuantityInvalid(maximum)
    quantity = int(text)
    if quantity > maximum or (quantity == 0 and not zero_removes):
        raise QuantityInvalid(maximum)
    return quantity


def cart_of_user(*, user_id: int, create: bool = False) -> Cart | None:
    if create:
        return Cart.objects.get_or_create(user_id=user_id)[0]
    return Cart.objects.filter(user_id=user_id).first()


def cart_of_guest(*, cart_id: str | None, create: bool = False) -> Cart | None:
    """The guest cart that a session names; a cart that belongs to somebody is never a guest's."""
    cart = None
    if cart_id:
        cart = Cart.objects.filter(pk=uuid.UUID(cart_id), user=None, token_hash=None).first()
    return Cart.objects.create() if cart is None and create else cart


def cart_add(*, cart: Cart, product_id: object, quantity: int = 1) -> CartItem:
    """Put a product in, or more of it. Raises ProductNotForSale, QuantityInvalid, CartFull.

    At a cap of one, adding the same product again changes nothing: there is nobody for a second copy.
    """
    product = product_for_sale(product_id)
    cap = settings.CART_MAX_QUANTITY
    with transaction.atomic():
        if lock_cart(cart.pk) is None:  # signed in meanwhile: it went into the account's own cart
            raise CartItemNotFound
        item = cart.items.filter(product=product).first()
        if item is None:
            if cart.items.count() >= MAX_LINES:
                raise CartFull
            item = CartItem(cart=cart, product=product, quantity=0)
        wanted = item.quantity + quantity if cap > 1 else 1
        if wanted > cap:
            raise QuantityInvalid(cap)
        item.quantity = wanted
        item.shown_price_pennies = product.price_pennies or 0
        item.save()
    return item


def cart_set_quantity(*, cart: Cart, item_id: object, quantity: int) -> None:
    """Set how many; 0 removes the line. Raises CartItemNotFound."""
    if quantity == 0:
        return cart_remove(cart=cart, item_id=item_id)
    if not cart.items.filter(pk=_row_id(item_id)).update(quantity=quantity):
        raise CartItemNotFound
    return None


def cart_remove(*, cart: Cart, item_id: object) -> None:
    if not cart.items.filter(pk=_row_id(item_id)).delete()[0]:
        raise CartItemNotFound


def cart_accept_prices(*, cart: Cart) -> None:
    """The shopper has seen today's prices and agrees to them."""
    items = list(cart.items.select_related("product"))
    for item in items:
        if item.product.price_pennies is not None:
            item.shown_price_pennies = item.product.price_pennies
    CartItem.objects.bulk_update(items, ["shown_price_pennies"])


@transaction.atomic
def cart_merge(*, guest: Cart, into: Cart) -> None:
    """At sign-in: everything the guest chose joins what was there; the guest cart goes."""
    lock_cart(min(guest.pk, into.pk))
    lock_cart(max(guest.pk, into.pk))
    cap = settings.CART_MAX_QUANTITY
    present = {item.product_id: item for item in into.items.all()}
    for item in guest.items.all():
        if mine := present.get(item.product_id):
            mine.quantity = min(mine.quantity + item.quantity, cap)
            mine.save(update_fields=["quantity"])
        elif len(present) < MAX_LINES:
            item.cart = into
            item.save(update_fields=["cart"])
            present[item.product_id] = item
    guest.orders.update(cart=into)
    guest.delete()


def cart_remove_bought(*, cart: Cart, order: Order) -> None:
    """Take out what was paid for and leave what was added meanwhile."""
    same_product = OrderItem.objects.filter(order=order, product=OuterRef("product"))
    bought = same_product.order_by().values("quantity")[:1]
    for item in cart.items.order_by().annotate(bought=Subquery(bought)).filter(bought__gt=0):
        if item.quantity <= item.bought:
            item.delete()
        else:
            item.quantity -= item.bought
            item.save(update_fields=["quantity"])


def cart_summary(*, cart: Cart | None) -> CartSummary:
    """The cart as it would be charged now, each line with what stands in its way."""
    items = list(cart.items.all()) if cart is not None else []
    products = ProductPage.objects.for_cards().in_bulk([item.product_id for item in items])
    return CartSummary(
        lines=[_line(item, products[item.product_id]) for item in items],
        currency=settings.STRIPE_CURRENCY,
        max_quantity=settings.CART_MAX_QUANTITY,
    )


def _line(item: CartItem, product: ProductPage) -> CartLine:
    price = product.price_pennies
    shown = item.shown_price_pennies
    problem, message = "", ""
    if not product.live or price is None:
        problem, message = "unavailable", "This is no longer for sale. Remove it to check out."
    elif price != shown:
        code = settings.STRIPE_CURRENCY
        problem = "repriced"
        message = (
            f"The price changed from {format_money(shown, code)} to {format_money(price, code)} "
            "since you added it."
        )
    elif item.quantity > settings.CART_MAX_QUANTITY:
        problem, message = "quantity", QuantityInvalid(settings.CART_MAX_QUANTITY).message
    unit = price if price is not None else shown
    return CartLine(
        item_id=item.pk,
        product=product,
        title=product.title,
        artist_name=product.artist.name if product.artist else "",
        quantity=item.quantity,
        unit_price_pennies=unit,
        line_total_pennies=unit * item.quantity,
        problem=problem,
        message=message,
    )


def product_for_sale(product_id: object) -> ProductPage:
    """The live, priced product of that id; ProductNotForSale for everything else, however odd."""
    product = ProductPage.objects.live().filter(pk=_row_id(product_id)).first()
    if product is None or product.price_pennies is None:
        raise ProductNotForSale
    return product


def _row_id(raw: object) -> int:
    """A database id from outside; 0, which no row has, for what cannot be one."""
    text = str(raw) if isinstance(raw, str | int) and not isinstance(raw, bool) else ""
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text, flags=re.ASCII) else 0
