"""A file's facts as editors read them, in the same words and figures as the shop's own pages."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog_pages.locales import decimal, grouped
from catalog_pages.models import DigitalAsset
from catalog_pages.templatetags.shop import duration, filesize_short

UNKNOWN = "–"


def duration_text(asset: DigitalAsset) -> str:
    return duration(asset.duration_ms) or UNKNOWN


def size_text(asset: DigitalAsset) -> str:
    return filesize_short(asset.size_bytes)


def bitrate_text(asset: DigitalAsset) -> str:
    if not asset.bitrate_bps:
        return UNKNOWN
    return _("{number} kbit/s").format(number=grouped(round(asset.bitrate_bps / 1000)))


def sample_rate_text(asset: DigitalAsset) -> str:
    if not asset.sample_rate_hz:
        return UNKNOWN
    return _("{number} kHz").format(number=decimal(Decimal(asset.sample_rate_hz) / 1000))


def channels_text(asset: DigitalAsset) -> str:
    names = {None: UNKNOWN, 1: _("Mono"), 2: _("Stereo")}
    if asset.channels in names:
        return names[asset.channels]
    number = asset.channels or 0
    words = ngettext("{number} channel", "{number} channels", number)
    return words.format(number=number)


def title_text(asset: DigitalAsset) -> str:
    """What the file says of itself, else its name."""
    return str(asset.tags.get("title") or asset.file_name)


def one_line(asset: DigitalAsset) -> str:
    """`harbour.flac · FLAC · 3:07`: enough to tell a track's files apart."""
    return f"{asset.file_name} · {asset.format_name} · {duration_text(asset)}"
