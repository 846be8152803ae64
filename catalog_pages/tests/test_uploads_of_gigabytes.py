"""Files of five gigabytes: refused in words before a byte is sent, or taken as they come, in little room."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalog_pages.models import PendingUpload
from catalog_pages.roles import EDITORS
from catalog_pages.tests.editors import member_client
from catalog_pages.tests.stored_files import keep_in_folder
from catalog_pages.tests.uploading import Sender, private_files, private_folder
from catalog_pages.uploads.receiving import upload_receive

pytestmark = pytest.mark.django_db
MEGABYTE = 1024 * 1024
FIVE_GIGABYTES = 5 * 1024 * MEGABYTE
NAME = "ميناء الليل 🐦.flac"


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    keep_in_folder(settings, monkeypatch, tmp_path / "protected")


@pytest.fixture
def sender() -> Sender:
    return Sender(member_client(EDITORS), name=NAME)


def test_a_shop_that_takes_less_says_so_before_a_byte_is_sent(
    sender: Sender, settings: Any
) -> None:
    settings.MAX_UPLOAD_BYTES = 2048 * MEGABYTE

    status, body = sender.begin(size_bytes=FIVE_GIGABYTES)

    assert status == 413
    assert body["sentence"] == "This file is larger than 2,048 MB, the most that this shop takes."
    assert not PendingUpload.objects.exists()
    assert private_files() == {}


def test_a_shop_that_takes_it_goes_on_beyond_four_gigabytes(sender: Sender, settings: Any) -> None:
    """All but the last megabytes are a hole in the file, as if they had arrived."""
    settings.MAX_UPLOAD_BYTES = 6000 * MEGABYTE
    status, begun = sender.begin(size_bytes=FIVE_GIGABYTES)
    upload = PendingUpload.objects.get()
    (arriving,) = private_folder().iterdir()
    os.truncate(arriving, FIVE_GIGABYTES - 64 * MEGABYTE)

    tracemalloc.start()
    end = upload_receive(upload=upload, offset=FIVE_GIGABYTES - 64 * MEGABYTE, blocks=megabytes(63))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    again, answer = sender.patch(begun["address"], 0, b"from the start")
    last = sender.patch(begun["address"], end, bytes(MEGABYTE))

    assert (status, begun["file_name"]) == (201, NAME)
    assert peak < 4 * MEGABYTE, "what arrives is never gathered in memory"
    assert (again, answer["received_bytes"]) == (409, end)
    assert last == (200, {"received_bytes": FIVE_GIGABYTES})
    assert arriving.stat().st_size == FIVE_GIGABYTES
    assert arriving.stat().st_blocks * 512 < 80 * MEGABYTE, "nothing takes room but what arrived"
    assert sender.patch(begun["address"], FIVE_GIGABYTES, b"!")[0] == 413


def megabytes(number: int) -> Iterator[bytes]:
    """One at a time, each of its own."""
    for _ in range(number):
        yield os.urandom(MEGABYTE)
