"""Bars for an SVG: where each stands and how high it is. The numbers themselves stand in a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 720, 160
FINE = 100  # whole numbers of hundredths: nothing is rounded but what is drawn
EDGE = 2 * FINE
LEAST = 150  # what a bar is high at least, in hundredths


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
    width: int = WIDTH
    height: int = HEIGHT


def bars_of(
    up: Sequence[int], down: Sequence[int], words: Sequence[tuple[str, str]]
) -> tuple[list[Bar], str]:
    """The bars of two rows of numbers, the second below the line; and where that line is.

    A number that is not zero can be seen, however small it is. `words`: what is said of each bar.
    """
    highest, lowest = max([0, *up]), max([0, *down])
    whole, drawn = max(1, highest + lowest), HEIGHT * FINE - 2 * EDGE
    zero = EDGE + highest * drawn // whole
    room = WIDTH * FINE // max(1, len(up))
    bars = []
    for place, (more, less) in enumerate(zip(up, down, strict=True)):
        for number, kind, text in ((more, "up", words[place][0]), (less, "down", words[place][1])):
            if number <= 0:
                continue
            height = max(LEAST, number * drawn // whole)
            top = zero - height if kind == "up" else zero
            bars.append(
                Bar(
                    x=_number(room * place + room // 8),
                    y=_number(top),
                    width=_number(room * 3 // 4),
                    height=_number(height),
                    kind=kind,
                    words=text,
                )
            )
    return bars, _number(zero)


def _number(hundredths: int) -> str:
    """As SVG wants it, whatever the language is."""
    sign = "-" if hundredths < 0 else ""
    whole, rest = divmod(abs(hundredths), FINE)
    return f"{sign}{whole}.{rest:02d}".rstrip("0").rstrip(".")
