"""A picture of curves over two logarithmic scales, as an SVG that is read by day and by night."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

WIDE, HIGH = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 70, 190, 24, 54
# Told apart without colours too, by the names at their ends.
COLOURS = ("#0b6e4f", "#b3541e", "#3d5a98", "#8a1c4a", "#5b7d1e", "#6b4fa0", "#96711c", "#1c7a86")
APART = 15  # pixels between two names
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#333}.grid{stroke:#999;stroke-opacity:.35}"
    "@media(prefers-color-scheme:dark){text{fill:#ddd}}"
)


@dataclass(frozen=True)
class Curve:
    name: str
    points: tuple[tuple[float, float], ...]


def drawn(curves: list[Curve], *, across: str, up: str) -> str:
    """The SVG's text. Every number is greater than zero."""
    xs = _Scale([x for curve in curves for x, _ in curve.points], LEFT, WIDE - RIGHT)
    ys = _Scale([y for curve in curves for _, y in curve.points], HIGH - BOTTOM, TOP)
    title = f"{up} beside {across}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        *_grid(xs, ys),
        _text((LEFT + WIDE - RIGHT) / 2, HIGH - 12, across, "middle"),
        f'<g transform="translate(16 {(TOP + HIGH - BOTTOM) / 2:.0f}) rotate(-90)">',
        _text(0, 0, up, "middle"),
        "</g>",
    ]
    ends = _spread([ys.place(curve.points[-1][1]) for curve in curves])
    for curve, colour, end in zip(curves, _colours(len(curves)), ends, strict=True):
        places = " ".join(f"{xs.place(x):.1f},{ys.place(y):.1f}" for x, y in curve.points)
        parts.append(
            f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="2"/>'
        )
        parts.append(_text(WIDE - RIGHT + 10, end + 4, curve.name, "start", colour))
    return "\n".join([*parts, "</svg>"]) + "\n"


class _Scale:
    """From numbers to pixels, whole powers of ten at both ends."""

    def __init__(self, numbers: list[float], first: float, last: float) -> None:
        self.low = math.floor(math.log10(min(numbers)))
        self.high = max(math.ceil(math.log10(max(numbers))), self.low + 1)
        self._first, self._span = first, last - first

    def place(self, number: float) -> float:
        return self._first + self._span * (math.log10(number) - self.low) / (self.high - self.low)

    @property
    def marks(self) -> list[int]:
        return list(range(self.low, self.high + 1))


def _grid(xs: _Scale, ys: _Scale) -> list[str]:
    lines = []
    for power in xs.marks:
        x = xs.place(10.0**power)
        lines.append(f'<path class="grid" d="M{x:.1f} {TOP}V{HIGH - BOTTOM}"/>')
        lines.append(_text(x, HIGH - BOTTOM + 18, f"{10**power:,}", "middle"))
    for power in ys.marks:
        y = ys.place(10.0**power)
        lines.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDE - RIGHT}"/>')
        lines.append(_text(LEFT - 8, y + 4, f"{10.0**power:g}", "end"))
    return lines


def _text(x: float, y: float, words: str, anchor: str, colour: str = "") -> str:
    style = f' style="fill:{colour}"' if colour else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}>{escape(words)}</text>'


def _colours(count: int) -> list[str]:
    return [COLOURS[number % len(COLOURS)] for number in range(count)]


def _spread(places: list[float]) -> list[float]:
    """Pushed apart from the top down, so that no two names lie on one another."""
    spread = dict.fromkeys(range(len(places)), 0.0)
    above = -math.inf
    for number in sorted(spread, key=lambda one: places[one]):
        above = max(places[number], above + APART)
        spread[number] = above
    return list(spread.values())
