"""ZIPs of a purchase over HTTP: what is in them, and that they resume like any file."""

from __future__ import annotations

import hashlib
import io
import time
import zipfile
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.http import http_date

from catalog_pages.models import DigitalAsset
from downloads import slots
from downloads.grants import access_block, grant_give_back, grant_take_back
from downloads.links import ORDER, archive_url, file_url
from downloads.tests.granting import body_of, bought_as_guest, guests_grants, held_by_address
from tests.factories import buy, make_asset, make_bundle, make_editor, make_product, make_user

pytestmark = pytest.mark.django_db


def fetch(url: str, **headers: str) -> Any:
    return Client().get(url, headers=headers)


def names_in(body: bytes) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(body)).namelist()


def test_a_purchase_is_one_zip_of_known_length_with_the_very_bytes(client: Client) -> None:
    grants = bought_as_guest(client, b"one" * 1000, b"two" * 1000, title="Für Elise / live")

    response = fetch(archive_url(grants[0]))
    body = body_of(response)

    assert response.status_code == 200
    assert response["Content-Type"] == "application/zip"
    assert response["Content-Length"] == str(len(body))
    assert response["Accept-Ranges"] == "bytes"
    assert response["ETag"].startswith('"')
    assert "F%C3%BCr%20Elise" in response["Content-Disposition"]
    archive = zipfile.ZipFile(io.BytesIO(body))
    assert archive.testzip() is None
    found = [hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()]
    assert found == [grant.asset.sha256 for grant in grants]
    folders = {name.rpartition("/")[0] for name in archive.namelist()}
    assert folders == {"The Test Pressings - Für Elise _ live"}


def test_halves_fetched_separately_are_the_whole(client: Client) -> None:
    (first, *_) = bought_as_guest(client, bytes(300_000), b"two" * 50_000)
    url = archive_url(first)
    whole = fetch(url)
    body = body_of(whole)
    half = len(body) // 2

    one = fetch(url, Range=f"bytes=0-{half - 1}")
    other = fetch(archive_url(first), **{"Range": f"bytes={half}-", "If-Range": whole["ETag"]})

    assert one.status_code == other.status_code == 206
    joined = body_of(one) + body_of(other)
    assert hashlib.sha256(joined).hexdigest() == hashlib.sha256(body).hexdigest()


def test_no_date_tells_whether_an_archive_is_still_the_same(client: Client) -> None:
    first, second = bought_as_guest(client, bytes(1000), bytes(2000))
    url = archive_url(first)
    grant_take_back(grant_id=second.pk, actor_id=make_editor().pk)
    without = fetch(url)
    body_of(without)
    date = http_date(time.time())
    grant_give_back(grant_id=second.pk, actor_id=make_editor().pk)

    answers = [
        fetch(url, **{"If-Modified-Since": date}),
        fetch(url, **{"Range": "bytes=10-", "If-Range": date}),
    ]

    for answer in answers:
        body_of(answer)
    assert "Last-Modified" not in without
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0]["ETag"] != without["ETag"]


def test_head_knows_the_length_without_reading(client: Client) -> None:
    (first, *_) = bought_as_guest(client, b"one", b"two")

    head = Client().head(archive_url(first))

    assert head.status_code == 200
    assert head["Content-Length"] == str(len(body_of(fetch(archive_url(first)))))


@pytest.mark.wide
def test_formats_are_fetched_together_or_one_by_one(client: Client) -> None:
    user = make_user()
    flac = make_asset(b"lossless", file_name="01 Song.flac")
    mp3 = make_asset(b"lossy", file_name="01 Song.mp3", format_name="MP3")
    buy(client, user, make_product("Song", assets=[flac, mp3]))
    grant = guests_grants(user)[0]

    both = names_in(body_of(fetch(archive_url(grant))))
    one = names_in(body_of(fetch(archive_url(grant, fmt="MP3"))))

    assert both == [
        "The Test Pressings - Song/FLAC/01 Song.flac",
        "The Test Pressings - Song/MP3/01 Song.mp3",
    ]
    assert one == ["The Test Pressings - Song/01 Song.mp3"]
    assert fetch(archive_url(grant, fmt="WAV")).status_code == 404


