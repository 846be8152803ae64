"""What the buttons do: right, ledger and Wagtail's log in one transaction; pressed twice, once.

Each returns False, and writes nothing, when there is nothing left to do.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import ngettext

from downloads.admin import log
from downloads.counting import limit_reset
from downloads.grants import grant_give_back, grant_take_back, line_give_back, line_take_back
from downloads.locks import lock_grants
from downloads.models import AccessEvent, Download, UserAsset
from downloads.policy import limit_of


@transaction.atomic
def press_reset(*, grant: UserAsset, by: Any) -> bool:
    """Begin the limit anew, where there is one and something counts against it."""
    locked = lock_grants([grant.pk])[grant.pk]
    since = Q() if locked.counted_from is None else Q(counted_at__gt=locked.counted_from)
    counted = Download.objects.filter(since, grant=locked, counted_at__isnull=False)
    if limit_of(locked) is None or not (times := counted.count()):
        return False
    limit_reset(grant=locked, actor_id=by.pk)
    event = AccessEvent.objects.filter(grant=locked, kind=AccessEvent.Kind.LIMIT_RESET).latest("pk")
    words = ngettext("{times} download had counted", "{times} downloads had counted", times)
    comment = words.format(times=times)
    log.log_press(log.LIMIT_RESET, grant=locked, by=by, event=event, comment=comment)
    return True


@transaction.atomic
def press_line_reset(*, order_item_id: int, by: Any) -> int:
    """Begin the limits of a line's files anew; of how many, because nothing counted against others."""
    grants = UserAsset.objects.filter(order_item=order_item_id).order_by("pk")
    return sum(press_reset(grant=grant, by=by) for grant in grants)


@transaction.atomic
def press_line_take_back(*, order_item_id: int, by: Any, reason: str) -> int:
    """Take back all files of a line, each written down with the reason; how many that were."""
    events = line_take_back(order_item_id=order_item_id, actor_id=by.pk)
    for event in events:
        log.log_press(log.TAKE_BACK, grant=event.grant, by=by, event=event, comment=reason)
    return len(events)


@transaction.atomic
def press_line_give_back(*, order_item_id: int, by: Any) -> int:
    """Give back all files of a line that staff took; how many that were."""
    events = line_give_back(order_item_id=order_item_id, actor_id=by.pk)
    for event in events:
        log.log_press(log.GIVE_BACK, grant=event.grant, by=by, event=event, comment="")
    return len(events)


@transaction.atomic
def press_take_back(*, grant: UserAsset, by: Any, reason: str) -> bool:
    event = grant_take_back(grant_id=grant.pk, actor_id=by.pk)
    if event is not None:
        log.log_press(log.TAKE_BACK, grant=grant, by=by, event=event, comment=reason)
    return event is not None


@transaction.atomic
def press_give_back(*, grant: UserAsset, by: Any) -> bool:
    """Lift what staff did. Whatever else closes the grant stays."""
    event = grant_give_back(grant_id=grant.pk, actor_id=by.pk)
    if event is not None:
        log.log_press(log.GIVE_BACK, grant=grant, by=by, event=event, comment="")
    return event is not None
