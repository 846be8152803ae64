"""An editor signs in to Wagtail, uploads a real recording and publishes it; a shopper buys it."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from catalog_pages.models import Artist, CataloguePage, DigitalAsset, Excerpt, ProductPage
from catalog_pages.tests.sample_audio import write_tone
from tests.e2e.conftest import DESKTOP, ContextMaker, wait_until
from tests.e2e.test_shopping import download, pay, sign_up
from tests.factories import PASSWORD, make_editor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def sign_in_to_the_admin(page: Page) -> None:
    editor = make_editor()
    page.goto("/admin/")
    page.get_by_label("Email").fill(editor.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("main form button[type=submit]").first.click()
    expect(page).to_have_url(re.compile(r"/admin/$"))


def upload(page: Page, *sources: Path) -> None:
    page.get_by_role("link", name="Audio files").first.click()
    page.locator("main").get_by_role("link", name=re.compile("Add|Upload")).first.click()
    page.locator("input[type=file][name=files]").set_input_files([str(path) for path in sources])
    rows = page.locator("[data-asset-list] > li")
    expect(rows).to_have_count(len(sources))


def write_product(page: Page, title: str, file_name: str) -> None:
    """The editor's own steps: a title, a price, an artist, a track, its file."""
    page.goto(f"/admin/pages/add/catalog_pages/productpage/{CataloguePage.objects.get().pk}/")
    page.locator("#id_title").fill(title)
    page.locator("#id_price_pennies").fill("4,99")
    page.locator("#id_artist-chooser, [data-chooser]:has(#id_artist)").get_by_role(
        "button", name=re.compile("Choose")
    ).first.click()
    page.locator(".modal").get_by_role("link", name="The Sea Wall").click()
    page.get_by_role("button", name="Add track").click()
    page.locator("#id_tracks-0-title").fill("First Light")
    page.locator("#inline_child_tracks-0").get_by_role("button", name="Add file").click()
    page.locator("#inline_child_tracks-0-files-0").get_by_role(
        "button", name="Choose a file"
    ).click()
    page.locator(".modal").get_by_role("link", name=file_name).click()
    expect(page.locator("#inline_child_tracks-0-files-0")).to_contain_text(file_name)


def publish(page: Page) -> None:
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("button", name=re.compile("^Publish")).click()


def test_what_an_editor_uploads_is_what_a_shopper_gets(
    new_context: ContextMaker, tmp_path: Path
) -> None:
    source = tmp_path / "Harbour – first light.flac"
    write_tone(source, seconds=45)
    Artist.objects.create(name="The Sea Wall")
    desk = new_context(size=DESKTOP).new_page()

    sign_in_to_the_admin(desk)
    upload(desk, source)
    expect(desk.locator("[data-asset-list] > li").first).to_contain_text("FLAC")
    write_product(desk, "Harbour", source.name)
    publish(desk)

    expect(desk.locator(".messages, [role=alert], w-messages")).to_contain_text("published")
    product = ProductPage.objects.get()
    assert (product.live, product.price_pennies) == (True, 499)
    assert Excerpt.objects.count() == 1
    context = new_context()
    phone = context.new_page()
    phone.goto("/")
    phone.get_by_role("link", name=re.compile("Harbour")).first.click()
    phone.get_by_role("button", name=re.compile("Play")).locator("visible=true").first.click()
    wait_until(
        phone, "[...document.querySelectorAll('audio')].some(audio => audio.currentTime > 0.3)"
    )
    phone.get_by_role("button", name=re.compile("Add to cart")).locator(
        "visible=true"
    ).first.click()
    expect(phone.get_by_text("is in your cart.")).to_be_visible()
    sign_up(phone, "ada@example.com")
    pay(phone)
    assert download(context, phone) == hashlib.sha256(source.read_bytes()).hexdigest()


@pytest.mark.wide
def test_the_same_recording_is_recognised_and_an_unreadable_one_refused(
    new_context: ContextMaker, tmp_path: Path
) -> None:
    source, broken = tmp_path / "Harbour.flac", tmp_path / "Broken.flac"
    write_tone(source, seconds=3)
    broken.write_bytes(source.read_bytes()[: source.stat().st_size // 3])
    page = new_context(size=DESKTOP).new_page()
    sign_in_to_the_admin(page)

    upload(page, source)
    expect(page.locator("[data-asset-list] > li").first).to_contain_text("FLAC")
    page.reload()
    page.locator("input[type=file][name=files]").set_input_files([str(source), str(broken)])

    rows = page.locator("[data-asset-list] > li")
    expect(rows.nth(0)).to_contain_text(re.compile("already|same", re.IGNORECASE))
    expect(rows.nth(1)).to_contain_text(re.compile("Broken"))
    page.wait_for_load_state("networkidle")
    assert DigitalAsset.objects.count() == 1


@pytest.mark.wide
def test_an_unfinished_product_is_saved_but_not_published(new_context: ContextMaker) -> None:
    page = new_context(size=DESKTOP).new_page()
    sign_in_to_the_admin(page)
    page.goto(f"/admin/pages/add/catalog_pages/productpage/{CataloguePage.objects.get().pk}/")
    page.wait_for_load_state("networkidle")  # the editor's own scripts fill in the slug
    page.locator("#id_title").press_sequentially("Unfinished")
    expect(page.locator("#id_slug")).to_have_value("unfinished")
    page.get_by_role("button", name="Save draft").first.click()
    expect(page).to_have_url(re.compile(r"/edit/"))

    publish(page)

    expect(page.locator("body")).to_contain_text(re.compile("Set a price|This field is required"))
    product = ProductPage.objects.get()
    assert not product.live
