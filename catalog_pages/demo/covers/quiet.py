"""Sleeves for ambient records: stones, water, weather, the moon."""

from __future__ import annotations

import numpy as np

from catalog_pages.demo.covers.canvas import (
    Mask,
    Picture,
    Point,
    axes,
    block,
    blur,
    clouds,
    contours,
    disc,
    glow,
    paint,
    polygon,
    ramp,
    sampled,
    strokes,
)
from catalog_pages.demo.covers.lettering import write

Random = np.random.Generator


def raked_gravel(random: Random) -> Picture:
    """Sand raked straight, and in rings round three stones."""
    across, down = axes()
    stones = ((0.34, 0.4, 0.105, 0.075), (0.45, 0.47, 0.05, 0.036), (0.71, 0.72, 0.07, 0.058))
    near = np.full_like(across, 9.0)
    wobble = (clouds(random, (5, 5), 3) - 0.5) * 0.02
    for x, y, wide, high in stones:
        away = np.hypot((across - x) * high / wide * 1.25, (down - y) * 1.25) - high * 1.25
        near = np.minimum(near, away + wobble)
    rings = np.where(near < 0.115, near, down + wobble * 0.25)
    ridge = np.sin(rings / 0.0155 * 2 * np.pi)
    light = np.clip(0.5 + 0.5 * ridge, 0, 1) ** 1.4
    ground = clouds(random, (3, 3), 4)
    picture = ramp(0.72 * light + 0.28 * ground, ((0, "#a3937b"), (0.5, "#cdbfa7"), (1, "#efe6d4")))
    sand = clouds(random, (260, 260), 2, 0.8)
    picture += ((sand - 0.5) * 0.16)[..., None]
    paint(picture, blur((near < 0.004).astype(np.float32), 24) * 0.55, "#3f382d", "multiply")
    paint(picture, _stones(random, stones, wobble), "#2a2926")
    _moss(picture, random, stones, wobble)
    paint(picture, block(0.06, 0.852, 0.395, 0.94), "#f3ecdd")
    write(picture, "KŌAN GARDEN", 0.08, 0.889, size=0.019, colour="#2a2926", tracking=0.25)
    write(picture, "Rain on Gravel", 0.08, 0.92, size=0.024, colour="#8a4a24")
    return picture


def _stones(
    random: Random, stones: tuple[tuple[float, float, float, float], ...], wobble: Mask
) -> Mask:
    across, down = axes()
    total = np.zeros_like(across)
    for x, y, wide, high in stones:
        away = np.hypot((across - x) / wide, (down - y) / high) + wobble * 6
        total = np.maximum(total, np.clip((1.0 - away) * 60, 0, 1))
    return total.astype(np.float32)


def _moss(
    picture: Picture,
    random: Random,
    stones: tuple[tuple[float, float, float, float], ...],
    wobble: Mask,
) -> None:
    across, down = axes()
    texture = clouds(random, (40, 40), 4, 0.65)
    cover = _stones(random, stones, wobble)
    for x, y, wide, high in stones:
        lit = glow(x - wide * 0.3, y - high * 0.45, max(wide, high) * 0.75)
        paint(picture, cover * lit * (0.3 + 0.5 * texture), "#87897a")
        green = np.clip((texture - 0.5) * 4, 0, 1) * np.clip((down - y) / high + 0.5, 0, 1)
        paint(
            picture, cover * green * (np.hypot(across - x, down - y) < wide * 1.3) * 0.8, "#5d6b35"
        )


