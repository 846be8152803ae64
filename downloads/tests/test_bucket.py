"""Paid files in a bucket: our link leads to an address of its, and counts as it is given out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import ProxyHandler, build_opener

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog_pages.models import DigitalAsset, FixityCheck
from catalog_pages.storage_s3 import ProtectedS3Storage
from downloads.delivery import url_lifetime_s
from downloads.grants import access_block
from downloads.health import StorageHealth, health_of
from downloads.links import archive_url, file_url
from downloads.models import AccessEvent, Download
from downloads.tests.granting import body_of, bought_as_guest
from tests.servers import S3Server, seaweed

pytestmark = pytest.mark.django_db
direct = build_opener(ProxyHandler({}))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with seaweed(tmp_path_factory.mktemp("s3")) as running:
        yield running


@pytest.fixture
def bucket(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> ProtectedS3Storage:
    """The storage of every asset in this test."""
    storage = ProtectedS3Storage(
        bucket_name=server.bucket,
        access_key=server.access_key,
        secret_key=server.secret_key,
        endpoint_url=server.endpoint_url,
    )
    monkeypatch.setattr(DigitalAsset._meta.get_field("file"), "storage", storage)
    return storage


def test_a_link_leads_to_an_address_that_fetches_the_file_and_ends_soon(
    client: Client, bucket: ProtectedS3Storage
) -> None:
    (grant,) = bought_as_guest(client)

    answer = Client().get(file_url(grant))

    assert answer.status_code == 302
    assert answer["Cache-Control"] == "no-store"
    assert parse_qs(urlsplit(answer["Location"]).query)["X-Amz-Expires"] == ["60"]
    with direct.open(answer["Location"]) as file:
        assert file.headers["Content-Type"] == "audio/flac"
        assert "attachment" in file.headers["Content-Disposition"]
        assert hashlib.sha256(file.read()).hexdigest() == grant.asset.sha256


def test_it_counts_once_when_the_address_is_given_out(
    client: Client, bucket: ProtectedS3Storage
) -> None:
    (grant,) = bought_as_guest(client)

    Client().head(file_url(grant))
    looked_at = Download.objects.count()
    for headers in ({}, {"Range": "bytes=10-"}, {"Range": "bytes=0-1"}):
        Client().get(file_url(grant), headers=headers)

    assert looked_at == 0
    assert Download.objects.filter(counted_at__isnull=False).count() == 1
    kinds = AccessEvent.objects.values_list("kind", flat=True)
    assert sorted(kinds) == ["downloaded", "granted", "link_issued"]


def test_a_limit_holds_without_a_byte_passing_through_us(
    client: Client, bucket: ProtectedS3Storage, settings: Any
) -> None:
    settings.DOWNLOAD_LIMIT = 1
    (grant,) = bought_as_guest(client)

    statuses = [
        Client(headers={"User-Agent": program}).get(file_url(grant)).status_code
        for program in ("phone", "laptop", "phone")
    ]

    assert statuses == [302, 403, 302]


def test_no_new_address_is_given_out_after_a_refund(
    client: Client, bucket: ProtectedS3Storage
) -> None:
    (grant,) = bought_as_guest(client)
    access_block(order_item_ids=[grant.order_item_id], cause="refund")

    assert Client().get(file_url(grant)).status_code == 403


def test_head_says_what_the_file_is(client: Client, bucket: ProtectedS3Storage) -> None:
    (grant,) = bought_as_guest(client)

    head = Client().head(file_url(grant))

    assert head.status_code == 200
    assert head["Content-Length"] == str(grant.asset.size_bytes)
    assert head["Content-Type"] == "audio/flac"
    assert head["Accept-Ranges"] == "bytes"


def test_addresses_of_larger_files_live_longer_up_to_the_cap(settings: Any) -> None:
    settings.SIGNED_URL_MAX_SECONDS = 3600

    lifetimes = [url_lifetime_s(size) for size in (1, 30_000_000, 500_000_000, 5_000_000_000)]

    assert lifetimes == [60, 120, 1060, 3600]


def test_a_zip_comes_from_the_bucket_and_resumes(
    client: Client, bucket: ProtectedS3Storage
) -> None:
    first, _ = bought_as_guest(client, bytes(300_000), b"two" * 100_000)
    url = archive_url(first)

    whole = body_of(Client().get(url))
    half = len(whole) // 2
    one = body_of(Client().get(url, headers={"Range": f"bytes=0-{half - 1}"}))
    other = body_of(Client().get(url, headers={"Range": f"bytes={half}-"}))

    assert hashlib.sha256(one + other).digest() == hashlib.sha256(whole).digest()
    assert first.asset.crc32.to_bytes(4, "little") in whole


def test_a_bucket_that_is_away_is_told_plainly_and_burns_nothing(
    client: Client, bucket: ProtectedS3Storage, server: S3Server
) -> None:
    first, _ = bought_as_guest(client, b"one", b"two")
    server.stop()
    try:
        health_of(bucket).forget()
        file = Client().get(file_url(first))
        archive = Client().get(archive_url(first))
    finally:
        server.start()
    health_of(bucket).forget()

    for answer in (file, archive):
        assert answer.status_code == 503
        assert int(answer["Retry-After"]) > 0
        assert "storage does not answer" in answer.content.decode()
    assert not Download.objects.exists()
    assert Client().get(file_url(first)).status_code == 302


@pytest.mark.parametrize("found", ["missing", "altered"])
def test_a_file_known_to_be_lost_is_told_without_asking_the_bucket(
    client: Client, bucket: ProtectedS3Storage, found: str
) -> None:
    (grant,) = bought_as_guest(client)
    FixityCheck.objects.create(asset=grant.asset, found=found, checked_at=grant.created_at)

    answer = Client().get(file_url(grant), headers={"Accept": "application/json"})

    assert (answer.status_code, answer.json()["code"]) == (503, "file_missing")
    assert not Download.objects.exists()


def test_a_link_costs_the_same_queries_however_much_somebody_owns(
    client: Client, bucket: ProtectedS3Storage
) -> None:
    (few,) = bought_as_guest(client)
    many, *_ = bought_as_guest(client, *(str(number).encode() for number in range(10)))

    counts = []
    for grant in (few, many):
        with CaptureQueriesContext(connection) as queries:
            assert Client().get(file_url(grant)).status_code == 302
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_who_asks_often_does_not_ask_the_bucket_often() -> None:
    calls: list[int] = []
    health = StorageHealth(lambda: calls.append(1))

    answers = {health.is_up() for _ in range(50)}

    assert answers == {True}
    assert len(calls) == 1


def test_a_storage_comes_back_by_itself() -> None:
    is_away = [True]

    def probe() -> None:
        if is_away:
            raise OSError

    health = StorageHealth(probe)
    before = health.is_up()
    is_away.clear()
    health.forget()

    assert (before, health.is_up()) == (False, True)
