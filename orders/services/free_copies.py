"""Free copies that staff give: real orders of nothing, by the one road that makes orders.

Paid by a payment of kind `free`, granted, and told to whoever gets it by the receipt with its links.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from catalog_pages.models import ProductPage
from downloads.holders import normalise_email
from orders.errors import AlreadyOwned, FormUsedElsewhere, NothingToGive, NotOutYet
from orders.models import CartItem, FreeCopy, Order, OrderItem
from orders.services.attempts import attempt_settle_free
from orders.services.guests import email_clean, guest_holdings
from orders.services.placing import Content, content_of, order_write
from orders.services.pricing import summary_of
from orders.services.shopper import Shopper, owned_among


def free_copy_issue(
    *,
    copy_id: uuid.UUID,
    product: ProductPage,
    email: str,
    reason: str,
    by: Any,
    about: Order | None = None,
) -> tuple[Order, bool]:
    """The paid order that gives `product` to whoever has this address, and whether this call made it.

    `copy_id` becomes the order's id: the same id is the same copy, however often it is pressed.
    It goes to the account whose verified address it is, or to the account of the order it is `about`
    when that is the address; else to the address alone. Products that are not for sale (any more) can
    be given; ones without files, or whose day has not come, cannot. The caller has checked that
    `by` may do this, and the reason.

    Raises EmailMissing, EmailInvalid, NothingToGive, NotOutYet, AlreadyOwned, and FormUsedElsewhere when
    the id is that of something else.
    """
    email = email_clean(email)
    if (first := _made_before(copy_id, product, email)) is not None:
        return first, False
    user = _account_of(email, about)
    _refuse_owned(product, user, email)
    try:
        return _write(copy_id, product, user, email, reason, by, about), True
    except IntegrityError:
        first = _made_before(copy_id, product, email)
        if first is None:
            raise
        return first, False


@transaction.atomic
def _write(
    copy_id: uuid.UUID,
    product: ProductPage,
    user: Any,
    email: str,
    reason: str,
    by: Any,
    about: Order | None,
) -> Order:
    content = _content(product, user, email)
    order = order_write(
        content=content,
        cart=None,
        user=user,
        email=email,
        channel=Order.Channel.WEB,
        order_id=copy_id,
    )
    FreeCopy.objects.create(order=order, about=about, reason=reason, issued_by=by)
    attempt_settle_free(order)
    return order


def _content(product: ProductPage, user: Any, email: str) -> Content:
    """One line of the product as it is now, for nothing, whatever it costs and whether it is sold."""
    if (day := product.comes_out_on) is not None:
        raise NotOutYet(product.title, day)
    summary = summary_of([CartItem(product=product, quantity=1, shown_price_pennies=0)])
    line = replace(
        summary.lines[0], unit_price_pennies=0, line_total_pennies=0, problem="", message=""
    )
    content = content_of(replace(summary, lines=[line]), user=user, email=email)
    if not content.deliveries[line.product.pk]:
        raise NothingToGive(product.title)
    return content


def _made_before(copy_id: uuid.UUID, product: ProductPage, email: str) -> Order | None:
    order = Order.objects.filter(pk=copy_id).first()
    if order is None:
        return None
    same = OrderItem.objects.filter(order=order, order__free_copy__isnull=False, product=product)
    if not same.exists() or normalise_email(order.email) != normalise_email(email):
        raise FormUsedElsewhere
    return order


def _account_of(email: str, about: Order | None) -> Any:
    """An address that nobody has verified makes nobody its owner: it could be anybody's account."""
    wanted = normalise_email(email)
    buyer = about.user if about is not None else None
    if about is not None and buyer is not None and buyer.is_active:
        mine = {normalise_email(about.email), normalise_email(buyer.email)}
        if wanted in mine:
            return buyer
    verified = EmailAddress.objects.alias(folded=Lower("email")).filter(
        folded=wanted, verified=True
    )
    accounts = get_user_model().objects.filter(pk__in=verified.values("user"), is_active=True)
    return accounts.first()


def _refuse_owned(product: ProductPage, user: Any, email: str) -> None:
    held = guest_holdings(emails=[normalise_email(email)], only_paid=True)
    shopper = Shopper(
        user,
        frozenset(order.pk for order in held.orders),
        frozenset(gift.pk for gift in held.gifts),
    )
    if owned_among(shopper, [product.pk]):
        raise AlreadyOwned(
            _("{email} has “{title}” already. Send the links again instead.").format(
                email=email, title=product.title
            )
        )
