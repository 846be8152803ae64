"""What nobody will finish goes, what an upload or an asset needs stays, and rules are in the database."""

from __future__ import annotations

import uuid
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from catalog_pages.admin.deleting import reasons_to_keep_asset
from catalog_pages.assets import asset_store
from catalog_pages.models import DigitalAsset, PendingUpload
from catalog_pages.tests.editors import tone
from catalog_pages.tests.stored_files import keep_in_folder
from catalog_pages.tests.uploading import (
    a_while_ago,
    checked,
    private_files,
    private_folder,
    stored_files,
    whole_upload,
)
from catalog_pages.uploads.tidying import uploads_tidy
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    keep_in_folder(settings, monkeypatch, tmp_path / "protected")


def receiving(content: bytes, **fields: Any) -> PendingUpload:
    fields = {"state": "receiving", "received_bytes": 0, "size_bytes": 10**6} | fields
    return whole_upload(content, **fields)


def test_what_nobody_touched_for_a_week_goes_and_nothing_else(tmp_path: Path) -> None:
    week = timedelta(days=7)
    old = receiving(b"old", touched_at=a_while_ago(week), fingerprint="1" * 64)
    young = receiving(b"young", fingerprint="2" * 64)
    waiting = whole_upload(tone(), touched_at=timezone.now())
    (tmp_path / "kept.wav").write_bytes(tone(550))
    kept = asset_store(source=tmp_path / "kept.wav", file_name="kept.wav").asset

    done = uploads_tidy()

    old.refresh_from_db()
    assert done.given_up == 1
    assert (old.state, old.holds_bytes) == ("failed", False)
    assert private_files() == {young.pk.hex: b"young", waiting.pk.hex: tone()}
    assert stored_files() == [tone(550)]
    assert kept.file.storage.exists(kept.file.name)


def test_files_without_a_row_go() -> None:
    young = receiving(b"young")
    (private_folder() / uuid.uuid4().hex).write_bytes(b"of a row that is gone")
    (private_folder() / "README").write_text("not ours")

    done = uploads_tidy()

    assert done.strays == 1
    assert sorted(private_files()) == sorted([young.pk.hex, "README"])


def test_bytes_that_could_not_be_removed_go_later() -> None:
    upload = whole_upload(b"no sound", "notes.wav")
    PendingUpload.objects.update(state="refused", sentence="No sound.")

    uploads_tidy()

    upload.refresh_from_db()
    assert not upload.holds_bytes
    assert private_files() == {}


def test_an_ended_upload_is_forgotten_after_a_week_and_its_asset_stays() -> None:
    stored = checked(whole_upload(tone()))
    refused = checked(whole_upload(b"no sound", "notes.wav"))
    PendingUpload.objects.filter(pk=stored.pk).update(touched_at=a_while_ago(timedelta(days=7)))

    done = uploads_tidy()

    assert done.forgotten == 1
    assert list(PendingUpload.objects.all()) == [refused]
    with DigitalAsset.objects.get().file.open() as file:
        assert file.read() == tone()


def test_the_bytes_of_an_asset_never_go_with_an_upload() -> None:
    upload = checked(whole_upload(tone()))
    # What no road leads to: the row says that its bytes are still its own.
    PendingUpload.objects.update(state="failed", asset=None, holds_bytes=True)

    uploads_tidy()

    assert stored_files() == [tone()]
    assert DigitalAsset.objects.get().pk == upload.pk


def test_an_upload_keeps_no_asset_from_being_deleted() -> None:
    asset = checked(whole_upload(tone())).asset
    assert asset is not None

    reasons = reasons_to_keep_asset(asset)
    asset.delete()

    assert reasons == []
    assert PendingUpload.objects.get().asset is None


def test_what_a_duplicate_left_goes_though_its_asset_went_first(tmp_path: Path) -> None:
    (tmp_path / "old.wav").write_bytes(tone())
    older = asset_store(source=tmp_path / "old.wav", file_name="old.wav").asset
    duplicate = checked(whole_upload(tone()))
    # As when its bytes could not be removed at the time.
    left = Path(storages["protected"].path(duplicate.key))
    left.parent.mkdir(exist_ok=True)
    left.write_bytes(tone())
    PendingUpload.objects.update(holds_bytes=True)
    older.delete()

    uploads_tidy()

    assert not left.exists()
    assert not PendingUpload.objects.get().holds_bytes


def test_the_command_says_what_it_did() -> None:
    receiving(b"old", touched_at=a_while_ago(timedelta(days=2)))
    out = StringIO()

    call_command("clean_uploads", "--days", "1", stdout=out)

    assert out.getvalue().startswith("Given up: 1.")
    with pytest.raises(CommandError):
        call_command("clean_uploads", "--days", "0")


# --- What the database itself refuses ------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {"size_bytes": 0, "received_bytes": 0},
        {"received_bytes": 11},
        {"received_bytes": -1},
        {"received_bytes": 9},
        {"piece_bytes": 0},
        {"fingerprint": "no hash"},
        {"file_name": "a/b.wav"},
        {"state": "lost"},
        {"state": "receiving", "holds_bytes": False},
        {"state": "receiving", "claim": uuid.uuid4()},
    ],
)
def test_the_rules_of_an_upload_are_in_the_database(fields: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        whole_upload(b"0123456789", **fields)


def test_one_file_is_begun_once_by_one_person() -> None:
    user = make_user()
    whole_upload(b"0123456789", uploaded_by=user, state="refused")
    whole_upload(b"0123456789", uploaded_by=user)
    whole_upload(b"0123456789", uploaded_by=make_user())

    with pytest.raises(IntegrityError), transaction.atomic():
        receiving(b"0123456789", uploaded_by=user)
