"""What two tabs, a lost answer, a late request or a full disk do to an upload: no byte of an asset goes."""

from __future__ import annotations

import os
from collections import namedtuple
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.utils import timezone

from catalog_pages.models import DigitalAsset, FixityCheck, PendingUpload
from catalog_pages.roles import EDITORS
from catalog_pages.tests.editors import member_client, tone
from catalog_pages.tests.stored_files import before_sql, keep_in_folder
from catalog_pages.tests.uploading import (
    Sender,
    a_while_ago,
    checked,
    private_files,
    private_folder,
    stored_files,
    whole_upload,
)
from catalog_pages.uploads import local
from catalog_pages.uploads.checking import CLAIM_LASTS, WAITS
from catalog_pages.uploads.errors import BytesLost, NoRoom, UploadOver
from catalog_pages.uploads.places import place
from catalog_pages.uploads.receiving import upload_begin, upload_drop, upload_receive
from catalog_pages.uploads.tidying import CHECK_WAITS, CHECK_WAITS_AT_MOST, uploads_tidy
from tests.factories import make_user

pytestmark = pytest.mark.django_db
MEGABYTE = 1024 * 1024
Usage = namedtuple("Usage", "free")


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    keep_in_folder(settings, monkeypatch, tmp_path / "protected")
    # Checks run when a test runs them.
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}}


@pytest.fixture
def sender() -> Sender:
    return Sender(member_client(EDITORS), tone())


def arrived(sender: Sender) -> PendingUpload:
    """An upload of which every byte is here and which nobody has finished."""
    _, begun = sender.begin()
    sender.piece(begun["address"], 0)
    return PendingUpload.objects.get(pk=begun["id"])


def stored(sender: Sender) -> PendingUpload:
    upload = arrived(sender)
    sender.finish(str(upload.pk))
    return checked(upload)


# --- Dropped in one tab, finished in another -------------------------------------------------------


def test_dropping_never_takes_the_bytes_of_an_asset(sender: Sender) -> None:
    read_before = arrived(sender)
    sender.finish(str(read_before.pk))
    checked(PendingUpload.objects.get())

    with pytest.raises(UploadOver):
        upload_drop(upload=read_before)

    assert DigitalAsset.objects.get().pk == read_before.pk
    assert stored_files() == [sender.content]


def test_what_is_finished_while_it_is_dropped_is_kept(sender: Sender) -> None:
    upload = arrived(sender)

    def finish_elsewhere() -> None:
        PendingUpload.objects.filter(pk=upload.pk).update(
            state="checking", received_bytes=upload.size_bytes
        )

    with before_sql("UPDATE", '"catalog_pages_pendingupload"', then=finish_elsewhere):
        response = sender.client.delete(f"/admin/audio-files/upload/{upload.pk}/")

    assert response.status_code == 409
    assert list(private_files().values()) == [sender.content]


def test_what_is_dropped_while_it_is_finished_is_no_error_page(sender: Sender) -> None:
    upload = arrived(sender)

    with before_sql("UPDATE", '"state" =', then=PendingUpload.objects.all().delete):
        status, body = sender.finish(str(upload.pk))

    assert (status, body["code"]) == (409, "upload_over")


def test_bytes_that_stay_when_an_upload_is_dropped_go_later(sender: Sender) -> None:
    upload = arrived(sender)
    path = private_folder() / upload.pk.hex
    path.unlink()
    path.mkdir()  # cannot be unlinked

    upload_drop(upload=upload)

    upload.refresh_from_db()
    assert (upload.state, upload.holds_bytes) == ("failed", True)
    path.rmdir()
    uploads_tidy()
    upload.refresh_from_db()
    assert not upload.holds_bytes


# --- A lost answer ---------------------------------------------------------------------------------


def test_whoever_lost_the_answer_to_the_last_request_sends_nothing_again(sender: Sender) -> None:
    upload = stored(sender)

    status, begun = sender.begin(again=True)

    assert (status, begun["id"], begun["state"]) == (200, str(upload.pk), "stored")
    assert begun["sentence"] == "Stored."
    assert PendingUpload.objects.count() == 1


