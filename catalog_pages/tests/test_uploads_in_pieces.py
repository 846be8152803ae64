"""A file that arrives in pieces: from where it stopped, never over its end, never somebody else's."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from catalog_pages.models import DigitalAsset, PendingUpload
from catalog_pages.roles import EDITORS
from catalog_pages.tests.editors import member_client, tone
from catalog_pages.tests.stored_files import keep_in_folder
from catalog_pages.tests.uploading import Sender, answer, checked, private_files, private_folder
from catalog_pages.uploads import local
from catalog_pages.uploads.errors import WrongOffset
from catalog_pages.uploads.receiving import (
    LOOKS,
    TWO_WINDOWS,
    Begun,
    upload_begin,
    upload_drop,
    upload_finish,
    upload_receive,
)
from tests.factories import make_user
from tests.together import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    keep_in_folder(settings, monkeypatch, tmp_path / "protected")


@pytest.fixture
def sender() -> Sender:
    return Sender(member_client(EDITORS), tone())


# --- Arriving ----------------------------------------------------------------------------------


def test_a_file_in_pieces_becomes_an_asset_byte_for_byte(
    sender: Sender, django_capture_on_commit_callbacks: Any
) -> None:
    status, begun = sender.begin()
    middle = len(sender.content) // 2

    first = sender.piece(begun["address"], 0, middle)
    second = sender.piece(begun["address"], middle)
    with django_capture_on_commit_callbacks(execute=True):
        finished, _ = sender.finish(begun["id"])

    asset = DigitalAsset.objects.get()
    assert (status, begun["state"], begun["parts"]) == (201, "receiving", None)
    assert first == (200, {"received_bytes": middle})
    assert second == (200, {"received_bytes": len(sender.content)})
    assert finished == 202
    assert asset.sha256 == hashlib.sha256(sender.content).hexdigest()
    assert str(asset.pk) == begun["id"]
    with asset.file.open() as stored:
        assert stored.read() == sender.content
    assert private_files() == {}
    ended = sender.state(begun["id"])
    assert (ended["state"], ended["sentence"]) == ("stored", "Stored.")
    assert ended["facts"][:2] == ["WAV", "0:01"]
    assert ended["url"] == reverse("digital_assets:inspect", args=[asset.pk])


def test_the_same_file_chosen_again_goes_on_where_it_stopped(sender: Sender) -> None:
    _, begun = sender.begin()
    sender.piece(begun["address"], 0, 1000)

    status, again = sender.begin()

    assert status == 200
    assert (again["id"], again["received_bytes"]) == (begun["id"], 1000)
    assert PendingUpload.objects.count() == 1


@pytest.mark.wide
@pytest.mark.parametrize(
    "other", [{"size_bytes": 5}, {"last_modified": 1}, {"file_name": "other.wav"}]
)
def test_another_file_is_another_upload(sender: Sender, other: dict[str, Any]) -> None:
    _, begun = sender.begin()

    status, different = sender.begin(**other)

    assert status == 201
    assert different["id"] != begun["id"]


@pytest.mark.parametrize("offset", [0, 999, 1001, 5000, 10**17])
def test_a_piece_from_the_wrong_place_is_told_the_right_one(sender: Sender, offset: int) -> None:
    _, begun = sender.begin()
    sender.piece(begun["address"], 0, 1000)

    status, body = sender.patch(begun["address"], offset, b"x" * 10)

    assert (status, body["code"], body["received_bytes"]) == (409, "wrong_offset", 1000)
    assert list(private_files().values()) == [sender.content[:1000]]


def test_no_more_is_kept_than_was_declared(sender: Sender) -> None:
    _, begun = sender.begin()
    end = len(sender.content)
    sender.piece(begun["address"], 0, end - 1)

    status, body = sender.patch(begun["address"], end - 1, b"xy")

    assert (status, body["code"]) == (413, "piece_too_long")
    assert body["sentence"].endswith(".")
    assert list(private_files().values()) == [sender.content[:-1]]


def test_a_piece_is_no_longer_than_a_piece(sender: Sender, monkeypatch: Any) -> None:
    monkeypatch.setattr(local, "PIECE_BYTES", 100)
    _, begun = sender.begin()

    status, body = sender.piece(begun["address"], 0, 101)

    assert (status, body["code"]) == (413, "piece_too_long")
    assert list(private_files().values()) == [b""]


def test_a_piece_without_its_length_is_refused_and_not_dropped(sender: Sender) -> None:
    _, begun = sender.begin()
    headers = {"upload-offset": "0", "transfer-encoding": "chunked"}

    response = sender.client.generic(
        "PATCH", begun["address"], sender.content, headers=headers, CONTENT_LENGTH=""
    )

    assert (response.status_code, response.json()["code"]) == (411, "length_required")
    assert response.json()["sentence"].endswith("Content-Length.")
    assert list(private_files().values()) == [b""]


def test_an_empty_piece_changes_nothing(sender: Sender) -> None:
    _, begun = sender.begin()

    status, body = sender.patch(begun["address"], 0, b"")

    assert (status, body["received_bytes"]) == (200, 0)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("offset", ["", "-1", "1.5", "0x10", "٣", "9" * 30, "one"])
def test_an_offset_that_is_no_number_is_refused(sender: Sender, offset: str) -> None:
    _, begun = sender.begin()
    kind = "application/partial-upload"

    response = sender.client.generic(
        "PATCH", begun["address"], b"abc", kind, HTTP_UPLOAD_OFFSET=offset
    )

    assert response.status_code == 400
    assert sender.state(begun["id"])["received_bytes"] == 0


def test_what_came_before_the_line_broke_is_kept() -> None:
    content = tone()
    upload = upload_begin(
        user=make_user(), file_name="harbour.wav", size_bytes=len(content), last_modified=1
    ).upload

    def blocks() -> Iterator[bytes]:
        yield content[:700]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        upload_receive(upload=upload, offset=0, blocks=blocks())

    upload.refresh_from_db()
    assert upload.received_bytes == 700
    assert list(private_files().values()) == [content[:700]]


@pytest.mark.wide
@pytest.mark.django_db(transaction=True)
def test_of_two_pieces_for_one_place_one_is_taken() -> None:
    block, count = 1000, 8
    size = block * count
    upload_begin(user=make_user(), file_name="harbour.wav", size_bytes=size, last_modified=1)

    def sending(letter: bytes) -> Any:
        blocks = [letter * block] * count
        return lambda: upload_receive(
            upload=PendingUpload.objects.get(), offset=0, blocks=iter(blocks)
        )

    results = at_once(*(sending(letter) for letter in (b"a", b"b", b"c", b"d")))

    [stored] = private_files().values()
    [winner] = [result for result in results if result == size]
    assert winner == len(stored)
    assert len(set(stored)) == 1  # all of it from one of them
    assert {result.code for result in results if result != size} == {"wrong_offset"}


@pytest.mark.wide
@pytest.mark.django_db(transaction=True)
def test_no_two_write_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    upload_begin(user=make_user(), file_name="a.wav", size_bytes=9, last_modified=1)
    together, write, met = threading.Barrier(2), os.pwrite, []

    def write_when_both_are_here(*arguments: Any) -> int:
        with suppress(threading.BrokenBarrierError):
            together.wait(timeout=1)
            met.append("two had found the file at the same length")
        return write(*arguments)

    monkeypatch.setattr(os, "pwrite", write_when_both_are_here)
    jobs = [
        lambda block=block: upload_receive(
            upload=PendingUpload.objects.get(), offset=0, blocks=[block]
        )
        for block in (b"aaaa", b"bb")
    ]
    results = at_once(*jobs)

    assert met == []
    assert sum(isinstance(result, WrongOffset) for result in results) == 1


@pytest.mark.wide
@pytest.mark.django_db(transaction=True)
def test_the_same_file_begun_in_two_windows_is_one_upload() -> None:
    user = make_user()

    def begin() -> Any:
        return upload_begin(user=user, file_name="a.wav", size_bytes=9, last_modified=1)

    begun = at_once(begin, begin, begin)

    assert len({one.upload.pk for one in begun}) == 1
    assert sum(one.is_new for one in begun) == 1


@contextmanager
def another_window(
    *, begins: Callable[[], object], ends: Callable[[], object], times: int
) -> Iterator[list[Any]]:
    """It begins the same file after each of our first `times` looks, and ends it before the next.

    A look is for an unfinished upload. Yields what each of its steps returned or raised.
    """
    looks, steps = 0, []

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal looks
        if looks > times or '"fingerprint" = ' not in sql or '"state" IN ' not in sql:
            return execute(sql, params, many, context)
        if looks:
            steps.extend(at_once(ends))
        looks += 1
        result = execute(sql, params, many, context)
        if looks <= times:
            steps.extend(at_once(begins))
        return result

    with connection.execute_wrapper(wrapper):
        yield steps


def drop_it() -> None:
    upload_drop(upload=PendingUpload.objects.get(state="receiving"))


@pytest.mark.wide
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("times", [1, LOOKS - 1])
def test_a_file_dropped_in_the_other_window_in_that_moment_is_begun_here(times: int) -> None:
    user = make_user()

    def begin() -> Begun:
        return upload_begin(user=user, file_name="a.wav", size_bytes=9, last_modified=1)

    with another_window(begins=begin, ends=drop_it, times=times) as steps:
        begun = begin()

    assert [getattr(step, "is_new", step) for step in steps] == [True, None] * times
    assert begun.is_new
    assert PendingUpload.objects.get() == begun.upload


@pytest.mark.wide
@pytest.mark.django_db(transaction=True)
def test_a_file_stored_from_the_other_window_in_that_moment_is_found(settings: Any) -> None:
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}}
    user, content = make_user(), tone()

    def begin() -> Begun:
        return upload_begin(
            user=user, file_name="a.wav", size_bytes=len(content), last_modified=1, again=True
        )

    def store() -> Any:
        upload = PendingUpload.objects.get()
        upload_receive(upload=upload, offset=0, blocks=[content])
        return checked(upload_finish(upload=upload)).state

    with another_window(begins=begin, ends=store, times=1) as steps:
        begun = begin()

    assert steps[1:] == ["stored"]
    assert (begun.upload.asset, begun.is_new) == (DigitalAsset.objects.get(), False)


@pytest.mark.wide
@pytest.mark.django_db(transaction=True)
def test_a_file_that_the_other_window_begins_and_drops_all_the_while_is_refused() -> None:
    sender, other = Sender(member_client(EDITORS), b"9 letters"), Client()
    other.cookies = sender.client.cookies

    with another_window(
        begins=Sender(other, sender.content).begin, ends=drop_it, times=LOOKS
    ) as steps:
        status, body = sender.begin()

    assert [step and step[0] for step in steps] == [201, None] * (LOOKS - 1) + [201]
    assert (status, body["code"], body["sentence"]) == (409, "upload_over", TWO_WINDOWS)
    assert PendingUpload.objects.count() == 1, "the other window's"


# --- Ending ------------------------------------------------------------------------------------


def test_what_is_not_whole_is_not_checked(sender: Sender) -> None:
    _, begun = sender.begin()
    sender.piece(begun["address"], 0, 1000)

    status, body = sender.finish(begun["id"])

    assert (status, body["code"]) == (409, "not_whole")
    assert sender.state(begun["id"])["state"] == "receiving"


def test_a_file_is_handed_over_once(
    sender: Sender, django_capture_on_commit_callbacks: Any
) -> None:
    _, begun = sender.begin()
    sender.piece(begun["address"], 0)

    with django_capture_on_commit_callbacks() as enqueued:
        first, second = sender.finish(begun["id"]), sender.finish(begun["id"])

    assert (first[0], second[0]) == (202, 202)
    assert first[1]["sentence"] == "Checking the file …"
    assert len(enqueued) == 1


def test_nothing_is_added_to_a_file_that_is_being_checked(sender: Sender) -> None:
    _, begun = sender.begin()
    sender.piece(begun["address"], 0)
    sender.finish(begun["id"])

    late = sender.patch(begun["address"], len(sender.content), b"x")
    dropped = answer(sender.client.delete(begun["address"]))
    again, found = sender.begin()

    assert (late[0], late[1]["code"]) == (409, "upload_over")
    assert (dropped[0], dropped[1]["code"]) == (409, "upload_over")
    assert (again, found["id"], found["state"]) == (200, begun["id"], "checking")
    assert list(private_files().values()) == [sender.content]


def test_what_is_dropped_is_gone(sender: Sender) -> None:
    _, begun = sender.begin()
    sender.piece(begun["address"], 0, 1000)

    response = sender.client.delete(begun["address"])

    assert response.status_code == 204
    assert private_files() == {}
    assert sender.client.get(begun["address"]).status_code == 404
    assert sender.piece(begun["address"], 1000)[0] == 404


def test_bytes_that_vanished_are_sent_again(sender: Sender) -> None:
    _, begun = sender.begin()
    sender.piece(begun["address"], 0, 1000)
    (private_folder() / begun["id"].replace("-", "")).unlink()

    _, again = sender.begin()

    assert again["received_bytes"] == 0
    assert sender.piece(begun["address"], 0)[0] == 200
