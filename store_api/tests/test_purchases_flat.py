"""The list of purchases costs the same, however many there are."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from catalog_pages.models import DigitalAsset, ProductPage
from downloads.models import UserAsset
from orders.models import Order, OrderItem
from orders.services.purchases import held_lines
from store_api.tests.calling import Caller, app_of
from tests.factories import make_asset, make_product, make_user

pytestmark = pytest.mark.django_db


def own_many(user: Any, count: int, product: ProductPage, *assets: DigitalAsset) -> None:
    """So many paid orders of one line each, written at once."""
    orders = Order.objects.bulk_create(
        Order(
            user=user,
            email=user.email,
            status="paid",
            currency="GBP",
            subtotal_pennies=499,
            total_pennies=499,
            cart_fingerprint=uuid.uuid4().hex,
            paid_at=user.date_joined,
        )
        for _ in range(count)
    )
    items = OrderItem.objects.bulk_create(
        OrderItem(
            order=order,
            product=product,
            position=1,
            title=product.title,
            list_price_pennies=499,
            unit_price_pennies=499,
            quantity=1,
            total_pennies=499,
        )
        for order in orders
    )
    UserAsset.objects.bulk_create(
        UserAsset(user=user, order_item=item, asset=asset, title="Part", position=place)
        for item in items
        for place, asset in enumerate(assets, start=1)
    )


def pages_of(caller: Caller, path: str) -> Iterator[list[int]]:
    while path:
        body = caller("get", path).json()
        yield [purchase["id"] for purchase in body["results"]]
        path = (body["next"] or "").partition("/api/v1/")[2]


@pytest.fixture
def product() -> ProductPage:
    return make_product(assets=[make_asset()])


def test_a_thousand_purchases_take_no_more_queries_than_ten(product: ProductPage) -> None:
    few, many = make_user(), make_user()
    assets = [make_asset(), make_asset()]
    own_many(few, 10, product, *assets)
    own_many(many, 1000, product, *assets)
    apps = [app_of(user) for user in (few, many)]
    apps[0]("get", "purchases/")  # what the first request of a process looks up is no matter here

    costs = []
    for app in apps:
        with CaptureQueriesContext(connection) as queries:
            answer = app("get", "purchases/?page_size=10")
        assert len(answer.json()["results"]) == 10
        costs.append(len(queries))

    assert costs[0] == costs[1]
    assert costs[0] <= 14


def test_parts_of_the_list_join_without_gap_newest_first(product: ProductPage) -> None:
    user = make_user()
    own_many(user, 25, product, make_asset(), make_asset())

    pages = list(pages_of(app_of(user), "purchases/?page_size=10"))

    lines = list(OrderItem.objects.order_by("-pk").values_list("pk", flat=True))
    assert [len(page) for page in pages] == [10, 10, 5]
    assert [pk for page in pages for pk in page] == lines


def test_the_way_back_shows_the_same(product: ProductPage) -> None:
    user = make_user()
    own_many(user, 6, product, make_asset())
    app = app_of(user)
    first = app("get", "purchases/?page_size=3").json()
    second = app("get", first["next"].partition("/api/v1/")[2]).json()

    back = app("get", second["previous"].partition("/api/v1/")[2]).json()

    assert back["results"] == first["results"]


@pytest.mark.parametrize(
    "cursor", ["junk", "cD1qdW5r", "cD05OTk5OTk5OTk5OTk5OTk5OTk5OTk5OQ==", "cD0tMQ=="]
)
def test_a_cursor_that_is_none_is_not_found(cursor: str) -> None:
    answer = app_of(make_user())("get", f"purchases/?cursor={cursor}")

    assert (answer.status_code, answer.json()["code"]) == (404, "cursor_unknown")


@pytest.mark.wide
def test_the_lines_of_an_account_are_read_in_order_and_never_sorted(product: ProductPage) -> None:
    """By the index that is made for it, and no more of it than the page needs."""
    user, other = make_user(), make_user()
    own_many(other, 3000, product, make_asset())
    own_many(user, 100, product, make_asset())
    first = held_lines(UserAsset.objects.filter(user=user))
    last = first[50]["order_item_id"]

    for lines in (first[:21], first.filter(order_item_id__lt=last)[:21]):
        plan = plan_of(lines)
        assert "grant_by_user_and_line" in plan, plan
        assert "TEMP B-TREE" not in plan
        assert "Sort" not in plan
        assert "Hash" not in plan


def plan_of(lines: QuerySet[Any, Any]) -> str:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE downloads_userasset")
    return str(lines.explain())