@pytest.mark.wide
def test_an_order_is_one_zip_with_a_folder_for_each_product(client: Client) -> None:
    user = make_user()
    buy(client, user, make_product("First"), make_product("Second"))
    grant = guests_grants(user)[0]

    response = fetch(archive_url(grant, scope=ORDER))

    folders = [name.partition("/")[0] for name in names_in(body_of(response))]
    assert folders == ["The Test Pressings - First", "The Test Pressings - Second"]
    assert "Order " in response["Content-Disposition"]


@pytest.mark.wide
def test_an_order_of_several_products_offers_one_zip_of_all(client: Client) -> None:
    user = make_user()
    client.force_login(user)
    several = buy(client, user, make_product("First"), make_product("Second"))
    single = buy(client, user, make_product("Third"))

    pages = [client.get(order.get_absolute_url()) for order in (several, single)]

    assert len(names_in(body_of(client.get(pages[0].context["archive"].url)))) == 2
    assert "Download everything" in pages[0].content.decode()
    assert pages[1].context["archive"] is None


@pytest.mark.wide
def test_a_bundle_is_one_zip(client: Client) -> None:
    user = make_user()
    bundle = make_bundle("Everything", make_product("First"), make_product("Second"))
    buy(client, user, bundle)
    grant = guests_grants(user)[0]

    assert len(names_in(body_of(fetch(archive_url(grant))))) == 2


def test_files_of_the_same_name_have_different_names_inside(client: Client) -> None:
    user = make_user()
    same = [make_asset(name, file_name="track.flac") for name in (b"one", b"two")]
    buy(client, user, make_product(assets=same))

    names = names_in(body_of(fetch(archive_url(guests_grants(user)[0]))))

    assert len({name.casefold() for name in names}) == 2


def test_a_refunded_line_is_not_in_the_orders_zip_any_more(client: Client) -> None:
    user = make_user()
    buy(client, user, make_product("First"), make_product("Second"))
    first, second = guests_grants(user)
    url = archive_url(first, scope=ORDER)
    before = fetch(url)
    body_of(before)

    access_block(order_item_ids=[second.order_item_id], cause="refund")
    after = fetch(url)

    assert len(names_in(body_of(after))) == 1
    assert after["ETag"] != before["ETag"]
    access_block(order_item_ids=[first.order_item_id], cause="refund")
    refused = fetch(url, Accept="application/json")
    assert (refused.status_code, refused.json()["code"]) == (403, "revoked_by_refund")


def test_a_copy_holds_nothing_of_another_holder(client: Client) -> None:
    first, second = bought_as_guest(client, b"one", b"two")
    held_by_address(second, "other@example.com")

    assert len(names_in(body_of(fetch(archive_url(first))))) == 1
    assert len(names_in(body_of(fetch(archive_url(second))))) == 1


@pytest.mark.wide
def test_a_lost_file_is_told_before_a_byte_is_sent(client: Client) -> None:
    first, second = bought_as_guest(client, b"one", b"two")
    second.asset.file.storage.delete(second.asset.file.name)

    response = fetch(archive_url(first), Accept="application/json")

    assert (response.status_code, response.json()["code"]) == (503, "file_missing")
    assert "Retry-After" in response
    assert fetch(file_url(first)).status_code == 200
    assert DigitalAsset.objects.count() == 2


@pytest.mark.wide
def test_archives_take_the_slots_of_downloads(client: Client, settings: Any) -> None:
    settings.WEB_THREADS = 2
    (first, *_) = bought_as_guest(client, b"one", b"two")
    holding = slots.paid.take()

    busy = fetch(archive_url(first), Accept="application/json")
    file = fetch(file_url(first))

    assert holding is not None
    assert (busy.status_code, busy.json()["code"]) == (503, "downloads_busy")
    assert file.status_code == 503
    assert int(busy["Retry-After"]) > 0
    assert Client().head(archive_url(first)).status_code == 200
    holding.release()
    assert fetch(archive_url(first)).status_code == 200


@pytest.mark.wide
def test_an_archive_of_many_files_asks_the_database_no_more_than_one_of_two(
    client: Client,
) -> None:
    (few, *_) = bought_as_guest(client, b"1", b"2")
    (many, *_) = bought_as_guest(client, *(str(number).encode() for number in range(12)))

    counts = []
    for grant in (few, many):
        with CaptureQueriesContext(connection) as queries:
            answer = fetch(archive_url(grant))
        body_of(answer)
        counts.append(len(queries))

    assert counts[0] == counts[1]
