"""What a file says about itself: title, artist, album, numbers, genre, year and the sleeve."""

from __future__ import annotations

import base64
import pathlib
from dataclasses import dataclass

from mutagen.flac import FLAC, Picture
from mutagen.id3 import APIC, ID3, TALB, TCON, TDRC, TIT2, TPE1, TPE2, TPOS, TRCK
from mutagen.oggopus import OggOpus

from catalog_pages.demo.covers.canvas import SIDE
from catalog_pages.demo.library import DemoRelease, DemoTrack

FRONT_COVER = 3


@dataclass(frozen=True, slots=True)
class Tags:
    """One track's tags; a single has no ``album``."""

    title: str
    artist: str
    album: str | None
    number: int
    total: int
    genre: str
    year: int
    cover: bytes


def tags_of(release: DemoRelease, track: DemoTrack, cover: bytes) -> Tags:
    """The tags of a track as it appears on its release."""
    return Tags(
        title=track.title,
        artist=release.artist,
        album=release.title if release.is_album else None,
        number=track.number,
        total=len(release.tracks),
        genre=release.genre,
        year=release.year,
        cover=cover,
    )


def write_tags(path: pathlib.Path, kind: str, tags: Tags) -> None:
    """Tag a file just encoded as ``kind`` (``mp3``, ``flac`` or ``opus``)."""
    if kind == "mp3":
        _write_id3(path, tags)
    elif kind == "flac":
        flac = FLAC(path)
        flac.update(_comments(tags))
        flac.add_picture(_picture(tags))
        flac.save()
    else:
        opus = OggOpus(path)
        opus.update(_comments(tags))
        block = base64.b64encode(_picture(tags).write()).decode("ascii")
        opus["metadata_block_picture"] = [block]
        opus.save()


def _write_id3(path: pathlib.Path, tags: Tags) -> None:
    id3 = ID3()
    frames = [
        TIT2(encoding=3, text=tags.title),
        TPE1(encoding=3, text=tags.artist),
        TRCK(encoding=3, text=f"{tags.number}/{tags.total}"),
        TPOS(encoding=3, text="1/1"),
        TCON(encoding=3, text=tags.genre),
        TDRC(encoding=3, text=str(tags.year)),
        APIC(encoding=3, mime="image/jpeg", type=FRONT_COVER, desc="", data=tags.cover),
    ]
    if tags.album:
        frames += [TALB(encoding=3, text=tags.album), TPE2(encoding=3, text=tags.artist)]
    for frame in frames:
        id3.add(frame)
    id3.save(path)


def _comments(tags: Tags) -> dict[str, list[str]]:
    comments = {
        "title": tags.title,
        "artist": tags.artist,
        "tracknumber": str(tags.number),
        "tracktotal": str(tags.total),
        "discnumber": "1",
        "disctotal": "1",
        "genre": tags.genre,
        "date": str(tags.year),
    }
    if tags.album:
        comments |= {"album": tags.album, "albumartist": tags.artist}
    return {name: [value] for name, value in comments.items()}


def _picture(tags: Tags) -> Picture:
    picture = Picture()
    picture.type = FRONT_COVER
    picture.mime = "image/jpeg"
    picture.width = picture.height = SIDE
    picture.depth = 24
    picture.data = tags.cover
    return picture
