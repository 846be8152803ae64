"""The shop's one accent colour, made readable: a stylesheet computed from nothing but a colour.

An owner picks a colour for its own sake. Here it is made darker on light paper and lighter on dark paper,
no further than text in it needs: 4.5:1 (WCAG 2.2, success criterion 1.4.3; controls need 3:1, 1.4.11).
Contrast is WCAG's: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio. Pure: no settings, no database.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

DEFAULT_ACCENT = "#b3370f"  # what base.css has without any other stylesheet
TEXT_CONTRAST = 4.5
# --paper and --surface of base.css: what the accent is read on.
LIGHT_GROUNDS = ((0xFB, 0xFA, 0xF7), (0xFF, 0xFF, 0xFF))
DARK_GROUNDS = ((0x15, 0x13, 0x10), (0x1F, 0x1C, 0x18))
WHITE, BLACK = (255, 255, 255), (0, 0, 0)
STEPS = 255
# How much a button changes under the pointer, in STEPS.
STRONGER = 46
NEARLY_BLACK = 0.03
Colour = tuple[int, int, int]

_TICK = (
    "data:image/svg+xml,%3csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 20 20'%3e%3cpath fill='none' "
    "stroke='%23{}' stroke-linecap='round' stroke-linejoin='round' stroke-width='3' d='m6 10 3 3 6-6'/%3e"
    "%3c/svg%3e"
)


@dataclass(frozen=True)
class Scheme:
    """Colours as `#rrggbb`: the accent, the same under a pointer, and the text on both."""

    accent: str
    strong: str
    on_accent: str


@dataclass(frozen=True)
class Theme:
    light: Scheme
    dark: Scheme


def parse_colour(text: str) -> str:
    """`#rrggbb` in small letters from `#B3370F`, `b3370f` or `#f60`; ValueError for anything else."""
    match = re.fullmatch(r"#?([0-9a-f]{3}|[0-9a-f]{6})", text.strip().lower(), flags=re.ASCII)
    if match is None:
        raise ValueError("not a colour")
    digits = match[1]
    return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))


def contrast(one: Colour, other: Colour) -> float:
    """From 1 (the same) to 21 (black on white)."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: Colour) -> float:
    """WCAG's relative luminance, 0 to 1."""
    red, green, blue = (_linear(channel / 255) for channel in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@lru_cache(maxsize=64)
def theme_of(accent: str) -> Theme:
    """Readable colours for light and for dark paper; `accent` as `parse_colour` takes it."""
    wanted = rgb(parse_colour(accent))
    return Theme(light=_light(wanted), dark=_dark(wanted))


@lru_cache(maxsize=64)
def stylesheet(accent: str) -> str:
    """The tokens of base.css in the colours of `accent`. For screens: print stays black."""
    theme = theme_of(accent)
    light, dark = _tokens(theme.light), _tokens(theme.dark)
    return (
        f"@media screen{{:root{{{light}}}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
    )


@lru_cache(maxsize=64)
def digest_of(accent: str) -> str:
    """Twelve hex digits that change whenever the stylesheet does."""
    return hashlib.sha256(stylesheet(accent).encode()).hexdigest()[:12]


def rgb(colour: str) -> Colour:
    """The channels of `#rrggbb`."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _light(wanted: Colour) -> Scheme:
    accent = _readable(wanted, towards=BLACK, on=LIGHT_GROUNDS)
    # What is black already cannot show a pointer by being darker.
    away = WHITE if luminance(accent) < NEARLY_BLACK else BLACK
    return Scheme(_hex(accent), _hex(_mixed(accent, away, STRONGER)), _hex(WHITE))


def _dark(wanted: Colour) -> Scheme:
    accent = _readable(wanted, towards=WHITE, on=DARK_GROUNDS)
    strong = _mixed(accent, WHITE, STRONGER)
    if contrast(accent, strong) < 1.05:  # white cannot be lighter
        strong = _mixed(accent, BLACK, STRONGER)
    ink = _mixed(accent, BLACK, 225)
    dark_ink = ink if min(contrast(ink, accent), contrast(ink, strong)) >= TEXT_CONTRAST else BLACK
    return Scheme(_hex(accent), _hex(strong), _hex(dark_ink))


def _readable(wanted: Colour, *, towards: Colour, on: Iterable[Colour]) -> Colour:
    """The nearest mix with black or white that can be read on all of these."""
    grounds = tuple(on)
    for step in range(STEPS + 1):
        colour = _mixed(wanted, towards, step)
        if all(contrast(colour, ground) >= TEXT_CONTRAST for ground in grounds):
            return colour
    return towards


def _mixed(colour: Colour, other: Colour, step: int) -> Colour:
    red, green, blue = (
        (mine * (STEPS - step) + its * step) // STEPS
        for mine, its in zip(colour, other, strict=True)
    )
    return red, green, blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def _hex(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _tokens(scheme: Scheme) -> str:
    channels = ", ".join(str(channel) for channel in rgb(scheme.accent))
    return (
        f"--accent:{scheme.accent};--accent-rgb:{channels};--accent-strong:{scheme.strong};"
        f'--on-accent:{scheme.on_accent};--tick:url("{_TICK.format(scheme.on_accent[1:])}")'
    )
