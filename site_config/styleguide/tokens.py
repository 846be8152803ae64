"""The shop's colours and pictures, read from the files that have them: the guide cannot fall behind."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from django.contrib.staticfiles import finders

from catalog_pages.theme import contrast, rgb

DARK = "@media (prefers-color-scheme: dark)"
_ROOT = re.compile(r":root\s*\{(.*?)\n\s*\}", re.DOTALL)
_COLOUR = re.compile(r"--([a-z-]+):\s*(#[0-9a-f]{6});")


@dataclass(frozen=True)
class Swatch:
    """One colour, and its contrast on paper (WCAG 2.2: text needs 4.5, what one clicks 3)."""

    colour: str
    on_paper: float


@dataclass(frozen=True)
class Token:
    name: str
    light: Swatch
    dark: Swatch


def colours() -> list[Token]:
    """Every colour of base.css by day and by night, in its order."""
    light, dark = _values(_read("shop/base.css"))
    return [Token(name, _swatch(light, name), _swatch(dark, name)) for name in light]


def icons() -> list[str]:
    """The names of all icons."""
    return re.findall(r'<symbol[^>]*\bid="([a-z-]+)"', _read("shop/icons.svg"))


def _values(css: str) -> tuple[dict[str, str], dict[str, str]]:
    by_day, _, rest = css.partition(DARK)
    light = dict(_COLOUR.findall(_ROOT.findall(by_day)[0]))
    return light, light | dict(_COLOUR.findall(_ROOT.findall(rest)[0]))


def _swatch(values: dict[str, str], name: str) -> Swatch:
    return Swatch(values[name], round(contrast(rgb(values[name]), rgb(values["paper"])), 1))


def _read(name: str) -> str:
    found = finders.find(name)
    if not isinstance(found, str):
        raise FileNotFoundError(name)
    return Path(found).read_text("utf-8")
