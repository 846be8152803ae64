"""A partner's program on a computer: sign-in and consent in a real browser, and a token at the end."""

from __future__ import annotations

import json
import os
import re
from queue import Queue
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from django.contrib.auth.models import Group
from playwright.sync_api import Page, expect

from store_api.clients.roles import PARTNER_APPS, ensure_partner_role
from store_api.scopes import Scope
from tests.e2e.conftest import DESKTOP, ContextMaker
from tests.factories import PASSWORD, make_product, make_user
from tests.partners import AUTHORIZE, TOKEN, asking, make_partner, pkce

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def shot(page: Page, name: str) -> None:
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def sign_in(page: Page, email: str) -> None:
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("main form button[type=submit]").first.click()


def fetch(url: str, body: dict[str, str] | None = None, token: str = "") -> Any:
    data = urlencode(body).encode() if body else None
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with urlopen(Request(url, data=data, headers=headers)) as answer:
        return json.load(answer)


def test_a_person_lets_a_program_in_and_it_reads_the_catalogue(
    new_context: ContextMaker, shop_url: str, receiver: tuple[str, Queue[dict[str, str]]]
) -> None:
    address, arrived = receiver
    make_product("Tidewater")
    person = make_user()
    partner = make_partner(public=True, redirects=["http://127.0.0.1/done"])
    verifier, challenge = pkce()
    scopes = f"openid email {Scope.CATALOG_READ} {Scope.ORDERS_READ}"
    page = new_context().new_page()

    page.goto(
        f"{AUTHORIZE}?{urlencode(asking(partner, challenge, redirect_uri=address, scope=scopes))}"
    )
    sign_in(page, person.email)
    expect(page.get_by_role("heading", name="Allow “Needle Drop”?")).to_be_visible()
    shot(page, "consent")
    page.get_by_role("button", name="Allow", exact=True).click()
    page.wait_for_url(re.compile(re.escape(address)))

    back = arrived.get(timeout=15)
    assert back["state"] == "a-state"
    body = {
        "grant_type": "authorization_code",
        "client_id": partner.pk,
        "code": back["code"],
        "redirect_uri": address,
        "code_verifier": verifier,
    }
    tokens = fetch(f"{shop_url}{TOKEN}", body)
    products = fetch(f"{shop_url}/api/v1/products/", token=tokens["access_token"])
    assert [product["title"] for product in products["results"]] == ["Tidewater"]


def test_a_person_says_no(
    new_context: ContextMaker, shop_url: str, receiver: tuple[str, Queue[dict[str, str]]]
) -> None:
    address, arrived = receiver
    partner = make_partner(public=True, redirects=["http://127.0.0.1/done"])
    page = new_context(size=DESKTOP).new_page()

    page.goto(f"{AUTHORIZE}?{urlencode(asking(partner, pkce()[1], redirect_uri=address))}")
    sign_in(page, make_user().email)
    shot(page, "consent-desktop")
    page.get_by_role("button", name="Do not allow").click()
    page.wait_for_url(re.compile(re.escape(address)))

    assert arrived.get(timeout=15) == {"error": "access_denied", "state": "a-state"}


@pytest.mark.wide
def test_an_apps_own_scheme_is_followed_too(new_context: ContextMaker) -> None:
    """No program here answers to it: the policy must let the browser try, and the console shows if not."""
    address = "com.example.app:/done"
    partner = make_partner(public=True, redirects=[address])
    page = new_context().new_page()
    page.goto(f"{AUTHORIZE}?{urlencode(asking(partner, pkce()[1], redirect_uri=address))}")
    sign_in(page, make_user().email)

    with page.expect_event("requestfailed") as failed:
        page.get_by_role("button", name="Allow", exact=True).click()

    assert failed.value.url.startswith(("com.example.app:", page.url.partition("?")[0]))
    assert "csp" not in (failed.value.failure or "").lower()


@pytest.mark.wide
def test_a_member_of_staff_registers_an_app_and_copies_its_secret(
    new_context: ContextMaker,
) -> None:
    ensure_partner_role()
    member = make_user()
    member.groups.add(Group.objects.get(name=PARTNER_APPS))
    page = new_context(size=DESKTOP).new_page()

    page.goto("/admin/partner-apps/new/")
    sign_in(page, member.email)
    page.locator("#id_name").fill("Needle Drop")
    page.get_by_label("On a server, where it can keep a secret").check()
    page.get_by_label("People sign in here and allow it to act for them").check()
    page.get_by_label("Addresses to come back to").fill("https://partner.example/done")
    page.get_by_label("See orders and receipts.").check()
    shot(page, "partner-form")
    page.get_by_role("button", name=re.compile("Create|Register|Save")).first.click()
    expect(page.get_by_text("“Needle Drop” is registered.")).to_be_visible()
    shot(page, "partner")
    page.get_by_role("button", name="Make a new secret").click()

    expect(page.locator("#secret")).to_have_text(re.compile(r"^[\w-]{43}$"))
    shot(page, "partner-secret")
    page.get_by_role("link", name="I have copied it").click()
    page.goto("/admin/partner-apps/")
    expect(page.get_by_role("link", name="Needle Drop").first).to_be_visible()
    shot(page, "partner-list")


@pytest.mark.wide
def test_an_app_is_tried_from_the_documentation(new_context: ContextMaker, shop_url: str) -> None:
    made = f"{shop_url}/api/docs/oauth2-redirect.html"
    partner = make_partner(public=True, redirects=[made])
    buyer = make_user()
    context = new_context(size=DESKTOP)
    page = context.new_page()
    page.goto("/accounts/login/")
    sign_in(page, buyer.email)
    page.goto("/api/docs/")
    page.get_by_role("button", name="Authorize").first.click(timeout=60_000)
    code_flow = page.locator(".auth-container", has_text="authorizationCode")
    code_flow.locator("#client_id_authorizationCode").fill(partner.pk)
    code_flow.locator("label", has_text="orders:read").first.click()

    with context.expect_page() as opened:
        code_flow.get_by_role("button", name="Apply given OAuth2 credentials").click()
    opened.value.get_by_role("button", name="Allow", exact=True).click()

    expect(code_flow.get_by_role("button", name="Remove authorization")).to_be_visible()
