"""Gift copies as they stand now. Whether a code works is computed from facts and never stored."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from catalog_pages.shop_days import today
from downloads.holders import normalise_email
from orders.errors import EmailInvalid, GiftInvalid
from orders.models import Dispute, GiftCode, Order, OutboxMail
from orders.models.gifts import GIFT_ALPHABET, GIFT_LENGTH
from orders.services.access import disputed_among, revoked_among
from orders.services.guests import email_clean

OPEN, REDEEMED = "open", "redeemed"
REFUNDED, SUSPENDED, LOST = "refunded", "suspended", "lost"
CLOSED = (REFUNDED, SUSPENDED, LOST)
# For somebody who has the exact code, and so may know.
SENTENCES = {
    REFUNDED: _("This gift was taken back because its order was refunded."),
    SUSPENDED: _("This gift is closed for now, because a bank is looking into its payment."),
    LOST: _("This gift was taken back because its payment was."),
    REDEEMED: _("This gift has been redeemed already."),
}
LABELS = {
    OPEN: _("Not redeemed"),
    REDEEMED: _("Redeemed"),
    REFUNDED: _("Closed: refunded"),
    SUSPENDED: _("Closed: payment disputed"),
    LOST: _("Closed: dispute lost"),
}
GIFT_LETTER = "gift"  # the kind of letter that takes a code to its recipient
MAX_GIFT_MESSAGE = 500
GIFTS_AHEAD = timedelta(days=366)
NO_ADDRESS = _("Enter the email address of who gets it, such as name@example.com.")
SENT_AT = time(8)


@dataclass(frozen=True)
class GiftView:
    """One gift copy. `state`: open, redeemed, or why it is closed; `letter`: the last that took its code
    to somebody."""

    gift: GiftCode
    state: str
    letter: OutboxMail | None = None

    @property
    def title(self) -> str:
        return self.gift.order_item.title

    @property
    def url(self) -> str:
        """Where it is redeemed. Whoever has it, has the gift."""
        return settings.SITE_BASE_URL + gift_path(self.gift)

    @property
    def label(self) -> str:
        """The state in a word or two, for staff."""
        return str(LABELS[self.state])

    @property
    def ending(self) -> str:
        """What staff see of its code: enough to know it by, too little to redeem it."""
        return f"… {self.gift.code[-5:]}"

    @property
    def is_open(self) -> bool:
        return self.state == OPEN

    @property
    def is_redeemed(self) -> bool:
        return self.gift.redeemed_at is not None

    @property
    def is_redeemed_by_recipient(self) -> bool:
        """By the address that the buyer named; who else redeemed it is not the buyer's to know."""
        recipient = normalise_email(self.gift.recipient_email)
        return bool(recipient) and normalise_email(self.gift.redeemed_email) == recipient

    @property
    def is_sent(self) -> bool:
        return self.letter is not None and self.letter.status == OutboxMail.Status.SENT

    @property
    def is_undeliverable(self) -> bool:
        return self.letter is not None and self.letter.status == OutboxMail.Status.FAILED

    @property
    def is_for_another_day(self) -> bool:
        return self.gift.send_at is not None and self.gift.send_at > timezone.now()

    @property
    def sentence(self) -> str:
        return str(SENTENCES.get(self.state, ""))


def gift_views(order: Order) -> list[GiftView]:
    """Every gift copy of an order, in the order of its lines; a fixed number of queries."""
    gifts = GiftCode.objects.filter(order_item__order=order).select_related(
        "order_item", "redeemed_by"
    )
    found = list(gifts.order_by("order_item__position", "seat"))
    if not found:
        return []
    letters = {}
    for mail in OutboxMail.objects.filter(order=order, kind=GIFT_LETTER).order_by("pk"):
        letters[mail.fact] = mail
    closed = closed_lines([order.pk])[order.pk]
    return [GiftView(gift, state_in(gift, closed), letters.get(str(gift.pk))) for gift in found]


def gift_state(gift: GiftCode) -> str:
    """`open`, `redeemed`, or why it is closed: `refunded`, `suspended`, `lost`."""
    order_id = gift.order_item.order_id
    return state_in(gift, closed_lines([order_id])[order_id])


def state_in(gift: GiftCode, closed: dict[int, str]) -> str:
    why = closed.get(gift.order_item_id, "")
    return why or (OPEN if gift.redeemed_at is None else REDEEMED)


def closed_lines(order_ids: Collection[Any]) -> dict[Any, dict[int, str]]:
    """Order -> line -> why its gift codes and copies do not work, where they do not.

    A refund is told before a dispute: it is what will not pass.
    """
    closed: dict[Any, dict[int, str]] = defaultdict(dict)
    disputed = disputed_among(order_ids)
    if disputed:
        lost = Dispute.objects.filter(payment__order__in=disputed, status="lost")
        ended = set(lost.values_list("payment__order", flat=True))
        lines = GiftCode.objects.filter(order_item__order__in=disputed).order_by()
        for order_id, item_id in lines.values_list("order_item__order", "order_item"):
            closed[order_id][item_id] = LOST if order_id in ended else SUSPENDED
    for order_id, item_ids in revoked_among(order_ids).items():
        closed[order_id].update(dict.fromkeys(item_ids, REFUNDED))
    return closed


def gift_path(gift: GiftCode) -> str:
    return reverse("orders:gift", args=[gift.code])


def gift_code_clean(text: str) -> str:
    """What somebody typed, as codes are written: capitals, groups of five; "" for what is no code.

    Case, spaces and hyphens are the typist's own affair.
    """
    typed = re.sub(r"[^0-9A-Z]", "", text[:200].upper())
    if len(typed) != GIFT_LENGTH or set(typed) - set(GIFT_ALPHABET):
        return ""
    return "-".join(typed[start : start + 5] for start in range(0, GIFT_LENGTH, 5))


def gift_wish_clean(*, email: str, message: str, send_on: date | None) -> tuple[str, str]:
    """Address and message, ready to be stored; both may be empty.

    Raises GiftInvalid for an address that is none, a message that is too long, and a day that is past
    or more than a year away.
    """
    email, message = email.strip(), message.replace("\0", "").strip()
    try:
        email = email_clean(email) if email else ""
    except EmailInvalid as error:
        raise GiftInvalid(str(NO_ADDRESS), field="email") from error
    if len(message) > MAX_GIFT_MESSAGE:
        sentence = gettext("A message can be up to {max_gift_message} characters long.").format(
            max_gift_message=MAX_GIFT_MESSAGE
        )
        raise GiftInvalid(sentence, field="message")
    if send_on is not None and not today() <= send_on <= today() + GIFTS_AHEAD:
        raise GiftInvalid(gettext("Choose a day from today on, within a year."), field="send_on")
    return email, message


def gift_day(raw: object) -> date | None:
    """The day that a form or JSON names, as in 2026-12-24; None for none. Raises GiftInvalid."""
    text = raw.strip() if isinstance(raw, str) else ""
    if raw is None or (isinstance(raw, str) and not text):
        return None
    is_one = re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text, flags=re.ASCII)
    with suppress(ValueError):
        if is_one:
            return date.fromisoformat(text)
    raise GiftInvalid(gettext("Enter the day as in 2026-12-24, or leave it empty."))


def send_time(send_on: date | None) -> datetime:
    """Eight in the morning of that day where the shop is; now when that has passed."""
    now = timezone.now()
    if send_on is None:
        return now
    return max(now, datetime.combine(send_on, SENT_AT, tzinfo=timezone.get_default_timezone()))


def open_views(views: Iterable[GiftView]) -> list[GiftView]:
    return [view for view in views if view.is_open]
