"""Paper, ink and light: the few operations every sleeve is made with.

A picture is a float32 array of shape ``(SIDE, SIDE, 3)`` with values 0-1. A mask has no colours:
it says how much ink lands on each pixel. Shapes are drawn at twice the size and halved, for clean
edges.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

SIDE = 1000
OVER = 2

Picture = NDArray[np.float32]
Mask = NDArray[np.float32]
Colour = str | NDArray[np.float32]
Point = tuple[float, float]


def ink(colour: Colour) -> Picture:
    """``"#b3370f"`` as three floats."""
    if isinstance(colour, str):
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        return np.array(parts, dtype=np.float32)
    return colour


def axes() -> tuple[Mask, Mask]:
    """The x and y of every pixel, 0-1, from the top left."""
    line = (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE
    return np.broadcast_to(line, (SIDE, SIDE)), np.broadcast_to(line[:, None], (SIDE, SIDE))


def sheet(colour: Colour) -> Picture:
    """A plain sheet."""
    return np.tile(ink(colour), (SIDE, SIDE, 1)).astype(np.float32)


def ramp(value: Mask, stops: Sequence[tuple[float, str]]) -> Picture:
    """Map values to colours along a gradient of ``(position, colour)`` stops."""
    at = [position for position, _ in stops]
    colours = np.stack([ink(colour) for _, colour in stops])
    flat = [np.interp(value, at, colours[:, channel]) for channel in range(3)]
    return np.stack(flat, axis=-1).astype(np.float32)


def paint(picture: Picture, mask: Mask, colour: Colour, mode: str = "over") -> None:
    """Lay ink on the picture, in place: ``over`` covers, ``multiply`` prints, ``add`` glows."""
    layer = ink(colour)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return
    # Only the part that gets ink: most shapes are small.
    part = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    picture, cover = picture[part], mask[part][..., None]
    if mode == "multiply":
        picture *= 1.0 - cover * (1.0 - layer)
    elif mode == "add":
        picture += cover * layer
    else:
        picture += cover * (layer - picture)


def drawn(draw: Callable[[ImageDraw.ImageDraw], None]) -> Mask:
    """A mask from drawing commands on a board of ``SIDE * OVER`` pixels, ink value 255."""
    board = Image.new("L", (SIDE * OVER, SIDE * OVER), 0)
    draw(ImageDraw.Draw(board))
    return np.asarray(board.reduce(OVER), dtype=np.float32) / np.float32(255)


def polygon(*shapes: Sequence[Point]) -> Mask:
    """Filled polygons, corners in 0-1."""
    scale = SIDE * OVER

    def draw(pen: ImageDraw.ImageDraw) -> None:
        for shape in shapes:
            pen.polygon([(x * scale, y * scale) for x, y in shape], fill=255)

    return drawn(draw)


def strokes(lines: Sequence[Sequence[Point]], width: float) -> Mask:
    """Round-ended lines through points in 0-1; ``width`` in the same measure."""
    scale = SIDE * OVER
    radius = width * scale / 2

    def draw(pen: ImageDraw.ImageDraw) -> None:
        for line in lines:
            points = [(x * scale, y * scale) for x, y in line]
            pen.line(points, fill=255, width=max(1, round(width * scale)), joint="curve")
            if radius > 1.5:
                for x, y in (points[0], points[-1]):
                    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)

    return drawn(draw)


def disc(x: float, y: float, radius: float, soft: float = 0.001) -> Mask:
    """A circle whose edge is ``soft`` wide."""
    across, down = axes()
    away = np.hypot(across - x, down - y)
    return np.asarray(np.clip((radius - away) / soft + 0.5, 0, 1), dtype=np.float32)


def dots(places: Sequence[tuple[float, float, float]]) -> Mask:
    """Many small circles at once, each ``(x, y, radius)``."""
    scale = SIDE * OVER

    def draw(pen: ImageDraw.ImageDraw) -> None:
        for x, y, radius in places:
            edges = (x - radius, y - radius, x + radius, y + radius)
            pen.ellipse([edge * scale for edge in edges], fill=255)

    return drawn(draw)


def block(left: float, top: float, right: float, bottom: float) -> Mask:
    """An upright rectangle."""
    return polygon([(left, top), (right, top), (right, bottom), (left, bottom)])


def glow(x: float, y: float, reach: float) -> Mask:
    """Light that falls off from a point."""
    across, down = axes()
    square = ((across - x) ** 2 + (down - y) ** 2) / reach**2
    return np.asarray(np.exp(-square), dtype=np.float32)


def clouds(
    random: np.random.Generator, cells: tuple[int, int], octaves: int = 4, rough: float = 0.5
) -> Mask:
    """Smooth noise, 0-1: random grids of ``cells`` (across, down), each octave twice as fine."""
    total = np.zeros((SIDE, SIDE), dtype=np.float32)
    for octave in range(octaves):
        across, down = cells[0] * 2**octave + 3, cells[1] * 2**octave + 3
        grid = Image.fromarray(random.random((down, across), dtype=np.float32))
        # Cut away the border cells, where the bicubic filter has nothing to lean on.
        box = (1.0, 1.0, across - 2.0, down - 2.0)
        layer = grid.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=box)
        total += np.asarray(layer) * np.float32(rough**octave)
    total -= total.min()
    return np.asarray(total / total.max(), dtype=np.float32)


def sampled(field: Mask, x: Mask, y: Mask) -> Mask:
    """Read a mask at other places (0-1), between its pixels: for warps, mirrors and perspective."""
    across = np.clip(x, 0, 0.9999) * (SIDE - 1)
    down = np.clip(y, 0, 0.9999) * (SIDE - 1)
    column, row = across.astype(np.int32), down.astype(np.int32)
    right, below = across - column, down - row
    top = field[row, column] * (1 - right) + field[row, column + 1] * right
    bottom = field[row + 1, column] * (1 - right) + field[row + 1, column + 1] * right
    return np.asarray(top * (1 - below) + bottom * below, dtype=np.float32)


def contours(field: Mask, spacing: float, width: float) -> Mask:
    """Lines of equal height every ``spacing``, ``width`` pixels wide however steep the slope."""
    height = field / spacing
    down, across = np.gradient(height)
    slope = np.hypot(across, down) + 1e-6
    away = np.abs(height - np.round(height)) / slope
    return np.asarray(np.clip(width / 2 + 0.5 - away, 0, 1), dtype=np.float32)


def blur(mask: Mask, radius: float) -> Mask:
    """Soften a mask by ``radius`` pixels (a small copy enlarged: cheap, and smooth enough)."""
    small = max(8, round(SIDE / max(1.0, radius)))
    image = Image.fromarray(mask)
    down = image.resize((small, small), Image.Resampling.BOX)
    soft = np.asarray(down.resize((SIDE, SIDE), Image.Resampling.BICUBIC), dtype=np.float32)
    return np.asarray(np.clip(soft, 0, 1), dtype=np.float32)


def finish(
    picture: Picture, random: np.random.Generator, grain: float = 0.035, vignette: float = 0.0
) -> Image.Image:
    """Grain, a darker edge where wanted, and eight bits a channel."""
    speck = random.standard_normal((SIDE, SIDE), dtype=np.float32)
    coarse = random.standard_normal((SIDE // 2, SIDE // 2), dtype=np.float32)
    speck = 0.7 * speck + 0.6 * coarse.repeat(2, axis=0).repeat(2, axis=1)
    out = picture + np.float32(grain) * speck[..., None]
    if vignette:
        across, down = axes()
        out *= (1.0 - vignette * ((across - 0.5) ** 2 + (down - 0.5) ** 2) * 2)[..., None]
    return Image.fromarray((np.clip(out, 0, 1) * 255 + 0.5).astype(np.uint8))


def jpeg(image: Image.Image) -> bytes:
    """The picture as it is embedded in the files."""
    target = io.BytesIO()
    image.save(target, "JPEG", quality=86, optimize=True)
    return target.getvalue()
