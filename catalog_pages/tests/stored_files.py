"""Stored files that something happens to, and the command that finds out."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.db import connection

from catalog_pages.models import DigitalAsset
from catalog_pages.models.assets import protected_key


def keep_in(settings: Any, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]) -> Any:
    """Use another protected storage, as a setting would at the start of the process."""
    settings.STORAGES = {**settings.STORAGES, "protected": options}
    monkeypatch.setattr(DigitalAsset._meta.get_field("file"), "storage", storages["protected"])
    return storages["protected"]


def keep_in_folder(settings: Any, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Use a new folder: other tests leave files behind that no row knows."""
    folder.mkdir()
    backend = "catalog_pages.storage.ProtectedFileSystemStorage"
    keep_in(settings, monkeypatch, {"BACKEND": backend, "OPTIONS": {"location": str(folder)}})


def run(*arguments: str) -> tuple[int, str]:
    """The command's exit code, and what it said on standard output."""
    out = io.StringIO()
    try:
        call_command("verify_assets", *arguments, stdout=out)
    except CommandError as error:
        return error.returncode, out.getvalue()
    return 0, out.getvalue()


def is_noted_missing(asset: DigitalAsset) -> bool:
    """Whether the last check found the file gone, as whoever may not ask the storage reads it."""
    fresh = DigitalAsset.objects.select_related("fixity").get(pk=asset.pk)
    return fresh.last_found == "missing"


def path_of(asset: DigitalAsset) -> Path:
    return Path(asset.file.path)


def flip_a_bit(path: Path, at: int = 1000) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        (byte,) = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ 1]))


def stray(root: Path, name: str = "", *, hours: float, content: bytes = b"lost property") -> Path:
    """A stored file that no row knows, last written so many hours ago."""
    path = root / (name or protected_key(DigitalAsset(), ""))
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    then = time.time() - hours * 3600
    os.utime(path, (then, then))
    return path


@contextmanager
def before_sql(*parts: str, then: Callable[[], object], number: int = 1) -> Iterator[None]:
    """`then` runs once, before that statement in which all `parts` are."""
    seen = 0

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal seen
        if all(part in sql for part in parts):
            seen += 1
            if seen == number:
                then()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrapper):
        yield
