"""Every address that the shop answers, with values in its places that are of the right kind and nobody's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, resolve
from django.urls.resolvers import RegexPattern, RoutePattern
from django.utils.regex_helper import normalize

NOBODYS = {
    "IntConverter": "1",
    "UUIDConverter": "00000000-0000-4000-8000-000000000000",
    "ScopeConverter": "order",
}


GUESSES = ("1", "x", "x/", "auth", "000000", "000000000000")


@dataclass(frozen=True)
class Address:
    path: str
    view: Any

    @property
    def is_exempt(self) -> bool:
        """Whether Django's own look at the token is left out."""
        return bool(getattr(self.view, "csrf_exempt", False))


@cache
def every_address() -> tuple[Address, ...]:
    """Those that lead to the view that they were written for: one that another shadows is nobody's."""
    found = {}
    for path, view in _walk(get_resolver(), "/"):
        if resolve(path).func is view:
            found[path] = Address(path, view)
    return tuple(found.values())


def _walk(resolver: URLResolver, before: str) -> Iterator[tuple[str, Any]]:
    for part in resolver.url_patterns:
        path = before + _filled(part.pattern)
        if isinstance(part, URLPattern):
            yield path, part.callback
        else:
            yield from _walk(part, path)


def _filled(pattern: Any) -> str:
    if isinstance(pattern, RoutePattern):
        return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: _value(pattern, found[1]), str(pattern))
    if isinstance(pattern, RegexPattern):
        return _matching(pattern)
    return str(pattern)


def _matching(pattern: RegexPattern) -> str:
    """The first of what could be meant that the expression takes."""
    text, names = normalize(str(pattern))[0]
    for values in product(GUESSES, repeat=len(names)):
        guess = str(text) % dict(zip(names, values, strict=True))
        if pattern.regex.search(guess):
            return guess
    raise ValueError(f"Nothing fits {pattern}")


def _value(pattern: RoutePattern, name: str) -> str:
    return NOBODYS.get(type(pattern.converters[name]).__name__, "x")
