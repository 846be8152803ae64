"""Gift copies: made with the payment, sent, redeemed once, taken back and given again with their line."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from downloads.grants import GrantSpec, grants_issue
from downloads.holders import normalise_email
from downloads.models import UserAsset
from orders.errors import (
    GiftClosed,
    GiftLettersArePaid,
    GiftOwned,
    GiftRedeemed,
    GiftSentOften,
    GiftUnknown,
)
from orders.locks import lock_order
from orders.models import GiftCode, Order, OrderItemAsset, OutboxMail
from orders.services.gift_facts import (
    CLOSED,
    OPEN,
    REDEEMED,
    SENTENCES,
    GiftView,
    gift_code_clean,
    gift_state,
    gift_views,
    gift_wish_clean,
    send_time,
)
from orders.services.guests import email_clean
from orders.services.mail import mail_queue
from orders.services.mail.kinds import (
    GIFT,
    GIFT_REDEEMED,
    GIFT_RETURNED,
    GIFT_TAKEN_BACK,
    TO_OTHERS,
)
from orders.services.outgoing import downloads_granted_tell
from orders.services.shopper import NOBODY, Shopper, owned_among
from orders.throttles import throttle_hit

LETTERS_A_DAY = 5  # of one gift: enough to correct an address, too few to pester anybody
LETTERS_OF_AN_ORDER_A_DAY = 120  # every copy of a full line, and some corrections
LETTERS_TO_ONE_A_DAY = 20
DAY = timedelta(days=1)
Letters = dict[str, list[OutboxMail]]


def gift_codes_issue(*, order: Order) -> int:
    """A code for each copy of the order's lines that is not the buyer's own; return how many are new.

    Part of the transaction that pays; called again it makes nothing twice. The first code of a line
    has the recipient, words and day that the buyer chose, and its letter is queued for then, or for
    now when a late payment comes after that day. The code of what cost nothing is mailed to nobody:
    else anybody could have the shop write to anybody, for nothing.
    """
    items = list(order.items.filter(Q(is_gift=True) | Q(quantity__gt=1)))
    if not items:
        return 0
    made = GiftCode.objects.filter(order_item__in=items).order_by()
    present = set(made.values_list("order_item_id", "seat"))
    codes = []
    for item in items:
        last = item.quantity if item.is_gift else item.quantity - 1
        for seat in range(1, last + 1):
            code = GiftCode(order_item=item, seat=seat)
            if seat == 1 and item.total_pennies:
                code.recipient_email, code.message = item.gift_email, item.gift_message
                code.send_at = send_time(item.gift_send_on) if item.gift_email else None
            codes.append(code)
    missing = [code for code in codes if (code.order_item_id, code.seat) not in present]
    GiftCode.objects.bulk_create(missing)
    for code in missing:
        if code.recipient_email:
            _queue_letter(code, order, number=0)
    return len(missing)


def gift_find(code_text: str) -> GiftCode:
    """The gift of the code that somebody typed, whatever its case and hyphens. Raises GiftUnknown."""
    code = gift_code_clean(code_text)
    gift = None
    if code:
        gift = GiftCode.objects.filter(code=code).select_related("order_item__order").first()
    if gift is None:
        raise GiftUnknown
    return gift


def gift_is_held_by(*, gift: GiftCode, user: Any) -> bool:
    """Whether this account has redeemed it, or claimed it since."""
    if user is None or gift.redeemed_at is None:
        return False
    held = UserAsset.objects.filter(order_item=gift.order_item_id, seat=gift.seat, user=user)
    return gift.redeemed_by_id == user.pk or held.exists()


def gift_redeem(
    *, code_text: str, user: Any = None, email: str = "", shopper: Shopper = NOBODY
) -> GiftCode:
    """Give this copy to an account, or without one to an email address; who comes first has it.

    For the account that has redeemed it already, nothing happens. An address that is typed a second
    time opens nothing: whoever has the code may know it, and only its owner reads what is mailed there.
    Raises GiftUnknown, GiftClosed, GiftRedeemed, GiftOwned, EmailMissing and EmailInvalid; the code is
    as good as before then.
    """
    found = gift_find(code_text)  # before any lock: guesses keep nobody waiting
    with transaction.atomic():
        order = lock_order(found.order_item.order_id)
        gift = GiftCode.objects.select_related("order_item").get(pk=found.pk)
        _refuse_closed(gift)
        if gift_is_held_by(gift=gift, user=user):
            return gift
        if gift.redeemed_at is not None:
            raise GiftRedeemed
        email = user.email if user is not None else email_clean(email)
        item = gift.order_item
        if owned_among(replace(shopper, user=user), [item.product_id]):
            raise GiftOwned(item.title)
        is_first = GiftCode.objects.filter(pk=gift.pk, redeemed_at=None).update(
            redeemed_at=timezone.now(), redeemed_by=user, redeemed_email=email
        )
        if not is_first:
            raise GiftRedeemed
        gift.refresh_from_db()
        _issue([gift])
        if user is None:
            mail_queue(kind=GIFT_REDEEMED, fact=str(gift.pk), order=order, to_email=email)
    return gift


def gift_letter_fits(*, email: str) -> bool:
    """Count a letter about a gift to this address; whether one more may be written to it today."""
    seconds = int(DAY.total_seconds())
    return throttle_hit(
        scope="gift-letter", key=normalise_email(email), limit=LETTERS_TO_ONE_A_DAY, seconds=seconds
    )


def gift_send(
    *,
    gift: GiftCode,
    email: str,
    message: str = "",
    send_on: date | None = None,
    by: Any = None,
) -> GiftCode:
    """Have the shop mail the code: now, or on a day. A letter that still waits is replaced.

    Raises GiftInvalid, GiftRedeemed, GiftClosed, GiftLettersArePaid, and GiftSentOften when it, or
    its order's gifts together, were sent often today.
    """
    if not gift.order_item.total_pennies:
        raise GiftLettersArePaid
    email, message = gift_wish_clean(email=email, message=message, send_on=send_on)
    email = email_clean(email)
    if not gift_letter_fits(email=email):
        raise GiftSentOften
    with transaction.atomic():
        order = lock_order(gift.order_item.order_id)
        gift = GiftCode.objects.select_related("order_item").get(pk=gift.pk)
        _refuse_closed(gift)
        if gift.redeemed_at is not None:
            raise GiftRedeemed
        _refuse_haste(gift, order)
        letters = OutboxMail.objects.filter(order=order, kind=GIFT, fact=str(gift.pk))
        letters.filter(status=OutboxMail.Status.QUEUED).update(
            status=OutboxMail.Status.SKIPPED, next_attempt_at=None
        )
        gift.recipient_email, gift.message = email, message
        gift.send_at = send_time(send_on)
        gift.save(update_fields=["recipient_email", "message", "send_at"])
        _queue_letter(gift, order, number=letters.count(), by=by)
    return gift


def _refuse_haste(gift: GiftCode, order: Order) -> None:
    """GiftSentOften when this gift, or those of its order together, were sent often today."""
    since = timezone.now() - DAY
    today = OutboxMail.objects.filter(order=order, kind=GIFT, created_at__gt=since)
    of_this = today.filter(fact=str(gift.pk)).count()
    if of_this >= LETTERS_A_DAY or today.count() >= LETTERS_OF_AN_ORDER_A_DAY:
        raise GiftSentOften


def gifts_follow(*, order: Order) -> None:
    """Tell who redeemed copies of this order that they were taken back, or are theirs again.

    The caller holds the order's lock and has just changed what its refunds or disputes are. Who was
    told the one is told the other. What was not sent while a line was closed is sent when it opens.
    """
    views = gift_views(order)
    if not views:
        return
    letters: Letters = defaultdict(list)
    for mail in OutboxMail.objects.filter(order=order, kind__in=TO_OTHERS).order_by("pk"):
        letters[mail.fact].append(mail)
    for view in views:
        if view.is_redeemed:
            _tell_holder(order, view, letters[str(view.gift.pk)])
        if view.state not in CLOSED:
            _revive(view, letters[str(view.gift.pk)])


def gift_grants_issue(*, order: Order) -> int:
    """The rights of all redeemed copies that are missing; for the reconciler."""
    redeemed = GiftCode.objects.filter(order_item__order=order, redeemed_at__isnull=False)
    return _issue(redeemed)


def _tell_holder(order: Order, view: GiftView, letters: list[OutboxMail]) -> None:
    told = [mail for mail in letters if mail.kind in (GIFT_TAKEN_BACK, GIFT_RETURNED)]
    is_told_closed = bool(told) and told[-1].kind == GIFT_TAKEN_BACK
    is_closed = view.state in CLOSED
    if is_closed == is_told_closed:
        return
    kind = GIFT_TAKEN_BACK if is_closed else GIFT_RETURNED
    holder = view.gift.redeemed_by
    if holder is not None and not holder.is_active:
        return  # an account that was closed has no address any more
    mail_queue(
        kind=kind,
        fact=str(view.gift.pk),
        order=order,
        to_email=holder.email if holder is not None else view.gift.redeemed_email,
        resend=Counter(mail.kind for mail in told)[kind],
    )


def _revive(view: GiftView, letters: list[OutboxMail]) -> None:
    """Queue the code's letter, or that with the link to the files, if it was skipped and holds again."""
    kind = GIFT_REDEEMED if view.state == REDEEMED else GIFT
    last = next((mail for mail in reversed(letters) if mail.kind == kind), None)
    if last is None or last.status != OutboxMail.Status.SKIPPED:
        return
    if kind == GIFT and last.to_email != view.gift.recipient_email:
        return
    due = timezone.now() if view.gift.send_at is None else max(timezone.now(), view.gift.send_at)
    OutboxMail.objects.filter(pk=last.pk, status=OutboxMail.Status.SKIPPED).update(
        status=OutboxMail.Status.QUEUED, next_attempt_at=due
    )


