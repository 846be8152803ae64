"""What templates say about products: money, lengths, sizes, covers, waveforms, links of the list.

Nothing here writes, and nothing here queries for a product that came from `for_cards()` or
`with_tracks()`. No markup carries a style attribute, so the strict content security policy holds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from itertools import pairwise
from typing import Any, NamedTuple

from django import template
from django.conf import settings
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext

from catalog_pages.addresses import page_url
from catalog_pages.assets import excerpt_for
from catalog_pages.listening import preview_cut
from catalog_pages.listing import Listing
from catalog_pages.locales import grouped, joined, size_words
from catalog_pages.money import currency, format_money, format_plain
from catalog_pages.shop_days import today
from catalog_pages.structured_data import as_script, structured_data

register = template.Library()

CARD_SIZES = "(min-width: 82rem) 15rem, (min-width: 56rem) 22vw, (min-width: 38rem) 30vw, 46vw"
WAVEFORM_BARS = 72
WAVEFORM_HEIGHT = 40
# Ground, shape, shape: quiet pairs that sit on paper and on its dark counterpart.
PLACEHOLDER_COLOURS = (
    ("#e3d9c6", "#b3370f", "#1c1a17"),
    ("#cfd8d3", "#2f5d50", "#f4efe4"),
    ("#d9d3e0", "#4b3f72", "#e7b44c"),
    ("#23313b", "#d9a441", "#f1ece2"),
    ("#ecd9cf", "#7a2e3a", "#33424f"),
    ("#c9d6df", "#25465f", "#d9643a"),
    ("#2d2a26", "#c8b89a", "#b3370f"),
    ("#e6dfb8", "#5c6b2f", "#26221c"),
)


class Sample(NamedTuple):
    """A track and the cut of it that anybody may hear."""

    track: Any
    excerpt: Any


# --- Words and numbers --------------------------------------------------------------------------


@register.filter
def money(pennies: int | None, code: str = "") -> str:
    """Minor units as people write them: `£4.99`. Every amount on every page and in mail."""
    return "" if pennies is None else format_money(int(pennies), code or settings.STRIPE_CURRENCY)


@register.filter
def money_typed(pennies: int | None) -> str:
    """`4.99`, as an amount stands in a field beside the currency's sign."""
    return "" if pennies is None else format_plain(int(pennies), settings.STRIPE_CURRENCY)


@register.simple_tag
def currency_sign() -> str:
    return currency(settings.STRIPE_CURRENCY).symbol


@register.filter
def lies_ahead(day: date | None) -> bool:
    """Whether a release date is still to come."""
    return day is not None and day > today()


