"""Facts that contradict each other: written down once for people, with what it means and what to do."""

from __future__ import annotations

import logging
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy

from orders.models import Order, OrderAnomaly

logger = logging.getLogger(__name__)

WORDS = {
    "account_closed": (
        gettext_lazy(
            "A payment arrived for an account that was closed or switched off meanwhile. Nobody can fetch "
            "its files. Refund it, or switch the account on again."
        )
    ),
    "amount_mismatch": (
        gettext_lazy(
            "Stripe took another amount or currency than this order agreed. No files were given. Compare "
            "both, and refund the payment in the Stripe dashboard."
        )
    ),
    "discount_overrun": (
        gettext_lazy(
            "A payment came late, when others had used up this order's discount code. The buyer paid what "
            "was agreed and has the files; the code was used once more than its limit."
        )
    ),
    "dispute_open": (
        gettext_lazy(
            "The buyer's bank wants the money back, and the files are closed until it decides. Answer it "
            "in the Stripe dashboard before its deadline."
        )
    ),
    "dispute_status_unknown": (
        gettext_lazy(
            "Stripe uses a word for this dispute that the shop does not know. Look at it in the Stripe "
            "dashboard; the files stay as they are."
        )
    ),
    "inquiry_open": (
        gettext_lazy(
            "The buyer's bank has a question about this payment. The buyer keeps the files. Answer it in "
            "the Stripe dashboard, or refund the order, so that it does not become a dispute."
        )
    ),
    "paid_contradicted": (
        gettext_lazy(
            "Stripe now says that a payment which arrived did not. Nothing was changed here. Look at the "
            "payment in the Stripe dashboard."
        )
    ),
    "refund_failed": (
        gettext_lazy(
            "The buyer's bank sent a refund back. The money is with you again and the files are open "
            "again. Agree with the buyer on another way."
        )
    ),
    "refund_mismatch": (
        gettext_lazy(
            "Stripe's refund is of another amount than was asked for here. Compare both in the Stripe "
            "dashboard."
        )
    ),
    "refund_refused": (
        gettext_lazy(
            "A refund that was asked for here while Stripe could not be reached has been refused since. "
            "Nothing went back and the buyer keeps the files. Look at the order again."
        )
    ),
    "refund_status_unknown": (
        gettext_lazy(
            "Stripe uses a word for this refund that the shop does not know. Look at it in the Stripe "
            "dashboard; the files stay as they are."
        )
    ),
    "refund_without_lines": (
        gettext_lazy(
            "Part of the money was refunded in the Stripe dashboard, where nobody can say what for. The "
            "buyer keeps all files. To take some back as well, refund their lines here."
        )
    ),
    "second_payment": (
        gettext_lazy(
            "This order was paid twice, by two sessions. The files were given once. Refund one payment."
        )
    ),
    "session_missing": (
        gettext_lazy(
            "Stripe does not know this checkout any more. It was closed here; the buyer can pay again."
        )
    ),
    "tax_changed": (
        gettext_lazy(
            "Stripe now reports another amount or another tax for a payment than before. Nothing was changed "
            "here. Compare both in the Stripe dashboard."
        )
    ),
    "tax_not_whole": (
        gettext_lazy(
            "Stripe reports a tax that this currency has no coins for. It is rounded here; what was paid is "
            "exact. For your tax return, go by Stripe's own report."
        )
    ),
    "unknown_object": (
        gettext_lazy(
            "Stripe reports a refund or a dispute that cannot be found. It is tried again by itself for "
            "some days."
        )
    ),
    "unknown_session": (
        gettext_lazy(
            "Stripe reports a checkout of this shop for an order that is not in the database, perhaps "
            "after a backup was restored. It is tried again by itself for some days."
        )
    ),
    "wrong_livemode": (
        gettext_lazy(
            "A test payment reached the live shop, or a live one the test shop. Nothing was changed. Check "
            "which keys and which webhook secret the shop uses."
        )
    ),
}


def anomaly_record(code: str, reference: str, order: Order | None, detail: str) -> None:
    """Write a contradiction down once, for people to look at. `code` is one of WORDS."""
    _, created = OrderAnomaly.objects.get_or_create(
        code=code, reference=reference, defaults={"order": order, "detail": detail}
    )
    if created:
        logger.error("Payment anomaly %s at %s: %s", code, reference, detail)


def anomalies_withdraw(*, codes: tuple[str, ...], **where: Any) -> None:
    """Later facts have settled it: nobody needs to look any more."""
    OrderAnomaly.objects.filter(code__in=codes, resolved_at=None, **where).update(
        resolved_at=timezone.now()
    )
