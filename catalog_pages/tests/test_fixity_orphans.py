"""Stored files that no row knows, and storage that does not answer: a disk's, and a bucket's."""

from __future__ import annotations

import hashlib
import os
import re
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

import catalog_pages.orphans
from catalog_pages import fixity
from catalog_pages.models import DigitalAsset, Excerpt, FixityCheck, PendingUpload
from catalog_pages.orphans import delete_orphans, orphans
from catalog_pages.tests.stored_files import (
    before_sql,
    is_noted_missing,
    keep_in,
    keep_in_folder,
    path_of,
    run,
    stray,
)
from tests.factories import make_asset
from tests.servers import S3Server, seaweed

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def root(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Protected storage of the test's own."""
    folder = tmp_path / "protected"
    keep_in_folder(settings, monkeypatch, folder)
    return folder


def pending(**fields: Any) -> PendingUpload:
    return PendingUpload.objects.create(
        **{
            "file_name": "coming.flac",
            "size_bytes": 13,
            "received_bytes": 13,
            "fingerprint": uuid.uuid4().hex * 2,
            "piece_bytes": 13,
            "touched_at": timezone.now(),
            **fields,
        }
    )


# --- Orphans ------------------------------------------------------------------------------------------


def test_what_belongs_to_nothing_is_found(root: Path) -> None:
    make_asset()
    path = stray(root, "ab/" + "c" * 32, hours=2)

    code, said = run()

    assert code == 1
    assert f"(stored as ab/{'c' * 32}): orphaned: 13 bytes of " in said
    assert "1 orphan." in said
    assert path.exists()
    assert run("--no-orphans")[0] == 0


def test_what_was_stored_within_the_hour_may_still_get_its_row(root: Path) -> None:
    stray(root, hours=0.5)

    assert orphans() == []


def test_unfinished_uploads_and_files_with_rows_are_no_orphans(root: Path) -> None:
    asset, upload = make_asset(), pending()
    os.utime(path_of(asset), (0, 0))
    stray(root, upload.key, hours=48)
    stray(root, f".uploads/{upload.pk.hex}", hours=48)

    assert orphans() == []


def test_what_a_finished_upload_left_behind_is_an_orphan(root: Path) -> None:
    upload = pending(state="failed", holds_bytes=False)
    stray(root, upload.key, hours=48)

    assert [orphan.key for orphan in orphans()] == [upload.key]


@pytest.mark.parametrize("look", [1, 2])
def test_a_row_that_comes_while_we_look_is_seen(look: int, root: Path) -> None:
    asset = make_asset()
    os.utime(path_of(asset), (0, 0))
    DigitalAsset.objects.filter(pk=asset.pk).delete()

    def row_comes() -> None:
        DigitalAsset.objects.bulk_create([asset])

    with before_sql('FROM "catalog_pages_pendingupload"', then=row_comes, number=look):
        found = orphans()

    assert found == []
    assert DigitalAsset.objects.exists()


def test_orphans_are_deleted_only_when_asked_and_older_than_a_day(root: Path) -> None:
    kept = make_asset()
    old, young = stray(root, hours=25), stray(root, hours=23)

    code, said = run("--delete-orphans")

    assert code == 1
    assert not old.exists()
    assert young.exists()
    assert path_of(kept).exists()
    assert f"{old.name}): orphaned" in said
    assert said.count("Deleted.") == 1
    assert said.count("Kept, as it is younger than a day.") == 1


def test_an_orphan_that_got_a_row_since_is_not_deleted(root: Path) -> None:
    make_asset()
    upload_key = pending(state="failed", holds_bytes=False).key
    path = stray(root, upload_key, hours=48)
    found = orphans()
    PendingUpload.objects.update(holds_bytes=True)

    fates = [fate for _, fate in delete_orphans(found)]

    assert fates == ["Kept: it belongs to an audio file now."]
    assert path.exists()


def test_an_orphan_that_became_an_audio_files_since_is_not_deleted(root: Path) -> None:
    make_asset()
    asset = make_asset()
    os.utime(path_of(asset), (0, 0))
    DigitalAsset.objects.filter(pk=asset.pk).delete()
    other = stray(root, hours=48)
    found = orphans()
    DigitalAsset.objects.bulk_create([asset])

    fates = {orphan.key: fate for orphan, fate in delete_orphans(found)}

    assert fates.pop(asset.file.name) == "Kept: it belongs to an audio file now."
    assert list(fates.values()) == ["Deleted."]
    assert (path_of(asset).exists(), other.exists()) == (True, False)


def test_an_upload_that_becomes_an_audio_file_while_we_look_keeps_its_bytes(root: Path) -> None:
    make_asset()
    asset = make_asset()
    os.utime(path_of(asset), (0, 0))
    DigitalAsset.objects.filter(pk=asset.pk).delete()
    found = orphans()
    pending(pk=asset.pk, state="checking")

    def upload_ends() -> None:
        DigitalAsset.objects.bulk_create([asset])
        PendingUpload.objects.update(state="stored", holds_bytes=False)

    with before_sql('FROM "catalog_pages_pendingupload"', then=upload_ends):
        fates = [fate for _, fate in delete_orphans(found)]

    assert fates == ["Kept: it belongs to an audio file now."]
    assert path_of(asset).exists()


@pytest.mark.parametrize("count", [1, 3])
def test_before_an_orphan_is_deleted_only_its_own_rows_are_asked_for(
    count: int, root: Path
) -> None:
    rows = [(make_asset(), pending()) for _ in range(4)]
    for _ in range(count):
        stray(root, hours=48)
    found = orphans()

    with CaptureQueriesContext(connection) as captured:
        fates = [fate for _, fate in delete_orphans(found)]

    first, *looks = [query["sql"] for query in captured]
    assert fates == ["Deleted."] * count
    assert "LIMIT 100" in first, "whether the storage is ours, once"
    assert len(looks) == 2 * count
    for orphan, of_upload, of_asset in zip(found, looks[::2], looks[1::2], strict=True):
        assert where(of_upload, "catalog_pages_pendingupload", "id") == orphan.key[3:]
        assert where(of_asset, "catalog_pages_digitalasset", "file") == orphan.key
    assert all(path_of(asset).exists() for asset, _ in rows)


def where(sql: str, table: str, column: str) -> str:
    """The one value that `column` of `table` has to have for a row to be fetched; "" for any."""
    equal = re.search(rf""" WHERE .*"{table}"."{column}" = '([^']*)'""", sql)
    return equal[1].replace("-", "") if equal and " OR " not in sql else ""


def test_nothing_is_deleted_from_a_storage_of_strangers(root: Path) -> None:
    path_of(make_asset()).unlink()  # as with the database of another shop
    paths = [stray(root, hours=48) for _ in range(3)]

    fates = [fate for _, fate in delete_orphans(orphans())]

    assert fates == ["Kept: nothing else in this storage belongs to this database."] * 3
    assert all(path.exists() for path in paths)


def test_what_the_shop_did_not_write_is_listed_and_never_deleted(root: Path) -> None:
    make_asset()
    names = ["backups/shop.dump", "ab/nobody", "ab/" + "c" * 32, "AB/" + "AB" * 16]
    foreign = [stray(root, name, hours=48) for name in names]
    ours = stray(root, "ab/" + "ab" * 16, hours=48)

    code, said = run("--delete-orphans")

    assert code == 1
    assert all(path.exists() for path in foreign)
    assert said.count("belong to nothing. Kept: it was not written by the shop.") == 4
    assert not ours.exists()


# --- A storage that cannot be asked -------------------------------------------------------------------


def test_a_disk_that_is_not_mounted_has_lost_nothing(root: Path) -> None:
    asset = make_asset()
    root.rename(root.with_name("elsewhere"))

    code, said = run()

    assert code == 2
    assert f"The storage could not be asked: there is no folder {root}." in said
    assert not FixityCheck.objects.exists()
    assert not is_noted_missing(asset)


def test_the_empty_folder_of_a_disk_that_is_not_mounted_has_lost_nothing(root: Path) -> None:
    asset, _ = make_asset(), make_asset()
    root.rename(root.with_name("elsewhere"))
    root.mkdir()

    code, said = run()

    assert code == 2
    assert "The storage could not be asked: it has none of this shop's files" in said
    assert not FixityCheck.objects.exists()
    assert not is_noted_missing(asset)


def test_a_file_that_cannot_be_opened_is_neither_missing_nor_altered() -> None:
    unreadable, other = make_asset(file_name="harbour.flac"), make_asset()
    path_of(unreadable).unlink()
    path_of(unreadable).symlink_to(path_of(unreadable))

    code, said = run()

    assert code == 2
    assert said.startswith(f"harbour.flac (asset {unreadable.pk}, ")
    assert "could not be read: Too many levels of symbolic links." in said
    assert list(FixityCheck.objects.values_list("asset", flat=True)) == [other.pk]


def test_a_file_that_cannot_be_read_does_not_keep_a_sample_from_the_others() -> None:
    unreadable, others = make_asset(), {make_asset() for _ in range(3)}
    path_of(unreadable).unlink()
    path_of(unreadable).symlink_to(path_of(unreadable))

    codes = [run("--sample", "1", "--no-orphans")[0] for _ in range(3)]

    assert codes == [2, 2, 2], "it is tried again each time"
    assert {check.asset for check in FixityCheck.objects.all()} == others


# --- A bucket -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with seaweed(tmp_path_factory.mktemp("s3")) as running:
        yield running


@pytest.fixture
def bucket(server: S3Server, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The shop's storage in a running S3 server; empty, whatever an earlier test left."""
    server.start()
    options = {
        "bucket_name": server.bucket,
        "access_key": server.access_key,
        "secret_key": server.secret_key,
        "endpoint_url": server.endpoint_url,
    }
    backend = "catalog_pages.storage_s3.ProtectedS3Storage"
    storage = keep_in(settings, monkeypatch, {"BACKEND": backend, "OPTIONS": options})
    for key in list(storage.keys()):
        storage.delete(key)
    return storage


def put(server: S3Server, key: str, body: bytes) -> None:
    server.client().put_object(Bucket=server.bucket, Key=key, Body=body)


def excerpt_on_disk(asset: DigitalAsset) -> Excerpt:
    """One that can be read whatever becomes of the bucket."""
    content = b"excerpt of " + asset.pk.bytes
    sha256, size = hashlib.sha256(content).hexdigest(), len(content)
    excerpt = Excerpt(
        asset=asset, start_ms=0, length_ms=1, duration_ms=1, sha256=sha256, size_bytes=size
    )
    excerpt.file.save("any", ContentFile(content))
    return excerpt


def test_a_bucket_is_read_as_a_disk_is(server: S3Server, bucket: Any) -> None:
    content = os.urandom(3_000_000)
    sound, spoilt, lost = make_asset(content), make_asset(file_name="harbour.flac"), make_asset()
    body = bytearray(spoilt.file.open("rb").read())
    body[1000] ^= 1
    put(server, spoilt.file.name, bytes(body))
    bucket.delete(lost.file.name)

    code, said = run()

    assert code == 1
    assert f"harbour.flac (asset {spoilt.pk}" in said
    assert f"altered: the SHA-256 is {hashlib.sha256(body).hexdigest()} and" in said
    assert sound.fixity.found == FixityCheck.Found.INTACT
    assert is_noted_missing(lost)


@pytest.mark.wide
def test_a_buckets_orphans_are_found_and_deleted(
    server: S3Server, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset, upload = make_asset(), pending()
    put(server, "ab/" + "ab" * 16, b"lost property")
    put(server, "backups/shop.dump", b"foreign")
    put(server, upload.key, b"coming")
    assert orphans() == []  # all of it is younger than an hour

    monkeypatch.setattr(catalog_pages.orphans, "YOUNG", timedelta(0))
    monkeypatch.setattr(catalog_pages.orphans, "DELETABLE", timedelta(0))
    code, said = run("--delete-orphans")

    assert code == 1
    assert f"stored as ab/{'ab' * 16}): orphaned: 13" in said
    assert sorted(bucket.keys()) == sorted([asset.file.name, upload.key, "backups/shop.dump"])


@pytest.mark.wide
def test_a_bucket_that_does_not_answer_has_lost_nothing(server: S3Server, bucket: Any) -> None:
    for asset in [make_asset() for _ in range(5)]:
        excerpt_on_disk(asset)
    server.stop()

    code, said = run()

    assert code == 2
    assert said.count("could not be read: The bucket was not reached") == fixity.GIVE_UP_AFTER
    assert not FixityCheck.objects.exists()


@pytest.mark.wide
def test_a_bucket_that_goes_away_before_it_is_listed_is_told(server: S3Server, bucket: Any) -> None:
    server.stop()

    code, said = run()

    assert code == 2
    assert "The storage could not be asked: The bucket was not reached" in said
