"""What is known about one sound file, and the formats that are sold. Imports nothing heavy."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import date
from pathlib import PurePath
from typing import Any, Self

from catalog_pages.errors import DomainError


class UnreadableAudio(DomainError):
    """The file is not audio that can be sold; `reason` is one plain sentence that says why."""

    code = "unreadable_audio"
    status = 422

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Container:
    """A kind of file: what people call it, how its name ends, and FFmpeg's name of its reader.

    `codecs` maps what FFmpeg finds inside to the name that shoppers see.
    """

    label: str
    extensions: frozenset[str]
    demuxer: str
    content_type: str
    codecs: dict[str, str]

    def format_name(self, codec: str) -> str | None:
        """As shown to shoppers; None for a codec that is not sold in this kind of file."""
        if codec in self.codecs:
            return self.codecs[codec]
        families = (name for name in self.codecs if name.endswith("_") and codec.startswith(name))
        return next((self.codecs[name] for name in families), None)


MP3 = Container("MP3", frozenset({".mp3"}), "mp3", "audio/mpeg", {"mp3": "MP3", "mp3float": "MP3"})
FLAC = Container("FLAC", frozenset({".flac"}), "flac", "audio/flac", {"flac": "FLAC"})
OGG = Container(
    "Ogg",
    frozenset({".ogg", ".oga", ".opus"}),
    "ogg",
    "audio/ogg",
    {"opus": "Opus", "libopus": "Opus", "vorbis": "Ogg Vorbis", "flac": "Ogg FLAC"},
)
WAV = Container(
    "WAV", frozenset({".wav", ".wave"}), "wav", "audio/wav", {"pcm_": "WAV", "adpcm_": "WAV"}
)
MP4 = Container(
    "M4A",
    frozenset({".m4a", ".m4b"}),
    "mov",
    "audio/mp4",
    {"aac": "AAC (M4A)", "aac_fixed": "AAC (M4A)", "alac": "ALAC (M4A)"},
)
AIFF = Container(
    "AIFF", frozenset({".aif", ".aiff", ".aifc"}), "aiff", "audio/aiff", {"pcm_": "AIFF"}
)
CONTAINERS = (MP3, FLAC, OGG, WAV, MP4, AIFF)

LOSSLESS_FORMATS = frozenset({"FLAC", "ALAC (M4A)", "Ogg FLAC", "WAV", "AIFF"})
AUDIO_EXTENSIONS = frozenset().union(*(container.extensions for container in CONTAINERS))
# Music, but nothing that every buyer's player opens: worth a sentence rather than silence.
UNSOLD_AUDIO_EXTENSIONS = frozenset(
    {".aac", ".ac3", ".ape", ".dff", ".dsf", ".eac3", ".mka", ".mp2", ".mpc", ".ofr", ".ra", ".spx",
     ".tak", ".tta", ".wma", ".wv"}
)  # fmt: skip
VARIOUS_ARTISTS = "Various artists"  # of a compilation
SOLD_FORMATS = "MP3, FLAC, Ogg, Opus, WAV, M4A or AIFF"


def extension_of(file_name: str) -> str:
    return PurePath(file_name).suffix.lower()


@dataclass(frozen=True)
class AudioTags:
    """What the file says about itself, cleaned: one line of text each, at most 200 characters.

    `title` is never empty once `probe` has filled it in from the file's name. `year` may come
    without a `release_date`; numbers are at least 1.
    """

    title: str = ""
    artist: str = ""
    album: str = ""
    album_artist: str = ""
    track: int | None = None
    track_total: int | None = None
    disc: int | None = None
    genre: str = ""
    year: int | None = None
    release_date: date | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values for `DigitalAsset.tags`; what is unknown is left out."""
        pairs = ((field.name, getattr(self, field.name)) for field in dataclasses.fields(self))
        return {
            name: str(value) if isinstance(value, date) else value for name, value in pairs if value
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The inverse of `as_json`; keys that nobody knows are ignored."""
        names = {field.name for field in dataclasses.fields(cls)}
        known = {name: value for name, value in data.items() if name in names}
        if released := known.get("release_date"):
            known["release_date"] = date.fromisoformat(released)
        return cls(**known)


@dataclass(frozen=True)
class AudioFacts:
    """One sound file, measured. Durations are milliseconds, `bitrate_bps` is that of the sound alone.

    `cover` holds the bytes of the embedded front cover as they are in the file: unchecked.
    """

    format_name: str
    codec: str
    content_type: str
    duration_ms: int
    bitrate_bps: int
    sample_rate_hz: int
    channels: int
    tags: AudioTags
    cover: bytes | None = None
