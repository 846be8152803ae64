"""What a product's page tells search engines: schema.org in JSON-LD.

https://schema.org/Product, /MusicAlbum, /MusicRecording and /Offer. A product of one track is a recording,
one of several an album, a bundle a plain product with the albums inside. Nothing is said that a reader of
the page would not see.
"""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from catalog_pages.addresses import page_url
from catalog_pages.money import format_plain
from catalog_pages.plain_text import plain_text

CONTEXT = "https://schema.org"
# HTML ends a script at "</", and some readers of it at "<!--"; JSON may write any letter as a number.
ESCAPES = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}
ESCAPES |= {0x2028: "\\u2028", 0x2029: "\\u2029"}


def structured_data(product: Any, *, picture: str = "") -> dict[str, Any]:
    """JSON-LD of a published product; `picture`: the address of its cover, "" without one."""
    address = page_url(product.url_path)
    tracks = list(product.tracks.all())
    data: dict[str, Any] = {"@context": CONTEXT, "@id": f"{address}#product", "url": address}
    data["@type"] = ["Product", _kind(product, tracks)] if tracks else "Product"
    data["name"] = product.title
    data["category"] = "Music download"
    asked = " ".join(product.search_description.split())
    if text := asked or plain_text(product.description):
        data["description"] = text
    if picture:
        data["image"] = picture
    if product.artist:
        data["brand"] = {"@type": "Brand", "name": product.artist.name}
    data |= _music(product, tracks)
    if parts := [part for part in product.contained if part.live]:
        data["isRelatedTo"] = [_part(part) for part in parts]
    if product.price_pennies is not None:
        data["offers"] = _offer(product, address)
    return data


def as_script(data: dict[str, Any]) -> SafeString:
    """A data block, which no browser runs; no title can end it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).translate(ESCAPES)
    return format_html('<script type="application/ld+json">{}</script>', mark_safe(text))  # noqa: S308  # nosec B703, B308  # escaped above


def iso_duration(milliseconds: int) -> str:
    """`PT3M7S` (ISO 8601), to the nearest second, at least one."""
    minutes, seconds = divmod(max(1, (milliseconds + 500) // 1000), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "H"), (minutes, "M"), (seconds, "S")]
    return "PT" + "".join(f"{number}{unit}" for number, unit in parts if number)


def _kind(product: Any, tracks: list[Any]) -> str:
    return "MusicRecording" if len(tracks) == 1 and not product.contained else "MusicAlbum"


def _music(product: Any, tracks: list[Any]) -> dict[str, Any]:
    if not tracks:
        return {}
    music: dict[str, Any] = {}
    if product.artist:
        music["byArtist"] = _artist(product)
    if product.genre:
        music["genre"] = product.genre.name
    if product.release_date:
        music["datePublished"] = product.release_date.isoformat()
    if _kind(product, tracks) == "MusicRecording":
        return music | _length(tracks[0])
    music["numTracks"] = len(tracks)
    music["track"] = [
        {"@type": "MusicRecording", "name": track.title, "position": place} | _length(track)
        for place, track in enumerate(tracks, start=1)
    ]
    return music


def _artist(product: Any) -> dict[str, Any]:
    address = settings.SITE_BASE_URL + product.artist.get_absolute_url()
    return {"@type": "MusicGroup", "name": product.artist.name, "url": address}


def _length(track: Any) -> dict[str, str]:
    lengths = (file.asset.duration_ms for file in track.files.all() if file.asset)
    milliseconds = next((length for length in lengths if length), None)
    return {"duration": iso_duration(milliseconds)} if milliseconds else {}


def _part(part: Any) -> dict[str, Any]:
    return {"@type": "Product", "name": part.title, "url": page_url(part.url_path)}


def _offer(product: Any, address: str) -> dict[str, Any]:
    """The least that it costs; not in stock before its day, because it cannot be ordered then."""
    day = product.comes_out_on
    offer = {
        "@type": "Offer",
        "url": address,
        "price": format_plain(product.price_pennies, settings.STRIPE_CURRENCY),
        "priceCurrency": settings.STRIPE_CURRENCY,
        "availability": f"{CONTEXT}/{'InStock' if product.can_be_bought else 'OutOfStock'}",
    }
    return offer | ({"availabilityStarts": day.isoformat()} if day else {})
