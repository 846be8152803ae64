"""One player for the whole visit: pages change around it; it is worked by pointer, keys and lock screen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from catalog_pages.assets import asset_store
from catalog_pages.excerpts import ensure_excerpts
from catalog_pages.models import Artist, ProductPage
from catalog_pages.tests.sample_audio import write_tone
from tests.e2e.conftest import DESKTOP, ContextMaker, wait_until
from tests.factories import make_product

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

AUDIO = "document.querySelector('#player audio')"
PLAYS = f"!{AUDIO}.paused && {AUDIO}.currentTime > 0.2"
# Told apart from a page that was loaded again: a mark on its window is gone then.
MARK, IS_MARKED = "window.isTheSame = true", "window.isTheSame === true"


@pytest.fixture
def album(shop_url: str, tmp_path: Path) -> ProductPage:
    assets = []
    for number, hertz in enumerate((220, 330, 440), start=1):
        source = tmp_path / f"{number}.flac"
        write_tone(source, seconds=20, hertz=hertz)
        assets.append(asset_store(source=source, file_name=f"{number}.flac").asset)
    artist = Artist.objects.create(name="Low Tide")
    page = make_product("Harbour", price_pennies=499, assets=assets, artist=artist)
    for number, track in enumerate(page.tracks.all(), start=1):
        track.title = f"Mooring {number}"
        track.save()
    ensure_excerpts(page)
    return page


def listening(page: Page, album: ProductPage, place: int = 0) -> None:
    page.goto(album.url)
    page.locator(".tracks [data-play]").nth(place).click()
    wait_until(page, PLAYS)
    page.evaluate(MARK)


def title(page: Page) -> Locator:
    return page.locator("#player [data-part=title]")


def test_music_plays_on_from_page_to_page_and_back(
    new_context: ContextMaker, album: ProductPage
) -> None:
    page = new_context().new_page()
    listening(page, album)
    before = page.evaluate(f"{AUDIO}.currentTime")

    page.get_by_role("link", name="Low Tide").first.click()
    expect(page).to_have_url(re.compile("/catalog/artists/low-tide/"))
    expect(page).to_have_title(re.compile("^Low Tide"))
    assert page.evaluate("document.activeElement.id") == "content"
    assert page.locator("#page-voice").inner_text().startswith("Low Tide")
    page.get_by_role("navigation").get_by_role("link", name="Cart").click()
    expect(page.locator("h1")).to_have_text("Cart")
    page.go_back()
    page.go_back()
    expect(page.locator("h1")).to_have_text(re.compile("Harbour"))
    page.get_by_role("navigation").get_by_role("link", name="Catalogue").click()
    page.get_by_role("searchbox").fill("harb")
    page.get_by_role("searchbox").press("Enter")
    expect(page).to_have_url(re.compile(r"/catalog/\?q=harb"))
    page.go_back()
    page.go_back()
    expect(page.locator("h1")).to_have_text(re.compile("Harbour"))

    assert page.evaluate(IS_MARKED)
    assert page.evaluate(f"!{AUDIO}.paused")
    assert page.evaluate(f"{AUDIO}.currentTime") > before
    # The page that came back knows what is playing.
    expect(page.locator(".track[data-current]")).to_contain_text("Mooring 1")
    assert page.locator(".track[data-current] [data-play]").get_attribute("data-state") == "playing"


def test_next_and_previous_follow_the_page(new_context: ContextMaker, album: ProductPage) -> None:
    page = new_context().new_page()
    listening(page, album, place=1)
    player = page.locator("#player")

    player.get_by_role("button", name="Next").click()
    expect(title(page)).to_have_text("Mooring 3")
    expect(player.get_by_role("button", name="Next")).to_be_disabled()
    player.get_by_role("button", name="Back").click()
    player.get_by_role("button", name="Back").click()

    expect(title(page)).to_have_text("Mooring 1")
    wait_until(page, PLAYS)
    page.evaluate(f"{AUDIO}.currentTime = {AUDIO}.duration - 0.3")
    wait_until(page, "document.querySelector('[data-part=title]').textContent === 'Mooring 2'")
    wait_until(page, PLAYS)


def test_a_page_that_is_loaded_whole_finds_the_place_again(
    new_context: ContextMaker, album: ProductPage
) -> None:
    page = new_context().new_page()
    listening(page, album)
    page.evaluate(f"{AUDIO}.currentTime = 5")
    wait_until(page, f"{AUDIO}.currentTime > 5.3")

    page.goto("/cart/")

    assert not page.evaluate(IS_MARKED)
    expect(title(page)).to_have_text("Mooring 1")
    wait_until(page, f"{AUDIO}.currentTime > 5.3")
    page.locator("#player").get_by_role("button", name="Close the player").click()
    page.reload()
    expect(page.locator("#player")).to_be_hidden()


def test_everything_is_reached_by_keys(new_context: ContextMaker, album: ProductPage) -> None:
    page = new_context(size=DESKTOP).new_page()
    page.goto(album.url)
    page.locator(".tracks [data-play]").first.focus()
    page.keyboard.press("Enter")
    wait_until(page, PLAYS)

    wave = page.get_by_role("slider", name="Position in Mooring 1")
    wave.focus()
    page.keyboard.press("PageUp")
    wait_until(page, f"{AUDIO}.currentTime > 10")
    page.keyboard.press("Home")
    wait_until(page, f"{AUDIO}.currentTime < 5")
    page.keyboard.press("Space")
    assert page.evaluate(f"{AUDIO}.paused")
    seek = page.locator("#player").get_by_role("slider", name="Position")
    seek.focus()
    page.keyboard.press("ArrowRight")
    assert re.fullmatch(r"0:0\d of 0:\d\d", seek.get_attribute("aria-valuetext") or "")
    page.locator("#player").get_by_role("button", name="Close the player").press("Enter")

    assert page.evaluate("document.activeElement.dataset.title") == "Mooring 1"


@pytest.mark.parametrize("name", ["Position in Mooring 1", "Position"])
def test_dragging_asks_for_the_sound_where_it_is_let_go(
    new_context: ContextMaker, album: ProductPage, name: str
) -> None:
    page = new_context(size=DESKTOP).new_page()
    listening(page, album)
    page.evaluate(f"window.moves = 0; {AUDIO}.addEventListener('seeking', () => window.moves++)")
    slider = page.get_by_role("slider", name=name, exact=True)
    box = slider.bounding_box()
    assert box is not None
    row = box["y"] + box["height"] / 2

    page.mouse.move(box["x"] + box["width"] * 0.2, row)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, row, steps=20)

    told = slider.get_attribute("aria-valuetext")
    assert page.evaluate("window.moves") == 0
    assert page.evaluate(f"{AUDIO}.currentTime < {AUDIO}.duration / 2")
    page.mouse.up()
    wait_until(page, f"{AUDIO}.currentTime > {AUDIO}.duration * 0.7")
    assert page.evaluate("window.moves") == 1
    assert told == "0:09 of 0:12"


def test_the_lock_screen_shows_and_works_it(new_context: ContextMaker, album: ProductPage) -> None:
    context = new_context()
    context.add_init_script(
        """const set = MediaSession.prototype.setActionHandler;
        window.answers = {};
        MediaSession.prototype.setActionHandler = function (name, answer) {
            window.answers[name] = answer; return set.call(this, name, answer); };"""
    )
    page = context.new_page()
    listening(page, album)

    told = page.evaluate(
        "[navigator.mediaSession.metadata.title, navigator.mediaSession.metadata.artist,"
        " navigator.mediaSession.playbackState]"
    )
    assert told == ["Mooring 1", "Low Tide", "playing"]
    page.evaluate("window.answers.nexttrack()")
    wait_until(page, PLAYS)
    expect(title(page)).to_have_text("Mooring 2")
    page.evaluate("window.answers.seekto({seekTime: 6})")
    wait_until(page, f"{AUDIO}.currentTime > 6.1")
    page.evaluate("window.answers.pause()")
    assert page.evaluate("navigator.mediaSession.playbackState") == "paused"


def test_what_is_no_page_of_the_shop_is_left_to_the_browser(
    new_context: ContextMaker, album: ProductPage
) -> None:
    page = new_context().new_page()
    listening(page, album)
    fetched: list[str] = []
    page.on(
        "request",
        lambda request: fetched.append(request.url) if request.resource_type == "fetch" else None,
    )
    page.evaluate(
        """() => { for (const [name, href] of [["a file", "/downloads/00000000-0000-0000-0000-000000000000/"],
            ["the admin", "/admin/"], ["an archive", "/purchases/all.zip"]]) {
            const link = document.createElement("a");
            link.textContent = name; link.href = href;
            if (name === "an archive") link.download = "";
            document.getElementById("content").prepend(link); }
        document.addEventListener("click", (event) => {
            window.isTaken = event.defaultPrevented; event.preventDefault(); }); }"""
    )

    for name in ("a file", "the admin", "an archive"):
        page.get_by_role("link", name=name, exact=True).click()
        assert page.evaluate("window.isTaken") is False, name

    assert fetched == []
    assert page.evaluate(IS_MARKED)


def test_an_address_that_leads_nowhere_shows_the_error_page(
    new_context: ContextMaker, album: ProductPage
) -> None:
    page = new_context().new_page()
    listening(page, album)
    page.evaluate(
        """() => { const link = document.createElement("a"); link.textContent = "nowhere";
        link.href = "/catalog/artists/"; document.getElementById("content").prepend(link); }"""
    )

    page.get_by_role("link", name="nowhere").click()

    expect(page).to_have_url(re.compile("/catalog/artists/$"))
    assert not page.evaluate(IS_MARKED)


def test_what_comes_for_a_page_that_is_gone_is_let_go(
    new_context: ContextMaker, album: ProductPage
) -> None:
    page = new_context().new_page()
    page.goto("/catalog/")
    wait_until(page, "document.getElementById('account-label').textContent === 'Sign in'")

    with page.expect_response(re.compile("/fragments/header/")):
        page.evaluate(
            "document.body.dispatchEvent(new Event('cart-changed'));"
            "const part = document.getElementById('page'); part.replaceWith(part.cloneNode(true))"
        )
    page.wait_for_timeout(300)  # an error of the script would be in the console by now


def test_a_page_of_another_release_is_loaded_whole(
    new_context: ContextMaker, album: ProductPage
) -> None:
    page = new_context().new_page()
    listening(page, album)

    # As if this page had come before the release that answers now.
    page.evaluate(
        "document.querySelector('head script[src*=nav]').setAttribute('src', '/older.js')"
    )
    page.get_by_role("link", name="Low Tide").first.click()
    expect(page.locator("h1")).to_have_text("Low Tide")

    assert not page.evaluate(IS_MARKED)


def test_every_excerpt_can_be_heard_without_javascript(
    new_context: ContextMaker, album: ProductPage
) -> None:
    page = new_context(java_script_enabled=False).new_page()

    page.goto(album.url)

    expect(page.locator(".tracks audio[controls]")).to_have_count(3)
