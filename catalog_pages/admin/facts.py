"""A file's facts as editors read them, in the same words and figures as the shop's own pages."""

from __future__ import annotations

from catalog_pages.models import DigitalAsset
from catalog_pages.templatetags.shop import duration, filesize_short

UNKNOWN = "–"


def duration_text(asset: DigitalAsset) -> str:
    return duration(asset.duration_ms) or UNKNOWN


def size_text(asset: DigitalAsset) -> str:
    return filesize_short(asset.size_bytes)


def bitrate_text(asset: DigitalAsset) -> str:
    return f"{round(asset.bitrate_bps / 1000)} kbit/s" if asset.bitrate_bps else UNKNOWN


def sample_rate_text(asset: DigitalAsset) -> str:
    return f"{asset.sample_rate_hz / 1000:g} kHz" if asset.sample_rate_hz else UNKNOWN


def channels_text(asset: DigitalAsset) -> str:
    names = {None: UNKNOWN, 1: "Mono", 2: "Stereo"}
    return names.get(asset.channels, f"{asset.channels} channels")


def title_text(asset: DigitalAsset) -> str:
    """What the file says of itself, else its name."""
    return str(asset.tags.get("title") or asset.file_name)


def one_line(asset: DigitalAsset) -> str:
    """`harbour.flac · FLAC · 3:07`: enough to tell a track's files apart."""
    return f"{asset.file_name} · {asset.format_name} · {duration_text(asset)}"
