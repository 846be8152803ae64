"""An Editor writes and asks for approval, a Moderator looks and approves; neither comes near a customer."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from playwright.sync_api import Page, expect

from catalog_pages.models import ProductPage
from catalog_pages.roles import EDITORS, MODERATORS, ensure_roles
from catalog_pages.tests.editors import moderation
from tests.e2e.conftest import DESKTOP, ContextMaker
from tests.e2e.test_desk import sign_in
from tests.factories import buy, make_product, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.wide]


def at_work(new_context: ContextMaker, group: str) -> Page:
    user = make_user(f"{group.lower()}@example.com")
    user.groups.add(Group.objects.get(name=group))
    page = sign_in(new_context(size=DESKTOP), user)
    page.goto("/admin/")
    return page


def sees_no_customers(page: Page, order_address: str) -> None:
    menu = page.get_by_role("navigation").first
    expect(menu).to_contain_text("Products")
    for word in ("Orders", "What sold", "Partner apps"):
        expect(page.locator("#wagtail-sidebar")).not_to_contain_text(word)
    expect(page.get_by_label("Find an order")).to_have_count(0)
    page.goto(order_address)
    expect(page.locator("body")).not_to_contain_text("ada@example.com")
    expect(page).to_have_url(re.compile("/admin/$"))


def test_a_draft_is_submitted_and_approved(new_context: ContextMaker, settings: object) -> None:
    settings.STRIPE_SANDBOX_DELIVERY = "manual"
    ensure_roles()
    moderation()
    order = buy(Client(), make_user("ada@example.com"), make_product("Low tide"))
    draft = make_product("Harbour", price_pennies=500, live=False)
    address = f"/admin/pages/{draft.pk}/edit/"

    editor = at_work(new_context, EDITORS)
    editor.goto(address)
    editor.wait_for_load_state("networkidle")
    editor.locator("#id_price_pennies").fill("7,99")
    editor.get_by_role("button", name="More actions").click()
    expect(editor.get_by_role("button", name=re.compile("^Publish"))).to_have_count(0)
    editor.get_by_role("button", name="Submit to Moderators approval").click()
    expect(editor.locator(".messages")).to_contain_text("submitted for moderation")
    assert not ProductPage.objects.get(pk=draft.pk).live

    moderator = at_work(new_context, MODERATORS)
    expect(moderator.locator("main")).to_contain_text("Awaiting your review")
    moderator.locator("main").get_by_role("link", name="Harbour").first.click()
    moderator.wait_for_load_state("networkidle")
    expect(moderator.locator("#id_price_pennies")).to_have_value("7.99")
    moderator.get_by_role("button", name="More actions").click()
    moderator.get_by_role("button", name=re.compile("^Approve and publish$", re.IGNORECASE)).click()
    expect(moderator.locator(".messages")).to_contain_text("has been updated")

    product = ProductPage.objects.get(pk=draft.pk)
    assert (product.live, product.price_pennies) == (True, 799)
    for page in (editor, moderator):
        page.goto("/admin/")
        sees_no_customers(page, f"/admin/orders/{order.pk}/")
