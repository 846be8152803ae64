"""How a cover is drawn: a picture in the sizes that are ready or, for what has none, a sleeve of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

CARD_SIZES = "(min-width: 82rem) 15rem, (min-width: 56rem) 22vw, (min-width: 38rem) 30vw, 46vw"
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


def cover(
    product: Any, size: int = 320, sizes: str = "", eager: bool = False, first: bool = False
) -> SafeString:
    """The cover at about `size` pixels, from the sizes made when it was published; none is made here.

    `sizes` tells the browser how wide it will be shown: as in a list, unless said otherwise. `eager`: it is
    seen at once; `first`: it is what one sees first. A page that is previewed shows the original.
    """
    image = getattr(product, "cover", None)
    alt, loading = _cover_words(product), _loading(eager or first, first)
    ready = _ready(image, ".webp")
    if not ready:
        if image is not None and image.file and not hasattr(image, "ready_renditions"):
            return _image(image.file.url, SafeString(""), alt, (size, size), loading)
        return _placeholder(str(getattr(product, "title", "")), alt, size)
    shown = ready[_nearest(ready, size)]
    shape = (shown.width, shown.height)
    img = _image(shown.url, _choice(ready, sizes or CARD_SIZES), alt, shape, loading)
    if not (smaller := _ready(image, ".avif")):
        return img
    return format_html(
        '<picture><source type="image/avif"{}>{}</picture>',
        _choice(smaller, sizes or CARD_SIZES),
        img,
    )


def cover_url(product: Any, size: int = 96) -> str:
    """The address of one ready size, for the player and for links shared elsewhere; "" without one."""
    ready = _ready(getattr(product, "cover", None), ".webp")
    return ready[_nearest(ready, size)].url if ready else ""


def _cover_words(product: Any) -> str:
    artist = getattr(product, "artist", None)
    title = getattr(product, "title", "") or gettext("an untitled release")
    return (
        gettext("Cover of {title} by {artist}").format(title=title, artist=artist)
        if artist
        else gettext("Cover of {title}").format(title=title)
    )


def _ready(image: Any, ending: str) -> dict[int, Any]:
    """Width -> the size that is ready, of one format."""
    made = getattr(image, "ready_renditions", ())
    return {size.width: size for size in made if size.file.name.endswith(ending)}


def _nearest(ready: Mapping[int, Any], size: int) -> int:
    """The smallest width that is large enough, else the largest."""
    return min((width for width in ready if width >= size), default=max(ready))


def _choice(ready: Mapping[int, Any], sizes: str) -> SafeString:
    srcset = ", ".join(f"{ready[width].url} {width}w" for width in sorted(ready))
    return format_html(' srcset="{}" sizes="{}"', srcset, sizes)


def _loading(eager: bool, first: bool) -> SafeString:
    priority = ' fetchpriority="high"' if first else ""
    return format_html('loading="{}"{}', "eager" if eager else "lazy", SafeString(priority))  # nosec B703  # our own words


def _image(
    url: str, choice: SafeString, alt: str, shape: tuple[int, int], loading: SafeString
) -> SafeString:
    return format_html(
        '<img class="cover" src="{}"{} alt="{}" width="{}" height="{}" decoding="async" {}>',
        url,
        choice,
        alt,
        *shape,
        loading,
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
