"""Carts: what goes in, what comes out, and what it would cost now.

Prices are looked up at every read; what the shopper posts is a product and a quantity, never a price.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import OuterRef, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog_pages.inserting import inserted
from catalog_pages.models import ProductPage
from catalog_pages.money import MAX_PRICE_PENNIES, currency, format_money
from orders.errors import (
    CartEmpty,
    CartFull,
    CartItemNotFound,
    DiscountNotUsable,
    DiscountUnknown,
    PriceBelowMinimum,
    PriceInvalid,
    PriceNotYours,
    QuantityInvalid,
)
from orders.locks import lock_cart_among_for_change, lock_cart_for_change
from orders.models import Cart, CartItem, DiscountCode, DiscountUse, Order, OrderItem
from orders.services.discounts import discount_find, discount_fit, discount_terms
from orders.services.gift_facts import gift_wish_clean
from orders.services.offers import for_sale, one_of, product_for_sale, row_id
from orders.services.pricing import summary_of
from orders.services.shopper import NOBODY, Shopper, is_owned_by
from orders.services.whose_cart import Whose

MAX_LINES = 100  # Stripe's limit of line items in one session
LINE = [field.attname for field in CartItem._meta.concrete_fields]
PRODUCT = LINE.index("product_id")


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


@dataclass(frozen=True)
class Wanted:
    """What is to be put in, as `cart_add` has it. Who the shopper is, is asked only where it matters."""

    product_id: object
    quantity: int | None = None
    chosen_price_pennies: int | None = None
    is_gift: bool = False
    shopper: Callable[[], Shopper] = lambda: NOBODY


def cart_add(
    *,
    cart: Cart,
    product_id: object,
    quantity: int | None = None,
    chosen_price_pennies: int | None = None,
    is_gift: bool = False,
    shopper: Shopper = NOBODY,
) -> CartItem:
    """Put a product in, or `quantity` more of it; without one, see to it that it is there.

    One for oneself and one to give away are two copies of one line; what the shopper owns already is
    a gift as a whole.

    `chosen_price_pennies`: for products whose buyers name their price; the last one named counts for
    the line. Raises ProductNotForSale, QuantityInvalid, CartFull, PriceBelowMinimum, PriceNotYours.
    """
    wanted = Wanted(product_id, quantity, chosen_price_pennies, is_gift, lambda: shopper)
    product = _product_wanted(wanted)
    with transaction.atomic():
        if not lock_cart_for_change(cart.pk):
            raise CartItemNotFound  # signed in meanwhile: it went into the account's own cart
        return _put(cart.pk, product, wanted, _lines(cart.pk))


def cart_put(*, whose: Whose, wanted: Wanted, product: ProductPage | None = None) -> CartItem:
    """As `cart_add`, into a cart that is found and locked by one query, or made if there is none yet.

    `product`: what `product_to_put` has just returned for what is wanted. Nothing is made for what is not for
    sale. Raises CartUnknown for a secret that opens none, and what `cart_add` raises.
    """
    product = _product_wanted(wanted, product)
    with transaction.atomic():
        cart_id = lock_cart_among_for_change(whose.carts())
        if cart_id is None:
            cart = whose.new()
            if inserted(cart):
                return _put(cart.pk, product, wanted, [])
            cart_id = lock_cart_among_for_change(whose.made_since(cart))
            if cart_id is None:
                raise CartItemNotFound
        return _put(cart_id, product, wanted, _lines(cart_id))


def _product_wanted(wanted: Wanted, read: ProductPage | None = None) -> ProductPage:
    """With `is_owned` of gifts, by the same query. Nothing depends on it for other lines: those are not
    read again."""
    shopper = wanted.shopper() if wanted.is_gift else NOBODY
    if shopper.is_known:
        gifts = for_sale().annotate(is_owned=is_owned_by(shopper))
        product = one_of(gifts, wanted.product_id)
    else:
        product = read or product_for_sale(wanted.product_id)
    if wanted.chosen_price_pennies is not None:
        _refuse_price(product, wanted.chosen_price_pennies)
    return product


def _lines(cart_id: uuid.UUID) -> list[tuple[Any, ...]]:
    """All rows of a cart, of which one at most is worth a `CartItem`."""
    return list(CartItem.objects.filter(cart=cart_id).order_by().values_list(*LINE))


def _put(
    cart_id: uuid.UUID, product: ProductPage, wanted: Wanted, lines: list[tuple[Any, ...]]
) -> CartItem:
    """`lines`: what was in the cart once it was locked."""
    row = next((row for row in lines if row[PRODUCT] == product.pk), None)
    if row is not None:
        item = CartItem.from_db(connection.alias, LINE, row)
    elif len(lines) >= MAX_LINES:
        raise CartFull
    else:
        item = CartItem(cart_id=cart_id, quantity=0)
    was = _terms(item)
    item.product = product
    _add_copies(item, wanted)
    cap = settings.CART_MAX_QUANTITY
    if item.quantity > cap:
        raise QuantityInvalid(cap)
    item.shown_price_pennies = product.price_pennies or 0
    if wanted.chosen_price_pennies is not None or not product.pay_what_you_want:
        item.chosen_price_pennies = wanted.chosen_price_pennies
    if _terms(item) != was:  # pressed twice, a button changes nothing
        item.save()
    return item


def _terms(item: CartItem) -> tuple[object, ...]:
    return item.quantity, item.is_gift, item.shown_price_pennies, item.chosen_price_pennies


def _add_copies(item: CartItem, wanted: Wanted) -> None:
    """More of a line, or of a new one. Without `quantity` pressing a button again adds no copy."""
    quantity, is_gift = wanted.quantity, wanted.is_gift
    is_other_kind = item.quantity > 0 and item.is_gift != is_gift
    if is_other_kind and is_gift and getattr(item.product, "is_owned", False):
        is_other_kind = False  # the buyer has theirs: all of it is to give away
    if quantity is not None:
        item.quantity += quantity
    elif is_other_kind:
        item.quantity = item.quantity + 1 if item.is_gift else max(item.quantity, 2)
    else:
        item.quantity = item.quantity or 1
    item.is_gift = is_gift and not is_other_kind


@transaction.atomic
def cart_set_price(*, cart: Cart, item_id: object, chosen_price_pennies: int) -> None:
    """Name another price. Raises CartItemNotFound, PriceBelowMinimum, PriceNotYours, PriceInvalid."""
    lock_cart_for_change(cart.pk)
    _set_price(cart, item_id, chosen_price_pennies)


def _set_price(cart: Cart, item_id: object, chosen_price_pennies: int) -> None:
    item = cart.items.select_related("product").filter(pk=row_id(item_id)).first()
    if item is None:
        raise CartItemNotFound
    _refuse_price(item.product, chosen_price_pennies)
    cart.items.filter(pk=item.pk).update(
        chosen_price_pennies=chosen_price_pennies,
        shown_price_pennies=item.product.price_pennies or 0,
    )


@transaction.atomic
def cart_set_gift(
    *,
    cart: Cart,
    item_id: object,
    is_gift: bool,
    email: str = "",
    message: str = "",
    send_on: date | None = None,
) -> None:
    """Whether all copies are for others; whom the first gift goes to, with which words, and when.

    Raises CartItemNotFound, and GiftInvalid for an address that is none, a message that is too long
    and a day that is past or more than a year away.
    """
    lock_cart_for_change(cart.pk)
    email, message = gift_wish_clean(email=email, message=message, send_on=send_on)
    _set_gift(cart, item_id, is_gift, email, message, send_on)


def _set_gift(
    cart: Cart, item_id: object, is_gift: bool, email: str, message: str, send_on: date | None
) -> None:
    changed = cart.items.filter(pk=row_id(item_id)).update(
        is_gift=is_gift,
        gift_email=email,
        gift_message=message,
        gift_send_on=send_on,
    )
    if not changed:
        raise CartItemNotFound


@transaction.atomic
def cart_change_item(
    *,
    cart: Cart,
    item_id: object,
    quantity: int | None = None,
    chosen_price_pennies: int | None = None,
    gift: Mapping[str, Any] | None = None,
) -> None:
    """All of it or nothing; what is not named stays. `gift`: any of what `cart_set_gift` takes.

    Raises what `cart_set_price`, `cart_set_gift` and `cart_set_quantity` raise.
    """
    lock_cart_for_change(cart.pk)
    item = cart.items.filter(pk=row_id(item_id)).first()
    if item is None:
        raise CartItemNotFound
    if chosen_price_pennies is not None:
        _set_price(cart, item.pk, chosen_price_pennies)
    if gift:
        email, message = gift_wish_clean(
            email=gift.get("email", item.gift_email),
            message=gift.get("message", item.gift_message),
            send_on=gift.get("send_on"),  # a day that was named before may have come since
        )
        send_on = gift.get("send_on", item.gift_send_on)
        _set_gift(cart, item.pk, gift.get("is_gift", item.is_gift), email, message, send_on)
    if quantity is not None:
        _set_quantity(cart, item.pk, quantity)


def cart_apply_code(*, cart: Cart, code: str, shopper: Shopper = NOBODY) -> DiscountCode:
    """Put a discount code in. Raises DiscountUnknown, DiscountNotUsable with the reason, CartEmpty.

    A code that does not fit leaves the one that was there. Whether it still fits is looked up again
    each time that the cart is.
    """
    found = discount_find(code)
    if found is None:
        raise DiscountUnknown
    lines = summary_of(list(cart.items.all())).lines
    if not lines:
        raise CartEmpty
    user = shopper.user
    email = user.email if user is not None else ""
    fit = discount_fit(code=found, lines=lines, cart=cart, user=user, email=email)
    if fit.message:
        raise DiscountNotUsable(fit.message)
    _put_code(cart, found, discount_terms(found))
    return found


def cart_drop_code(*, cart: Cart) -> None:
    _put_code(cart, None, "")


def _put_code(cart: Cart, code: DiscountCode | None, terms: str) -> None:
    """With what it takes off now: what the shopper was shown."""
    Cart.objects.filter(pk=cart.pk).update(
        discount_code=code, discount_terms=terms, updated_at=timezone.now()
    )
    cart.discount_code, cart.discount_terms = code, terms


@transaction.atomic
def cart_empty(*, cart: Cart) -> None:
    """Take everything out, the code too. What opens the cart goes on opening it."""
    lock_cart_for_change(cart.pk)
    cart.items.all().delete()
    cart_drop_code(cart=cart)


@transaction.atomic
def cart_set_quantity(*, cart: Cart, item_id: object, quantity: int) -> None:
    """Set how many; 0 removes the line. Raises CartItemNotFound."""
    lock_cart_for_change(cart.pk)
    _set_quantity(cart, item_id, quantity)


def _set_quantity(cart: Cart, item_id: object, quantity: int) -> None:
    line = cart.items.filter(pk=row_id(item_id))
    if not (line.update(quantity=quantity) if quantity else line.delete()[0]):
        raise CartItemNotFound


def cart_remove(*, cart: Cart, item_id: object) -> None:
    """Take a line out. Raises CartItemNotFound."""
    cart_set_quantity(cart=cart, item_id=item_id, quantity=0)


@transaction.atomic
def cart_accept_prices(*, cart: Cart) -> None:
    """The shopper has seen today's prices and agrees to them."""
    lock_cart_for_change(cart.pk)
    items = list(cart.items.select_related("product"))
    for item in items:
        price = item.product.price_pennies
        if price is None:
            continue
        item.shown_price_pennies = price
        chosen = item.chosen_price_pennies
        if chosen is not None:
            chooses = item.product.pay_what_you_want
            item.chosen_price_pennies = max(chosen, price) if chooses else None
    CartItem.objects.bulk_update(items, ["shown_price_pennies", "chosen_price_pennies"])


