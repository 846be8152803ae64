"""Straight into a bucket, in parts: against a real S3 server, which checks signatures and lengths."""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from catalog_pages.models import DigitalAsset, PendingUpload
from catalog_pages.roles import EDITORS
from catalog_pages.storage_s3 import ProtectedS3Storage
from catalog_pages.tests.editors import member_client
from catalog_pages.tests.sample_audio import write_tone
from catalog_pages.tests.stored_files import before_sql, keep_in
from catalog_pages.tests.uploading import Sender
from catalog_pages.uploads import multipart
from catalog_pages.uploads.checking import upload_check
from catalog_pages.uploads.errors import UploadOver
from catalog_pages.uploads.multipart import BucketPlace
from catalog_pages.uploads.places import place
from catalog_pages.uploads.receiving import upload_drop
from catalog_pages.uploads.tidying import uploads_tidy
from tests.servers import S3Server, seaweed

pytestmark = [pytest.mark.django_db, pytest.mark.wide]
PART_BYTES = 5 * 1024 * 1024  # the least that S3 allows


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with seaweed(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A minute of sound, 11.5 MB: three parts."""
    return write_tone(tmp_path_factory.mktemp("sound") / "long.wav", seconds=60).read_bytes()


@pytest.fixture(autouse=True)
def bucket(
    s3: S3Server, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ProtectedS3Storage]:
    """The shop's protected storage, empty at the start and at the end."""
    monkeypatch.setattr(multipart, "PART_BYTES", PART_BYTES)
    options = {
        "bucket_name": s3.bucket,
        "endpoint_url": s3.endpoint_url,
        "access_key": s3.access_key,
        "secret_key": s3.secret_key,
    }
    backend = {"BACKEND": "catalog_pages.storage_s3.ProtectedS3Storage", "OPTIONS": options}
    storage = keep_in(settings, monkeypatch, backend)
    yield storage
    s3.start()
    for key in list(storage.keys()):
        storage.delete(key)
    for upload_id, multipart_id in multiparts(storage):
        BucketPlace(storage).discard_stray(upload_id, multipart_id)


@dataclass
class Uploader(Sender):
    """A browser that sends parts to the addresses it is given."""

    def put_part(self, begun: dict[str, Any], number: int) -> int:
        length = begun["piece_bytes"]
        part = self.content[(number - 1) * length : number * length]
        return put(self.url_of(begun, number), part)

    def url_of(self, begun: dict[str, Any], number: int) -> str:
        status, body = self.post("upload_part", begun["id"], number)
        assert status == 200
        return body["url"]


@pytest.fixture
def sender(recording: bytes) -> Uploader:
    return Uploader(member_client(EDITORS), recording, "long.wav")


def put(url: str, body: bytes) -> int:
    """As a browser does: no header but the length."""
    request = urllib.request.Request(url, body, {"Content-Type": ""}, method="PUT")
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        return direct.open(request, timeout=30).status
    except urllib.error.HTTPError as error:
        return error.code


def multiparts(storage: ProtectedS3Storage) -> list[tuple[uuid.UUID, str]]:
    return BucketPlace(storage).strays(before=timezone.now() + timedelta(days=1))


def stored(storage: ProtectedS3Storage) -> list[str]:
    return list(storage.keys())


def received(sender: Uploader) -> PendingUpload:
    """An upload of which every part is in the bucket."""
    _, begun = sender.begin()
    for number in range(1, 4):
        assert sender.put_part(begun, number) == 200
    return PendingUpload.objects.get(pk=begun["id"])


# --- Arriving ----------------------------------------------------------------------------------


def test_parts_become_an_asset_that_was_written_once(
    sender: Uploader, bucket: ProtectedS3Storage, django_capture_on_commit_callbacks: Any
) -> None:
    upload = received(sender)
    with django_capture_on_commit_callbacks(execute=True):
        status, _ = sender.finish(str(upload.pk))

    asset = DigitalAsset.objects.get()
    assert status == 202
    assert sender.state(str(upload.pk))["state"] == "stored"
    assert asset.sha256 == hashlib.sha256(sender.content).hexdigest()
    assert (asset.pk, asset.format_name, asset.duration_ms) == (upload.pk, "WAV", 60_000)
    assert stored(bucket) == [asset.file.name]
    assert multiparts(bucket) == []
    with asset.file.open() as file:
        assert hashlib.sha256(file.read()).hexdigest() == asset.sha256


def test_after_a_break_the_bucket_says_what_it_has(sender: Uploader) -> None:
    _, begun = sender.begin()
    sender.put_part(begun, 1)
    sender.put_part(begun, 3)

    early, body = sender.finish(begun["id"])
    status, again = sender.begin()

    assert (early, body["code"]) == (409, "not_whole")
    assert (status, again["id"], again["parts"]) == (200, begun["id"], [1, 3])
    assert again["received_bytes"] == len(sender.content) - PART_BYTES
    sender.put_part(again, 2)
    assert sender.finish(begun["id"])[0] == 202


def test_an_address_takes_its_part_alone(sender: Uploader) -> None:
    _, begun = sender.begin()
    url = sender.url_of(begun, 1)
    right = sender.content[:PART_BYTES]

    refused = [
        put(url, right + b"x"),
        put(url, right[:-1]),
        put(url.replace("partNumber=1", "partNumber=2"), right),
        put(url.split("?")[0], right),
    ]
    _, again = sender.begin()
    taken = put(url, right)

    assert refused == [403] * 4
    assert again["parts"] == []
    assert taken == 200


@pytest.mark.parametrize("number", [0, 4, 10_001, 10**30])
def test_a_part_that_the_file_does_not_have_has_no_address(sender: Uploader, number: int) -> None:
    _, begun = sender.begin()

    assert sender.post("upload_part", begun["id"], number)[0] == 404


def test_bytes_sent_to_the_shop_itself_are_not_taken(sender: Uploader) -> None:
    _, begun = sender.begin()

    status, body = sender.piece(begun["address"], 0, 1000)

    assert (status, body["code"]) == (409, "wrong_place")


def test_what_is_dropped_leaves_nothing_in_the_bucket(sender: Uploader, bucket: Any) -> None:
    _, begun = sender.begin()
    sender.put_part(begun, 1)

    response = sender.client.delete(begun["address"])

    assert response.status_code == 204
    assert (multiparts(bucket), stored(bucket)) == ([], [])


def test_parts_that_a_rule_of_the_bucket_threw_away_are_sent_again(
    sender: Uploader, bucket: ProtectedS3Storage
) -> None:
    _, begun = sender.begin()
    sender.put_part(begun, 1)
    [stray] = multiparts(bucket)
    BucketPlace(bucket).discard_stray(*stray)

    status, again = sender.begin()

    assert (status, again["id"], again["parts"]) == (200, begun["id"], [])
    assert sender.put_part(again, 1) == 200


def test_of_two_beginnings_at_once_one_stays_in_the_bucket(
    sender: Uploader, bucket: ProtectedS3Storage
) -> None:
    with before_sql('"multipart_id" =', "UPDATE", then=sender.begin):
        status, begun = sender.begin()

    [(upload_id, multipart_id)] = multiparts(bucket)
    upload = PendingUpload.objects.get()
    assert status == 201
    assert (upload_id, multipart_id) == (upload.pk, upload.multipart_id)
    assert sender.put_part(begun, 1) == 200


def test_dropping_never_takes_the_object_of_an_asset(sender: Uploader, bucket: Any) -> None:
    read_before = received(sender)
    sender.finish(str(read_before.pk))
    upload_check(upload_id=read_before.pk)

    with pytest.raises(UploadOver):
        upload_drop(upload=read_before)

    assert stored(bucket) == [DigitalAsset.objects.get().file.name]


def test_what_is_dropped_while_it_begins_leaves_no_parts(sender: Uploader, bucket: Any) -> None:
    with before_sql('"multipart_id" =', "UPDATE", then=PendingUpload.objects.all().delete):
        status, body = sender.begin()

    assert (status, body["code"]) == (409, "upload_over")
    assert multiparts(bucket) == []


# --- Ending ------------------------------------------------------------------------------------


def checking(sender: Uploader) -> PendingUpload:
    upload = received(sender)
    sender.finish(str(upload.pk))
    return upload


def test_what_is_no_sound_leaves_nothing_in_the_bucket(bucket: ProtectedS3Storage) -> None:
    words = Uploader(member_client(EDITORS), b"milk, bread" * 1000, "notes.wav")
    _, begun = words.begin()
    words.put_part(begun, 1)
    words.finish(begun["id"])

    state = upload_check(upload_id=uuid.UUID(begun["id"]))

    assert state == "refused"
    assert (multiparts(bucket), stored(bucket)) == ([], [])


def test_the_same_bytes_are_kept_once(bucket: ProtectedS3Storage, sender: Uploader) -> None:
    upload_check(upload_id=checking(sender).pk)
    again = Uploader(sender.client, sender.content, "copy.wav")

    upload = checking(again)
    state = upload_check(upload_id=upload.pk)

    assert state == "duplicate"
    assert stored(bucket) == [DigitalAsset.objects.get().file.name]


def test_a_task_that_died_after_joining_the_parts_is_picked_up(sender: Uploader) -> None:
    upload = checking(sender)
    upload.refresh_from_db()
    place().settle(upload)

    state = upload_check(upload_id=upload.pk)

    assert state == "stored"


def test_a_bucket_that_is_away_costs_nothing(
    sender: Uploader, s3: S3Server, bucket: ProtectedS3Storage
) -> None:
    upload = checking(sender)
    s3.stop()

    begin, body = Uploader(sender.client, sender.content, "second.wav").begin()
    state = upload_check(upload_id=upload.pk)
    with pytest.raises(CommandError):
        call_command("clean_uploads")
    s3.start()

    assert (begin, body["code"]) == (503, "storage_unavailable")
    assert body["sentence"].endswith(".")
    assert state == "checking"
    assert upload_check(upload_id=upload.pk) == "stored"
    assert len(stored(bucket)) == 1


def test_an_upload_that_began_while_the_bucket_was_away_is_begun_again(
    sender: Uploader, s3: S3Server
) -> None:
    s3.stop()
    status, body = sender.begin()
    s3.start()
    [upload] = PendingUpload.objects.all()

    part, said = sender.post("upload_part", str(upload.pk), 1)
    _, again = sender.begin()

    assert status == 503
    assert body["sentence"].startswith(
        "The shop's storage does not answer. What has arrived is kept"
    )
    assert (part, said["code"]) == (409, "not_begun")
    assert again["id"] == str(upload.pk)
    assert sender.put_part(again, 1) == 200


def test_an_upload_whose_parts_the_bucket_threw_away_cannot_be_finished(
    sender: Uploader, bucket: ProtectedS3Storage
) -> None:
    upload = received(sender)
    upload.refresh_from_db()
    BucketPlace(bucket).discard_stray(upload.pk, upload.multipart_id)

    status, body = sender.finish(str(upload.pk))
    _, again = sender.begin()

    assert (status, body["code"]) == (410, "bytes_lost")
    assert (again["id"], again["received_bytes"]) == (str(upload.pk), 0)
    assert sender.put_part(again, 1) == 200


# --- Cleaning -----------------------------------------------------------------------------------


def test_parts_that_nobody_touched_for_a_week_go_and_nothing_else(
    sender: Uploader, bucket: ProtectedS3Storage
) -> None:
    asset = DigitalAsset.objects.get(pk=stored_asset(sender))
    old = received(Uploader(sender.client, sender.content, "old.wav"))
    young = received(Uploader(sender.client, sender.content, "young.wav"))
    PendingUpload.objects.filter(pk=old.pk).update(touched_at=timezone.now() - timedelta(days=8))

    done = uploads_tidy()

    assert done.given_up == 1
    assert multiparts(bucket) == [(young.pk, young.multipart_id)]
    assert stored(bucket) == [asset.file.name]


def test_multipart_uploads_without_a_row_go_after_a_week(
    sender: Uploader, bucket: ProtectedS3Storage
) -> None:
    upload, known = received(sender), received(Uploader(sender.client, sender.content, "b.wav"))
    PendingUpload.objects.filter(pk=upload.pk).delete()
    foreign = {"Bucket": bucket.bucket_name, "Key": "somebody/elses"}
    theirs = bucket.client.create_multipart_upload(**foreign)["UploadId"]

    early = uploads_tidy().strays
    with mock.patch("django.utils.timezone.now", return_value=timezone.now() + timedelta(days=6)):
        PendingUpload.objects.update(touched_at=timezone.now())
    with mock.patch("django.utils.timezone.now", return_value=timezone.now() + timedelta(days=8)):
        late = uploads_tidy().strays

    assert (early, late) == (0, 1)
    assert multiparts(bucket) == [(known.pk, known.multipart_id)]
    bucket.client.abort_multipart_upload(**foreign, UploadId=theirs)  # it is still there


def stored_asset(sender: Uploader) -> uuid.UUID:
    upload = checking(sender)
    assert upload_check(upload_id=upload.pk) == "stored"
    return upload.pk


def test_a_slow_check_gives_signs_of_life(sender: Uploader, monkeypatch: Any) -> None:
    upload = checking(sender)
    monkeypatch.setattr("catalog_pages.uploads.checking.BEAT_SECONDS", 0)
    claimed: list[Any] = []

    def look() -> None:
        claimed.append(PendingUpload.objects.get(pk=upload.pk).claimed_at)

    beat = ("UPDATE", '"claimed_at" =', '"claim" =')
    with before_sql(*beat, then=look, number=3), before_sql(*beat, then=look, number=20):
        upload_check(upload_id=upload.pk)

    assert claimed[0] < claimed[1]
