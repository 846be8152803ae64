"""How many downloads counted, by day of the shop's calendar: logical ones, however many requests each took.

Days that are over for good are added up once and kept; the last few are counted anew each time. A download
that is given back makes its day be added up again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import date, datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Min, Q, QuerySet

from catalog_pages.shop_days import ONE_DAY, bounds, day_of, days_between, today
from downloads.models import Download, DownloadDay

# No transaction that counted something lasts so long that it would come too late for its day.
UNSETTLED_DAYS = 2


def downloads_by_day(
    *, first: date, last: date, product_ids: Collection[int] | None = None
) -> Mapping[date, int]:
    """How many counted on each of these days; those without any are left out.

    `product_ids`: of lines of these products alone. Days that `downloads_settle` has not added up yet
    are missing, but for the last few. Three queries at most.
    """
    found: Counter[date] = Counter()
    kept = _settled(first, last)
    wanted = (
        kept.filter(product=None) if product_ids is None else kept.filter(product__in=product_ids)
    )
    for day, downloads in wanted.values_list("day", "downloads"):
        found[day] += downloads
    recent = list(days_between(max(first, _unsettled_from()), last))
    if recent:
        found.update(_counted(recent, product_ids))
    return {day: number for day, number in found.items() if number}


def downloads_settle(
    *, first: date | None = None, last: date | None = None, days: int | None = None
) -> bool:
    """Add up days that are over, the newest first, at most so many; True when none is left."""
    earliest = Download.objects.filter(counted_at__isnull=False).aggregate(at=Min("counted_at"))[
        "at"
    ]
    if earliest is None:
        return True
    begin = max(first or date.min, day_of(earliest))
    end = min(last or date.max, _unsettled_from() - ONE_DAY)
    if begin > end:
        return True
    done = set(_settled(begin, end).filter(product=None).values_list("day", flat=True))
    waiting = [day for day in days_between(begin, end) if day not in done]
    for day in reversed(waiting[-days:] if days is not None else waiting):
        _settle(day)
    return days is None or len(waiting) <= days


def days_forget(*, since: datetime) -> None:
    """Something that counted since then counts no more: its days are to be added up again."""
    DownloadDay.objects.filter(day__gte=since.date() - ONE_DAY).delete()


def _unsettled_from() -> date:
    return today() - UNSETTLED_DAYS * ONE_DAY


def _settled(first: date, last: date) -> QuerySet[DownloadDay]:
    return DownloadDay.objects.filter(
        time_zone=settings.TIME_ZONE, day__gte=first, day__lte=last
    ).order_by()


@transaction.atomic
def _settle(day: date) -> None:
    counted = Download.objects.filter(_on(day)).order_by()
    by_product = counted.values_list("grant__order_item__product").annotate(Count("pk"))
    numbers: dict[int | None, int] = dict(by_product)
    numbers[None] = sum(numbers.values())
    DownloadDay.objects.bulk_create(
        (
            DownloadDay(
                time_zone=settings.TIME_ZONE, day=day, product_id=product_id, downloads=number
            )
            for product_id, number in numbers.items()
        ),
        ignore_conflicts=True,  # somebody else is adding up the same
    )


def _counted(days: list[date], product_ids: Collection[int] | None) -> Mapping[date, int]:
    """Straight from the rows, in one query."""
    start, end = bounds(days[0], days[-1])
    rows = Download.objects.filter(counted_at__gte=start, counted_at__lt=end)
    if product_ids is not None:
        rows = rows.filter(grant__order_item__product__in=product_ids)
    numbers = rows.aggregate(
        **{f"d{place}": Count("pk", filter=_on(day)) for place, day in enumerate(days)}
    )
    return {day: numbers[f"d{place}"] for place, day in enumerate(days)}


def _on(day: date) -> Q:
    start, end = bounds(day)
    return Q(counted_at__gte=start, counted_at__lt=end)