def cart_remove_bought(*, cart: Cart, order: Order) -> None:
    """Take out what was paid for, and the code that was used for it; leave what was added meanwhile."""
    same_product = OrderItem.objects.filter(order=order, product=OuterRef("product"))
    bought = same_product.order_by().values("quantity")[:1]
    for item in cart.items.order_by().annotate(bought=Subquery(bought)).filter(bought__gt=0):
        if item.quantity <= item.bought:
            item.delete()
        else:
            item.quantity -= item.bought
            item.save(update_fields=["quantity"])
    if order.discount_pennies:
        used = DiscountUse.objects.filter(order=order).values("code")
        Cart.objects.filter(pk=cart.pk, discount_code__in=used).update(
            discount_code=None, discount_terms=""
        )


def _refuse_price(product: ProductPage, chosen_price_pennies: int) -> None:
    """PriceNotYours, PriceBelowMinimum or PriceInvalid unless this product may be sold at that price."""
    code, least = settings.STRIPE_CURRENCY, product.price_pennies or 0
    if not product.pay_what_you_want:
        raise PriceNotYours
    if chosen_price_pennies < least:
        raise PriceBelowMinimum(format_money(least, code))
    if chosen_price_pennies > MAX_PRICE_PENNIES:
        raise PriceInvalid(
            _("A price can be at most {amount}.").format(
                amount=format_money(MAX_PRICE_PENNIES, code)
            )
        )
    if chosen_price_pennies % currency(code).step:
        raise PriceInvalid(_("The last decimal of a price in {code} must be 0.").format(code=code))
