"""The bucket of paid files, against a real S3 server that checks signatures, expiry and ranges."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, unquote, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from django.core.files.base import ContentFile

from catalog_pages.storage import StorageUnavailable
from catalog_pages.storage_s3 import ProtectedS3Storage
from tests.servers import S3Server, seaweed

CONTENT = bytes(range(256)) * 8192
KEY = "ab/abcdef0123456789abcdef0123456789"
direct = build_opener(ProxyHandler({}))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with seaweed(tmp_path_factory.mktemp("s3")) as running:
        yield running


@pytest.fixture(scope="module")
def storage(server: S3Server) -> ProtectedS3Storage:
    storage = bucket(server)
    assert storage.save(KEY, ContentFile(CONTENT)) == KEY
    return storage


def bucket(server: S3Server, **options: Any) -> ProtectedS3Storage:
    given = {
        "bucket_name": server.bucket,
        "region_name": server.region,
        "access_key": server.access_key,
        "secret_key": server.secret_key,
        "endpoint_url": server.endpoint_url,
    }
    return ProtectedS3Storage(**(given | options))


def signed(storage: ProtectedS3Storage, lifetime_s: int = 60, **words: str) -> str:
    return storage.signed_url(
        KEY,
        lifetime_s=lifetime_s,
        content_type=words.get("content_type", "audio/flac"),
        content_disposition=words.get("content_disposition", 'attachment; filename="a.flac"'),
    )


def fetch(url: str, method: str = "GET", **headers: str) -> tuple[int, Any, bytes]:
    request = Request(url, method=method, headers=headers)
    try:
        with direct.open(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


class BreakingProxy:
    """A proxy that hands on to the server, and drops each connection after so many bytes of answer."""

    def __init__(self, server: S3Server, after_bytes: int) -> None:
        self.target = urlsplit(server.endpoint_url)
        self.after_bytes = after_bytes

    def __enter__(self) -> str:
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.accept, daemon=True).start()
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def __exit__(self, *args: object) -> None:
        self.listener.close()

    def accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:  # closed: the test is over
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client: socket.socket) -> None:
        with client, socket.create_connection((self.target.hostname, self.target.port)) as server:
            request = b""
            while b"\r\n\r\n" not in request:
                request += client.recv(65536)
            server.sendall(request)
            sent = 0
            while sent < self.after_bytes and (block := server.recv(16384)):
                client.sendall(block)
                sent += len(block)


def test_a_signed_address_fetches_the_file_with_our_name_and_type(
    storage: ProtectedS3Storage,
) -> None:
    disposition = "attachment; filename=\"Ase.flac\"; filename*=UTF-8''%C3%85se%20%26%20co.flac"

    status, headers, body = fetch(signed(storage, content_disposition=disposition))

    assert status == 200
    assert hashlib.sha256(body).digest() == hashlib.sha256(CONTENT).digest()
    assert headers["Content-Type"] == "audio/flac"
    assert headers["Content-Disposition"] == disposition
    assert headers["Accept-Ranges"] == "bytes"


def test_cloudfront_is_given_a_name_with_its_spaces(server: S3Server) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    storage = bucket(
        server, custom_domain="f.example", cloudfront_key_id="K1", cloudfront_key=pem.decode()
    )
    disposition = 'attachment; filename="Harbour + lights.flac"'

    url = signed(storage, content_disposition=disposition)

    query = urlsplit(url).query
    [sent] = [part for part in query.split("&") if part.startswith("response-content-disposition=")]
    assert "+" not in sent
    assert unquote(sent.partition("=")[2]) == disposition


def test_a_signed_address_resumes(storage: ProtectedS3Storage) -> None:
    url = signed(storage)

    status, headers, body = fetch(url, Range="bytes=1000-1999")

    assert (status, body) == (206, CONTENT[1000:2000])
    assert headers["Content-Range"] == f"bytes 1000-1999/{len(CONTENT)}"
    assert fetch(url, Range=f"bytes={len(CONTENT)}-")[0] == 416


def test_it_is_signed_by_the_fourth_scheme_for_so_many_seconds(
    storage: ProtectedS3Storage,
) -> None:
    query = parse_qs(urlsplit(signed(storage, lifetime_s=75)).query)

    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-Expires"] == ["75"]
    assert len(query["X-Amz-Signature"][0]) == 64


def test_nothing_opens_without_its_signature(storage: ProtectedS3Storage) -> None:
    url = signed(storage)
    parts = urlsplit(url)
    bare = f"{parts.scheme}://{parts.netloc}{parts.path}"
    last = url[-1]

    assert fetch(bare)[0] == 403
    assert fetch(url[:-1] + ("0" if last != "0" else "1"))[0] == 403
    assert fetch(url.replace("a.flac", "b.flac"))[0] == 403
    assert fetch(url.replace("X-Amz-Expires=60", "X-Amz-Expires=6000"))[0] == 403
    assert fetch(url.replace(KEY[-4:], "0000"))[0] == 403
    assert fetch(url, method="DELETE")[0] == 403
    assert fetch(url, method="PUT")[0] == 403
    assert storage.exists(KEY)


def test_an_address_ends(storage: ProtectedS3Storage) -> None:
    url = signed(storage, lifetime_s=1)
    until = time.monotonic() + 30

    while fetch(url)[0] == 200:  # the server's clock decides, within a second or two
        assert time.monotonic() < until

    assert fetch(url)[0] == 403


def test_an_address_is_made_without_a_call_by_the_one_client_of_the_process(
    server: S3Server, storage: ProtectedS3Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients: set[int] = set()
    signed(storage)

    def refuse(*args: Any) -> None:
        raise AssertionError("a call was made")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    threads = [
        threading.Thread(target=lambda: (signed(storage), clients.add(id(storage.client))))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(clients) == 1


def test_a_stored_file_is_read_from_any_byte(storage: ProtectedS3Storage) -> None:
    with storage.open(KEY) as file:
        assert file.read(10) == CONTENT[:10]
        assert file.seek(-100, os.SEEK_END) == len(CONTENT) - 100
        assert file.read() == CONTENT[-100:]
        assert file.seek(5000) == file.tell() == 5000
        assert file.read(70_000) == CONTENT[5000:75_000]
        assert file.tell() == 75_000
        assert file.read(0) == b""
        file.seek(len(CONTENT) + 5)
        assert file.read(1) == b""


def test_what_is_not_there_is_a_missing_file(storage: ProtectedS3Storage) -> None:
    with storage.open("ab/nothing") as file, pytest.raises(FileNotFoundError):
        file.read(1)
    with pytest.raises(FileNotFoundError):
        storage.size("ab/nothing")
    assert not storage.exists("ab/nothing")
    storage.delete("ab/nothing")


def test_a_name_is_never_written_over(storage: ProtectedS3Storage) -> None:
    second = storage.save(KEY, ContentFile(b"another"))

    assert second != KEY
    assert storage.size(KEY) == len(CONTENT)
    storage.delete(second)


def test_all_names_are_listed(storage: ProtectedS3Storage) -> None:
    other = storage.save("cd/second", ContentFile(b"2"))

    assert set(storage.keys()) == {KEY, other}
    storage.delete(other)


def test_a_bucket_that_refuses_or_is_away_is_unavailable_and_not_empty(server: S3Server) -> None:
    refused = bucket(server, secret_key="not the key")
    away = bucket(server, endpoint_url="http://127.0.0.1:9")

    for storage in (refused, away):
        for ask in (
            storage.check_reachable,
            partial(storage.exists, KEY),
            partial(storage.size, KEY),
            partial(storage.open(KEY).read, 1),
            partial(next, storage.keys()),
        ):
            with pytest.raises(StorageUnavailable):
                ask()


def test_a_read_that_breaks_off_goes_on_where_it_stopped(
    server: S3Server, storage: ProtectedS3Storage
) -> None:
    with BreakingProxy(server, after_bytes=100_000) as url:
        reader = bucket(server, endpoint_url=url)
        # The signature is over the host that the client names, so the server has to accept this one.
        with reader.open(KEY) as file:
            blocks = []
            while block := file.read(64 * 1024):
                blocks.append(block)

    assert b"".join(blocks) == CONTENT


def test_cloudfronts_addresses_carry_its_signature_our_words_and_an_end(server: S3Server) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    storage = bucket(
        server,
        custom_domain="files.shop.example",
        cloudfront_key_id="K2JCJMDEHXQW5F",
        cloudfront_key=pem.decode(),
    )

    url = signed(storage, content_disposition="attachment; filename*=UTF-8''%C3%85se.flac")

    parts = urlsplit(url)
    query = parse_qs(parts.query)
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "files.shop.example", f"/{KEY}")
    assert query["response-content-type"] == ["audio/flac"]
    assert unquote(query["response-content-disposition"][0]).endswith("Åse.flac")
    assert abs(int(query["Expires"][0]) - time.time() - 60) < 30
    assert query["Signature"][0]
    assert query["Key-Pair-Id"] == ["K2JCJMDEHXQW5F"]
    assert storage.exposures() == []


def test_a_domain_without_a_key_is_exposed_and_says_so(server: S3Server) -> None:
    assert bucket(server).exposures() == []
    assert (
        "without CloudFront's signature" in bucket(server, custom_domain="x.example").exposures()[0]
    )


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "options",
    [{"querystring_auth": False}, {"default_acl": "public-read"}, {"file_overwrite": True}],
)
def test_no_option_makes_it_public(server: S3Server, options: dict[str, Any]) -> None:
    storage = bucket(server, **options)

    assert storage.exposures() == []
    assert storage.default_acl is None
    assert not storage.file_overwrite
    assert "X-Amz-Signature" in signed(storage)
