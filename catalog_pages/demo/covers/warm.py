"""Sleeves for jazz and folk: cut paper, linocut, lanterns."""

from __future__ import annotations

import numpy as np

from catalog_pages.demo.covers.canvas import (
    SIDE,
    Mask,
    Picture,
    Point,
    axes,
    block,
    clouds,
    disc,
    dots,
    glow,
    paint,
    polygon,
    ramp,
    sheet,
    strokes,
)
from catalog_pages.demo.covers.lettering import write

Random = np.random.Generator


def last_tram(random: Random) -> Picture:
    """Three paper lanterns on the wire above two rails."""
    _, down = axes()
    picture = ramp(down, ((0, "#0e1c3a"), (0.55, "#1c3a68"), (0.7, "#2a4f7d"), (1, "#0b1730")))
    paint(
        picture,
        (clouds(random, (3, 6), 4) * np.exp(-(((down - 0.66) / 0.12) ** 2)) * 0.4),
        "#7d93b0",
    )
    vanish = (0.3, 0.68)
    rails: list[list[Point]] = [[vanish, (foot, 1.05)] for foot in (0.66, 0.8, 1.16, 1.36)]
    for rail in rails:
        taper = polygon([rail[0], (rail[1][0] - 0.012, 1.05), (rail[1][0] + 0.012, 1.05)])
        paint(picture, taper * 0.85, "#d9a45a")
    wires = [[(-0.05, 0.17), vanish], [(1.05, 0.06), vanish], [(-0.05, 0.02), vanish]]
    paint(picture, strokes(wires, 0.0022) * 0.8, "#0a1226")
    for x, y, radius in ((0.27, 0.36, 0.135), (0.6, 0.3, 0.1), (0.79, 0.47, 0.068)):
        _lantern(picture, x, y, radius)
    rain = []
    for _ in range(240):
        x, y = random.uniform(-0.1, 1.1), random.uniform(-0.1, 1.0)
        length = float(random.uniform(0.02, 0.06))
        rain.append([(float(x), float(y)), (float(x) - length * 0.22, float(y) + length)])
    paint(picture, strokes(rain, 0.0011) * 0.28, "#cfe0f2")
    write(picture, "After the", 0.06, 0.85, size=0.062, colour="#f3e7d0", tracking=0.0)
    write(picture, "Last Tram", 0.06, 0.912, size=0.062, colour="#f3e7d0", tracking=0.0)
    write(picture, "PAPER LANTERN TRIO", 0.063, 0.952, size=0.018, colour="#f0b25c", tracking=0.2)
    return picture


def _lantern(picture: Picture, x: float, y: float, radius: float) -> None:
    across, down = axes()
    paint(picture, glow(x, y, radius * 2.1) * 0.45, "#e5762c", "add")
    high = np.clip((radius - np.hypot((across - x) * 1.12, down - y)) / 0.002 + 0.5, 0, 1)
    body = high.astype(np.float32)
    paint(picture, body, "#ef8f35")
    paint(picture, body * glow(x, y + radius * 0.15, radius * 0.75), "#ffe2a0")
    ribs = 0.5 + 0.5 * np.cos((down - y) / radius * 34)
    paint(picture, body * (ribs > 0.86).astype(np.float32) * 0.35, "#a63f12")
    for side in (-1, 1):
        top = y + side * radius
        cap = block(x - radius * 0.32, top - 0.012, x + radius * 0.32, top + 0.012)
        paint(picture, cap, "#1a1020")
    paint(picture, strokes([[(x, y - radius), (x, y - radius - 0.09)]], 0.003), "#0a1226")


def _frond(
    random: Random, x: float, y: float, tall: float, lean: float
) -> list[tuple[float, float, float]]:
    """Seaweed as scissors leave it: a spine, and round-ended fingers, longest in the middle."""
    steps = np.linspace(0, 1, 60)
    bow = float(random.uniform(0.06, 0.14)) * tall * (1 if lean < 0 else -1)
    xs = x + lean * tall * (steps - 0.5) + bow * np.sin(np.pi * steps)
    ys = y + tall * (0.5 - steps)
    thick = tall * 0.042
    shape = [(float(a), float(b), thick) for a, b in zip(xs, ys, strict=True)]
    for place in range(6):
        for side in (-1, 1):
            root = 4 + place * 9 + (4 if side > 0 else 0)
            grown = float(np.sin(np.pi * (0.18 + 0.7 * root / 60)))
            reach = tall * 0.33 * grown * float(random.uniform(0.8, 1.1))
            rise = reach * float(random.uniform(0.55, 0.95))
            for t in np.linspace(0, 1, 40):
                along = float(xs[root]) + side * reach * float(np.sin(t * 1.45))
                above = float(ys[root]) - rise * float(1 - np.cos(t * 1.45))
                shape.append((along, above, thick * (0.72 + 0.5 * float(t) ** 2)))
    return shape


