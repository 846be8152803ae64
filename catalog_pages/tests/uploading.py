"""What the upload page's script does, as a Python client that does it step by step."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.files.storage import storages
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalog_pages.models import PendingUpload
from catalog_pages.storage import PRIVATE_FOLDER
from catalog_pages.uploads.checking import upload_check


@dataclass
class Sender:
    """One editor's browser and one file of theirs."""

    client: Client
    content: bytes = b""
    name: str = "harbour.wav"
    last_modified: int = 1_700_000_000_000

    def begin(self, **declared: Any) -> tuple[int, dict[str, Any]]:
        fields = {
            "file_name": self.name,
            "size_bytes": len(self.content),
            "last_modified": self.last_modified,
        }
        return self.post("upload_begin", body=fields | declared)

    def piece(self, address: str, start: int, end: int | None = None) -> tuple[int, dict[str, Any]]:
        return self.patch(address, start, self.content[start:end])

    def patch(self, address: str, offset: object, body: bytes) -> tuple[int, dict[str, Any]]:
        kind = "application/partial-upload"
        headers = {"upload-offset": str(offset)}
        return answer(self.client.patch(address, body, content_type=kind, headers=headers))

    def finish(self, upload_id: str) -> tuple[int, dict[str, Any]]:
        return self.post("upload_finish", upload_id)

    def state(self, upload_id: str) -> dict[str, Any]:
        return answer(self.client.get(reverse("digital_assets:upload_one", args=[upload_id])))[1]

    def post(self, name: str, *args: Any, body: object = None) -> tuple[int, dict[str, Any]]:
        url = reverse(f"digital_assets:{name}", args=args)
        return answer(self.client.post(url, json.dumps(body), content_type="application/json"))


def answer(response: HttpResponse) -> tuple[int, dict[str, Any]]:
    is_json = response.headers.get("Content-Type") == "application/json"
    return response.status_code, json.loads(response.content) if is_json else {}


def private_folder() -> Path:
    return Path(storages["protected"].location) / PRIVATE_FOLDER


def private_files() -> dict[str, bytes]:
    """Everything in the folder of unfinished uploads."""
    return {path.name: path.read_bytes() for path in private_folder().glob("*")}


def whole_upload(content: bytes, name: str = "harbour.wav", **fields: Any) -> PendingUpload:
    """An upload whose every byte is in the private folder, and which waits to be checked."""
    values = {
        "file_name": name,
        "size_bytes": len(content),
        "received_bytes": len(content),
        "fingerprint": "0" * 64,
        "piece_bytes": 8 * 1024 * 1024,
        "state": "checking",
        "touched_at": timezone.now(),
    }
    upload = PendingUpload(**values | fields)
    upload.save(force_insert=True)
    private_folder().mkdir(parents=True, exist_ok=True)
    (private_folder() / upload.pk.hex).write_bytes(content)
    return upload


def stored_files() -> list[bytes]:
    """What lies at final keys."""
    storage = storages["protected"]
    return [Path(storage.path(key)).read_bytes() for key in storage.keys()]  # noqa: SIM118


def checked(upload: PendingUpload) -> PendingUpload:
    upload_check(upload_id=upload.pk)
    upload.refresh_from_db()
    return upload


def a_while_ago(span: timedelta) -> datetime:
    return timezone.now() - span - timedelta(seconds=1)
