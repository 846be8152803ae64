"""What is public and no Wagtail page: artists and genres with something on sale, legal texts, the colour.

Others are not there, as drafts are not: their names may be no news to give away yet.
"""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from catalog_pages.listing import Listing
from catalog_pages.models import Artist, Genre, LegalVersion, ProductPage
from catalog_pages.theme import DEFAULT_ACCENT, digest_of, stylesheet

A_YEAR_SECONDS = 31_536_000


@require_safe
def artist(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Artist.objects.with_products(), slug=slug)
    listing = Listing.of(ProductPage.objects.live().filter(artist=found), request.GET)
    return render(
        request,
        "catalog_pages/artist.html",
        {"artist": found, "listing": listing, "products": listing.page},
    )


@require_safe
def genre(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Genre.objects.with_products(), slug=slug)
    listing = Listing.of(ProductPage.objects.live().filter(genre=found), request.GET)
    return render(
        request,
        "catalog_pages/genre.html",
        {"genre": found, "listing": listing, "products": listing.page},
    )


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
def legal(request: HttpRequest, kind: str, version: int = 0) -> HttpResponse:
    """The newest text of its kind, or the one that an order names: it stays readable for ever."""
    texts = list(LegalVersion.objects.filter(kind=kind).defer("body"))
    found = next((text for text in texts if version in (0, text.version)), None)
    if found is None:
        raise Http404
    return render(
        request,
        "catalog_pages/legal.html",
        {"legal": found, "texts": texts, "newest": texts[0], "is_one_of_several": version > 0},
    )
