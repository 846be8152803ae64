"""Wapiti attacks the shop as it runs in production, and finds nothing: `make prove ARGS="-k scanner"`.

Three visitors: nobody, somebody with a cart, and a buyer who is signed in. It asks this machine alone, and so
it goes without what needs others: fingerprints and lists from the internet (`wapp`, `htp`, `cms`, `wp_enum`,
`network_device`, `nikto`), names (`takeover`, `log4shell`), and TLS, which is nginx's (`ssl`,
`https_redirect`). Guessing passwords (`brute_login_form`) is tried in `tests/test_accounts.py`.
Limits that a setting knows are off: attacks that are refused for their number would prove nothing. Each
module has WAPITI_SECONDS.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from catalog_pages.legal import legal_publish
from catalog_pages.models import Genre, LegalText, ProductPage
from tests.audits.shop import LEFT_OUT, production_shop
from tests.e2e.shop_world import real_asset
from tests.factories import buy, make_bundle, make_product, make_user
from tests.prove.wapiti import Scan, scan
from tests.servers import Server
from tests.signing_in import sign_in

pytestmark = [pytest.mark.prove, pytest.mark.django_db(transaction=True)]
MODULES = (
    "cookieflags", "csp", "csrf", "http_headers", "methods", "htaccess", "backup",
    "exec", "file", "sql", "timesql", "ldap", "xss", "permanentxss", "crlf", "redirect", "ssrf", "xxe",
    "upload", "shellshock", "spring4shell", "buster",
)  # fmt: skip
NO_LIMITS = {
    "SEARCH_LIMIT": "0",
    **{f"API_{who}_LIMIT": "1000000" for who in ("ADDRESS", "PERSON", "APP")},
}
Visitor = Callable[[list[ProductPage]], Client]
# What would end the visit: signing out, and closing the account.
ENDING = ("/accounts/logout/", "/accounts/close/*")
# Lists lead to lists of the same view without end; START has one with everything that can be chosen.
AGAIN = (
    "/catalog/*price=1*", "/catalog/*price=free*", "/catalog/*artist=*", "/catalog/*sort=-*",
    "/catalog/genres/*?*", "/catalog/artists/*?*",
)  # fmt: skip


START = (
    "/catalog/?q=sea",
    "/catalog/?genre=ambient&format=FLAC&price=500-1000&year=2026&sort=price&page=1",
    "/cart/", "/gifts/", "/purchases/",
    "/purchases/find/", "/orders/", "/legal/terms/", "/fragments/search/?q=sea", "/sitemap.xml?part=1",
    "/accounts/login/?next=/cart/", "/accounts/signup/", "/accounts/profile/", "/accounts/data/",
    "/checkout/success/?session_id=cs_test", "/api/v1/products/?q=sea", "/admin/login/?next=/admin/",
    "/identity/o/authorize?client_id=x&redirect_uri=x&state=x&scope=openid&response_type=code",
)  # fmt: skip


# What it says, and why it is as it should be.
EXPLAINED = {
    "Secure flag is not set": "This shop speaks HTTP; by HTTPS it is set: `tests/delivery/test_nginx.py`.",
    "HttpOnly flag is not set in the cookie : csrftoken": "Our scripts send it back: that is what it is for.",
    # Pages that all share hold no token; the browser's word for where a form came from stands in for it.
    "POST /cart/add/ : Lack of anti CSRF token": "`tests/security/test_csrf.py`",
    "POST /checkout/free/ : Lack of anti CSRF token": "`tests/security/test_csrf.py`",
}


@contextmanager
def endpoint() -> Iterator[tuple[str, list[str]]]:
    """Where a shop would call that can be talked into calling: an empty book, and who came."""
    came: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({}).encode()
            if not self.path.startswith(("/get_ssrf.php", "/get_xxe.php")) and self.path != "/":
                came.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_PUT = do_HEAD = do_GET  # noqa: N815

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=[0.05], daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", came
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def shop_without_limits(folder: Path) -> AbstractContextManager[Server]:
    """With the static files of the API's docs, which a guest may read."""
    left_out = tuple(name for name in LEFT_OUT if name != "drf*")
    return production_shop(folder, left_out=left_out, **NO_LIMITS)


@pytest.fixture
def products(tmp_path: Path) -> list[ProductPage]:
    """A page of each kind: with a file that plays, free, pay what you like, and a bundle."""
    text, _ = LegalText.objects.get_or_create(kind="terms")
    text.draft = "<p>What we sell is yours.</p>"
    legal_publish(text=text, by=None)
    genre = Genre.objects.create(name="Ambient")
    paid = make_product("The sea wall", assets=[real_asset(tmp_path)], genre=genre)
    free = make_product("Low tide", price_pennies=0, genre=genre)
    return [paid, free, make_bundle("Everything so far", paid, free)]


def nobody(products: list[ProductPage]) -> Client:
    return Client()


def somebody_with_a_cart(products: list[ProductPage]) -> Client:
    client = Client()
    client.post(reverse("orders:cart_add"), {"product": products[0].pk})
    return client


def a_buyer(products: list[ProductPage]) -> Client:
    client, user = Client(), make_user("ada@example.com")
    sign_in(client, user.email)
    buy(client, user, products[0])
    client.post(reverse("orders:cart_add"), {"product": products[2].pk})
    return client


@pytest.mark.parametrize("visitor", [nobody, somebody_with_a_cart, a_buyer])
def test_a_scanner_finds_nothing(
    products: list[ProductPage],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    visitor: Visitor,
) -> None:
    client = visitor(products)
    # One token for all forms, as in a browser: several requests at once would each be given another.
    for path in ("/accounts/login/", "/accounts/logout/"):
        client.get(path)
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}

    with endpoint() as (url, came), shop_without_limits(tmp_path) as shop:
        found = attacked(shop, tmp_path / "wapiti", url, cookies)

    with capsys.disabled():
        print(f"\n{visitor.__name__}: {found.pages} pages and forms")
    assert found.pages >= 20
    assert came == []
    assert unexplained(found.findings) == []


def unexplained(findings: dict[str, list[str]]) -> list[str]:
    return [
        f"{kind}: {line}"
        for kind, lines in findings.items()
        for line in lines
        if not any(known in line for known in EXPLAINED)
    ]


def attacked(shop: Server, folder: Path, endpoint_url: str, cookies: dict[str, str]) -> Scan:
    return scan(
        shop.url,
        folder,
        modules=MODULES,
        endpoint=endpoint_url,
        start=START,
        leave_out=(*ENDING, *AGAIN),
        cookies=cookies,
    )
