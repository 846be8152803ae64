"""What a new user does, counted: clicks and fields written. Typing and Enter in a search box are one field.

Signing in is not counted. Seconds are not either: they are the machine's, and clicks are the product's.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from catalog_pages.models import ProductPage
from catalog_pages.tests.sample_audio import cover_jpeg, write_tone
from downloads.models import UserAsset
from downloads.tests.desk import fetched
from orders.models import OutboxMail, Refund
from orders.services.mail import mail_send_due
from tests.e2e.conftest import DESKTOP, ContextMaker
from tests.e2e.test_authoring import Hand
from tests.e2e.test_desk import at_the_desk, bought
from tests.e2e.test_editing import sign_in_to_the_admin

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _events_wait(settings: object) -> None:
    settings.STRIPE_SANDBOX_DELIVERY = "manual"


def find(page: Page, hand: Hand, words: str) -> None:
    """From the admin's home, with what the customer wrote."""
    page.goto("/admin/")
    box = page.get_by_label("Find an order")
    hand.write(box, words)
    box.press("Enter")


@pytest.mark.wide
def test_twelve_tracks_are_an_album_on_sale(new_context: ContextMaker, tmp_path: Path) -> None:
    files = [
        write_tone(
            tmp_path / f"{place:02}.flac",
            seconds=4,
            hertz=200 + 30 * place,
            title=f"Light {place}",
            artist="The Sea Wall",
            album="Harbour",
            track=f"{place}/12",
            genre="Ambient",
            cover=cover_jpeg(),
        )
        for place in range(1, 13)
    ]
    page, hand = new_context(size=DESKTOP).new_page(), Hand()
    sign_in_to_the_admin(page)

    hand.click(page.get_by_role("link", name="Products", exact=True).first)
    hand.click(page.get_by_role("link", name="Add product").first)
    page.wait_for_load_state("networkidle")
    page.locator("#id_tracks-upload").set_input_files([str(path) for path in files])
    hand.clicks += 1
    expect(page.locator("#id_tracks-FORMS > [data-inline-panel-child]")).to_have_count(
        12, timeout=120_000
    )
    hand.click(page.get_by_role("button", name="Use this for the empty fields"))
    expect(page.locator("#id_title")).to_have_value("Harbour")
    expect(page.locator("#id_artist-chooser")).to_contain_text("The Sea Wall")
    hand.write(page.locator("#id_price_pennies"), "7.99")
    expect(page.locator("[data-product-checklist]")).to_contain_text("Ready to publish.")
    hand.click(page.get_by_role("button", name="More actions"))
    hand.click(page.get_by_role("button", name=re.compile("^Publish")))

    expect(page.locator(".messages")).to_contain_text("published", timeout=120_000)
    product = ProductPage.objects.get()
    assert (product.live, product.price_pennies, product.tracks.count()) == (True, 799, 12)
    assert (hand.clicks, hand.fields) == (6, 1)


@pytest.mark.wide
def test_a_refund_is_three_clicks_from_the_admins_home(new_context: ContextMaker) -> None:
    order = bought("Harbour", "0041", "ada@example.com")
    bought("Tides", "0099")
    page, hand = at_the_desk(new_context(size=DESKTOP)), Hand()

    find(page, hand, "card ending 0041")
    hand.click(page.locator("#listing-results").get_by_role("link", name=order.number))
    hand.click(page.get_by_role("link", name="Refund £4.99"))
    hand.click(page.get_by_role("button", name="Refund £4.99"))

    expect(page.get_by_text("£4.99 has gone back to the buyer.")).to_be_visible()
    assert Refund.objects.get().amount_pennies == 499
    assert (hand.clicks, hand.fields) == (3, 1)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("quoted", ["ADA@example.com", "number"])
def test_where_is_my_download(new_context: ContextMaker, quoted: str) -> None:
    order = bought("Harbour", "0041", "ada@example.com")
    bought("Tides", "0099", "grace@example.com")
    fetched(UserAsset.objects.get(order_item__order=order))
    mail_send_due()
    page, hand = at_the_desk(new_context(size=DESKTOP)), Hand()

    find(page, hand, order.number.replace("-", "").lower() if quoted == "number" else quoted)
    hand.click(page.locator("#listing-results").get_by_role("link", name=order.number))

    # What was given, whether it was fetched, and what became of the letter: without scrolling.
    answer = page.locator(".desk-summary")
    expect(answer.locator("[data-answer=files]")).to_contain_text("1 of 1 file")
    expect(answer.locator("[data-answer=files]")).to_contain_text("last on")
    expect(answer.locator("[data-answer=mail]")).to_contain_text("Sent")
    expect(answer.locator("[data-answer=mail]")).to_contain_text("ada@example.com")
    expect(answer.locator("[data-answer=mail]")).to_be_in_viewport()
    again = page.get_by_role("button", name="Send the links again")
    expect(again).to_be_in_viewport()
    files = page.locator("section[aria-labelledby=desk-files]")
    expect(files).to_contain_text("Open")
    assert (hand.clicks, hand.fields) == (1, 1)

    letters = OutboxMail.objects.filter(order=order, kind="receipt").count()
    hand.click(again)
    expect(page.locator(".messages")).to_be_visible()
    assert OutboxMail.objects.filter(order=order, kind="receipt").count() == letters + 1
    assert hand.clicks == 2


@pytest.mark.wide
def test_a_letter_that_was_refused_says_so_where_the_desk_looks_first(
    new_context: ContextMaker,
) -> None:
    order = bought("Harbour", "0041", "ada@example.com")
    OutboxMail.objects.filter(order=order, kind="receipt").update(
        status=OutboxMail.Status.FAILED,
        sent_at=None,
        last_error="550 5.1.1 No such mailbox here",
    )
    page, hand = at_the_desk(new_context(size=DESKTOP)), Hand()

    find(page, hand, "ada@example.com")
    hand.click(page.locator("#listing-results").get_by_role("link", name=order.number))

    answer = page.locator(".desk-summary")
    expect(answer.locator("[data-answer=files]")).to_contain_text("Not yet")
    expect(answer.locator("[data-answer=mail]")).to_contain_text("Given up")
    expect(answer.locator("[data-answer=mail]")).to_contain_text("No such mailbox here")
    assert (hand.clicks, hand.fields) == (1, 1)
