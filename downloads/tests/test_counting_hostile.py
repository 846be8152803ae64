"""What a limit holds against programs that share, wait and seek, and what it must not hold against buyers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.db.utils import InterfaceError, OperationalError
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from downloads import places
from downloads.counting import (
    Wanted,
    downloads_begin,
    downloads_give_back,
    downloads_hand_over,
    downloads_sent,
)
from downloads.coverage import covered_bytes
from downloads.errors import LimitReached
from downloads.links import archive_url, file_url
from downloads.models import AccessEvent, Download, UserAsset
from downloads.policy import Client as Digest
from downloads.policy import decide
from downloads.ranges import ByteRange
from downloads.tests.granting import body_of, bought_as_guest
from downloads.tests.test_counting import (
    LAPTOP,
    PHONE,
    TABLET,
    a_window_later,
    broken_after,
    counted,
    fetch,
    in_the_ledger,
)
from tests.together import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.wide]
SIZE = 1_000_000


@pytest.fixture
def grant(client: Client) -> UserAsset:
    (grant,) = bought_as_guest(client, bytes(SIZE - 16))  # a uuid follows
    assert grant.asset.size_bytes == SIZE
    return grant


def sends(grant: UserAsset, program: str, start: int, stop: int, *, resumes: bool = False) -> None:
    """A request for these bytes of the file, sent whole."""
    want = Wanted(grant, grant.asset, planned_bytes=stop - start)
    begun = downloads_begin([want], client=Digest(program, resumes))
    downloads_sent(begun, sent={want.pair: [ByteRange(start, stop)]})


def test_one_whole_download_forgives_nobody_elses_half(grant: UserAsset, settings: Any) -> None:
    settings.DOWNLOAD_LIMIT = 100
    programs = [f"program {number}" for number in range(10)]
    for program in programs:
        sends(grant, program, 0, 490_000)

    sends(grant, "another", 0, SIZE)
    for program in programs:
        sends(grant, program, 490_000, 980_000)

    assert counted(grant) == in_the_ledger(grant) == 11


def test_halves_that_are_one_file_together_count_once_for_each_pair(
    grant: UserAsset, settings: Any
) -> None:
    settings.DOWNLOAD_LIMIT = 100
    for number in range(5):
        sends(grant, f"first half {number}", 0, 490_000)

    for number in range(5):
        sends(grant, f"second half {number}", 490_000, 980_000)

    assert counted(grant) == in_the_ledger(grant) == 5


def test_a_byte_that_has_counted_makes_nobody_immune(grant: UserAsset, settings: Any) -> None:
    settings.DOWNLOAD_LIMIT = 100
    for number in range(10):
        sends(grant, f"program {number}", 990_000 + number, 990_001 + number)
    sends(grant, "another", 0, 499_995)
    assert counted(grant) == 1

    for number in range(5):
        sends(grant, f"program {number}", 10_000, 500_000)
        sends(grant, f"program {number + 5}", 500_000, 980_000)

    assert counted(grant) == 6


def test_programs_that_were_sent_the_same_over_and_over_hide_nobody(
    grant: UserAsset, settings: Any
) -> None:
    settings.DOWNLOAD_LIMIT = 1000
    for number in range(110):
        for _ in range(5):
            sends(grant, f"decoy {number}", 0, 90_000)

    for number in range(5):
        sends(grant, f"first {number}", 0, 400_000)
        sends(grant, f"second {number}", 400_000, 800_000)

    assert counted(grant) == 5


def test_lines_that_broke_before_it_counted_are_held_against_nobody(
    grant: UserAsset, settings: Any
) -> None:
    settings.DOWNLOAD_LIMIT = 1
    for _ in range(4):
        sends(grant, "a phone", 0, 490_000)
        a_window_later(grant)
    sends(grant, "a phone", 0, 600_000)
    a_window_later(grant)

    sends(grant, "a phone", 600_000, SIZE, resumes=True)

    assert counted(grant) == 1


def test_an_outage_does_not_spend_what_it_gives_back(grant: UserAsset, settings: Any) -> None:
    settings.DOWNLOAD_LIMIT = 1
    whole = [Wanted(grant, grant.asset)]
    for _ in range(2):
        downloads_hand_over(whole, client=Digest(PHONE), by_link=True)
    downloads_give_back(since=timezone.now() - timedelta(seconds=30))
    downloads_hand_over(whole, client=Digest(PHONE), by_link=True)

    downloads_hand_over(whole, client=Digest(LAPTOP, resumes=True), by_link=True)

    assert counted(grant) == 1


def test_an_address_for_what_we_have_sent_stands_in_the_ledger_once(grant: UserAsset) -> None:
    sends(grant, PHONE, 0, SIZE)

    for _ in range(3):
        downloads_hand_over([Wanted(grant, grant.asset)], client=Digest(PHONE), by_link=True)

    assert in_the_ledger(grant, "link_issued") == in_the_ledger(grant) == 1


def test_old_downloads_cost_no_query_each(grant: UserAsset, settings: Any) -> None:
    settings.DOWNLOAD_LIMIT = 1000

    def queries() -> int:
        sends(grant, PHONE, 0, SIZE)
        a_window_later(grant)
        asked_anew = UserAsset.objects.get(pk=grant.pk)
        with CaptureQueriesContext(connection) as captured:
            decide(asked_anew, asset=grant.asset, client=Digest(PHONE, resumes=True))
        return len(captured)

    assert len({queries() for _ in range(8)}) == 1


def test_halves_of_different_days_are_one_file_all_the_same(grant: UserAsset) -> None:
    sends(grant, PHONE, 0, 490_000)
    a_window_later(grant)

    sends(grant, LAPTOP, 490_000, 980_000)

    assert counted(grant) == 1


def test_nobody_waits_for_a_place_of_their_own_that_outlived_its_window(
    grant: UserAsset, settings: Any
) -> None:
    settings.DOWNLOAD_LIMIT = 1
    broken_after(grant, 30)
    past = timezone.now() - timedelta(minutes=1)
    Download.objects.update(started_at=past - timedelta(days=1), ends_at=past)

    resumed = fetch(grant, PHONE, Range="bytes=400000-")

    assert resumed.status_code == 206
    assert counted(grant) == 1


def test_a_third_of_a_file_each_day_is_a_download_on_the_second(grant: UserAsset) -> None:
    for day in range(3):
        sends(grant, PHONE, day * 333_000, (day + 1) * 333_000)
        a_window_later(grant)

    assert counted(grant) == 1


def test_the_same_beginning_each_day_is_no_download(grant: UserAsset) -> None:
    for _ in range(5):
        sends(grant, PHONE, 0, 333_000)
        a_window_later(grant)

    assert counted(grant) == 0


def test_what_counted_yesterday_is_finished_today_whatever_is_left(
    grant: UserAsset, settings: Any
) -> None:
    settings.DOWNLOAD_LIMIT = 1
    broken_after(grant, 80)
    had = covered_bytes(Download.objects.all())
    a_window_later(grant)

    rest = fetch(grant, Range=f"bytes={had}-")

    assert rest.status_code == 206
    assert counted(grant) == 1
    assert fetch(grant).status_code == 403
    assert fetch(grant, Range="bytes=1-").status_code == 403


def test_a_window_that_closes_under_readers_frees_no_place(grant: UserAsset, settings: Any) -> None:
    settings.DOWNLOAD_LIMIT = 1
    going_on = fetch(grant, PHONE, whole=False)
    past = timezone.now() - timedelta(minutes=1)
    Download.objects.update(started_at=past - timedelta(days=1), ends_at=past)

    others = [fetch(grant, program).status_code for program in (LAPTOP, TABLET)]
    body_of(going_on)

    assert others == [409, 409]
    assert counted(grant) == 1
    assert fetch(grant, LAPTOP).status_code == 403


def test_who_comes_back_to_a_network_resumes_what_the_other_has_counted(
    grant: UserAsset, settings: Any
) -> None:
    settings.DOWNLOAD_LIMIT = 1
    broken_after(grant, 20, PHONE)
    Download.objects.update(held_until=timezone.now())
    broken_after(grant, 70, LAPTOP)

    back = fetch(grant, PHONE, Range="bytes=600000-")

    assert back.status_code == 206
    assert counted(grant) == 1


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_places_go_on_being_renewed_after_the_database_was_away(
    grant: UserAsset, monkeypatch: pytest.MonkeyPatch, error: type[DatabaseError]
) -> None:
    asked = threading.Semaphore(0)

    def renew(ids: Any) -> None:
        asked.release()
        raise error("the database is away")

    monkeypatch.setattr(places, "places_renew", renew)
    slot = places.Slot(lambda: None)
    keeper = places.Keeper(every_s=0.01)

    keeper.keep(slot, [1])

    assert asked.acquire(timeout=60)
    assert asked.acquire(timeout=60)
    slot.release()


@pytest.mark.django_db(transaction=True)
def test_a_download_counts_though_the_database_was_lost_meanwhile(client: Client) -> None:
    (grant,) = bought_as_guest(client, bytes(SIZE))
    going_on = fetch(grant, whole=False)

    with the_database_lost():
        body_of(going_on)

    assert counted(grant) == in_the_ledger(grant) == 1
    assert Download.objects.get().open_requests == 0


@contextmanager
def the_database_lost() -> Iterator[None]:
    """Our connection is cut by the server; SQLite has none, and says once that it cannot be read."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (pid,) = cursor.fetchone()
        at_once(partial(cut, pid))
        yield
        return
    told: list[str] = []

    def once(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not told:
            told.append(sql)
            raise OperationalError("disk I/O error")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(once):
        yield
    assert told


def cut(pid: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])


