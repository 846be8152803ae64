"""Which files there are below the paths that somebody typed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from catalog_pages.audio.facts import AUDIO_EXTENSIONS, UNSOLD_AUDIO_EXTENSIONS, extension_of
from catalog_pages.ingest.report import Refusal

LOOKED_AT = AUDIO_EXTENSIONS | UNSOLD_AUDIO_EXTENSIONS


def find_audio(paths: Iterable[Path]) -> tuple[list[Path], list[Refusal]]:
    """Every file to read, each once, in the order of names; and the paths that lead nowhere.

    A path that names a file is taken whatever its name says, so that a mistake is answered. In
    folders, what does not look like audio is passed over without a word, as is everything hidden.
    Links to folders are followed, each folder once.
    """
    files: dict[str, Path] = {}
    refusals: list[Refusal] = []
    for path in paths:
        for file in _below(path, refusals) if _is_folder(path) else [path]:
            if os.path.lexists(file):
                files.setdefault(os.path.realpath(file), file)
            else:
                refusals.append(Refusal(file, "There is no such file or folder."))
    return list(files.values()), refusals


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name too long, a folder on the way that may not be entered
        return False


def _below(folder: Path, refusals: list[Refusal]) -> Iterator[Path]:
    visited: set[tuple[int, int]] = set()

    def note(error: OSError) -> None:
        refusals.append(
            Refusal(Path(error.filename), f"The folder cannot be opened: {error.strerror}.")
        )

    for root, folders, names in os.walk(folder, followlinks=True, onerror=note):
        here = Path(root).stat()
        if (here.st_dev, here.st_ino) in visited:
            folders.clear()
            continue
        visited.add((here.st_dev, here.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and extension_of(name) in LOOKED_AT:
                yield Path(root) / name
