"""New releases for feed readers (Atom, RFC 4287), and all public addresses for search engines (sitemaps.org).

Both tell what the public pages show and nothing else: drafts and days still to come are no news yet.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import datetime
from io import StringIO
from typing import Any, NamedTuple
from xml.sax.xmlreader import AttributesImpl  # nosec B406  # writes, parses nothing

from django.conf import settings
from django.core.cache import caches
from django.db.models import Count, Max
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed, Enclosure
from django.utils.html import format_html
from django.utils.translation import get_language, gettext
from django.utils.xmlutils import SimplerXMLGenerator
from wagtail.models import Page

from catalog_pages.addresses import absolute, page_url
from catalog_pages.excerpts import excerpt_for
from catalog_pages.models import Artist, CataloguePage, Genre, HomePage, ProductPage, ShopSettings
from catalog_pages.plain_text import plain_text
from catalog_pages.shop_days import bounds, today
from catalog_pages.stamp import catalogue_stamp
from catalog_pages.templatetags.shop import share_picture

FEED_SIZE = 40
NAMED = (Genre, Artist)
KEPT_SECONDS = 3_600
SITEMAP_SIZE = 5_000  # of at most 50,000 that a sitemap may hold
SITEMAPS = "http://www.sitemaps.org/schemas/sitemap/0.9"
_NO_ATTRIBUTES: AttributesImpl[str] = AttributesImpl({})
# What XML 1.0 cannot say, however it is escaped.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def releases_feed() -> str:
    """The newest releases that are out, with an excerpt of each that has one. A few queries."""
    shop = ShopSettings.load()
    feed = Atom1Feed(
        title=_xml(shop.shop_name),
        link=absolute("/"),
        description=_xml(shop.tagline),
        language=get_language(),
        feed_url=absolute(reverse("feed")),
    )
    out = ProductPage.objects.live().exclude(release_date__gt=today())
    for product in out.for_cards().with_samples().newest_first()[:FEED_SIZE]:
        feed.add_item(**_entry(product))
    text: str = feed.writeString("utf-8")
    return text


def _entry(product: ProductPage) -> dict[str, Any]:
    artist = _xml(product.artist.name) if product.artist else ""
    title = _xml(product.title)
    by = gettext("{title} by {artist}").format(title=title, artist=artist) if artist else title
    day = product.release_date
    published = bounds(day)[0] if day else product.first_published_at
    return {
        "title": by,
        "link": page_url(product.url_path),
        "unique_id": f"urn:uuid:{product.translation_key}",  # whatever its address becomes
        "description": _summary(product, by),
        "author_name": artist or None,
        "pubdate": published,
        "updateddate": max(filter(None, (product.last_published_at, published)), default=None),
        "categories": [_xml(product.genre.name)] if product.genre else [],
        "enclosures": [_enclosure(excerpt) for excerpt in _excerpts(product)][:1],
    }


def _summary(product: ProductPage, by: str) -> str:
    words = _xml(plain_text(product.description)) or by
    picture = share_picture(product)
    cover = format_html('<p><img src="{}" alt=""></p>', picture) if picture else ""
    return format_html("{}<p>{}</p>", cover, words)


def _excerpts(product: ProductPage) -> Iterator[Any]:
    for owner in (product, *product.contained):
        yield from filter(None, map(excerpt_for, owner.tracks.all()))


def _enclosure(excerpt: Any) -> Enclosure:
    return Enclosure(absolute(excerpt.file.url), str(excerpt.size_bytes), "audio/mpeg")


def _xml(text: str) -> str:
    return _NOT_XML.sub("", text)


class Address(NamedTuple):
    """One line of a sitemap."""

    url: str
    changed: datetime | None


class Sitemap:
    """Home, catalogue, genres, artists and products, cut into parts of `SITEMAP_SIZE` addresses.

    Counting takes four queries, of which three are kept while the catalogue stays as it is, and each part
    four at most, however many products there are.
    """

    def __init__(self) -> None:
        counts, self.changed = _counts()
        latest = Max("products__last_published_at")
        sections = [
            *(
                model.objects.filter(products__live=True).annotate(changed=latest)
                for model in NAMED
            ),
            ProductPage.objects.live().only("url_path", "last_published_at"),
        ]
        self.sections: list[tuple[int, Any]] = list(zip(counts, sections, strict=True))

    @property
    def parts(self) -> int:
        """How many there are; the first holds the home page and the catalogue beside its share."""
        rest = sum(count for count, _ in self.sections)
        return max(1, -(-rest // SITEMAP_SIZE))

    def part(self, number: int) -> Iterator[Address]:
        """Addresses of the part `number`, from 1."""
        if number == 1:
            yield from self._front()
        start, room = (number - 1) * SITEMAP_SIZE, SITEMAP_SIZE
        for count, rows in self.sections:
            taken = max(0, min(count - start, room))
            if taken:
                yield from map(_address, rows.order_by("pk")[start : start + taken])
            start, room = max(0, start - count), room - taken

    def _front(self) -> Iterator[Address]:
        fronts = Page.objects.live().type(HomePage, CataloguePage).order_by("path")
        for path in fronts.values_list("url_path", flat=True):
            yield Address(page_url(path), self.changed)


def _counts() -> tuple[list[int], datetime | None]:
    """How many genres, artists and products there are, and when a product last changed."""
    stamp = catalogue_stamp()
    room, key = caches["lists"], f"sitemap-{hashlib.sha256(stamp.encode()).hexdigest()}"
    kept: tuple[list[int], datetime | None] | None = room.get(key) if stamp else None
    if kept is None:
        facts = ProductPage.objects.live().aggregate(
            count=Count("pk"), changed=Max("last_published_at")
        )
        named = [model.objects.with_products().count() for model in NAMED]
        kept = [*named, facts["count"]], facts["changed"]
        if stamp:
            room.set(key, kept, KEPT_SECONDS)
    return kept


def _address(row: Any) -> Address:
    if isinstance(row, ProductPage):
        return Address(page_url(row.url_path), row.last_published_at)
    return Address(absolute(row.get_absolute_url()), row.changed)


def sitemap(part: int | None) -> str | None:
    """The document: of a small shop all addresses, of a large one its parts; None for a part it has not."""
    found = Sitemap()
    if part is None and found.parts > 1:
        own = absolute(reverse("sitemap"))
        places = [Address(f"{own}?part={n}", found.changed) for n in range(1, found.parts + 1)]
        return _document("sitemapindex", "sitemap", iter(places))
    number = part or 1
    if not 1 <= number <= found.parts:
        return None
    return _document("urlset", "url", found.part(number))


def _document(root: str, line: str, addresses: Iterator[Address]) -> str:
    out = StringIO()
    xml = SimplerXMLGenerator(out, "utf-8", short_empty_elements=True)
    xml.startDocument()
    xml.startElement(root, AttributesImpl({"xmlns": SITEMAPS}))
    for address in addresses:
        xml.startElement(line, _NO_ATTRIBUTES)
        xml.addQuickElement("loc", address.url)
        if address.changed:
            xml.addQuickElement("lastmod", address.changed.isoformat(timespec="seconds"))
        xml.endElement(line)
    xml.endElement(root)
    xml.endDocument()
    return out.getvalue()


def robots_txt() -> str:
    """What programs need not read: nothing there is for everybody.

    Pages that say so themselves are not named, because a program has to read that.
    """
    closed = ("/admin/", "/django-admin/", "/fragments/", "/downloads/", "/checkout/")
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in closed)]
    return "\n".join([*lines, "", f"Sitemap: {settings.SITE_BASE_URL}{reverse('sitemap')}", ""])
