"""The cart beside the page: what a script of ours is answered, which asks with the header `HX-Request`.

Everybody else gets whole pages from the same addresses.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from catalog_pages.errors import DomainError
from orders.services.pricing import CartSummary


def wants_fragment(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def render_drawer(
    request: HttpRequest, summary: CartSummary, sentence: str = "", error: DomainError | None = None
) -> HttpResponse:
    """`sentence`: what was done, read out and shown once; `error`: why something was not."""
    context = {"summary": summary, "sentence": sentence, "error": error}
    status = 200 if error is None else error.status
    return render(request, "orders/_drawer.html", context, status=status)


def render_refusal(request: HttpRequest, error: DomainError) -> HttpResponse:
    """Why a product did not go in: one sentence, shown where the button is."""
    return render(request, "orders/_drawer_refusal.html", {"error": error}, status=error.status)
