"""Unfinished uploads in a bucket: S3's multipart uploads, whose parts browsers send to the bucket itself.

Which parts are there is the bucket's word alone (ListParts); browsers tell us nothing that we believe.
Everything here raises OSErrors: FileNotFoundError for an upload that the bucket does not know,
StorageUnavailable for a bucket that does not answer. Sources: Amazon S3 API Reference,
CreateMultipartUpload, UploadPart, ListParts, CompleteMultipartUpload, AbortMultipartUpload.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

from catalog_pages.models import PendingUpload
from catalog_pages.storage_s3 import ProtectedS3Storage, as_os_errors
from catalog_pages.uploads.errors import BytesLost, NotBegun, NotWhole, UploadOver

MEBIBYTE = 1024 * 1024
PART_BYTES = 16 * MEBIBYTE  # at least 5 MiB, says S3
MOST_PARTS = 10_000
LINK_SECONDS = 3600  # to begin sending one part
CONTENT_TYPE = "application/octet-stream"  # links to buyers name the real one
KEY = re.compile(r"([0-9a-f]{2})/(\1[0-9a-f]{30})")


class BucketPlace:
    """`storage`'s bucket, at the final keys of the files."""

    is_remote: Literal[True] = True

    def __init__(self, storage: ProtectedS3Storage) -> None:
        self.storage = storage

    def piece_bytes(self, size_bytes: int) -> int:
        """The length of every part but the last; whole mebibytes, and never more than 10,000 parts."""
        least = -(-size_bytes // MOST_PARTS)
        return max(PART_BYTES, -(-least // MEBIBYTE) * MEBIBYTE)

    def begin(self, upload: PendingUpload) -> None:
        """Make sure that the bucket expects parts; of two requests at once, one wins.

        UploadOver when the upload was dropped or handed over in the meantime.
        """
        if upload.multipart_id and self._is_known(upload):
            return
        before, made = upload.multipart_id, self._create(upload.key)
        rows = PendingUpload.objects.filter(pk=upload.pk, state=PendingUpload.State.RECEIVING)
        if not rows.filter(multipart_id=before).update(multipart_id=made):
            self._abort(upload.key, made)
        if not rows.exists():
            raise UploadOver
        upload.refresh_from_db(fields=["multipart_id"])

    def received(self, upload: PendingUpload) -> int:
        """How many bytes are here, in parts of the right length. Raises BytesLost as `parts` does."""
        return sum(length_of(upload, number) for number in self.parts(upload))

    def parts(self, upload: PendingUpload) -> list[int]:
        """Numbers, from 1, of the parts that arrived in their full length.

        Raises BytesLost when somebody, a rule of the bucket's for example, has thrown them away.
        """
        try:
            held = list(self._listed(upload))
        except FileNotFoundError as error:
            raise BytesLost from error
        return [
            part["PartNumber"]
            for part in held
            if part["Size"] == length_of(upload, part["PartNumber"])
        ]

    def part_url(self, upload: PendingUpload, number: int) -> str:
        """An address to which one part of exactly its length can be PUT. Made without any call.

        Raises NotBegun when the bucket was never told of the upload, as it did not answer then.
        """
        if not upload.multipart_id:
            raise NotBegun
        parameters = {
            "Bucket": self.storage.bucket_name,
            "Key": upload.key,
            "UploadId": upload.multipart_id,
            "PartNumber": number,
            "ContentLength": length_of(upload, number),  # signed: nobody sends more than declared
        }
        with as_os_errors():
            return self.storage.signing_client.generate_presigned_url(
                "upload_part", Params=parameters, ExpiresIn=LINK_SECONDS
            )

    def settle(self, upload: PendingUpload) -> None:
        """Join the parts to one object at its key; harmless to repeat.

        Raises NotWhole when parts are missing, BytesLost when the bucket knows nothing of them.
        """
        try:
            held = list(self._listed(upload))
        except FileNotFoundError as error:
            if self._is_joined(upload):
                return
            raise BytesLost from error
        right = [part for part in held if part["Size"] == length_of(upload, part["PartNumber"])]
        if sum(part["Size"] for part in right) != upload.size_bytes:
            raise NotWhole
        etags = [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in right]
        with as_os_errors():
            self.storage.client.complete_multipart_upload(
                **self._named(upload), MultipartUpload={"Parts": etags}
            )

    def discard(self, upload: PendingUpload) -> None:
        """Remove what has arrived, joined or not."""
        if upload.multipart_id:
            self._abort(upload.key, upload.multipart_id)
        self.storage.delete(upload.key)

    def strays(self, *, before: datetime) -> list[tuple[UUID, str]]:
        """Multipart uploads under keys like ours that began `before`: ids and the bucket's own names."""
        found = []
        pages = self.storage.client.get_paginator("list_multipart_uploads")
        with as_os_errors():
            for page in pages.paginate(Bucket=self.storage.bucket_name):
                for entry in page.get("Uploads", ()):
                    match = KEY.fullmatch(entry["Key"])
                    if match and entry["Initiated"] < before:
                        found.append((UUID(hex=match[2]), entry["UploadId"]))
        return found

    def discard_stray(self, upload_id: UUID, multipart_id: str) -> None:
        self._abort(PendingUpload(pk=upload_id).key, multipart_id)

    def origin(self) -> str:
        """`https://bucket.example.com`: where browsers send parts."""
        probe = PendingUpload(size_bytes=1, piece_bytes=1, multipart_id="x")
        address = urlsplit(self.part_url(probe, 1))
        return f"{address.scheme}://{address.netloc}"

    def _named(self, upload: PendingUpload) -> dict[str, Any]:
        return {
            "Bucket": self.storage.bucket_name,
            "Key": upload.key,
            "UploadId": upload.multipart_id,
        }

    def _listed(self, upload: PendingUpload) -> Iterator[dict[str, Any]]:
        if not upload.multipart_id:
            return
        pages = self.storage.client.get_paginator("list_parts")
        with as_os_errors():
            for page in pages.paginate(**self._named(upload)):
                yield from page.get("Parts", ())

    def _is_known(self, upload: PendingUpload) -> bool:
        """False when somebody, a rule of the bucket's for example, has thrown the parts away."""
        try:
            with as_os_errors():
                self.storage.client.list_parts(**self._named(upload), MaxParts=1)
        except FileNotFoundError:
            return False
        return True

    def _is_joined(self, upload: PendingUpload) -> bool:
        try:
            return self.storage.size(upload.key) == upload.size_bytes
        except FileNotFoundError:
            return False

    def _create(self, key: str) -> str:
        with as_os_errors():
            answer = self.storage.client.create_multipart_upload(
                Bucket=self.storage.bucket_name, Key=key, ContentType=CONTENT_TYPE
            )
        return answer["UploadId"]

    def _abort(self, key: str, multipart_id: str) -> None:
        try:
            with as_os_errors():
                self.storage.client.abort_multipart_upload(
                    Bucket=self.storage.bucket_name, Key=key, UploadId=multipart_id
                )
        except FileNotFoundError:
            return  # joined, or aborted before


def parts_of(upload: PendingUpload) -> int:
    return -(-upload.size_bytes // upload.piece_bytes)


def length_of(upload: PendingUpload, number: int) -> int:
    """Bytes of part `number`; 0 for one that the file does not have."""
    start = (number - 1) * upload.piece_bytes
    return max(0, min(upload.piece_bytes, upload.size_bytes - start)) if number > 0 else 0
