"""Between the last byte and the row: checked once, refused with a sentence, and no row without bytes."""

from __future__ import annotations

import hashlib
import json
import shutil
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from wagtail.models import ModelLogEntry

from catalog_pages.assets import asset_store
from catalog_pages.models import DigitalAsset, PendingUpload
from catalog_pages.tests.editors import owner_client, tone
from catalog_pages.tests.stored_files import before_sql, keep_in_folder
from catalog_pages.tests.uploading import (
    a_while_ago,
    checked,
    private_files,
    private_folder,
    stored_files,
    whole_upload,
)
from catalog_pages.uploads.checking import ATTEMPTS_AT_MOST, CLAIM_LASTS, upload_check
from catalog_pages.uploads.tasks import check_upload
from catalog_pages.uploads.tidying import CHECK_WAITS, uploads_tidy
from tests.factories import make_asset, make_editor, make_user
from tests.together import at_once

pytestmark = pytest.mark.django_db
INSERT = 'INSERT INTO "catalog_pages_digitalasset"'


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    keep_in_folder(settings, monkeypatch, tmp_path / "protected")


# --- What becomes of it -------------------------------------------------------------------------


def test_a_whole_file_becomes_an_asset_of_the_same_id() -> None:
    content, user = tone(suffix=".flac", title="Harbour lights"), make_user()

    upload = checked(whole_upload(content, "master.flac", uploaded_by=user))

    asset = DigitalAsset.objects.get()
    assert (upload.state, upload.asset, upload.holds_bytes) == ("stored", asset, False)
    assert (asset.pk, asset.uploaded_by) == (upload.pk, user)
    assert asset.sha256 == hashlib.sha256(content).hexdigest()
    assert (asset.format_name, asset.tags["title"]) == ("FLAC", "Harbour lights")
    with asset.file.open() as stored:
        assert stored.read() == content
    assert private_files() == {}
    assert ModelLogEntry.objects.for_instance(asset).get().user == user


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("notes.wav", b"milk, bread and a stamp"),
        ("torn.wav", tone()[:30_000]),
        ("named.flac", tone()),
        ("zeros.mp3", b"\0" * 5000),
    ],
)
def test_what_is_no_sound_is_refused_and_gone(name: str, content: bytes) -> None:
    upload = checked(whole_upload(content, name))

    assert (upload.state, upload.holds_bytes) == ("refused", False)
    assert upload.sentence.endswith(".")
    assert not DigitalAsset.objects.exists()
    assert (private_files(), stored_files()) == ({}, [])


def test_the_same_bytes_lead_to_the_file_that_has_them(tmp_path: Path) -> None:
    (tmp_path / "old.wav").write_bytes(tone())
    older = asset_store(source=tmp_path / "old.wav", file_name="old.wav").asset

    upload = checked(whole_upload(tone(), "copy.wav"))

    assert (upload.state, upload.asset) == ("duplicate", older)
    assert upload.sentence == "This is the same file as “old.wav”, already here."
    assert DigitalAsset.objects.count() == 1
    assert (private_files(), stored_files()) == ({}, [tone()])


def test_the_same_bytes_bring_lost_ones_back(tmp_path: Path) -> None:
    (tmp_path / "old.wav").write_bytes(tone())
    older = asset_store(source=tmp_path / "old.wav", file_name="old.wav").asset
    storages["protected"].delete(older.file.name)

    checked(whole_upload(tone(), "copy.wav"))

    with older.file.open() as stored:
        assert stored.read() == tone()


def test_bytes_that_came_from_elsewhere_in_the_same_moment_lead_to_their_asset() -> None:
    other = make_asset(b"x" * 100)

    def insert_first() -> None:
        digest = hashlib.sha256(tone()).hexdigest()
        DigitalAsset.objects.filter(pk=other.pk).update(sha256=digest)

    with before_sql("SAVEPOINT", then=insert_first):
        upload = checked(whole_upload(tone()))

    assert (upload.state, upload.asset) == ("duplicate", other)
    assert stored_files() == [b"x" * 100]


def test_bytes_that_are_gone_are_a_sentence() -> None:
    upload = whole_upload(tone())
    shutil.rmtree(private_folder())

    checked(upload)

    assert upload.state == "failed"
    assert upload.sentence.endswith("Choose it again.")
    assert not DigitalAsset.objects.exists()


def test_bytes_that_became_fewer_are_not_sold() -> None:
    upload = whole_upload(tone() + tone())  # the first half alone would be sound
    (private_folder() / upload.pk.hex).write_bytes(tone())

    checked(upload)

    assert upload.state == "failed"
    assert not DigitalAsset.objects.exists()
    assert (private_files(), stored_files()) == ({}, [])


def test_an_upload_that_nobody_knows_needs_nothing() -> None:
    assert upload_check(upload_id=uuid.uuid4()) == ""


# --- When something fails -----------------------------------------------------------------------


def test_a_database_that_fails_at_the_row_leaves_the_bytes_and_no_row() -> None:
    upload = whole_upload(tone())

    def fail() -> None:
        raise OperationalError("disk full")

    with before_sql(INSERT, then=fail), pytest.raises(OperationalError):
        checked(upload)

    assert not DigitalAsset.objects.exists()
    assert stored_files() == [tone()]
    PendingUpload.objects.update(claimed_at=a_while_ago(CLAIM_LASTS))
    assert checked(upload).state == "stored"


