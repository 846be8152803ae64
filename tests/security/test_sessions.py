"""Whose session it is: nobody chooses it for somebody else, and nothing of it is left when it has ended.

That a new password ends the others, and that each can be ended from the list, is told of in
`site_config/tests/test_signed_in.py` and `test_app_sign_in.py`.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings as shop
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from tests.factories import make_editor, make_product, make_user
from tests.signing_in import sign_in

pytestmark = pytest.mark.django_db
CHOSEN = "chosen0by0somebody0else000000000"


def key_of(client: Client) -> str:
    return str(client.cookies[shop.SESSION_COOKIE_NAME].value)


def with_key(key: str) -> Client:
    client = Client()
    client.cookies[shop.SESSION_COOKIE_NAME] = key
    return client


def who_is(client: Client) -> str:
    """The address that the profile page shows; "" for nobody."""
    page = client.get(reverse("profile"))
    return str(page.context["user"].email) if page.status_code == 200 else ""


def test_a_key_that_somebody_else_chose_is_not_taken() -> None:
    user, victim = make_user(), with_key(CHOSEN)

    sign_in(victim, user.email)

    assert key_of(victim) != CHOSEN
    assert who_is(victim) == user.email
    assert who_is(with_key(CHOSEN)) == ""


def test_a_key_that_was_known_before_the_sign_in_opens_nothing_after_it() -> None:
    user, product, browser = make_user(), make_product(), Client()
    browser.post(reverse("orders:cart_add"), {"product": product.pk})
    known = key_of(browser)

    sign_in(browser, user.email)

    assert key_of(browser) != known
    assert who_is(with_key(known)) == ""
    assert not Session.objects.filter(session_key=known).exists()
    assert product.title in browser.get(reverse("orders:cart")).content.decode()


def test_the_token_of_forms_is_another_one_after_the_sign_in() -> None:
    user, browser = make_user(), Client()
    browser.get(reverse("account_login"))
    before = browser.cookies["csrftoken"].value

    sign_in(browser, user.email)
    browser.get(reverse("orders:cart"))

    assert browser.cookies["csrftoken"].value != before


def test_somebody_else_who_signs_in_there_finds_nothing_of_the_first() -> None:
    first, second, browser = make_user(), make_user(), Client()
    sign_in(browser, first.email)
    key = key_of(browser)

    browser.post(reverse("account_logout"))
    sign_in(browser, second.email)

    assert who_is(browser) == second.email
    assert key_of(browser) != key
    assert who_is(with_key(key)) == ""


@pytest.mark.parametrize("way_out", ["account_logout", "wagtailadmin_logout", "admin:logout"])
def test_signing_out_ends_the_session_in_shop_and_admin(way_out: str) -> None:
    editor, browser = make_editor(), Client()
    browser.force_login(editor)
    key = key_of(browser)
    assert browser.get("/admin/").status_code == 200

    out = browser.post(reverse(way_out))

    assert out["Clear-Site-Data"] == '"storage"', "what the player kept in the tab"
    for client in (browser, with_key(key)):
        assert who_is(client) == ""
        assert client.get("/admin/").status_code == 302
    assert not Session.objects.filter(session_key=key).exists()


@pytest.mark.parametrize("way_out", ["account_logout", "wagtailadmin_logout", "admin:logout"])
def test_a_link_or_a_picture_signs_nobody_out(way_out: str) -> None:
    editor, browser = make_editor(), Client()
    browser.force_login(editor)

    browser.get(reverse(way_out))

    assert who_is(browser) == editor.email


def test_an_account_that_is_switched_off_is_out_at_once() -> None:
    user, browser = make_user(), Client()
    sign_in(browser, user.email)

    type(user).objects.filter(pk=user.pk).update(is_active=False)

    assert who_is(browser) == ""


@pytest.mark.parametrize("is_https", [True, False])
def test_cookies_are_for_this_shop_and_no_script_reads_the_session(
    settings: Any, is_https: bool
) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = is_https
    browser = Client()
    browser.get(reverse("account_login"), secure=is_https)

    sign_in(browser, make_user().email)

    for name in (shop.SESSION_COOKIE_NAME, "csrftoken"):
        cookie = browser.cookies[name]
        assert (cookie["samesite"], cookie["path"], cookie["domain"]) == ("Lax", "/", "")
        assert bool(cookie["secure"]) == is_https
    assert browser.cookies[shop.SESSION_COOKIE_NAME]["httponly"]


def test_what_a_page_sets_for_a_guest_is_nothing() -> None:
    product = make_product()

    for path in ("/", "/catalog/", product.url, "/cart/", "/healthz/", "/api/v1/products/"):
        assert shop.SESSION_COOKIE_NAME not in Client().get(path).cookies
