"""What search engines read of a product's page: the shape that schema.org gives it, and no way out of it."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape

from catalog_pages.models import Genre, ProductPage
from catalog_pages.structured_data import iso_duration
from tests.factories import make_asset, make_bundle, make_product

pytestmark = pytest.mark.django_db

BLOCK = re.compile(r'<script type="application/ld\+json">(.*?)</script>', re.DOTALL)
DURATION = re.compile(r"PT(?=\d)(\d+H)?(\d+M)?(\d+S)?")
PRICE = re.compile(r"\d+(\.\d+)?")
# Members that each type must have here, and what each may have at all.
REQUIRED = {
    "Product": {"name", "url", "offers"},
    "MusicAlbum": {"name", "byArtist", "numTracks", "track"},
    "MusicRecording": {"name"},
    "Offer": {"price", "priceCurrency", "availability", "url"},
    "MusicGroup": {"name", "url"},
    "Brand": {"name"},
}
KNOWN = {
    "Product": {
        "@context", "@id", "@type", "name", "url", "category", "description", "image", "brand", "offers",
        "isRelatedTo",
    },
    "MusicAlbum": {"byArtist", "genre", "datePublished", "numTracks", "track"},
    "MusicRecording": {"@type", "byArtist", "genre", "datePublished", "duration", "name", "position"},
    "Offer": {"@type", "price", "priceCurrency", "availability", "availabilityStarts", "url"},
    "MusicGroup": {"@type", "name", "url"},
    "Brand": {"@type", "name"},
}  # fmt: skip


def data_of(client: Client, page: ProductPage) -> dict[str, Any]:
    (text,) = BLOCK.findall(client.get(page.url).content.decode())
    return json.loads(text)


def validate(node: dict[str, Any]) -> None:
    """Types, required and known members, and the form of what has one, down to the last node."""
    kinds = node["@type"] if isinstance(node["@type"], list) else [node["@type"]]
    assert set(kinds) <= set(KNOWN), kinds
    if kinds != ["Product"] or "offers" in node:
        assert set().union(*(REQUIRED[kind] for kind in kinds)) <= set(node)
    assert set(node) <= set().union(*(KNOWN[kind] for kind in kinds))
    for name, value in node.items():
        if name in {"url", "image"}:
            assert value.startswith(("http://", "https://")), value
        if name == "duration":
            assert DURATION.fullmatch(value), value
        if name == "price":
            assert isinstance(value, str)
            assert PRICE.fullmatch(value), value
        if name in {"datePublished", "availabilityStarts"}:
            date.fromisoformat(value)
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, dict):
                validate(child)


def test_an_album_is_a_product_with_its_recordings(client: Client) -> None:
    page = make_product(
        "Harbour",
        price_pennies=450,
        assets=[make_asset(duration_ms=187_400), make_asset(duration_ms=3_723_000)],
        genre=Genre.objects.create(name="Ambient"),
        release_date=date(2024, 5, 1),
        description="<p>Gulls &amp; fog.</p><p>At night.</p>",
    )

    data = data_of(client, page)

    validate(data)
    assert data["@context"] == "https://schema.org"
    assert data["@type"] == ["Product", "MusicAlbum"]
    assert (data["name"], data["genre"], data["datePublished"]) == (
        "Harbour",
        "Ambient",
        "2024-05-01",
    )
    assert data["offers"]["price"] == "4.50"
    assert data["offers"]["priceCurrency"] == "GBP"
    assert data["offers"]["availability"] == "https://schema.org/InStock"
    assert [track["duration"] for track in data["track"]] == ["PT3M7S", "PT1H2M3S"]
    assert [track["position"] for track in data["track"]] == [1, 2]


def test_a_description_reads_as_people_read_it(client: Client) -> None:
    page = make_product(
        description="<p>Gulls &amp; fog: 1 &lt; 2.</p><ul><li>At night.</li><li>“By day”</li></ul>"
    )
    words = "Gulls & fog: 1 < 2. At night. “By day”"

    html = client.get(page.url).content.decode()

    assert data_of(client, page)["description"] == words
    assert escape(words) in html  # for search engines
    page.search_description = "Rock & roll, 1 < 2"
    page.save()
    assert data_of(client, page)["description"] == "Rock & roll, 1 < 2"


def test_one_track_is_a_recording_and_a_bundle_a_plain_product(client: Client) -> None:
    single, other = make_product("Low tide"), make_product("Gulls")
    bundle = make_bundle("Both", single, other)

    alone, both = data_of(client, single), data_of(client, bundle)

    validate(alone)
    validate(both)
    assert alone["@type"] == ["Product", "MusicRecording"]
    assert alone["duration"] == "PT1M1S"
    assert both["@type"] == "Product"
    assert [part["name"] for part in both["isRelatedTo"]] == ["Low tide", "Gulls"]


@pytest.mark.parametrize(
    ("currency", "pennies", "price"),
    [("GBP", 0, "0.00"), ("GBP", 5, "0.05"), ("JPY", 500, "500"), ("KWD", 1250, "1.250")],
)
def test_a_price_has_the_decimals_of_its_currency(
    client: Client, settings: Any, currency: str, pennies: int, price: str
) -> None:
    page = make_product(price_pennies=pennies)
    settings.STRIPE_CURRENCY = currency

    offer = data_of(client, page)["offers"]

    assert (offer["price"], offer["priceCurrency"]) == (price, currency)


def test_before_its_day_it_is_not_in_stock(client: Client) -> None:
    offer = data_of(client, make_product(release_date=date(2999, 12, 4)))["offers"]

    assert offer["availability"] == "https://schema.org/OutOfStock"
    assert offer["availabilityStarts"] == "2999-12-04"


@pytest.mark.parametrize(
    "title",
    ["</script><script>alert(1)</script>", "<!--<script>", 'Quotes " \\ and \u2028', "ميناء 🐦"],
)
def test_no_title_ends_the_block(client: Client, title: str) -> None:
    page = make_product(title)

    body = client.get(page.url).content.decode()

    assert data_of(client, page)["name"] == title
    (block,) = BLOCK.findall(body)
    assert not set("<>&\u2028") & set(block)
    assert "<script>alert" not in body


def test_lengths_are_written_as_iso_8601_has_it() -> None:
    written = [iso_duration(ms) for ms in (1, 999, 59_499, 60_000, 3_600_000, 3_661_000)]

    assert written == ["PT1S", "PT1S", "PT59S", "PT1M", "PT1H", "PT1H1M1S"]
