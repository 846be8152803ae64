"""Public pages: for everybody the same bytes, for search boxes any text."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog_pages.models import Artist, Genre
from tests.factories import buy, make_product, make_user

pytestmark = pytest.mark.django_db


def test_a_product_is_found_from_home_to_its_page(client: Client) -> None:
    product = make_product("Harbour Lights", price_pennies=499)

    for address in (
        "/",
        "/catalog/",
        "/catalog/harbour-lights/",
        product.artist.get_absolute_url(),
    ):
        page = client.get(address)
        assert page.status_code == 200
        assert "Harbour Lights" in page.content.decode()
        assert "£4.99" in page.content.decode()


def test_the_shelves_are_empty_until_the_first_release_and_no_longer(client: Client) -> None:
    assert "There is nothing for sale yet." in client.get("/").content.decode()

    make_product("Harbour Lights", price_pennies=499)

    page = client.get("/").content.decode()
    assert "Harbour Lights" in page
    assert "There is nothing for sale yet." not in page


def test_public_pages_are_the_same_for_everybody(client: Client) -> None:
    product = make_product()
    product.genre = Genre.objects.create(name="Ambient")
    product.save()
    addresses = [
        "/",
        "/catalog/",
        product.url,
        product.artist.get_absolute_url(),
        "/catalog/genres/ambient/",
    ]
    guest = [client.get(address) for address in addresses]
    client.force_login(make_user())
    client.post(reverse("orders:cart_add"), {"product": product.pk})

    shopper = [client.get(address) for address in addresses]

    for mine, theirs in zip(shopper, guest, strict=True):
        assert mine.content == theirs.content
        assert "Cookie" not in theirs.get("Vary", "")
        assert not theirs.cookies
        assert b"csrfmiddlewaretoken" not in theirs.content


def test_an_unpublished_product_is_gone_but_its_buyer_keeps_it(client: Client) -> None:
    user, product = make_user(), make_product()
    buy(client, user, product)
    product.unpublish()
    client.force_login(user)

    assert client.get(product.url).status_code == 404
    purchases = client.get(reverse("orders:purchases"))
    view = purchases.context["purchases"][0].grants[0]
    assert client.get(view.url).status_code == 200
    assert product.title in purchases.content.decode()


@pytest.mark.sampled(5)
@pytest.mark.parametrize(
    "query",
    [
        '"', "'", "a" * 5000, " ".join(["word"] * 500), "\0", "Våren", "' OR 1=1 --", "(((", "AND", "*",
        "a AND", "-x", "NEAR(", "\\", "%", "🎵", '"unclosed', "a:b", "^", "ｆｕｌｌ",
    ],
)  # fmt: skip
def test_any_search_text_gets_a_page(client: Client, query: str) -> None:
    make_product("Harbour Lights")

    assert client.get("/catalog/", {"q": query}).status_code == 200


def test_search_finds_titles_and_artists(
    client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        make_product("Harbour Lights", artist=Artist.objects.create(name="Velvet Static"))
        make_product("Something Else")

    for query in ("harbour", "velvet"):
        listing = client.get("/catalog/", {"q": query}).context["listing"]
        assert [product.title for product in listing.page] == ["Harbour Lights"]


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "query", ["?page=0", "?page=-1", "?page=x", "?page=999999", "?sort=;drop", "?genre=%00"]
)
def test_odd_list_addresses_get_a_page(client: Client, query: str) -> None:
    make_product()

    assert client.get(f"/catalog/{query}").status_code == 200


def test_the_list_has_pages_and_keeps_its_filter(client: Client) -> None:
    genre = Genre.objects.create(name="Ambient")
    for _ in range(26):
        make_product(genre=genre)

    second = client.get("/catalog/", {"genre": "ambient", "page": "2"})

    assert len(second.context["listing"].page.object_list) == 2
    assert "genre=ambient" in second.content.decode()


@pytest.mark.wide
def test_list_and_product_take_a_few_queries_whatever_their_size(client: Client) -> None:
    def queries(address: str) -> int:
        client.get(address)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        return len(captured)

    first = make_product()
    small = queries("/catalog/"), queries(first.url)
    for _ in range(8):
        make_product()

    assert (queries("/catalog/"), queries(first.url)) <= (small[0] + 1, small[1] + 3)


@pytest.mark.wide
def test_the_purchases_page_takes_the_same_queries_for_one_and_many(client: Client) -> None:
    user = make_user()
    client.force_login(user)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(reverse("orders:purchases")).status_code == 200
        return len(captured)

    buy(client, user, make_product())
    queries()
    one = queries()
    for _ in range(4):
        buy(client, user, make_product(), make_product())

    assert queries() == one


def test_the_header_fragment_knows_cart_and_ownership(client: Client) -> None:
    user, product = make_user(), make_product()
    buy(client, user, product)
    client.force_login(user)
    client.post(reverse("orders:cart_add"), {"product": make_product().pk})

    response = client.get(reverse("orders:header_fragment"), {"product": product.pk})

    assert response.context["cart_count"] == 1
    assert response.context["owned_product_id"] == product.pk
    assert "no-store" in response["Cache-Control"] or "no-cache" in response["Cache-Control"]


@pytest.mark.parametrize("product", ["", "x", "9" * 400, "-1", "１"])
def test_the_header_fragment_survives_odd_products(client: Client, product: str) -> None:
    client.force_login(make_user())

    assert client.get(reverse("orders:header_fragment"), {"product": product}).status_code == 200


@pytest.mark.parametrize(
    "address", ["/", "/catalog/", "/cart/", "/accounts/login/", "/accounts/signup/", "/nothing/"]
)
def test_every_page_has_the_strict_policy_and_no_inline_code(client: Client, address: str) -> None:
    make_product()

    response = client.get(address)

    policy = response["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    text = response.content.decode()
    assert " style=" not in text
    assert "<style" not in text
    assert " onclick=" not in text
    for script in text.split("<script")[1:]:
        assert (
            "src=" in script.split(">")[0] or 'type="application/ld+json"' in script.split(">")[0]
        )


def test_the_icon_that_browsers_guess_is_there(client: Client) -> None:
    assert client.get("/favicon.ico")["Location"].endswith(".ico")


@pytest.mark.wide
@pytest.mark.parametrize("address", ["/", "/catalog/", "/cart/", "/purchases/", "/orders/"])
def test_what_can_be_read_can_be_asked_about(client: Client, address: str) -> None:
    client.force_login(make_user())

    assert client.head(address).status_code == 200


def test_error_pages_speak_plainly(client: Client) -> None:
    response = client.get("/nothing-here/")

    assert response.status_code == 404
    assert "<h1" in response.content.decode()


def test_probes_answer_under_any_host_name(client: Client, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True

    for address in ("/healthz/", "/readyz/"):
        assert client.get(address, headers={"Host": "10.0.0.7"}).status_code in (200, 503)
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400
