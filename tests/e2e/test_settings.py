"""An owner gives the shop a name, a colour, a logo and its terms, looks first, and everybody sees it."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Error, Frame, Page, expect

from catalog_pages.models import ShopSettings
from catalog_pages.tests.test_shop_settings import make_logo
from tests.e2e.conftest import DESKTOP, ContextMaker, wait_until
from tests.e2e.test_editing import sign_in_to_the_admin
from tests.factories import make_product

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

BLUE = "rgb(29, 78, 216)"
SHOTS = os.environ.get("SHOTS", "")


def shot(page: Page, name: str) -> None:
    """A picture for whoever wants to look, where a folder is named."""
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))


def preview_frame(page: Page, button: str = "Toggle preview") -> Frame:
    page.get_by_role("button", name=re.compile(button, re.IGNORECASE)).first.click()
    for _ in range(100):
        for frame in page.frames:
            if "/preview/" in frame.url and frame.locator("main, .column").count():
                return frame
        page.wait_for_timeout(100)
    raise AssertionError("No preview appeared.")


def eventually(page: Page, words: str) -> None:
    """Until one of the preview's frames says so; Wagtail renews it by replacing the frame."""
    for _ in range(600):
        for frame in page.frames[1:]:
            with suppress(Error):  # the frame that is being replaced
                if words in frame.content():
                    return
        page.wait_for_timeout(100)
    shot(page, "never")
    raise AssertionError(f"The preview never said {words}.")


def test_an_owner_changes_how_the_shop_looks_and_looks_before_it_is_saved(
    new_context: ContextMaker,
) -> None:
    make_product("Harbour Lights")
    desk = new_context(size=DESKTOP).new_page()
    sign_in_to_the_admin(desk)
    logo = make_logo()
    public = new_context().new_page()

    desk.goto("/admin/settings/catalog_pages/shopsettings/")
    desk.get_by_role("textbox", name="Shop name").fill("Low Tide")
    desk.locator("#id_accent").fill("#1d4ed8")
    assert desk.locator("[data-colour-picker]").input_value() == "#1d4ed8"
    chooser = desk.locator("#id_logo-chooser")
    chooser.locator("[data-chooser-action-choose]").locator("visible=true").click()
    desk.locator(".modal a.image-choice").first.click()
    expect(chooser.locator("img")).to_be_visible()
    preview_frame(desk)
    eventually(desk, "Low Tide")
    eventually(desk, "/theme/1d4ed8-")
    eventually(desk, logo.file.url)
    shot(desk, "settings-preview")
    public.goto("/")
    expect(public.locator(".brand")).to_contain_text("Digital Downloads")
    desk.get_by_role("button", name="Save").first.click()
    expect(desk.locator(".messages")).to_contain_text("updated")

    public.goto("/")

    assert ShopSettings.load().logo == logo
    expect(public.get_by_role("img", name="Low Tide")).to_be_visible()
    button = public.get_by_role("link", name="Browse the catalogue")
    assert button.evaluate("node => getComputedStyle(node).backgroundColor") == BLUE
    wait_until(public, "document.querySelector('.brand-logo').naturalWidth > 0")
    shot(public, "settings-phone")
    wide = new_context(size=DESKTOP).new_page()
    wide.goto("/")
    shot(wide, "settings-desktop")


@pytest.mark.wide
def test_an_owner_writes_terms_looks_at_them_and_publishes(new_context: ContextMaker) -> None:
    desk = new_context(size=DESKTOP).new_page()
    sign_in_to_the_admin(desk)
    public = new_context().new_page()

    desk.goto("/admin/legal-texts/")
    desk.get_by_role("link", name="Terms of sale").click()
    desk.locator(".public-DraftEditor-content").click()
    desk.keyboard.type("You buy from us, at sea.")
    wait_until(desk, "document.querySelector('[name=draft]').value.includes('at sea')")
    preview_frame(desk)
    eventually(desk, "at sea")
    eventually(desk, "not published yet")
    shot(desk, "legal-preview")
    assert public.goto("/legal/terms/").status == 404  # type: ignore[union-attr]
    desk.get_by_role("button", name="More actions").click()
    desk.get_by_role("button", name="Publish as a new version").click()
    expect(desk.locator(".messages")).to_contain_text("is in force from now on")

    public.goto("/")
    public.get_by_role("link", name="Terms of sale").click()

    expect(public.get_by_role("heading", name="Terms of sale")).to_be_visible()
    expect(public.locator("main")).to_contain_text("You buy from us, at sea.")
    shot(public, "legal-phone")


@pytest.mark.wide
def test_an_owner_adds_words_to_the_receipt_and_looks_at_the_letter(
    new_context: ContextMaker,
) -> None:
    desk = new_context(size=DESKTOP).new_page()
    sign_in_to_the_admin(desk)

    desk.goto("/admin/letters/")
    desk.get_by_role("link", name="Receipt").click()
    desk.get_by_role("textbox", name="Above the shop's words").fill(
        "Thank you for listening to {shop_name}."
    )
    preview_frame(desk)
    eventually(desk, "Thank you for listening to Digital Downloads.")
    eventually(desk, "Harbour Lights")
    shot(desk, "letter-preview")
    desk.get_by_role("button", name="Save", exact=True).first.click()

    expect(desk.locator(".messages")).to_contain_text("are saved")
