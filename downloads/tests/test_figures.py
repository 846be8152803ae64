"""How many downloads counted, by day: kept for days that are over, and never too late to be put right."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import override_settings
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from catalog_pages.shop_days import ONE_DAY, bounds, day_of, days_between, today
from downloads.counting import downloads_give_back
from downloads.figures import downloads_by_day, downloads_settle
from downloads.models import Download, DownloadDay, UserAsset
from downloads.tests.desk import fetched
from tests.factories import buy, make_product, make_user

pytestmark = pytest.mark.django_db

ZONES = ["UTC", "Europe/London", "Australia/Lord_Howe", "Africa/Cairo", "Pacific/Apia"]


def grants(client: Any, number: int) -> list[UserAsset]:
    return [
        buy(client, make_user(), make_product()).items.get().grants.get() for _ in range(number)
    ]


def test_downloads_are_counted_once_on_the_day_on_which_they_came_to_count(client: Any) -> None:
    two = grants(client, 2)
    now = timezone.now()

    @hypothesis_settings(
        max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(
        st.sampled_from(ZONES),
        st.lists(st.tuples(st.integers(0, 1), st.integers(0, 40 * 96)), max_size=12),
        st.integers(0, 12),
    )
    def holds(zone: str, counted: list[tuple[int, int]], settled_after: int) -> None:
        Download.objects.all().delete()
        DownloadDay.objects.all().delete()
        expected: Counter[Any] = Counter()
        with override_settings(TIME_ZONE=zone):
            for place, (number, quarters) in enumerate(counted):
                at = now - timedelta(minutes=15 * quarters)
                fetched(two[number], counted_at=at)
                fetched(two[number], counted=False)
                expected[number, at.astimezone(ZoneInfo(zone)).date()] += 1
                if place == settled_after:
                    DownloadDay.objects.all().delete()
            assert downloads_settle()
            for product, numbers in ((None, (0, 1)), (0, (0,)), (1, (1,))):
                chosen = None if product is None else [two[product].order_item.product_id]
                found = downloads_by_day(
                    first=today() - 50 * ONE_DAY, last=today(), product_ids=chosen
                )
                wanted = Counter()
                for (number, day), times in expected.items():
                    if number in numbers:
                        wanted[day] += times
                assert dict(found) == dict(wanted)

    holds()


def test_what_is_given_back_counts_no_more_on_a_day_that_was_added_up(client: Any) -> None:
    [grant] = grants(client, 1)
    at = timezone.now() - timedelta(days=5)
    fetched(grant, 2, counted_at=at, counted_by_link=True)
    downloads_settle()
    assert downloads_by_day(first=day_of(at), last=today()) == {day_of(at): 2}

    downloads_give_back(since=at - timedelta(hours=1))
    downloads_settle()

    assert downloads_by_day(first=day_of(at), last=today()) == {}


def test_days_are_settled_newest_first_and_some_at_a_time(client: Any) -> None:
    [grant] = grants(client, 1)
    fetched(grant, counted_at=timezone.now() - timedelta(days=10))

    assert downloads_settle(days=2) is False
    assert DownloadDay.objects.count() == 2
    assert downloads_settle() is True
    assert downloads_settle(days=0) is True


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/London", date(2024, 3, 31), 23),
        ("Europe/London", date(2024, 10, 27), 25),
        ("Australia/Lord_Howe", date(2024, 10, 6), 23.5),
        ("Africa/Cairo", date(2024, 10, 31), 25),
        ("America/Sao_Paulo", date(2018, 11, 4), 23),
        ("Pacific/Apia", date(2011, 12, 30), 0),
    ],
)
def test_days_are_as_long_as_the_calendar_makes_them(zone: str, day: Any, hours: float) -> None:
    with override_settings(TIME_ZONE=zone):
        start, end = bounds(day)

        assert (end - start) == timedelta(hours=hours)
        for moment in (start, end - timedelta(microseconds=1)):
            assert not hours or day_of(moment) == day


@given(
    st.sampled_from([*ZONES, "America/Sao_Paulo", "America/Havana", "Asia/Kathmandu"]),
    st.datetimes(datetime(2000, 1, 1), datetime(2035, 1, 1)),  # noqa: DTZ001  # made UTC below
)
def test_every_moment_is_within_the_bounds_of_its_day(zone: str, moment: datetime) -> None:
    moment = moment.replace(tzinfo=UTC)
    with override_settings(TIME_ZONE=zone):
        start, end = bounds(day_of(moment))
        days = list(days_between(day_of(moment) - ONE_DAY, day_of(moment) + ONE_DAY))

        assert start <= moment < end
        assert [bounds(day)[1] for day in days[:2]] == [bounds(day)[0] for day in days[1:]]
