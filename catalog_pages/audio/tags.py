"""Tags and the embedded cover, through mutagen, made harmless.

What a file says about itself is never a reason to refuse it: tags that cannot be read are missing
tags. Gaps are filled from what FFmpeg saw (the INFO list of a WAV, for one) and from the name.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mutagen import FileType
from mutagen.aiff import AIFF as AiffFile
from mutagen.flac import FLAC as FlacFile
from mutagen.flac import Picture
from mutagen.id3 import TCON
from mutagen.mp3 import MP3 as Mp3File
from mutagen.mp4 import MP4 as Mp4File
from mutagen.oggflac import OggFLAC
from mutagen.oggopus import OggOpus
from mutagen.oggvorbis import OggVorbis
from mutagen.wave import WAVE as WaveFile

from catalog_pages.audio.decoding import BoundedFile, Deadline
from catalog_pages.audio.facts import VARIOUS_ARTISTS, AudioTags
from catalog_pages.audio.names import parts_of_name
from catalog_pages.audio.tag_values import date_in, number_in, side_in, text_in, total_in
from catalog_pages.audio.text import clean_text

READERS: dict[str, type[FileType]] = {
    "MP3": Mp3File,
    "FLAC": FlacFile,
    "Opus": OggOpus,
    "Ogg Vorbis": OggVorbis,
    "Ogg FLAC": OggFLAC,
    "WAV": WaveFile,
    "AAC (M4A)": Mp4File,
    "ALAC (M4A)": Mp4File,
    "AIFF": AiffFile,
}
# Our name -> the names it goes by in ID3, MP4, Vorbis comments and FFmpeg, the better ones first.
KEYS: dict[str, tuple[str, ...]] = {
    "title": ("TIT2", "\xa9nam", "title"),
    "artist": ("TPE1", "\xa9ART", "artist"),
    "album": ("TALB", "\xa9alb", "album"),
    "album_artist": ("TPE2", "aART", "albumartist", "album artist", "album_artist"),
    "track": ("TRCK", "trkn", "tracknumber", "track"),
    "track_total": ("tracktotal", "totaltracks"),
    "disc": ("TPOS", "disk", "discnumber", "disc"),
    "genre": ("TCON", "\xa9gen", "genre"),
    "date": ("TDRC", "TDRL", "TDOR", "\xa9day", "date", "year"),
    "compilation": ("TCMP", "cpil", "compilation"),
}
MAX_TAG_BYTES = 128 * 1024 * 1024
MAX_COVER_BYTES = 20 * 1024 * 1024
FRONT_COVER = 3


def parse_tags(path: Path, format_name: str, deadline: Deadline) -> FileType | None:
    """The file as its tag library sees it; None when that library does not like it."""
    with path.open("rb") as file:
        try:
            return READERS[format_name](BoundedFile(file, deadline, budget=MAX_TAG_BYTES))
        # The sound is proven already. A parser of strangers' bytes fails in every way there is, and
        # each of them means the same: no tags.
        except Exception:  # noqa: BLE001
            return None


def tags_of(parsed: FileType | None, metadata: Mapping[str, str]) -> AudioTags:
    """What the file says about itself, and else what `metadata` says (lower-case keys)."""
    values = {name: _values(parsed, name) or _values(metadata, name) for name in KEYS}
    track, disc = _first(values["track"]), _first(values["disc"])
    year, released = date_in(_first(values["date"]))
    album, album_artist = text_in(values["album"][:1]), text_in(values["album_artist"])
    if album and not album_artist and _first(values["compilation"]) in {"1", "True"}:
        album_artist = VARIOUS_ARTISTS
    return AudioTags(
        title=text_in(values["title"][:1]),
        artist=text_in(values["artist"]),
        album=album,
        album_artist=album_artist,
        track=number_in(track),
        track_total=total_in(track) or number_in(_first(values["track_total"])),
        disc=number_in(disc) or side_in(track),
        genre=_genre(_first(values["genre"])),
        year=year,
        release_date=released,
    )


def with_name(tags: AudioTags, file_name: str) -> AudioTags:
    """The same tags, where a missing title, artist or number is taken from the file's name."""
    if tags.title and tags.artist:
        return tags
    named = parts_of_name(file_name)
    title = tags.title or clean_text(named.title) or "Untitled"
    if tags.title or tags.artist:
        return replace(tags, title=title, artist=tags.artist or clean_text(named.artist))
    return replace(
        tags,
        title=title,
        artist=clean_text(named.artist),
        track=tags.track or named.number,
        disc=tags.disc or named.disc,
    )


def cover_of(parsed: FileType | None) -> bytes | None:
    """The embedded front cover's bytes, unchecked; None when there is none or it is absurdly large."""
    try:
        pictures = list(_pictures(parsed)) if parsed is not None else []
    except Exception:  # noqa: BLE001 - see parse_tags
        return None
    pictures.sort(key=lambda picture: picture[0] != FRONT_COVER)
    data = next((bytes(data) for _, data in pictures if data), b"")
    return data if 0 < len(data) <= MAX_COVER_BYTES else None


def _values(parsed: FileType | Mapping[str, str] | None, name: str) -> list[str]:
    for key in KEYS[name] if parsed is not None else ():
        try:
            found = parsed.get(key)  # type: ignore[union-attr]
            if found and (texts := list(_texts(found))):
                return texts
        except Exception:  # noqa: BLE001, S112  # nosec B112  # see parse_tags
            continue
    return []


def _texts(found: Any) -> Iterable[str]:
    """The values of one tag: an ID3 frame, a list of Vorbis comments, MP4's pairs and flags."""
    items = getattr(found, "text", found)
    for item in [items] if isinstance(items, str | bool | int) else items:
        if isinstance(item, tuple):
            yield "/".join(str(part) for part in item if part)
        elif text := str(item).strip():
            yield text


def _first(values: list[str]) -> str:
    return clean_text(values[0]) if values else ""


def _genre(text: str) -> str:
    """The first genre; `(17)` and `17` are ID3's way to say Rock."""
    names = TCON(encoding=3, text=[text]).genres if text else []
    first = clean_text(names[0].split(";")[0]) if names else ""
    return "" if first.casefold() == "unknown" else first


def _pictures(parsed: FileType) -> Iterable[tuple[int, bytes]]:
    """Kind and bytes of each picture, whichever way the format keeps them."""
    for picture in getattr(parsed, "pictures", ()):
        yield picture.type, picture.data
    tags = parsed.tags
    if tags is None:
        return
    if hasattr(tags, "getall"):
        for frame in tags.getall("APIC"):
            yield int(frame.type), frame.data
    for data in tags.get("covr", ()):
        yield FRONT_COVER, bytes(data)
    for encoded in tags.get("metadata_block_picture", ()):
        picture = Picture(base64.b64decode(encoded))
        yield picture.type, picture.data