def cut_paper(random: Random) -> Picture:
    """Seaweed cut from painted paper, one piece of it the wrong colour on purpose."""
    picture = sheet("#f1ebdf")
    for left, top, right, bottom, colour in (
        (0.5, 0.0, 1.0, 0.52, "#c3d5e6"),
        (0.0, 0.36, 0.5, 0.86, "#ecc6a0"),
        (0.5, 0.52, 1.0, 0.86, "#1b3f9c"),
        (0.0, 0.0, 0.5, 0.36, "#2d6bd1"),
    ):
        paint(picture, block(left, top, right, bottom), colour)
    for x, y, tall, lean, colour in (
        (0.25, 0.18, 0.24, 0.25, "#f1ebdf"),
        (0.75, 0.275, 0.4, -0.2, "#1b3f9c"),
        (0.25, 0.63, 0.37, 0.15, "#163179"),
        (0.75, 0.7, 0.24, -0.35, "#e0782f"),
    ):
        paint(picture, dots(_frond(random, x, y, tall, lean)), colour)
    # Brush marks in the gouache, and the fibre of the paper under it.
    brushed = clouds(random, (4, 90), 3, 0.7)
    fibres = clouds(random, (120, 120), 3, 0.7)
    picture *= (0.92 + 0.08 * fibres + 0.06 * brushed)[..., None]
    write(picture, "Blue Enamel", 0.055, 0.945, size=0.05, colour="#163179", tracking=0.0)
    write(
        picture,
        "PAPER LANTERN TRIO",
        0.945,
        0.945,
        size=0.017,
        colour="#163179",
        tracking=0.2,
        align="right",
    )
    return picture


