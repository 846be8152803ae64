"""The report in the admin: who may see it, what it says, how it answers strange questions."""

from __future__ import annotations

import csv
import io
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from catalog_pages.models import Artist
from catalog_pages.shop_days import day_of
from orders.models import FiguresChange, FiguresDay, Payment, Refund
from orders.services.figures import figures_refresh, report
from orders.services.free_copies import free_copy_issue
from orders.services.refunds import refund_request
from orders.stripe_sandbox import actions, controls
from orders.tests.desk import client_of, desk_client, staff_client, text_of
from tests.factories import buy, make_editor, make_product, make_user, session_id_of, start_checkout

pytestmark = pytest.mark.django_db
SEE = "orders.view_figures"


def page(client: Client, **query: Any) -> Any:
    return client.get(reverse("figures"), query)


def rows(response: Any) -> list[dict[str, str]]:
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def give_back(order: Any, pennies: int | None = None) -> Refund:
    return refund_request(
        refund_id=uuid.uuid4(),
        payment=order.payments.get(),
        by=None,
        reason="",
        amount_pennies=pennies,
    )


def test_nobody_sees_figures_without_the_right(client: Client) -> None:
    for visitor in (staff_client(), desk_client()):
        response = page(visitor)
        home = visitor.get("/admin/")

        assert response.status_code == 302
        assert "The last 30 days" not in text_of(home)
        assert reverse("figures") not in home.content.decode()
    assert client.get(reverse("figures")).status_code == 302


def test_home_asks_the_database_for_no_figures_without_the_right() -> None:
    visitor = staff_client()
    visitor.get("/admin/")

    with CaptureQueriesContext(connection) as queries:
        visitor.get("/admin/")

    assert not [
        query
        for query in queries
        if "figures" in query["sql"].lower() and 'FROM "orders_' in query["sql"]
    ]


def test_what_was_sold_and_refunded_is_on_the_page_and_at_home(client: Client) -> None:
    ada, record = make_user(), make_product("Harbour", price_pennies=1000)
    order = buy(client, ada, record)
    buy(client, make_user(), record, make_product("Low tide", price_pennies=500))
    give_back(order, 250)
    visitor = staff_client(SEE)

    text = text_of(page(visitor))
    home = text_of(visitor.get("/admin/"))

    for shown in (text, home):
        assert "Net revenue £22.50 before: £0.00, up from nothing" in shown
        assert "Revenue £25.00" in shown
        assert "Refunds £2.50" in shown
        assert "Orders 2" in shown
    assert "Average order £12.50" in text
    assert "Paid of what was begun 100.0%" in text
    assert "Harbour £17.50 £20.00 £2.50 2" in text
    assert "Low tide £5.00 £5.00 £0.00 1" in text
    assert "United Kingdom £22.50" in text


def test_an_order_that_was_begun_and_not_paid_counts_as_that(client: Client) -> None:
    buy(client, make_user(), make_product())
    start_checkout(make_user(), make_product())

    text = text_of(page(staff_client(SEE)))

    assert "Paid of what was begun 50.0%" in text
    assert "1 of the 2 orders begun in this period are paid." in text


def test_a_lost_dispute_takes_revenue_and_a_won_one_does_not(client: Client) -> None:
    for outcome in ("lost", "won"):
        order = buy(client, make_user(), make_product("Harbour", price_pennies=400))
        figures_refresh()
        dispute = actions.open_dispute(session_id_of(order))
        actions.close_dispute(dispute["id"], outcome=outcome)
        controls.deliver_all(controls.through(client))

    text = text_of(page(staff_client(SEE)))

    assert "Net revenue £4.00" in text
    assert "Lost disputes £4.00" in text


@pytest.mark.wide
def test_a_refund_that_the_bank_sends_back_counts_no_more(client: Client) -> None:
    order = buy(client, make_user(), make_product(price_pennies=400))
    refund = give_back(order)
    visitor = staff_client(SEE)
    assert "Net revenue £0.00" in text_of(page(visitor))

    actions.fail_refund(refund.stripe_refund_id)
    controls.deliver_all(controls.through(client))

    assert "Net revenue £4.00" in text_of(page(visitor))


@pytest.mark.wide
def test_a_refund_of_the_whole_order_leaves_nothing_of_any_product(client: Client) -> None:
    records = [make_product(title, price_pennies=300) for title in ("One", "Two")]
    order = buy(client, make_user(), *records)
    first = order.items.first()
    refund_request(
        refund_id=uuid.uuid4(),
        payment=order.payments.get(),
        by=None,
        reason="",
        item_ids=[first.pk],
    )
    give_back(order)

    text = text_of(page(staff_client(SEE)))

    assert "One £0.00 £3.00 £3.00 1" in text
    assert "Two £0.00 £3.00 £3.00 1" in text


def test_free_orders_are_counted_apart(client: Client) -> None:
    buy(client, make_user(), make_product(price_pennies=0))

    text = text_of(page(staff_client(SEE)))

    assert "Orders 0 before: 0, no change And one with nothing to pay." in text
    assert "Average order –" in text


