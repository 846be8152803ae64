"""What is refused before a byte is sent, and who may send at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from catalog_pages.models import PendingUpload
from catalog_pages.roles import EDITORS
from catalog_pages.tests.editors import member_client, owner_client, tone
from catalog_pages.tests.stored_files import keep_in_folder
from catalog_pages.tests.uploading import Sender, private_files
from catalog_pages.uploads.places import upload_origins
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    keep_in_folder(settings, monkeypatch, tmp_path / "protected")


@pytest.fixture
def sender() -> Sender:
    return Sender(member_client(EDITORS), tone())


@pytest.mark.parametrize(
    "declared",
    [
        {"size_bytes": 0},
        {"file_name": "notes.txt"},
        {"file_name": "harbour.wma"},
        {"file_name": "harbour"},
        {"file_name": "../harbour.wav"},
        {"file_name": "albums/harbour.wav"},
        {"file_name": "albums\\harbour.wav"},
        {"file_name": "har\0bour.wav"},
        {"file_name": "har\nbour.wav"},
        {"file_name": "\ud800.wav"},
        {"file_name": ""},
        {"file_name": ".."},
        {"file_name": "a" * 252 + ".wav"},
    ],
)
def test_a_name_or_type_that_is_not_taken_is_a_sentence(
    sender: Sender, declared: dict[str, Any]
) -> None:
    status, body = sender.begin(**declared)

    assert status == 422
    assert body["sentence"].endswith(".")
    assert not PendingUpload.objects.exists()


def test_a_file_that_is_too_large_is_a_sentence_before_a_byte_is_sent(
    sender: Sender, settings: Any
) -> None:
    settings.MAX_UPLOAD_BYTES = 10 * 1024 * 1024

    exactly, _ = sender.begin(size_bytes=10 * 1024 * 1024)
    over, body = sender.begin(size_bytes=10 * 1024 * 1024 + 1)
    absurd, _ = sender.begin(size_bytes=10**40)

    assert (exactly, over, absurd) == (201, 413, 413)
    assert body["sentence"] == "This file is larger than 10 MB, the most that this shop takes."


def test_a_file_for_which_the_disk_has_no_room_is_a_sentence(sender: Sender, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 2**62

    status, body = sender.begin(size_bytes=2**61)

    assert (status, body["code"]) == (507, "no_room")
    assert not PendingUpload.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b"{}", b"\xff\xfe", b"[" * 100_000,
        b'{"file_name": "a.wav", "size_bytes": "9", "last_modified": 1}',
        b'{"file_name": "a.wav", "size_bytes": -1, "last_modified": 1}',
        b'{"file_name": "a.wav", "size_bytes": true, "last_modified": 1}',
        b'{"file_name": "a.wav", "size_bytes": 9.5, "last_modified": 1}',
        b'{"file_name": "a.wav", "size_bytes": NaN, "last_modified": 1}',
        b'{"file_name": ["a.wav"], "size_bytes": 9, "last_modified": 1}',
        b'{"file_name": "a.wav", "size_bytes": 9}',
        b"1" * 5_000_000,
    ],
)  # fmt: skip
def test_a_body_that_says_nothing_is_no_error_page(sender: Sender, body: bytes) -> None:
    url = reverse("digital_assets:upload_begin")

    response = sender.client.post(url, body, content_type="application/json")

    assert response.status_code == 400
    assert not PendingUpload.objects.exists()


# --- Who may -----------------------------------------------------------------------------------


def test_somebody_elses_upload_is_not_there(sender: Sender) -> None:
    _, begun = sender.begin()
    other = Sender(owner_client(), sender.content)

    statuses = [
        other.client.get(begun["address"]).status_code,
        other.piece(begun["address"], 0)[0],
        other.client.delete(begun["address"]).status_code,
        other.finish(begun["id"])[0],
        other.post("upload_part", begun["id"], 1)[0],
    ]
    _, own = other.begin()

    assert statuses == [404] * 5
    assert own["id"] != begun["id"]
    assert list(private_files().values()) == [b"", b""]


def test_only_those_who_may_add_files_send_pieces() -> None:
    shopper = Client()
    shopper.force_login(make_user())

    for client in (Client(), shopper):
        client.defaults["HTTP_X_REQUESTED_WITH"] = "XMLHttpRequest"
        assert Sender(client, b"123").begin()[0] == 403
    assert not PendingUpload.objects.exists()


def test_every_step_needs_the_token(sender: Sender) -> None:
    _, begun = sender.begin()
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = sender.client.cookies
    strict.get(reverse("digital_assets:upload"))
    forged = Sender(strict, sender.content)

    without = [
        forged.begin()[0],
        forged.piece(begun["address"], 0)[0],
        forged.finish(begun["id"])[0],
        strict.delete(begun["address"]).status_code,
    ]
    strict.defaults["HTTP_X_CSRFTOKEN"] = strict.cookies["csrftoken"].value
    with_token = forged.piece(begun["address"], 0)[0]

    assert without == [403] * 4
    assert with_token == 200


def test_the_page_names_what_was_begun(sender: Sender) -> None:
    sender.begin()
    sender.begin(file_name="second – ‘take’.wav")
    stranger = Sender(owner_client(), sender.content)

    own = sender.client.get(reverse("digital_assets:upload"))
    other = stranger.client.get(reverse("digital_assets:upload"))

    assert [row["file_name"] for row in own.context["unfinished"]] == [
        "harbour.wav",
        "second – ‘take’.wav",
    ]
    assert other.context["unfinished"] == []


def test_on_one_machine_browsers_send_to_nobody_else(sender: Sender) -> None:
    _, begun = sender.begin()

    status, body = sender.post("upload_part", begun["id"], 1)

    assert (status, body["code"]) == (409, "wrong_place")
    assert upload_origins() == []
