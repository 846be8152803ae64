"""Every operation of the API, found by walking its addresses: what an access token opens, and what not."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver

from store_api.permissions import ScopedViewMixin
from store_api.scopes import Scope
from tests.factories import make_user
from tests.partners import make_access_token, make_partner

pytestmark = pytest.mark.django_db
REFUSALS = {"insufficient_scope", "not_for_apps"}


def operations(patterns: Any = None, prefix: str = "") -> Iterator[Any]:
    """Each method of each view, with what calls it."""
    for pattern in get_resolver("store_api.v1.urls").url_patterns if patterns is None else patterns:
        address = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from operations(pattern.url_patterns, address)
        elif hasattr(pattern.callback, "cls"):
            for method in methods_of(pattern):
                yield pytest.param(pattern, method, id=f"{method} {address}")


def methods_of(pattern: URLPattern) -> list[str]:
    actions = getattr(pattern.callback, "actions", None)
    if actions:
        return sorted(actions)
    cls = pattern.callback.cls
    return [name for name in cls.http_method_names if name != "options" and hasattr(cls, name)]


def ask(pattern: URLPattern, method: str, scopes: list[str]) -> Any:
    """The answer to an app that acts for somebody by a token of these scopes."""
    value = make_access_token(make_partner(), make_user(), scopes=scopes)
    request = RequestFactory().generic(
        method.upper(),
        "/api/v1/anything/",
        b"{}",
        content_type="application/json",
        headers={"Authorization": f"Bearer {value}", "Idempotency-Key": str(uuid.uuid4())},
    )
    named = pattern.pattern.regex.groupindex
    answer = pattern.callback(request, **dict.fromkeys(named, str(uuid.uuid4())))
    return answer.render() if hasattr(answer, "render") else answer


def code_of(answer: Any) -> str:
    data = getattr(answer, "data", None)
    return str(data.get("code", "")) if isinstance(data, dict) else ""


def test_the_walk_finds_the_api() -> None:
    assert len(list(operations())) >= 6


@pytest.mark.parametrize(("pattern", "method"), list(operations()))
def test_an_operation_names_its_scope_or_is_closed_to_apps(
    pattern: URLPattern, method: str
) -> None:
    refused = ask(pattern, method, [])

    assert issubclass(pattern.callback.cls, ScopedViewMixin)
    assert refused.status_code == 403
    assert code_of(refused) in REFUSALS
    if code_of(refused) == "insufficient_scope":
        scope = refused["WWW-Authenticate"].rpartition('scope="')[2].rstrip('"')
        assert scope in set(Scope)
        assert refused["WWW-Authenticate"] == (
            f'Bearer realm="api", error="insufficient_scope", scope="{scope}"'
        )
        others = [str(other) for other in Scope if other != scope]
        assert code_of(ask(pattern, method, others)) == "insufficient_scope"
        assert code_of(ask(pattern, method, [scope])) not in REFUSALS
    else:
        assert code_of(ask(pattern, method, [*Scope])) == "not_for_apps"