@pytest.mark.wide
def test_a_product_or_an_artist_is_looked_at_alone(client: Client) -> None:
    artist = Artist.objects.create(name="The Sea Wall")
    record = make_product("Harbour", price_pennies=700, artist=artist)
    buy(client, make_user(), record, make_product("Other", price_pennies=100))
    visitor = staff_client(SEE)

    for query in ({"product": record.pk}, {"artist": artist.pk}):
        text = text_of(page(visitor, **query))
        assert "Revenue £7.00" in text
        assert "Order lines 1" in text
        assert "Other" not in text


@pytest.mark.sampled(6)
@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"period": "custom"}, "Choose the day to begin with."),
        (
            {"period": "custom", "first": "2026-01-02", "last": "2026-01-01"},
            "the first one, or later",
        ),
        (
            {"period": "custom", "first": "0001-01-01", "last": "2026-01-01"},
            "from the year 2000 on",
        ),
        ({"period": "custom", "first": "2026-01-01", "last": "9999-12-31"}, "up to today"),
        ({"period": "custom", "first": "2000-01-01", "last": "2026-01-01"}, "at most five years"),
        ({"period": "custom", "first": "31/12/26", "last": "\x00"}, "such as 2026-05-31"),
        (
            {"period": "custom", "first": "2024-01-01", "last": "2025-12-31", "grouping": "day"},
            "By day",
        ),
        ({"period": "century"}, "Choose from the list."),
        ({"grouping": "hour"}, "Choose from the list."),
        ({"currency": "ABC"}, "Choose from the list."),
        ({"currency": "\x00"}, "Choose from the list."),
        ({"country": "Atlantis"}, "Choose from the list."),
        ({"top": "'; DROP TABLE"}, "Choose from the list."),
        ({"product": "999999999999"}, "There is no such thing."),
        ({"product": "9" * 40}, "There is no such thing."),
        ({"product": "\x00"}, "There is no such thing."),
        ({"artist": "somebody"}, "There is no such thing."),
    ],
)
def test_a_question_without_sense_is_answered_by_a_sentence(
    query: dict[str, str], sentence: str
) -> None:
    visitor = staff_client(SEE)

    for extra in ({}, {"export": "csv"}, {"export": "xlsx", "table": "products"}):
        response = page(visitor, **query, **extra)

        assert response.status_code == 200
        assert sentence in text_of(response)
        assert "Nothing is shown yet." in text_of(response)


@pytest.mark.sampled(5)
@pytest.mark.parametrize(
    "query",
    [
        {"period": "1"},
        {"period": "7", "grouping": "week"},
        {"period": "month"},
        {"period": "last_month"},
        {"period": "year", "grouping": "month", "top": "copies"},
        {"period": "30", "first": "nonsense", "last": "0001-01-01"},
        {"period": "custom", "first": "2000-01-01", "last": "2004-12-31"},
        {"currency": "KWD", "country": "unknown"},
        {"export": "pdf"},
        {"export": "csv", "table": "passwords"},
    ],
)
def test_every_choice_is_answered_in_an_empty_shop(query: dict[str, str]) -> None:
    response = page(staff_client(SEE), **query)

    assert response.status_code == 200
    assert "Nothing was sold in this period, nor in the one before." in text_of(response)


@pytest.mark.wide
def test_the_page_costs_the_same_queries_for_one_sale_and_for_many(client: Client) -> None:
    visitor = client_of(make_editor())

    def queries() -> int:
        figures_refresh()
        page(visitor)
        with CaptureQueriesContext(connection) as captured:
            page(visitor)
        return len(captured)

    buy(client, make_user(), make_product())
    for_one = queries()
    for number in range(12):
        artist = Artist.objects.create(name=f"Artist {number}")
        give_back(buy(client, make_user(), make_product(artist=artist)), 1)

    assert queries() == for_one


@pytest.mark.wide
def test_a_spreadsheet_is_whole_or_none(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "AT_ONCE", 1)
    buy(client, make_user(), make_product())
    figures_refresh()
    now = timezone.now()
    FiguresChange.objects.bulk_create(FiguresChange(at=now - timedelta(days=n)) for n in range(4))
    visitor = staff_client(SEE)

    answer = page(visitor, period="7", export="csv")

    assert answer["Content-Type"].startswith("text/html")
    assert "the spreadsheet would not be whole" in text_of(answer)
    figures_refresh()

    sold = [int(row["Orders"]) for row in rows(page(visitor, period="7", export="csv"))]
    assert sum(sold) == 1


def test_a_free_copy_of_staffs_was_begun_by_nobody(client: Client) -> None:
    start_checkout(make_user(), make_product())
    for number in range(2):
        free_copy_issue(
            copy_id=uuid.uuid4(),
            product=make_product(),
            email=f"pat{number}@example.com",
            reason="Because",
            by=None,
        )

    text = text_of(page(staff_client(SEE)))

    assert "Paid of what was begun 0.0%" in text
    assert "0 of the 1 orders begun in this period" in text
    assert "And 2 with nothing to pay." in text


