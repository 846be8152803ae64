"""A new editor makes an album of real lossless recordings, from nothing to published, in counted steps."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from catalog_pages.models import CataloguePage, DigitalAsset, ProductPage
from catalog_pages.tests.sample_audio import cover_jpeg, write_tone
from tests.e2e.conftest import DESKTOP, ContextMaker, wait_until
from tests.e2e.test_editing import publish, sign_in_to_the_admin
from tests.factories import make_asset, make_product

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TITLES = ["First light", "ميناء الليل", "Gulls 🐦", "Low tide", "The wall", "Home"]


class Hand:
    """Counts what an editor does: clicks and fields written."""

    def __init__(self) -> None:
        self.clicks = self.fields = 0

    def click(self, target: Locator) -> None:
        target.click()
        self.clicks += 1

    def write(self, target: Locator, text: str) -> None:
        target.fill(text)
        self.fields += 1


def write_album(folder: Path, *, seconds: int = 20) -> list[Path]:
    """Six FLAC files with tags and a sleeve, named in several scripts."""
    return [
        write_tone(
            folder / f"{place:02} {title}.flac",
            seconds=seconds,
            hertz=200 + 40 * place,
            title=title,
            artist="The Sea Wall",
            album="Harbour",
            track=f"{place}/6",
            genre="Ambient",
            date="2024-05-01",
            cover=cover_jpeg(),
        )
        for place, title in enumerate(TITLES, start=1)
    ]


def new_product(page: Page) -> None:
    page.goto(f"/admin/pages/add/catalog_pages/productpage/{CataloguePage.objects.get().pk}/")
    page.wait_for_load_state("networkidle")


def shot(page: Page) -> Callable[[str], None]:
    """Pictures to look at, where SHOTS names a folder; no test needs them."""
    folder = os.environ.get("SHOTS", "")

    def take(name: str) -> None:
        if folder:
            page.screenshot(path=f"{folder}/{name}.png")

    return take


def test_a_new_editor_publishes_an_album(new_context: ContextMaker, tmp_path: Path) -> None:
    files = write_album(tmp_path / "Harbour")
    page = new_context(size=DESKTOP).new_page()
    sign_in_to_the_admin(page)
    look, hand = shot(page), Hand()
    new_product(page)
    checklist = page.locator("[data-product-checklist]")
    expect(checklist).to_contain_text("Set a price.")
    look("1-empty")

    page.locator("#id_tracks-upload").set_input_files([str(path) for path in files])
    hand.clicks += 1
    tracks = page.locator("#id_tracks-FORMS > [data-inline-panel-child]")
    expect(tracks).to_have_count(len(files))
    assert [
        tracks.nth(at).locator("input[name$='-title']").input_value() for at in range(6)
    ] == TITLES
    look("2-tracks")
    expect(page.locator("[data-said]")).to_contain_text("Title: Harbour · Artist: The Sea Wall")
    hand.click(page.get_by_role("button", name="Use this for the empty fields"))
    expect(page.locator("#id_title")).to_have_value("Harbour")
    expect(page.locator("#id_artist-chooser")).to_contain_text("The Sea Wall")
    expect(page.locator("#id_slug")).to_have_value("harbour")
    hand.write(page.locator("#id_price_pennies"), "4,99")
    expect(checklist).to_contain_text("Ready to publish.")
    page.evaluate("scrollTo(0, 0)")
    look("3-filled")
    publish(page)
    hand.clicks += 2

    # Excerpts are cut before the answer, because tests have no worker.
    expect(page.locator(".messages")).to_contain_text("published", timeout=60_000)
    product = ProductPage.objects.get()
    assert (product.live, product.price_pennies, product.title) == (True, 499, "Harbour")
    assert [track.title for track in product.tracks.all()] == TITLES
    assert [track.number for track in product.tracks.all()] == [1, 2, 3, 4, 5, 6]
    assert product.genre.name == "Ambient"
    assert product.cover is not None
    assert (hand.clicks, hand.fields) == (4, 1)


def tracks_of(page: Page) -> list[tuple[str, str]]:
    rows = page.locator("#id_tracks-FORMS > [data-inline-panel-child]:not(.deleted)")
    return [
        (
            rows.nth(at).locator("input[name$='-title']").input_value(),
            rows.nth(at).locator("input[name$='-number']").input_value(),
        )
        for at in range(rows.count())
    ]


@pytest.mark.wide
def test_order_excerpts_refusals_and_the_way_to_each_field(
    new_context: ContextMaker, tmp_path: Path
) -> None:
    files = write_album(tmp_path / "Harbour", seconds=60)[:3]
    wrong = tmp_path / "Really text.flac"
    wrong.write_text("This is a letter, not a song. " * 200)
    page = new_context(size=DESKTOP).new_page()
    sign_in_to_the_admin(page)
    look = shot(page)
    new_product(page)
    title = page.locator("#id_title")
    title.fill("Mine")

    page.locator("#id_tracks-upload").set_input_files([str(path) for path in [*files, wrong]])
    refused = page.locator("[data-track-list] [role=alert]")
    expect(refused).to_contain_text("The name says FLAC, but the content is something else.")
    expect(page.locator("#id_tracks-FORMS > [data-inline-panel-child]")).to_have_count(3)
    assert DigitalAsset.objects.count() == 3
    page.get_by_role("button", name="Use this for the empty fields").click()
    expect(page.locator("#id_artist-chooser")).to_contain_text("The Sea Wall")
    assert title.input_value() == "Mine", "what was typed stays"

    # Places keep their numbers, whichever track stands in them.
    assert tracks_of(page) == [(TITLES[0], "1"), (TITLES[1], "2"), (TITLES[2], "3")]
    down = page.locator("#inline_child_tracks-0").get_by_role("button", name="Move down").first
    down.focus()
    page.keyboard.press("Enter")
    page.wait_for_timeout(600)  # the rows are moved by an animation
    assert tracks_of(page) == [(TITLES[1], "1"), (TITLES[0], "2"), (TITLES[2], "3")]

    # The excerpt, by keyboard, heard at once.
    row = page.locator("#inline_child_tracks-0")
    row.locator("[data-excerpt-summary]").click()
    start = row.get_by_label("Start", exact=True)
    expect(start).to_be_visible(timeout=30_000)
    start.focus()
    for _press in range(5):
        page.keyboard.press("ArrowRight")
    assert row.locator("input[name$='-excerpt_start_seconds']").input_value() == "5"
    with page.expect_response(re.compile("/listen/")) as answer:
        row.get_by_role("button", name="Listen").click()
    assert answer.value.status == 200
    expect(row.get_by_role("button", name="Stop")).to_be_visible()
    row.locator("[data-excerpt-wave]").scroll_into_view_if_needed()
    look("4-excerpt")

    # The checklist leads to the field.
    page.get_by_role("link", name="Set a price.").click()
    expect(page.locator("#id_price_pennies")).to_be_focused()
    page.keyboard.type("4.99")
    expect(page.locator("[data-product-checklist]")).to_contain_text("Ready to publish.")
    page.wait_for_timeout(1_500)
    page.get_by_role("button", name="Toggle preview").click()
    preview = page.frame_locator("#w-preview-iframe")
    expect(preview.get_by_role("heading", name="Mine").first).to_be_attached(timeout=30_000)
    look("5-preview")
    page.get_by_role("button", name="Toggle preview").click()
    page.set_viewport_size({"width": 390, "height": 844})
    page.evaluate("scrollTo(0, 0)")
    look("6-phone")


@pytest.mark.wide
def test_a_track_is_dragged_by_its_handle(new_context: ContextMaker) -> None:
    assets = [make_asset() for _ in range(3)]
    product = make_product("Harbour", assets=assets)
    page = new_context(size=DESKTOP).new_page()
    sign_in_to_the_admin(page)
    page.goto(f"/admin/pages/{product.pk}/edit/")
    page.wait_for_load_state("networkidle")
    one, two, three = (f"Harbour part {number}" for number in (1, 2, 3))
    assert tracks_of(page) == [(one, "1"), (two, "2"), (three, "3")]
    rows = page.locator("#id_tracks-FORMS > [data-inline-panel-child]")
    handles = [rows.nth(at).get_by_role("button", name="Drag", exact=True).first for at in range(3)]
    # Folded, as somebody does who puts many tracks in order.
    for at in range(3):
        rows.nth(at).locator("[data-panel-toggle]").first.click()

    handles[2].hover()
    page.mouse.down()
    target = handles[0].bounding_box()
    for step in range(20, -1, -1):
        page.mouse.move(target["x"] + 5, target["y"] - 12 + step * 8)
        page.wait_for_timeout(20)
    page.mouse.up()

    wait_until(
        page,
        "document.querySelector('#id_tracks-FORMS > [data-inline-panel-child] input[name$=\"-title\"]')"
        ".value === 'Harbour part 3'",
    )
    assert tracks_of(page) == [(three, "1"), (one, "2"), (two, "3")]
    page.get_by_role("button", name="Save draft").first.click()
    expect(page.locator(".messages")).to_contain_text("has been updated")
    product.refresh_from_db()
    version = product.get_latest_revision_as_object()
    kept = sorted(version.tracks.all(), key=lambda track: track.sort_order)
    assert [(track.title, track.number) for track in kept] == [(three, 1), (one, 2), (two, 3)]
