"""Paid files in a bucket: our link leads to an address of its, and counts as it is given out."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import ProxyHandler, build_opener

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog_pages.models import DigitalAsset, FixityCheck
from catalog_pages.storage_s3 import ProtectedS3Storage
from downloads.counting import (
    Wanted,
    downloads_begin,
    downloads_give_back,
    downloads_hand_over,
    downloads_sent,
)
from downloads.delivery import url_lifetime_s
from downloads.grants import access_block
from downloads.health import FRESH_SECONDS, StorageHealth, health_of
from downloads.links import archive_url, file_url
from downloads.models import AccessEvent, Download, UserAsset
from downloads.policy import Client as Digest
from downloads.policy import decide
from downloads.ranges import ByteRange
from downloads.tests.granting import body_of, bought_as_guest
from tests.servers import S3Server, seaweed
from tests.together import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.wide]
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


def refuse(is_away: list[bool]) -> None:
    if is_away:
        raise OSError


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


def given_out(grant: UserAsset, *programs: str) -> None:
    """An address of the bucket for each."""
    for program in programs:
        downloads_hand_over([Wanted(grant, grant.asset)], client=Digest(program), by_link=True)


def counted(grant: UserAsset) -> int:
    return Download.objects.filter(grant=grant, counted_at__isnull=False).count()


def test_the_last_download_that_a_dead_bucket_took_is_left_again(
    client: Client, bucket: ProtectedS3Storage, server: S3Server, settings: Any
) -> None:
    settings.DOWNLOAD_LIMIT = 1
    (grant,) = bought_as_guest(client)
    phone, laptop = (Client(headers={"User-Agent": name}) for name in ("a phone", "a laptop"))
    assert phone.get(file_url(grant)).status_code == 302
    server.stop()
    try:
        health_of(bucket).forget()
        meanwhile = laptop.get(file_url(grant))
    finally:
        server.start()
    health_of(bucket).forget()

    assert meanwhile.status_code == 503
    assert decide(grant).left == 1
    assert laptop.get(file_url(grant)).status_code == 302
    assert phone.get(file_url(grant)).status_code == 403
    told = AccessEvent.objects.filter(grant=grant).exclude(kind="granted")
    assert list(told.values_list("kind", flat=True)) == [
        "link_issued",
        "downloaded",
        "not_counted",
        "denied",
        "link_issued",
        "downloaded",
        "denied",
    ]


def test_an_outage_gives_back_what_was_given_out_lately_once_and_nothing_else(
    client: Client,
) -> None:
    (grant,) = bought_as_guest(client)
    is_away: list[bool] = []
    health = StorageHealth(lambda: refuse(is_away))
    given_out(grant, "before it answered")
    assert health.is_up()
    given_out(grant, "after it had")
    is_away.append(True)

    outages = []
    for _ in range(3):
        health.forget()
        assert not health.is_up()
        outages.append(health.outage_since)
        if outages[-1] is not None:
            health.outage_settled(outages[-1])

    assert outages[0] is not None
    assert outages[1:] == [None, None]
    assert [downloads_give_back(since=outages[0]) for _ in range(2)] == [1, 0]
    left = Download.objects.get(counted_at=None)
    assert left.client == "after it had"


def test_a_process_that_nobody_asked_for_hours_gives_back_minutes_at_most() -> None:
    is_away: list[bool] = []
    health = StorageHealth(lambda: refuse(is_away))
    assert health.is_up()
    health._was_up_at -= timedelta(hours=8)
    is_away.append(True)
    health.forget()

    assert not health.is_up()

    outage = health.outage_since
    assert outage is not None
    assert timezone.now() - outage < timedelta(minutes=2)


def test_what_we_have_sent_ourselves_is_not_given_back(client: Client) -> None:
    (grant,) = bought_as_guest(client, bytes(500_000))
    given_out(grant, "a program")
    want = Wanted(grant, grant.asset)
    begun = downloads_begin([want], client=Digest("a program"))
    downloads_sent(begun, sent={want.pair: [ByteRange(0, 500_000)]})

    assert downloads_give_back(since=timezone.now() - timedelta(minutes=1)) == 0
    assert counted(grant) == 1


def test_a_part_that_we_had_sent_before_does_not_keep_an_address_in_vain_counted(
    client: Client,
) -> None:
    (grant,) = bought_as_guest(client)
    want = Wanted(grant, grant.asset)
    begun = downloads_begin([want], client=Digest("a program"))
    downloads_sent(begun, sent={want.pair: [ByteRange(0, 100)]})
    given_out(grant, "a program")

    assert downloads_give_back(since=timezone.now() - timedelta(minutes=1)) == 1
    assert counted(grant) == 0


def test_addresses_given_out_again_are_no_requests_that_never_end(client: Client) -> None:
    (grant,) = bought_as_guest(client)

    given_out(grant, *(["a program"] * 3))

    row = Download.objects.get()
    assert (row.open_requests, row.promised_bytes) == (0, 0)


def test_while_a_storage_is_known_to_be_away_nobody_waits_for_its_next_word() -> None:
    answer_now = threading.Event()
    is_known = threading.Event()

    def probe() -> None:
        if is_known.is_set():
            answer_now.wait(60)
        raise OSError

    health = StorageHealth(probe)
    assert not health.is_up()
    is_known.set()
    health._asked_at = time.monotonic() - FRESH_SECONDS - 1

    answers = at_once(*[health.is_up] * 8)  # none of them waits for the probe, which has not ended

    assert answers == [False] * 8
    assert not answer_now.is_set()
    answer_now.set()


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
