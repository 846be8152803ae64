"""What one backup holds. Digests are SHA-256 in hexadecimal, sizes bytes.

database.sqlite3 | database.pgdump    the snapshot
files.jsonl                           a line for each file that its rows name
manifest.json                         what it is, and of what state of the shop
SHA256SUMS                            the digests of those three: `sha256sum -c SHA256SUMS` checks by hand
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

FORMAT = 1
MANIFEST, FILES, SUMS = "manifest.json", "files.jsonl", "SHA256SUMS"
CHUNK = 1024 * 1024


class Damaged(Exception):
    """A backup is not what was written; the sentence says where."""


@dataclass(frozen=True)
class StoredFile:
    """One file of the shop. `store`: `protected` or `public`. `kept`: its bytes are in the backup."""

    store: str
    key: str
    size: int
    sha256: str
    kept: bool = True
    problem: str = ""


@dataclass(frozen=True)
class Manifest:
    """`rows`: how many each table had. `migrations`: `app.name` of each that had been applied. `key_check`
    tells whether a shop has the same SECRET_KEY, and nothing of the key."""

    made_at: str
    vendor: str
    database: str
    rows: dict[str, int]
    migrations: list[str]
    files: int
    file_bytes: int
    with_files: bool
    problems: list[str]
    key_check: str
    format: int = FORMAT


def written(folder: Path, manifest: Manifest) -> None:
    """The last of a backup's own files; everything else is there already."""
    _write(folder / MANIFEST, json.dumps(asdict(manifest), indent=1, sort_keys=True) + "\n")
    names = (manifest.database, FILES, MANIFEST)
    _write(folder / SUMS, "".join(f"{digest_of(folder / name)}  {name}\n" for name in names))


def read(folder: Path) -> Manifest:
    """What `SHA256SUMS` agrees with. Raises Damaged."""
    for name, digest in _sums(folder).items():
        path = folder / name
        if not path.is_file():
            raise Damaged(f"{path} is missing.")
        if digest_of(path) != digest:
            raise Damaged(f"{path} is not what was written: its SHA-256 differs.")
    return described(folder)


def described(folder: Path) -> Manifest:
    """As `read`, without reading the database again: for lists."""
    try:
        values: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        manifest = Manifest(**values)
    except (OSError, ValueError, TypeError) as error:
        raise Damaged(f"{folder / MANIFEST} cannot be read: {error}.") from error
    if manifest.format != FORMAT:
        raise Damaged(
            f"{folder} was made by a newer release of the shop (format {manifest.format})."
        )
    return manifest


def files_of(folder: Path) -> Iterator[StoredFile]:
    try:
        with (folder / FILES).open(encoding="utf-8") as lines:
            for line in lines:
                yield StoredFile(**json.loads(line))
    except (OSError, ValueError, TypeError) as error:
        raise Damaged(f"{folder / FILES} cannot be read: {error}.") from error


def line_of(file: StoredFile) -> str:
    return json.dumps(asdict(file), ensure_ascii=False) + "\n"


def digest_of(path: Path, moved: Callable[[int], object] = lambda count: None) -> str:
    with path.open("rb") as file:
        return copied(file, None, moved)[0]


def copied(
    source: IO[bytes], target: IO[bytes] | None, moved: Callable[[int], object]
) -> tuple[str, int]:
    """Digest and size of what was read, and written if there is a target."""
    digest, size = hashlib.sha256(), 0
    while piece := source.read(CHUNK):
        digest.update(piece)
        size += len(piece)
        if target is not None:
            target.write(piece)
        moved(len(piece))
    return digest.hexdigest(), size


def _sums(folder: Path) -> dict[str, str]:
    try:
        lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise Damaged(f"{folder} is no whole backup: {SUMS} cannot be read.") from error
    sums = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    if not {MANIFEST, FILES} <= sums.keys() or len(sums) != 3 or any("/" in name for name in sums):
        raise Damaged(f"{folder / SUMS} does not name what a backup holds.")
    return sums


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
