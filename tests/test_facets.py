"""The catalogue narrowed by genre, artist, format, price and year, with how many there would be."""

from __future__ import annotations

from datetime import date
from html import unescape
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog_pages import facets
from catalog_pages.choice import KINDS, Choice, bands
from catalog_pages.listing import Listing
from catalog_pages.models import Artist, Genre, ProductPage
from catalog_pages.money import BY_CODE, display
from tests.factories import make_asset, make_bundle, make_product

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> dict[str, ProductPage]:
    """Two genres, two artists, two formats, four prices, two years; and a draft that counts nowhere."""
    dub, folk = (Genre.objects.create(name=name) for name in ("Dub", "Folk"))
    ada, bo = (Artist.objects.create(name=name) for name in ("Ada", "Bo"))
    flac, mp3 = make_asset(), make_asset(format_name="MP3", codec="mp3")
    make_product("Draft", live=False, genre=dub, artist=Artist.objects.create(name="Secret"))
    return {
        "one": make_product(
            "One", genre=dub, artist=ada, assets=[flac], price_pennies=0, release_date=date(2024, 1, 1)
        ),
        "two": make_product(
            "Two", genre=dub, artist=bo, assets=[mp3], price_pennies=499, release_date=date(2025, 12, 31)
        ),
        "three": make_product(
            "Three", genre=folk, artist=ada, assets=[flac, mp3], price_pennies=500,
            release_date=date(2025, 1, 1),
        ),
        "four": make_product("Four", artist=bo, assets=[flac], price_pennies=2000),
    }  # fmt: skip


def listing_of(client: Client, query: str = "") -> Listing:
    answer = client.get(f"/catalog/{query}")
    assert answer.status_code == 200
    listing: Listing = answer.context["listing"]
    return listing


def titles(client: Client, query: str) -> list[str]:
    return sorted(product.title for product in listing_of(client, query).page)


def counts(client: Client, query: str = "") -> dict[str, dict[str, int | None]]:
    kinds = listing_of(client, query).facets.kinds
    return {facet.kind: {value.key: value.count for value in facet.values} for facet in kinds}


def test_everything_is_counted_by_every_kind(client: Client, shop: Any) -> None:
    assert counts(client) == {
        "genre": {"dub": 2, "folk": 1},
        "artist": {"ada": 2, "bo": 2},
        "format": {"FLAC": 3, "MP3": 2},
        "price": {"free": 1, "1-500": 1, "500-1000": 1, "2000-": 1},
        "year": {"2025": 2, "2024": 1},
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?genre=dub", ["One", "Two"]),
        ("?genre=dub&genre=folk", ["One", "Three", "Two"]),
        ("?genre=dub&artist=ada", ["One"]),
        ("?format=MP3", ["Three", "Two"]),
        ("?format=MP3&format=FLAC&artist=bo", ["Four", "Two"]),
        ("?price=free", ["One"]),
        ("?price=1-500&price=2000-", ["Four", "Two"]),
        ("?year=2025", ["Three", "Two"]),
        ("?year=2024&year=2025&format=FLAC", ["One", "Three"]),
        ("?free=1", ["One"]),
        ("?genre=unknown", []),
        ("?format=flac", []),
    ],
)
def test_values_of_one_kind_add_up_and_kinds_hold_together(
    client: Client, shop: Any, query: str, found: list[str]
) -> None:
    assert titles(client, query) == found


def test_each_kind_is_counted_without_its_own_choice(client: Client, shop: Any) -> None:
    found = counts(client, "?genre=dub&artist=ada")

    assert found["genre"] == {"dub": 1, "folk": 1}  # of Ada's
    assert found["artist"] == {"ada": 1, "bo": 1}  # of dub
    assert found["format"] == {"FLAC": 1}
    assert found["price"] == {"free": 1}