def lantern_water(random: Random) -> Picture:
    """A paper light over black water, and what the ripples leave of it."""
    across, down = axes()
    horizon = 0.56
    picture = ramp(
        down, ((0, "#0f2a33"), (0.5, "#1d5157"), (horizon, "#357170"), (0.57, "#12333a"))
    )
    picture[down > horizon] = ramp(down, ((horizon, "#235255"), (0.75, "#0e2d35"), (1, "#081b22")))[
        down > horizon
    ]
    mist = clouds(random, (2, 9), 4) * np.exp(-(((down - horizon) / 0.1) ** 2))
    paint(picture, mist.astype(np.float32) * 0.5, "#8fb3a5")
    x, y, radius = 0.58, 0.34, 0.135
    paint(picture, glow(x, y, 0.33) * 0.5, "#e5813a", "add")
    paint(picture, disc(x, y, radius, 0.004), "#f6b561")
    paint(picture, disc(x, y, radius, 0.05) * glow(x - 0.02, y + 0.03, 0.12), "#fff0cc")
    ribs = np.abs(np.sin((down - y) / radius * 7.5)) < 0.13
    paint(picture, disc(x, y, radius, 0.004) * ribs * 0.3, "#b4541d")
    below = np.clip((down - horizon) / (1 - horizon), 0, 1)
    ripple = clouds(random, (3, 60), 3, 0.7)
    centre = x + (ripple - 0.5) * 0.26 * (0.25 + below)
    width = radius * (0.75 + 0.5 * below)
    shade = np.clip((width - np.abs(across - centre)) / 0.012, 0, 1)
    rows = np.clip((clouds(random, (2, 48), 3, 0.8) - 0.32 - 0.25 * below) * 9, 0, 1)
    paint(
        picture,
        (shade * rows * (down > horizon) * (1 - 0.75 * below)).astype(np.float32),
        "#f0a24e",
    )
    write(picture, "KŌAN GARDEN", 0.06, 0.085, size=0.02, colour="#b9d0c2", tracking=0.25)
    write(picture, "Lantern Water", 0.06, 0.118, size=0.026, colour="#f2c58a")
    return picture


def moon_grass(random: Random) -> Picture:
    """A full moon behind autumn grass."""
    _, down = axes()
    sky = down + (clouds(random, (2, 4), 3) - 0.5) * 0.16
    picture = ramp(
        sky, ((0, "#232645"), (0.4, "#4a3f6b"), (0.7, "#a2627a"), (0.9, "#e09a7c"), (1, "#f0bd8e"))
    )
    x, y, radius = 0.5, 0.465, 0.31
    paint(picture, glow(x, y, 0.5) * 0.22, "#f3d9b0", "add")
    face = clouds(random, (4, 4), 5, 0.55)
    moon = ramp(face, ((0.2, "#d6c7a8"), (0.5, "#efe4cb"), (0.85, "#fbf5e4")))
    cover = disc(x, y, radius, 0.003)
    picture += cover[..., None] * (moon - picture)
    paint(picture, cover * np.clip((down - 0.45) * 1.5, 0, 0.4).astype(np.float32), "#b77f80")
    stalks: list[list[Point]] = []
    hairs: list[list[Point]] = []
    for _ in range(34):
        foot = float(random.uniform(-0.1, 1.1))
        tall = float(random.uniform(0.2, 0.56)) * (0.6 + 0.75 * abs(foot - 0.5))
        lean = float(random.normal(0.09, 0.05))
        path = [(foot + lean * t * t, 1.02 - tall * t) for t in np.linspace(0, 1, 18)]
        heading = float(np.arctan2(path[-1][1] - path[-2][1], path[-1][0] - path[-2][0]))
        spine, plume = _plume(random, path[-1], heading, 0.06 + 0.12 * tall)
        stalks.append([*path, *spine])
        hairs += plume
    paint(picture, strokes(hairs, 0.0016) * 0.62, "#2a2038")
    paint(picture, strokes(stalks, 0.0026), "#1e1930")
    write(picture, "TSUKIMI", 0.5, 0.075, size=0.03, colour="#f2e3c6", tracking=0.5, align="centre")
    write(picture, "Kōan Garden", 0.5, 0.112, size=0.02, colour="#cdb9c4", align="centre")
    return picture


def _plume(
    random: Random, tip: Point, heading: float, length: float
) -> tuple[list[Point], list[list[Point]]]:
    """The head of a reed bowing over, and the hairs that hang from it."""
    x, y = tip
    spine: list[Point] = []
    hairs: list[list[Point]] = []
    for step in range(34):
        along = step / 34
        angle = heading + 1.15 * along**1.4
        x, y = x + length / 34 * float(np.cos(angle)), y + length / 34 * float(np.sin(angle))
        spine.append((x, y))
        size = length * 0.5 * (1.05 - along) ** 0.6 * float(random.uniform(0.7, 1.1))
        for side in (-1, 1):
            turn = angle + side * 0.5 * float(random.uniform(0.5, 1.1))
            hair = [(x, y)]
            for part in range(1, 6):
                bowed = turn + 0.22 * part
                last_x, last_y = hair[-1]
                across, down = float(np.cos(bowed)), float(np.sin(bowed))
                hair.append((last_x + size / 5 * across, last_y + size / 5 * down))
            hairs.append(hair)
    return spine, hairs


