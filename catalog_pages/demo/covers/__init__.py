"""One sleeve for each release: drawn from numbers, printed with grain."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

from catalog_pages.demo.covers import loud, quiet, warm
from catalog_pages.demo.covers.canvas import SIDE, Picture, finish, jpeg

# The drawing, and how much grain and how dark an edge its paper has.
_SLEEVES: dict[str, tuple[Callable[[np.random.Generator], Picture], float, float]] = {
    "raked gravel": (quiet.raked_gravel, 0.03, 0.25),
    "lantern water": (quiet.lantern_water, 0.04, 0.3),
    "moon and grass": (quiet.moon_grass, 0.045, 0.15),
    "isobars": (quiet.isobars, 0.03, 0.1),
    "low water": (quiet.low_water, 0.04, 0.15),
    "night lines": (loud.night_lines, 0.025, 0.0),
    "quarter tiles": (loud.quarter_tiles, 0.03, 0.0),
    "turning gate": (loud.turning_gate, 0.03, 0.0),
    "coastline": (loud.coastline, 0.04, 0.2),
    "liquid chrome": (loud.liquid_chrome, 0.035, 0.1),
    "aqueduct": (loud.aqueduct, 0.035, 0.15),
    "last tram": (warm.last_tram, 0.045, 0.2),
    "cut paper": (warm.cut_paper, 0.02, 0.0),
    "long hedge": (warm.long_hedge, 0.03, 0.0),
    "spring stem": (warm.spring_stem, 0.025, 0.05),
    "thistle": (warm.thistle, 0.025, 0.0),
}


def sleeve(name: str, seed: int) -> Image.Image:
    """The named sleeve, always the same for the same seed."""
    draw, grain, vignette = _SLEEVES[name]
    random = np.random.default_rng(seed)
    return finish(draw(random), random, grain, vignette)


def sleeve_jpeg(name: str, seed: int) -> bytes:
    """The named sleeve as the bytes of a JPEG picture."""
    return jpeg(sleeve(name, seed))


def collage_jpeg(first: str, second: str, third: str, seed: int) -> bytes:
    """Three sleeves as one: the first across the top, the others side by side below it."""
    half = SIDE // 2
    pictures = [sleeve(name, seed) for name in (first, second, third)]
    sheet = Image.new("RGB", (SIDE, SIDE))
    sheet.paste(pictures[0].crop((0, half // 2, SIDE, half // 2 + half)), (0, 0))
    for place, picture in enumerate(pictures[1:]):
        sheet.paste(picture.resize((half, half), Image.Resampling.LANCZOS), (place * half, half))
    return jpeg(sheet)