@pytest.mark.wide
def test_the_spreadsheet_says_what_the_page_says(client: Client) -> None:
    order = buy(client, make_user(), make_product(price_pennies=1000))
    give_back(order, 333)
    visitor = staff_client(SEE)

    assert order.paid_at is not None
    day = day_of(order.paid_at).isoformat()
    chosen = {"period": "custom", "first": day, "last": day, "export": "csv"}

    series = rows(page(visitor, **chosen))
    products = rows(page(visitor, **chosen, table="products"))
    countries = rows(page(visitor, **chosen, table="countries"))

    assert [(row["Currency"], row["Revenue"], row["Refunds"], row["Net"]) for row in series] == [
        ("GBP", "10.00", "3.33", "6.67")
    ]
    assert series[0]["From"] == series[0]["To"] == day
    assert [(row["Net"], row["Copies"]) for row in products] == [("6.67", "1")]
    assert [row["Country"] for row in countries] == ["United Kingdom"]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("title", ["=cmd()", "+1", "-1", "@SUM(A1)", "\tx", " =1+1"])
def test_a_spreadsheet_calculates_nothing(client: Client, title: str) -> None:
    product = make_product("Harmless")
    buy(client, make_user(), product)
    type(product).objects.filter(pk=product.pk).update(title=title)
    visitor = staff_client(SEE)

    found = rows(page(visitor, export="csv", table="products"))
    answer = page(visitor, export="xlsx", table="products")
    sheet = load_workbook(io.BytesIO(b"".join(answer.streaming_content))).active

    assert found[0]["Product"] == f"'{title}"
    assert (sheet["A2"].value, sheet["A2"].data_type) == (f"'{title}", "s")
    assert sheet["C2"].value == 4.99


@pytest.mark.wide
def test_every_chart_has_a_name_a_description_and_a_table(client: Client) -> None:
    buy(client, make_user(), make_product(price_pennies=1000))

    body = page(staff_client(SEE)).content.decode()

    assert body.count("<svg viewBox") == body.count("<desc ") == 3
    assert body.count("<details") >= 2
    assert "figures-bar--up" in body
    assert "style=" not in body.split('class="figures"')[1].split("figures__meaning")[0]


def test_sales_of_two_currencies_are_never_added_together(client: Client) -> None:
    first = buy(client, make_user(), make_product(price_pennies=100))
    buy(client, make_user(), make_product(price_pennies=200))
    type(first).objects.filter(pk=first.pk).update(currency="EUR")
    Payment.objects.filter(order=first).update(currency="EUR")

    text = text_of(page(staff_client(SEE)))

    assert "Net revenue €1.00" in text
    assert "Net revenue £2.00" in text
    assert "3.00" not in text


def test_a_first_look_adds_up_what_was_there_before(client: Client) -> None:
    buy(client, make_user(), make_product(price_pennies=100))
    FiguresChange.objects.all().delete()  # as after an upgrade: orders, and no marks

    assert "Net revenue £1.00" in text_of(page(staff_client(SEE)))


@pytest.mark.wide
def test_a_page_says_that_days_are_still_being_added_up() -> None:
    figures_refresh()
    now = timezone.now()
    FiguresChange.objects.bulk_create(
        FiguresChange(at=now - timedelta(days=number)) for number in range(59)
    )
    visitor = staff_client(SEE)

    assert "still being added up" in text_of(page(visitor))
    assert "still being added up" not in text_of(page(visitor))


@pytest.mark.wide
def test_everything_can_be_worked_out_again(client: Client) -> None:
    buy(client, make_user(), make_product(price_pennies=100))
    figures_refresh()
    FiguresDay.objects.update(revenue_pennies=5)

    call_command("rebuild_figures", stdout=io.StringIO())

    assert FiguresDay.objects.get(country="GB").revenue_pennies == 100


@pytest.mark.wide
def test_another_time_zone_has_other_days(client: Client) -> None:
    order = buy(client, make_user(), make_product(price_pennies=100))
    late = datetime(2024, 5, 31, 23, 30, tzinfo=UTC)
    type(order).objects.filter(pk=order.pk).update(paid_at=late, created_at=late)
    Payment.objects.filter(order=order).update(paid_at=late)
    visitor = staff_client(SEE)

    def first_of_june() -> str:
        day = "2024-06-01"
        return text_of(page(visitor, period="custom", first=day, last=day))

    with override_settings(TIME_ZONE="Europe/London"):
        assert "Revenue £1.00 before: £0.00" in first_of_june()
    with override_settings(TIME_ZONE="UTC"):
        assert "Revenue £0.00 before: £1.00" in first_of_june()


@pytest.mark.wide
def test_the_country_is_the_one_that_stripe_told(client: Client) -> None:
    order = start_checkout(make_user(), make_product(price_pennies=100)).order
    actions.pay(session_id_of(order), country="DE")
    controls.deliver_all(controls.through(client))
    visitor = staff_client(SEE)

    assert Payment.objects.get(order=order).country == "DE"
    assert "Net revenue £1.00" in text_of(page(visitor, country="DE"))
    assert "Paid of what was begun" not in text_of(page(visitor, country="DE"))
    assert "Nothing was sold" in text_of(page(visitor, country="GB"))
