"""Which files the rows of a database name: paid files, excerpts, covers in all sizes, logos, pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.files.storage import Storage, storages
from django.db.models import FileField, Model
from wagtail.images.models import AbstractRendition
from wagtail.models import UploadedFile

from catalog_pages.storage import ProtectedStorage

PROTECTED, PUBLIC = "protected", "public"
# What editors are just uploading: it lives for minutes.
PASSING: tuple[type[Model], ...] = (UploadedFile,)


@dataclass(frozen=True)
class NamedFile:
    """`sha256` and `size` as the row says; "" and 0 where it says nothing."""

    store: str
    key: str
    sha256: str
    size: int
    what: str
    can_be_made_again: bool


def store_named(name: str) -> Storage:
    return storages[name]


def named_files(alias: str) -> Iterator[NamedFile]:
    """Each file once, as rows of the database behind this alias name them."""
    seen: set[tuple[str, str]] = set()
    for model, field in _file_fields():
        known = {one.name for one in model._meta.fields}
        says = {"sha256", "size_bytes"} <= known
        paths = [field.name, "pk", *(("sha256", "size_bytes") if says else ())]
        rows: Any = model._base_manager.using(alias).exclude(**{field.name: ""}).order_by("pk")
        store = PROTECTED if isinstance(field.storage, ProtectedStorage) else PUBLIC
        for key, pk, *facts in rows.values_list(*paths).iterator(chunk_size=2000):
            if not key or (store, key) in seen:
                continue
            seen.add((store, key))
            sha256, size = facts or ("", 0)
            what = f"{model._meta.verbose_name} {pk}"
            yield NamedFile(store, key, sha256, size, what, issubclass(model, AbstractRendition))


def _file_fields() -> Iterator[tuple[type[Model], Any]]:
    for model in apps.get_models():
        if model._meta.proxy or not model._meta.managed or model in PASSING:
            continue
        for field in model._meta.local_fields:
            if isinstance(field, FileField):
                yield model, field
