"""Sleeves for house and synthwave: flat colour, overprints, neon."""

from __future__ import annotations

import numpy as np

from catalog_pages.demo.covers.canvas import (
    SIDE,
    Picture,
    Point,
    axes,
    block,
    clouds,
    disc,
    dots,
    glow,
    ink,
    paint,
    ramp,
    sampled,
    sheet,
    strokes,
)
from catalog_pages.demo.covers.lettering import write

Random = np.random.Generator


def _bend(points: list[Point], radius: float) -> list[Point]:
    """A polyline with its corners rounded, as on a transit map."""
    path = [points[0]]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        start, end = (_towards(corner, other, radius) for other in (before, after))
        for step in np.linspace(0, 1, 14):
            first = (1 - step) ** 2
            last = step**2
            middle = 1 - first - last
            path.append(
                (
                    first * start[0] + middle * corner[0] + last * end[0],
                    first * start[1] + middle * corner[1] + last * end[1],
                )
            )
    return [*path, points[-1]]


def _towards(here: Point, there: Point, length: float) -> Point:
    away = float(np.hypot(there[0] - here[0], there[1] - here[1]))
    part = min(0.5, length / away)
    return here[0] + (there[0] - here[0]) * part, here[1] + (there[1] - here[1]) * part


def night_lines(random: Random) -> Picture:
    """Seven bus routes that run together, part, and meet again."""
    picture = sheet("#1d1726")
    paint(picture, glow(0.75, 0.2, 0.6) * 0.35, "#43284f")
    colours = ("#f4b942", "#ee7b4d", "#e4577b", "#b65fcf", "#5f7ae0", "#4fb3bf", "#f3e6d3")
    step, width = 0.046, 0.032
    for place, colour in enumerate(colours):
        offset = (place - 3) * step
        route: list[Point] = [
            (-0.1, 0.76 + offset),
            (0.2 + offset * 0.414, 0.76 + offset),
            (0.62 + offset * 0.414, 0.34 + offset),
            (0.62 + offset * 0.414, 0.34 + offset),
        ]
        if place % 2:
            route[3:] = [(1.1, 0.34 + offset)]
            route[2] = (0.62 + offset * 0.414, 0.34 + offset)
        else:
            route[2:] = [
                (0.52 + offset, 0.44 + offset * 1.414 - offset * 0.414),
                (0.52 + offset, -0.1),
            ]
        paint(picture, strokes([_bend(route, 0.12)], width), colour)
    stops = [(0.1, y, 0.0105) for y in (0.622, 0.714, 0.806, 0.898)]
    paint(picture, dots(stops), "#1d1726")
    write(
        picture,
        "VELVET TRANSIT",
        0.94,
        0.9,
        size=0.024,
        colour="#f3e6d3",
        tracking=0.25,
        align="right",
    )
    write(picture, "Night Bus Gospel", 0.94, 0.94, size=0.03, colour="#f4b942", align="right")
    return picture


def quarter_tiles(random: Random) -> Picture:
    """Quarter circles on a five by five grid, five inks."""
    inks = ("#f0e4d0", "#d9532c", "#e9a93b", "#2c4a52", "#e6a79a")
    picture = sheet(inks[0])
    cells = 5
    size = 1.0 / cells
    previous = -1
    for cell in range(cells * cells):
        left, top = cell % cells * size, cell // cells * size
        ground, figure = (int(choice) for choice in random.permutation(5)[:2])
        if ground == previous:
            ground, figure = figure, ground
        previous = ground
        other = next(choice for choice in range(5) if choice not in (ground, figure))
        _tile(picture, random, (left, top, size), (inks[ground], inks[figure], inks[other]))
    plate = block(0.0, 0.8, 0.6, 1.0)
    paint(picture, plate, "#2c4a52")
    write(picture, "Basement", 0.05, 0.888, size=0.062, colour="#f0e4d0", tracking=0.0)
    write(picture, "Sunday", 0.05, 0.95, size=0.062, colour="#e9a93b", tracking=0.0)
    write(
        picture, "VELVET", 0.57, 0.872, size=0.017, colour="#f0e4d0", tracking=0.25, align="right"
    )
    write(
        picture, "TRANSIT", 0.57, 0.898, size=0.017, colour="#f0e4d0", tracking=0.25, align="right"
    )
    return picture


