"""Words for the facts: one file of sentences per kind of letter, one frame each for HTML and text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from catalog_pages.models import ShopSettings
from catalog_pages.money_display import display_refresh
from orders.letter_words import (
    ABOUT_AN_ORDER,
    CONTACT_EMAIL,
    ORDER_NUMBER,
    SHOP_NAME,
    words_paragraphs,
)
from orders.models import LetterText, Order, OutboxMail
from orders.services.mail.facts import FACTS, FACTS_WITHOUT_ORDER, Facts, order_path
from orders.services.mail.gift_letters import GIFT_FACTS
from orders.services.mail.kinds import NEW_VERSION, MailWaits
from orders.services.mail.updates import new_version

FOLDER = "orders/mail"
ABOUT_NO_ORDER = FACTS_WITHOUT_ORDER | {NEW_VERSION: new_version}
GUEST_TOKEN = re.compile(r"(/orders/link/|/gifts/)[^/\s\"<]+/")


class LetterUnwritable(MailWaits):
    """There are no words for this row."""


@dataclass(frozen=True)
class Letter:
    """Both versions say the same, because both are made from the same sentences and facts."""

    subject: str
    text: str
    html: str
    shop_name: str
    reply_to: str


def letter_write(*, mail: OutboxMail) -> Letter:
    """The letter as its facts are now.

    Raises LetterUnwritable for a kind that has no words or an order that is gone, and
    ObjectDoesNotExist when the row that it tells of is.
    """
    display_refresh()
    own = LetterText.objects.filter(kind=mail.kind).first()
    return letter_of(kind=mail.kind, order=mail.order, facts=facts_of(mail), own=own)


def letter_of(*, kind: str, order: Order | None, facts: Facts, own: LetterText | None) -> Letter:
    """The words for these facts, with an owner's own around them."""
    shop = ShopSettings.load()
    context = _context(kind, order, facts, shop) | _own_words(own, order, shop)
    text = render_to_string(f"{FOLDER}/frame.txt", context)
    if facts.subject:
        subject = _("{subject} from {shop}").format(subject=facts.subject, shop=shop.shop_name)
    elif order is not None:
        subject = _("{headline} (order {number})").format(
            headline=facts.headline, number=order.number
        )
    else:
        subject = facts.headline
    return Letter(
        subject=one_line(subject)[:200],
        text=re.sub(r"\n{3,}", "\n\n", text).strip() + "\n",
        html=render_to_string(f"{FOLDER}/frame.html", context),
        shop_name=shop.shop_name,
        reply_to=shop.contact_email,
    )


def facts_of(mail: OutboxMail) -> Facts:
    """What is true now of what the letter tells. Raises as `letter_write` does."""
    if mail.kind in ABOUT_NO_ORDER:
        return ABOUT_NO_ORDER[mail.kind](mail, mail.order)
    found = FACTS.get(mail.kind) or GIFT_FACTS.get(mail.kind)
    if found is None:
        raise LetterUnwritable(_("No letter is written for “{kind}”.").format(kind=mail.kind))
    if mail.order is None:
        raise LetterUnwritable(_("The order that it tells of is gone."))
    return found(mail, mail.order)


def _own_words(own: LetterText | None, order: Order | None, shop: ShopSettings) -> dict[str, Any]:
    if own is None:
        return {}
    # An address that was taken away after the words were written: then where an answer would go.
    contact = shop.contact_email or parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    values = {SHOP_NAME: shop.shop_name, CONTACT_EMAIL: contact}
    if order is not None and own.kind in ABOUT_AN_ORDER:
        values[ORDER_NUMBER] = order.number
    return {
        "above": words_paragraphs(own.above, values),
        "below": words_paragraphs(own.below, values),
    }


def without_links(body: str) -> str:
    """A letter as it is kept: whoever reads the outbox has not the guest's way in, nor a gift."""
    return GUEST_TOKEN.sub(r"\1…/", body)


def one_line(text: str) -> str:
    """For headers: no line breaks and no other control characters, whatever an editor pasted."""
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", text).split())


def _context(kind: str, order: Order | None, facts: Facts, shop: ShopSettings) -> dict[str, Any]:
    label, path = facts.button or ("", "")
    context = {
        "facts": facts,
        "order": order,
        "items": list(order.items.all()) if order is not None and facts.ledger else [],
        "shop": shop,
        "button_label": label,
        "button_url": settings.SITE_BASE_URL + path,
        "order_url": settings.SITE_BASE_URL + order_path(order)
        if order is not None and not facts.is_for_others
        else "",
        "links": [(name, settings.SITE_BASE_URL + path) for name, path in facts.links],
        "site_base_url": settings.SITE_BASE_URL,
    }
    words = render_to_string(f"{FOLDER}/words/{kind}.txt", context | facts.words)
    return context | {"paragraphs": _paragraphs(words)}


def _paragraphs(words: str) -> list[str]:
    """Blank lines, and lines with nothing but tags, part paragraphs. No-break spaces stay."""
    joined = (re.sub(r"[ \n\t]+", " ", part).strip() for part in re.split(r"\n\s*\n", words))
    return [paragraph for paragraph in joined if paragraph]
