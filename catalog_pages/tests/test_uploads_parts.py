"""How a file is cut into parts, and where browsers send them: nothing here needs a bucket to answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse
from django.utils import timezone

from catalog_pages.models import PendingUpload
from catalog_pages.roles import EDITORS
from catalog_pages.storage_s3 import ProtectedS3Storage
from catalog_pages.tests.editors import member_client
from catalog_pages.tests.stored_files import keep_in
from catalog_pages.tests.uploading import Sender
from catalog_pages.uploads.multipart import PART_BYTES, BucketPlace, length_of
from catalog_pages.uploads.places import upload_origins

OPTIONS = {"bucket_name": "paid-music", "region_name": "eu-west-2"}
KEYS = {"access_key": "a", "secret_key": "b"}


@pytest.mark.parametrize(
    ("size", "parts"),
    [(1, 1), (PART_BYTES, 1), (PART_BYTES + 1, 2), (10**9, 60), (10**12, 9_935)],
)
def test_parts_cover_a_file_exactly_and_are_never_too_many(size: int, parts: int) -> None:
    place = BucketPlace(ProtectedS3Storage(**OPTIONS))
    upload = PendingUpload(size_bytes=size, piece_bytes=place.piece_bytes(size))

    lengths = [length_of(upload, number) for number in range(parts + 2)]

    assert sum(lengths) == size
    assert (lengths[0], lengths[-1]) == (0, 0)
    assert all(length >= PART_BYTES for length in lengths[1:-2])
    assert parts <= 10_000


@pytest.mark.parametrize(
    ("more", "starts", "ends"),
    [
        ({"endpoint_url": "http://s3.example:8333"}, "http://s3.example:8333", ""),
        ({}, "https://paid-music.s3.", ".amazonaws.com"),
    ],
    ids=["another server", "Amazon"],
)
def test_the_page_may_connect_to_the_bucket(
    settings: Any, monkeypatch: pytest.MonkeyPatch, more: dict[str, str], starts: str, ends: str
) -> None:
    use(settings, monkeypatch, OPTIONS | KEYS | more)

    [origin] = upload_origins()

    assert origin.startswith(starts)
    assert origin.endswith(ends)
    assert origin.count("/") == 2


@pytest.fixture
def _no_keys(settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without keys and without a role."""
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    use(settings, monkeypatch, OPTIONS)


@pytest.mark.usefixtures("_no_keys")
def test_without_keys_the_page_connects_nowhere_else() -> None:
    assert upload_origins() == []


@pytest.mark.django_db
@pytest.mark.usefixtures("_no_keys")
def test_without_keys_a_part_has_no_address_and_the_page_still_answers() -> None:
    sender = Sender(member_client(EDITORS), b"123")
    upload = PendingUpload.objects.create(
        file_name="harbour.wav",
        size_bytes=3,
        piece_bytes=PART_BYTES,
        multipart_id="known",
        fingerprint="0" * 64,
        touched_at=timezone.now(),
        uploaded_by=get_user_model().objects.get(),
    )

    status, body = sender.post("upload_part", str(upload.pk), 1)

    assert (status, body["code"]) == (503, "storage_unavailable")
    assert sender.client.get(reverse("digital_assets:upload")).status_code == 200


def use(settings: Any, monkeypatch: pytest.MonkeyPatch, options: dict[str, str]) -> None:
    backend = "catalog_pages.storage_s3.ProtectedS3Storage"
    keep_in(settings, monkeypatch, {"BACKEND": backend, "OPTIONS": options})
