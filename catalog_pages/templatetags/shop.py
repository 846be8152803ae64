"""What templates say about products: money, lengths, sizes, covers, waveforms, links of the list.

Nothing here writes, and nothing here queries for a product that came from `for_cards()` or
`with_tracks()`. No markup carries a style attribute, so the strict content security policy holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from itertools import pairwise
from typing import Any, NamedTuple

from django import template
from django.conf import settings
from django.template.defaultfilters import stringfilter
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.timezone import localtime
from django.utils.translation import get_language, gettext

from catalog_pages.addresses import absolute, page_path, page_url
from catalog_pages.covers import cover, cover_url
from catalog_pages.excerpts import excerpt_for
from catalog_pages.listening import preview_cut
from catalog_pages.listing import Listing
from catalog_pages.locales import grouped, joined, size_words
from catalog_pages.models import ProductPage
from catalog_pages.money import currency, format_money, format_plain
from catalog_pages.plain_text import plain_text
from catalog_pages.prices import price_ideas
from catalog_pages.shop_days import today
from catalog_pages.structured_data import as_script, structured_data
from catalog_pages.track_rows import TrackRow

register = template.Library()

WAVEFORM_BARS = 72
WAVEFORM_HEIGHT = 40


class Sample(NamedTuple):
    """A track and the cut of it that anybody may hear."""

    track: Any
    excerpt: Any


# --- Words and numbers --------------------------------------------------------------------------


@register.filter(is_safe=True)
@stringfilter
def one_line(text: str) -> str:
    """Without the line breaks that a template's blocks leave: a title is shown as it stands."""
    return " ".join(text.split())


@register.filter
def money(pennies: int | None, code: str = "") -> str:
    """Minor units as people write them: `£4.99`. Every amount on every page and in mail."""
    return "" if pennies is None else format_money(int(pennies), code or settings.STRIPE_CURRENCY)


@register.filter
def money_typed(pennies: int | None) -> str:
    """`4.99`, as an amount stands in a field beside the currency's sign."""
    return "" if pennies is None else format_plain(int(pennies), settings.STRIPE_CURRENCY)


@register.simple_tag
def ideas_of_price(product: Any) -> list[int]:
    """Amounts to choose from beside the field in which a buyer names the price."""
    return price_ideas(product.offered_price_pennies or 0, settings.STRIPE_CURRENCY)


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
    return sum({asset.sha256: asset.size_bytes for asset in _assets(thing)}.values()) or None


@register.filter
def playing_time(thing: Any) -> int | None:
    """Milliseconds of a track, or of all tracks of a product, whatever they are delivered as."""
    tracks = _tracks(thing) if hasattr(thing, "tracks") else [thing]
    lengths = [
        next((asset.duration_ms for asset in _assets(track) if asset.duration_ms), None)
        for track in tracks
    ]
    return sum(length for length in lengths if length) or None


@register.filter
def has_discs(product: Any) -> bool:
    """Whether its own tracks are on more than one disc."""
    return any((track.disc or 1) > 1 for track in product.tracks.all())


# --- Excerpts -----------------------------------------------------------------------------------


@register.simple_tag(name="excerpt", takes_context=True)
def excerpt_of_track(context: Mapping[str, Any], track: Any) -> Any:
    """The cut that is played for a track; None while there is none.

    A preview plays what the draft asks for, through the admin: it may not be cut yet. What stands beside it
    is heard as everybody hears it.
    """
    is_preview = getattr(context.get("request"), "is_preview", False)
    if is_preview and not isinstance(track, TrackRow):
        return preview_cut(track)
    return excerpt_for(track)


@register.simple_tag(takes_context=True)
def first_sample(context: Mapping[str, Any], product: Any) -> Sample | None:
    """The first track that can be heard; None also when the tracks were not fetched: no query."""
    if not is_loaded(product, "tracks"):
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


# --- Covers, addresses and words about a page -----------------------------------------------------


register.simple_tag(cover)
register.simple_tag(cover_url)


@register.simple_tag
def page_address(page: Any) -> str:
    """The whole address of a page; "" for one that was never saved."""
    return page_url(page.url_path) if page.url_path else ""


@register.simple_tag
def whole_address(address: str) -> str:
    """A path with the shop's own address before it."""
    return absolute(address)


@register.simple_tag
def share_picture(product: Any) -> str:
    """The whole address of the largest cover, for links shared elsewhere; "" without one."""
    return absolute(cover_url(product, 1200))


@register.simple_tag
def product_words(product: Any) -> str:
    """What a search engine or a shared link says of a product: its own words, else title and artist."""
    if words := product.search_description or Truncator(plain_text(product.description)).words(30):
        return str(words)
    if product.artist:
        by = gettext("{title} by {artist}, to download and keep.")
        return by.format(title=product.title, artist=product.artist)
    return gettext("{title}, to download and keep.").format(title=product.title)


@register.simple_tag
def product_path(product: Any) -> str:
    """The same for a link on a page of the shop."""
    return page_path(product.url_path)


@register.simple_tag
def product_data(product: Any) -> SafeString:
    """The page's facts for search engines, as a data block; nothing for what is not published."""
    if product.pk is None or not product.live:
        return SafeString("")
    return as_script(structured_data(product, picture=share_picture(product)))


# --- The list -----------------------------------------------------------------------------------


@register.simple_tag
def listing_link(listing: Listing, page: int = 1, **changes: Any) -> str:
    """The query string of the same list with `changes`; None or "" takes a choice away."""
    wanted = {key: "" if value is None else str(value) for key, value in changes.items()}
    return listing.choice.link(int(page), **wanted)


@register.simple_tag
def listing_address(listing: Listing, address: str, page: int | None = None) -> str:
    """The one whole address of this list, or of another `page` of it, that search engines are told."""
    query = listing.choice.link(listing.page.number if page is None else page)
    return address if query == "?" else f"{address}{query}"


@register.simple_tag
def newest_releases(number: int = 4) -> list[Any]:
    """What a page that is empty otherwise shows, ready for cards: three queries."""
    live = ProductPage.objects.live()
    return list(live.for_cards().with_samples().newest_first()[:number])


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
def sentence_case(label: object) -> str:
    """`Current password` of `Current Password`; in other languages capitals have reasons of their own."""
    text = str(label)
    return text.capitalize() if (get_language() or "").startswith("en") else text


@register.filter
def lookup(words: Mapping[str, str] | None, key: object) -> str:
    """The sentence for one line of a form, "" when nothing is wrong with it."""
    return (words or {}).get(str(key), "")


# --- Reading what was fetched -------------------------------------------------------------------


def is_loaded(instance: Any, relation: str) -> bool:
    """Whether reading `relation` costs no query: prefetched, or in memory because it is a draft."""
    return instance is not None and (
        instance.pk is None
        or relation in getattr(instance, "_prefetched_objects_cache", {})
        or relation in getattr(instance, "_cluster_related_objects", {})
    )


def _tracks(product: Any) -> list[Any]:
    """In the order of delivery: its own, then those of what it contains, when that was fetched."""
    parts = product.contained if is_loaded(product, "contents") else []
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
