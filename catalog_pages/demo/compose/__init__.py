"""Composers, one module for each genre: each turns a ``Brief`` into a mastered stereo sound."""

from __future__ import annotations

from collections.abc import Callable

from catalog_pages.demo.compose import ambient, folk, house, jazz, synthwave
from catalog_pages.demo.compose.score import Brief
from catalog_pages.demo.sound.signal import Sound

_COMPOSERS: dict[str, Callable[[Brief], Sound]] = {
    "Ambient": ambient.compose,
    "House": house.compose,
    "Jazz": jazz.compose,
    "Folk": folk.compose,
    "Synthwave": synthwave.compose,
}


def compose(genre: str, brief: Brief) -> Sound:
    """The finished piece, float32 of shape ``(2, samples)``, peaks under ``mix.CEILING``."""
    return _COMPOSERS[genre](brief)