def test_a_storage_that_fails_is_tried_again_without_end() -> None:
    upload = whole_upload(tone())
    in_the_way = Path(storages["protected"].path(upload.key[:2]))
    in_the_way.write_text("a file where a folder has to be")

    for _ in range(ATTEMPTS_AT_MOST + 2):
        assert checked(upload).state == "checking"

    assert list(private_files().values()) == [tone()]
    in_the_way.unlink()
    assert checked(upload).state == "stored"


def test_what_cannot_be_checked_for_a_week_is_given_up() -> None:
    upload = whole_upload(tone())
    Path(storages["protected"].path(upload.key[:2])).write_text("a file where a folder has to be")
    PendingUpload.objects.update(touched_at=a_while_ago(timedelta(days=7)))

    uploads_tidy()

    upload.refresh_from_db()
    assert (upload.state, private_files()) == ("failed", {})


@pytest.mark.parametrize("died_after", ["the move", "the claim"])
def test_a_task_that_died_is_picked_up(died_after: str) -> None:
    upload = whole_upload(tone())
    claim = {"claim": uuid.uuid4(), "claimed_at": timezone.now(), "attempts": 1}
    PendingUpload.objects.update(**claim)
    if died_after == "the move":
        final = Path(storages["protected"].path(upload.key))
        final.parent.mkdir()
        (private_folder() / upload.pk.hex).rename(final)

    assert uploads_tidy().checked_again == 0
    assert checked(upload).state == "checking"  # it may be alive
    PendingUpload.objects.update(claimed_at=a_while_ago(CLAIM_LASTS))
    again = uploads_tidy()

    upload.refresh_from_db()
    assert again.checked_again == 1
    assert upload.state == "stored"
    assert stored_files() == [tone()]


def test_a_check_that_the_queue_lost_is_picked_up() -> None:
    upload = whole_upload(tone())

    early = uploads_tidy().checked_again
    PendingUpload.objects.update(touched_at=a_while_ago(CHECK_WAITS))
    late = uploads_tidy().checked_again

    upload.refresh_from_db()
    assert (early, late, upload.state) == (0, 1, "stored")


def test_a_file_that_kills_its_task_is_given_up_after_three() -> None:
    upload = whole_upload(tone(), attempts=ATTEMPTS_AT_MOST)

    checked(upload)

    assert (upload.state, upload.holds_bytes) == ("failed", False)
    assert "three times" in upload.sentence
    assert (private_files(), stored_files()) == ({}, [])


def test_a_task_whose_claim_was_taken_over_changes_nothing() -> None:
    upload = whole_upload(tone())

    def take_over() -> None:
        PendingUpload.objects.update(claim=uuid.uuid4())

    with before_sql(INSERT, then=take_over):
        upload_check(upload_id=upload.pk)

    upload.refresh_from_db()
    assert upload.state == "checking"
    assert not DigitalAsset.objects.exists()
    assert stored_files() == [tone()]


@pytest.mark.django_db(transaction=True)
def test_of_several_tasks_one_checks() -> None:
    upload = whole_upload(tone())

    at_once(*[lambda: upload_check(upload_id=upload.pk)] * 4)

    upload.refresh_from_db()
    assert upload.state == "stored"
    assert upload.attempts == 1
    assert DigitalAsset.objects.get().pk == upload.pk
    assert stored_files() == [tone()]


def test_the_task_says_how_it_ended() -> None:
    upload = whole_upload(tone())

    result = check_upload.enqueue(str(upload.pk))

    assert result.return_value == "stored"


# --- In the window that chooses a track's file ----------------------------------------------------


def choose_arrived(client: Client, upload_id: object) -> dict[str, Any]:
    data = {"audio-file-arrived": str(upload_id)}
    return json.loads(client.post(reverse("digital_asset_chooser:create"), data).content)


def test_a_file_that_arrived_in_pieces_is_chosen_by_whoever_sent_it() -> None:
    editor, other = make_editor(), owner_client()
    mine = Client()
    mine.force_login(editor)
    upload = checked(whole_upload(tone(), uploaded_by=editor))
    again = checked(whole_upload(tone(), uploaded_by=editor))

    own, duplicate = choose_arrived(mine, upload.pk), choose_arrived(mine, again.pk)
    theirs, unknown = choose_arrived(other, upload.pk), choose_arrived(mine, uuid.uuid4())

    assert (own["step"], own["result"]["id"]) == ("chosen", str(upload.pk))
    assert duplicate["result"]["id"] == str(upload.pk)
    for refused in (theirs, unknown):
        assert refused["step"] == "reshow_creation_form"
        assert "This upload is not known any more." in refused["htmlFragment"]


def test_a_file_that_was_refused_is_not_chosen() -> None:
    editor, client = make_editor(), Client()
    client.force_login(editor)
    upload = checked(whole_upload(b"milk, bread", uploaded_by=editor))

    assert choose_arrived(client, upload.pk)["step"] == "reshow_creation_form"
