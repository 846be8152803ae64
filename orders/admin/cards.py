"""Cards as people name them."""

from __future__ import annotations

from django.utils.translation import gettext as _

from orders.models import Payment

BRANDS = {"amex": "American Express", "jcb": "JCB", "mastercard": "Mastercard", "visa": "Visa"}


def card_of(payment: Payment) -> str:
    """`Visa ending 4242`; empty when Stripe did not say."""
    if not payment.card_last4:
        return ""
    brand = BRANDS.get(payment.card_brand, payment.card_brand.replace("_", " ").capitalize())
    return _("%(brand)s ending %(digits)s") % {
        "brand": brand or _("Card"),
        "digits": payment.card_last4,
    }
