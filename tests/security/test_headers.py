"""Whatever the shop answers, and whoever in it does, tells browsers what they may do with it.

What no test client can ask for is asked of servers elsewhere: nginx's own answers (`tests/delivery`), and
what never reaches Django (`tests/test_web_worker.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from csp.utils import build_policy
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.test import Client
from django.urls import reverse

from catalog_pages.models import ShopSettings
from catalog_pages.theme import digest_of
from downloads.models import UserAsset
from site_config import page_cache
from site_config.file_policy import FILE_POLICY
from tests.factories import buy, make_asset, make_editor, make_product, make_user

pytestmark = pytest.mark.django_db
PAGE, ADMIN, FILE = "page", "admin", "file"
# Directives that no answer of the kind may lack, as they are written there.
POLICIES = {
    PAGE: {
        "default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'self'",
        "form-action 'self'",
    },
    ADMIN: {
        "default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'self'",
        "form-action 'self'",
    },
    FILE: {
        "default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
        "sandbox allow-same-origin allow-downloads",
    },
}  # fmt: skip
OWN, SHARED = "same-origin", "cross-origin"


@dataclass
class Shop:
    """One product that somebody has bought; `buyer` and `editor` are signed in, `guest` is nobody."""

    guest: Client
    buyer: Client
    editor: Client
    slug: str
    file: str
    archive: str
    picture: str


@pytest.fixture
def shop(settings: Any) -> Iterator[Shop]:
    settings.PAGE_CACHE_BYTES = 1024 * 1024
    ShopSettings.load()
    product = make_product("Harbour Lights", assets=[make_asset(b"x" * 1000)])
    user, buyer, editor = make_user(), Client(), Client()
    buy(buyer, user, product)
    buyer.force_login(user)
    editor.force_login(make_editor())
    grant = UserAsset.objects.get()
    picture = storages["public"].save("images/harbour.png", ContentFile(b"\x89PNG"))
    yield Shop(
        Client(raise_request_exception=False),
        buyer,
        editor,
        product.slug,
        reverse("downloads:file", args=[grant.pk]),
        reverse("downloads:archive", args=[grant.pk, "order"]),
        f"/media/{picture}",
    )
    storages["public"].delete(picture)
    page_cache.pages.clear()


def kept(shop: Shop) -> Any:
    shop.guest.get("/")
    return shop.guest.get("/")


def unchanged(shop: Shop) -> Any:
    return shop.guest.get("/", headers={"If-None-Match": shop.guest.get("/")["ETag"]})


def file_unchanged(shop: Shop) -> Any:
    return shop.buyer.get(shop.file, headers={"If-None-Match": shop.buyer.get(shop.file)["ETag"]})


def schema_unchanged(shop: Shop) -> Any:
    tag = shop.guest.get("/api/schema/")["ETag"]
    return shop.guest.get("/api/schema/", headers={"If-None-Match": tag})


def without_a_token(shop: Shop) -> Any:
    return Client(enforce_csrf_checks=True).post("/cart/add/", {"product": "1"})


def searched_without_end(shop: Shop) -> Any:
    answers = [shop.guest.get("/catalog/", {"q": f"made up {n}"}) for n in range(11)]
    return answers[-1]


def suggested_without_end(shop: Shop) -> Any:
    answers = [shop.guest.get("/fragments/search/", {"q": f"made up {n}"}) for n in range(51)]
    return answers[-1]


Ask = Callable[[Shop], Any]
ANSWERS: list[tuple[str, int, str, str, Ask]] = [
    ("a page", 200, PAGE, OWN, lambda shop: shop.guest.get(f"/catalog/{shop.slug}/")),
    ("a kept page", 200, PAGE, OWN, kept),
    ("a page that holds", 304, PAGE, OWN, unchanged),
    ("a page's head", 200, PAGE, OWN, lambda shop: shop.guest.head("/catalog/")),
    ("a personal page", 200, PAGE, OWN, lambda shop: shop.buyer.get("/purchases/")),
    ("a form", 200, PAGE, OWN, lambda shop: shop.guest.get("/accounts/login/")),
    ("a fragment", 200, PAGE, OWN, lambda shop: shop.guest.get("/fragments/header/")),
    ("suggestions", 200, PAGE, OWN, lambda shop: shop.guest.get("/fragments/search/?q=harb")),
    ("a redirect", 302, PAGE, OWN, lambda shop: shop.guest.get("/favicon.ico")),
    ("a redirect to the slash", 301, PAGE, OWN, lambda shop: shop.guest.get("/catalog")),
    ("the admin", 200, ADMIN, OWN, lambda shop: shop.editor.get("/admin/")),
    ("the admin, refused", 302, ADMIN, OWN, lambda shop: shop.guest.get("/admin/")),
    ("the admin's JSON", 200, FILE, OWN, lambda shop: shop.editor.get("/admin/jsi18n/")),
    ("another host", 400, PAGE, OWN, lambda shop: shop.guest.get("/cart/", HTTP_HOST="evil.example")),
    ("another host's kept page", 400, PAGE, OWN, lambda shop: shop.guest.get("/", HTTP_HOST="evil.example")),
    ("no token", 403, PAGE, OWN, without_a_token),
    ("no page", 404, PAGE, OWN, lambda shop: shop.guest.get("/nothing/here/")),
    ("no such method", 405, PAGE, OWN, lambda shop: shop.guest.put("/robots.txt")),
    ("many searches", 429, PAGE, OWN, searched_without_end),
    ("many suggestions", 429, FILE, OWN, suggested_without_end),
    ("a fault", 500, PAGE, OWN, lambda shop: shop.guest.get("/breaks/")),
    ("the API", 200, FILE, OWN, lambda shop: shop.guest.get("/api/v1/products/")),
    ("the API, no sign-in", 401, FILE, OWN, lambda shop: shop.guest.get("/api/v1/me/")),
    ("the API, nothing", 404, FILE, OWN, lambda shop: shop.guest.get("/api/v1/none/")),
    ("the API, no such method", 405, FILE, OWN, lambda shop: shop.guest.put("/api/v1/products/")),
    ("the API, too large", 413, FILE, OWN, lambda shop: shop.guest.post(
        "/api/v1/carts/", "x" * 3_000_000, content_type="application/json")),
    ("the API's description", 200, FILE, OWN, lambda shop: shop.guest.get("/api/schema/")),
    ("the description holds", 304, FILE, OWN, schema_unchanged),
    ("the API's docs", 200, PAGE, OWN, lambda shop: shop.guest.get("/api/docs/")),
    ("an app's sign-in", 401, FILE, OWN, lambda shop: shop.guest.get("/_allauth/app/v1/auth/session")),
    ("keys", 200, FILE, OWN, lambda shop: shop.guest.get("/.well-known/jwks.json")),
    ("a stylesheet", 200, FILE, OWN, lambda shop: shop.guest.get("/static/shop/base.css")),
    ("a script", 200, FILE, OWN, lambda shop: shop.guest.get("/static/shop/player.js")),
    ("a drawing", 200, FILE, OWN, lambda shop: shop.guest.get("/static/shop/icons.svg")),
    ("a colour", 200, FILE, OWN, lambda shop: shop.guest.get(the_colour())),
    ("no static file", 404, PAGE, OWN, lambda shop: shop.guest.get("/static/shop/none.css")),
    ("the feed", 200, FILE, OWN, lambda shop: shop.guest.get("/catalog/new.atom")),
    ("the sitemap", 200, FILE, OWN, lambda shop: shop.guest.get("/sitemap.xml")),
    ("robots.txt", 200, FILE, OWN, lambda shop: shop.guest.get("/robots.txt")),
    ("the webhook, unsigned", 400, FILE, OWN, lambda shop: shop.guest.post("/checkout/webhook/")),
    ("a probe", 200, FILE, OWN, lambda shop: shop.guest.get("/healthz/")),
    ("the other probe", 200, FILE, OWN, lambda shop: shop.guest.get("/readyz/")),
    ("a probe that takes no form", 405, PAGE, OWN, lambda shop: shop.guest.post("/healthz/")),
    ("a picture", 200, FILE, SHARED, lambda shop: shop.guest.get(shop.picture)),
    ("no picture", 404, PAGE, SHARED, lambda shop: shop.guest.get("/media/images/none.png")),
    ("a download", 200, FILE, SHARED, lambda shop: shop.buyer.get(shop.file)),
    ("a part", 206, FILE, SHARED, lambda shop: shop.buyer.get(shop.file, headers={"Range": "bytes=0-9"})),
    ("beyond the end", 416, FILE, SHARED, lambda shop: shop.buyer.get(
        shop.file, headers={"Range": "bytes=9000-"})),
    ("a download that holds", 304, FILE, SHARED, file_unchanged),
    ("an archive", 200, FILE, SHARED, lambda shop: shop.buyer.get(shop.archive)),
    ("nobody's download", 302, PAGE, SHARED, lambda shop: shop.guest.get(shop.file)),
]  # fmt: skip


def the_colour() -> str:
    return reverse("shop_theme", args=["204060", digest_of("#204060")])


@pytest.mark.parametrize(
    ("status", "kind", "resource", "ask"),
    [pytest.param(*case[1:], id=case[0]) for case in ANSWERS],
)
def test_every_kind_of_answer_has_every_header(
    shop: Shop, settings: Any, status: int, kind: str, resource: str, ask: Ask
) -> None:
    settings.SEARCH_LIMIT = 10
    settings.ROOT_URLCONF = "tests.security.urls"

    answer = ask(shop)

    assert answer.status_code == status
    policy = set(answer["Content-Security-Policy"].split("; "))
    assert policy >= POLICIES[kind]
    assert ("unsafe-inline" in str(policy - {"style-src 'unsafe-inline'"})) == (kind == ADMIN)
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["Cross-Origin-Resource-Policy"] == resource
    assert "camera=()" in answer["Permissions-Policy"]
    assert "autoplay=(self)" in answer["Permissions-Policy"]
    assert "Server" not in answer
    assert "X-Powered-By" not in answer
    answer.close()


@pytest.mark.parametrize(
    "path", ["/", "/healthz/", "/readyz/", "/static/shop/base.css", "/api/v1/none/", "/nothing/"]
)
def test_by_https_every_answer_keeps_browsers_there(settings: Any, path: str) -> None:
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = True

    by_https, by_http = Client().get(path, secure=True), Client().get(path)

    kept = "max-age=31536000; includeSubDomains; preload"
    assert by_https["Strict-Transport-Security"] == kept
    assert "Strict-Transport-Security" not in by_http  # RFC 6797, section 7.2


@pytest.mark.parametrize("name", ["docs/nginx.conf", "deploy/proxy/nginx.conf"])
def test_nginx_says_of_files_what_the_shop_says(settings: Any, name: str) -> None:
    text = (settings.BASE_DIR / name).read_text()

    (policy,) = re.findall(
        r'map \$upstream_http_content_security_policy .*?"" +"([^"]+)"', text, re.DOTALL
    )

    assert set(policy.split("; ")) == set(build_policy(config=FILE_POLICY).split("; "))
