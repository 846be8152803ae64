"""Files that a machine makes for itself, once: keys."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path


def text_made_once(path: Path, make: Callable[[], str]) -> str:
    """The text in the file, which is made if there is none; readable by its owner alone.

    It appears whole or not at all, because link(2) fails where a name is taken: of processes that
    start together one makes it, and all read that one.
    """
    try:
        return path.read_text(encoding="ascii")
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(make())
        os.link(draft, path)
    except FileExistsError:  # another process was faster; what it made counts
        pass
    finally:
        draft.unlink()
    return path.read_text(encoding="ascii")