def _queue_letter(gift: GiftCode, order: Order, *, number: int, by: Any = None) -> None:
    mail_queue(
        kind=GIFT,
        fact=str(gift.pk),
        order=order,
        to_email=gift.recipient_email,
        resend=number,
        requested_by=by,
        send_at=gift.send_at,
    )


def _refuse_closed(gift: GiftCode) -> None:
    state = gift_state(gift)
    if state not in (OPEN, REDEEMED):
        raise GiftClosed(str(SENTENCES[state]))


def _issue(gifts: Iterable[GiftCode]) -> int:
    """Every file of the delivery lists of these redeemed copies, to who redeemed them."""
    copies = list(gifts)
    specs: dict[int, list[GrantSpec]] = defaultdict(list)
    deliveries = OrderItemAsset.objects.filter(order_item__in=[c.order_item_id for c in copies])
    promised = deliveries.order_by().values_list(
        "order_item_id", "asset_id", "title", "position", "order_item__download_limit"
    )
    for row in promised:
        specs[row[0]].append(GrantSpec(*row))
    issued = {
        (copy.order_item_id, copy.seat): grants_issue(
            user_id=copy.redeemed_by_id,
            email=copy.redeemed_email,
            specs=specs[copy.order_item_id],
            seat=copy.seat,
        )
        for copy in copies
    }
    downloads_granted_tell(copies=[copy for copy, files in issued.items() if files])
    return sum(len(files) for files in issued.values())