def test_what_is_counted_while_an_outage_is_settled_stays_counted(
    grant: UserAsset,
) -> None:
    for program in (PHONE, LAPTOP):
        downloads_hand_over([Wanted(grant, grant.asset)], client=Digest(program), by_link=True)

    given_back = downloads_give_back(since=timezone.now() - timedelta(seconds=30))

    kinds = list(AccessEvent.objects.filter(grant=grant).values_list("kind", flat=True))
    assert given_back == kinds.count("not_counted") == 2
    assert kinds.count("downloaded") - kinds.count("not_counted") == counted(grant) == 0


def test_behind_nginx_the_parts_of_a_download_manager_are_booked_as_parts(
    grant: UserAsset, settings: Any
) -> None:
    settings.DOWNLOAD_LIMIT = 1
    settings.PROTECTED_ACCEL_REDIRECT = "/protected/"
    eighth = SIZE // 8
    for part in range(8):
        fetch(grant, PHONE, Range=f"bytes={part * eighth}-{(part + 1) * eighth - 1}")

    resumed = fetch(grant, LAPTOP, Range="bytes=600000-")

    assert resumed.status_code == 200  # for nginx, which reads the range itself
    assert Download.objects.get().sent_bytes == SIZE + 400_000


@pytest.mark.parametrize(
    "headers",
    [
        {"Range": "bytes=0-0", "If-Range": '"another"'},
        {"Range": "bytes=" + ",".join(f"{start}-{start}" for start in range(1, 18))},
        {"Range": "bytes=" + ",".join(["500000-"] * 3)},
    ],
)
def test_behind_nginx_parts_that_may_be_the_whole_are_booked_as_the_whole(
    grant: UserAsset, settings: Any, headers: dict[str, str]
) -> None:
    settings.DOWNLOAD_LIMIT = 1
    settings.PROTECTED_ACCEL_REDIRECT = "/protected/"

    first = fetch(grant, PHONE, **headers)

    assert first.status_code == 200
    assert Download.objects.get().sent_bytes == SIZE
    assert fetch(grant, LAPTOP, **headers).status_code == 403


