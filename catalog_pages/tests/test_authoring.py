"""What the product editor asks for: what files say and how they sound; previews; copies."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path
from typing import Any

import av
import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape
from wagtail.images import get_image_model

from catalog_pages.assets import asset_store
from catalog_pages.defaults import product_defaults
from catalog_pages.models import Artist, DigitalAsset, Genre, ProductPage
from catalog_pages.roles import EDITORS
from catalog_pages.tests.editors import (
    create_product,
    member_client,
    product_data,
    sentences,
    track,
    unfinished,
)
from catalog_pages.tests.sample_audio import cover_jpeg, write_tone
from tests.factories import make_asset, make_bundle, make_product, make_user

pytestmark = pytest.mark.django_db

TAGS = {
    "artist": "The Sea Wall", "album": "Harbour", "genre": "Ambient", "date": "2024-05-01",
}  # fmt: skip


@pytest.fixture
def editor() -> Client:
    return member_client(EDITORS)


def stored(folder: Path, name: str, **tags: Any) -> DigitalAsset:
    path = write_tone(folder / name, **{"seconds": 2, **tags})
    return asset_store(source=path, file_name=name).asset


def details(client: Client, *assets: Any) -> dict[str, Any]:
    ids = [str(getattr(asset, "pk", asset)) for asset in assets]
    return client.get(reverse("product_editor:files"), {"id": ids}).json()


def fill(client: Client, *assets: DigitalAsset, wanted: str) -> dict[str, Any]:
    data = {"id": [str(asset.pk) for asset in assets], "wanted": wanted.split()}
    response = client.post(reverse("product_editor:defaults"), data)
    assert response.status_code == 200, response.content
    return response.json()


# --- What files say ------------------------------------------------------------------------------


def test_a_file_says_what_its_track_is_called(editor: Client, tmp_path: Path) -> None:
    tagged = stored(tmp_path, "a.flac", title="ميناء 🐦", track="3/6", disc="2", **TAGS)
    bare = stored(tmp_path, "Low tide.flac", hertz=300)

    answer = details(editor, bare, tagged)

    assert [file["tags"] for file in answer["files"]] == [
        {"title": "Low tide", "disc": None, "number": None},
        {"title": "ميناء 🐦", "disc": 2, "number": 3},
    ]
    assert answer["files"][1]["title"] == "a.flac · FLAC · 0:02"


def test_files_say_what_the_product_is_called(editor: Client, tmp_path: Path) -> None:
    first = stored(tmp_path, "1.flac", title="One", track="1", **TAGS)
    second = stored(tmp_path, "2.flac", title="Two", track="2", hertz=300, **TAGS)

    assert details(editor, first, second)["product"] == {
        "title": "Harbour",
        "artist": "The Sea Wall",
        "genre": "Ambient",
        "release_date": "2024-05-01",
        "may_have_cover": True,
    }


@pytest.mark.parametrize("odd", ["", "x", "\0", "00000000-0000-0000-0000-000000000000", "🐦"])
def test_what_is_no_file_is_left_out(editor: Client, odd: str) -> None:
    assert details(editor, odd, make_asset())["files"][0]["tags"]["title"]
    assert len(details(editor, odd)["files"]) == 0
    assert len(fill(editor, wanted="title artist cover")["told"]) == 0


def test_too_many_files_at_once_are_refused_with_a_sentence(editor: Client) -> None:
    answer = editor.get(reverse("product_editor:files"), {"id": ["x"] * 501})

    assert (answer.status_code, answer.json()["sentence"]) == (400, "At most 500 files at once.")


def test_one_click_fills_what_is_wanted_and_finds_who_is_here(
    editor: Client, tmp_path: Path
) -> None:
    here = Artist.objects.create(name="the sea wall")
    asset = stored(tmp_path, "1.flac", title="One", cover=cover_jpeg(), **TAGS)

    answer = fill(editor, asset, wanted="title artist genre release_date cover")

    assert answer["text"] == {"title": "Harbour", "release_date": "2024-05-01"}
    assert answer["chosen"]["artist"]["id"] == here.pk
    assert answer["chosen"]["genre"]["id"] == Genre.objects.get(name="Ambient").pk
    assert answer["chosen"]["cover"]["id"] == get_image_model().objects.get().pk
    assert answer["chosen"]["cover"]["preview"]["url"]


def test_files_without_a_picture_say_so_where_one_was_wanted(
    editor: Client, tmp_path: Path
) -> None:
    asset = stored(tmp_path, "1.flac", title="One", **TAGS)

    answer = fill(editor, asset, wanted="cover")

    assert answer["chosen"]["cover"] is None
    assert answer["told"] == ["There is no picture inside the files."]
    assert fill(editor, asset, wanted="title")["told"] == []


def test_nothing_is_made_that_was_not_asked_for(editor: Client, tmp_path: Path) -> None:
    asset = stored(tmp_path, "1.flac", title="One", cover=cover_jpeg(), **TAGS)

    answer = fill(editor, asset, wanted="title")

    assert answer["chosen"] == {"artist": None, "genre": None, "cover": None}
    assert not Artist.objects.exists()
    assert not get_image_model().objects.exists()


# --- How they sound ------------------------------------------------------------------------------


def test_the_whole_track_is_drawn(editor: Client, tmp_path: Path) -> None:
    asset = stored(tmp_path, "1.flac", seconds=20, loud=(10.0, 15.0))

    answer = editor.get(reverse("digital_assets:shape", args=[asset.pk])).json()

    assert answer["duration_ms"] == 20_000
    assert len(answer["peaks"]) == 240
    assert max(answer["peaks"][125:175]) == 100
    assert max(answer["peaks"][:110]) < 20


@pytest.mark.wide
def test_any_part_is_heard_before_anything_is_saved(editor: Client, tmp_path: Path) -> None:
    asset = stored(tmp_path, "1.flac", seconds=60)
    url = reverse("digital_assets:listen", args=[asset.pk])

    chosen = editor.get(url, {"start": "20", "length": "10"})
    guessed = editor.get(url)

    assert chosen["Content-Type"] == "audio/mpeg"
    assert chosen["Excerpt-Start-Ms"] == "20000"
    assert "no-store" in chosen["Cache-Control"]
    with av.open(io.BytesIO(chosen.content)) as sound:
        assert abs((sound.duration or 0) / 1e6 - 10) < 0.2
    assert int(guessed["Excerpt-Length-Ms"]) == pytest.approx(30_000, abs=100)
    assert not asset.excerpts.exists()


@pytest.mark.sampled(5)
@pytest.mark.parametrize(
    "query",
    [
        {"start": "99999999999999999999"},
        {"start": "-5"},
        {"start": "abc", "length": "٣"},
        {"length": "0"},
        {"length": "999999999"},
    ],
)
def test_an_odd_wish_gets_what_publishing_would_cut(
    editor: Client, tmp_path: Path, query: dict[str, str]
) -> None:
    asset = stored(tmp_path, "1.flac", seconds=12)

    answer = editor.get(reverse("digital_assets:listen", args=[asset.pk]), query)

    assert answer.status_code == 200
    assert int(answer["Excerpt-Length-Ms"]) <= 7_200, "never the whole master"


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("asked", "status", "size"),
    [
        ("bytes=0-99", 206, 100),
        ("bytes=-50", 206, 50),
        ("bytes=99999999-", 416, 0),
        ("x=1", 200, None),
    ],
)
def test_players_may_ask_for_a_range(
    editor: Client, tmp_path: Path, asked: str, status: int, size: int | None
) -> None:
    asset = stored(tmp_path, "1.flac", seconds=10)

    answer = editor.get(reverse("digital_assets:listen", args=[asset.pk]), headers={"range": asked})

    assert answer.status_code == status
    assert size is None or len(answer.content) == size


def test_a_file_without_sound_is_a_sentence(editor: Client) -> None:
    asset = make_asset(b"not audio at all " * 300)

    for name in ("shape", "listen"):
        answer = editor.get(reverse(f"digital_assets:{name}", args=[asset.pk]))
        assert answer.status_code == 422
        assert "cannot be played" in answer.json()["sentence"]


def test_masters_are_heard_by_staff_alone() -> None:
    asset, shopper = make_asset(), Client()
    shopper.force_login(make_user())
    urls = [reverse(f"digital_assets:{name}", args=[asset.pk]) for name in ("shape", "listen")]
    urls += [reverse("product_editor:files"), reverse("product_editor:defaults")]

    for client in (Client(), shopper):
        for url in urls:
            assert client.get(url).status_code in {302, 403}
            assert client.post(url).status_code in {302, 403}


# --- Preview -------------------------------------------------------------------------------------


@pytest.mark.wide
def test_a_draft_is_heard_in_its_preview(editor: Client) -> None:
    page, asset = unfinished(), make_asset()
    url = reverse("wagtailadmin_pages:preview_on_edit", args=[page.pk])
    rows = [track("First", asset, excerpt_start_seconds="12", excerpt_length_seconds="20")]

    assert editor.post(url, product_data(tracks=rows)).json()["is_valid"]
    shown = editor.get(url).content.decode()

    listen = reverse("digital_assets:listen", args=[asset.pk])
    assert escape(f"{listen}?start=12&length=20") in shown
    assert "application/ld+json" not in shown
    page.refresh_from_db()
    assert not page.tracks.exists()


# --- Copies --------------------------------------------------------------------------------------


def copy(client: Client, page: ProductPage, **data: str) -> ProductPage:
    parent = page.get_parent()
    fields = {
        "new_title": "Harbour again", "new_slug": "harbour-again", "new_parent_page": parent.pk,
        "copy_subpages": "", "alias": "", **data,
    }  # fmt: skip
    response = client.post(reverse("wagtailadmin_pages:copy", args=[page.pk]), fields)
    assert response.status_code == 302, sentences(response)
    return ProductPage.objects.get(slug="harbour-again")


@pytest.mark.wide
def test_a_copy_has_tracks_files_and_price_and_is_a_draft(editor: Client) -> None:
    assets = [make_asset(), make_asset()]
    page = make_product("Harbour", price_pennies=450, assets=assets, release_date=date(2024, 5, 1))
    make_bundle("Both", page, make_product())

    made = copy(editor, page)

    assert (made.title, made.price_pennies, made.live) == ("Harbour again", 450, False)
    assert made.first_published_at is None
    files = [file.asset for row in made.tracks.all() for file in row.files.all()]
    assert files == assets
    assert {row.pk for row in made.tracks.all()}.isdisjoint(row.pk for row in page.tracks.all())
    assert not made.in_bundles.exists(), "a copy is in no bundle that it was not put into"
    draft = made.get_latest_revision_as_object()
    assert [row.title for row in draft.tracks.all()] == [row.title for row in page.tracks.all()]


@pytest.mark.wide
def test_a_copy_of_a_bundle_contains_the_same(editor: Client) -> None:
    parts = [make_product(), make_product()]

    made = copy(editor, make_bundle("Both", *parts, price_pennies=800))

    assert [row.product.specific for row in made.contents.all()] == parts
    assert made.price_pennies == 800


def test_a_taken_slug_is_a_sentence_and_no_copy(editor: Client) -> None:
    page = make_product("Harbour")
    fields = {"new_title": "X", "new_slug": page.slug, "new_parent_page": page.get_parent().pk}

    answer = editor.post(reverse("wagtailadmin_pages:copy", args=[page.pk]), fields)

    assert "already in use" in sentences(answer)
    assert ProductPage.objects.count() == 1


# --- Two editors ---------------------------------------------------------------------------------


def test_saving_by_itself_never_overwrites_what_somebody_else_saved_meanwhile(
    editor: Client,
) -> None:
    page = unfinished()
    seen = page.latest_revision
    url = reverse("wagtailadmin_pages:edit", args=[page.pk])
    other = product_data(title="Theirs") | {"action-save": "1"}
    assert member_client(EDITORS).post(url, other).status_code == 302
    mine = product_data(title="Mine") | {
        "loaded_revision_id": str(seen.pk),
        "loaded_revision_created_at": seen.created_at.isoformat(),
    }

    answer = editor.post(url, mine, headers={"accept": "application/json"}).json()

    assert (answer["success"], answer["error_code"]) == (False, "invalid_revision")
    page.refresh_from_db()
    assert page.get_latest_revision_as_object().title == "Theirs"


@pytest.mark.wide
def test_a_slug_that_was_taken_meanwhile_loses_nothing(editor: Client) -> None:
    create_product(editor, title="Harbour")

    answer = create_product(editor, title="Harbour")

    assert answer.status_code == 200
    assert "already in use" in sentences(answer)
    assert ProductPage.objects.count() == 1


def test_a_sampler_is_offered_as_by_various_artists() -> None:
    tags = [
        {"title": f"S{at}", "artist": f"A{at}", "album": "Sampler", "track": at} for at in (1, 2, 3)
    ]

    offered = product_defaults([make_asset(tags=one) for one in tags])

    assert (offered.title, offered.artist) == ("Sampler", "Various artists")
    assert len(offered.files) == 3
