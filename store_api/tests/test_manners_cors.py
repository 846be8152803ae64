"""Web apps of others call from a browser only where the shop lists them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from site_config.env import Profile
from site_config.tests.test_settings import load
from store_api.tests.calling import app_of
from tests.factories import buy, make_product, make_user

pytestmark = pytest.mark.django_db
LISTED, STRANGER = "https://app.example", "https://evil.example"
CORS = "corsheaders.middleware.CorsMiddleware"
ORIGIN_ALLOWED = "access-control-allow-origin"
PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "idempotency-key,x-cart-token",
}


@pytest.fixture
def listed(settings: Any) -> None:
    """As the settings are when the environment lists an origin."""
    settings.CORS_ALLOWED_ORIGINS = [LISTED]
    ids, *others = settings.MIDDLEWARE
    settings.MIDDLEWARE = [ids, CORS, *others]


def allowed(answer: Any) -> dict[str, str]:
    return {
        name.lower(): value
        for name, value in answer.items()
        if name.lower().startswith("access-control-")
    }


def test_it_is_off_unless_somebody_is_listed(settings: Any) -> None:
    answer = Client().get("/api/v1/products/", headers={"Origin": LISTED})
    preflight = Client().options("/api/v1/carts/", headers={"Origin": LISTED, **PREFLIGHT})

    assert CORS not in settings.MIDDLEWARE
    assert allowed(answer) == allowed(preflight) == {}
    assert "origin" not in answer.get("Vary", "").lower()


@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize(
    "address",
    [
        "/api/v1/carts/",
        "/_allauth/app/v1/auth/login",
        "/identity/o/api/token",
        "/identity/o/api/revoke",
        "/identity/o/api/userinfo",
        "/.well-known/openid-configuration",
        f"/downloads/{UUID(int=1)}/",
    ],
)
def test_a_listed_origins_preflight_is_answered(address: str) -> None:
    answer = Client().options(address, headers={"Origin": LISTED, **PREFLIGHT})

    told = allowed(answer)
    assert answer.status_code == 200
    assert told["access-control-allow-origin"] == LISTED
    assert "access-control-allow-credentials" not in told
    assert {
        "authorization", "content-type", "idempotency-key", "if-none-match", "x-cart-token",
        "x-order-token", "x-request-id", "x-session-token", "range", "if-range",
    } <= set(told["access-control-allow-headers"].lower().split(", "))  # fmt: skip


@pytest.mark.usefixtures("listed")
def test_a_listed_origin_reads_answers_and_their_headers_errors_too() -> None:
    for address in ("/api/v1/products/", "/api/v1/none/", "/api/v1/me/"):
        told = allowed(Client().get(address, headers={"Origin": LISTED}))

        assert told["access-control-allow-origin"] == LISTED
        assert {
            "ETag", "Retry-After", "Location", "X-Request-ID", "Deprecation", "Sunset", "Link",
            "Idempotent-Replayed", "Accept-Ranges", "Content-Range", "Content-Disposition", "Repr-Digest",
        } <= set(told["access-control-expose-headers"].split(", "))  # fmt: skip


@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize(
    "origin",
    [
        STRANGER,
        "null",
        "http://app.example",
        "https://app.example:8443",
        "https://app.example.evil.example",
        "https://sub.app.example",
        "https://app.example@evil.example",
        "https://[",
    ],
)
def test_nobody_else_is_told_anything(origin: str) -> None:
    answer = Client().get("/api/v1/products/", headers={"Origin": origin})
    preflight = Client().options("/api/v1/carts/", headers={"Origin": origin, **PREFLIGHT})

    assert allowed(answer) == allowed(preflight) == {}
    assert answer.status_code == 200


@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/cart/",
        "/accounts/login/",
        "/_allauth/browser/v1/config",
        "/apiary/",
        "/identity/o/authorize",
        "/identity/o/logout",
    ],
)
def test_pages_are_not_opened_to_anybody(address: str) -> None:
    answer = Client().get(address, headers={"Origin": LISTED})

    assert allowed(answer) == {}


@pytest.mark.usefixtures("listed")
def test_a_listed_origin_reads_a_file_by_its_link_in_parts() -> None:
    buyer = Client()
    order = buy(buyer, make_user(), make_product())
    link = app_of(order.user)("post", f"purchases/{order.items.get().pk}/link/", {}).json()["url"]
    address = link.removeprefix("http://testserver")

    part = Client().get(address, headers={"Origin": LISTED, "Range": "bytes=0-3"})
    strangers = Client().get(address, headers={"Origin": STRANGER, "Range": "bytes=0-3"})
    part.close()
    strangers.close()

    assert (part.status_code, strangers.status_code) == (206, 206)
    assert allowed(part)["access-control-allow-origin"] == LISTED
    assert "access-control-allow-credentials" not in allowed(part)
    assert allowed(strangers) == {}


@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize("address", ["/.well-known/openid-configuration", "/.well-known/jwks.json"])
def test_what_is_open_to_everybody_is_said_once(address: str) -> None:
    answers = {
        origin: Client().get(address, headers={"Origin": origin}) for origin in (LISTED, STRANGER)
    }

    told = {
        origin: [value for name, value in answer.items() if name.lower() == ORIGIN_ALLOWED]
        for origin, answer in answers.items()
    }
    assert told == {LISTED: [LISTED], STRANGER: ["*"]}


@pytest.mark.usefixtures("listed")
def test_caches_keep_an_answer_for_each_origin_whoever_asked_first() -> None:
    for headers in ({}, {"Origin": LISTED}, {"Origin": STRANGER}):
        answer = Client().get("/api/v1/products/", headers=headers)

        assert "origin" in answer["Vary"].lower().split(", ")


@pytest.mark.parametrize(
    "origin",
    [
        "https://app.example",
        "https://app.example:8443",
        "http://localhost:3000",
        "http://127.0.0.1:5173",
        "http://[::1]:3000",
    ],
)
def test_exact_origins_can_be_listed(monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
    config = load(monkeypatch, CORS_ALLOWED_ORIGINS=f"{origin}, https://other.example")

    assert config.cors_allowed_origins == [origin, "https://other.example"]


@pytest.mark.parametrize("profile", [Profile.PRODUCTION, Profile.DEVELOPMENT])
@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "app.example",
        "http://app.example",
        "https://app.example/",
        "https://app.example/path",
        "https://*.app.example",
        "https://App.example",
        "https://app.example:443",
        "http://localhost:80",
        "https://user@app.example",
        "capacitor://localhost",
    ],
)
def test_what_is_no_exact_origin_is_named(
    monkeypatch: pytest.MonkeyPatch, profile: Profile, origin: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match="CORS_ALLOWED_ORIGINS"):
        load(monkeypatch, profile, CORS_ALLOWED_ORIGINS=origin)


@pytest.mark.parametrize("name", ["API_ADDRESS_LIMIT", "API_PERSON_LIMIT", "API_APP_LIMIT"])
@pytest.mark.parametrize("value", ["4", "-1", "1000001", "many"])
def test_a_limit_that_is_none_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match=name):
        load(monkeypatch, **{name: value})
