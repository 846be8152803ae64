"""docs/nginx.conf as it stands: what it lets in, what it keeps out, and what it tells the shop."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings

from tests import servers
from tests.delivery.asking import Answer, ask
from tests.delivery.conftest import CONTENT, Bought
from tests.servers import Server

STATIC = {"app.0123456789ab.css": "body{}", "app.css": "p{}", "app.svg": "<svg/>"}
SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload",
}


@dataclass(frozen=True)
class SecureShop:
    """The whole example: TLS, static files from nginx, and a shop that insists on HTTPS."""

    front: Server
    behind: Server

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        return ask(f"https://127.0.0.1:{self.front.port}{path}", method, **headers)


@pytest.fixture(scope="module")
def secure(bought: Bought, var_dir: Path) -> Iterator[SecureShop]:
    env = servers.shop_environment(
        var_dir / "secure",
        SITE_BASE_URL="https://127.0.0.1",
        CORS_ALLOWED_ORIGINS="https://app.example",
        PROTECTED_ACCEL_REDIRECT="/protected/",
        TRUSTED_PROXY="1",
    )
    static = var_dir / "static-files"
    static.mkdir()
    for name, content in STATIC.items():
        (static / name).write_text(content)
    with (
        servers.gunicorn(env) as behind,
        servers.nginx(
            var_dir / "secure-nginx",
            behind.port,
            settings.PROTECTED_MEDIA_ROOT,
            static_root=static,
            certificate=a_certificate(var_dir),
        ) as front,
    ):
        yield SecureShop(front, behind)


def a_certificate(folder: Path) -> tuple[Path, Path]:
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return certificate, key


@pytest.mark.parametrize("path", ["/protected/{key}", "/protected/../protected/{key}"])
def test_nobody_asks_nginx_for_a_paid_file(nginx_shop: Server, bought: Bought, path: str) -> None:
    answer = ask(nginx_shop.url + path.format(key=bought.small.file.name))

    assert answer.status == 404
    assert CONTENT[:100] not in answer.body


def test_a_visitor_cannot_send_nginx_to_a_file_by_a_header(
    nginx_shop: Server, bought: Bought
) -> None:
    answer = ask(
        nginx_shop.url + "/catalog/", X_Accel_Redirect=f"/protected/{bought.small.file.name}"
    )

    assert answer.status == 200
    assert CONTENT[:100] not in answer.body


def test_the_shop_knows_that_it_is_reached_by_https(secure: SecureShop) -> None:
    page = secure.ask("/catalog/")

    assert page.status == 200  # and no redirect to where it is already
    assert page.headers["Strict-Transport-Security"]


def test_without_https_the_shop_sends_people_there(secure: SecureShop) -> None:
    claimed = ask(secure.behind.url + "/catalog/")

    assert claimed.status == 301
    assert claimed.headers["Location"].startswith("https://")


def test_a_visitor_cannot_claim_another_scheme_or_host(secure: SecureShop) -> None:
    page = secure.ask("/accounts/login/", X_Forwarded_Proto="http", X_Forwarded_Host="evil.example")

    assert page.status == 200
    assert b"evil.example" not in page.body


def test_a_file_by_https_says_what_pages_say(secure: SecureShop, bought: Bought) -> None:
    answer = secure.ask(bought.path)

    exact = answer.body == CONTENT
    assert exact
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Strict-Transport-Security"]
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["X-Accel-Redirect"] is None


@pytest.mark.parametrize(
    ("path", "status", "is_file"),
    [
        ("/static/app.svg", 200, True), ("/static/none.css", 404, True), ("/protected/none", 404, True),
        ("/catalog/", 200, False), ("/nothing/", 404, False), ("/healthz/", 200, True),
        ("/api/v1/none/", 404, True),
    ],
)  # fmt: skip
def test_whoever_answers_says_each_header_once(
    secure: SecureShop, path: str, status: int, is_file: bool
) -> None:
    answer = secure.ask(path)

    assert answer.status == status
    for name, value in SAFE.items():
        assert answer.headers.get_all(name) == [value]
    (policy,) = answer.headers.get_all("Content-Security-Policy") or []
    parts = policy.split("; ")  # in no order
    assert any(part.startswith("sandbox") for part in parts) == is_file
    assert ("default-src 'none'" if is_file else "default-src 'self'") in parts


def test_cookies_travel_by_https_alone(secure: SecureShop) -> None:
    given = secure.ask("/accounts/login/").headers.get_all("Set-Cookie") or []

    assert [cookie.partition("=")[0] for cookie in given] == ["csrftoken"]
    parts = given[0].split("; ")
    assert {"Secure", "SameSite=Lax", "Path=/"} <= set(parts)
    assert not [part for part in parts if part.lower().startswith("domain")]


def test_what_is_too_large_for_nginx_is_refused_with_headers_too(secure: SecureShop) -> None:
    url = f"https://127.0.0.1:{secure.front.port}/cart/"

    refused = ask(url, "POST", body=bytes(3 * 1024 * 1024))

    assert refused.status == 413
    assert {name: refused.headers[name] for name in SAFE} == SAFE


def test_a_web_app_of_another_origin_may_read_a_file_that_nginx_sends(
    secure: SecureShop, bought: Bought
) -> None:
    answer = secure.ask(bought.path, Origin="https://app.example")
    other = secure.ask(bought.path, Origin="https://evil.example")

    assert answer.status == other.status == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert "Repr-Digest" in str(answer.headers["Access-Control-Expose-Headers"])
    assert "origin" in str(answer.headers["Vary"]).lower()
    assert other.headers["Access-Control-Allow-Origin"] is None
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_audio_is_never_compressed(nginx_shop: Server, bought: Bought) -> None:
    answer = ask(nginx_shop.url + bought.path, Accept_Encoding="gzip, br")

    assert answer.headers["Content-Encoding"] is None
    assert answer.length == len(CONTENT)


@pytest.mark.parametrize(
    ("name", "lifetime"),
    [
        ("app.0123456789ab.css", "public, max-age=31536000, immutable"),
        ("app.css", "public, max-age=60"),
    ],
)
def test_static_files_come_from_nginx(secure: SecureShop, name: str, lifetime: str) -> None:
    answer = secure.ask(f"/static/{name}")

    assert (answer.status, answer.body.decode()) == (200, STATIC[name])
    assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
    assert answer.headers["Cache-Control"] == lifetime


@pytest.mark.parametrize(
    ("path", "size_mb", "is_let_in"),
    [("/cart/", 3, False), ("/admin/", 20, True), ("/admin/", 25, False)],
)
def test_only_staff_send_large_pieces(
    nginx_shop: Server, path: str, size_mb: int, is_let_in: bool
) -> None:
    answer = ask(nginx_shop.url + path, "POST", body=bytes(size_mb * 1024 * 1024))

    assert (answer.status != 413) == is_let_in


def test_more_ranges_than_the_shop_allows_bring_the_whole_file(
    nginx_shop: Server, bought: Bought
) -> None:
    many = ",".join(f"{n}-{n}" for n in range(0, 34, 2))

    answer = ask(nginx_shop.url + bought.path, Range=f"bytes={many}")

    assert (answer.status, answer.length) == (200, len(CONTENT))


def test_a_shop_that_is_being_updated_says_when_it_is_back(bought: Bought, var_dir: Path) -> None:
    env = servers.shop_environment(var_dir / "updated")
    with servers.gunicorn(env) as behind:
        gone = behind.port
    with servers.nginx(var_dir / "closed", gone, settings.PROTECTED_MEDIA_ROOT) as front:
        answer = ask(front.url + "/catalog/")

    assert answer.status == 503
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Retry-After"] == "30"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Please try again" in answer.body.decode()
