"""A guest on a phone buys two copies with a code; a friend redeems one; later the guest signs up."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from django.core import mail
from playwright.sync_api import Page, expect

from catalog_pages.models import ProductPage
from orders.models import DiscountCode, GiftCode, Order
from tests.e2e.conftest import ContextMaker
from tests.e2e.test_shopping import no_sideways_scrolling, sign_up

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def downloaded(page: Page) -> str:
    with page.expect_download() as waiting:
        page.get_by_role("link", name=re.compile("Download FLAC")).first.click()
    return hashlib.sha256(Path(waiting.value.path()).read_bytes()).hexdigest()


@pytest.mark.sampled(2)
@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_guest_with_a_code_buys_two_copies_and_gives_one_away(
    new_context: ContextMaker, product: ProductPage, javascript: bool
) -> None:
    sha256 = product.tracks.first().files.first().asset.sha256
    DiscountCode.objects.create(code="SPRING", kind="percent", percent=10, max_uses=1)
    guest, stranger, friend, tablet = (
        new_context(java_script_enabled=javascript).new_page() for _ in range(4)
    )

    buy_two_with_a_code(guest, product)
    assert downloaded(guest) == sha256
    order = Order.objects.get()
    assert (order.status, order.total_pennies, order.user) == ("paid", 898, None)
    stranger.goto(f"/orders/{order.pk}/", wait_until="commit")
    expect(stranger.locator("body")).not_to_contain_text(order.number)

    guest.goto(order.get_absolute_url())
    gift = GiftCode.objects.get()
    assert gift.code in guest.content()
    redeem(friend, gift)
    assert downloaded(friend) == sha256
    assert order.number not in friend.content()

    link = mailed_link("Ada@Example.com")
    tablet.goto(link)
    expect(tablet).to_have_url(re.compile(f"/orders/{order.pk}/"))
    assert downloaded(tablet) == sha256

    sign_up(guest, "ada@example.com")
    guest.goto("/orders/")
    expect(guest.locator("main")).to_contain_text(order.number)
    guest.goto("/purchases/")
    assert downloaded(guest) == sha256
    tablet.goto(link)
    expect(tablet).to_have_url(re.compile("/accounts/login/"))


def buy_two_with_a_code(guest: Page, product: ProductPage) -> None:
    """Three fields: the address, the consent, the button; the code is a fourth for who has one."""
    guest.goto(product.url)
    add = guest.get_by_role("button", name=re.compile("Add to cart"))
    add.locator("visible=true").first.click()
    expect(guest.get_by_role("status").get_by_text("is in your cart.")).to_be_visible()
    guest.goto("/cart/")
    guest.locator("summary", has_text="1 copy").click()
    guest.locator("input[name=quantity]").fill("2")
    guest.get_by_role("button", name=re.compile("Update the quantity")).click()
    guest.locator(".cart-code summary").click()
    guest.locator("input[name=code]").fill("spring")
    guest.get_by_role("button", name="Use code").click()
    expect(guest.locator("main")).to_contain_text("−£1.00")
    assert no_sideways_scrolling(guest)
    guest.locator("form[action$='/checkout/start/'] input[name=email]").fill("Ada@Example.com")
    guest.locator("input[name=consent]").check()
    guest.get_by_role("button", name=re.compile("Pay £8.98")).click()
    expect(guest.get_by_role("heading", name="Test payment")).to_be_visible()
    guest.get_by_role("button", name=re.compile("Pay £8.98")).click()
    expect(guest).to_have_url(re.compile("/checkout/success/"))
    expect(guest.get_by_role("link", name=re.compile("Download FLAC")).first).to_be_visible()


def redeem(friend: Page, gift: GiftCode) -> None:
    friend.goto(f"/gifts/{gift.code}/")
    expect(friend.locator("main")).to_contain_text("Harbour")
    assert no_sideways_scrolling(friend)
    friend.locator("main input[name=email]").fill("friend@example.com")
    friend.locator("main form button[type=submit]").first.click()
    expect(friend.get_by_role("link", name=re.compile("Download FLAC")).first).to_be_visible()


def mailed_link(email: str) -> str:
    receipt = next(letter for letter in mail.outbox if letter.to == [email])
    link = re.search(r"http://\S+/orders/link/\S+", receipt.body)
    assert link is not None, receipt.body
    return link[0]
