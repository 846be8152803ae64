"""Tiny real sound files for tests of every room: synthesised, encoded and tagged on the spot.

`write_tone(folder / "song.mp3", title="Song", artist="Somebody")`: the name's ending chooses the
format (mp3, flac, opus, ogg, wav, m4a, aiff); another title, artist or pitch makes other bytes.
"""

from __future__ import annotations

import base64
import io
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from mutagen import id3
from mutagen.aiff import AIFF
from mutagen.flac import FLAC, Picture
from mutagen.mp3 import MP3
from mutagen.mp4 import MP4, MP4Cover
from mutagen.oggopus import OggOpus
from mutagen.wave import WAVE
from PIL import Image

CODECS = {
    ".mp3": "libmp3lame", ".flac": "flac", ".opus": "libopus", ".ogg": "libopus", ".oga": "libopus",
    ".wav": "pcm_s16le", ".m4a": "aac", ".aiff": "pcm_s16be",
}  # fmt: skip
ID3_FILES = {".mp3": MP3, ".wav": WAVE, ".aiff": AIFF}
COMMENT_FILES = {".flac": FLAC, ".opus": OggOpus, ".ogg": OggOpus, ".oga": OggOpus}
ID3_FRAMES = {
    "title": "TIT2", "artist": "TPE1", "album": "TALB", "album_artist": "TPE2", "track": "TRCK",
    "disc": "TPOS", "genre": "TCON", "date": "TDRC", "compilation": "TCMP",
}  # fmt: skip
COMMENTS = {"track": "tracknumber", "disc": "discnumber", "album_artist": "albumartist"}
MP4_ATOMS = {
    "title": "\xa9nam", "artist": "\xa9ART", "album": "\xa9alb", "album_artist": "aART",
    "genre": "\xa9gen", "date": "\xa9day",
}  # fmt: skip


def write_tone(
    path: Path,
    *,
    seconds: float = 2,
    hertz: float = 440,
    rate: int = 48_000,
    channels: int = 2,
    codec: str = "",
    loud: tuple[float, float] | None = None,
    options: dict[str, str] | None = None,
    cover: bytes | None = None,
    **tags: object,
) -> Path:
    """Write a tone to `path`, making its folder; returns `path`.

    Tags are `title`, `artist`, `album`, `album_artist`, `track` (3 or "3/12"), `disc`, `genre`,
    `date` and `compilation`; without any, the file has none. `loud` is a passage in seconds outside
    of which the tone is faint. `options` go to the file format, such as movflags.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    times = np.arange(int(seconds * rate)) / rate
    samples = 0.3 * np.sin(2 * np.pi * hertz * times)
    if loud is not None:
        samples *= np.where((times >= loud[0]) & (times < loud[1]), 1.0, 0.05)
    _encode(path, samples.astype(np.float32), rate, channels, codec, options or {})
    if tags or cover:
        _tag(path, {name: str(value) for name, value in tags.items()}, cover)
    return path


def cover_jpeg(colour: str = "crimson", *, side: int = 64) -> bytes:
    """A square of one colour, as a sleeve inside a sound file."""
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(buffer, "JPEG")
    return buffer.getvalue()


def cut_in_half(path: Path) -> Path:
    """The same file, of which the second half never arrived."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def _encode(
    path: Path, samples: Any, rate: int, channels: int, codec: str, options: dict[str, str]
) -> None:
    layout = "mono" if channels == 1 else "stereo"
    container = "ogg" if path.suffix == ".oga" else None
    with av.open(str(path), "w", format=container, options=options) as out:
        stream = out.add_stream(codec or CODECS[path.suffix.lower()], rate=rate, layout=layout)
        resampler = av.AudioResampler(stream.codec_context.format, layout, rate)
        for start in range(0, len(samples), 4096):
            block = np.tile(samples[start : start + 4096], (channels, 1))
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), "fltp", layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
            for part in resampler.resample(frame):
                out.mux(stream.encode(part))
        out.mux(stream.encode(None))


def _tag(path: Path, tags: dict[str, str], cover: bytes | None) -> None:
    suffix = path.suffix.lower()
    if suffix in ID3_FILES:
        _tag_id3(ID3_FILES[suffix](path), tags, cover)
    elif suffix in COMMENT_FILES:
        _tag_comments(COMMENT_FILES[suffix](path), tags, cover)
    else:
        _tag_mp4(MP4(path), tags, cover)


def _tag_id3(file: Any, tags: dict[str, str], cover: bytes | None) -> None:
    if file.tags is None:
        file.add_tags()
    for name, value in tags.items():
        file.tags.add(getattr(id3, ID3_FRAMES[name])(encoding=3, text=[value]))
    if cover:
        file.tags.add(id3.APIC(encoding=3, mime="image/jpeg", type=3, desc="", data=cover))
    file.save()


def _tag_comments(file: Any, tags: dict[str, str], cover: bytes | None) -> None:
    for name, value in tags.items():
        file[COMMENTS.get(name, name)] = [value]
    if cover:
        picture = Picture()
        picture.type, picture.mime, picture.data = 3, "image/jpeg", cover
        file["metadata_block_picture"] = [base64.b64encode(picture.write()).decode("ascii")]
    file.save()


def _tag_mp4(file: MP4, tags: dict[str, str], cover: bytes | None) -> None:
    for name, value in tags.items():
        if name in {"track", "disc"}:
            number, _, total = value.partition("/")
            file["trkn" if name == "track" else "disk"] = [(int(number), int(total or 0))]
        elif name == "compilation":
            file["cpil"] = value == "1"
        else:
            file[MP4_ATOMS[name]] = [value]
    if cover:
        file["covr"] = [MP4Cover(cover)]
    file.save()
