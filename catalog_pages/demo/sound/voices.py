"""Every instrument's cache of notes, emptied together."""

from __future__ import annotations

from catalog_pages.demo.sound import keys, strings, synths


def forget_notes() -> None:
    """Give the memory of the cached notes back once a piece is played and only mixing is left."""
    for instruments in (keys, strings, synths):
        instruments.forget()
