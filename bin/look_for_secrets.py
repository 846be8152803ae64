"""Look through what is committed, or about to be, for keys and passwords.

    python bin/look_for_secrets.py            # every file that git knows or would add
    python bin/look_for_secrets.py FILE …     # these alone
    python bin/look_for_secrets.py --accept   # all that is found now was looked at, and is none

What it promises:

- it ends with 1 and names kind, file and line of everything that looks like a secret and is not in
  `.secrets-known`; the value itself is never printed;
- a value that was judged once counts as known wherever it stands: moved lines and renamed files change
  nothing, another value in the same place is found;
- nothing that looks like a key is sent anywhere to be tried.

In tests, which make up a password on every page, words beside names such as `password` are left out; keys of
known shapes and random strings are looked for there as well.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

from detect_secrets import SecretsCollection
from detect_secrets.settings import default_settings, get_settings

ROOT = Path(__file__).resolve().parent.parent
KNOWN = ROOT / ".secrets-known"
ASKS_THE_NETWORK = "detect_secrets.filters.common.is_ignored_due_to_verification_policies"
WORDS = "Secret Keyword"
FILES_AT_A_TIME = 40


class Found(NamedTuple):
    """Something that looks like a secret; `digest` stands for its value."""

    kind: str
    digest: str
    path: str
    line: int


def is_of_tests(path: str) -> bool:
    parts = Path(path).parts
    return "tests" in parts or parts[-1] == "conftest.py"


def look(paths: Sequence[str]) -> list[Found]:
    """Everything in these files that looks like a secret, known or not."""
    with default_settings():
        get_settings().disable_filters(ASKS_THE_NETWORK)
        collection = SecretsCollection()
        for path in paths:
            collection.scan_file(path)
        every = [
            Found(secret.type, secret.secret_hash, path, secret.line_number)
            for path, secret in collection
        ]
    return [found for found in every if not (found.kind == WORDS and is_of_tests(found.path))]


def look_everywhere(paths: Sequence[str]) -> list[Found]:
    """The same, by every core of this machine, in the order of the files."""
    parts = [
        paths[start : start + FILES_AT_A_TIME] for start in range(0, len(paths), FILES_AT_A_TIME)
    ]
    with ProcessPoolExecutor() as pool:
        return sorted((one for part in pool.map(look, parts) for one in part), key=lambda f: f[2:])


def known(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Kind and digest of each value that was judged; a line says where it stood first as well."""
    for line in lines:
        if line.strip() and not line.startswith("#"):
            kind, digest, _place = line.rstrip("\n").split("\t")
            yield kind, digest


def unknown(every: Iterable[Found]) -> list[Found]:
    judged = set(known(KNOWN.read_text().splitlines()))
    return [found for found in every if (found.kind, found.digest) not in judged]


def committed() -> list[str]:
    """What git has and what it would add, deleted files left out."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607  # nosec B607  # git is where it is
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    mine = str(KNOWN.relative_to(ROOT))
    names = (name for name in listed.split("\0") if name and name != mine)
    return [name for name in names if (ROOT / name).is_file() and not (ROOT / name).is_symlink()]


def accept(every: Iterable[Found]) -> None:
    """Write down all that was found as known, and forget what is not there any more."""
    first = {(found.kind, found.digest): found.path for found in reversed(list(every))}
    head = [line for line in KNOWN.read_text().splitlines(keepends=True) if line.startswith("#")]
    rows = sorted(f"{kind}\t{digest}\t{path}\n" for (kind, digest), path in first.items())
    KNOWN.write_text("".join([*head, *rows]))


def main(words: Sequence[str]) -> int:
    if list(words) == ["--accept"]:
        accept(look_everywhere(committed()))
        return 0
    new = unknown(look(words) if words else look_everywhere(committed()))
    for found in new:
        print(f"{found.path}:{found.line}: {found.kind}", file=sys.stderr)
    if new:
        print(
            "These look like secrets. Take them out; whatever was pushed counts as known to everybody and is "
            "replaced where it opens something. What is none: see “Secrets” in docs/security.md.",
            file=sys.stderr,
        )
    return 1 if new else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
