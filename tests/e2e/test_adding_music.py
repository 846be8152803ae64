"""Dozens of real recordings dropped on one screen become two albums, corrected in the table, published."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from catalog_pages.models import DigitalAsset, MusicBatch, ProductPage
from catalog_pages.tests.sample_audio import write_tone
from tests.e2e.conftest import DESKTOP, PHONE, ContextMaker
from tests.e2e.test_editing import sign_in_to_the_admin

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def recordings(folder: Path, *, each: int = 12) -> list[Path]:
    """Two albums of real sound with tags, one of them with a slip of the pen in it, and two covers."""
    made = []
    for at, (album, genre) in enumerate((("Harbour", "Folk"), ("Inland", "Jazz"))):
        for number in range(1, each + 1):
            slip = album == "Inland" and number == each
            made.append(
                write_tone(
                    folder / f"{album} {number:02}.mp3",
                    seconds=1,
                    hertz=200 + 40 * number + at,
                    title=f"{album} {number}",
                    artist="The Sea Wall",
                    album="Inland (wrong)" if slip else album,
                    genre=genre,
                    track=number,
                )
            )
        cover = folder / f"{album}.png"
        cover.write_bytes(picture(at))
        made.append(cover)
    return made


def picture(shade: int) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (60, 60), (40 + 60 * shade, 90, 120)).save(made, "PNG")
    return made.getvalue()


@pytest.fixture
def desk(new_context: ContextMaker) -> Page:
    page = new_context(size=DESKTOP).new_page()
    sign_in_to_the_admin(page)
    return page


def start(desk: Page) -> None:
    desk.get_by_role("link", name="Add music").first.click()
    desk.get_by_role("button", name="Start with new files").click()
    expect(desk).to_have_url(re.compile(r"/admin/music/\d+/$"))


def choose(desk: Page, *files: Path) -> None:
    desk.locator("#id_files").set_input_files([str(file) for file in files])
    # Not “3 of 26 files done”.
    expect(desk.locator("[data-asset-summary]")).to_have_text(
        re.compile(f"^{len(files)} files done"), timeout=120_000
    )


def album(desk: Page, title: str) -> Locator:
    return desk.locator("[data-album]").filter(
        has=desk.get_by_role("heading", name=title, exact=True)
    )


@pytest.mark.wide
def test_dozens_of_files_become_two_albums_corrected_and_published(
    desk: Page, tmp_path: Path
) -> None:
    start(desk)
    choose(desk, *recordings(tmp_path))
    albums = desk.locator("[data-album]")
    expect(albums).to_have_count(3)

    # The slip: its track belongs to the other album.
    select = desk.get_by_label("Album of Inland 12", exact=True)
    select.focus()
    select.select_option(label="Inland – The Sea Wall")
    expect(albums).to_have_count(2)
    expect(desk.locator("[data-music-said]")).to_have_text("Moved to “Inland”.")

    # A price that cannot be one says so where it was typed; everything is there after a reload.
    harbour = album(desk, "Harbour")
    price = harbour.get_by_label("Price")
    price.fill("seven")
    price.press("Tab")
    expect(harbour.locator("[data-error]").first).to_have_text("Enter a price such as 4.99.")
    price.fill("7,99")
    price.press("Tab")
    expect(harbour.locator("[data-error]").first).to_have_text("")
    title = desk.get_by_label("Title of Harbour 3", exact=True)
    title.fill("Third light")
    title.press("Tab")
    expect(desk.locator("[data-music-said]")).to_have_text("Saved.")
    desk.reload()
    expect(album(desk, "Harbour").get_by_label("Price")).to_have_value("7.99")

    # Published together; what hinders one is named, and after it is mended it follows.
    desk.get_by_role("button", name="Publish all that are ready").press("Enter")
    expect(album(desk, "Harbour")).to_contain_text("Published.", timeout=60_000)
    expect(album(desk, "Inland")).to_contain_text("Saved as a draft. Set a price.")
    assert {page.title for page in ProductPage.objects.live()} == {"Harbour"}
    desk.get_by_label("Price for albums without one").fill("4.99")
    desk.get_by_role("button", name="Set price for albums without one").press("Enter")
    expect(album(desk, "Inland").get_by_label("Price")).to_have_value("4.99")
    desk.get_by_role("button", name="Publish all that are ready").click()
    expect(album(desk, "Inland")).to_contain_text("Published.", timeout=60_000)

    made = {page.title: page for page in ProductPage.objects.live()}
    assert {title: page.price_pennies for title, page in made.items()} == {
        "Harbour": 799,
        "Inland": 499,
    }
    assert [page.tracks.count() for page in made.values()] == [12, 12]
    assert made["Harbour"].tracks.all()[2].title == "Third light"
    assert made["Inland"].tracks.all()[11].title == "Inland 12"
    assert {page.cover.title for page in made.values()} == {"Harbour", "Inland"}
    assert {page.genre.name for page in made.values()} == {"Folk", "Jazz"}
    expect(album(desk, "Harbour").get_by_label("Album title")).to_be_disabled()


def test_each_refused_file_says_why_and_the_others_are_taken(desk: Page, tmp_path: Path) -> None:
    good = write_tone(
        tmp_path / "good.mp3", seconds=1, title="Good", artist="A", album="B", track=1
    )
    known = tmp_path / "known again.mp3"
    known.write_bytes(good.read_bytes())
    words = tmp_path / "words.mp3"
    words.write_text("milk, bread")
    torn = tmp_path / "torn.png"
    torn.write_bytes(b"\x89PNG and bread")
    text = tmp_path / "list.txt"
    text.write_text("milk")
    start(desk)
    choose(desk, good, words, torn, text)

    rows = desk.locator("[data-asset-list] > li")
    expect(rows.filter(has_text="words.mp3")).to_have_attribute("data-state", "refused")
    expect(rows.filter(has_text="torn.png")).to_contain_text("This is not a picture")
    expect(rows.filter(has_text="list.txt")).to_contain_text("The name does not end like audio")
    expect(desk.locator("[data-album]")).to_have_count(1)
    desk.locator("#id_files").set_input_files(str(known))
    expect(rows.filter(has_text="known again.mp3")).to_contain_text(
        "This is the same file as “good.mp3”"
    )
    expect(desk.locator("[data-album]")).to_have_count(1)
    assert DigitalAsset.objects.count() == 1


@pytest.mark.wide
def test_the_screen_is_usable_on_a_phone_and_files_can_be_dropped(
    new_context: ContextMaker, tmp_path: Path
) -> None:
    page = new_context(size=PHONE).new_page()
    sign_in_to_the_admin(page)
    page.goto("/admin/music/")
    page.get_by_role("button", name="Start with new files").click()
    song = write_tone(tmp_path / "a.mp3", seconds=1, title="A", artist="B", album="C", track=1)
    content = list(song.read_bytes())

    page.locator("[data-asset-zone]").evaluate(
        """(zone, bytes) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], "a.mp3", { type: "audio/mpeg" }));
            const said = { dataTransfer: data, bubbles: true, cancelable: true };
            zone.dispatchEvent(new DragEvent("drop", said));
        }""",
        content,
    )

    expect(page.get_by_label("Title of A", exact=True)).to_be_visible(timeout=30_000)
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0
    assert MusicBatch.objects.get().albums.get().title == "C"
