"""Days as the shop's own calendar has them: 23 or 25 hours long where clocks change, weeks from Monday."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from django.utils import timezone

ONE_DAY = timedelta(days=1)


def shop_zone() -> tzinfo:
    """TIME_ZONE, whichever zone the account of the one who looks is set to."""
    return timezone.get_default_timezone()


def day_of(moment: datetime) -> date:
    return moment.astimezone(shop_zone()).date()


def today() -> date:
    return day_of(timezone.now())


def bounds(first: date, last: date | None = None) -> tuple[datetime, datetime]:
    """From when to before when these days last, in UTC. A day that a zone left out has no length."""
    return _midnight(first), _midnight((last or first) + ONE_DAY)


def _midnight(day: date) -> datetime:
    local = datetime.combine(day, time.min, tzinfo=shop_zone())
    try:
        return local.astimezone(UTC)
    except OverflowError:  # the first day of all, which began a little before in UTC
        return datetime.min.replace(tzinfo=UTC)


def days_between(first: date, last: date) -> Iterator[date]:
    """Every day from `first` to `last`, both included."""
    for number in range((last - first).days + 1):
        yield first + number * ONE_DAY


def week_of(day: date) -> date:
    """Its Monday."""
    return day - day.weekday() * ONE_DAY


def month_of(day: date) -> date:
    return day.replace(day=1)