def test_a_number_beside_a_box_is_what_ticking_it_alone_brings(client: Client, shop: Any) -> None:
    for start in ("", "artist=ada&", "format=FLAC&year=2025&", "price=free&price=1-500&"):
        for kind, values in counts(client, f"?{start}").items():
            bare = "&".join(part for part in start.split("&") if not part.startswith(kind))
            for key, count in values.items():
                assert len(titles(client, f"?{bare}&{kind}={key}")) == count, (start, kind, key)


def test_any_year_that_is_counted_can_be_chosen(client: Client) -> None:
    for year in (1, 202, 1999, 9999):
        make_product(f"Of {year}", release_date=date(year, 1, 1))

    assert counts(client)["year"] == {"9999": 1, "1999": 1, "0202": 1, "0001": 1}
    for year in (1, 202, 1999, 9999):
        assert titles(client, f"?year={year:04}") == [f"Of {year}"]


def test_a_bundle_has_the_formats_of_what_it_contains_once(client: Client) -> None:
    flac, mp3 = make_asset(), make_asset(format_name="MP3", codec="mp3")
    parts = [make_product("Part", assets=[flac, mp3]), make_product("Other", assets=[flac])]
    make_bundle("Box", *parts)

    assert counts(client)["format"] == {"FLAC": 3, "MP3": 2}
    assert titles(client, "?format=MP3") == ["Box", "Part"]