def _tile(
    picture: Picture,
    random: Random,
    place: tuple[float, float, float],
    inks: tuple[str, str, str],
) -> None:
    """One tile: a dot, a quarter circle, or a quarter circle with rings cut out of it."""
    left, top, size = place
    side = round(size * SIDE)
    row, column = round(top * SIDE), round(left * SIDE)
    window = picture[row : row + side, column : column + side]
    across, down = (axis[row : row + side, column : column + side] for axis in axes())
    window[:] = ink(inks[0])
    kind = int(random.integers(4))
    corner_x, corner_y = (float(step) * size for step in random.integers(2, size=2))
    rings = ((1.0, inks[1]), (0.6, inks[0]), (0.3, inks[2]))[: kind + 1]
    if kind == 3:
        corner_x, corner_y, rings = size / 2, size / 2, ((0.34, inks[1]),)
    for reach, colour in rings:
        away = np.hypot(across - left - corner_x, down - top - corner_y)
        paint(window, np.clip((reach * size - away) * SIDE + 0.5, 0, 1), colour)


def turning_gate(random: Random) -> Picture:
    """Two inks, two sets of arms, printed a little out of register."""
    picture = sheet("#f3ecdf")
    picture += ((clouds(random, (90, 90), 3) - 0.5) * 0.05)[..., None]
    across, down = axes()
    for x, y, turn, colour in ((0.44, 0.46, 0.0, "#ff5a6e"), (0.57, 0.53, 0.5, "#2a62d6")):
        angle = np.arctan2(down - y, across - x) / (2 * np.pi)
        away = np.hypot(across - x, down - y)
        total = np.zeros_like(across)
        for ring in range(6):
            inner, outer = 0.06 + ring * 0.058, 0.06 + ring * 0.058 + 0.045
            arms = 3 + ring % 2
            phase = (angle * arms + turn + ring * 0.19 * (1 if turn else -1)) % 1.0
            band = np.clip((outer - away) * 900, 0, 1) * np.clip((away - inner) * 900, 0, 1)
            edge = 900 * away * 2 * np.pi / arms
            arc = np.clip((0.31 - np.abs(phase - 0.5)) * edge, 0, 1)
            total = np.maximum(total, band * arc)
        # The screen of a risograph: coarse where the ink is thin.
        rough = 0.86 + 0.14 * clouds(random, (140, 140), 2)
        paint(picture, (total * rough).astype(np.float32), colour, "multiply")
    paint(picture, disc(0.505, 0.495, 0.034), "#1c1a3a")
    write(picture, "TURNSTILE", 0.07, 0.085, size=0.034, colour="#1c2b6b", tracking=0.3)
    write(picture, "Velvet Transit", 0.93, 0.945, size=0.024, colour="#1c2b6b", align="right")
    return picture


def _land_and_sea(picture: Picture, random: Random, horizon: float, x: float) -> None:
    """Three headlands, the nearest darkest, and the sun's path over the water below ``x``."""
    across, down = axes()
    for layer, (colour, rise) in enumerate(
        (("#6b2a6e", 0.1), ("#3c1a58", 0.075), ("#1c0f38", 0.055))
    ):
        ridge = clouds(random, (4 + 2 * layer, 1), 6, 0.52)[0]
        slope = 0.25 + 1.2 * np.abs(across[0] - (0.62, 0.45, 0.55)[layer]) ** 1.2
        line = horizon + 0.012 * layer - rise * ridge * slope * 2.2
        shore = horizon + 0.014 * layer
        paint(picture, ((down > line[None, :]) & (down < shore)) * 1.0, colour)
    depth = np.clip((down - horizon) / (1 - horizon), 1e-3, 1)
    shimmer = clouds(random, (6, 90), 2, 0.7)
    path = np.exp(-(((across - x) / (0.1 + 0.22 * depth)) ** 2))
    glint = (shimmer > 0.78 - 0.34 * path) * path * (down > horizon + 0.03) * (down < 0.9)
    paint(picture, (glint * (1 - 0.6 * depth)).astype(np.float32), "#ff9a72")


def coastline(random: Random) -> Picture:
    """The sun going down behind a headland, in slices."""
    _, down = axes()
    horizon = 0.63
    picture = ramp(down, ((0, "#191038"), (0.3, "#4b1d63"), (0.5, "#a8306f"), (horizon, "#f0705a")))
    sea = ramp(down, ((horizon, "#7c2463"), (0.75, "#35195a"), (1, "#120b2c")))
    picture = np.where((down < horizon)[..., None], picture, sea)
    stars = (random.random((SIDE, SIDE)) > 0.9993) & (down < 0.36)
    paint(picture, stars * (0.8 - 2 * down).clip(0, 1), "#ffe6f0")
    x, y, radius = 0.53, 0.44, 0.235
    sun = ramp(
        (down - y + radius) / (2 * radius), ((0, "#ffe27a"), (0.5, "#ff9a58"), (1, "#ff3f7d"))
    )
    slot = np.clip((down - y) / radius, 0, 1)
    open_ = (((down - y) / radius * 7) % 1.0) < slot * 0.62
    cover = disc(x, y, radius, 0.002) * (~open_ | (down < y)) * (down < horizon)
    paint(picture, glow(x, y, 0.36) * 0.3 * (down < horizon), "#ff6a7d", "add")
    picture += cover[..., None] * (sun - picture)
    _land_and_sea(picture, random, horizon, x)
    write(
        picture,
        "NEON CAUSEWAY",
        0.5,
        0.09,
        size=0.026,
        colour="#ffd9e4",
        tracking=0.5,
        align="centre",
    )
    write(
        picture,
        "Coastline 1986",
        0.5,
        0.945,
        size=0.034,
        colour="#ffc9a8",
        tracking=0.12,
        align="centre",
    )
    return picture


