"""What is told to people who get a gift: what it is and where it is, and nothing of the order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from orders.models import GiftCode, Order, OutboxMail
from orders.services.gift_facts import gift_path, gift_state
from orders.services.guests import guest_link, is_guests
from orders.services.mail import kinds
from orders.services.mail.facts import Facts


def gift(mail: OutboxMail, order: Order) -> Facts:
    row = _gift_of(mail)
    # One paragraph, whatever was typed: the shop's own words are not to be imitated.
    quote = " ".join(row.message.split())
    return Facts(
        headline=_("A gift for you"),
        subject=_("A gift for you"),
        words=_words(row),
        quote=quote,
        button=(_("Open your gift"), gift_path(row)),
        is_for_others=True,
    )


def gift_redeemed(mail: OutboxMail, order: Order) -> Facts:
    row = _gift_of(mail)
    return Facts(
        headline=_("Your gift"),
        subject=_("Your gift"),
        words=_words(row)
        | {"guest_link_days": settings.GUEST_LINK_DAYS, "find_path": reverse("orders:guest_find")},
        button=_to_files(row),
        is_for_others=True,
    )


def gift_taken_back(mail: OutboxMail, order: Order) -> Facts:
    row = _gift_of(mail)
    state = gift_state(row)
    headline = (
        _("Your gift is closed for now") if state == "suspended" else _("Your gift was taken back")
    )
    return Facts(
        headline=headline,
        subject=_("About your gift"),
        words=_words(row) | {"state": state},
        is_for_others=True,
    )


def gift_returned(mail: OutboxMail, order: Order) -> Facts:
    row = _gift_of(mail)
    headline = _("Your gift is yours again")
    return Facts(
        headline=headline,
        subject=_("About your gift"),
        words=_words(row),
        button=_to_files(row),
        is_for_others=True,
    )


def _gift_of(mail: OutboxMail) -> GiftCode:
    return GiftCode.objects.select_related("order_item").get(pk=mail.fact)


def _words(row: GiftCode) -> dict[str, Any]:
    return {"item": row.order_item}


def _to_files(row: GiftCode) -> tuple[str, str]:
    return _("Go to your files"), guest_link(row) if is_guests(row) else reverse("orders:purchases")


GIFT_FACTS: dict[str, Callable[[OutboxMail, Order], Facts]] = {
    kinds.GIFT: gift,
    kinds.GIFT_REDEEMED: gift_redeemed,
    kinds.GIFT_TAKEN_BACK: gift_taken_back,
    kinds.GIFT_RETURNED: gift_returned,
}
