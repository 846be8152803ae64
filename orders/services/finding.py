"""Which orders a text is about: whatever a customer may quote, each looked up where an index serves it.

    discount code      whole, in any case: the orders that used it
    email address      the order's, its account's, and those that its gifts and letters went to
    order number       with or without dash, spaces and words before it, spelt out as well; its beginning,
                       from four on
    card               the last four digits, or a whole number of which only those are looked at
    Stripe's ids       cs_ pi_ ch_ py_ re_ pyr_ dp_ du_ evt_, whole or begun
    gift code          whole, whatever its case and hyphens; never a part of one
    our ids            of an order or of a file somebody holds, as they stand in addresses
    other words        the beginning of an address, a number or a bought title

No search reads a table from end to end, so a million orders take as long as ten. What is found is
`MAX_FOUND` orders at most; `is_cut` says when there were more.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.db.models.functions import Lower, Upper

from catalog_pages.beginnings import begins
from catalog_pages.search_text import asked_text
from downloads.models import UserAsset
from orders.models import (
    DiscountCode,
    DiscountUse,
    Dispute,
    GiftCode,
    Order,
    OrderItem,
    OutboxMail,
    Payment,
    Refund,
    StripeEvent,
)
from orders.models.orders import NUMBER_ALPHABET
from orders.services.gift_facts import gift_code_clean

MAX_FOUND = 500
MAX_WORDS = 8
LEAST_OF_A_NUMBER = 4
# What stands between the groups of a number that somebody copied or typed.
BETWEEN = r"[\s\-\u2010-\u2015\u2212_.]*"
# Letters that no order number holds, and what people mean by them.
LOOK_ALIKES = str.maketrans("OIL", "011")
# Said beside what counts, and no clue by itself.
NOISE = frozenset(
    """amex an at card code ending ends for from gift id in invoice is mailto mastercard my no nr number of
    order orders paid payment purchase receipt ref reference refund the visa with""".split()
)

GIFT = re.compile(
    rf"(?<![0-9A-Za-z])[0-9A-Za-z]{{5}}(?:{BETWEEN}[0-9A-Za-z]{{5}}){{3}}(?![0-9A-Za-z])"
)
UUID = re.compile(
    r"(?<![0-9a-z_])[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}(?![0-9a-z])", re.IGNORECASE
)
STRIPE = re.compile(r"(?<![0-9A-Za-z])(cs|pi|ch|py|re|pyr|dp|du|evt)_[0-9A-Za-z_]+")
EMAIL = re.compile(r"[^\s<>()\[\],;:\"]+@[^\s<>()\[\],;:\"]*")
NAMED_EMAIL = re.compile(r"<([^\s<>]+@[^\s<>]+)>")  # as mail programs copy it, with a name before
CARD = re.compile(r"(?<![0-9A-Za-z])(?:[0-9][ -]?){12,18}[0-9](?![0-9A-Za-z])")
NUMBER = re.compile(rf"(?<![0-9A-Za-z])[0-9A-Za-z]{{4}}{BETWEEN}[0-9A-Za-z]{{4}}(?![0-9A-Za-z])")
LAST_FOUR = re.compile(r"[0-9]{4}")
HIDDEN_DIGITS = re.compile(r"[xX*•·.…#]+")
# `XXXX-XXXX-XXXX-4242`, `**** **** **** 4242`: a card as receipts print it.
MASKED_CARD = re.compile(r"(?<![0-9A-Za-z])(?:[xX*•·.…#]{4}[ -]?){3}[0-9]{4}(?![0-9A-Za-z])")
# `x4242`, `visa-4242`: what stands before the digits, and these.
CARD_WORD = re.compile(r"([xX*•·.…#]+|[A-Za-z]+)-?([0-9]{4})")


@dataclass(frozen=True)
class Look:
    """One place to look at, and the path from its rows to their order."""

    rows: QuerySet[Any]
    path: str

    def ids(self, among: Collection[uuid.UUID] | None) -> list[uuid.UUID]:
        """One more than are wanted, when there are more."""
        rows = self.rows if among is None else self.rows.filter(**{f"{self.path}__in": among})
        named = rows.filter(**{f"{self.path}__isnull": False})
        return list(named.values_list(self.path, flat=True)[: MAX_FOUND + 1])


@dataclass(frozen=True)
class Found:
    """Ids of orders; `is_cut`: more match than these."""

    order_ids: list[uuid.UUID] = field(default_factory=list)
    is_cut: bool = False


Clue = list[Look]


def orders_found(text: str | None) -> Found:
    """The orders that everything in `text` points to; none for a text that says nothing.

    A fixed number of queries for a text, whatever there is in the database.
    """
    clues, words = _read(asked_text(text))
    found: Found | None = None
    for clue in clues:
        found = _narrow(found, clue)
    words = [word for word in words if not clues or word.lower() not in NOISE][:MAX_WORDS]
    if words:
        found = _about_words(found, words)
    if (found is None or not found.order_ids) and (spelt := _spelt_number(text)):
        return _narrow(None, _number_looks(spelt))
    return found or Found()


def number_beginning(text: str) -> str:
    """`7f3k 9q` as order numbers are written, `7F3K-9Q`; "" for what begins none."""
    squashed = re.sub(BETWEEN, "", text.upper()).translate(LOOK_ALIKES)
    is_one = LEAST_OF_A_NUMBER <= len(squashed) <= 8 and not set(squashed) - set(NUMBER_ALPHABET)
    return f"{squashed[:4]}-{squashed[4:]}" if is_one else ""


def _spelt_number(text: str | None) -> str:
    """The whole number that is left of a text when it is put together: `7f 3k - 9q xm`; "" for none."""
    parts = re.split(r"[^0-9A-Za-z]+", asked_text(text))
    whole = "".join(part for part in parts if part.lower() not in NOISE)
    return whole if len(whole) == len("7F3K9QXM") else ""


def _narrow(found: Found | None, clue: Clue) -> Found:
    among = None if found is None else found.order_ids
    if among is not None and not among:
        return Found()
    ids: dict[uuid.UUID, None] = {}
    for look in clue:
        ids.update(dict.fromkeys(look.ids(among)))
    is_cut = len(ids) > MAX_FOUND or (found is not None and found.is_cut)
    return Found(list(ids)[:MAX_FOUND], is_cut)


def _about_words(found: Found | None, words: list[str]) -> Found:
    """Orders of a title that begins with all of the words, or about each of them.

    `ada example` is how people read out `ada@example.com`.
    """
    each = found
    for word in words:
        narrowed = _narrow(each, _word(word))
        may_be_chatter = found is not None or word.lower() in NOISE  # `code` in `code SPRING`
        is_chatter = may_be_chatter and not narrowed.order_ids
        if is_chatter and not _narrow(None, _word(word)).order_ids:
            continue  # `please`, beside what counts: it points to no order at all
        each = narrowed
    if len(words) == 1 or each is None:
        return each or Found()
    phrase = _narrow(found, [_title(" ".join(words)), *_addresses("@".join(words))])
    ids = list(dict.fromkeys([*phrase.order_ids, *each.order_ids]))
    return Found(ids[:MAX_FOUND], phrase.is_cut or each.is_cut or len(ids) > MAX_FOUND)


def _read(text: str) -> tuple[list[Clue], list[str]]:
    """Clues, the most exact first, and the words that are none."""
    exact: list[Clue] = []
    if pasted := NAMED_EMAIL.search(text):
        text = pasted[1]
    if code := gift_code_clean(text):
        return [_gift(code)], []
    for pattern, make in ((STRIPE, _stripe_id), (UUID, _our_id), (EMAIL, _email), (GIFT, _code)):
        text, clues = _taken(text, pattern, make)
        exact += clues
    text, masked = _taken(text, MASKED_CARD, lambda digits: [_card(digits[-4:])])
    text, cards = _taken(text, CARD, lambda digits: [_card(digits[-4:])])
    text, numbers = _taken(text, NUMBER, _number)
    loose: list[Clue] = []
    words = []
    for word in text.split():
        bare = word.strip("#.,;:!?()[]<>\"'“”‘’*•·…/|\\")
        if LAST_FOUR.fullmatch(bare):
            loose.append([_card(bare), *_number_looks(bare), _discount(bare)])
        elif digits := _card_digits(bare):
            loose.append([_card(digits), *_word(bare)])
        elif bare and not HIDDEN_DIGITS.fullmatch(bare):
            words.append(bare)
    return [*exact, *numbers, *masked, *cards, *loose], words


def _card_digits(word: str) -> str:
    match = CARD_WORD.fullmatch(word)
    if match is None:
        return ""
    before = match[1].lower()
    return match[2] if before in NOISE or HIDDEN_DIGITS.fullmatch(before) else ""


def _taken(text: str, pattern: re.Pattern[str], make: Any) -> tuple[str, list[Clue]]:
    """The text without what the pattern found and `make` knew, and the clues that these are."""
    clues: list[Clue] = []
    place = 0
    while len(clues) < MAX_WORDS and (match := pattern.search(text, place)):
        clue = make(match[0])
        if clue:
            clues.append(clue)
            text = f"{text[: match.start()]} {text[match.end() :]}"
        place = match.start() + 1
    return text, clues


def _gift(code: str) -> Clue:
    return [Look(GiftCode.objects.filter(code=code).order_by(), "order_item__order_id")]


def _code(text: str) -> Clue | None:
    code = gift_code_clean(text)
    return _gift(code) if code else None


def _our_id(text: str) -> Clue:
    key = uuid.UUID(text)
    return [
        Look(Order.objects.filter(pk=key).order_by(), "pk"),
        Look(UserAsset.objects.filter(pk=key).order_by(), "order_item__order_id"),
    ]


def _stripe_id(text: str) -> Clue:
    text = text.partition("_secret")[0]  # as a page that takes payments is given it
    kind = text.partition("_")[0]
    if kind == "evt":
        return list(_event(text))
    model, column, path = {
        "cs": (Payment, "stripe_session_id", "order_id"),
        "pi": (Payment, "stripe_payment_intent_id", "order_id"),
        "ch": (Payment, "stripe_charge_id", "order_id"),
        "py": (Payment, "stripe_charge_id", "order_id"),
        "re": (Refund, "stripe_refund_id", "payment__order_id"),
        "pyr": (Refund, "stripe_refund_id", "payment__order_id"),
        "dp": (Dispute, "stripe_dispute_id", "payment__order_id"),
        "du": (Dispute, "stripe_dispute_id", "payment__order_id"),
    }[kind]
    rows: Any = model
    return [Look(rows.objects.filter(**{f"{column}__startswith": text}).order_by(), path)]


def _event(text: str) -> Iterable[Look]:
    """An event that failed is not marked with its order; what it is about leads there."""
    events = StripeEvent.objects.filter(event_id__startswith=text).order_by()
    yield Look(events, "order_id")
    about = list(events.filter(order=None).values_list("object_id", flat=True)[:MAX_WORDS])
    for object_id in about:
        if STRIPE.fullmatch(object_id) and not object_id.startswith("evt_"):
            yield from _stripe_id(object_id)


def _email(text: str) -> Clue:
    address = text.removeprefix("mailto:").strip(".!?'“”‘’").lower()
    accounts = get_user_model().objects.alias(folded=Lower("email")).filter(folded=address)
    redeemed = GiftCode.objects.filter(redeemed_by__in=accounts.values("pk")).order_by()
    return [
        *_addresses(address),
        Look(Order.objects.filter(user__in=accounts.values("pk")).order_by(), "pk"),
        Look(redeemed, "order_item__order_id"),
        Look(begins(OutboxMail.objects.all(), "to_email", address), "order_id"),
    ]


def _addresses(text: str) -> Clue:
    gifts = GiftCode.objects.all()
    return [
        Look(begins(Order.objects.all(), "email", text), "pk"),
        Look(begins(gifts, "recipient_email", text), "order_item__order_id"),
        Look(begins(gifts, "redeemed_email", text), "order_item__order_id"),
    ]


def _number(text: str) -> Clue | None:
    """Eight characters may be a title as well: “Long song” is written with those of a number."""
    parts = text.split()
    if any(part.lower() in NOISE or HIDDEN_DIGITS.fullmatch(part) for part in parts):
        return None  # `with 4242`, `xxxx 4242`
    looks = _number_looks(text)
    if not looks:
        return None
    digits = _card_digits(text)
    return [*looks, _title(text), _discount(text), *([_card(digits)] if digits else [])]


def _number_looks(text: str) -> Clue:
    beginning = number_beginning(text)
    if not beginning:
        return []
    return [Look(Order.objects.filter(number__startswith=beginning).order_by(), "pk")]


def _card(digits: str) -> Look:
    return Look(Payment.objects.filter(card_last4=digits).order_by("-pk"), "order_id")


def _title(text: str) -> Look:
    return Look(begins(OrderItem.objects.all(), "title", text).order_by("-pk"), "order_id")


def _discount(code: str) -> Look:
    codes = DiscountCode.objects.alias(folded=Upper("code")).filter(folded=code.upper())
    uses = DiscountUse.objects.filter(code__in=codes.order_by().values("pk"))
    return Look(uses.order_by(), "order_id")


def _word(text: str) -> Clue:
    return [*_addresses(text), *_number_looks(text), _title(text), _discount(text)]