def test_the_newest_of_the_kept_ones_is_found(sender: Sender) -> None:
    stored(Sender(sender.client, sender.content, "first.wav"))
    duplicate = stored(sender)

    _, begun = sender.begin(again=True)

    assert (begun["id"], begun["state"]) == (str(duplicate.pk), "duplicate")


def test_whoever_only_chooses_a_file_that_is_here_is_told_that_it_is(sender: Sender) -> None:
    stored(sender)

    assert stored(sender).state == "duplicate"


def test_somebody_elses_stored_upload_is_not_found(sender: Sender) -> None:
    stored(sender)

    status, begun = Sender(member_client(EDITORS), sender.content).begin(again=True)

    assert (status, begun["state"]) == (201, "receiving")


@pytest.mark.parametrize("loss", ["asset", "bytes", "half the bytes", "known damage"])
def test_a_file_that_is_not_whole_any_more_is_sent_again(sender: Sender, loss: str) -> None:
    asset = stored(sender).asset
    assert asset is not None
    path = Path(asset.file.path)
    if loss == "asset":
        asset.delete()
    elif loss == "bytes":
        path.unlink()
    elif loss == "half the bytes":
        os.truncate(path, asset.size_bytes // 2)
    else:
        FixityCheck.objects.create(asset=asset, found="altered", checked_at=timezone.now())

    status, begun = sender.begin(again=True)

    assert (status, begun["state"], begun["received_bytes"]) == (201, "receiving", 0)


# --- Two files that look the same -------------------------------------------------------------------


def test_files_of_one_name_size_and_date_are_told_apart_by_their_ends(sender: Sender) -> None:
    _, first = sender.begin(edges="ab" * 32)
    sender.piece(first["address"], 0, 1000)

    other, second = sender.begin(edges="cd" * 32)
    same, again = sender.begin(edges="ab" * 32)

    assert (other, second["received_bytes"]) == (201, 0)
    assert (same, again["id"], again["received_bytes"]) == (200, first["id"], 1000)


@pytest.mark.parametrize("edges", [None, 7, ["ab"], "x" * 129])
def test_what_no_browser_says_of_a_files_ends_is_refused(sender: Sender, edges: Any) -> None:
    status, body = sender.begin(edges=edges)

    assert (status, body["code"]) == (400, "bad_request")
    assert not PendingUpload.objects.exists()


# --- A late piece, and an empty one ------------------------------------------------------------------


def test_a_piece_that_comes_after_the_move_changes_nothing(sender: Sender) -> None:
    read_before = arrived(sender)
    sender.finish(str(read_before.pk))
    upload = PendingUpload.objects.get()
    place().settle(upload)  # and here the task died

    with pytest.raises(BytesLost):
        upload_receive(upload=read_before, offset=0, blocks=iter([b"late"]))

    assert private_files() == {}
    assert checked(upload).state == "stored"


def test_a_whole_file_is_not_replaced_by_what_came_late(sender: Sender) -> None:
    upload = arrived(sender)
    sender.finish(str(upload.pk))
    place().settle(upload)
    (private_folder() / upload.pk.hex).write_bytes(b"late")

    checked(upload)

    assert upload.state == "stored"
    assert (private_files(), stored_files()) == ({}, [sender.content])


@pytest.mark.parametrize("offset", [1, 999_999_999])
def test_an_empty_piece_from_nowhere_is_told_the_right_place(sender: Sender, offset: int) -> None:
    _, begun = sender.begin()

    status, body = sender.patch(begun["address"], offset, b"")

    assert (status, body["received_bytes"]) == (409, 0)


# --- Room --------------------------------------------------------------------------------------------


def free(monkeypatch: pytest.MonkeyPatch, size_bytes: int) -> None:
    monkeypatch.setattr(local.shutil, "disk_usage", lambda path: Usage(size_bytes))


def begin(name: str, size_bytes: int) -> PendingUpload:
    return upload_begin(
        user=make_user(), file_name=name, size_bytes=size_bytes, last_modified=1
    ).upload


def test_room_is_promised_once(monkeypatch: pytest.MonkeyPatch) -> None:
    free(monkeypatch, 500 * MEGABYTE)
    first = begin("a.wav", 300 * MEGABYTE)

    with pytest.raises(NoRoom):
        begin("b.wav", 300 * MEGABYTE)

    begin("c.wav", 100 * MEGABYTE)
    assert {upload.file_name for upload in PendingUpload.objects.all()} == {"a.wav", "c.wav"}
    upload_drop(upload=first)
    begin("b.wav", 300 * MEGABYTE)


def test_what_has_arrived_takes_no_second_room(monkeypatch: pytest.MonkeyPatch) -> None:
    begin("a.wav", 300 * MEGABYTE)
    PendingUpload.objects.update(received_bytes=250 * MEGABYTE)
    free(monkeypatch, 250 * MEGABYTE)

    begin("b.wav", 130 * MEGABYTE)

    assert PendingUpload.objects.count() == 2


def test_a_promise_to_somebody_who_went_away_ends_after_a_day(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    free(monkeypatch, 500 * MEGABYTE)
    begin("a.wav", 300 * MEGABYTE)
    PendingUpload.objects.update(touched_at=a_while_ago(timedelta(days=1)))

    begin("b.wav", 300 * MEGABYTE)

    assert PendingUpload.objects.count() == 2


def test_a_piece_does_not_fill_the_disk(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    _, begun = sender.begin()
    sender.piece(begun["address"], 0, 1000)
    free(monkeypatch, local.SPARE_BYTES - 1)

    status, body = sender.piece(begun["address"], 1000)

    assert (status, body["code"]) == (507, "no_room")
    assert list(private_files().values()) == [sender.content[:1000]]
    free(monkeypatch, local.SPARE_BYTES)
    assert sender.piece(begun["address"], 1000)[0] == 200


# --- Checks that have to wait --------------------------------------------------------------------------


def tidied_for(hours: int) -> int:
    """How many checks are enqueued when the scheduler tidies every five minutes and nothing else is done."""
    enqueued, handed_over = 0, PendingUpload.objects.get().touched_at
    for passed in range(0, hours * 60, 5):
        with pytest.MonkeyPatch.context() as patch:
            now = handed_over + timedelta(minutes=passed, seconds=passed)
            patch.setattr("django.utils.timezone.now", lambda now=now: now)
            enqueued += uploads_tidy().checked_again
    return enqueued


def test_a_check_that_no_worker_takes_is_enqueued_more_and_more_rarely() -> None:
    whole_upload(tone())

    first_hour = tidied_for(1)

    assert 1 <= first_hour <= 4


@pytest.mark.wide
def test_a_waiting_check_is_tried_several_times_a_day() -> None:
    whole_upload(tone())

    enqueued = tidied_for(48)

    most = 48 / (CHECK_WAITS_AT_MOST / timedelta(hours=1)) + 8
    assert 10 <= enqueued <= most


def test_a_check_is_enqueued_once_for_each_task_that_died() -> None:
    upload = whole_upload(tone())
    claim = {"claim": upload.pk, "claimed_at": a_while_ago(CLAIM_LASTS), "attempts": 1}
    PendingUpload.objects.update(**claim)

    first, second = uploads_tidy().checked_again, uploads_tidy().checked_again

    upload.refresh_from_db()
    assert (first, second) == (1, 0)
    assert (upload.claim, upload.attempts) == (None, 1)
    assert checked(upload).state == "stored"


def test_an_editor_reads_that_a_check_has_to_wait(sender: Sender) -> None:
    upload = arrived(sender)
    sender.finish(str(upload.pk))
    in_the_way = Path(storages["protected"].path(upload.key[:2]))
    in_the_way.write_text("a file where a folder has to be")

    checked(upload)
    waiting = sender.state(str(upload.pk))
    PendingUpload.objects.update(touched_at=a_while_ago(CHECK_WAITS))
    at_once = uploads_tidy().checked_again

    assert (waiting["state"], waiting["sentence"]) == ("checking", WAITS)
    assert at_once == 0  # it was tried a moment ago
    in_the_way.unlink()
    assert checked(upload).sentence == "Stored."
