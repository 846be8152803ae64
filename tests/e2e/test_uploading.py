"""Large files from a real browser over a bad line: cut off in the middle, they go on where they stopped."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from catalog_pages.models import CataloguePage, DigitalAsset, PendingUpload
from catalog_pages.tests.sample_audio import write_tone
from catalog_pages.tests.stored_files import keep_in
from catalog_pages.uploads import local, multipart
from catalog_pages.uploads.checking import upload_check
from tests.e2e.bad_lines import bad_line
from tests.e2e.conftest import DESKTOP
from tests.e2e.test_editing import sign_in_to_the_admin
from tests.servers import S3Server, seaweed

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MEGABYTE = 1024 * 1024
UPLOAD_PAGE = "/admin/audio-files/upload/"


@pytest.fixture
def desk(chromium: Browser, shop_url: str, monkeypatch: Any) -> Iterator[Page]:
    """An editor's page, signed in. A megabyte is a piece, so that a small file has many."""
    monkeypatch.setattr(local, "PIECE_BYTES", MEGABYTE)
    context = chromium.new_context(base_url=shop_url, viewport=DESKTOP)
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.on("dialog", lambda dialog: dialog.accept())
    sign_in_to_the_admin(page)
    yield page
    context.close()


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Half a minute of sound, 5.8 MB."""
    return write_tone(tmp_path / "Harbour – first light.wav", seconds=30)


def choose(page: Page, *sources: Path) -> Any:
    page.locator("input[type=file][name=files]").set_input_files([str(path) for path in sources])
    return page.locator("[data-asset-list] > li")


def offsets_of(page: Page) -> list[int]:
    """Filled with the place of every piece as it is sent."""
    sent: list[int] = []

    def note(request: Request) -> None:
        if request.method == "PATCH":
            sent.append(int(request.headers["upload-offset"]))

    page.on("request", note)
    return sent


def stored_bytes() -> bytes:
    with DigitalAsset.objects.get().file.open() as stored:
        return stored.read()


def test_a_line_that_breaks_in_the_middle_costs_nothing_but_a_moment(
    desk: Page, shop_url: str, recording: Path
) -> None:
    with bad_line(shop_url, breaks_after=5 * MEGABYTE // 2) as line:
        desk.goto(f"http://localhost:{line.port}{UPLOAD_PAGE}")
        sent = offsets_of(desk)

        row = choose(desk, recording).first

        expect(row).to_contain_text(re.compile(r"Connection lost. Trying again in \d"))
        expect(desk.locator("[data-asset-summary]")).to_contain_text("the page keeps trying")
        line.mend()
        expect(row).to_contain_text("Stored.", timeout=60_000)
    assert len(sent) == len(set(sent))  # nothing that had arrived was sent twice
    assert any(offset % MEGABYTE for offset in sent)  # not even the first half of a broken piece
    assert stored_bytes() == recording.read_bytes()
    expect(row).to_contain_text("WAV")
    expect(row.get_by_role("link")).to_have_attribute("href", re.compile("/audio-files/"))


@pytest.mark.wide
def test_a_page_that_was_closed_goes_on_with_the_same_file(desk: Page, recording: Path) -> None:
    desk.goto(UPLOAD_PAGE)
    # The third piece never gets through.
    desk.route(
        re.compile(r"/upload/[0-9a-f-]{36}/$"),
        lambda route: (
            None
            if route.request.headers.get("upload-offset") == str(2 * MEGABYTE)
            else route.continue_()
        ),
    )
    with desk.expect_request(
        lambda request: request.headers.get("upload-offset") == str(2 * MEGABYTE)
    ):
        choose(desk, recording)

    desk.reload()
    desk.unroute_all(behavior="ignoreErrors")
    row = desk.locator("[data-asset-list] > li").first
    expect(row).to_contain_text("36 % of 5.8 MB is here. Choose the file again to go on.")
    sent = offsets_of(desk)
    rows = choose(desk, recording)

    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("Stored.")
    assert sent[0] == 2 * MEGABYTE
    assert stored_bytes() == recording.read_bytes()


@pytest.mark.wide
def test_an_upload_is_stopped_taken_up_and_removed(desk: Page, recording: Path) -> None:
    desk.goto(UPLOAD_PAGE)
    address = re.compile(r"/upload/[0-9a-f-]{36}/$")
    desk.route(
        address, lambda route: None if route.request.method == "PATCH" else route.continue_()
    )
    with desk.expect_request(lambda request: request.method == "PATCH"):
        row = choose(desk, recording).first
    expect(row.get_by_role("progressbar", name=f"Upload of {recording.name}")).to_be_visible()

    row.get_by_role("button", name=f"Stop {recording.name}").press("Enter")

    again = row.get_by_role("button", name=f"Try again {recording.name}")
    expect(row).to_contain_text("Stopped at 0 %. What is here is kept for 7 days.")
    expect(again).to_be_focused()
    expect(desk.locator("[data-asset-summary]")).to_have_text("1 file done, 1 stopped.")
    again.press("Enter")
    expect(row).to_contain_text("Uploading")
    row.get_by_role("button", name=f"Stop {recording.name}").press("Enter")
    with desk.expect_response(lambda response: response.request.method == "DELETE"):
        row.get_by_role("button", name=f"Remove {recording.name}").press("Enter")
    expect(row).to_have_count(0)
    expect(desk.get_by_label("Drop audio files here")).to_be_focused()
    assert not PendingUpload.objects.exists()


@pytest.mark.wide
def test_a_file_is_checked_while_the_page_waits_or_is_away(
    desk: Page, recording: Path, settings: Any
) -> None:
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}}
    desk.goto(UPLOAD_PAGE)
    row = choose(desk, recording).first
    expect(row).to_contain_text("Checking the file …")
    expect(row.get_by_role("button")).to_have_count(0)

    desk.reload()
    expect(row).to_contain_text("Checking the file …")
    upload_check(upload_id=PendingUpload.objects.get().pk)

    expect(row).to_contain_text("Stored.")
    expect(row).to_contain_text("WAV · 0:30 · 5.8 MB")
    expect(desk.locator("[data-asset-summary]")).to_have_text("1 file done.")


@pytest.mark.wide
def test_several_files_come_at_once_and_the_bad_ones_say_why(
    desk: Page, recording: Path, tmp_path: Path, settings: Any
) -> None:
    settings.MAX_UPLOAD_BYTES = 6_000_000
    torn = tmp_path / "torn.wav"
    torn.write_bytes(recording.read_bytes()[:2_000_000])
    large = tmp_path / "large.wav"
    large.write_bytes(bytes(6_000_001))
    words = tmp_path / "words.txt"
    words.write_text("milk, bread")
    copy = tmp_path / "copy.wav"
    copy.write_bytes(recording.read_bytes())
    desk.goto(UPLOAD_PAGE)

    rows = choose(desk, recording, torn, large, words)
    expect(desk.locator("[data-asset-summary]")).to_have_text("4 files done, 3 refused.")
    choose(desk, copy)
    expect(desk.locator("[data-asset-summary]")).to_have_text("5 files done, 3 refused.")

    expect(rows.nth(0)).to_contain_text("This is the same file as")
    expect(rows.nth(1)).to_contain_text("Stored.")
    expect(rows.nth(2)).to_contain_text("The file is cut short")
    expect(rows.nth(3)).to_contain_text("This file is larger than 6 MB")
    expect(rows.nth(4)).to_contain_text("The name does not end like audio")
    assert DigitalAsset.objects.count() == 1


@pytest.mark.wide
def test_a_tracks_file_is_uploaded_where_it_is_chosen(desk: Page, recording: Path) -> None:
    desk.goto(f"/admin/pages/add/catalog_pages/productpage/{CataloguePage.objects.get().pk}/")
    desk.get_by_role("button", name="Add track").click()
    desk.locator("#inline_child_tracks-0").get_by_role("button", name="Add file").click()
    row = desk.locator("#inline_child_tracks-0-files-0")
    row.get_by_role("button", name="Choose a file").click()
    window = desk.locator(".modal")
    window.get_by_role("tab", name="Upload a new file").click()
    broken: list[str] = []

    def break_once(route: Route) -> None:
        if route.request.headers.get("upload-offset") == str(2 * MEGABYTE) and not broken:
            broken.append(route.request.url)
            route.abort("connectionreset")
        else:
            route.continue_()

    desk.route(re.compile(r"/upload/[0-9a-f-]{36}/$"), break_once)
    sent = offsets_of(desk)
    window.locator("input[type=file]").set_input_files(str(recording))
    window.get_by_role("button", name="Upload and choose").click()

    expect(window).to_contain_text("Connection lost. Trying again in")
    expect(row).to_contain_text(f"{recording.name} · WAV · 0:30")
    assert len(broken) == 1
    assert sent == [at * MEGABYTE for at in (0, 1, 2, 2, 3, 4, 5)]
    assert stored_bytes() == recording.read_bytes()


@pytest.mark.wide
def test_what_cannot_be_sold_is_a_sentence_in_the_window(desk: Page, tmp_path: Path) -> None:
    words, torn = tmp_path / "words.txt", tmp_path / "torn.wav"
    words.write_text("milk, bread")
    torn.write_bytes(write_tone(tmp_path / "whole.wav").read_bytes()[:20_000])
    desk.goto(f"/admin/pages/add/catalog_pages/productpage/{CataloguePage.objects.get().pk}/")
    desk.get_by_role("button", name="Add track").click()
    desk.locator("#inline_child_tracks-0").get_by_role("button", name="Add file").click()
    desk.get_by_role("button", name="Choose a file").click()
    window = desk.locator(".modal")
    window.get_by_role("tab", name="Upload a new file").click()
    send = window.get_by_role("button", name="Upload and choose")

    for source, sentence in ((words, "does not end like audio"), (torn, "The file is cut short")):
        window.locator("input[type=file]").set_input_files(str(source))
        send.click()
        expect(window.get_by_role("alert")).to_contain_text(sentence)
        expect(send).to_be_enabled()

    assert not DigitalAsset.objects.exists()


@pytest.mark.wide
def test_whoever_was_signed_out_signs_in_in_another_tab_and_goes_on(
    desk: Page, recording: Path
) -> None:
    desk.goto(UPLOAD_PAGE)
    desk.context.clear_cookies(name="sessionid")
    row = choose(desk, recording).first
    expect(row).to_contain_text("You are signed out. Sign in in another tab, then try again.")

    sign_in_to_the_admin(desk.context.new_page())
    desk.bring_to_front()
    row.get_by_role("button", name=f"Try again {recording.name}").click()

    expect(row).to_contain_text("Stored.")
    assert stored_bytes() == recording.read_bytes()


@pytest.mark.wide
def test_a_lost_answer_to_the_last_request_sends_nothing_again(desk: Page, recording: Path) -> None:
    desk.goto(UPLOAD_PAGE)
    sent = offsets_of(desk)
    lost: list[str] = []

    def lose_the_answer_once(route: Route) -> None:
        if lost:
            route.continue_()
            return
        lost.append(route.request.url)
        route.fetch()
        route.abort("connectionreset")

    desk.route(re.compile(r"/finish/$"), lose_the_answer_once)
    row = choose(desk, recording).first

    expect(row).to_contain_text("Stored.")
    assert len(lost) == 1
    assert sent == [at * MEGABYTE for at in range(6)]


@pytest.mark.wide
@pytest.mark.parametrize("hashes_by", ["itself", "the browser"])
def test_another_file_of_the_same_name_size_and_date_is_not_mixed_in(
    desk: Page, recording: Path, hashes_by: str
) -> None:
    if hashes_by == "itself":  # as where a shop has no TLS
        desk.add_init_script("Object.defineProperty(crypto, 'subtle', {value: undefined})")
    desk.goto(UPLOAD_PAGE)
    begun: list[str] = []
    desk.route(
        re.compile("/upload/begin/$"),
        lambda route: (begun.append(route.request.post_data_json["edges"]), route.continue_()),
    )
    choose(desk, recording)
    expect(desk.locator("[data-asset-summary]")).to_have_text("1 file done.")
    content, date = recording.read_bytes(), recording.stat()
    other = content[:-2] + bytes([content[-2] ^ 1, content[-1]])
    recording.write_bytes(other)
    os.utime(recording, ns=(date.st_atime_ns, date.st_mtime_ns))

    choose(desk, recording)

    expect(desk.locator("[data-asset-summary]")).to_have_text("2 files done.")
    assert {asset.file.open().read() for asset in DigitalAsset.objects.all()} == {content, other}
    assert len(set(begun)) == 2
    assert {len(edges) for edges in begun} == {8 if hashes_by == "itself" else 64}


@pytest.mark.wide
def test_parts_go_straight_to_the_bucket_and_go_on_after_a_break(
    desk: Page, shop_url: str, tmp_path: Path, settings: Any, monkeypatch: Any
) -> None:
    recording = write_tone(tmp_path / "long.wav", seconds=60)
    monkeypatch.setattr(multipart, "PART_BYTES", 5 * MEGABYTE)  # the least that S3 joins
    with seaweed(tmp_path / "s3") as s3:
        storage = keep_in(settings, monkeypatch, bucket_options(s3))
        allow_uploads_from(s3, shop_url)
        desk.goto(UPLOAD_PAGE)
        sent: list[str] = []
        desk.route(re.compile("partNumber=2&"), lambda route: route.abort("connectionreset"))
        desk.on("requestfinished", lambda r: sent.append(r.url) if r.method == "PUT" else None)

        row = choose(desk, recording).first
        expect(row).to_contain_text("The shop's storage does not answer. Trying again in")
        desk.unroute_all(behavior="ignoreErrors")

        expect(row).to_contain_text("Stored.")
        numbers = [parse_qs(urlsplit(url).query)["partNumber"] for url in sent]
        assert numbers == [["1"], ["2"], ["3"]]
        assert stored_bytes() == recording.read_bytes()
        assert list(storage.keys()) == [DigitalAsset.objects.get().file.name]


def bucket_options(s3: S3Server) -> dict[str, Any]:
    options = {
        "bucket_name": s3.bucket,
        "endpoint_url": s3.endpoint_url,
        "access_key": s3.access_key,
        "secret_key": s3.secret_key,
    }
    return {"BACKEND": "catalog_pages.storage_s3.ProtectedS3Storage", "OPTIONS": options}


def allow_uploads_from(s3: S3Server, origin: str) -> None:
    """The rule that docs/deployment.md asks for."""
    rule = {"AllowedOrigins": [origin], "AllowedMethods": ["PUT"], "MaxAgeSeconds": 3600}
    s3.client().put_bucket_cors(Bucket=s3.bucket, CORSConfiguration={"CORSRules": [rule]})