def test_a_limit_that_is_reached_stays_so_for_whoever_begins_anew(
    grant: UserAsset, settings: Any
) -> None:
    settings.DOWNLOAD_LIMIT = 1
    sends(grant, PHONE, 0, SIZE)

    with pytest.raises(LimitReached):
        sends(grant, LAPTOP, 0, 1)


# --- After a guest's link has ended -----------------------------------------------------------------


def ended(settings: Any) -> None:
    settings.DOWNLOAD_LINK_HOURS = -1


def program(name: str = PHONE) -> Client:
    return Client(headers={"User-Agent": name})


def test_it_goes_on_while_the_connection_that_broke_still_seems_open(
    grant: UserAsset, settings: Any
) -> None:
    url = file_url(grant)
    hanging = program().get(url)
    got = len(next(iter(hanging.streaming_content)))
    ended(settings)

    resumed = program().get(url, headers={"Range": f"bytes={got}-"})

    assert resumed.status_code == 206


def test_the_end_that_was_lost_on_the_line_is_sent_again_at_once_and_not_later(
    grant: UserAsset, settings: Any
) -> None:
    url = file_url(grant)
    body_of(program().get(url))
    ended(settings)
    tail = {"Range": "bytes=500000-"}

    at_once = program().get(url, headers=tail)
    body_of(at_once)
    Download.objects.update(held_until=timezone.now())
    later = program().get(url, headers=tail)

    assert (at_once.status_code, later.status_code) == (206, 410)


