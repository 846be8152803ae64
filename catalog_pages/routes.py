"""A short way to Wagtail's pages: one query where a walk down its tree makes eight.

The page is found by its whole address. Wagtail serves it all the same, and whatever the short way does not
lead to is looked for by the long one: drafts, moved slugs, redirects, several sites, pages with restrictions.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, QuerySet, Subquery, Value
from django.db.models.functions import Concat
from django.http import HttpRequest, HttpResponse
from wagtail.models import Page, PageViewRestriction, Site
from wagtail.url_routing import RouteResult
from wagtail.views import serve

from catalog_pages.pieces import are_kept, piece


class Routed(Page):
    """A page that may have come the short way."""

    is_everybodys = False

    class Meta:
        abstract = True

    def get_view_restrictions(self) -> QuerySet[PageViewRestriction]:
        """None to look for once the query that found the page saw that there are none at all."""
        if self.is_everybodys:
            return PageViewRestriction.objects.none()
        restrictions: QuerySet[PageViewRestriction] = super().get_view_restrictions()
        return restrictions


def serve_shortly(request: HttpRequest, pages: Any, below_home: str) -> HttpResponse:
    """What Wagtail serves under `below_home`; `pages` are those that may be there."""
    if request.method in {"GET", "HEAD"} and (page := _found(pages, below_home)) is not None:
        page.is_everybodys = True
        # What `Page.route_for_request` keeps for whoever asks again within the request.
        request._wagtail_route_for_request = RouteResult(page)  # type: ignore[attr-defined]
    response: HttpResponse = serve(request, below_home)
    return response


def _found(pages: Any, below_home: str) -> Routed | None:
    """The live page at this address of the one site that there is, unless any page is for some only."""
    root = Site.objects.filter(is_default_site=True)
    home = root.filter(
        ~Exists(Site.objects.filter(is_default_site=False)),
        ~Exists(PageViewRestriction.objects.all()),
    ).values_list("root_page__url_path", flat=True)
    address: Any = Concat(Subquery(home[:1]), Value(below_home))
    if are_kept():
        known = piece(lambda: home.first() or "", "home")
        if not known:
            return None
        address = known + below_home
    found = pages.live().filter(url_path=address).order_by()[:1]  # there is one, in no order
    return next(iter(found), None)
