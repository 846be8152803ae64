"""Small type for the sleeves, with accents.

Pillow's built-in face is always there but holds only ASCII, so a letter such as ``ō`` or ``å`` is
set as its base letter and the accent is drawn above it.
"""

from __future__ import annotations

import unicodedata

from PIL import ImageDraw, ImageFont

from catalog_pages.demo.covers.canvas import OVER, SIDE, Colour, Picture, drawn, paint

_MACRON, _RING, _DIAERESIS, _ACUTE, _GRAVE = "\u0304", "\u030a", "\u0308", "\u0301", "\u0300"


def write(
    picture: Picture,
    text: str,
    x: float,
    y: float,
    *,
    size: float,
    colour: Colour,
    tracking: float = 0.04,
    align: str = "left",
) -> None:
    """Set one line with its baseline at ``y``; ``size`` is a fraction of the sleeve's side."""
    font = ImageFont.load_default(size * SIDE * OVER)
    letters = _letters(text)
    gap = tracking * size * SIDE * OVER
    widths = [font.getlength(base) + gap for base, _ in letters]
    total = sum(widths) - gap
    pen_x = x * SIDE * OVER - {"left": 0.0, "centre": total / 2, "right": total}[align]
    baseline = y * SIDE * OVER

    def draw(pen: ImageDraw.ImageDraw) -> None:
        at = pen_x
        for (base, accents), width in zip(letters, widths, strict=True):
            pen.text((at, baseline), base, font=font, fill=255, anchor="ls")
            for accent in accents:
                top = pen.textbbox((at, baseline), base, font=font, anchor="ls")
                _accent(pen, accent, top, size * SIDE * OVER)
            at += width

    paint(picture, drawn(draw), colour)


def _letters(text: str) -> list[tuple[str, str]]:
    """Each base letter with the combining marks that belong to it."""
    letters: list[tuple[str, str]] = []
    for mark in unicodedata.normalize("NFD", text):
        if unicodedata.combining(mark) and letters:
            base, accents = letters[-1]
            letters[-1] = (base, accents + mark)
        else:
            letters.append((mark, ""))
    return letters


def _accent(
    pen: ImageDraw.ImageDraw, accent: str, box: tuple[float, float, float, float], size: float
) -> None:
    middle, top = (box[0] + box[2]) / 2, box[1] - size * 0.07
    thick, wide = max(2, round(size * 0.07)), size * 0.16
    if accent == _MACRON:
        pen.rectangle((middle - wide, top - thick, middle + wide, top), fill=255)
    elif accent == _RING:
        radius = size * 0.105
        outline = (middle - radius, top - 2 * radius, middle + radius, top)
        pen.ellipse(outline, outline=255, width=max(2, round(size * 0.055)))
    elif accent == _DIAERESIS:
        radius = size * 0.05
        for centre in (middle - wide * 0.75, middle + wide * 0.75):
            pen.ellipse((centre - radius, top - 2 * radius, centre + radius, top), fill=255)
    elif accent in (_ACUTE, _GRAVE):
        lean = wide * (0.8 if accent == _ACUTE else -0.8)
        pen.line((middle - lean / 2, top, middle + lean, top - size * 0.14), fill=255, width=thick)
