"""The two public lists that are not Wagtail pages: of artists and genres that have something on sale.

Others are not there, as drafts are not: their names may be no news to give away yet.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from catalog_pages.listing import Listing
from catalog_pages.models import Artist, Genre, ProductPage


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