def liquid_chrome(random: Random) -> Picture:
    """Metal that has not decided on a shape."""
    across, down = axes()
    warp_x, warp_y = clouds(random, (3, 3), 3, 0.42), clouds(random, (3, 3), 3, 0.42)
    base = clouds(random, (2, 2), 2, 0.35)
    field = sampled(base, across * 0.55 + warp_x * 0.45, down * 0.55 + warp_y * 0.45)
    slope_y, slope_x = np.gradient(field * 260)
    facing = 1.0 / np.sqrt(1.0 + slope_x**2 + slope_y**2)
    tilt = (slope_x * 0.8 - slope_y) * facing
    band = 0.5 + 0.5 * np.sin(field * 26 + tilt * 2.2)
    picture = ramp(
        band.astype(np.float32),
        (
            (0, "#0b0f1e"),
            (0.25, "#27405f"),
            (0.48, "#7fb6c4"),
            (0.6, "#f4f7f5"),
            (0.74, "#e79fc4"),
            (0.9, "#6a3f8f"),
            (1, "#1b1538"),
        ),
    )
    paint(picture, np.clip(tilt - 0.35, 0, 1).astype(np.float32) * 0.8, "#fff8ef", "add")
    plate = block(0.06, 0.855, 0.5, 0.94)
    paint(picture, plate, "#0b0f1e")
    write(picture, "CHROME ESTUARY", 0.08, 0.893, size=0.023, colour="#f4f7f5", tracking=0.22)
    write(picture, "Neon Causeway", 0.08, 0.922, size=0.019, colour="#e79fc4", tracking=0.08)
    return picture


def aqueduct(random: Random) -> Picture:
    """Two tiers of arches under a small moon, and the same arches in the water."""
    across, down = axes()
    water = 0.72
    picture = ramp(down, ((0, "#0c0f2b"), (0.35, "#1d2361"), (0.6, "#5a3a94"), (water, "#c25a9c")))
    paint(picture, glow(0.76, 0.2, 0.16) * 0.35, "#8fb0ff", "add")
    paint(picture, disc(0.76, 0.2, 0.052, 0.002), "#eef2ff")
    stars = (random.random((SIDE, SIDE)) > 0.9994) & (down < 0.5)
    paint(picture, stars * np.float32(0.7), "#dfe6ff")
    wall = np.zeros_like(across)
    for top, bottom, span in ((0.36, 0.5, 0.0833), (0.5, water, 0.1666)):
        cell = (across / span) % 1.0 - 0.5
        half = 0.36
        spring = top + 0.028 + half * span
        arch = np.hypot(cell * span, np.minimum(down - spring, 0)) < half * span
        solid = (down >= top) & (down < bottom) & ~(arch & (down > top + 0.026))
        wall = np.maximum(wall, solid)
        ledge = (down >= top - 0.008) & (down < top + 0.004)
        wall = np.maximum(wall, ledge)
    stone = ramp(down, ((0.34, "#2b1f5c"), (0.5, "#1a1440"), (water, "#0e0b28")))
    picture += wall[..., None].astype(np.float32) * (stone - picture)
    rim = wall * (1 - np.roll(wall, -3, axis=1))
    paint(picture, rim.astype(np.float32) * 0.9, "#6fd6ff")
    start = round(water * SIDE)
    ripple = (clouds(random, (2, 70), 2, 0.7)[start:, :] - 0.5) * 46
    rows = (start - 1 - np.arange(SIDE - start) * 1.35)[:, None].clip(0).astype(np.int32)
    columns = (np.arange(SIDE)[None, :] + ripple).clip(0, SIDE - 1).astype(np.int32)
    fade = np.linspace(0.72, 0.3, SIDE - start, dtype=np.float32)[:, None, None]
    picture[start:] = picture[np.broadcast_to(rows, columns.shape), columns] * fade + ink(
        "#0a0d2a"
    ) * (1 - fade)
    write(picture, "MIDNIGHT AQUEDUCT", 0.06, 0.09, size=0.028, colour="#eef2ff", tracking=0.24)
    write(picture, "Neon Causeway", 0.06, 0.127, size=0.022, colour="#6fd6ff")
    return picture
