"""While the bucket is away nobody waits for it call by call; real S3, stopped and started again."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.base import ContentFile

from catalog_pages import circuit
from catalog_pages.storage import StorageUnavailable
from catalog_pages.storage_s3 import ProtectedS3Storage
from catalog_pages.tests.test_storage_s3 import bucket
from tests.servers import S3Server, seaweed

KEY = "ab/abcdef0123456789abcdef0123456789"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with seaweed(tmp_path_factory.mktemp("s3")) as running:
        yield running


@pytest.fixture(autouse=True)
def quick(settings: Any) -> None:
    settings.CIRCUIT_FAILURES = 2
    settings.CIRCUIT_PAUSE_SECONDS = 3600


def open_it(storage: ProtectedS3Storage) -> None:
    for _ in range(2):
        with pytest.raises(StorageUnavailable):
            storage.size(KEY)
    assert circuit.storage.state.is_open


def test_a_bucket_that_is_away_is_not_asked_again_and_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, answers nobody
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        storage = ProtectedS3Storage(
            bucket_name="it", access_key="one", secret_key="two", endpoint_url=address
        )
        circuit.storage.failed()
        circuit.storage.failed()
        began = time.monotonic()

        for ask in (
            storage.size,
            storage.exists,
            storage.delete,
            lambda key: storage.open(key).read(1),
        ):
            with pytest.raises(StorageUnavailable):
                ask(KEY)

        assert (
            time.monotonic() - began < 10
        )  # one of them alone would wait for twice twenty seconds
        silent.setblocking(False)
        with pytest.raises(BlockingIOError):
            silent.accept()


def test_addresses_are_still_made_as_that_asks_nobody(server: S3Server) -> None:
    storage = bucket(server)
    circuit.storage.failed()
    circuit.storage.failed()

    address = storage.signed_url(
        KEY, lifetime_s=60, content_type="audio/flac", content_disposition="attachment"
    )

    assert "X-Amz-Signature" in address


def test_it_is_found_again_by_a_trial_or_by_whoever_watches_its_health(
    server: S3Server, settings: Any
) -> None:
    storage = bucket(server)
    storage.save(KEY, ContentFile(b"bytes"))
    server.stop()
    open_it(storage)
    server.start()
    with pytest.raises(StorageUnavailable, match="left alone"):
        storage.size(KEY)

    storage.check_reachable()

    assert not circuit.storage.state.is_open
    assert storage.size(KEY) == 5

    server.stop()
    open_it(storage)
    settings.CIRCUIT_PAUSE_SECONDS = 0
    circuit.storage.failed()
    server.start()

    assert storage.size(KEY) == 5
    assert not circuit.storage.state.is_open


def test_a_file_that_is_not_there_is_an_answer(server: S3Server) -> None:
    storage = bucket(server)

    for _ in range(5):
        with pytest.raises(FileNotFoundError):
            storage.size("cd/nothing")

    assert not circuit.storage.state.is_open
