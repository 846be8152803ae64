"""What came of an import, for the command and for tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from catalog_pages.errors import DomainError


class IngestRefused(DomainError):
    """The import as a whole makes no sense; nothing was touched."""

    code = "ingest_refused"
    status = 422


@dataclass(frozen=True)
class Refusal:
    """One path that was not imported, and the sentence that says why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Progress:
    """`done` of `total` files are through `stage`; `name` is the one in hand."""

    stage: str
    done: int
    total: int
    name: str = ""


OnProgress = Callable[[Progress], None]


@dataclass
class IngestReport:
    """Counts are files unless they say products; `created` and the like hold page ids in order.

    Every file found is exactly one of added, known, repeated or refused. `held_back` names products
    left to their editors, `unpublished` those that could not be published; both are sentences.
    """

    found: int = 0
    added: int = 0
    known: int = 0
    repeated: int = 0
    refused: list[Refusal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    created: list[int] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)
    unchanged: list[int] = field(default_factory=list)
    published: list[int] = field(default_factory=list)
    held_back: list[str] = field(default_factory=list)
    unpublished: list[str] = field(default_factory=list)

    @property
    def pages(self) -> list[int]:
        """Every product that the files belong to."""
        return [*self.created, *self.changed, *self.unchanged]

    def refuse(self, path: Path, reason: str) -> None:
        self.refused.append(Refusal(path, reason))


def shown(path: Path) -> str:
    """A path that any terminal can print: odd bytes and control characters are replaced."""
    text = str(path).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )
