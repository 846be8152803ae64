"""What is public: Wagtail's pages by a short way; artists and genres with something on sale, legal texts, the
colour; and what programs read: the feed, the sitemap, robots.txt.

Other artists and genres are not there, as drafts are not: their names may be no news to give away yet.
"""

from __future__ import annotations

import re

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from catalog_pages.feeds import releases_feed, robots_txt
from catalog_pages.feeds import sitemap as sitemap_document
from catalog_pages.listing import Listing
from catalog_pages.models import (
    Artist,
    CataloguePage,
    Genre,
    HomePage,
    LegalVersion,
    ProductPage,
)
from catalog_pages.routes import serve_shortly
from catalog_pages.search_text import asked_text
from catalog_pages.suggestions import suggestions_for
from catalog_pages.theme import DEFAULT_ACCENT, digest_of, stylesheet

A_YEAR_SECONDS = 31_536_000
A_FEW_MINUTES_SECONDS = 300
A_MINUTE_SECONDS = 60
PART = re.compile(r"[1-9][0-9]{0,5}")  # of a sitemap


def home(request: HttpRequest) -> HttpResponse:
    return serve_shortly(request, HomePage.objects.all(), "")


def catalogue(request: HttpRequest) -> HttpResponse:
    return serve_shortly(request, CataloguePage.objects.filter(slug="catalog"), "catalog/")


def product(request: HttpRequest, slug: str) -> HttpResponse:
    pages = ProductPage.objects.filter(slug=slug).select_related("artist", "genre", "cover")
    return serve_shortly(request, pages, f"catalog/{slug}/")


@require_safe
def artist(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Artist.objects.with_products(), slug=slug)
    listing = Listing.of(ProductPage.objects.live().filter(artist=found), request.GET, scope=None)
    return render(request, "catalog_pages/artist.html", {"artist": found, "listing": listing})


@require_safe
def genre(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Genre.objects.with_products(), slug=slug)
    products = ProductPage.objects.live().filter(genre=found)
    listing = Listing.of(products, request.GET, scope=f"genre-{found.pk}")
    return render(request, "catalog_pages/genre.html", {"genre": found, "listing": listing})


@require_safe
def theme(request: HttpRequest, accent: str, digest: str) -> HttpResponse:
    """The stylesheet of one colour, for ever: another one has another address. No query.

    It is made of its address alone, so that a page that a cache kept from before a change still finds
    its own. One from before a release that computes it otherwise is led to what it is now.
    """
    colour = f"#{accent}"
    if colour == DEFAULT_ACCENT:
        raise Http404
    if digest != digest_of(colour):
        return redirect("shop_theme", accent, digest_of(colour))
    response = HttpResponse(stylesheet(colour), content_type="text/css; charset=utf-8")
    patch_cache_control(response, public=True, max_age=A_YEAR_SECONDS, immutable=True)
    return response


@require_safe
def legal(request: HttpRequest, kind: str, version: str = "") -> HttpResponse:
    """The newest text of its kind, or the one that an order names: it stays readable for ever."""
    texts = list(LegalVersion.objects.filter(kind=kind).defer("body"))
    found = next((text for text in texts if version in ("", str(text.version))), None)
    if found is None:
        raise Http404
    return render(
        request,
        "catalog_pages/legal.html",
        {"legal": found, "texts": texts, "newest": texts[0], "is_one_of_several": version != ""},
    )


@require_safe
def feed(request: HttpRequest) -> HttpResponse:
    return _for_programs(releases_feed(), "application/atom+xml")


@require_safe
def sitemap(request: HttpRequest) -> HttpResponse:
    part = request.GET.get("part")
    if part is not None and not PART.fullmatch(part):
        raise Http404
    document = sitemap_document(None if part is None else int(part))
    if document is None:
        raise Http404
    return _for_programs(document, "application/xml")


@require_safe
def suggestions(request: HttpRequest) -> HttpResponse:
    """What the words in a search field may mean, as a piece of a page: the same for everybody."""
    found = suggestions_for(asked_text(request.GET.get("q")))
    response = render(request, "catalog_pages/_suggestions.html", {"found": found})
    patch_cache_control(response, public=True, max_age=A_MINUTE_SECONDS)
    return response


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    return _for_programs(robots_txt(), "text/plain")


def _for_programs(text: str, kind: str) -> HttpResponse:
    response = HttpResponse(text, content_type=f"{kind}; charset=utf-8")
    patch_cache_control(response, public=True, max_age=A_FEW_MINUTES_SECONDS)
    return response
