"""An operation that will go says so in every answer, long before it does.

    class OldViewSet(ScopedViewMixin, ...):
        deprecated = Deprecation(since=date(2027, 1, 1), sunset=date(2028, 1, 1), instead="/api/v2/…/")

or, of a single method or action, as its decorator:

    @Deprecation(since=date(2027, 1, 1))
    def list(self, request): ...
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, TypeVar

from django.http import HttpResponseBase
from django.utils.http import http_date

ATTRIBUTE = "deprecated"
EXPLAINED_AT = "/api/docs/"
Handler = TypeVar("Handler", bound=Callable[..., Any])


@dataclass(frozen=True)
class Deprecation:
    """From `since` on nobody should begin to use it; after `sunset` it may be gone; `instead` is a path."""

    since: date
    sunset: date | None = None
    instead: str = ""

    def __call__(self, handler: Handler) -> Handler:
        setattr(handler, ATTRIBUTE, self)
        return handler

    def announce(self, response: HttpResponseBase) -> None:
        """Deprecation (RFC 9745), Sunset (RFC 8594) and Link, beside what Link says already."""
        response["Deprecation"] = f"@{_timestamp(self.since)}"
        if self.sunset:
            response["Sunset"] = http_date(_timestamp(self.sunset))
        links = [response.get("Link", ""), f'<{EXPLAINED_AT}>; rel="deprecation"; type="text/html"']
        if self.instead:
            links.append(f'<{self.instead}>; rel="successor-version"')
        response["Link"] = ", ".join(link for link in links if link)


def _timestamp(day: date) -> int:
    return int(datetime.combine(day, time(), tzinfo=UTC).timestamp())


def deprecation_of(view: Any, actions: Mapping[str, str] | None, method: str) -> Deprecation | None:
    """What a view, or the method of it that answers, says of itself; None when nothing goes."""
    name = method.lower()
    if name == "head":
        name = "get"
    handler = getattr(view, (actions or {}).get(name, name), None)
    return getattr(handler, ATTRIBUTE, None) or getattr(view, ATTRIBUTE, None)
