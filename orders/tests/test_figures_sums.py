"""What the report says is what somebody finds who adds up every order and refund by hand."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.db import connection, transaction
from django.test import override_settings
from django.urls import reverse
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from catalog_pages.models import Artist
from catalog_pages.money import currency, format_money
from orders.models import FiguresChange, FiguresDay
from orders.services.figures import figures_refresh
from orders.services.figures.asking import BY_COPIES, BY_NET, Asked
from orders.services.figures.periods import DAY, MONTH, WEEK, Period
from orders.services.figures.report import CurrencyFigures, figures
from orders.tests.desk import staff_client
from orders.tests.figures_world import (
    CHANGES,
    LANDS,
    NAMES,
    Line,
    Sale,
    added_up,
    fail_later,
    sales,
    write,
)
from tests.factories import make_product

pytestmark = [pytest.mark.django_db, pytest.mark.wide]


@st.composite
def questions(draw: Any) -> Any:
    zone, around = draw(st.sampled_from(CHANGES))
    first = around + timedelta(days=draw(st.integers(-6, 4)))
    period = Period(first, first + timedelta(days=draw(st.integers(0, 9))))
    asked = Asked(
        period=period,
        grouping=draw(st.sampled_from([DAY, WEEK, MONTH])),
        currency=draw(st.sampled_from(["", "", *NAMES])),
        country=draw(st.sampled_from([None, None, *LANDS])),
        product_id=draw(st.none() | st.integers(0, 3)),
        artist_id=draw(st.none() | st.integers(0, 1)),
        top=draw(st.sampled_from([BY_NET, BY_COPIES])),
    )
    return (
        zone,
        asked,
        draw(st.lists(sales(around), min_size=1, max_size=6)),
        draw(st.integers(0, 6)),
    )


def everything(sold: list[Any]) -> Asked:
    """All that happened, unfiltered."""
    begun = sorted(sale.begun.date() for sale in sold)
    period = Period(begun[0] - timedelta(days=2), begun[-1] + timedelta(days=15))
    return Asked(period=period, grouping=WEEK)


def own(sums: Any) -> Counter[str]:
    return Counter({name: value for name, value in asdict(sums).items() if value})


def compare(written: list[Any], asked: Asked, zone: str, products: list[Any], answer: Any) -> None:
    chosen = None
    if asked.is_of_products:
        chosen = {
            number
            for number, product in enumerate(products)
            if asked.product_id in (None, product.pk)
            and asked.artist_id in (None, product.artist_id)
        }

    def expect(period: Period, of: Any = chosen) -> dict[str, Counter[str]]:
        found = added_up(written, asked, zone, period.first, period.last, of=of)
        return {code: +sums for code, sums in found.items() if +sums}

    now, before = expect(asked.period), expect(asked.period.before())
    by_code = {one.code: one for one in answer.currencies}
    assert set(by_code) == set(now) | set(before)
    for code, one in by_code.items():
        assert own(one.now) == now.get(code, Counter())
        assert own(one.before) == before.get(code, Counter())
        for part in one.parts:
            assert own(part.sums) == expect(part.period).get(code, Counter())
        compare_ranks(one, asked, expect, products, chosen)


def compare_ranks(
    one: CurrencyFigures, asked: Asked, expect: Any, products: list[Any], chosen: Any
) -> None:
    numbers = range(len(products)) if chosen is None else sorted(chosen)
    wanted = {
        products[number].pk: sums
        for number in numbers
        if (sums := expect(asked.period, {number}).get(one.code))
    }
    shown = {row.key: own(row.sums) for row in one.products}
    assert {key: sums for key, sums in shown.items() if sums} == wanted
    rank = [row.sums.net if asked.top == BY_NET else row.sums.copies for row in one.products]
    assert rank == sorted(rank, reverse=True)
    for row in one.artists:
        theirs = {number for number in numbers if products[number].artist_id == row.key}
        assert own(row.sums) == expect(asked.period, theirs).get(one.code, Counter())
    countries = Counter()
    for row in one.countries:
        countries.update(own(row.sums))
    countries.update({"begun": one.now.begun, "begun_paid": one.now.begun_paid})
    assert +countries == own(one.now)


def test_figures_are_sums_over_orders_refunds_and_disputes_on_every_calendar() -> None:
    artists = [Artist.objects.create(name=name) for name in ("The Sea Wall", "Low Tide")]
    products = [make_product(artist=artists[number % 2], live=False) for number in range(4)]

    @hypothesis_settings(
        max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(questions())
    def holds(question: Any) -> None:
        zone, asked, sold, looked_after = question
        asked = Asked(
            **{
                **vars(asked),
                "product_id": None if asked.product_id is None else products[asked.product_id].pk,
                "artist_id": None if asked.artist_id is None else artists[asked.artist_id].pk,
            }
        )
        with override_settings(TIME_ZONE=zone), transaction.atomic():
            # Somebody looks in between: what was added up then is not what counts in the end.
            written = [write(sale, products) for sale in sold[:looked_after]]
            figures_refresh()
            written += [write(sale, products) for sale in sold[looked_after:]]
            for one in written:
                fail_later(one)
            for question in (asked, everything(sold)):
                answer = figures(question)
                assert answer.is_complete
                compare(written, question, zone, products, answer)
            transaction.set_rollback(True)

    holds()


def test_the_page_and_its_spreadsheet_show_those_very_numbers() -> None:
    products = [make_product(live=False) for _ in range(4)]
    visitor = staff_client("orders.view_figures")

    @hypothesis_settings(
        max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(questions())
    def holds(question: Any) -> None:
        zone, asked, sold, _ = question
        asked = Asked(period=asked.period, grouping=asked.grouping)
        query = {
            "period": "custom",
            "first": asked.period.first.isoformat(),
            "last": asked.period.last.isoformat(),
            "grouping": asked.grouping,
        }
        with override_settings(TIME_ZONE=zone), transaction.atomic():
            written = [write(sale, products) for sale in sold]
            page = BeautifulSoup(visitor.get(reverse("figures"), query).content, "html.parser")
            sheet = spreadsheet(visitor.get(reverse("figures"), {**query, "export": "csv"}))
            for place, part in enumerate(asked.period.cut(asked.grouping)):
                expected = added_up(written, asked, zone, part.first, part.last)
                for table in page.select("[data-table^=series-]"):
                    code = table["data-table"].removeprefix("series-")
                    cells = table.select("tbody tr")[place].select("td")
                    assert [cell.text for cell in cells] == in_words(expected[code], code)
                    assert {"Currency": code, **as_typed(expected[code], code)}.items() <= sheet[
                        code, part.first.isoformat()
                    ].items()
            transaction.set_rollback(True)

    holds()


def in_words(sums: Counter[str], code: str) -> list[str]:
    net = sums["revenue"] - sums["refunds"] - sums["lost"]
    amounts = (sums["revenue"], sums["refunds"], sums["lost"], net, sums["tax"])
    numbers = ("orders", "free_orders", "copies", "begun", "begun_paid")
    return [*(format_money(one, code) for one in amounts), *(str(sums[name]) for name in numbers)]


def as_typed(sums: Counter[str], code: str) -> dict[str, str]:
    digits = currency(code).digits
    names = {"Revenue": "revenue", "Refunds": "refunds", "Lost disputes": "lost", "Tax": "tax"}
    return {
        heading: f"{Decimal(sums[name]) / 10**digits:.{digits}f}" for heading, name in names.items()
    }


def spreadsheet(response: Any) -> dict[tuple[str, str], dict[str, str]]:
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return {(row["Currency"], row["From"]): row for row in csv.DictReader(io.StringIO(text))}


def test_a_sale_that_arrives_while_its_day_is_added_up_is_counted_the_next_time() -> None:
    product = make_product(live=False)
    at = datetime(2024, 5, 1, 12, tzinfo=UTC)
    lines = [Line(0, 500, 1, 0, 0)]
    write(Sale(at, at, "GBP", "GB", "none", lines, None), [product])
    came = []

    def meanwhile(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        if "SUM" in sql and "captured_pennies" in sql and not came:  # the payments were just read
            came.append(sql)
            write(Sale(at, at, "GBP", "GB", "none", lines, None), [product])
        return result

    with connection.execute_wrapper(meanwhile):
        figures_refresh(days=1)
    assert came
    assert figures_refresh()

    assert FiguresDay.objects.get(country="GB").revenue_pennies == 1000


def test_all_marks_are_gone_once_everything_is_added_up() -> None:
    FiguresChange.objects.all().delete()
    assert figures_refresh()
    assert not FiguresChange.objects.exists()
