"""Guests: people who bought, or redeemed a gift, with an email address alone.

A mailed link opens what they hold. It is signed, ends by itself after GUEST_LINK_DAYS, and ends at once
with the `link_key` of what it opens: a new key revokes every link that was ever mailed.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy

from catalog_pages.errors import DomainError
from downloads.forgotten import with_marks
from downloads.holders import normalise_email
from orders.errors import EmailInvalid, EmailMissing
from orders.models import GiftCode, Order

SALT = "orders.guest-link"
ORDER, GIFT = "order", "gift"
MAX_EMAIL = 254
MAX_TOKEN = 500
Holding = Order | GiftCode


class GuestLinkDead(DomainError):
    """The link opens nothing. Whether it ever did is said of those alone that carry our signature."""

    code = "guest_link_dead"
    status = 410
    message = gettext_lazy("This link does not work, or not any more.")


class GuestLinkExpired(GuestLinkDead):
    code = "guest_link_expired"

    def __init__(self) -> None:
        super().__init__(
            gettext("Links end after {guest_link_days} days. This one has.").format(
                guest_link_days=settings.GUEST_LINK_DAYS
            )
        )


class GuestLinkClaimed(Exception):
    """What it opened belongs to an account now; its owner signs in."""

    def __init__(self, holding: Holding) -> None:
        self.holding = holding
        super().__init__()


@dataclass(frozen=True)
class Held:
    """What one address holds without an account, newest first."""

    orders: list[Order]
    gifts: list[GiftCode]

    def __bool__(self) -> bool:
        return bool(self.orders or self.gifts)


def email_clean(raw: object) -> str:
    """The address as it was typed, without spaces around. Raises EmailMissing and EmailInvalid."""
    email = raw.strip() if isinstance(raw, str) else ""
    if not email:
        raise EmailMissing
    try:
        validate_email(email)
    except ValidationError as error:
        raise EmailInvalid from error
    if len(email) > MAX_EMAIL or not _arrives_as_written(email):
        raise EmailInvalid
    return email


def _arrives_as_written(email: str) -> bool:
    """Not so: quoted names, which mail programs rewrite; and domains of which the older standard for
    letters beyond ASCII makes another one, as `ß` becomes `ss`: somebody else would get the link."""
    name, _, domain = email.rpartition("@")
    if '"' in name or not email.isprintable():
        return False
    folded = domain.casefold() if domain.isascii() else domain.lower()
    try:
        return folded.encode("idna").decode("idna") == folded
    except UnicodeError:
        return False


def is_guests(holding: Holding) -> bool:
    """Whether it is still held by an address alone, and so can be opened by link or browser session."""
    if isinstance(holding, Order):
        return holding.user_id is None and holding.placed_as_guest and holding.claimed_at is None
    return holding.redeemed_by_id is None and holding.redeemed_at is not None


def guest_link(holding: Holding) -> str:
    """The path of a fresh link that opens this order or redeemed gift copy."""
    return reverse("orders:guest_link", args=[guest_token(holding)])


def guest_token(holding: Holding) -> str:
    """What the link carries, and an app brings along: whoever has it sees what was bought or redeemed."""
    kind = ORDER if isinstance(holding, Order) else GIFT
    return signing.dumps([kind, str(holding.pk), holding.link_key], salt=SALT)


def guest_link_open(*, token: str) -> Holding:
    """What the link opens. Raises GuestLinkDead, GuestLinkExpired and GuestLinkClaimed.

    Whoever has no token that we signed learns nothing: not even a query is made for them.
    """
    try:
        kind, key, link_key = _read(token)
    except signing.SignatureExpired as error:
        raise GuestLinkExpired from error
    except signing.BadSignature as error:
        raise GuestLinkDead from error
    holding = _find(kind, key)
    if holding is None:
        raise GuestLinkDead
    if isinstance(holding, Order) and holding.user_id is not None:
        raise GuestLinkClaimed(holding)
    if isinstance(holding, GiftCode) and holding.redeemed_by_id is not None:
        raise GuestLinkClaimed(holding)
    if not is_guests(holding) or holding.link_key != link_key:
        raise GuestLinkDead
    return holding


def _read(token: str) -> tuple[str, str, str]:
    max_age = settings.GUEST_LINK_DAYS * 24 * 60 * 60
    kind, key, link_key = signing.loads(token[:MAX_TOKEN], salt=SALT, max_age=max_age)
    return kind, key, link_key


def _find(kind: str, key: str) -> Holding | None:
    if kind == ORDER:
        return Order.objects.filter(pk=uuid.UUID(key)).first()
    return GiftCode.objects.filter(pk=int(key)).first()


def guest_holdings(*, emails: Collection[str], only_paid: bool = False) -> Held:
    """What these normalised addresses hold and no account has; one query for each kind.

    The database folds more letters than we do, so its answer is compared once more. What has forgotten the
    address is found by its mark.
    """
    emails = with_marks(emails)
    orders = Order.objects.unclaimed().alias(folded=Lower("email")).filter(folded__in=emails)
    if only_paid:
        orders = orders.filter(status=Order.Status.PAID)
    gifts = (
        GiftCode.objects.filter(redeemed_by=None, redeemed_at__isnull=False)
        .alias(folded=Lower("redeemed_email"))
        .filter(folded__in=emails)
        .select_related("order_item")
        .order_by("-redeemed_at", "-pk")
    )
    return Held(
        orders=[order for order in orders if normalise_email(order.email) in emails],
        gifts=[gift for gift in gifts if normalise_email(gift.redeemed_email) in emails],
    )
