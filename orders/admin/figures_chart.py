"""Bars for an SVG: where each stands and how high it is. The numbers themselves stand in a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 720.0, 160.0
GAP = 0.25  # of the room of a bar


@dataclass(frozen=True)
class Bar:
    """`kind` is part of its class: up or down."""

    x: str
    y: str
    width: str
    height: str
    kind: str
    words: str


@dataclass(frozen=True)
class Chart:
    """`key` makes ids unique on the page. `zero`: where the line of nothing is."""

    key: str
    title: str
    words: str
    bars: list[Bar]
    zero: str
    most: str
    first: str
    last: str
    width: int = int(WIDTH)
    height: int = int(HEIGHT)


def bars_of(
    up: Sequence[int], down: Sequence[int], words: Sequence[tuple[str, str]]
) -> tuple[list[Bar], str]:
    """The bars of two rows of numbers, the second below the line; and where that line is.

    A number that is not zero can be seen, however small it is. `words`: what is said of each bar.
    """
    highest, lowest = max([0, *up]), max([0, *down])
    scale = (HEIGHT - 4) / max(1, highest + lowest)
    zero = 2 + highest * scale
    room = WIDTH / max(1, len(up))
    bars = []
    for place, (more, less) in enumerate(zip(up, down, strict=True)):
        for number, kind, text in ((more, "up", words[place][0]), (less, "down", words[place][1])):
            if number <= 0:
                continue
            height = max(1.5, number * scale)
            top = zero - height if kind == "up" else zero
            bars.append(
                Bar(
                    x=_number(room * (place + GAP / 2)),
                    y=_number(top),
                    width=_number(room * (1 - GAP)),
                    height=_number(height),
                    kind=kind,
                    words=text,
                )
            )
    return bars, _number(zero)


def _number(value: float) -> str:
    """As SVG wants it, whatever the language is."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
