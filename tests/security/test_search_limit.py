"""Searches end for a script that makes them up, and for nobody who types, reads or shares a line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from catalog_pages.models import Genre, ShopSettings
from site_config import page_cache, search_limit
from tests.factories import make_product

pytestmark = pytest.mark.django_db
SUGGESTIONS = "/fragments/search/"


@pytest.fixture(autouse=True)
def a_small_limit(settings: Any) -> Iterator[None]:
    settings.SEARCH_LIMIT = 3
    settings.PAGE_CACHE_BYTES = settings.PIECES_BYTES = 1024 * 1024
    ShopSettings.load()
    yield
    page_cache.pages.clear()
    page_cache.made_up.clear()


def statuses(
    client: Client, address: str, count: int, *, first: int = 0, **extra: str
) -> list[int]:
    """Of searches that nobody has made before."""
    return [
        client.get(address, {"q": f"made up {n}"}, **extra).status_code
        for n in range(first, first + count)
    ]


@pytest.mark.parametrize("address", ["/catalog/", "/catalog/genres/dub/"])
def test_searches_that_are_made_up_end(client: Client, address: str) -> None:
    make_product(genre=Genre.objects.create(name="Dub", slug="dub"))

    assert statuses(client, address, 5) == [200, 200, 200, 429, 429]


def test_whoever_is_refused_reads_what_to_do(client: Client) -> None:
    statuses(client, "/catalog/", 3)

    refused = client.get("/catalog/?q=one+more")

    assert refused.status_code == 429
    assert refused["Retry-After"] == "50"
    assert refused["Cache-Control"] == "no-store"
    assert "Wait a minute, then search again" in refused.content.decode()
    assert 'href="/catalog/?q=one+more"' in refused.content.decode()


def test_a_search_that_is_kept_is_not_counted(client: Client) -> None:
    asked = [client.get("/catalog/?q=harbour").status_code for _ in range(9)]
    refused = statuses(client, "/catalog/", 3)

    assert asked == [200] * 9
    assert refused == [200, 200, 429]
    assert client.get("/catalog/?q=harbour").status_code == 200  # still kept, still theirs to read


def test_lists_and_pages_are_no_searches(client: Client) -> None:
    statuses(client, "/catalog/", 4)

    for address in (
        "/catalog/?sort=title",
        "/catalog/?page=1&q=",
        "/catalog/?q=%00+",
        "/",
        "/cart/",
    ):
        assert client.get(address).status_code == 200


def test_suggestions_are_counted_by_themselves_and_five_times_as_many(client: Client) -> None:
    assert statuses(client, SUGGESTIONS, 15) == [200] * 15
    refused = client.get(SUGGESTIONS, {"q": "one more"})

    assert (refused.status_code, refused["Retry-After"]) == (429, "50")
    assert refused.content.decode().startswith("That were many searches.")
    assert statuses(client, "/catalog/", 3) == [200] * 3


def test_the_usual_limit_lets_somebody_type_without_a_pause(client: Client, settings: Any) -> None:
    settings.SEARCH_LIMIT = 120
    most_in_a_minute = 60_000 // 200  # the field waits for 200 ms after each letter

    assert most_in_a_minute * 2 <= 120 * search_limit.SUGGESTIONS_SHARE


def test_each_network_has_its_own(client: Client) -> None:
    other, neighbour = "2001:db8:1:2::7", "2001:db8:1:2:ffff::8"

    assert statuses(client, "/catalog/", 4)[-1] == 429
    assert statuses(client, "/catalog/", 3, first=10, REMOTE_ADDR=other) == [200] * 3
    assert statuses(client, "/catalog/", 1, first=20, REMOTE_ADDR=neighbour) == [429]


@pytest.mark.parametrize(("trusted", "last"), [(0, 429), (1, 200)])
def test_a_proxys_word_for_who_asks_counts_only_where_it_is_trusted(
    client: Client, settings: Any, trusted: int, last: int
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = trusted

    answers = [
        client.get("/catalog/", {"q": f"from {n}"}, headers={"X-Forwarded-For": f"203.0.113.{n}"})
        for n in range(4)
    ]

    assert answers[-1].status_code == last


def test_nothing_is_counted_where_there_is_no_limit(client: Client, settings: Any) -> None:
    settings.SEARCH_LIMIT = 0
    cache.clear()

    assert statuses(client, "/catalog/", 9) == [200] * 9
