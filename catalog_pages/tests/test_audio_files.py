"""The list of audio files, one file's page, and the window that a track's file is chosen in."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from catalog_pages.models import DigitalAsset
from catalog_pages.roles import EDITORS
from catalog_pages.tests.editors import member_client, tone
from tests.factories import make_asset, make_product

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor() -> Client:
    return member_client(EDITORS)


def test_the_list_shows_facts_and_uses(editor: Client, django_assert_max_num_queries: Any) -> None:
    assets = [make_asset(file_name=f"part-{n}.flac") for n in range(12)]
    make_product("Harbour", assets=assets)
    make_asset(file_name="spare.flac")

    with django_assert_max_num_queries(25):
        page = editor.get(reverse("digital_assets:index")).content.decode()

    assert "part-7.flac" in page
    assert "1:01" in page
    assert "Harbour" in page
    assert "Not used yet" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("harbour", ["Harbour_take 2.flac"]),
        ("take harbour", ["Harbour_take 2.flac"]),
        ("quay", ["quay.flac"]),
        ("nothing", []),
        ('"', ["Harbour_take 2.flac", "quay.flac"]),
        ("%", ["Harbour_take 2.flac", "quay.flac"]),
        ("x " * 600, []),
    ],
)
def test_files_are_found_by_name(editor: Client, query: str, found: list[str]) -> None:
    make_asset(file_name="Harbour_take 2.flac")
    make_asset(file_name="quay.flac")

    for name in (
        "digital_assets:index",
        "digital_assets:index_results",
        "digital_asset_chooser:choose_results",
    ):
        page = editor.get(reverse(name), {"q": query})
        text = page.content.decode()
        assert page.status_code == 200
        if len(query) < 200:
            assert [n for n in ("Harbour_take 2.flac", "quay.flac") if n in text] == found


def test_a_search_with_a_null_character_is_no_error_page(editor: Client) -> None:
    for name in ("digital_assets:index", "digital_asset_chooser:choose_results"):
        assert editor.get(reverse(name), {"q": "a\0b"}).status_code == 200


def test_a_files_page_tells_everything_about_it(editor: Client) -> None:
    asset = make_asset(file_name="harbour.flac", tags={"title": "Harbour", "year": 2024})
    make_product("Harbour single", assets=[asset])

    page = editor.get(reverse("digital_assets:inspect", args=[asset.pk])).content.decode()

    for fact in (
        asset.sha256,
        "1:01",
        "44.1 kHz",
        "800 kbit/s",
        "Stereo",
        "Harbour single",
        "2024",
    ):
        assert fact in page


def test_a_file_has_no_form_that_could_change_it(editor: Client) -> None:
    asset = make_asset()

    for path in ("edit", "copy", "history"):
        assert editor.get(f"/admin/audio-files/{path}/{asset.pk}/").status_code == 404


def test_the_address_of_a_stored_file_leads_to_the_list(editor: Client) -> None:
    assert editor.get(make_asset().file.url).status_code == 200


# --- The chooser -------------------------------------------------------------------------------


def chooser(client: Client, name: str = "choose", *args: object) -> Any:
    url = reverse(f"digital_asset_chooser:{name}", args=args)
    return client.get(url, headers={"x-requested-with": "XMLHttpRequest"})


def test_the_chooser_lists_files_with_their_facts_and_offers_an_upload(editor: Client) -> None:
    make_asset(file_name="harbour.flac")

    answer = json.loads(chooser(editor).content)

    for part in ("harbour.flac", "FLAC", "1:01", "Upload and choose", 'type="file"'):
        assert part in answer["html"]


def test_choosing_a_file_leads_back_with_its_name_and_its_page(editor: Client) -> None:
    asset = make_asset(file_name="harbour.flac")

    answer = json.loads(chooser(editor, "chosen", asset.pk).content)

    assert answer["step"] == "chosen"
    assert answer["result"] == {
        "id": str(asset.pk),
        "title": "harbour.flac · FLAC · 1:01",
        "edit_url": reverse("digital_assets:inspect", args=[asset.pk]),
    }


def test_the_choosers_upload_tab_stores_and_chooses(editor: Client) -> None:
    url = reverse("digital_asset_chooser:create")

    first = editor.post(url, {"audio-file-file": SimpleUploadedFile("one.wav", tone())})
    again = editor.post(url, {"audio-file-file": SimpleUploadedFile("two.wav", tone())})

    asset = DigitalAsset.objects.get()
    for response in (first, again):
        answer = json.loads(response.content)
        assert (answer["step"], answer["result"]["id"]) == ("chosen", str(asset.pk))


@pytest.mark.wide
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"milk, bread", "."),
        (b"", "The submitted file is empty."),
        (None, "This field is required."),
        (b"0" * 200_000, "This file is larger than"),
    ],
)
def test_the_choosers_upload_tab_says_what_is_wrong(
    editor: Client, settings: Any, content: bytes | None, sentence: str
) -> None:
    settings.MAX_UPLOAD_BYTES = 100_000
    data = {} if content is None else {"audio-file-file": SimpleUploadedFile("x.mp3", content)}

    answer = json.loads(editor.post(reverse("digital_asset_chooser:create"), data).content)

    assert answer["step"] == "reshow_creation_form"
    assert sentence in answer["htmlFragment"]
    assert "w-field--error" in answer["htmlFragment"]
    assert not DigitalAsset.objects.exists()


def test_strange_addresses_of_the_chooser_are_no_error_page(editor: Client) -> None:
    assert chooser(editor, "chosen", "nonsense").status_code == 404
    assert chooser(editor, "chosen", uuid.uuid4()).status_code == 404
    assert editor.get(reverse("digital_asset_chooser:choose") + "?multiple=1").status_code == 200
