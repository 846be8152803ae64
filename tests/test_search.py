"""One search for pages and API, whichever database holds the index and whatever language it is set to."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from catalog_pages.models import Artist, Genre, ProductPage
from catalog_pages.search_text import asked_text, search_words
from tests.factories import make_product

pytestmark = pytest.mark.django_db

TITLES = [
    "The Who", "It Is", "AC/DC Live", "R.E.M. Best", "foo.com hits", "24/7 Love", "-5 Degrees",
    "हिन्दी गीत", "ﬁne Ⅳ", "Don't Look Back", "Être à l'été", "ÀÉÎ ÖÜ", "Straße", "ＦＵＬＬ width",
    "Ёлка зимой", "日本の歌", "أغاني عربية", "snake_case", "a:b & c|d", "C++", "/srv/music",
    "user@host.example", "1e5", "v2.0-rc.1", "Don’t", "to be or not to be", "NEAR AND OR NOT", "Ω mega",
    "İstanbul",
]  # fmt: skip


@pytest.fixture
def indexed(django_capture_on_commit_callbacks: Any) -> Any:
    """Make products as a shop does: what is done after the commit is done."""

    def make(*args: Any, **kwargs: Any) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            return make_product(*args, **kwargs)

    return make


def found_by_both(client: Client, **params: str) -> list[str]:
    """Titles, of the page's list and the API's, which must be the same."""
    page = client.get("/catalog/", params).context["listing"].page
    api = client.get("/api/v1/products/", params).json()["results"]
    titles = [row["title"] for row in api]
    assert [product.title for product in page] == titles
    return titles


@pytest.mark.parametrize("text", ["\ufdfa" * 200, "x" * 999, f"{'x' * 199} y", "\ufdfa\xa0" * 50])
def test_what_is_asked_is_short_and_reads_the_same_again(text: str) -> None:
    asked = asked_text(text)

    assert 0 < len(asked) <= 200
    assert asked_text(asked) == asked == asked.strip()


@pytest.mark.sampled(6)
@pytest.mark.parametrize("title", TITLES)
def test_a_product_is_found_by_its_exact_title(client: Client, indexed: Any, title: str) -> None:
    indexed("Another record")
    indexed(title)

    assert found_by_both(client, q=title) == [title]


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("title", "query"),
    [
        ("The Who", "WHO"), ("AC/DC Live", "dc"), ("R.E.M. Best", "best r e m"), ("ﬁne Ⅳ", "fine iv"),
        ("Être à l'été", "etre l ete"), ("Beyonce", "Beyoncé"), ("Straße", "strasse"), ("Straße", "STRASSE"),
        ("Ёлка", "елка"), ("हिन्दी गीत", "गीत"), ("ΌΝΕΙΡΟ", "όνειρο"), ("24/7 Love", "love 7 24"),
        ("Beyonce\u0301", "Beyonc\u00e9"), ("Don't Look", "don't"), ("full", "ｆｕｌｌ"),
    ],
)  # fmt: skip
def test_spelling_and_order_do_not_matter(
    client: Client, indexed: Any, title: str, query: str
) -> None:
    product = indexed(title)

    assert found_by_both(client, q=query) == [product.title]


@pytest.mark.wide
@pytest.mark.parametrize(
    ("title", "query"), [("हिन्दी", "हनद"), ("Blue Hour", "blue noon"), ("Who", "ho")]
)
def test_what_is_not_there_is_not_found(
    client: Client, indexed: Any, title: str, query: str
) -> None:
    indexed(title)

    assert found_by_both(client, q=query) == []


@pytest.mark.parametrize("title", ["!!!", "🎵🎶", "+/-", "%"])
def test_a_title_without_a_word_is_found_as_it_stands(
    client: Client, indexed: Any, title: str
) -> None:
    indexed("Words")
    indexed(title, slug="odd")

    assert found_by_both(client, q=title) == [title]


def test_signs_alone_find_what_is_called_so_and_cost_no_walk_through_all_titles(
    client: Client, indexed: Any
) -> None:
    indexed("Wow!!!", slug="wow")
    indexed("❤️", slug="heart")
    indexed("Chk", artist=Artist.objects.create(name="!!!"))

    assert found_by_both(client, q="!!!") == found_by_both(client, q="! ! !") == ["Chk"]
    assert found_by_both(client, q="❤") == found_by_both(client, q="❤️") == ["❤️"]
    assert found_by_both(client, q="!!") == found_by_both(client, q="u002") == []
    assert "LIKE" not in str(ProductPage.objects.found_by("!!").query).upper()


@pytest.mark.parametrize("query", [" ", "\t \n", "\0", "\u200b", ""])
def test_a_blank_search_is_none(client: Client, indexed: Any, query: str) -> None:
    indexed("Words")

    page = client.get("/catalog/", {"q": query}).context["listing"].page
    assert len(page) == 1
    if "\0" not in query:  # which the API refuses by name
        assert len(client.get("/api/v1/products/", {"q": query}).json()["results"]) == 1


def test_a_renamed_artist_and_genre_are_found_by_the_new_name_alone(
    client: Client, indexed: Any, django_capture_on_commit_callbacks: Any
) -> None:
    artist, genre = Artist.objects.create(name="Velvet"), Genre.objects.create(name="Dub")
    for title in ("One", "Two"):
        indexed(title, artist=artist, genre=genre)

    with django_capture_on_commit_callbacks(execute=True):
        artist.name, genre.name = "Static", "Reggae"
        artist.save()
        genre.save()

    assert found_by_both(client, q="velvet") == found_by_both(client, q="dub") == []
    assert sorted(found_by_both(client, q="static reggae")) == ["One", "Two"]


@pytest.mark.wide
def test_a_search_holds_together_with_every_other_choice(client: Client, indexed: Any) -> None:
    rare = Genre.objects.create(name="Rare")
    for number in range(3):
        indexed(f"Blue {number}", price_pennies=100 + number)
    indexed("Blue zero", genre=rare, price_pennies=100)
    indexed("Red", genre=rare)

    assert found_by_both(client, q="blue", genre="rare") == ["Blue zero"]
    found = client.get("/api/v1/products/", {"q": "blue", "min_price": "102"}).json()["results"]
    assert [row["title"] for row in found] == ["Blue 2"]


@pytest.mark.wide
def test_the_newest_come_first_in_the_same_order(client: Client, indexed: Any) -> None:
    for title, day in (
        ("Old", "2001-01-01"),
        ("None", None),
        ("New", "2026-01-01"),
        ("None 2", None),
    ):
        indexed(title, release_date=day)

    assert found_by_both(client) == ["New", "Old", "None 2", "None"]


@pytest.mark.parametrize(
    "query", ["a" * 500, " ".join(["word"] * 500), "\ud800x", "x\0y", '"', "\u202e"]
)
def test_what_is_asked_is_short_and_printable(query: str) -> None:
    asked = asked_text(query)

    assert len(asked) <= 200
    assert asked.isprintable()
    assert len(search_words(query).split()) <= 20