def test_counts_follow_the_words_searched_for(
    client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    dub, folk = (Genre.objects.create(name=name) for name in ("Dub", "Folk"))
    with django_capture_on_commit_callbacks(execute=True):
        make_product("Blue moon", genre=dub)
        make_product("Blue sea", genre=folk)
        make_product("Red sea", genre=folk)

    assert counts(client, "?q=blue")["genre"] == {"dub": 1, "folk": 1}
    assert titles(client, "?q=sea&genre=folk") == ["Blue sea", "Red sea"]


def test_the_best_match_comes_first_in_a_search(
    client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        make_product("Blue", release_date=date(2020, 1, 1))
        make_product(
            "Other", artist=Artist.objects.create(name="Blue"), release_date=date(2024, 1, 1)
        )
        make_product("Deep blue", release_date=date(2023, 1, 1))
        make_product("Blue hour", release_date=date(2022, 1, 1))

    def in_order(query: str) -> list[str]:
        return [product.title for product in listing_of(client, query).page]

    assert in_order("?q=blue") == ["Blue", "Blue hour", "Deep blue", "Other"]
    assert in_order("?q=blue&sort=newest") == ["Other", "Deep blue", "Blue hour", "Blue"]
    assert listing_of(client, "?sort=relevance").choice.sort == "newest"


def test_a_search_for_more_than_can_be_counted_says_so(
    client: Client, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    genre, asset = Genre.objects.create(name="Dub"), make_asset()
    with django_capture_on_commit_callbacks(execute=True):
        for number in range(4):
            make_product(f"Blue {number}", genre=genre, assets=[asset])
    monkeypatch.setattr(facets, "SEARCH_CAP", 3)

    page = client.get("/catalog/?q=blue")

    assert "3+ releases for “blue”" in page.content.decode()
    assert counts(client, "?q=blue")["genre"] == {"dub": None}
    assert counts(client, "?q=blue&artist=nobody")["genre"] == {}


def test_a_choice_of_more_than_can_be_counted_has_its_whole_list(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    genre, asset = Genre.objects.create(name="Dub"), make_asset()
    for number in range(4):
        make_product(f"Blue {number}", genre=genre, assets=[asset])
    monkeypatch.setattr(facets, "CAP", 3)

    listing = listing_of(client, "?genre=dub")

    assert (listing.page.paginator.count, listing.facets.is_capped) == (4, False)
    assert counts(client, "?genre=dub")["artist"] == {"the-test-pressings": None}


def test_what_is_chosen_can_be_taken_away_piece_by_piece(client: Client, shop: Any) -> None:
    listing = listing_of(client, "?genre=folk&genre=dub&price=free&year=1999&artist=gone")

    assert listing.chips == [
        ("Genre", "Dub", "?genre=folk&artist=gone&price=free&year=1999"),
        ("Genre", "Folk", "?genre=dub&artist=gone&price=free&year=1999"),
        ("Artist", "gone", "?genre=dub&genre=folk&price=free&year=1999"),
        ("Price", "Free", "?genre=dub&genre=folk&artist=gone&year=1999"),
        ("Year", "1999", "?genre=dub&genre=folk&artist=gone&price=free"),
    ]


def test_a_choice_is_written_in_one_way(client: Client, shop: Any, settings: Any) -> None:
    written = "?q=sea&genre=dub&genre=folk&format=FLAC&price=free&sort=title"

    for query in (
        written,
        "?sort=title&price=free&genre=folk&genre=dub&genre=dub&format=FLAC&q=+sea+&utm_source=x",
        "?q=sea&genre=folk&genre=&genre=dub&artist=&format=FLAC&free=1&sort=title&year=",
    ):
        answer = client.get(f"/catalog/{query}")
        assert answer.context["listing"].choice.link() == written
        canonical = f'<link rel="canonical" href="{settings.SITE_BASE_URL}/catalog/{written}">'
        assert canonical in unescape(answer.content.decode())


def test_what_is_chosen_is_offered_and_called_by_its_name_however_much_it_is(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    artists = [Artist.objects.create(name=f"The {number}") for number in range(4)]
    for artist in artists:
        make_product(artist=artist)
    monkeypatch.setitem(facets.SHOWN, "artist", 2)
    query = "?" + "&".join(f"artist={artist.slug}" for artist in artists[:3])

    listing = listing_of(client, query)

    assert [name for _, name, _ in listing.chips] == ["The 0", "The 1", "The 2"]
    (offered,) = [facet.values for facet in listing.facets.kinds if facet.kind == "artist"]
    assert [value.label for value in offered] == ["The 0", "The 1", "The 2"]


def test_prices_are_called_as_money_is_shown_now(client: Client, shop: Any) -> None:
    def labels() -> list[str]:
        kinds = {facet.kind: facet.values for facet in listing_of(client).facets.kinds}
        return [value.label for value in kinds["price"]]

    labels()  # the first page of all makes the shop's settings
    by_symbol = labels()
    display.by = BY_CODE

    assert by_symbol[-1] == "£20.00 and more"
    assert labels()[-1] == "GBP\xa020.00 and more"


def test_made_up_choices_crowd_nothing_out_of_the_cache_that_counts_tries(
    client: Client, shop: Any
) -> None:
    cache.set("tries", 1)

    for number in range(400):
        facets.facets_of(ProductPage.objects.live(), Choice(picked={"artist": (str(number),)}))

    assert cache.get("tries") == 1


def test_drafts_and_their_artists_are_told_of_nowhere(client: Client, shop: Any) -> None:
    answer = client.get("/catalog/?artist=secret")

    assert "Secret" not in answer.content.decode()
    assert answer.context["listing"].page.paginator.count == 0


def test_a_change_is_counted_at_once(client: Client, shop: Any) -> None:
    assert counts(client)["genre"]["dub"] == 2

    shop["one"].unpublish()

    assert counts(client)["genre"]["dub"] == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "value",
    [
        "\0",
        "x" * 10_000,
        "' OR 1=1 --",
        "\ud83d",
        "🎵",
        "%00",
        "-1",
        "0",
        "99999",
        "٢٠٢٥",
        "1-",
        "<b>",
    ],
)
def test_any_value_gets_a_page(client: Client, shop: Any, kind: str, value: str) -> None:
    shown = value.encode("utf-8", "surrogatepass")
    sort = value[:40].encode("utf-8", "replace")

    assert client.get("/catalog/", {kind: shown, "sort": sort}).status_code == 200


def test_any_number_of_values_gets_a_page(client: Client, shop: Any) -> None:
    many = "&".join(f"{kind}={number}" for kind in KINDS for number in range(900))

    assert client.get(f"/catalog/?{many}&page=9&page=x").status_code == 200


def test_all_numbers_take_one_query_and_the_stamp_another(client: Client, shop: Any) -> None:
    def queries(query: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            listing_of(client, query)
        return len(captured)

    queries("")  # the shop's settings and Wagtail's site are known from here on
    first = queries("?genre=dub&format=FLAC&price=free")
    again = queries("?genre=dub&format=FLAC&price=free")

    assert (
        again == first - 2
    )  # the numbers are kept, and how common a format is; the stamp is asked for
    assert first <= 8
    with CaptureQueriesContext(connection) as captured:
        facets.facets_of(ProductPage.objects.live(), Choice.of({"year": "2025"}))
    assert len(captured) == 2


@pytest.mark.parametrize(
    ("code", "keys", "label"),
    [
        ("GBP", ["free", "1-500", "500-1000", "1000-2000", "2000-"], "£5.00 to less than £10.00"),
        ("JPY", ["free", "1-500", "500-1000", "1000-2000", "2000-"], "¥500 to less than ¥1,000"),
        (
            "KWD", ["free", "1-5000", "5000-10000", "10000-20000", "20000-"],
            "KD\xa05.000 to less than KD\xa010.000",
        ),
        (
            "CZK", ["free", "1-5000", "5000-10000", "10000-20000", "20000-"],
            "Kč\xa050.00 to less than Kč\xa0100.00",
        ),
    ],
)  # fmt: skip
def test_prices_are_cut_where_the_currency_is_round(
    settings: Any, code: str, keys: list[str], label: str
) -> None:
    settings.STRIPE_CURRENCY = code

    assert [*bands()] == keys
    assert bands()[keys[2]].label == label


def test_a_genre_is_narrowed_on_its_own_page(client: Client, shop: Any) -> None:
    answer = client.get("/catalog/genres/dub/?artist=ada")
    listing = answer.context["listing"]

    assert [product.title for product in listing.page] == ["One"]
    kinds = {
        facet.kind: {value.key: value.count for value in facet.values}
        for facet in listing.facets.kinds
    }
    assert kinds["artist"] == {"ada": 1, "bo": 1}
    assert 'name="genre"' not in answer.content.decode()


def test_an_artist_has_releases_that_can_be_sorted(client: Client, shop: Any) -> None:
    answer = client.get("/catalog/artists/ada/?sort=title")

    assert [product.title for product in answer.context["listing"].page] == ["One", "Three"]
    assert "2 releases" in answer.content.decode()


def test_titles_are_sorted_whatever_their_letters_case(client: Client) -> None:
    for title in ("ebb", "Flow", "Dusk", "eb"):
        make_product(title)

    page = listing_of(client, "?sort=title").page

    assert [product.title for product in page] == ["Dusk", "eb", "ebb", "Flow"]


def test_a_product_leads_to_others_of_its_genre_by_somebody_else(client: Client, shop: Any) -> None:
    context = client.get(shop["one"].url).context

    assert [product.title for product in context["related"]] == ["Two"]
    assert [product.title for product in context["more_by_artist"]] == ["Three"]
    assert client.get(shop["four"].url).context["related"] == []


def test_what_is_in_a_bundle_or_around_it_is_not_recommended_again(client: Client) -> None:
    dub = Genre.objects.create(name="Dub")
    ada, bo = (Artist.objects.create(name=name) for name in ("Ada", "Bo"))
    part, other = (make_product(title, genre=dub, artist=ada) for title in ("Part", "Other"))
    box = make_bundle("Box", part, genre=dub, artist=bo)

    def related(page: ProductPage) -> list[str]:
        return [product.title for product in client.get(page.url).context["related"]]

    assert related(box) == ["Other"]
    assert related(part) == []
    assert related(other) == ["Box"]
