"""Words that are not yet finished, or mistyped, and what is offered under the search field meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog_pages.models import Artist, Genre
from site_config.checks import searches_forgive_mistakes
from tests.factories import make_product

pytestmark = pytest.mark.django_db
FORGIVES = connection.vendor == "postgresql"


@pytest.fixture
def indexed(django_capture_on_commit_callbacks: Any) -> Any:
    def make(*args: Any, **kwargs: Any) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            return make_product(*args, **kwargs)

    return make


def found(client: Client, query: str) -> list[str]:
    listing = client.get("/catalog/", {"q": query}).context["listing"]
    return [product.title for product in listing.page]


@pytest.mark.parametrize(
    "query",
    ["ha", "harb", "lights harb", "Harbour Lig", "HARBOUR", "Ｈａｒｂ", "ha'", "h\u0061rb*"],
)
def test_the_last_word_may_be_a_beginning(client: Client, indexed: Any, query: str) -> None:
    indexed("Harbour Lights")
    indexed("Other")

    assert found(client, query) == ["Harbour Lights"]


@pytest.mark.parametrize("query", ["h", "harb lights", "rbour", "arbour lights"])
def test_no_other_word_is_and_no_single_letter(client: Client, indexed: Any, query: str) -> None:
    indexed("Harbour Lights")

    listing = client.get("/catalog/", {"q": query}).context["listing"]
    assert listing.choice.is_loose or not listing.page.object_list


@pytest.mark.parametrize(
    ("title", "query"),
    [("हिन्दी गीत", "हिन्दी गी"), ("日本の歌", "日"), ("أغاني عربية", "أغا"), ("Ёлка", "ел")],
)
def test_beginnings_in_any_script(client: Client, indexed: Any, title: str, query: str) -> None:
    indexed(title)

    assert found(client, query) == [title]


def test_signs_are_no_beginning(client: Client, indexed: Any) -> None:
    indexed("!!!", slug="signs")

    assert found(client, "!") == []
    assert found(client, "!!!") == ["!!!"]


@pytest.mark.parametrize("query", ["harbor lihgts", "Harbor", "Harbur Lights", "velvt"])
def test_what_is_nearly_called_so_is_found_by_postgresql_and_said_to_be(
    client: Client, indexed: Any, query: str
) -> None:
    indexed("Harbour Lights", artist=Artist.objects.create(name="Velvet Static"))
    indexed("Something Else")

    page = client.get("/catalog/", {"q": query}).content.decode()

    assert found(client, query) == (["Harbour Lights"] if FORGIVES else [])
    assert (f"Nothing is called “{query}”. These come near:" in page) is FORGIVES
    assert found(client, "zzzz") == []


def test_search_does_without_the_extension_and_a_check_says_so(
    client: Client, indexed: Any
) -> None:
    indexed("Harbour Lights")
    assert searches_forgive_mistakes() == []
    if FORGIVES:
        with connection.cursor() as cursor:
            # A table with checks to come cannot be altered.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("DROP EXTENSION pg_trgm CASCADE")
    problems = [problem.id for problem in searches_forgive_mistakes()]

    assert found(client, "harbor lihgts") == []
    assert found(client, "harb") == ["Harbour Lights"]
    assert problems == (["site_config.W002"] if FORGIVES else [])

    call_command("migrate", verbosity=0)
    assert found(client, "harbor lihgts") == (["Harbour Lights"] if FORGIVES else [])


def suggested(client: Client, query: str) -> Any:
    answer = client.get("/fragments/search/", {"q": query})
    assert answer.status_code == 200
    return answer.context["found"]


def test_products_artists_and_genres_are_suggested(client: Client, indexed: Any) -> None:
    artist = Artist.objects.create(name="The Blue Notes")
    indexed("Blue <hour>", slug="blue", artist=artist, genre=Genre.objects.create(name="Blues"))
    indexed("Blue draft", live=False, artist=Artist.objects.create(name="Blue secret"))

    offered = suggested(client, "BLU")
    html = client.get("/fragments/search/", {"q": "blu"}).content.decode()

    assert [product.title for product in offered.products] == ["Blue <hour>"]
    assert [row.name for row in (*offered.artists, *offered.genres)] == ["The Blue Notes", "Blues"]
    assert "Blue &lt;hour&gt;" in html
    assert "3 suggestions" in html
    assert "secret" not in html
    assert "<html" not in html


@pytest.mark.parametrize(
    "query", ["", " ", "\0", "zzzz", "%", "_", "x" * 10_000, "🎵", "'", "\ud83d"]
)
def test_nothing_is_suggested_for_nothing(client: Client, indexed: Any, query: str) -> None:
    indexed("Harbour Lights")

    answer = client.get("/fragments/search/", {"q": query.encode("utf-8", "surrogatepass")})

    assert (answer.status_code, answer.content.strip()) == (200, b"")


def test_suggestions_are_few_cheap_and_the_same_for_everybody(client: Client, indexed: Any) -> None:
    for number in range(7):
        indexed(f"Blue {number}", artist=Artist.objects.create(name=f"Blue {number}"))
    suggested(client, "blue")

    with CaptureQueriesContext(connection) as captured:
        offered = suggested(client, "blue")

    assert (len(offered.products), len(offered.artists)) == (5, 3)
    assert len(captured) <= 6
    answer = client.get("/fragments/search/?q=blue")
    assert not answer.cookies
    assert "Cookie" not in answer.get("Vary", "")
    assert (
        answer["Cache-Control"] == "public, max-age=60" or "max-age=60" in answer["Cache-Control"]
    )


def test_the_search_field_is_a_plain_form_without_a_script(client: Client) -> None:
    page = client.get("/catalog/?genre=dub&q=x").content.decode()

    assert 'action="/catalog/"' in page
    assert '<input type="hidden" name="genre" value="dub">' in page
