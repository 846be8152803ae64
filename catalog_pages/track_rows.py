"""Tracks with their files and excerpts, read as plain rows: an album has dozens, and making a model's object
of each costs more than all the rest of a page.

What is read here has the names that the models have: `excerpt_for` and the templates read it as they read
the models' own objects.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from django.core.files.storage import storages

Row = TypeVar("Row")
ASSET_COLUMNS = (
    "file_name", "format_name", "content_type", "size_bytes", "sha256", "duration_ms", "bitrate_bps",
)  # fmt: skip
EXCERPT_COLUMNS = (
    "pk", "start_ms", "length_ms", "duration_ms", "size_bytes", "sha256", "file", "peaks",
)  # fmt: skip
# In the order in which `Tracks.add` takes them.
TRACK_COLUMNS = (
    "title", "disc", "number", "excerpt_start_seconds", "excerpt_length_seconds", "files__pk",
    *(f"files__asset__{name}" for name in ASSET_COLUMNS),
    *(f"files__asset__excerpts__{name}" for name in EXCERPT_COLUMNS),
)  # fmt: skip
_FILE, _ASSET, _EXCERPT = 5, 6, 6 + len(ASSET_COLUMNS)


class Rows(list[Row], Generic[Row]):
    """A list that is read as a prefetched relation is."""

    def all(self) -> Rows[Row]:
        return self


@dataclass(slots=True, frozen=True)
class PublicFile:
    """A file that everybody may have, as a model's field has it."""

    name: str

    @property
    def url(self) -> str:
        return storages["public"].url(self.name)


@dataclass(slots=True)
class ExcerptRow:
    pk: int
    start_ms: int
    length_ms: int
    duration_ms: int
    size_bytes: int
    sha256: str
    file_name: str
    peaks: list[int]

    @property
    def file(self) -> PublicFile:
        return PublicFile(self.file_name)


@dataclass(slots=True)
class AssetRow:
    file_name: str
    format_name: str
    content_type: str
    size_bytes: int
    sha256: str
    duration_ms: int | None
    bitrate_bps: int | None
    excerpts: Rows[ExcerptRow] = field(default_factory=Rows)

    @property
    def is_audio(self) -> bool:
        return self.duration_ms is not None


@dataclass(slots=True)
class FileRow:
    asset: AssetRow


@dataclass(slots=True)
class TrackRow:
    title: str
    disc: int | None
    number: int | None
    excerpt_start_seconds: int | None
    excerpt_length_seconds: int | None
    files: Rows[FileRow] = field(default_factory=Rows)


class Tracks(defaultdict[Any, Rows[TrackRow]]):
    """Tracks by whom they belong to, of rows that come in their order."""

    def __init__(self) -> None:
        super().__init__(Rows)
        self._track: Any = None
        self._file: Any = None

    def add(self, owner: Any, track: int, row: Sequence[Any]) -> None:
        """`row`: TRACK_COLUMNS, one for each excerpt, or file, or track that has none of these."""
        if (owner, track) != self._track:
            self._track, self._file = (owner, track), None
            self[owner].append(TrackRow(*row[:_FILE]))
        files = self[owner][-1].files
        if row[_ASSET] is not None and row[_FILE] != self._file:
            self._file = row[_FILE]
            files.append(FileRow(AssetRow(*row[_ASSET:_EXCERPT])))
        if row[_EXCERPT] is not None:
            files[-1].asset.excerpts.append(ExcerptRow(*row[_EXCERPT:]))