@register.filter
def duration(milliseconds: int | None) -> str:
    """`3:45` or `1:02:03`, to the nearest second; nothing for what is not known."""
    if milliseconds is None:
        return ""
    minutes, seconds = divmod((int(milliseconds) + 500) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


@register.filter
def filesize_short(size_bytes: int | None) -> str:
    """`31 MB`."""
    return "" if size_bytes is None else size_words(int(size_bytes))


@register.filter(name="joined")
def joined_words(words: Iterable[object]) -> str:
    """`a, b and c`."""
    return joined(words)


@register.filter
def titles_joined(rows: Iterable[Any]) -> str:
    """The titles of `rows`, as a list is spoken."""
    return joined(row.title for row in rows)


@register.filter
def grouped_number(number: int) -> str:
    """`12,345`."""
    return grouped(int(number))


@register.filter
def moment_in_zone(moment: datetime) -> str:
    """`29 November 2026, 18:05 GMT`, where the clock that is meant has to be said."""
    local = localtime(moment)
    return f"{date_format(local, 'DATETIME_FORMAT')} {date_format(local, 'e')}"


@register.filter
def formats(thing: Any) -> str:
    """`FLAC, MP3` of a product or of one track."""
    return ", ".join(dict.fromkeys(asset.format_name for asset in _assets(thing)))


@register.filter
def total_size(thing: Any) -> int | None:
    """Bytes of every file of a product or a track, each counted once."""
    return sum({asset.pk: asset.size_bytes for asset in _assets(thing)}.values()) or None


@register.filter
def playing_time(thing: Any) -> int | None:
    """Milliseconds of a track, or of all tracks of a product, whatever they are delivered as."""
    tracks = _tracks(thing) if hasattr(thing, "tracks") else [thing]
    lengths = [
        next((asset.duration_ms for asset in _assets(track) if asset.duration_ms), None)
        for track in tracks
    ]
    return sum(length for length in lengths if length) or None


# --- Excerpts -----------------------------------------------------------------------------------


@register.simple_tag(name="excerpt", takes_context=True)
def excerpt_of_track(context: Mapping[str, Any], track: Any) -> Any:
    """The cut that is played for a track; None while there is none.

    A preview plays what the draft asks for, through the admin: it may not be cut yet.
    """
    is_preview = getattr(context.get("request"), "is_preview", False)
    return preview_cut(track) if is_preview else excerpt_for(track)


@register.simple_tag(takes_context=True)
def first_sample(context: Mapping[str, Any], product: Any) -> Sample | None:
    """The first track that can be heard; None also when the tracks were not fetched: no query."""
    if not _is_loaded(product, "tracks"):
        return None
    heard = ((track, excerpt_of_track(context, track)) for track in _tracks(product))
    return next((Sample(track, cut) for track, cut in heard if cut is not None), None)


@register.simple_tag
def waveform(excerpt: Any) -> SafeString:
    """Loudness as one path of upright bars; the script draws the part that was played over it."""
    peaks = _resampled(excerpt.peaks or [0], WAVEFORM_BARS)
    middle = WAVEFORM_HEIGHT / 2
    bars = (
        f"M{4 * position + 2} {middle - half:g}v{2 * half:g}"
        for position, peak in enumerate(peaks)
        for half in [max(1, round(min(peak, 100) / 100 * (middle - 1)))]
    )
    return format_html(
        '<svg class="waveform" viewBox="0 0 {} {}" preserveAspectRatio="none" aria-hidden="true" '
        'focusable="false"><path class="waveform-bars" vector-effect="non-scaling-stroke" d="{}"/></svg>',
        4 * len(peaks),
        WAVEFORM_HEIGHT,
        "".join(bars),
    )


# --- Covers -------------------------------------------------------------------------------------


@register.simple_tag
def cover(
    product: Any, size: int = 320, sizes: str = CARD_SIZES, eager: bool = False
) -> SafeString:
    """The cover at about `size` pixels, from the sizes made when it was published; none is made here.

    `sizes` tells the browser how wide it will be shown. A page that is previewed shows the original.
    """
    image = getattr(product, "cover", None)
    alt = _cover_words(product)
    ready = {made.width: made for made in getattr(image, "ready_renditions", ())}
    if not ready:
        if image is not None and image.file and not hasattr(image, "ready_renditions"):
            return _image(image.file.url, "", "", alt, size, size, eager)
        return _placeholder(str(getattr(product, "title", "")), alt, size)
    widths = sorted(ready)
    shown = ready[next((width for width in widths if width >= size), widths[-1])]
    srcset = ", ".join(f"{ready[width].url} {width}w" for width in widths)
    return _image(shown.url, srcset, sizes, alt, shown.width, shown.height, eager)


@register.simple_tag
def cover_url(product: Any, size: int = 96) -> str:
    """The address of one ready size, for the player and for links shared elsewhere; "" without one."""
    ready = {
        made.width: made
        for made in getattr(getattr(product, "cover", None), "ready_renditions", ())
    }
    width = next((width for width in sorted(ready) if width >= size), max(ready, default=0))
    return ready[width].url if width else ""


@register.simple_tag
def product_address(product: Any) -> str:
    """The whole address of a product's page; "" for one that was never saved."""
    return page_url(product.url_path) if product.url_path else ""


@register.simple_tag
def product_data(product: Any) -> SafeString:
    """The page's facts for search engines, as a data block; nothing for what is not published."""
    if product.pk is None or not product.live:
        return SafeString("")
    picture = cover_url(product, 1200)
    if picture.startswith("/"):
        picture = settings.SITE_BASE_URL + picture
    return as_script(structured_data(product, picture=picture))


# --- The list -----------------------------------------------------------------------------------


@register.simple_tag
def listing_link(listing: Listing, **changes: Any) -> str:
    """The query string of the same list with `changes`; None or "" takes a choice away."""
    first_page = str(changes.get("page")) == "1"
    wanted = {key: "" if value is None else str(value) for key, value in changes.items()}
    return listing.link(**wanted | ({"page": ""} if first_page else {}))


@register.simple_tag
def listing_pages(listing: Listing) -> list[int | str]:
    """Page numbers to offer: the ends, the neighbours, and "…" for the rest."""
    page = listing.page
    return list(page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1))


