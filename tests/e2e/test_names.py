"""Names in any script go from an editor's disk to a buyer's; what is not what its name says goes nowhere."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import expect

from catalog_pages.models import CataloguePage, DigitalAsset, ProductPage
from catalog_pages.tests.sample_audio import cover_jpeg, write_tone
from tests.e2e.conftest import DESKTOP, ContextMaker
from tests.e2e.test_desk import sign_in
from tests.e2e.test_editing import publish, sign_in_to_the_admin
from tests.factories import buy, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.wide]

ARABIC = "ميناء الليل"
FILE_NAME = f"{ARABIC} 🐦.flac"


def test_arabic_and_emoji_from_upload_to_download(
    new_context: ContextMaker, settings: object, tmp_path: Path
) -> None:
    settings.STRIPE_SANDBOX_DELIVERY = "manual"
    song = write_tone(tmp_path / FILE_NAME, seconds=5, title=f"{ARABIC} 🐦", artist="فيروز")
    picture = tmp_path / "picture.flac"
    picture.write_bytes(cover_jpeg(side=400))
    desk = new_context(size=DESKTOP).new_page()
    sign_in_to_the_admin(desk)
    desk.goto(f"/admin/pages/add/catalog_pages/productpage/{CataloguePage.objects.get().pk}/")
    desk.wait_for_load_state("networkidle")

    desk.locator("#id_tracks-upload").set_input_files([str(song), str(picture)])
    refused = desk.locator("[data-track-list] [role=alert]")
    expect(refused).to_contain_text("The name says FLAC, but the content is something else.")
    expect(desk.locator("#id_tracks-0-title")).to_have_value(f"{ARABIC} 🐦")
    desk.get_by_role("button", name="Use this for the empty fields").click()
    expect(desk.locator("#id_title")).to_have_value(f"{ARABIC} 🐦")
    desk.locator("#id_price_pennies").fill("4.99")
    expect(desk.locator("[data-product-checklist]")).to_contain_text("Ready to publish.")
    publish(desk)
    expect(desk.locator(".messages")).to_contain_text("published", timeout=60_000)

    product = ProductPage.objects.get()
    buyer = make_user("ada@example.com")
    buy(Client(), buyer, product)
    phone = sign_in(new_context(), buyer)
    phone.goto(product.get_url())
    expect(phone.get_by_role("heading", name=ARABIC).first).to_be_visible()
    phone.goto("/purchases/")
    with phone.expect_download() as waiting:
        phone.get_by_role("link", name=re.compile("Download FLAC")).first.click()

    saved = Path(waiting.value.path())
    assert waiting.value.suggested_filename == FILE_NAME
    assert hashlib.sha256(saved.read_bytes()).hexdigest() == DigitalAsset.objects.get().sha256
