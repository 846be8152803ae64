"""A period of whole days, cut into days, weeks from Monday, or months, and the period before it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from catalog_pages.shop_days import ONE_DAY, days_between, month_of, today, week_of

DAY, WEEK, MONTH = "day", "week", "month"
FIRST_DAY = date(2000, 1, 1)
MOST_DAYS = 5 * 366
MOST_BY_DAY = 400
STARTS = {DAY: lambda day: day, WEEK: week_of, MONTH: month_of}


@dataclass(frozen=True)
class Period:
    """From `first` to `last`, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def before(self) -> Period:
        """As many days, ending on the day before this one begins."""
        return Period(self.first - timedelta(days=self.days), self.first - ONE_DAY)

    def grouping(self) -> str:
        """By what it is best looked at."""
        return DAY if self.days <= 45 else WEEK if self.days <= 200 else MONTH

    def cut(self, grouping: str) -> list[Period]:
        """All parts in their order; the first and the last end where the period does."""
        starts: dict[date, list[date]] = {}
        for day in days_between(self.first, self.last):
            starts.setdefault(STARTS[grouping](day), []).append(day)
        return [Period(days[0], days[-1]) for days in starts.values()]


def last_days(number: int) -> Period:
    """So many days up to today, which counts as one."""
    return Period(today() - timedelta(days=number - 1), today())


def this_month() -> Period:
    return Period(month_of(today()), today())


def last_month() -> Period:
    last = month_of(today()) - ONE_DAY
    return Period(month_of(last), last)


def this_year() -> Period:
    return Period(today().replace(month=1, day=1), today())
