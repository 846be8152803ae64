"""Discount codes: what one takes off a cart, and the places that its orders hold.

The facts are rows: an order that waits for its payment or has it holds a use, one that failed or
expired does not. Limits are counted under the code's lock, and two orders can never hold the same
place of a limited code.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from typing import Any, Protocol

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet, Value
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from catalog_pages.models import ProductPage
from catalog_pages.money import allocate, currency, format_money
from downloads.forgotten import with_marks
from downloads.holders import normalise_email
from orders.errors import DiscountNotUsable
from orders.locks import lock_discount_code
from orders.models import Cart, DiscountCode, DiscountUse, Order
from orders.models.discounts import CODE_SHAPE
from orders.services.anomalies import anomalies_withdraw, anomaly_record

HOLDS_A_USE = (Order.Status.PENDING, Order.Status.PROCESSING, Order.Status.PAID)
USED_UP = _("This code has been used as often as it may be.")
NO_LONGER = _("This code is no longer valid.")
CHANGED = _(
    "What this code takes off has changed since you entered it. Enter it again to use it as it is."
)


class Line(Protocol):
    """What a discount has to know of a line."""

    @property
    def product(self) -> ProductPage: ...
    @property
    def line_total_pennies(self) -> int: ...


@dataclass(frozen=True)
class DiscountFit:
    """What a code takes off each line, in their order; or `message`, the sentence why nothing."""

    shares: list[int]
    message: str = ""


def discount_find(text: str) -> DiscountCode | None:
    """The code that somebody typed, whatever its case; None for an unknown one."""
    typed = text.strip()
    try:
        CODE_SHAPE(typed)
    except ValidationError:
        return None
    return DiscountCode.objects.filter(code__iexact=typed).first()


def discount_fit(
    *, code: DiscountCode, lines: Sequence[Line], cart: Cart | None, user: Any, email: str
) -> DiscountFit:
    """What the code takes off these lines now. A use that this very cart holds is not in its way."""
    message = _why_not_now(code)
    if not message:
        message = _why_not_again(code, _held(code), user, email)
        if message and cart is not None and _is_held_for(code, cart):
            message = ""
    shares = discount_shares(code, lines)
    subtotal = sum(line.line_total_pennies for line in lines)
    least = code.min_subtotal_pennies or 0
    if not message and subtotal < least:
        missing = format_money(least - subtotal, settings.STRIPE_CURRENCY)
        least_money = format_money(least, settings.STRIPE_CURRENCY)
        message = gettext(
            "This code is for orders of {least_money} or more. {missing} is missing."
        ).format(least_money=least_money, missing=missing)
    if not message and not any(shares):
        message = _why_nothing(code, lines)
    return DiscountFit([], message) if message else DiscountFit(shares)


def discount_shares(code: DiscountCode, lines: Sequence[Line]) -> list[int]:
    """Each line's share in pennies: never more than the line, summing to the whole discount.

    A percentage is taken off all fitting lines together and rounded once, half up.
    """
    fits = _fits(code, [line.product for line in lines])
    weights = [line.line_total_pennies if line.product.pk in fits else 0 for line in lines]
    whole, step = sum(weights), currency(settings.STRIPE_CURRENCY).step
    if code.kind == DiscountCode.Kind.PERCENT:
        steps = (whole * (code.percent or 0) + 50 * step) // (100 * step)
        total = min(steps * step, whole)
    else:
        total = min(code.amount_pennies or 0, whole)
    return allocate(total, weights, step=step) if whole else [0] * len(lines)


def discount_terms(code: DiscountCode) -> str:
    """What the code takes off, and off what, to be kept and compared: kind, value, digest of its scope."""
    value = code.percent if code.kind == DiscountCode.Kind.PERCENT else code.amount_pennies
    scope = sha256(repr(sorted(_scope(code))).encode()).hexdigest()
    return f"{code.kind} {value} {scope}"


def is_as_agreed(code: DiscountCode, agreed: str) -> bool:
    """Whether the code takes off as much as `discount_terms` said when the shopper put it in, or more."""
    now, then = discount_terms(code).split(), agreed.split()
    return (
        len(then) == len(now)
        and (now[0], now[2]) == (then[0], then[2])
        and int(now[1]) >= int(then[1])
    )


def discount_reserve(*, code: DiscountCode, order: Order) -> None:
    """Hold a use for a new order. Raises DiscountNotUsable when others hold all that there are.

    The caller has the transaction; the code's lock makes everybody who wants it wait in line.
    """
    try:
        locked = lock_discount_code(code.pk)
    except DiscountCode.DoesNotExist as error:  # deleted in this very moment
        raise DiscountNotUsable(str(NO_LONGER)) from error
    others = _held(locked)
    if message := _why_not_now(locked) or _why_not_again(locked, others, order.user, order.email):
        raise DiscountNotUsable(message)
    DiscountUse.objects.create(
        code=locked,
        order=order,
        code_text=locked.code,
        buyer_email=normalise_email(order.email),
        place=_free_place(locked),
    )


def discount_retake(*, order: Order) -> None:
    """Hold the use again that the order let go, because it is tried again. Raises DiscountNotUsable."""
    use = DiscountUse.objects.filter(order=order).exclude(released_at=None).first()
    if use is None:
        return
    code = lock_discount_code(use.code_id)
    if message := _why_not_now(code) or _why_not_again(code, _held(code), order.user, order.email):
        raise DiscountNotUsable(message)
    DiscountUse.objects.filter(pk=use.pk).update(released_at=None, place=_free_place(code))


def discount_follow(order: Order) -> None:
    """Hold or release the order's use, as its status says. The caller holds the order's lock.

    An order that is paid after it had let its use go gets what it was promised; when nothing is left
    of the code, staff are told.
    """
    if not order.discount_pennies:
        return
    use = DiscountUse.objects.filter(order=order).first()
    if use is None:
        return
    mine = DiscountUse.objects.filter(pk=use.pk)
    if order.status not in HOLDS_A_USE:
        if use.released_at is None:
            mine.update(released_at=timezone.now(), place=None)
            anomalies_withdraw(codes=("discount_overrun",), reference=str(order.pk))
    elif use.released_at is not None:
        code = lock_discount_code(use.code_id)
        overrun = _overrun(code, order)
        mine.update(released_at=None, place=_free_place(code))
        if overrun:
            detail = f"{use.code_text}: {overrun}"
            anomaly_record("discount_overrun", str(order.pk), order, detail)


def _held(code: DiscountCode) -> QuerySet[DiscountUse]:
    return DiscountUse.objects.filter(code=code, released_at=None)


def _is_held_for(code: DiscountCode, cart: Cart) -> bool:
    """Whether an order of this cart that is not paid yet has a use: it keeps it, even if a late payment
    of somebody else's has gone beyond the limit since."""
    unpaid = (Order.Status.PENDING, Order.Status.PROCESSING)
    return _held(code).filter(order__cart=cart, order__status__in=unpaid).exists()


