"""What a cart would cost now: each line with its price, its share of the discount and what hinders it.

Amounts are integers in minor units. Nothing is stored here; placing an order freezes it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date

from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from catalog_pages.errors import DomainError
from catalog_pages.models import BundledProduct, ProductPage, ShopSettings
from catalog_pages.money import MAX_PRICE_PENNIES, currency, format_money
from catalog_pages.releases import can_be_bought, comes_out_on
from orders.errors import (
    AlreadyOwned,
    AmountTooLarge,
    AmountTooSmall,
    CartEmpty,
    CartNeedsAttention,
    DiscountNotUsable,
    QuantityInvalid,
)
from orders.models import Cart, CartItem, DiscountCode
from orders.services.discounts import (
    CHANGED,
    NO_LONGER,
    DiscountFit,
    discount_fit,
    is_as_agreed,
)
from orders.services.shopper import NOBODY, Shopper, owned_among


@dataclass(frozen=True)
class Contained:
    """One product inside a bundle, and whether the shopper owns it without."""

    product_id: int
    title: str
    is_owned: bool


@dataclass(frozen=True)
class CartLine:
    """One line as it stands now. `problem` is a stable code, `message` its sentence; both may be ""."""

    item_id: int
    product: ProductPage
    title: str
    artist_name: str
    quantity: int
    list_price_pennies: int
    unit_price_pennies: int
    line_total_pennies: int
    discount_pennies: int = 0
    problem: str = ""
    message: str = ""
    contains: list[Contained] = field(default_factory=list)
    is_gift: bool = False
    gift_email: str = ""
    gift_message: str = ""
    gift_send_on: date | None = None

    @property
    def charged_pennies(self) -> int:
        """What the line comes to after its share of the discount."""
        return self.line_total_pennies - self.discount_pennies

    @property
    def copies_for_me(self) -> int:
        return 0 if self.is_gift else 1

    @property
    def gift_copies(self) -> int:
        return self.quantity - self.copies_for_me

    @property
    def owned_contents(self) -> list[Contained]:
        return [contained for contained in self.contains if contained.is_owned]


@dataclass(frozen=True)
class CartSummary:
    """Everything that a page, the API or checkout needs to know of a cart.

    `discount_message`: why the code in the cart takes nothing off. It has to be removed before
    checkout, so that nobody pays more than they were shown.
    """

    lines: list[CartLine]
    currency: str
    max_quantity: int
    tax: str = ShopSettings.Tax.NONE
    download_limit: int | None = None  # the shop's, for products without one of their own
    code: DiscountCode | None = None
    discount_message: str = ""

    @property
    def count(self) -> int:
        return sum(line.quantity for line in self.lines)

    @property
    def subtotal_pennies(self) -> int:
        return sum(line.line_total_pennies for line in self.lines)

    @property
    def discount_pennies(self) -> int:
        return sum(line.discount_pennies for line in self.lines)

    @property
    def total_pennies(self) -> int:
        """Before tax that Stripe adds on top."""
        return self.subtotal_pennies - self.discount_pennies

    @property
    def discount_code(self) -> str:
        return self.code.code if self.code is not None else ""

    @property
    def amount_error(self) -> DomainError | None:
        """Why Stripe would not charge the total, or None."""
        facts = currency(self.currency)
        most = MAX_PRICE_PENNIES // facts.stripe_factor
        if 0 < self.total_pennies < facts.minimum_charge:
            return AmountTooSmall(format_money(facts.minimum_charge, self.currency))
        if self.total_pennies > most:
            return AmountTooLarge(format_money(most, self.currency))
        return None

    @property
    def line_refusal(self) -> DomainError | None:
        """Why these lines cannot be checked out as they stand, or None."""
        if not self.lines:
            return CartEmpty()
        owned = next((line for line in self.lines if line.problem == "owned"), None)
        if owned is not None:
            return AlreadyOwned(
                _("You own “{title}” already. Remove it from your cart, or make it a gift.").format(
                    title=owned.title
                )
            )
        return CartNeedsAttention() if any(line.problem for line in self.lines) else None

    @property
    def refusal(self) -> DomainError | None:
        """Why checking out would be refused, as far as the cart alone decides it; or None."""
        if refusal := self.line_refusal:
            return refusal
        if self.discount_message:
            return DiscountNotUsable(
                _("{discount_message} Remove it to check out without.").format(
                    discount_message=self.discount_message
                )
            )
        return self.amount_error

    @property
    def can_checkout(self) -> bool:
        return self.refusal is None


def cart_summary(*, cart: Cart | None, shopper: Shopper = NOBODY, email: str = "") -> CartSummary:
    """The cart as it would be charged now; a constant number of queries.

    `email`: whose limit of a code counts, when the shopper has no account.
    """
    items = list(cart.items.all()) if cart is not None else []
    code = cart.discount_code if cart is not None else None
    summary = summary_of(items, shopper=shopper)
    if code is None or not summary.lines:
        was_deleted = code is None and cart is not None and cart.discount_terms != ""
        return replace(summary, code=code, discount_message=str(NO_LONGER if was_deleted else ""))
    email = shopper.user.email if shopper.user is not None else email
    fit = discount_fit(code=code, lines=summary.lines, cart=cart, user=shopper.user, email=email)
    if cart is not None and not fit.message and not is_as_agreed(code, cart.discount_terms):
        fit = DiscountFit([], str(CHANGED))  # nobody pays more than they were shown
    return _discounted(summary, code, fit)


def summary_of(items: Collection[CartItem], *, shopper: Shopper = NOBODY) -> CartSummary:
    """The same for loose lines, before any discount."""
    products = ProductPage.objects.for_cards().in_bulk([item.product_id for item in items])
    contents = _contents(products)
    inside = {product.pk for parts in contents.values() for product in parts}
    owned = owned_among(shopper, {*products, *inside})
    lines = [
        line_of(item, products[item.product_id], contents.get(item.product_id, []), owned)
        for item in items
    ]
    shop = ShopSettings.load()
    return CartSummary(
        lines=[_mention_bundle(line, lines) for line in lines],
        currency=settings.STRIPE_CURRENCY,
        max_quantity=settings.CART_MAX_QUANTITY,
        tax=shop.tax,
        download_limit=shop.download_limit,
    )


def _mention_bundle(line: CartLine, lines: Collection[CartLine]) -> CartLine:
    """Whoever buys a bundle for themselves need not buy what is in it as well, but may."""
    if line.is_gift or line.message:
        return line
    for other in lines:
        if not other.is_gift and line.product.pk in {part.product_id for part in other.contains}:
            return replace(
                line,
                message=_("This is in “{title}” too, which is in your cart.").format(
                    title=other.title
                ),
            )
    return line


def _discounted(summary: CartSummary, code: DiscountCode, fit: DiscountFit) -> CartSummary:
    if fit.message:
        return replace(summary, code=code, discount_message=fit.message)
    lines = [
        replace(line, discount_pennies=share)
        for line, share in zip(summary.lines, fit.shares, strict=True)
    ]
    return replace(summary, lines=lines, code=code)


def _contents(products: Collection[int]) -> dict[int, list[ProductPage]]:
    """Bundle -> what it contains, in its order."""
    contents: dict[int, list[ProductPage]] = {}
    rows = BundledProduct.objects.filter(page__in=products).select_related("product")
    for row in rows.order_by("page", "sort_order", "pk"):
        contents.setdefault(row.page_id, []).append(row.product)
    return contents


def line_of(
    item: CartItem, product: ProductPage, parts: list[ProductPage], owned: Collection[int] = ()
) -> CartLine:
    """A line as it stands now, by itself; `owned`: the ids of products that the shopper has. No query."""
    unit, problem, message = price_now(item, product)
    if not (product.live and can_be_bought(product, parts)):
        problem, message = "unavailable", _why_not(product, parts)
    elif product.pk in owned and not item.is_gift:
        problem = "owned"
        message = _("You own this already. Remove it, or make it a gift for somebody else.")
    elif not problem and item.gift_email and item.quantity == 1 and not item.is_gift:
        problem = "gift_without_copy"
        message = _(
            "You named {gift_email}, but the only copy is yours. Order two, make this one "
            "a gift, or empty the address."
        ).format(gift_email=item.gift_email)
    elif not problem and item.quantity > settings.CART_MAX_QUANTITY:
        problem, message = "quantity", QuantityInvalid(settings.CART_MAX_QUANTITY).message
    return CartLine(
        item_id=item.pk,
        product=product,
        title=product.title,
        artist_name=product.artist.name if product.artist else "",
        quantity=item.quantity,
        list_price_pennies=unit if product.price_pennies is None else product.price_pennies,
        unit_price_pennies=unit,
        line_total_pennies=unit * item.quantity,
        problem=problem,
        message=message,
        contains=[Contained(part.pk, part.title, part.pk in owned) for part in parts],
        is_gift=item.is_gift,
        gift_email=item.gift_email,
        gift_message=item.gift_message,
        gift_send_on=item.gift_send_on,
    )


def _why_not(product: ProductPage, parts: list[ProductPage]) -> str:
    """Why what lies in a cart cannot be bought: not any more, or not yet."""
    day = comes_out_on(product, parts)
    if day is None or not (product.live and all(part.live for part in parts)):
        return _("This is no longer for sale. Remove it to check out.")
    words = _("This comes out on {day}. Remove it to check out; it can be bought from then on.")
    return words.format(day=date_format(day))


def price_now(item: CartItem, product: ProductPage) -> tuple[int, str, str]:
    """What one costs now, and what the shopper has to be told about it: a code and a sentence."""
    code = settings.STRIPE_CURRENCY
    chosen, price = item.chosen_price_pennies, product.price_pennies
    agreed = item.unit_price_pennies
    if price is None or price == agreed:
        return agreed, "", ""
    if product.pay_what_you_want and chosen is not None:
        if chosen > price:
            return chosen, "", ""
        least = format_money(price, code)
        return (
            price,
            "below_minimum",
            _("The least for this is {least} now. You chose less.").format(least=least),
        )
    was, now = format_money(agreed, code), format_money(price, code)
    return (
        price,
        "repriced",
        _("The price changed from {was} to {now} since you added it.").format(was=was, now=now),
    )
