"""Adding up the days that are marked."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Min

from catalog_pages.shop_days import bounds, day_of, days_between
from orders.locks import lock_figures
from orders.models import (
    Dispute,
    FiguresArtist,
    FiguresChange,
    FiguresDay,
    FiguresProduct,
    FiguresProductDay,
    FiguresState,
    Order,
    Payment,
    Refund,
)
from orders.services.figures.keeping import BATCH, drop, keep_day
from orders.services.figures.sums import sums_of

SUMS: tuple[Any, ...] = (FiguresDay, FiguresProductDay, FiguresProduct, FiguresArtist)
COUNTED_BY: tuple[tuple[Any, str], ...] = (
    (Order.objects, "created_at"),
    (Payment.objects, "paid_at"),
    (Refund.objects, "succeeded_at"),
    (Dispute.objects, "lost_at"),
)


def figures_refresh(
    *, first: date | None = None, last: date | None = None, days: int | None = None
) -> bool:
    """Add up marked days, the newest first, at most so many; True when none is left.

    `first` to `last`: those days alone. Each day is a transaction of its own, and the marks it deletes
    are deleted before its facts are read: a change that is not seen leaves its mark for the next time.
    """
    if not FiguresState.objects.filter(time_zone=settings.TIME_ZONE).exists():
        figures_start_over()
    done = 0
    while (day := _newest_marked(first, last)) is not None:
        if days is not None and done >= days:
            return False
        _add_up(day)
        done += 1
    return True


@transaction.atomic
def figures_start_over() -> None:
    """Forget every sum and mark every day from the first fact to the last: after an upgrade, or when
    TIME_ZONE is another. Nothing is lost, everything is computed."""
    state = lock_figures()
    for model in SUMS:
        drop(model.objects.all())
    ends = [rows.aggregate(Min(at), Max(at)).values() for rows, at in COUNTED_BY]
    known = [moment for pair in ends for moment in pair if moment is not None]
    if known:
        starts = (bounds(day)[0] for day in days_between(day_of(min(known)), day_of(max(known))))
        FiguresChange.objects.bulk_create((FiguresChange(at=at) for at in starts), BATCH)
    state.time_zone = settings.TIME_ZONE
    state.save()


def _newest_marked(first: date | None, last: date | None) -> date | None:
    marks = FiguresChange.objects.all()
    if first is not None:
        marks = marks.filter(at__gte=bounds(first)[0])
    if last is not None:
        marks = marks.filter(at__lt=bounds(last)[1])
    at = marks.order_by("-at").values_list("at", flat=True).first()
    return None if at is None else day_of(at)


@transaction.atomic
def _add_up(day: date) -> None:
    lock_figures()
    start, end = bounds(day)
    drop(FiguresChange.objects.filter(at__gte=start, at__lt=end))
    keep_day(day=day, sums=sums_of(day))