def _why_not_now(code: DiscountCode) -> str:
    now = timezone.now()
    if not code.is_active or (code.ends_at is not None and code.ends_at <= now):
        return str(NO_LONGER)
    if code.starts_at is not None and code.starts_at > now:
        local = timezone.localtime(code.starts_at)
        return gettext("This code is valid from {when}.").format(
            when=date_format(local, "DATETIME_FORMAT")
        )
    return ""


def _why_not_again(code: DiscountCode, others: QuerySet[DiscountUse], user: Any, email: str) -> str:
    if code.max_uses is not None and others.count() >= code.max_uses:
        return str(USED_UP)
    if code.max_uses_per_buyer is None or not (email or user is not None):
        return ""
    mine = others.filter(_of_buyer(user, email))
    return str(USED_UP if mine.count() >= code.max_uses_per_buyer else "")


def _of_buyer(user: Any, email: str) -> Q:
    mine = Q(buyer_email__in=with_marks([normalise_email(email)]))
    return mine | Q(order__user=user) if user is not None else mine


def _overrun(code: DiscountCode, order: Order) -> str:
    """Which limit an order that comes late goes beyond, in words for staff; "" for none."""
    held = _held(code)
    if code.max_uses is not None and held.count() >= code.max_uses:
        return gettext("{max_uses} in all, all held by other orders").format(max_uses=code.max_uses)
    least = code.max_uses_per_buyer
    if least is not None and held.filter(_of_buyer(order.user, order.email)).count() >= least:
        return gettext("{least} for each buyer, all held by other orders of this one").format(
            least=least
        )
    return ""


def _why_nothing(code: DiscountCode, lines: Sequence[Line]) -> str:
    """Why the shares are all zero."""
    if not _fits(code, [line.product for line in lines]):
        return gettext("This code is for other music than what is in your cart.")
    return gettext("What this code is for costs too little here to take anything off.")


def _free_place(code: DiscountCode) -> int | None:
    """The first place that no order holds; None when the code has no limit or none is left."""
    if code.max_uses is None:
        return None
    held = set(_held(code).exclude(place=None).values_list("place", flat=True))
    place = next(place for place in count(1) if place not in held)
    return place if place <= code.max_uses else None


def _fits(code: DiscountCode, products: Collection[ProductPage]) -> set[int]:
    """Ids of the products that the code is good for."""
    scope = _scope(code)
    if not scope:
        return {product.pk for product in products}
    return {
        product.pk
        for product in products
        if {
            ("product", product.pk),
            ("artist", product.artist_id),
            ("genre", product.genre_id),
        }
        & scope
    }


def _scope(code: DiscountCode) -> set[tuple[str, int]]:
    """What the code is good for, as kinds and ids; empty for everything. One query."""
    products, *others = (
        rows.order_by().annotate(kind=Value(kind)).values_list("kind", "pk")
        for kind, rows in (
            ("product", code.products.all()),
            ("artist", code.artists.all()),
            ("genre", code.genres.all()),
        )
    )
    return set(products.union(*others, all=True))
