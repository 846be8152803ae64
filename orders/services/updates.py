"""Who asked is told, once, when a file that they bought is replaced by a better one.

Three facts: a version was on sale for the first time, somebody wishes to hear of such, somebody knows
of one already. A letter is written by whoever made the last of them true; unique rows decide, never a look
beforehand, so that publishing twice, again, or in two places at once tells nobody twice.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import timedelta

from django.core import signing
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django_tasks import task

from catalog_pages.errors import DomainError
from catalog_pages.models import DigitalAsset, ProductPage
from downloads.models import Revocation, UserAsset
from orders.models import OutboxMail, PublishedVersion, UpdateNotice, UpdateWish
from orders.services.mail import mail_queue, mail_send_task
from orders.services.mail.kinds import NEW_VERSION
from orders.services.mail.updates import STOP_SALT
from orders.services.update_facts import (
    Copy,
    Offer,
    copies_among,
    holder_email,
    holder_key,
    offers_of,
    wished_offers,
)

MAX_TOKEN = 500
SWEPT = timedelta(days=2)
# Nobody has such a letter, and no link in one has to work.
UNTRIED = Q(letter__status=OutboxMail.Status.SKIPPED) | Q(
    letter__status=OutboxMail.Status.QUEUED, letter__attempts=0
)


class StopLinkDead(DomainError):
    code = "stop_link_dead"
    status = 404
    message = gettext_lazy(
        "This link does not work. Your purchases page stops these letters as well."
    )


def update_wish_add(*, order_item_id: int, seat: int) -> None:
    """The holder of this copy wants letters about new versions from now on. Safe to call again.

    What is offered already stands on the page that they asked from: no letter is written about it,
    and one that was not sent, because they had taken an earlier wish back, is none about it later.
    """
    grants = UserAsset.objects.filter(order_item=order_item_id, seat=seat)
    with transaction.atomic():
        wish = UpdateWish(order_item_id=order_item_id, seat=seat)
        UpdateWish.objects.bulk_create([wish], ignore_conflicts=True)
        seen = [_notice(offer.copy, offer.version) for offer in offers_of(grants)]
        UpdateNotice.objects.bulk_create(seen, ignore_conflicts=True)
        UpdateNotice.objects.filter(
            UNTRIED,
            order_item=order_item_id,
            seat=seat,
            asset__in={notice.asset_id for notice in seen},
        ).update(letter=None)


def update_wish_drop(*, order_item_id: int, seat: int) -> None:
    """No more letters about this copy; one that waits to be sent is not sent."""
    UpdateWish.objects.filter(order_item=order_item_id, seat=seat).delete()


def update_letters_stop(*, token: str, is_sure: bool) -> None:
    """What a letter's own link does: its reader gets no more of them, about nothing that they hold.

    Without `is_sure` the link is only looked at. Raises StopLinkDead for a token that is not ours.
    """
    try:
        fact = signing.loads(token[:MAX_TOKEN], salt=STOP_SALT)
    except signing.BadSignature as error:
        raise StopLinkDead from error
    if not is_sure:
        return
    notices = UpdateNotice.objects.filter(letter__kind=NEW_VERSION, letter__fact=fact)
    copies = set(notices.values_list("order_item", "seat"))
    grants = list(UserAsset.objects.filter(copies_among(copies))) if copies else []
    users = {grant.user_id for grant in grants if grant.user_id is not None}
    emails = {grant.email for grant in grants if grant.user_id is None}
    theirs = UserAsset.objects.filter(
        Q(user__in=users) | Q(user=None, email__in=emails),
        order_item=OuterRef("order_item"),
        seat=OuterRef("seat"),
    )
    UpdateWish.objects.filter(Exists(theirs.order_by())).delete()


@task()
def new_versions_task(page_id: int) -> int:
    return new_versions_tell(page_id=page_id)


def new_versions_tell(*, page_id: int) -> int:
    """A product is on sale: note since when, and tell those who asked. How many letters were written.

    Does nothing for versions that are known already, however often it is called, and from wherever at
    once. One letter for each holder, about all files that this product replaces for them.
    """
    versions = DigitalAsset.objects.filter(
        track_files__track__page=page_id,
        track_files__track__page__live=True,
        replaces__isnull=False,
    ).distinct()
    lineages = {version.pk: version.lineage for version in versions}
    if not lineages:
        return 0
    now = timezone.now()
    since = [PublishedVersion(asset_id=asset_id, published_at=now) for asset_id in lineages]
    PublishedVersion.objects.bulk_create(since, ignore_conflicts=True)
    held = UserAsset.objects.filter(asset__lineage__in=set(lineages.values()))
    by_holder: dict[str, list[Offer]] = defaultdict(list)
    for offer in wished_offers(held):
        if offer.version.pk in lineages:
            by_holder[holder_key(offer.grant)].append(offer)
    return sum(_tell(holder, offers) for holder, offers in by_holder.items())


def new_versions_sweep() -> int:
    """Tell what was published and whose task was lost; how many letters were written.

    Of two days everything, and of all time what somebody may fetch who asked and does not know: their
    files may have been closed when it was published, by a dispute that was won since.
    """
    untold = DigitalAsset.objects.filter(Exists(_untold()), replaces__isnull=False)
    pages = ProductPage.objects.live().filter(
        Q(
            last_published_at__gte=timezone.now() - SWEPT,
            tracks__files__asset__replaces__isnull=False,
        )
        | Q(tracks__files__asset__in=untold.order_by().values("pk"))
    )
    page_ids = list(pages.order_by().values_list("pk", flat=True).distinct())
    return sum(new_versions_tell(page_id=page_id) for page_id in page_ids)


def _untold() -> QuerySet[UserAsset]:
    """For a subquery on versions: open copies of others in its lineage whose holders wait for word."""
    copy = {"order_item": OuterRef("order_item"), "seat": OuterRef("seat")}
    known = UpdateNotice.objects.filter(
        Q(letter=None) | ~Q(letter__status=OutboxMail.Status.SKIPPED),
        asset=OuterRef(OuterRef("pk")),
        **copy,
    )
    standing = Revocation.objects.filter(grant=OuterRef("pk"), lifted_at=None)
    return (
        UserAsset.objects.filter(
            Exists(UpdateWish.objects.filter(**copy).order_by()),
            ~Exists(known.order_by()),
            ~Exists(standing.order_by()),
            asset__lineage=OuterRef("lineage"),
        )
        .exclude(asset=OuterRef("pk"))
        .order_by()
    )


@transaction.atomic
def _tell(holder: str, offers: Sequence[Offer]) -> bool:
    """One letter about what this holder may fetch and does not know; False when there is nothing."""
    to_tell = {offer.version.pk for offer in offers if offer.is_open}
    offers = [offer for offer in offers if offer.version.pk in to_tell]
    won = _claim(offers)
    fresh = to_tell - {offer.version.pk for offer in offers if _pair(offer) not in won}
    _revive({_pair(offer) for offer in offers} - set(won))
    if not fresh:
        return False
    mail = mail_queue(
        kind=NEW_VERSION,
        fact=f"{min(fresh)}:{holder}",
        order=None,
        to_email=holder_email(offers[0].grant),
    )
    notices = [notice_id for (_, asset_id), notice_id in won.items() if asset_id in fresh]
    UpdateNotice.objects.filter(pk__in=notices).update(letter=mail)
    return True


Pair = tuple[Copy, uuid.UUID]


def _pair(offer: Offer) -> Pair:
    return offer.copy, offer.version.pk


def _claim(offers: Sequence[Offer]) -> dict[Pair, uuid.UUID]:
    """Write down that each copy's holder knows; return what was new, by this call and no other.

    Sorted, so that two at once wait for each other and never in a circle.
    """
    pairs = sorted({_pair(offer): offer for offer in offers}.items(), key=lambda entry: entry[0])
    notices = [_notice(offer.copy, offer.version) for _, offer in pairs]
    UpdateNotice.objects.bulk_create(notices, ignore_conflicts=True)
    mine = UpdateNotice.objects.filter(pk__in=[notice.pk for notice in notices])
    rows = mine.values_list("order_item", "seat", "asset", "pk")
    return {((item_id, seat), asset_id): pk for item_id, seat, asset_id, pk in rows}


def _revive(known: Collection[Pair]) -> None:
    """A letter that was skipped, because the version was taken from sale meanwhile, goes out after all."""
    if not known:
        return
    notices = UpdateNotice.objects.filter(
        copies_among({copy for copy, _ in known}), asset__in={asset_id for _, asset_id in known}
    )
    skipped = OutboxMail.objects.filter(
        pk__in=notices.values("letter"), status=OutboxMail.Status.SKIPPED
    )
    for mail_id in list(skipped.values_list("pk", flat=True)):
        again = OutboxMail.objects.filter(pk=mail_id, status=OutboxMail.Status.SKIPPED)
        if again.update(status=OutboxMail.Status.QUEUED, next_attempt_at=timezone.now()):
            _send_soon(mail_id)


def _send_soon(mail_id: int) -> None:
    """After commit. Robust, as when it was queued; for which Django needs a function with a name."""
    transaction.on_commit(lambda: mail_send_task.enqueue(mail_id), robust=True)


def _notice(copy: Copy, version: DigitalAsset) -> UpdateNotice:
    order_item_id, seat = copy
    return UpdateNotice(order_item_id=order_item_id, seat=seat, asset=version)
