"""No other site can have somebody's browser change anything: every address of shop and admin is tried.

A browser that is signed in sends its cookie along. What does not look at Django's token is listed here, and
refuses by other means: it reads no cookie, asks for the token itself, or believes the browser's own word for
where a form came from.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import resolve

from orders.models import Cart, Order
from site_config.accounts.models import User
from tests.factories import make_editor, make_product
from tests.security.addresses import Address, every_address

pytestmark = pytest.mark.django_db
EVIL = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
# Below these nothing but what a program knows opens anything: a token in a header, a code, a signature.
READ_NO_COOKIE = ("/_allauth/", "/identity/o/api/", "/checkout/webhook/")
# Django REST framework asks for the token itself, of whoever comes with a cookie.
ASK_THEMSELVES = ("/api/", "/admin/api/main/", "/admin/audio-files/")
# Apps post requests here too; what is asked is answered by a form of ours, which has the token.
ASK_FIRST = ("/identity/o/authorize", "/identity/o/logout", "/identity/o/device")
BY_ORIGIN = ("/cart/add/", "/checkout/free/")


@pytest.fixture
def victim() -> Client:
    """A superuser, whom nothing but the token can stop."""
    client = Client(enforce_csrf_checks=True)
    user = make_editor()
    User.objects.filter(pk=user.pk).update(is_superuser=True, is_staff=True)
    client.force_login(User.objects.get(pk=user.pk))
    return client


def said_no_for_want_of_a_token(response: Any) -> bool:
    names = [template.name for template in getattr(response, "templates", [])]
    return response.status_code == 403 and "403_csrf.html" in names


def token_of(client: Client) -> str:
    for path in ("/accounts/login/", "/accounts/logout/"):  # whichever has a form for this visitor
        client.get(path)
    return client.cookies["csrftoken"].value


def guarded() -> list[Address]:
    """Below /api/ a form for an address without a slash comes nowhere: its gate says 404."""
    return [
        address
        for address in every_address()
        if not address.is_exempt and not address.path.startswith("/api/")
    ]


def exempt() -> list[Address]:
    return [address for address in every_address() if address.is_exempt]


def test_every_form_is_refused_without_a_token(victim: Client) -> None:
    addresses = guarded()

    let_in = [
        one.path for one in addresses if not said_no_for_want_of_a_token(victim.post(one.path, {}))
    ]

    assert len(addresses) > 350
    assert let_in == []


@pytest.mark.wide
@pytest.mark.parametrize("method", ["put", "delete"])
def test_so_are_other_methods(victim: Client, method: str) -> None:
    let_in = [
        one.path
        for one in guarded()
        if not said_no_for_want_of_a_token(getattr(victim, method)(one.path))
    ]

    assert let_in == []


def test_a_token_is_no_help_to_another_origin(victim: Client) -> None:
    form = {"csrfmiddlewaretoken": token_of(victim)}

    let_in = [
        one.path
        for one in guarded()
        if not said_no_for_want_of_a_token(victim.post(one.path, form, headers=EVIL))
    ]

    assert let_in == []


def test_a_token_of_another_browser_is_none(victim: Client) -> None:
    victim.get("/accounts/logout/")
    form = {"csrfmiddlewaretoken": token_of(Client()), "login": "x"}

    assert said_no_for_want_of_a_token(victim.post("/accounts/logout/", form))


def test_what_is_exempt_is_listed_here() -> None:
    unlisted = [
        one.path
        for one in exempt()
        if not one.path.startswith((*READ_NO_COOKIE, *ASK_THEMSELVES, *ASK_FIRST, *BY_ORIGIN))
    ]

    assert unlisted == []


def test_what_asks_for_the_token_itself_refuses_a_cookie_alone(victim: Client) -> None:
    """404 and 405 are answers to a form that nobody takes."""
    let_in = []
    for one in exempt():
        if not one.path.startswith(ASK_THEMSELVES):
            continue
        response = victim.post(one.path, "{}", content_type="application/json", headers=EVIL)
        if response.status_code not in {400, 401, 403, 404, 405}:
            let_in.append((one.path, response.status_code))

    assert let_in == []


def test_what_reads_no_cookie_knows_nobody_by_one(victim: Client) -> None:
    let_in = []
    for one in exempt():
        if not one.path.startswith(READ_NO_COOKIE):
            continue
        response = victim.post(one.path, "{}", content_type="application/json", headers=EVIL)
        if response.status_code < 400:
            let_in.append((one.path, response.status_code))

    assert let_in == []


def test_no_app_is_let_in_and_nobody_is_signed_out_from_another_site(victim: Client) -> None:
    asked = {"request": "signed", "action": "grant", "scopes": "openid"}

    granted = victim.post("/identity/o/authorize", asked, headers=EVIL)
    left = victim.post("/identity/o/logout", {"action": "logout"}, headers=EVIL)

    assert granted.status_code == 403
    assert left.status_code == 200  # the question, once more
    assert victim.get("/accounts/profile/").status_code == 200


@pytest.mark.parametrize("path", BY_ORIGIN)
@pytest.mark.parametrize(
    "headers",
    [
        EVIL, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"}, {"Origin": "null"}, {},
        {"Origin": "https://testserver"}, {"Origin": "http://testserver.evil.example"},
    ],
)  # fmt: skip
def test_pages_that_all_share_have_forms_that_only_our_own_pages_send(
    victim: Client, path: str, headers: dict[str, str]
) -> None:
    product = make_product(price_pennies=0)
    assert getattr(resolve(path).func, "csrf_exempt", False)

    refused = victim.post(path, {"product": product.pk}, headers=headers)

    assert refused.status_code == 403
    assert not Cart.objects.exists()
    assert not Order.objects.exists()
