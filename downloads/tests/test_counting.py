"""What counts as a download, what does not, and what a limit does."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from downloads import slots
from downloads.counting import Wanted, downloads_begin, downloads_sent, limit_reset
from downloads.coverage import STRETCHES_NOTED, covered_bytes
from downloads.errors import DownloadUnderWay
from downloads.grants import access_block
from downloads.links import archive_url, file_url
from downloads.models import AccessEvent, Download, UserAsset
from downloads.places import Keeper, places_renew
from downloads.policy import Client as Digest
from downloads.policy import decide
from downloads.ranges import ByteRange
from downloads.tests.granting import body_of, bought_as_guest
from tests.factories import make_editor
from tests.together import at_once

pytestmark = pytest.mark.django_db
PHONE, LAPTOP, TABLET = ("a phone", "a laptop", "a tablet")


@pytest.fixture
def grant(client: Client) -> UserAsset:
    return bought_as_guest(client)[0]


def fetch(grant: UserAsset, program: str = PHONE, *, whole: bool = True, **headers: str) -> Any:
    """Ask by link, as that program; read the body to its end unless told not to."""
    client = Client(headers={"User-Agent": program})
    response = client.get(file_url(grant), headers=headers)
    if response.streaming and whole:
        body_of(response)
    return response


def broken_after(grant: UserAsset, percent: int, program: str = PHONE) -> None:
    """A download that the client left at that point."""
    response = fetch(grant, program, whole=False)
    wanted = grant.asset.size_bytes * percent // 100
    arrived = 0
    for block in response.streaming_content:
        arrived += len(block)
        if arrived >= wanted:
            break
    response._iterator.close()  # the test client's own wrapper, which ends the response


def counted(grant: UserAsset) -> int:
    return Download.objects.filter(grant=grant, counted_at__isnull=False).count()


def in_the_ledger(grant: UserAsset, kind: str = "downloaded") -> int:
    return AccessEvent.objects.filter(grant=grant, kind=kind).count()


def eventually(is_so: Callable[[], bool]) -> bool:
    """Whether it comes true; a minute is for machines that are busy elsewhere."""
    until = time.monotonic() + 60
    while not is_so() and time.monotonic() < until:
        time.sleep(0.02)
    return is_so()


def a_window_later(grant: UserAsset) -> None:
    past = timezone.now() - timedelta(minutes=1)
    Download.objects.filter(grant=grant).update(
        started_at=past - timedelta(days=1), ends_at=past, held_until=past
    )


def test_a_whole_file_is_one_download_however_often_the_client_asks_within_the_window(
    grant: UserAsset,
) -> None:
    for _ in range(3):
        assert fetch(grant).status_code == 200

    assert counted(grant) == in_the_ledger(grant) == 1


def test_every_client_and_every_window_counts_by_itself(grant: UserAsset) -> None:
    fetch(grant, PHONE)
    fetch(grant, LAPTOP)
    a_window_later(grant)
    fetch(grant, PHONE)

    assert counted(grant) == in_the_ledger(grant) == 3


def test_looking_at_a_file_is_no_download(client: Client, grant: UserAsset) -> None:
    size = grant.asset.size_bytes

    client.head(file_url(grant))
    fetch(grant, Range=f"bytes={size}-")
    fetch(grant, **{"If-None-Match": f'"{grant.asset.sha256}"'})
    fetch(grant, **{"If-Match": '"another"'})

    assert not Download.objects.exists()
    assert in_the_ledger(grant) == 0


def test_a_players_probes_and_seeks_are_no_download_until_half_has_arrived(
    grant: UserAsset,
) -> None:
    size = grant.asset.size_bytes

    for _ in range(20):
        fetch(grant, Range="bytes=0-1")
        fetch(grant, Range="bytes=1000-1999")
    assert counted(grant) == 0

    fetch(grant, Range=f"bytes={size // 2}-")
    assert counted(grant) == 1


def test_the_parts_of_a_download_manager_are_one_download(grant: UserAsset) -> None:
    eighth = grant.asset.size_bytes // 8

    for part in range(8):
        fetch(grant, Range=f"bytes={part * eighth}-{(part + 1) * eighth - 1}")

    assert counted(grant) == in_the_ledger(grant) == 1


@pytest.mark.parametrize(("percent", "count"), [(1, 0), (10, 0), (99, 1)])
def test_an_attempt_that_broke_counts_from_half_on(
    client: Client, percent: int, count: int
) -> None:
    (grant,) = bought_as_guest(client, bytes(2_000_000))

    broken_after(grant, percent)

    assert counted(grant) == count


def test_a_broken_attempt_and_its_resumption_are_one_download(client: Client) -> None:
    (grant,) = bought_as_guest(client, bytes(2_000_000))

    broken_after(grant, 60)
    fetch(grant, Range="bytes=1200000-")

    assert counted(grant) == in_the_ledger(grant) == 1


def test_who_changes_networks_in_the_middle_goes_on_with_the_same_download(
    client: Client, settings: Any
) -> None:
    settings.DOWNLOAD_LIMIT = 1
    (grant,) = bought_as_guest(client, bytes(2_000_000))

    broken_after(grant, 60, PHONE)
    resumed = fetch(grant, LAPTOP, Range="bytes=1200000-")

    assert resumed.status_code == 206
    assert counted(grant) == 1


@pytest.mark.wide
def test_asking_for_all_but_the_first_byte_is_no_way_around_the_limit(
    grant: UserAsset, settings: Any
) -> None:
    settings.DOWNLOAD_LIMIT = 1
    fetch(grant, "the first")

    statuses = [fetch(grant, f"client {n}", Range="bytes=1-").status_code for n in range(6)]

    assert statuses == [206, 403, 403, 403, 403, 403]


def test_a_reached_limit_says_so_to_new_clients_and_lets_the_others_go_on(
    grant: UserAsset, settings: Any
) -> None:
    settings.DOWNLOAD_LIMIT = 2
    fetch(grant, PHONE)
    fetch(grant, LAPTOP)

    refused = fetch(grant, TABLET)

    assert refused.status_code == 403
    assert "downloaded this twice" in refused.content.decode()
    assert fetch(grant, PHONE).status_code == 200
    assert in_the_ledger(grant, "denied") == 1
    assert AccessEvent.objects.get(kind="denied").code == "limit_reached"
    assert decide(grant).code == "limit_reached"


def test_what_is_left_is_known_before_and_after(grant: UserAsset, settings: Any) -> None:
    settings.DOWNLOAD_LIMIT = 3
    before = decide(grant)
    fetch(grant)

    after = decide(grant)

    assert (before.left, after.left, after.limit) == (3, 2, 3)


@pytest.mark.wide
def test_staff_reset_the_limit_and_the_record_stays(grant: UserAsset, settings: Any) -> None:
    settings.DOWNLOAD_LIMIT = 1
    editor = make_editor()
    fetch(grant, PHONE)
    assert fetch(grant, LAPTOP).status_code == 403

    limit_reset(grant=grant, actor_id=editor.pk)

    assert fetch(grant, LAPTOP).status_code == 200
    assert counted(grant) == 2
    assert AccessEvent.objects.get(kind="limit_reset").actor == editor


@pytest.mark.wide
def test_a_products_own_limit_is_the_one_of_the_day_it_was_bought(
    client: Client, settings: Any
) -> None:
    settings.DOWNLOAD_LIMIT = 7
    (own,) = bought_as_guest(client, b"own limit", download_limit=1)
    (none,) = bought_as_guest(client, b"without limit", download_limit=0)
    (usual,) = bought_as_guest(client, b"the usual one")

    own.order_item.product.download_limit = 99
    own.order_item.product.save()
    settings.DOWNLOAD_LIMIT = 8

    assert [decide(grant).left for grant in (own, none, usual)] == [1, None, 8]


@pytest.mark.wide
def test_no_limit_means_no_limit(grant: UserAsset, settings: Any) -> None:
    settings.DOWNLOAD_LIMIT = 0

    statuses = {fetch(grant, f"client {n}").status_code for n in range(5)}

    assert statuses == {200}
    assert decide(grant).left is None


def test_a_refund_comes_before_a_limit(grant: UserAsset, settings: Any) -> None:
    settings.DOWNLOAD_LIMIT = 1
    fetch(grant)
    access_block(order_item_ids=[grant.order_item_id], cause="refund")

    assert decide(grant).code == "revoked_by_refund"


@pytest.mark.wide
def test_an_archive_counts_each_of_its_files(client: Client) -> None:
    first, second = bought_as_guest(client, b"one", b"two")

    body_of(Client().get(archive_url(first)))

    assert counted(first) == counted(second) == 1


@pytest.mark.wide
def test_half_an_archive_counts_the_files_that_arrived(client: Client) -> None:
    first, second = bought_as_guest(client, bytes(500_000), bytes(500_000))

    body_of(Client().get(archive_url(first), headers={"Range": "bytes=0-520000"}))

    assert (counted(first), counted(second)) == (1, 0)


@pytest.mark.wide
def test_an_archive_closes_when_one_of_its_files_has_reached_its_limit(
    client: Client, settings: Any
) -> None:
    settings.DOWNLOAD_LIMIT = 1
    first, second = bought_as_guest(client, b"one", b"two")
    fetch(first, PHONE)

    refused = Client(headers={"User-Agent": LAPTOP}).get(archive_url(first))

    assert refused.status_code == 403
    assert not Download.objects.filter(grant=second).exists()


@pytest.mark.django_db(transaction=True)
def test_clients_that_start_at_once_cannot_all_pass_a_limit_of_one(
    client: Client, settings: Any
) -> None:
    settings.DOWNLOAD_LIMIT = 1
    (grant,) = bought_as_guest(client)
    want = Wanted(grant, grant.asset)

    def start(number: int) -> bool:
        try:
            downloads_begin([want], client=Digest(f"client {number}"))
        except DownloadUnderWay:
            return False
        return True

    assert sum(at_once(*(partial(start, number) for number in range(6)))) == 1


@pytest.mark.wide
@pytest.mark.django_db(transaction=True)
def test_connections_of_one_client_that_start_at_once_are_one_download(client: Client) -> None:
    (grant,) = bought_as_guest(client)
    want = Wanted(grant, grant.asset)
    eighth = -(-grant.asset.size_bytes // 8)

    def fetch_an_eighth(number: int) -> None:
        begun = downloads_begin([want], client=Digest("a manager", number > 0))
        part = ByteRange(number * eighth, (number + 1) * eighth)
        downloads_sent(begun, sent={want.pair: [part]})

    assert at_once(*(partial(fetch_an_eighth, number) for number in range(8))) == [None] * 8

    download = Download.objects.get()
    assert download.sent_bytes == 8 * eighth
    assert in_the_ledger(grant) == 1


@pytest.mark.wide
def test_a_place_that_was_held_for_a_broken_attempt_is_free_after_a_minute(
    grant: UserAsset, settings: Any
) -> None:
    settings.DOWNLOAD_LIMIT = 1
    fetch(grant, PHONE, Range="bytes=0-1")
    at_first = fetch(grant, LAPTOP)
    Download.objects.update(held_until=timezone.now() - timedelta(seconds=1))

    assert at_first.status_code == 409
    assert "Another program or device" in at_first.content.decode()
    assert int(at_first["Retry-After"]) > 0
    assert fetch(grant, LAPTOP).status_code == 200


def places_lapse(grant: UserAsset) -> None:
    """More time passes than places are kept for."""
    past = timezone.now() - timedelta(seconds=1)
    Download.objects.filter(grant=grant, held_until__isnull=False).update(held_until=past)


def test_a_byte_for_everybody_beforehand_is_no_way_around_a_limit_of_one(
    grant: UserAsset, settings: Any
) -> None:
    settings.DOWNLOAD_LIMIT = 1
    programs = [f"program {number}" for number in range(5)]
    for program in programs:
        assert fetch(grant, program, Range="bytes=0-0").status_code == 206
        places_lapse(grant)

    statuses = [fetch(grant, program).status_code for program in programs]

    assert statuses == [200, 403, 403, 403, 403]
    assert counted(grant) == in_the_ledger(grant) == 1


def test_who_comes_back_after_the_place_has_lapsed_goes_on_if_nobody_else_took_it(
    client: Client, settings: Any
) -> None:
    settings.DOWNLOAD_LIMIT = 1
    (grant,) = bought_as_guest(client, bytes(2_000_000))
    broken_after(grant, 40)
    places_lapse(grant)

    resumed = fetch(grant, Range="bytes=800000-")

    assert resumed.status_code == 206
    assert fetch(grant, LAPTOP).status_code == 403
    assert counted(grant) == 1


@pytest.mark.wide
def test_of_two_who_left_in_the_middle_the_second_to_come_back_waits(
    client: Client, settings: Any
) -> None:
    settings.DOWNLOAD_LIMIT = 1
    (grant,) = bought_as_guest(client, bytes(2_000_000))
    for program in (PHONE, LAPTOP):
        broken_after(grant, 10, program)
        places_lapse(grant)

    first = fetch(grant, PHONE, whole=False)
    second = fetch(grant, LAPTOP)

    assert (first.status_code, second.status_code) == (200, 409)


@pytest.mark.wide
def test_three_broken_starts_on_a_train_and_the_rest_by_another_network_are_one_download(
    client: Client, settings: Any
) -> None:
    settings.DOWNLOAD_LIMIT = 1
    (grant,) = bought_as_guest(client, bytes(8_000_000))
    for _ in range(3):
        broken_after(grant, 5)

    resumed = fetch(grant, LAPTOP, Range="bytes=400000-")

    assert resumed.status_code == 206
    assert counted(grant) == 1


@pytest.mark.wide
def test_seeking_two_hundred_times_is_no_download(client: Client) -> None:
    (grant,) = bought_as_guest(client, bytes(1_000_000))
    want = Wanted(grant, grant.asset, planned_bytes=1)
    seeks = [ByteRange(start, start + 1) for start in range(10, 999_000, 4_000)]

    for seek in [*seeks, ByteRange(999_999, 1_000_000)]:
        begun = downloads_begin([want], client=Digest("a player"))
        downloads_sent(begun, sent={want.pair: [seek]})

    row = Download.objects.get()
    assert row.counted_at is None
    assert covered_bytes([row]) == row.sent_bytes == len(seeks) + 1
    assert len(row.covered) == STRETCHES_NOTED


@pytest.mark.wide
def test_a_file_in_a_thousand_pieces_is_a_download(client: Client) -> None:
    (grant,) = bought_as_guest(client, bytes(1_000_000))
    want = Wanted(grant, grant.asset, planned_bytes=1000)
    even = [ByteRange(start, start + 1000) for start in range(0, 1_000_000, 2000)]

    for piece in [*even, ByteRange(1000, 2000)]:
        begun = downloads_begin([want], client=Digest("a program"))
        downloads_sent(begun, sent={want.pair: [piece]})

    assert counted(grant) == in_the_ledger(grant) == 1


@pytest.mark.wide
def test_an_answer_that_could_not_begin_holds_no_place(
    grant: UserAsset, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DOWNLOAD_LIMIT = 1
    busy = slots.paid.busy

    def gone(storage: Any, name: str, mode: str = "rb") -> Any:
        raise FileNotFoundError(name)

    with monkeypatch.context() as patch:  # the disk, between our look at it and the opening
        patch.setattr(type(grant.asset.file.storage), "_open", gone)
        refused = fetch(grant, PHONE)

    assert refused.status_code == 503
    assert slots.paid.busy <= busy
    assert fetch(grant, LAPTOP).status_code == 200


def test_a_reader_however_slow_keeps_its_place(client: Client, settings: Any) -> None:
    settings.DOWNLOAD_LIMIT = 1
    (grant,) = bought_as_guest(client, bytes(2_000_000))
    going_on = fetch(grant, PHONE, whole=False)
    almost = timezone.now() + timedelta(seconds=5)
    Download.objects.update(held_until=almost)

    places_renew(Download.objects.values_list("pk", flat=True))

    assert Download.objects.get().held_until > almost
    assert fetch(grant, LAPTOP).status_code == 409
    body_of(going_on)


@pytest.mark.wide
def test_what_is_over_has_no_place_to_renew(grant: UserAsset) -> None:
    fetch(grant, Range="bytes=0-1")
    places_lapse(grant)

    places_renew(Download.objects.values_list("pk", flat=True))

    assert Download.objects.get().held_until < timezone.now()


@pytest.mark.wide
@pytest.mark.django_db(transaction=True)
def test_places_are_renewed_by_themselves_while_a_slot_is_taken(client: Client) -> None:
    (grant,) = bought_as_guest(client)
    begun = downloads_begin([Wanted(grant, grant.asset)], client=Digest("slow"))
    (row,) = [begin.download for begin in begun.values()]
    almost = timezone.now() + timedelta(seconds=5)
    Download.objects.update(held_until=almost)
    slot = slots.paid.take()
    assert slot is not None
    keeper = Keeper(every_s=0.05)

    keeper.keep(slot, [row.pk])

    assert eventually(lambda: Download.objects.get().held_until > almost)
    slot.release()
    assert eventually(lambda: not keeper.is_running)


@pytest.mark.wide
def test_a_beginning_that_broke_three_times_is_still_a_beginning(client: Client) -> None:
    (grant,) = bought_as_guest(client, bytes(2_000_000))

    for _ in range(3):
        broken_after(grant, 20)

    assert counted(grant) == 0


@pytest.mark.wide
def test_programs_that_share_a_file_out_among_them_have_had_it(client: Client) -> None:
    (grant,) = bought_as_guest(client, bytes(900_000))
    thirds = ["bytes=0-299999", "bytes=300000-599999", "bytes=600000-"]

    for number, third in enumerate(thirds):
        fetch(grant, f"program {number}", Range="bytes=0-0")
        fetch(grant, f"program {number}", Range=third)

    assert counted(grant) == 1


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    "header", ["bytes=1-", "bytes=00-", "x", "bytes=-999999999", "BYTES=0-", "bytes=0-5,7-"]
)
@pytest.mark.parametrize("accel", ["", "/protected/"])
def test_no_range_is_a_way_around_the_limit_whoever_sends_the_bytes(
    grant: UserAsset, settings: Any, accel: str, header: str
) -> None:
    settings.DOWNLOAD_LIMIT = 1
    settings.PROTECTED_ACCEL_REDIRECT = accel
    fetch(grant, "the first")

    statuses = [fetch(grant, f"client {n}", Range=header).status_code for n in range(10)]

    assert statuses[-1] == 403
    assert sum(status in (200, 206) for status in statuses) <= 2


@pytest.mark.wide
def test_requests_at_the_same_time_are_promised_no_more_than_their_share(
    grant: UserAsset, settings: Any
) -> None:
    settings.DOWNLOAD_LIMIT = 1
    fetch(grant, "the first", whole=False)

    rest = [fetch(grant, f"client {n}", whole=False, Range="bytes=1-") for n in range(10)]

    assert sum(answer.status_code == 206 for answer in rest) <= 2


@pytest.mark.wide
def test_a_download_keeps_its_place_while_another_connection_of_it_is_open(
    client: Client, settings: Any
) -> None:
    settings.DOWNLOAD_LIMIT = 1
    (grant,) = bought_as_guest(client, bytes(2_000_000))
    going_on = fetch(grant, PHONE, whole=False)
    before = Download.objects.get().held_until

    fetch(grant, PHONE, Range="bytes=0-1")

    assert Download.objects.get().held_until >= before
    body_of(going_on)
    assert counted(grant) == 1
