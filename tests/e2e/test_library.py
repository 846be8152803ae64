"""What somebody bought, in a browser: played whole, one format at a time, on the smallest phone as well."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from catalog_pages.assets import asset_store
from catalog_pages.tests.sample_audio import write_tone
from downloads.models import Download, UserAsset
from tests.e2e.conftest import ContextMaker, wait_until
from tests.factories import PASSWORD, buy, make_product, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PLAYING = "[...document.querySelectorAll('audio')].find(audio => !audio.paused)"


@pytest.fixture
def owner(shop_url: str, tmp_path: Path) -> str:
    """Their address. They hold one album of two tracks, each as FLAC and as MP3."""
    assets = []
    for name in ("Slack Water.flac", "Slack Water.mp3", "Low Sun.flac", "Low Sun.mp3"):
        write_tone(tmp_path / name, seconds=44 if name.startswith("Slack") else 45)
        assets.append(asset_store(source=tmp_path / name, file_name=name).asset)
    user = make_user("ada@example.com")
    buy(Client(), user, make_product("Harbour", assets=assets))
    for asset in assets:
        UserAsset.objects.filter(asset=asset).update(title=asset.file_name.partition(".")[0])
    return user.email


def library(page: Page, email: str) -> None:
    page.goto("/accounts/login/?next=/purchases/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("main form button[type=submit]").first.click()
    expect(page.get_by_role("heading", name="Harbour")).to_be_visible()


def shown(page: Page) -> list[str]:
    """The format of each download that is to be seen."""
    links = page.get_by_role("link", name=re.compile("FLAC|MP3"))
    words = [link.inner_text().split(",")[0] for link in links.all() if link.is_visible()]
    return [one.split()[-1] for one in words]


def test_a_track_is_played_whole_and_the_next_follows(
    new_context: ContextMaker, owner: str
) -> None:
    page = new_context().new_page()
    library(page, owner)

    page.get_by_role("button", name="Play Slack Water").click()
    wait_until(page, f"{PLAYING}?.currentTime > 0.2")
    length = page.evaluate(f"{PLAYING}.duration")
    page.evaluate(f"{PLAYING}.currentTime = 43.5")

    expect(page.get_by_role("button", name="Pause Low Sun")).to_be_visible()
    assert 43 < length < 45  # all of it: an excerpt has thirty seconds
    assert not Download.objects.exists()


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_one_choice_of_a_format_is_for_the_whole_album(
    new_context: ContextMaker, owner: str, javascript: bool
) -> None:
    page = new_context(java_script_enabled=javascript).new_page()
    library(page, owner)
    before = shown(page)

    page.get_by_role("radio", name="MP3").check(force=True)

    assert before == ["FLAC"] * 3
    assert shown(page) == ["MP3"] * 3
    if javascript:
        page.reload()
        assert shown(page) == ["MP3"] * 3
    else:
        assert page.locator("audio[controls]").count() == 2


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_nothing_of_an_account_scrolls_sideways_at_320_pixels(
    new_context: ContextMaker, owner: str, javascript: bool
) -> None:
    context = new_context(size={"width": 320, "height": 640}, java_script_enabled=javascript)
    page = context.new_page()
    library(page, owner)
    order = UserAsset.objects.all()[0].order_item.order

    for address in (
        "/purchases/",
        "/purchases/?q=slack",
        "/orders/",
        order.get_absolute_url(),
        "/accounts/profile/",
        "/accounts/sessions/",
        "/accounts/email/",
        "/accounts/2fa/",
    ):
        page.goto(address)
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, (address, wide)


def test_a_sum_is_copied_or_marked(new_context: ContextMaker, owner: str) -> None:
    page = new_context().new_page()
    library(page, owner)

    page.get_by_text("Check your files").click()
    page.get_by_role("button", name=re.compile("Copy")).first.click()

    expect(page.get_by_text(re.compile("Copied|Marked, ready to copy"))).to_be_visible()
