"""Whatever says where to go next leads nowhere but into the shop, read as browsers read it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import PASSWORD, make_editor, make_product, make_user
from tests.signing_in import sign_in

pytestmark = pytest.mark.django_db
HOME = "http://testserver/somewhere/"
EVIL = [
    "https://evil.example/", "http://evil.example", "//evil.example", "///evil.example/", "////evil.example",
    "/\\evil.example", "\\\\evil.example", "/\\/evil.example", "https:evil.example", "https:/evil.example",
    "http:///evil.example", "\t//evil.example", "/\t/evil.example", "\n//evil.example", "\x08//evil.example",
    "https://testserver@evil.example/", "https://testserver.evil.example/", "//evil.example\\@testserver/",
    "https://evil.example#@testserver/", "ftp://testserver/", "javascript:alert(1)", "JaVa\tScRiPt:alert(1)",
    "data:text/html,<script>alert(1)</script>", "vbscript:x", "%2f%2fevil.example", "%5c%5cevil.example",
    "/%09/evil.example", "//evil%E3%80%82example", "＼＼evil.example", "/accounts/login/?next=//evil.example",
]  # fmt: skip


def where(location: str) -> str:
    """The origin that a browser goes to (WHATWG URL: controls and spaces around it, tabs and line ends inside
    it are nothing, and a backslash is a slash)."""
    text = re.sub(r"[\t\n\r]", "", location.strip("".join(map(chr, range(33)))))
    if re.match(
        r"(?i)https?:(?!//[^/\\])", text
    ):  # whatever slashes follow a special scheme, a host does
        text = re.sub(r"(?i)^(https?):[/\\]*", r"\1://", text)
    text = re.sub(r"^[/\\]{2,}", "//", text.replace("\\", "/"))
    parts = urlsplit(urljoin(HOME, text))
    return f"{parts.scheme}://{parts.netloc}"


@pytest.mark.parametrize(
    ("location", "origin"),
    [
        ("/cart/", "http://testserver"),
        ("?page=2", "http://testserver"),
        ("/\\evil.example", "http://evil.example"),
        ("\t/\t/evil.example", "http://evil.example"),
        ("https:evil.example", "https://evil.example"),
    ],
)
def test_where_an_address_leads_is_read_as_browsers_do(location: str, origin: str) -> None:
    assert where(location) == origin


def stays_here(response: Any) -> bool:
    """No redirect leads away, nor does a link or form of the page that is shown instead."""
    if response.status_code in {301, 302, 303, 307, 308}:
        return where(response["Location"]) == "http://testserver"
    named = re.findall(r'(?:href|action|content)="([^"]*evil[^"]*)"', response.content.decode())
    return all(where(address) == "http://testserver" for address in named)


def signing_in(wanted: str) -> Any:
    user, form = make_user(), {"next": wanted}
    client = Client()
    client.get(reverse("account_login"), form)
    return client.post(
        reverse("account_login"), {"login": user.email, "password": PASSWORD, **form}
    )


def signed_in_already(wanted: str) -> Any:
    client = Client()
    sign_in(client, make_user().email)
    return client.get(reverse("account_login"), {"next": wanted})


def signing_out(wanted: str) -> Any:
    client = Client()
    sign_in(client, make_user().email)
    return client.post(reverse("account_logout"), {"next": wanted})


def password_again(wanted: str) -> Any:
    client = Client()
    sign_in(client, make_user().email)
    return client.post(reverse("account_reauthenticate"), {"password": PASSWORD, "next": wanted})


def staff(path: str) -> Callable[[str], Any]:
    def asked(wanted: str) -> Any:
        client = Client()
        client.force_login(make_editor())
        return client.get(path, {"next": wanted})

    return asked


def staff_form(name: str) -> Callable[[str], Any]:
    def sent(wanted: str) -> Any:
        client, page = Client(), make_product("Wares")
        client.force_login(make_editor())
        address = reverse(name, args=[page.pk])
        return client.post(f"{address}?{urlencode({'next': wanted})}", {"next": wanted})

    return sent


def staff_bulk(wanted: str) -> Any:
    client, page = Client(), make_product("Wares")
    client.force_login(make_editor())
    address = reverse("wagtail_bulk_action", args=["wagtailcore", "page", "unpublish"])
    return client.post(f"{address}?{urlencode({'id': page.pk, 'next': wanted})}")


WAYS: dict[str, Callable[[str], Any]] = {
    "sign-in": signing_in,
    "signed in already": signed_in_already,
    "sign-out": signing_out,
    "password again": password_again,
    "sign-up": lambda wanted: Client().get(reverse("account_signup"), {"next": wanted}),
    "the admin's sign-in": staff("/admin/login/"),
    "the other admin's": staff("/django-admin/login/"),
    "a page's unpublishing": staff_form("wagtailadmin_pages:unpublish"),
    "a page's deletion": staff_form("wagtailadmin_pages:delete"),
    "a bulk action": staff_bulk,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("wanted", EVIL)
def test_where_to_go_next_is_in_the_shop(way: str, wanted: str) -> None:
    response = WAYS[way](wanted)

    assert response.status_code in {200, 302, 400}
    assert stays_here(response)


@pytest.mark.parametrize("way", ["sign-in", "the admin's sign-in"])
def test_an_address_in_the_shop_is_followed(way: str) -> None:
    assert WAYS[way]("/admin/reports/")["Location"] == "/admin/reports/"


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example", "//evil.example/catalog", "/\\evil.example", "///evil.example/%2e%2e",
        "/%2fevil.example", "/%5cevil.example", "/%0d%0aLocation:%20https://evil.example",
        "/catalog//evil.example", "/accounts/login?next=//evil.example", "/purchases/?next=//evil.example",
    ],
)  # fmt: skip
def test_no_path_makes_a_redirect_that_leaves(path: str) -> None:
    response = Client().get(
        "/", PATH_INFO=path.partition("?")[0], QUERY_STRING=path.partition("?")[2]
    )

    assert "\n" not in response.get("Location", "")
    if "Location" in response:
        assert where(response["Location"]) == "http://testserver"