def isobars(random: Random) -> Picture:
    """A weather chart with nothing on it but the pressure."""
    across, down = axes()
    field = clouds(random, (2, 2), 3, 0.34)
    field = field + 0.55 * glow(0.66, 0.34, 0.24) - 0.4 * glow(0.24, 0.74, 0.2)
    picture = ramp(field, ((0, "#0d3a44"), (0.45, "#155863"), (0.9, "#2d7f80"), (1.4, "#72aa98")))
    wash = clouds(random, (6, 6), 4)
    picture *= (0.92 + 0.16 * wash)[..., None]
    paint(picture, contours(field, 0.034, 1.5) * 0.85, "#e9e2cd")
    paint(picture, contours(field, 0.17, 3.6), "#f3ecd8")
    grid = (np.abs((across * 8) % 1 - 0.5) > 0.494) | (np.abs((down * 8) % 1 - 0.5) > 0.494)
    paint(picture, grid * np.float32(0.16), "#e9e2cd")
    paint(picture, disc(0.66, 0.34, 0.021, 0.002), "#f0683c")
    for place in range(3):
        ring = disc(0.66, 0.34, 0.045 + 0.024 * place, 0.002)
        paint(picture, ring - disc(0.66, 0.34, 0.042 + 0.024 * place, 0.002), "#f0683c")
    paint(
        picture,
        ((across > 0.055) & (across < 0.445) & (down > 0.06) & (down < 0.165)) * 1.0,
        "#0d3a44",
    )
    write(picture, "TIDAL ARCHIVE", 0.075, 0.105, size=0.022, colour="#f3ecd8", tracking=0.2)
    write(picture, "Shipping Forecast", 0.075, 0.143, size=0.027, colour="#f0a283")
    return picture


def low_water(random: Random) -> Picture:
    """Mud flats at low tide: a pale sky twice, and a row of posts walking out."""
    across, down = axes()
    horizon = 0.42
    sky = ramp(down, ((0, "#8fa3ab"), (0.25, "#bcc3bf"), (0.38, "#e8d5c0"), (horizon, "#f2c9a6")))
    mirror = ramp(
        down, ((horizon, "#e9bd9b"), (0.55, "#b8aa9d"), (0.75, "#6c7a80"), (1, "#34454d"))
    )
    picture = np.where((down < horizon)[..., None], sky, mirror)
    haze = clouds(random, (2, 14), 4)
    paint(picture, (haze * (down < horizon) * 0.35).astype(np.float32), "#f7ece0")
    depth = np.clip((down - horizon) / (1 - horizon), 1e-3, 1)
    # Perspective: the same noise read ever more finely towards the horizon.
    flats = clouds(random, (3, 10), 5, 0.6)
    seen = sampled(flats, (across - 0.5) / (0.35 + depth) * 0.5 + 0.5, depth**0.55)
    land = np.clip((seen - 0.5) * 14, 0, 1) * (down > horizon)
    paint(picture, land.astype(np.float32) * 0.85, "#4b4642")
    rim = np.clip(1 - np.abs(seen - 0.5) * 45, 0, 1) * (down > horizon)
    paint(picture, rim.astype(np.float32) * 0.55, "#f1d2b4")
    far = 0.006 + 0.012 * clouds(random, (9, 1), 3)[0]
    paint(picture, ((down < horizon) & (down > horizon - far[None, :])) * 1.0, "#71797a")
    _posts(picture, horizon)
    paint(picture, disc(0.3, 0.25, 0.05, 0.002) * 0.95, "#fbf0e2")
    write(picture, "LÅGVATTEN", 0.06, 0.094, size=0.03, colour="#2b3a42", tracking=0.32)
    write(picture, "Tidal Archive", 0.94, 0.094, size=0.022, colour="#2b3a42", align="right")
    return picture


def _posts(picture: Picture, horizon: float) -> None:
    """Eleven posts, each four fifths of the one before, and their reflections."""
    posts: list[list[Point]] = []
    echoes: list[list[Point]] = []
    for place in range(11):
        away = 0.82**place
        x, foot = 0.88 - 0.62 * (1 - away), horizon + 0.47 * away
        tall, half = 0.3 * away, 0.006 * away
        foot_x = x + 0.004 * away
        posts.append([(x - half, foot - tall), (x + half, foot - tall), (foot_x + half, foot)])
        posts[-1].append((foot_x - half, foot))
        end = (foot_x + 0.008 * away, foot + tall * 0.55)
        echoes.append([(foot_x - half, foot), (foot_x + half, foot), end])
    paint(picture, polygon(*posts), "#2b3033")
    paint(picture, polygon(*echoes) * np.float32(0.4), "#2b3033")
