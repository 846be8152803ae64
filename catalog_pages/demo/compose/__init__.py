"""Composers, one module for each genre: each turns a ``Brief`` into a mastered stereo sound."""

from __future__ import annotations

from collections.abc import Callable

from catalog_pages.demo.compose import ambient, folk, house, jazz, synthwave
from catalog_pages.demo.compose.score import Brief, Form
from catalog_pages.demo.sound.signal import Sound

_COMPOSERS: dict[str, tuple[Callable[[Brief], Form], Callable[[Brief], Sound]]] = {
    "Ambient": (ambient.form_of, ambient.compose),
    "House": (house.form_of, house.compose),
    "Jazz": (jazz.form_of, jazz.compose),
    "Folk": (folk.form_of, folk.compose),
    "Synthwave": (synthwave.form_of, synthwave.compose),
}


def seconds(genre: str, brief: Brief) -> float:
    """How long the piece will be, without playing it."""
    return _COMPOSERS[genre][0](brief).seconds


def compose(genre: str, brief: Brief) -> Sound:
    """The finished piece, float32 of shape ``(2, samples)``, peaks under ``mix.CEILING``."""
    return _COMPOSERS[genre][1](brief)