# --- Forms --------------------------------------------------------------------------------------


@register.filter
def control(field: Any) -> SafeString:
    """A bound field's widget with Bootstrap's class for its kind, and no grey copy of its label."""
    kind = getattr(field.field.widget, "input_type", "")
    css = {"checkbox": "form-check-input", "select": "form-select", "hidden": ""}.get(
        kind, "form-control"
    )
    if field.errors:
        css += " is-invalid"
    return field.as_widget(attrs={"class": css.strip() or False, "placeholder": False})


@register.filter
def lookup(words: Mapping[str, str] | None, key: object) -> str:
    """The sentence for one line of a form, "" when nothing is wrong with it."""
    return (words or {}).get(str(key), "")


# --- Reading what was fetched -------------------------------------------------------------------


def _is_loaded(instance: Any, relation: str) -> bool:
    """Whether reading `relation` costs no query: prefetched, or in memory because it is a draft."""
    return instance is not None and (
        instance.pk is None
        or relation in getattr(instance, "_prefetched_objects_cache", {})
        or relation in getattr(instance, "_cluster_related_objects", {})
    )


def _tracks(product: Any) -> list[Any]:
    """In the order of delivery: its own, then those of what it contains, when that was fetched."""
    parts = product.contained if _is_loaded(product, "contents") else []
    return [track for owner in (product, *parts) for track in owner.tracks.all()]


def _assets(thing: Any) -> Iterator[Any]:
    """Files of a product or track in their order; a draft's file may still be missing."""
    for track in _tracks(thing) if hasattr(thing, "tracks") else [thing]:
        for file in track.files.all():
            if file.asset is not None:
                yield file.asset


def _resampled(peaks: list[int], count: int) -> list[int]:
    """At most `count` values, each the loudest of its share."""
    if len(peaks) <= count:
        return peaks
    edges = [len(peaks) * step // count for step in range(count + 1)]
    return [max(peaks[start:end]) for start, end in pairwise(edges)]


def _cover_words(product: Any) -> str:
    artist = getattr(product, "artist", None)
    title = getattr(product, "title", "") or gettext("an untitled release")
    return (
        gettext("Cover of {title} by {artist}").format(title=title, artist=artist)
        if artist
        else gettext("Cover of {title}").format(title=title)
    )


def _image(
    url: str, srcset: str, sizes: str, alt: str, width: Any, height: Any, eager: bool
) -> SafeString:
    responsive = format_html(' srcset="{}" sizes="{}"', srcset, sizes) if srcset else ""
    return format_html(
        '<img class="cover" src="{}"{} alt="{}" width="{}" height="{}" decoding="async" '
        'loading="{}" fetchpriority="{}">',
        url,
        responsive,
        alt,
        width,
        height,
        "eager" if eager else "lazy",
        "high" if eager else "auto",
    )


def _placeholder(title: str, alt: str, size: int) -> SafeString:
    """A sleeve for what has no picture: colours and shapes follow from the title alone."""
    digest = hashlib.sha256(title.encode()).digest()
    ground, first, second = PLACEHOLDER_COLOURS[digest[0] % len(PLACEHOLDER_COLOURS)]
    turn, radius = 90 * (digest[1] % 4), 70 + digest[2] % 50
    across = 90 + digest[3] % 140
    grooves = format_html_join(
        "",
        '<circle cx="{0}" cy="250" r="{1}" fill="none" stroke="{2}" stroke-width="2" opacity=".55"/>',
        ((across, radius + step, first) for step in range(16, 130, 16)),
    )
    return format_html(
        '<svg class="cover" role="img" aria-label="{alt}" viewBox="0 0 320 320" width="{size}" '
        'height="{size}"><rect width="320" height="320" fill="{ground}"/>'
        '<g transform="rotate({turn} 160 160)">{grooves}<circle cx="{across}" cy="250" r="{radius}" '
        'fill="{first}"/><path d="M{across} {top}a{radius} {radius} 0 0 1 0 {height}z" fill="{second}"/>'
        "</g></svg>",
        alt=alt,
        size=size,
        ground=ground,
        turn=turn,
        grooves=grooves,
        across=across,
        radius=radius,
        first=first,
        second=second,
        top=250 - radius,
        height=2 * radius,
    )