def long_hedge(random: Random) -> Picture:
    """Hills behind hills, cut in lino: each with its own direction of the gouge."""
    across, down = axes()
    picture = sheet("#f0e3c4")
    paint(picture, disc(0.69, 0.255, 0.12, 0.002), "#e07a3a")
    rays = np.sin(np.arctan2(down - 0.255, across - 0.69) * 44)
    ring = disc(0.69, 0.255, 0.3, 0.002) - disc(0.69, 0.255, 0.145, 0.002)
    paint(picture, ring * (rays > 0.45) * np.float32(0.8), "#e9b24c")
    inks = ("#93a886", "#6f8f63", "#4c7350", "#2f5742", "#1f3d33")
    for layer, colour in enumerate(inks):
        base = 0.4 + 0.115 * layer
        wave = clouds(random, (2 + layer // 2, 1), 3, 0.35)[0] - 0.5
        line = base + 0.2 * wave * (1 - 0.08 * layer)
        hill = np.clip((down - line[None, :]) * 700, 0, 1).astype(np.float32)
        paint(picture, hill, colour)
        depth = down - line[None, :]
        lean = (0.35, -0.5, 0.2, -0.3, 0.45)[layer]
        groove = np.sin((depth * (1.0 + 0.3 * layer) + lean * across) * (330 - 34 * layer))
        ragged = clouds(random, (60, 30), 2)
        cut = (groove > 0.72 - 0.25 * ragged) & (depth > 0.012) & (ragged > 0.3)
        paint(picture, hill * cut.astype(np.float32) * 0.85, ("#f0e3c4", "#c9cf9f")[layer % 2])
        paint(picture, (hill * (depth < 0.007)).astype(np.float32), "#f0e3c4")
        if layer == 2:
            _hedge(picture, random, line)
    write(picture, "The Long Hedge", 0.06, 0.1, size=0.046, colour="#1f3d33", tracking=0.0)
    write(picture, "MOSS & THIMBLE", 0.06, 0.138, size=0.019, colour="#1f3d33", tracking=0.25)
    return picture


def _hedge(picture: Picture, random: Random, line: Mask) -> None:
    """Round bushes along a ridge, from left to right, smaller as they go.

    Each has an uncut rim, so they are drawn one over the other.
    """
    x = -0.02
    bushes, marks = [], []
    while x < 1.02:
        size = 0.034 - 0.018 * x
        middle = float(line[int(np.clip(x, 0, 0.999) * SIDE)]) - size * 0.45
        bushes.append((x, middle, size))
        for _ in range(5):
            angle, away = random.uniform(3.3, 6.0), size * random.uniform(0.3, 0.8)
            at_x, at_y = x + away * float(np.cos(angle)), middle + away * float(np.sin(angle))
            marks.append([(at_x, at_y), (at_x + size * 0.22, at_y + size * 0.12)])
        x += size * float(random.uniform(1.5, 2.1))
    paint(picture, dots([(x, y, size * 1.14) for x, y, size in bushes]), "#f0e3c4")
    paint(picture, dots(bushes), "#1f3d33")
    paint(picture, strokes(marks, 0.0028), "#c9cf9f")


def _leaf(root: Point, angle: float, length: float, width: float) -> list[Point]:
    steps = np.linspace(0, 1, 24)
    swell = np.sin(np.pi * steps**0.8) * width
    bow = 0.18 * length * np.sin(np.pi * steps)
    along, side = (
        np.array([np.cos(angle), np.sin(angle)]),
        np.array([-np.sin(angle), np.cos(angle)]),
    )
    spine = np.array(root) + np.outer(steps * length, along) + np.outer(bow, side)
    edge = np.concatenate((spine + np.outer(swell, side), (spine - np.outer(swell, side))[::-1]))
    return [(float(x), float(y)) for x, y in edge]


def spring_stem(random: Random) -> Picture:
    """One stem with its leaves opening, on the pink of a March evening."""
    _, down = axes()
    picture = ramp(down, ((0, "#f4d3c6"), (0.6, "#f2c2b4"), (1, "#eab3a2")))
    paint(picture, disc(0.5, 0.44, 0.34, 0.002), "#f9ead9")
    stem = [(0.5 + 0.022 * float(np.sin(t * 5)), 1.03 - 0.83 * t) for t in np.linspace(0, 1, 60)]
    front: list[list[Point]] = []
    back: list[list[Point]] = []
    veins: list[list[Point]] = []
    for place in range(9):
        t = 0.16 + place * 0.088
        root = (0.5 + 0.022 * float(np.sin(t * 5)), 1.03 - 0.83 * t)
        length, width = 0.27 - 0.021 * place, 0.036 - 0.0027 * place
        for side in (-1, 1):
            lift = -0.42 - 0.075 * place + float(random.normal(0, 0.04))
            angle = lift if side > 0 else np.pi - lift
            leaf = _leaf(root, angle, length, width * side)
            (front if (place + (side > 0)) % 2 else back).append(leaf)
            tip = leaf[23]
            veins.append([root, _middle(leaf), tip])
    paint(picture, polygon(*back), "#7f9f63")
    paint(picture, polygon(*front), "#3f6b4a")
    paint(picture, strokes(veins, 0.0018) * 0.7, "#f9ead9")
    paint(picture, strokes([stem], 0.0075), "#2c4d3a")
    top = stem[-1]
    for angle in (-2.2, -1.9, -1.57, -1.24, -0.94):
        paint(picture, polygon(_leaf(top, angle, 0.115, 0.021)) * 0.9, "#d9563f", "multiply")
    for place in range(16):
        x, y = 0.5 + float(random.normal(0, 0.3)), float(random.uniform(0.08, 0.9))
        if abs(x - 0.5) > 0.26:
            petal = _leaf((x, y), float(random.uniform(0, 6)), 0.03, 0.008)
            paint(picture, polygon(petal), ("#d9563f", "#f9ead9")[place % 2])
    write(picture, "Våren", 0.94, 0.945, size=0.056, colour="#2c4d3a", tracking=0.0, align="right")
    write(picture, "MOSS & THIMBLE", 0.06, 0.945, size=0.019, colour="#2c4d3a", tracking=0.25)
    return picture


def _middle(leaf: list[Point]) -> Point:
    """Half way along a leaf's spine: between the two edges there."""
    one, other = leaf[12], leaf[-13]
    return (one[0] + other[0]) / 2, (one[1] + other[1]) / 2


def _circle(
    x: float, y: float, radius: float, count: int, size: float, turn: float
) -> list[tuple[float, float, float]]:
    """Dots evenly round a circle, the first one ``turn`` of a step further on."""
    angles = 2 * np.pi * (np.arange(count) + turn) / count
    return [
        (x + radius * float(np.cos(angle)), y + radius * float(np.sin(angle)), size)
        for angle in angles
    ]


def thistle(random: Random) -> Picture:
    """A thistle head seen as a wheel, inside a dance of dots."""
    picture = sheet("#e9e0cf")
    picture += ((clouds(random, (100, 100), 3) - 0.5) * 0.06)[..., None]
    x, y = 0.5, 0.47
    for radius, count, size, turn, colour in (
        (0.43, 72, 0.0042, 0.0, "#3d5a46"),
        (0.405, 72, 0.0042, 0.5, "#7b3f7f"),
        (0.375, 18, 0.009, 0.0, "#d4843e"),
        (0.375, 18, 0.009, 0.5, "#3d5a46"),
    ):
        paint(picture, dots(_circle(x, y, radius, count, size, turn)), colour)
    for layer, (colour, reach, count, width) in enumerate(
        (("#4d6b4c", 0.33, 28, 0.02), ("#b069a8", 0.285, 54, 0.008), ("#7b3f7f", 0.225, 46, 0.0075))
    ):
        petals = []
        for place in range(count):
            angle = 2 * np.pi * (place + 0.5 * layer) / count
            length = reach * float(random.uniform(0.93, 1.05))
            petals.append(_leaf((x, y), angle, length, width))
        paint(picture, polygon(*petals), colour)
    for colour, rings in (("#55265a", (0, 2, 4, 6)), ("#f3cfe4", (1, 3, 5))):
        seeds: list[tuple[float, float, float]] = []
        for ring in rings:
            turn = 0.5 * (ring % 2)
            seeds += _circle(x, y, 0.016 + 0.0155 * ring, 10 + 5 * ring, 0.0048, turn)
        paint(picture, dots(seeds), colour)
    write(picture, "Thistle Reel", 0.06, 0.945, size=0.044, colour="#55265a", tracking=0.0)
    write(
        picture,
        "MOSS & THIMBLE",
        0.94,
        0.945,
        size=0.019,
        colour="#3d5a46",
        tracking=0.25,
        align="right",
    )
    return picture
