"""Paid files in a private bucket: signed addresses for buyers, ranged reads for ourselves.

Only this module and `uploads/multipart.py` speak to the bucket. It is imported when
PROTECTED_STORAGE=s3 says so: boto3 costs every process some twenty megabytes.
"""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import IO, Any, cast
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from django.core.files.base import File
from storages.backends.s3 import S3Storage

from catalog_pages import circuit
from catalog_pages.storage import RemoteStorage, StorageUnavailable

CONNECT_SECONDS = 3
READ_SECONDS = 20
PROBE_SECONDS = 2
REOPENED_AT_MOST = 3  # for one read that broke off
SIGNATURES = ({"X-Amz-Signature"}, {"Signature", "Key-Pair-Id"})

# Whatever else is configured, these hold: SigV4 (its absence means the older scheme), no public
# access list, a name is never written over, and no address without a signature.
FIXED = {
    "signature_version": "s3v4",
    "default_acl": None,
    "file_overwrite": False,
    "querystring_auth": True,
    "gzip": False,
    "location": "",
}


class ProtectedS3Storage(RemoteStorage, S3Storage):
    """A bucket that nobody reads without a signature of ours. Errors are OSErrors."""

    def __init__(self, **options: Any) -> None:
        path_style = bool(options.get("endpoint_url"))  # other servers than Amazon's
        style = options.pop("addressing_style", None) or ("path" if path_style else "virtual")
        self.public_url: str | None = options.pop("public_url", None)
        config = Config(
            signature_version="s3v4",
            s3={"addressing_style": style},
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"max_attempts": 2, "mode": "standard"},
            max_pool_connections=64,
            # Newer checksums are not known to every S3 server; SHA-256 of each file is our own.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        super().__init__(
            **({"region_name": "us-east-1", "client_config": config} | _given(options) | FIXED)
        )
        self._lock = threading.Lock()
        self._shared: Any = None
        self._outward: Any = None

    @property
    def connection(self) -> Any:
        """One for the process: making one costs 65 ms, and its client may be used by all threads."""
        if self._shared is None:
            with self._lock:
                if self._shared is None:
                    shared = self._create_session().resource(
                        "s3",
                        region_name=self.region_name,
                        use_ssl=self.use_ssl,
                        endpoint_url=self.endpoint_url,
                        config=self.client_config,
                        verify=self.verify,
                    )
                    _guard(shared.meta.client)
                    self._shared = shared
        return self._shared

    @property
    def client(self) -> Any:
        return self.connection.meta.client

    @property
    def signing_client(self) -> Any:
        """For addresses that browsers are given: the bucket may have another name outside (`public_url`)."""
        if not self.public_url:
            return self.client
        if self._outward is None:
            with self._lock:
                if self._outward is None:
                    self._outward = self._create_session().client(
                        "s3",
                        region_name=self.region_name,
                        endpoint_url=self.public_url,
                        config=self.client_config.merge(Config(s3={"addressing_style": "path"})),
                    )
        return self._outward

    def signed_url(
        self, name: str, *, lifetime_s: int, content_type: str, content_disposition: str
    ) -> str:
        """Signed for GET, with SigV4 by the bucket's own key, or by CloudFront's where there is one.

        Raises StorageUnavailable when there is no key to sign with.
        """
        if self.custom_domain:
            # CloudFront has to forward these two to the bucket: see docs/deployment.md.
            query = urlencode(
                {
                    "response-content-disposition": content_disposition,
                    "response-content-type": content_type,
                },
                quote_via=quote,  # S3 reads a plus as a plus, also in the name of a file
            )
            return self.cloudfront_signer.generate_presigned_url(
                f"https://{self.custom_domain}/{name}?{query}",
                date_less_than=datetime.now(UTC) + timedelta(seconds=lifetime_s),
            )
        parameters = {
            "Bucket": self.bucket_name,
            "Key": name,
            "ResponseContentDisposition": content_disposition,
            "ResponseContentType": content_type,
        }
        with as_os_errors():
            return self.signing_client.generate_presigned_url(
                "get_object", Params=parameters, ExpiresIn=lifetime_s
            )

    def exposures(self) -> list[str]:
        found = []
        if self.custom_domain and not self.cloudfront_signer:
            return [f"{self.custom_domain} would be handed out without CloudFront's signature"]
        if self.default_acl is not None or not self.querystring_auth:
            found.append("its options make files public or leave addresses unsigned")
        address = self.signed_url(
            "0" * 32, lifetime_s=60, content_type="audio/flac", content_disposition="attachment"
        )
        if not any(names <= parse_qs(urlsplit(address).query).keys() for names in SIGNATURES):
            found.append("the addresses that it makes carry no signature of today's kind")
        return found

    def check_reachable(self) -> None:
        with as_os_errors():
            self._prober.head_bucket(Bucket=self.bucket_name)
        circuit.storage.succeeded()

    @property
    def _prober(self) -> Any:
        """A client of little patience, that tries once."""
        with self._lock:
            if not hasattr(self, "_probing"):
                impatient = Config(
                    connect_timeout=PROBE_SECONDS,
                    read_timeout=PROBE_SECONDS,
                    retries={"max_attempts": 0},
                )
                self._probing = self._create_session().client(
                    "s3",
                    region_name=self.region_name,
                    endpoint_url=self.endpoint_url,
                    config=self.client_config.merge(impatient),
                    verify=self.verify,
                )
        return self._probing

    def keys(self) -> Iterator[str]:
        pages = self.client.get_paginator("list_objects_v2")
        with as_os_errors():
            for page in pages.paginate(Bucket=self.bucket_name):
                for entry in page.get("Contents", ()):
                    if not entry["Key"].startswith((".", "/")) and not entry["Key"].endswith("/"):
                        yield entry["Key"]

    # Django's interface, with our errors.

    def _open(self, name: str, mode: str = "rb") -> File:
        if mode != "rb":
            raise ValueError("Stored files are only ever read; save() writes new ones.")
        return File(cast("IO[bytes]", ObjectReader(self, name)), name)

    def _save(self, name: str, content: Any) -> str:
        with as_os_errors():
            return super()._save(name, content)

    def delete(self, name: str) -> None:
        with as_os_errors():
            super().delete(name)

    def exists(self, name: str) -> bool:
        with as_os_errors():
            return super().exists(name)

    def get_modified_time(self, name: str) -> datetime:
        with as_os_errors():
            return super().get_modified_time(name)

    def size(self, name: str) -> int:
        """Bytes. Raises FileNotFoundError."""
        with as_os_errors():
            return self.client.head_object(Bucket=self.bucket_name, Key=name)["ContentLength"]

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        return {
            k: v for k, v in state.items() if k not in {"_lock", "_shared", "_outward", "_probing"}
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._lock = threading.Lock()
        self._shared = self._outward = None


class ObjectReader(io.RawIOBase):
    """One stored object as a seekable file: each seek that is followed by a read is one ranged GET.

    A stream that breaks off is opened again where it stopped, three times in a row at most. Raises
    FileNotFoundError and StorageUnavailable.
    """

    def __init__(self, storage: ProtectedS3Storage, name: str) -> None:
        self._storage = storage
        self._name = name
        self._position = 0
        self._size: int | None = None
        self._stream: Any = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Seeking from the end asks the bucket for the size, once."""
        start = {os.SEEK_SET: lambda: 0, os.SEEK_CUR: self.tell, os.SEEK_END: self._end}[whence]()
        position = start + offset
        if position < 0:
            raise ValueError("There is nothing before the beginning of a file.")
        if position != self._position:
            self._drop()
        self._position = position
        return position

    def readinto(self, buffer: Any) -> int:
        block = self._read_block(len(buffer))
        buffer[: len(block)] = block
        return len(block)

    def read(self, size: int = -1) -> bytes:
        """As many bytes as asked for, fewer only at the end of the object."""
        if size < 0:
            return self.readall()
        blocks = []
        while size > 0 and (block := self._read_block(size)):
            blocks.append(block)
            size -= len(block)
        return blocks[0] if len(blocks) == 1 else b"".join(blocks)

    def _read_block(self, size: int) -> bytes:
        for attempt in range(REOPENED_AT_MOST + 1):
            try:
                with as_os_errors():
                    if self._stream is None and not self._begin():
                        return b""
                    block: bytes = self._stream.read(size)
            except StorageUnavailable:
                self._drop()
                if attempt == REOPENED_AT_MOST:
                    raise
            else:
                self._position += len(block)
                return block
        return b""

    def _begin(self) -> bool:
        """Open the stream at the position; False when that lies beyond the end."""
        try:
            answer = self._storage.client.get_object(
                Bucket=self._storage.bucket_name,
                Key=self._name,
                Range=f"bytes={self._position}-",
            )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "InvalidRange":
                return False
            raise
        self._stream = answer["Body"]
        return True

    def _end(self) -> int:
        if self._size is None:
            self._size = self._storage.size(self._name)
        return self._size

    def _drop(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def close(self) -> None:
        self._drop()
        super().close()


def _guard(client: Any) -> None:
    """Let the circuit decide before every call of this client, and learn from every answer.

    Signing an address is no call. Sources: botocore's events `before-call`, `after-call`, `after-call-error`.
    """
    client.meta.events.register("before-call.s3", _before_call)
    client.meta.events.register("after-call.s3", _after_call)
    client.meta.events.register("after-call-error.s3", _after_call_error)


def _before_call(**about: Any) -> None:
    if not circuit.storage.allows():
        raise StorageUnavailable("The bucket did not answer lately and is left alone for seconds.")


def _after_call(http_response: Any, **about: Any) -> None:
    status = http_response.status_code
    if status >= 500 or status == 429:
        circuit.storage.failed(f"it answers {status}")
    else:
        circuit.storage.succeeded()


def _after_call_error(exception: Exception, **about: Any) -> None:
    circuit.storage.failed(type(exception).__name__)


@contextmanager
def as_os_errors() -> Iterator[None]:
    """What botocore raises, as the OSErrors that callers of any storage know."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if code == 404 and error.response.get("Error", {}).get("Code") != "NoSuchBucket":
            raise FileNotFoundError("There is no such object in the bucket.") from error
        raise StorageUnavailable(f"The bucket answered {code}.") from error
    except (BotoCoreError, HTTPClientError) as error:
        raise StorageUnavailable(f"The bucket was not reached ({type(error).__name__}).") from error


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
