"""Somebody at the order desk answers a customer: found by a card, explained, refunded, written down."""

from __future__ import annotations

import os
import re
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from playwright.sync_api import BrowserContext, Page, expect

from downloads.roles import ensure_download_roles
from orders.models import FreeCopy, Order, Refund
from orders.roles import ORDER_DESK, ensure_order_roles
from tests.e2e.conftest import DESKTOP, PHONE, ContextMaker
from tests.factories import PASSWORD, buy, make_product, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Every field and button that can be seen has a name for those who do not see it.
NAMELESS = """() => [...document.querySelectorAll('input, select, textarea, button, a')]
  .filter(one => one.closest('main'))
  .filter(one => one.type !== 'hidden' && one.offsetParent !== null)
  .filter(one => !(one.labels && one.labels.length) && !one.getAttribute('aria-label')
    && !one.getAttribute('aria-labelledby') && !(one.textContent || '').trim() && !one.title)
  .map(one => one.outerHTML.slice(0, 200))"""
WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


def sign_in(context: BrowserContext, user: Any) -> Page:
    page = context.new_page()
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("main form button[type=submit]").first.click()
    expect(page).not_to_have_url(re.compile("/accounts/login/"))
    return page


def at_the_desk(context: BrowserContext) -> Page:
    ensure_order_roles()
    ensure_download_roles()
    user = make_user("desk@example.com")
    user.groups.add(Group.objects.get(name=ORDER_DESK))
    return sign_in(context, user)


def shot(page: Page, name: str) -> None:
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def bought(title: str, last_four: str, email: str = "") -> Order:
    order = buy(Client(), make_user(email), make_product(title))
    order.payments.update(card_last4=last_four)
    return order


def test_a_customer_is_answered_and_refunded_in_three_clicks(new_context: ContextMaker) -> None:
    order = bought("Harbour", "0041", "ada@example.com")
    bought("Tides", "0099")
    page = at_the_desk(new_context(size=DESKTOP))

    page.goto("/admin/orders/")
    shot(page, "desk-list")
    page.get_by_placeholder(re.compile("last four digits")).fill("card ending 0041")
    results = page.locator("#listing-results")
    expect(results.get_by_role("alert")).to_be_visible()
    expect(results.get_by_text("ada@example.com")).to_be_visible()
    assert page.evaluate(NAMELESS) == []
    results.get_by_role("link", name=order.number).click()  # one

    files = page.locator("section[aria-labelledby=desk-files]")
    expect(files).to_contain_text("Never")
    expect(files).to_contain_text("Open")
    shot(page, "desk-order")
    assert page.evaluate(NAMELESS) == []
    page.get_by_role("link", name="Refund £4.99").click()  # two
    expect(page.get_by_text("They lose all files of this order.")).to_be_visible()
    page.get_by_role("button", name="Refund £4.99").click()  # three

    expect(page.get_by_text("£4.99 has gone back to the buyer.")).to_be_visible()
    assert Refund.objects.get().amount_pennies == 499
    story = page.locator("section[aria-labelledby=desk-history]")
    for words in (
        "Ordered (Web shop)",
        "Paid £4.99",
        "Refund of £4.99 asked for",
        "desk@example.com",
    ):
        expect(story).to_contain_text(words)


@pytest.mark.wide
def test_staff_write_a_note_revoke_restore_and_give_a_copy(new_context: ContextMaker) -> None:
    order = bought("Harbour", "0041", "ada@example.com")
    page = at_the_desk(new_context(size=DESKTOP))
    address = f"/admin/orders/{order.pk}/"

    page.goto(address)
    page.get_by_label("Note", exact=True).fill("Rang: <b>no</b> mail arrived")
    page.get_by_role("button", name="Write it down").click()
    story = page.locator("section[aria-labelledby=desk-history]")
    expect(story).to_contain_text("Rang: <b>no</b> mail arrived")

    page.get_by_role("link", name="Revoke: Harbour").click()
    page.get_by_label("Reason").fill("Stolen card")
    assert page.evaluate(NAMELESS) == []
    page.get_by_role("button", name="Revoke").click()
    expect(story).to_contain_text("revoked by staff")
    page.get_by_role("button", name="Restore: Harbour").click()
    expect(story).to_contain_text("restored by staff")

    make_product("Lighthouse")
    page.get_by_role("link", name="Issue a free copy").click()
    expect(page.get_by_label("Email of who gets it")).to_have_value("ada@example.com")
    page.get_by_role("button", name=re.compile("Choose another|Actions")).first.click()
    another = page.get_by_role("button", name=re.compile("Choose another"))
    if another.count() and another.first.is_visible():
        another.first.click()
    page.locator(".modal-body").get_by_role("link", name="Lighthouse").first.click()
    expect(page.locator(".modal-body")).to_have_count(0)
    page.get_by_label("Reason").fill("For the trouble")
    shot(page, "desk-free-copy")
    page.get_by_role("button", name="Issue the copy").click()

    expect(story).to_contain_text("Free copy issued to ada@example.com")
    shot(page, "desk-story")
    assert FreeCopy.objects.get().order.items.get().title == "Lighthouse"


@pytest.mark.wide
def test_every_list_is_read_on_a_phone(new_context: ContextMaker) -> None:
    order = bought("Harbour", "0041", "ada@example.com")
    page = at_the_desk(new_context(size=PHONE))

    for name in (
        "", "customers/", "payments/", "refunds/", "disputes/", "gifts/", "mail/", "stripe-events/",
        f"{order.pk}/", f"customers/{order.pk}/", "free-copy/",
    ):  # fmt: skip
        page.goto(f"/admin/orders/{name}")
        expect(page.locator("main")).to_be_visible()
        assert page.evaluate(NAMELESS) == [], name
        assert page.evaluate(WIDE) <= 0, name
        shot(page, f"phone-{name.strip('/').replace('/', '-')[:20] or 'orders'}")
    for name in ("", "ledger/"):
        page.goto(f"/admin/downloads/{name}")
        assert page.evaluate(NAMELESS) == [], name
        assert page.evaluate(WIDE) <= 0, name
