"""The letter to whoever asked to hear when a file that they bought is replaced by a better one."""

from __future__ import annotations

from itertools import groupby

from django.core import signing
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext

from downloads.holders import normalise_email
from downloads.models import UserAsset
from orders.models import GiftCode, Order, OrderItem, OutboxMail, UpdateNotice
from orders.services.guests import Holding, guest_link
from orders.services.mail.facts import Facts
from orders.services.mail.kinds import NEW_VERSION
from orders.services.update_facts import (
    Offer,
    copies_among,
    guest_holdings_of,
    holder_email,
    wished_offers,
)

STOP_SALT = "orders.stop-update-letters"


def new_version(mail: OutboxMail, order: Order | None) -> Facts:
    offers = offers_told(mail)
    items = [(item, list(files)) for item, files in groupby(offers, key=_item)]
    links = _links(offers)
    return Facts(
        headline=gettext("There is a new version")
        if len(offers) == 1
        else gettext("There are new versions"),
        subject=_subject(offers, [item for item, _ in items]),
        words={
            "items": items,
            "count": len(offers),
            "stop_path": reverse("orders:updates_stop", args=[_stop_token(mail)]),
            "is_guests": bool(links),
        },
        button=(gettext("Go to your files"), links[0][1] if links else reverse("orders:purchases"))
        if len(links) < 2
        else None,
        links=links if len(links) > 1 else [],
    )


def is_update_overtaken(mail: OutboxMail) -> bool:
    """Nothing of it is offered to this holder any more, or they have taken their wish back.

    Otherwise it is addressed to whoever holds it now: an account may have another address than when
    the letter was written, and what an address bought may be an account's since.
    """
    offers = _offers_of(mail)
    addresses = [holder_email(offer.grant) for offer in offers]
    if addresses and not any(_is_to(mail, address) for address in addresses):
        mail.to_email = addresses[0]
        mail.save(update_fields=["to_email"])
    return not offers


def offers_told(mail: OutboxMail) -> list[Offer]:
    """What the letter tells of, as far as its address is still the holder's; a link opens files."""
    return [offer for offer in _offers_of(mail) if _is_to(mail, holder_email(offer.grant))]


def _is_to(mail: OutboxMail, address: str) -> bool:
    return normalise_email(mail.to_email) == normalise_email(address)


def _offers_of(mail: OutboxMail) -> list[Offer]:
    """What was told by it and is still true, wished for, and open to somebody."""
    notices = UpdateNotice.objects.filter(letter__kind=NEW_VERSION, letter__fact=mail.fact)
    told = {
        ((item_id, seat), asset_id)
        for item_id, seat, asset_id in notices.values_list("order_item", "seat", "asset")
    }
    held = UserAsset.objects.filter(copies_among({copy for copy, _ in told}))
    return [
        offer
        for offer in wished_offers(held)
        if offer.is_open and (offer.copy, offer.version.pk) in told
    ]


def _item(offer: Offer) -> OrderItem:
    return offer.grant.order_item


def _subject(offers: list[Offer], items: list[OrderItem]) -> str:
    if len(items) > 1:
        return gettext("New versions of what you have")
    words = ngettext("A new version of “{title}”", "New versions of “{title}”", len(offers))
    return words.format(title=items[0].title)


def _links(offers: list[Offer]) -> list[tuple[str, str]]:
    """For what an address alone holds; an account signs in."""
    held = guest_holdings_of([offer.grant for offer in offers])
    holdings = {(type(holding), holding.pk): holding for holding in held.values()}
    return [(_name(holding), guest_link(holding)) for holding in holdings.values()]


def _name(holding: Holding) -> str:
    if isinstance(holding, GiftCode):
        return gettext("Gift: {title}").format(title=holding.order_item.title)
    return gettext("Order {number} of {when}").format(
        number=holding.number, when=date_format(holding.created_at)
    )


def _stop_token(mail: OutboxMail) -> str:
    """It opens nothing and never ends: whoever has the letter can only stop more of them."""
    return signing.dumps(mail.fact, salt=STOP_SALT)
