"""Why a file cannot be downloaded: what is explained is what happens, with everything behind it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog_pages.models import FixityCheck
from catalog_pages.storage import RemoteStorage
from downloads.admin.actions import press_give_back, press_reset, press_take_back
from downloads.explain import SHOWN, Entry, Explanation, explain
from downloads.grants import access_block, access_unblock, grants_claim
from downloads.links import file_url
from downloads.models import AccessEvent, UserAsset
from downloads.tests.desk import (
    fetched,
    fetched_and_reset,
    found_altered,
    found_missing,
    lifted,
    limit_of_another_version,
    stopped,
    without_limit,
)
from downloads.tests.granting import bought, held_by_address
from tests.factories import make_asset, make_editor, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def grant(client: Client) -> UserAsset:
    return bought(client, download_limit=3)[0]


def explained(grant: UserAsset) -> Explanation:
    return explain(UserAsset.objects.get(pk=grant.pk))


def deleted_from_disk(grant: UserAsset) -> None:
    Path(grant.asset.file.path).unlink()


def cut_short_on_disk(grant: UserAsset) -> None:
    path = Path(grant.asset.file.path)
    path.chmod(0o640)
    path.write_bytes(path.read_bytes()[:-1])


def both(*causes: str) -> Any:
    def stop(grant: UserAsset) -> None:
        for cause in causes:
            stopped(cause)(grant)

    return stop


# what happened, the code, what has to happen next
CASES = [
    (lambda grant: None, "", ""),
    (lambda grant: fetched(grant, 2), "", ""),
    (fetched_and_reset, "", ""),
    (without_limit, "", ""),
    (lifted, "", ""),
    (limit_of_another_version, "", ""),
    (lambda grant: fetched(grant, 3), "limit_reached", "Reset it, and the holder may start again"),
    (stopped("refund"), "revoked_by_refund", "only when the refund fails"),
    (stopped("dispute"), "suspended_by_dispute", "when the dispute is settled"),
    (stopped("staff"), "revoked_by_staff", "when staff give it back"),
    (stopped("account"), "account_closed", "closed for good"),
    (deleted_from_disk, "file_missing", "when the file is uploaded again"),
    (cut_short_on_disk, "file_missing", "when the file is uploaded again"),
    (found_missing, "", ""),  # it has come back since it was looked for
    (found_altered, "file_missing", "when the file is uploaded again"),
]


@pytest.mark.sampled(4)
@pytest.mark.parametrize(("happen", "code", "then"), CASES)
def test_what_is_explained_is_what_the_holder_gets(
    client: Client, grant: UserAsset, happen: Any, code: str, then: str
) -> None:
    happen(grant)

    explanation = explained(grant)

    answer = client.get(file_url(grant), headers={"Accept": "application/json"})
    assert explanation.code == code
    assert explanation.allowed == (answer.status_code == 200) == (code == "")
    if code:
        problem = answer.json()
        assert (problem["code"], problem["title"]) == (code, explanation.message)
        assert then in explanation.next_words
    else:
        answer.close()
        assert (explanation.message, explanation.next_words) == ("", "")


def test_every_cause_is_told_with_its_time_and_those_that_stand_come_first(
    grant: UserAsset,
) -> None:
    lines = [grant.order_item_id]
    for cause in ("refund", "dispute", "staff"):
        access_block(order_item_ids=lines, cause=cause)
    access_unblock(order_item_ids=lines, cause="staff")

    explanation = explained(grant)

    told = [(closure.words, closure.until is None) for closure in explanation.closures]
    assert told == [
        ("Payment disputed", True),
        ("Refunded", True),
        ("Taken back by staff", False),
    ]
    assert {closure.words for closure in explanation.standing} == {"Payment disputed", "Refunded"}
    assert explanation.next_words.startswith("Every one of the causes")
    assert not explanation.is_taken_back


@pytest.mark.wide
def test_the_limit_is_told_for_each_version_and_where_it_comes_from(
    grant: UserAsset, settings: Any
) -> None:
    newer = make_asset(file_name="remastered.flac")
    fetched(grant, 2)
    fetched(grant, 3, asset=newer)

    agreed = explained(grant)
    settings.DOWNLOAD_LIMIT = 5
    UserAsset.objects.filter(pk=grant.pk).update(download_limit=None)
    the_shops = explained(grant)

    assert [(use.version, use.is_bought, use.words, use.left) for use in agreed.uses] == [
        (grant.asset.file_name, True, "2 of 3", 1),
        ("remastered.flac", False, "3 of 3", 0),
    ]
    assert (agreed.left, agreed.limit, agreed.limit_is_agreed) == (1, 3, True)
    assert (the_shops.left, the_shops.limit, the_shops.limit_is_agreed) == (3, 5, False)


@pytest.mark.wide
def test_without_a_limit_there_is_nothing_to_reset(grant: UserAsset) -> None:
    without_limit(grant)

    explanation = explained(grant)

    assert [use.words for use in explanation.uses] == ["7, without a limit"]
    assert (explanation.left, explanation.limit) == (None, None)
    assert not explanation.is_reset_useful


@pytest.mark.wide
def test_a_last_place_that_is_held_is_told_with_its_end(client: Client, grant: UserAsset) -> None:
    ends = timezone.now() + timedelta(minutes=30)
    fetched(grant, 2)
    fetched(grant, counted=False, held_until=ends)

    explanation = explained(grant)

    assert explanation.allowed
    assert f"{timezone.localtime(ends):%H:%M}" in explanation.next_words
    other = client.get(file_url(grant), headers={"Accept": "application/json"})
    assert other.json()["code"] == "download_under_way"


@pytest.mark.wide
def test_each_download_is_told_with_what_became_of_it(grant: UserAsset) -> None:
    now = timezone.now()
    UserAsset.objects.filter(pk=grant.pk).update(counted_from=now - timedelta(hours=5))
    for hours, fields in {
        9: {"counted_at": now - timedelta(hours=9)},
        4: {"counted_at": now - timedelta(hours=4)},
        3: {"counted_at": None, "ends_at": now - timedelta(hours=1)},
        0: {"counted_at": None},
    }.items():
        fetched(grant, started_at=now - timedelta(hours=hours), **fields)

    fetches = explained(grant).fetches

    assert [fetch.words for fetch in fetches] == [
        "Not counted so far",
        "Not counted: too little arrived",
        "Counted",
        "Counted, before the limit was reset",
    ]
    assert {(fetch.sent_bytes, fetch.size_bytes) for fetch in fetches} == {
        (1000, grant.asset.size_bytes)
    }
    assert len({fetch.client for fetch in fetches}) == 4


# what the last check found, what is told of a file that nobody here can look at
CHECKS = [
    ("", "Not checked yet", ""),
    ("intact", "As it was stored when last checked, 3 March 2027, 14:02", ""),
    ("altered", "Altered when last checked, 3 March 2027, 14:02", "file_missing"),
    ("missing", "Missing when last checked, 3 March 2027, 14:02", "file_missing"),
]


@pytest.mark.sampled(4)
@pytest.mark.parametrize(("found", "words", "code"), CHECKS)
def test_of_a_file_in_a_bucket_the_last_check_tells(
    grant: UserAsset, found: str, words: str, code: str
) -> None:
    if found:
        checked_at = datetime(2027, 3, 3, 14, 2, tzinfo=UTC)
        FixityCheck.objects.create(asset=grant.asset, found=found, checked_at=checked_at)
    grant.asset.file.storage = RemoteStorage()

    explanation = explain(grant)

    assert (explanation.stored.words, explanation.code) == (words, code)


# --- The ledger -------------------------------------------------------------------------------------

EVENTS = [
    ("revoked", "refund", "Closed: refunded"),
    ("revoked", "dispute", "Closed: payment disputed"),
    ("revoked", "account", "Closed: the account was closed"),
    ("restored", "refund", "Open again: no longer refunded"),
    ("restored", "dispute", "Open again: no longer disputed"),
    ("link_issued", "", "The storage's own address was given out"),
    ("downloaded", "", "Downloaded"),
    ("denied", "limit_reached", "Refused: limit reached"),
    ("denied", "link_expired", "Refused: the link had ended"),
    ("denied", "file_missing", "Refused: the file was missing from the storage"),
    ("denied", "of_the_future", "Refused: of the future"),
    ("limit_reset", "", "Limit reset"),
    ("not_counted", "", "Counts no more: the storage did not answer"),
    ("listened", "", "Listened to on a page, which is no download"),
]


@pytest.mark.wide
def test_every_line_of_the_ledger_is_a_plain_sentence(grant: UserAsset) -> None:
    for kind, code, _ in EVENTS:
        AccessEvent.objects.create(grant=grant, kind=kind, code=code, asset=grant.asset)

    granted, *told = reversed(explained(grant).ledger)

    assert [entry.text for entry in told] == [text for _, _, text in EVENTS]
    assert {entry.version for entry in told} == {grant.asset.file_name}
    assert {granted.version, granted.actor, granted.note} == {""}
    assert {kind for kind, _, _ in EVENTS} | {"granted"} == set(AccessEvent.Kind.values)


def test_a_sentence_ends_with_its_time() -> None:
    assert str(Entry(datetime(2027, 3, 3, 14, 2, tzinfo=UTC), "Downloaded")) == (
        "Downloaded, 3 March 2027, 14:02"
    )


@pytest.mark.wide
def test_the_ledger_tells_who_was_given_what_and_who_claimed_it(grant: UserAsset) -> None:
    to_account = explained(grant).ledger[-1]
    held_by_address(grant, "anna@example.com")
    to_address = explained(grant).ledger[-1]
    anna = make_user("anna@example.org")
    grants_claim(user_id=anna.pk, order_item_ids=[grant.order_item_id])
    claimed, first = explained(grant).ledger

    assert to_account.text == f"Given to the account {grant.order_item.order.user}"
    assert to_address.text == first.text == "Given to the address anna@example.com"
    assert claimed.text == "Given to the account anna@example.org when it claimed the order"


@pytest.mark.wide
def test_the_ledger_tells_who_pressed_what_and_why(grant: UserAsset) -> None:
    sue = make_editor("sue@shop.example")
    fetched(grant)

    press_take_back(grant=grant, by=sue, reason="Stolen card")
    press_give_back(grant=grant, by=sue)
    press_reset(grant=grant, by=sue)

    ledger = explained(grant).ledger
    assert [(entry.text, entry.actor, entry.note) for entry in ledger[:3]] == [
        ("Limit reset", "sue@shop.example", "1 download had counted"),
        ("Given back by staff", "sue@shop.example", ""),
        ("Taken back by staff", "sue@shop.example", "Stolen card"),
    ]


def test_what_staff_wrote_is_never_in_the_holders_sentence(grant: UserAsset) -> None:
    press_take_back(grant=grant, by=make_editor(), reason="Stolen card")

    explanation = explained(grant)

    assert explanation.message
    assert "Stolen" not in explanation.message


@pytest.mark.wide
def test_a_long_ledger_is_told_from_its_newest_end(grant: UserAsset) -> None:
    denials = [AccessEvent(grant=grant, kind="denied", code=f"n{n}") for n in range(SHOWN)]
    AccessEvent.objects.bulk_create(denials)

    explanation = explained(grant)

    assert len(explanation.ledger) == SHOWN
    assert explanation.is_cut
    assert explanation.ledger[0].text == f"Refused: n{SHOWN - 1}"


def queries_of(grant: UserAsset) -> int:
    grant = UserAsset.objects.select_related("user", "asset").get(pk=grant.pk)
    with CaptureQueriesContext(connection) as queries:
        explain(grant)
    return len(queries)


@pytest.mark.wide
def test_more_of_everything_needs_no_more_queries(grant: UserAsset) -> None:
    queries_of(grant)  # content types are looked up once
    before = queries_of(grant)
    found_missing(grant)
    for newer in (make_asset(), make_asset()):
        fetched(grant, 2, asset=newer)
        AccessEvent.objects.create(grant=grant, kind="downloaded", asset=newer)
    for cause in ("refund", "dispute", "account"):
        access_block(order_item_ids=[grant.order_item_id], cause=cause)
    for _ in range(3):
        press_take_back(grant=grant, by=make_editor(), reason="Stolen card")
        press_give_back(grant=grant, by=make_editor())

    assert queries_of(grant) == before == 6
