"""Pages of a list: nothing twice, nothing left out, whatever is published or changes in between."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog_pages.models import CataloguePage, Genre, ProductPage
from store_api.pagination import ProductPagination
from tests.factories import make_product

pytestmark = [pytest.mark.django_db, pytest.mark.wide]
PRODUCTS = "/api/v1/products/"
ORDERINGS = list(ProductPagination.orderings)
TITLES = ["Zebra", "alpha", "Émigré", "Ärger", "水面", "Вода", "مد", "Alpha", "10", "9"]


def make_rows(count: int) -> None:
    """Many products, all alike but for their titles; nothing is delivered with them."""
    catalogue, pattern = CataloguePage.objects.get(), make_product("Pattern")
    for number in range(count):
        title, slug = f"Row {number:04}", f"row-{number}"
        page = ProductPage(title=title, slug=slug, artist=pattern.artist, live=False)
        catalogue.add_child(instance=page)
    ProductPage.objects.filter(slug__startswith="row-").update(
        live=True, first_published_at=pattern.first_published_at, price_pennies=499
    )


def walk(client: Client, path: str, *, way: str = "next") -> list[list[str]]:
    """The titles of every page from `path` on, and how often `way` leads on is bounded."""
    pages: list[list[str]] = []
    url: str | None = path
    while url and len(pages) < 100:
        body = client.get(url).json()
        pages.append([product["title"] for product in body["results"]])
        url = body[way]
    return pages


def flat(pages: list[list[str]]) -> list[str]:
    return [title for page in pages for title in page]


def last_page(client: Client, path: str) -> str:
    url = path
    while following := client.get(url).json()["next"]:
        url = following
    return url


@pytest.mark.parametrize("ordering", ORDERINGS)
def test_forth_and_back_is_the_same_way(client: Client, ordering: str) -> None:
    for number, title in enumerate(TITLES):
        make_product(title, slug=f"p{number}", price_pennies=100 * (number % 2))

    for size in (1, 3, 100):
        path = f"{PRODUCTS}?ordering={ordering}&page_size={size}"
        forth = walk(client, path)
        back = walk(client, last_page(client, path), way="previous")

        assert sorted(flat(forth)) == sorted(TITLES), size
        assert flat(back[::-1]) == flat(forth), size
        assert len(forth) == -(-len(TITLES) // size)


@pytest.mark.parametrize("ordering", ["price", "-price", "newest"])
def test_equal_ones_are_told_apart_by_their_number(client: Client, ordering: str) -> None:
    make_rows(30)

    titles = flat(walk(client, f"{PRODUCTS}?ordering={ordering}&page_size=7"))

    assert len(titles) == len(set(titles)) == 31


@pytest.mark.parametrize("ordering", ORDERINGS)
def test_what_is_published_meanwhile_shifts_no_page(client: Client, ordering: str) -> None:
    draft = make_product("Aardvark", live=False, price_pennies=499)
    titles = {make_product(f"Record {number}").title for number in range(6)}
    first = client.get(f"{PRODUCTS}?ordering={ordering}&page_size=2").json()

    draft.get_latest_revision().publish()
    make_product("Zymurgy")
    rest = flat(walk(client, first["next"]))

    seen = [product["title"] for product in first["results"]] + rest
    assert len(seen) == len(set(seen))
    assert titles <= set(seen)


@pytest.mark.parametrize("ordering", ORDERINGS)
def test_a_cursor_outlives_the_row_that_it_names(client: Client, ordering: str) -> None:
    for number in range(6):
        make_product(f"Record {number}", price_pennies=100 + number)
    first = client.get(f"{PRODUCTS}?ordering={ordering}&page_size=2").json()
    shown = [product["title"] for product in first["results"]]

    ProductPage.objects.get(title=shown[-1]).delete()
    rest = flat(walk(client, first["next"]))

    assert len(rest) == 4
    assert not set(shown) & set(rest)


def test_the_first_and_the_last_page_say_that_they_are(client: Client) -> None:
    for _ in range(4):
        make_product()

    first = client.get(f"{PRODUCTS}?page_size=2").json()
    second = client.get(first["next"]).json()
    first_again = client.get(second["previous"]).json()

    assert (first["previous"], second["next"]) == (None, None)
    assert first_again["results"] == first["results"]
    assert (first_again["previous"], first_again["next"]) == (None, first["next"])


@pytest.mark.parametrize("ordering", ORDERINGS)
@pytest.mark.parametrize("way", ["previous", "next"])
def test_whoever_comes_to_an_empty_page_gets_away_again(
    client: Client, ordering: str, way: str
) -> None:
    for number in range(4):
        make_product(f"Record {number}", price_pennies=100 + number)
    path = f"{PRODUCTS}?ordering={ordering}&page_size=2"
    first = client.get(path).json()
    second = client.get(first["next"]).json()
    link, gone, left = {
        "previous": (second["previous"], first["results"], second["results"]),
        "next": (first["next"], second["results"], first["results"]),
    }[way]
    ProductPage.objects.filter(pk__in=[row["id"] for row in gone]).update(live=False)

    empty = client.get(link).json()
    back = client.get(empty["next"] or empty["previous"]).json()

    assert (empty["results"], empty[way]) == ([], None)
    assert [row["id"] for row in back["results"]] == [row["id"] for row in left]
    assert (back["previous"], back["next"]) == (None, None)


def test_from_the_end_one_gets_back_to_the_beginning(client: Client) -> None:
    make_rows(5)
    path = f"{PRODUCTS}?page_size=2&ordering=title"
    cursor = cursor_of(["title", "pk"], 0, ["Row 9999", "1"])

    beyond = client.get(f"{path}&cursor={cursor}").json()
    pages = walk(client, beyond["previous"], way="previous")

    assert flat(pages[::-1]) == flat(walk(client, path))


def test_a_link_keeps_the_filters(client: Client) -> None:
    genre = Genre.objects.create(name="Dub")
    for _ in range(3):
        make_product(genre=genre)
        make_product()

    pages = walk(client, f"{PRODUCTS}?genre=dub&page_size=2&ordering=title")

    assert [len(page) for page in pages] == [2, 1]


def test_a_row_without_date_or_price_has_its_place(client: Client) -> None:
    for number in range(3):
        make_product(f"Record {number}")
    make_rows(3)
    ProductPage.objects.filter(slug__startswith="row-").update(
        release_date=None, price_pennies=None
    )

    for ordering in ORDERINGS:
        titles = flat(walk(client, f"{PRODUCTS}?ordering={ordering}&page_size=2"))
        assert len(titles) == len(set(titles)) == 7, ordering


def cursor_of(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


NEWEST = ["-released", "-pk"]
PRICE = ["price", "pk"]
ODD_CURSORS = [
    "", "junk", "%00", "cD0x", "=" * 300, "é", "a" * 5000, "W10", "e30", "bnVsbA", "MQ",
    cursor_of(NEWEST, 0, ["yesterday", "1"]),
    cursor_of(NEWEST, 0, ["9999-12-31T23:59:59-23:59", "1"]),
    cursor_of(NEWEST, 0, ["0000-12-31", "1"]),
    cursor_of(NEWEST, 0, ["10000-01-01", "1"]),
    cursor_of(NEWEST, 0, ["2026-02-30", "1"]),
    cursor_of(NEWEST, 0, ["2026-01-01", "one"]),
    cursor_of(NEWEST, 0, ["2026-01-01", "9" * 40]),
    cursor_of(NEWEST, 0, ["2026-01-01", "\u0000"]),
    cursor_of(NEWEST, 0, ["2026-01-01", "\ud800"]),
    cursor_of(NEWEST, 0, ["2026-01-01"]),
    cursor_of(NEWEST, 0, ["2026-01-01", None]),
    cursor_of(NEWEST, 0, ["2026-01-01", 1]),
    cursor_of(NEWEST, 2, ["2026-01-01", "1"]),
    cursor_of(NEWEST, [], ["2026-01-01", "1"]),
    cursor_of(NEWEST, 0, "12"),
    cursor_of(NEWEST, 0, []),
    cursor_of(NEWEST, 1, {}),
    cursor_of(NEWEST, 1, ""),
    cursor_of(NEWEST, 0, ["", ""]),
    cursor_of(["live_revision__content", "-pk"], 0, ["1", "1"]),
    cursor_of(PRICE, 0, ["1", "1"]),
    cursor_of({}, 0, []),
    cursor_of([[]], 0, [[]]),
    base64.urlsafe_b64encode(b"[" * 1400).decode(),
]  # fmt: skip


@pytest.mark.parametrize("cursor", ODD_CURSORS, ids=range(len(ODD_CURSORS)))
def test_a_cursor_that_is_none_of_this_list_is_not_found(client: Client, cursor: str) -> None:
    make_product()

    answer = client.get(PRODUCTS, {"cursor": cursor})

    assert (answer.status_code, answer.json()["code"]) == (404, "cursor_unknown")


def test_a_cursor_of_another_order_is_not_found(client: Client) -> None:
    for _ in range(2):
        make_product()
    following = client.get(f"{PRODUCTS}?ordering=price&page_size=1").json()["next"]

    answer = client.get(following.replace("ordering=price", "ordering=-price"))

    assert answer.status_code == 404


@pytest.mark.parametrize("cursor", [cursor_of(PRICE, 0, [str(2**63 - 1), "1"])])
def test_the_largest_numbers_are_values_like_others(client: Client, cursor: str) -> None:
    make_product()

    answer = client.get(PRODUCTS, {"cursor": cursor, "ordering": "price"})

    assert answer.json()["results"] == []


@pytest.mark.parametrize("size", ["0", "101", "-1", "1.5", "one", "", "٣", "9" * 40, "\0", "1e1"])
def test_a_size_out_of_range_is_refused_by_name(client: Client, size: str) -> None:
    answer = client.get(PRODUCTS, {"page_size": size})

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["page_size"]


@pytest.mark.parametrize(("size", "shown"), [("1", 1), ("100", 3), (None, 3)])
def test_a_size_within_range_is_kept_to(client: Client, size: str | None, shown: int) -> None:
    for _ in range(3):
        make_product()

    answer = client.get(PRODUCTS, {"page_size": size} if size else {})

    assert len(answer.json()["results"]) == shown


def test_a_page_far_back_costs_one_query_like_the_first(client: Client) -> None:
    make_rows(12)
    url = last_page(client, f"{PRODUCTS}?page_size=2")

    with CaptureQueriesContext(connection) as captured:
        client.get(f"{url}&free=false")

    assert not any("OFFSET" in query["sql"] for query in captured.captured_queries)
    assert sum("LIMIT 3" in query["sql"] for query in captured.captured_queries) == 1
