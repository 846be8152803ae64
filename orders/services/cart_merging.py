"""What happens to a guest's cart when its owner signs in."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from orders.locks import lock_cart_for_change
from orders.models import Cart, CartItem, Order
from orders.services.carts import MAX_LINES
from orders.services.shopper import Shopper, owned_among


@transaction.atomic
def cart_bring_along(*, guest: Cart, user_id: int) -> None:
    """At sign-in: what is in a guest's cart joins the account's, also what is being put in this moment."""
    if not lock_cart_for_change(guest.pk):
        return
    if guest.items.exists():
        mine, _ = Cart.objects.get_or_create(user_id=user_id)
        cart_merge(guest=guest, into=mine)
    elif guest.token_hash is None:
        guest.delete()  # so that nothing is put into a cart that no session names any more


@transaction.atomic
def cart_merge(*, guest: Cart, into: Cart) -> None:
    """At sign-in: everything the guest chose joins what was there; the guest cart goes."""
    lock_cart_for_change(min(guest.pk, into.pk))
    lock_cart_for_change(max(guest.pk, into.pk))
    cap = settings.CART_MAX_QUANTITY
    present = {item.product_id: item for item in into.items.all()}
    owned = owned_among(Shopper(into.user), list(present)) if into.user_id else set()
    for item in guest.items.all():
        if mine := present.get(item.product_id):
            _merge_item(mine, item, cap, is_owned=item.product_id in owned)
        elif len(present) < MAX_LINES:
            item.cart = into
            item.save(update_fields=["cart"])
            present[item.product_id] = item
    if not into.discount_terms and guest.discount_terms:
        Cart.objects.filter(pk=into.pk).update(
            discount_code=guest.discount_code_id, discount_terms=guest.discount_terms
        )
    for order in guest.orders.all():
        # A guest's agreement is not the account's: the next checkout closes it and makes another.
        Order.objects.filter(pk=order.pk).update(
            cart=into, cart_fingerprint=order.fingerprint_apart
        )
    guest.delete()


def _merge_item(mine: CartItem, item: CartItem, cap: int, *, is_owned: bool) -> None:
    """One line of two for the same product. What the guest named last - a price, a friend - counts.

    Chosen in both carts is chosen once: a second copy would be a gift that nobody meant. But one for
    oneself and one to give away are two.
    """
    if mine.is_gift == item.is_gift or is_owned:
        mine.is_gift = mine.is_gift or item.is_gift
        mine.quantity = max(mine.quantity, item.quantity)
    else:
        mine.quantity, mine.is_gift = min(mine.quantity + item.quantity, cap), False
    if item.chosen_price_pennies is not None:
        mine.chosen_price_pennies = item.chosen_price_pennies
    if item.gift_email or item.gift_message:
        mine.gift_email, mine.gift_message = item.gift_email, item.gift_message
        mine.gift_send_on = item.gift_send_on
    mine.save()