def test_no_more_than_the_file_twice_over_goes_out_by_an_ended_link(
    grant: UserAsset, settings: Any
) -> None:
    url = file_url(grant)
    body_of(program().get(url))
    ended(settings)

    answers = []
    for _ in range(3):
        answer = program().get(url, headers={"Range": "bytes=1-"})
        answers.append(answer.status_code)
        if answer.streaming:
            body_of(answer)

    assert answers == [206, 410, 410]


def test_a_request_of_a_process_that_died_opens_no_ended_link(
    grant: UserAsset, settings: Any
) -> None:
    url = file_url(grant)
    downloads_begin([Wanted(grant, grant.asset)], client=Digest("of a dead process"))
    hanging = program().get(url)
    Download.objects.update(held_until=timezone.now())
    ended(settings)

    assert program().get(url, headers={"Range": "bytes=500000-"}).status_code == 410
    body_of(hanging)


@pytest.mark.parametrize("validator", [{}, {"If-None-Match": "*"}])
def test_a_part_of_a_zip_opens_no_ended_link_behind_nginx(
    grant: UserAsset, settings: Any, validator: dict[str, str]
) -> None:
    url = file_url(grant)
    body_of(program().get(archive_url(grant), headers={"Range": "bytes=0-2000"}))
    settings.PROTECTED_ACCEL_REDIRECT = "/protected/"
    ended(settings)

    answer = program().get(url, headers={"Range": "bytes=500000-", **validator})

    assert answer.status_code == 410


def test_a_zip_that_stopped_at_its_very_end_goes_on(client: Client, settings: Any) -> None:
    first, _ = bought_as_guest(client, bytes(1000), bytes(2000))
    url = archive_url(first)
    size = int(program().head(url)["Content-Length"])
    body_of(program().get(url, headers={"Range": f"bytes=0-{size - 50}"}))
    ended(settings)

    resumed = program().get(url, headers={"Range": f"bytes={size - 49}-"})

    assert resumed.status_code == 206


def test_an_ended_link_is_no_way_to_fetch_over_and_over(grant: UserAsset, settings: Any) -> None:
    url = file_url(grant)
    body_of(program().get(url, headers={"Range": "bytes=0-0"}))
    ended(settings)

    answers = []
    for _ in range(4):
        answer = program().get(url, headers={"Range": f"bytes=1-{SIZE - 100}"})
        answers.append(answer.status_code)
        if answer.streaming:
            body_of(answer)
        Download.objects.update(held_until=timezone.now())

    assert answers == [206, 410, 410, 410]
