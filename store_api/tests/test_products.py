"""The read-only product list of the API."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog_pages.assets import asset_store
from catalog_pages.excerpts import ensure_excerpts
from catalog_pages.tests.sample_audio import write_tone
from tests.factories import make_asset, make_product

pytestmark = pytest.mark.django_db


def test_a_product_shows_what_will_be_delivered_but_no_way_to_it(client: Client) -> None:
    asset = make_asset()
    make_product("Harbour Lights", price_pennies=499, assets=[asset])

    body = client.get("/api/v1/products/harbour-lights/").json()

    assert (body["title"], body["price_pennies"], body["price"]) == ("Harbour Lights", 499, "£4.99")
    file = body["tracks"][0]["files"][0]
    assert (file["sha256"], file["size_bytes"], file["format"]) == (
        asset.sha256,
        asset.size_bytes,
        "FLAC",
    )
    assert asset.file.name not in str(body)
    assert str(asset.pk) not in str(body)


def test_drafts_are_not_there(client: Client) -> None:
    make_product("Hidden", live=False)

    assert client.get("/api/v1/products/").json()["results"] == []
    assert client.get("/api/v1/products/hidden/").status_code == 404


def test_the_list_is_read_by_cursor(client: Client) -> None:
    titles = {make_product().title for _ in range(5)}

    first = client.get("/api/v1/products/", {"page_size": 3}).json()
    second = client.get(first["next"]).json()

    found = [product["title"] for page in (first, second) for product in page["results"]]
    assert set(found) == titles
    assert len(found) == 5


def test_the_list_takes_the_same_queries_for_few_and_many(client: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get("/api/v1/products/")
        return len(captured)

    make_product()
    few = queries()
    for _ in range(6):
        make_product()

    assert queries() <= few


def test_a_track_can_be_heard_and_seen(client: Client, tmp_path: Path) -> None:
    source = write_tone(tmp_path / "harbour.mp3", seconds=6)
    asset = asset_store(source=source, file_name=source.name).asset
    ensure_excerpts(make_product("Harbour Lights", assets=[asset]))

    excerpt = client.get("/api/v1/products/harbour-lights/").json()["tracks"][0]["excerpt"]

    assert excerpt["url"].startswith("http")
    assert excerpt["duration_ms"] > 0
    assert set(map(type, excerpt["waveform"])) == {int}
    assert max(excerpt["waveform"]) <= 100


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_can_be_written(client: Client, method: str) -> None:
    make_product("Harbour Lights")

    assert getattr(client, method)("/api/v1/products/harbour-lights/").status_code in {403, 405}


@pytest.mark.parametrize("cursor", ["junk", "%00", "cD0x", "=" * 300])
def test_an_odd_cursor_is_a_client_error(client: Client, cursor: str) -> None:
    assert client.get(f"/api/v1/products/?cursor={cursor}").status_code in {200, 404}


def test_schema_and_docs_come_from_our_own_origin(client: Client) -> None:
    assert client.get("/api/schema/").status_code == 200
    docs = client.get("/api/docs/").content.decode()
    assert "https://" not in docs.replace("https://www.w3.org", "")
