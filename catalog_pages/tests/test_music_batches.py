"""Many files at once: sorted by their tags, corrected in a table, made into products album by album."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from catalog_pages.batches.asking import albums_wish
from catalog_pages.batches.making import album_make
from catalog_pages.batches.sorting import batch_begin_file, batch_sort
from catalog_pages.models import (
    Artist,
    BatchAlbum,
    BatchFile,
    BatchTrack,
    DigitalAsset,
    MusicBatch,
    PendingUpload,
    ProductPage,
)
from catalog_pages.roles import EDITORS, MODERATORS
from catalog_pages.tests.editors import member_client, moderation, owner_client
from catalog_pages.uploads.tidying import uploads_tidy
from site_config.accounts.models import User
from tests.factories import make_asset, make_editor, make_product

pytestmark = pytest.mark.django_db
RIGHTS = ["add_musicbatch", "add_catalogueimport"]


def tagged(number: int = 1, **tags: Any) -> DigitalAsset:
    """A file with the tags of one track; "Harbour" by The Sea Wall unless told otherwise."""
    all_tags = {
        "title": f"Song {number}",
        "artist": "The Sea Wall",
        "album": "Harbour",
        "track": number,
        **tags,
    }
    return make_asset(tags={key: value for key, value in all_tags.items() if value})


def batch_of(*assets: DigitalAsset, folder: str = "") -> MusicBatch:
    batch = MusicBatch.objects.create(created_by=make_editor())
    add(batch, *assets, folder=folder)
    return batch


def add(batch: MusicBatch, *assets: DigitalAsset, folder: str = "") -> None:
    for asset in assets:
        BatchFile.objects.create(batch=batch, asset=asset, file_name=asset.file_name, folder=folder)
    batch_sort(batch_id=batch.pk)


def post(client: Client, batch: MusicBatch, what: str, **data: Any) -> Any:
    url = reverse(f"music:{what}", args=[batch.pk])
    return client.post(url, json.dumps(data), content_type="application/json")


def change(client: Client, row: BatchAlbum | BatchTrack, field: str, text: str) -> Any:
    album = row if isinstance(row, BatchAlbum) else row.album
    kind = "album" if isinstance(row, BatchAlbum) else "track"
    return post(client, album.batch, "change", kind=kind, id=row.pk, field=field, text=text)


def make(batch: MusicBatch, wish: str = "draft", user: Any = None) -> None:
    """Press the button, and let the worker do all of it."""
    albums_wish(batch=batch, wish=wish, user=user or batch.created_by)
    for pk in batch.albums.values_list("pk", flat=True):
        album_make(album_id=pk)


def picture(colour: str = "teal") -> bytes:
    made = BytesIO()
    Image.new("RGB", (40, 40), colour).save(made, "PNG")
    return made.getvalue()


def test_files_are_grouped_into_albums_by_their_tags() -> None:
    batch = batch_of(
        tagged(2), tagged(1), tagged(1, album="Inland"), tagged(3, album="", title="Alone")
    )

    albums = list(batch.albums.all())
    assert [(album.title, album.is_album) for album in albums] == [
        ("Harbour", True),
        ("Inland", True),
        ("Alone", False),
    ]
    assert [track.number for track in albums[0].tracks.order_by("number")] == [1, 2]


def test_two_formats_of_a_track_are_one_row_even_when_the_second_comes_later() -> None:
    batch = batch_of(tagged(1))
    BatchTrack.objects.update(title="Corrected")

    add(batch, tagged(1, title="Song 1"))

    assert BatchTrack.objects.get().title == "Corrected"
    assert BatchTrack.objects.get().files.count() == 2


def test_a_later_file_joins_its_album_and_leaves_corrections_alone() -> None:
    batch = batch_of(tagged(1))
    BatchAlbum.objects.update(title="Harbour (remastered)", price_pennies=799)

    add(batch, tagged(2))

    album = BatchAlbum.objects.get()
    assert (album.title, album.price_pennies, album.tracks.count()) == (
        "Harbour (remastered)",
        799,
        2,
    )


def test_a_sampler_is_one_album_in_whichever_order_its_files_come() -> None:
    files = [tagged(number, artist=f"Singer {number}") for number in range(1, 6)]
    batch = batch_of(files[1], folder="Harbour")

    for asset in (files[0], *files[2:]):
        add(batch, asset, folder="Harbour")

    album = batch.albums.get()
    assert (album.artist, album.tracks.count()) == ("Various artists", 5)


def test_a_release_date_that_lies_ahead_is_said_in_the_table() -> None:
    batch = batch_of(tagged(1, year=9998, release_date="9998-05-01"))
    desk, album = owner_client(), BatchAlbum.objects.get()
    said = "Not on sale before 1 May 9998."
    assert said in desk.get(reverse("music:batch", args=[batch.pk])).content.decode()

    cleared = change(desk, album, "release_date", "")
    past = change(desk, album, "release_date", "1998-05-01")
    ahead = change(desk, album, "release_date", "9998-05-01")

    assert [answer.json()["ahead"] for answer in (cleared, past, ahead)] == ["", "", said]


def test_an_artist_that_was_typed_for_a_sampler_stays() -> None:
    batch = batch_of(*(tagged(number, artist=f"Singer {number}") for number in (1, 2)))
    BatchAlbum.objects.update(artist="Friends of the sea")

    add(batch, tagged(3, artist="Singer 3"))

    assert batch.albums.get().artist == "Friends of the sea"


def test_two_recordings_under_one_name_are_not_joined_without_a_word() -> None:
    batch = batch_of(tagged(1), folder="1998")
    add(batch, tagged(1), folder="2020 remaster")
    url = reverse("music:batch", args=[batch.pk])

    page = owner_client().get(url).content.decode()

    assert "Two of its files are FLAC: check that they are one recording." in page


def test_drafts_are_made_with_what_was_corrected() -> None:
    batch = batch_of(tagged(1, genre="Folk"), tagged(2))
    client, album = owner_client(), BatchAlbum.objects.get()
    first, second = album.tracks.order_by("number")
    for row, field, text in (
        (album, "title", "Harbour lights"),
        (album, "artist", "Sea Wall"),
        (album, "price_pennies", "£7,99"),
        (album, "genre", "Shanties"),
        (album, "release_date", "2026-03-31"),
        (first, "title", "First light"),
        (first, "disc", "2"),
        (second, "number", "9"),
    ):
        assert change(client, row, field, text).status_code == 200

    make(batch)

    page = ProductPage.objects.get()
    assert (page.title, page.artist.name, page.genre.name, page.price_pennies, page.live) == (
        "Harbour lights",
        "Sea Wall",
        "Shanties",
        799,
        False,
    )
    tracks = [(track.title, track.disc, track.number) for track in page.tracks.all()]
    assert tracks == [("Song 2", None, 9), ("First light", 2, 1)]


@pytest.mark.wide
@pytest.mark.parametrize(
    ("field", "text", "sentence"),
    [
        ("title", "  ", "Give the album a title."),
        ("title", "x" * 256, "This is longer than 255 characters."),
        ("artist", "\x00\n", "Say who the artist is."),
        ("price_pennies", "four", "Enter a price such as 4.99."),
        ("price_pennies", "-1", "Enter a price such as 4.99."),
        ("price_pennies", "99999999999", "A price can be at most £999,999.99."),
        ("release_date", "2026-02-31", "Enter a day such as 2026-03-31."),
        ("cover_id", "12345", "Choose one of the pictures that were added here."),
        ("page_id", "1", "There is no such field."),
    ],
)
def test_what_cannot_be_taken_has_a_sentence_and_changes_nothing(
    field: str, text: str, sentence: str
) -> None:
    batch_of(tagged(1))
    album = BatchAlbum.objects.get()

    answer = change(owner_client(), album, field, text)

    assert (answer.status_code, answer.json()["sentence"]) == (422, sentence)
    album.refresh_from_db()
    assert (album.title, album.artist, album.price_pennies) == ("Harbour", "The Sea Wall", None)


@pytest.mark.wide
@pytest.mark.parametrize("text", ["0", "x", "-3", "99999", "²", "1.5", "9" * 5000])
def test_a_number_of_a_track_is_a_whole_one(text: str) -> None:
    batch_of(tagged(1))

    answer = change(owner_client(), BatchTrack.objects.get(), "number", text)

    assert answer.json()["sentence"] == "Enter a whole number from 1, or leave it empty."
    assert BatchTrack.objects.get().number == 1


@pytest.mark.sampled(6)
@pytest.mark.parametrize("body", ["", "[]", "null", "{", '{"kind": "album", "id": "1e3"}', "{}"])
@pytest.mark.parametrize("what", ["change", "move", "make", "fill"])
def test_what_no_script_of_ours_sends_is_refused(what: str, body: str) -> None:
    batch = batch_of(tagged(1))

    url = reverse(f"music:{what}", args=[batch.pk])
    answer = owner_client().post(url, body, content_type="application/json")

    assert 400 <= answer.status_code < 500


def test_a_track_moves_to_another_album_and_an_empty_album_goes() -> None:
    batch = batch_of(tagged(1), tagged(7, album="Harbor"))
    right, wrong = batch.albums.all()

    answer = post(
        owner_client(), batch, "move", tracks=[wrong.tracks.get().pk], album=str(right.pk)
    )

    assert answer.json()["sentence"] == "Moved to “Harbour”."
    assert list(batch.albums.all()) == [right]
    assert right.tracks.count() == 2


@pytest.mark.wide
def test_tracks_move_into_an_album_of_their_own() -> None:
    batch = batch_of(tagged(1), tagged(2), tagged(3))
    moved = BatchTrack.objects.filter(number__gte=2)

    post(owner_client(), batch, "move", tracks=[track.pk for track in moved], album="new")
    make(batch)

    assert {page.title: page.tracks.count() for page in ProductPage.objects.all()} == {
        "Harbour": 1,
        "Song 2": 2,
    }


def test_nothing_moves_to_or_from_somebody_elses_batch() -> None:
    mine, theirs = batch_of(tagged(1)), batch_of(tagged(1, album="Inland"))
    track, album = BatchTrack.objects.get(album__batch=theirs), mine.albums.get()

    out = post(owner_client(), mine, "move", tracks=[track.pk], album=album.pk)
    into = post(
        owner_client(), mine, "move", tracks=[album.tracks.get().pk], album=theirs.albums.get().pk
    )

    assert (out.status_code, into.status_code) == (422, 422)
    assert (mine.albums.get().tracks.count(), theirs.albums.get().tracks.count()) == (1, 1)


def test_what_is_left_out_is_in_no_product() -> None:
    batch = batch_of(tagged(1), tagged(2))
    change(owner_client(), BatchTrack.objects.get(number=2), "left_out", "1")

    make(batch)

    assert [track.title for track in ProductPage.objects.get().tracks.all()] == ["Song 1"]


def test_an_album_of_which_everything_is_left_out_makes_nothing() -> None:
    batch = batch_of(tagged(1))
    BatchTrack.objects.update(left_out=True)

    make(batch, "publish")

    assert not ProductPage.objects.exists()
    assert BatchAlbum.objects.get().sentence == "It has no tracks: nothing was made of it."


def test_what_hinders_an_album_is_named_and_the_others_are_published() -> None:
    batch = batch_of(tagged(1), tagged(1, album="Inland"))
    BatchAlbum.objects.filter(title="Harbour").update(price_pennies=799)

    make(batch, "publish")

    assert {page.title: page.live for page in ProductPage.objects.all()} == {
        "Harbour": True,
        "Inland": False,
    }
    hindered = batch.albums.get(title="Inland")
    assert hindered.sentence == "Set a price. Type 0 if the product is meant to be free."
    table = owner_client().get(reverse("music:batch", args=[batch.pk])).content.decode()
    assert "Saved as a draft. Set a price." in table


@pytest.mark.wide
def test_a_hindered_album_is_corrected_in_the_table_and_published() -> None:
    batch = batch_of(tagged(1))
    make(batch, "publish")

    assert (
        change(owner_client(), BatchAlbum.objects.get(), "price_pennies", "4.99").status_code == 200
    )
    make(batch, "publish")

    page = ProductPage.objects.get()
    assert (page.live, page.price_pennies, page.tracks.count()) == (True, 499, 1)


def test_pressing_twice_makes_nothing_twice() -> None:
    batch = batch_of(tagged(1), tagged(2))
    BatchAlbum.objects.update(price_pennies=499)

    for wish in ("draft", "draft", "publish", "publish"):
        make(batch, wish)

    page = ProductPage.objects.get()
    assert (page.live, page.tracks.count(), page.revisions.count()) == (True, 2, 1)


def test_what_was_asked_for_is_asked_for_once_while_it_is_worked_on(
    django_capture_on_commit_callbacks: Any,
) -> None:
    batch = batch_of(tagged(1))

    with django_capture_on_commit_callbacks():
        assert albums_wish(batch=batch, wish="draft", user=batch.created_by) == 1
        assert albums_wish(batch=batch, wish="publish", user=batch.created_by) == 0


def test_what_somebody_edited_since_is_corrected_on_its_own_page() -> None:
    batch = batch_of(tagged(1))
    make(batch)
    version = ProductPage.objects.get().get_latest_revision_as_object()
    version.title = "By hand"
    version.save_revision(clean=False)

    answer = change(owner_client(), BatchAlbum.objects.get(), "title", "By table")
    make(batch)

    assert answer.status_code == 409
    assert ProductPage.objects.get().get_latest_revision_as_object().title == "By hand"


@pytest.mark.wide
def test_the_same_folder_again_adds_what_is_missing_to_the_product_that_is_there() -> None:
    assets = [tagged(1), tagged(2)]
    first = batch_of(*assets)
    BatchAlbum.objects.update(price_pennies=499)
    make(first, "publish")

    again = batch_of(*assets, tagged(3))
    make(again)

    page = ProductPage.objects.get()
    assert (page.live, page.has_unpublished_changes) == (True, True)
    assert page.get_latest_revision_as_object().tracks.count() == 3
    table = owner_client().get(reverse("music:batch", args=[again.pk])).content.decode()
    assert "It is in the draft of “Harbour”, which was here before." in table


@pytest.mark.wide
def test_a_product_that_is_locked_or_in_moderation_is_left_alone() -> None:
    artist = Artist.objects.create(name="The Sea Wall")
    locked = make_product("Harbour", artist=artist, assets=[make_asset(), make_asset()])
    ProductPage.objects.filter(pk=locked.pk).update(locked=True)
    moderation()
    waiting = make_product("Inland", artist=artist, assets=[make_asset(), make_asset()])
    waiting.save_revision()
    waiting.get_workflow().start(waiting, make_editor())
    batch = batch_of(tagged(1), tagged(2), tagged(1, album="Inland"), tagged(2, album="Inland"))

    make(batch)

    assert [album.sentence for album in batch.albums.all()] == [
        "“Harbour” is in the shop already. It is locked.",
        "“Inland” is in the shop already. It is in moderation.",
    ]
    assert locked.get_latest_revision_as_object().tracks.count() == 2


@pytest.mark.wide
def test_whoever_may_not_publish_saves_drafts() -> None:
    client = entitled(EDITORS)
    batch = batch_of(tagged(1))
    BatchAlbum.objects.update(price_pennies=499)

    refused = post(client, batch, "make", wish="publish")
    make(batch, "publish", user=user_of(client))

    assert refused.status_code == 403
    assert not ProductPage.objects.get().live
    assert BatchAlbum.objects.get().sentence == "It is saved as a draft: you may not publish."
    screen = client.get(reverse("music:batch", args=[batch.pk])).content.decode()
    assert "Save all as drafts" in screen
    assert "Publish all" not in screen


@pytest.mark.wide
def test_moderators_publish() -> None:
    client = entitled(MODERATORS)
    batch = batch_of(tagged(1))
    BatchAlbum.objects.update(price_pennies=499)

    make(batch, "publish", user=user_of(client))

    assert ProductPage.objects.get().live


@pytest.mark.parametrize("what", ["batch", "table", "state"])
def test_others_see_nothing_of_it(what: str) -> None:
    batch = batch_of(tagged(1))
    client = member_client(EDITORS)  # without the right to add music
    user_of(client).groups.get().permissions.remove(
        *Permission.objects.filter(codename="add_musicbatch")
    )

    answer = client.get(reverse(f"music:{what}", args=[batch.pk]))

    assert answer.status_code == 302
    assert "Add music" not in client.get(reverse("wagtailadmin_home")).content.decode()


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    "what", ["sort", "change", "move", "fill", "make", "delete", "begin", "covers"]
)
def test_others_can_do_nothing_with_it(what: str) -> None:
    batch = batch_of(tagged(1))
    client = member_client(EDITORS)
    user_of(client).groups.get().permissions.remove(
        *Permission.objects.filter(codename="add_musicbatch")
    )

    answer = post(client, batch, what)

    assert answer.status_code == 403
    assert MusicBatch.objects.exists()


def test_a_file_says_which_batch_it_is_for_before_it_arrives(
    django_capture_on_commit_callbacks: Any,
) -> None:
    client = owner_client()
    batch = MusicBatch.objects.create()
    url = reverse("music:begin", args=[batch.pk]) + "?folder=Disc+1"
    said = {"file_name": "one.flac", "size_bytes": 100, "last_modified": 1}

    for _ in range(2):
        client.post(url, json.dumps(said), content_type="application/json")

    file = batch.files.get()
    assert (file.file_name, file.folder, file.upload.size_bytes) == ("one.flac", "Disc 1", 100)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"file_name": "notes.txt", "size_bytes": 5}, "The name does not end like audio"),
        ({"file_name": "a.flac", "size_bytes": 9 * 10**15}, "larger than"),
        ({"file_name": "a.flac", "size_bytes": 0}, "empty"),
    ],
)
def test_a_file_that_is_not_taken_is_in_no_batch(said: dict[str, Any], sentence: str) -> None:
    batch = MusicBatch.objects.create()
    url = reverse("music:begin", args=[batch.pk])

    answer = owner_client().post(
        url, json.dumps({"last_modified": 1, **said}), content_type="application/json"
    )

    assert sentence in answer.json()["sentence"]
    assert not batch.files.exists()


def test_what_became_of_each_upload_is_taken_up_on_another_day(settings: Any) -> None:
    editor, asset = make_editor(), tagged(1)
    batch = MusicBatch.objects.create(created_by=editor)
    for number, (state, sentence, found) in enumerate(
        [
            ("duplicate", "This is the same file as “x”, already here.", asset),
            ("duplicate", "This is the same file as “x”, already here.", asset),
            ("refused", "The file is cut short.", None),
        ]
    ):
        said = {"file_name": f"{number}.flac", "size_bytes": 9, "last_modified": number}
        upload = batch_begin_file(batch=batch, user=editor, **said).upload
        PendingUpload.objects.filter(pk=upload.pk).update(
            state=state, sentence=sentence, asset=found, received_bytes=9, holds_bytes=False
        )

    uploads_tidy(days=-1)
    batch_sort(batch_id=batch.pk)

    assert [file.asset for file in batch.files.all()] == [asset, None, None]
    assert [file.sentence for file in batch.files.all()] == [
        "This is the same file as “x”, already here.",
        f"This is the same file as “{asset}”, which is in this list.",
        "The file is cut short.",
    ]
    table = owner_client().get(reverse("music:batch", args=[batch.pk])).content.decode()
    assert "2 files are not in the list" in table
    uploads_tidy(days=-1)
    assert not PendingUpload.objects.exists()


@pytest.mark.wide
def test_a_cover_goes_to_the_album_that_its_name_or_folder_tells() -> None:
    batch = batch_of(tagged(1))
    add(batch, tagged(1, album="Inland"), folder="music/inland")
    client, url = owner_client(), reverse("music:covers", args=[batch.pk])

    for name, folder, colour in (("Harbour.png", "", "teal"), ("front.png", "music/inland", "red")):
        sent = SimpleUploadedFile(name, picture(colour), "image/png")
        assert client.post(url, {"file": sent, "folder": folder}).status_code == 200

    chosen = {album.title: album.cover.title for album in batch.albums.all()}
    assert chosen == {"Harbour": "Harbour", "Inland": "front"}
    make(batch)
    assert {page.cover.title for page in ProductPage.objects.all()} == {"Harbour", "front"}


def test_a_cover_that_is_none_is_refused_with_a_sentence(settings: Any) -> None:
    batch = batch_of(tagged(1))
    url = reverse("music:covers", args=[batch.pk])

    torn = owner_client().post(
        url, {"file": SimpleUploadedFile("cover.png", b"\x89PNG milk", "image/png")}
    )
    none = owner_client().post(url, {})
    large = owner_client().post(
        url, {"file": SimpleUploadedFile("big.png", bytes(20 * 1024 * 1024 + 1), "image/png")}
    )

    assert (
        torn.json()["sentence"]
        == "This is not a picture that can be shown, whatever its name says."
    )
    assert none.status_code == 400
    assert large.json()["sentence"] == "This picture is larger than 20 MB, the most for a cover."
    assert not batch.covers.exists()


@pytest.mark.wide
def test_the_table_costs_the_same_queries_for_one_album_and_for_twenty(
    django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    client = owner_client()
    small = batch_of(tagged(1))
    large = batch_of(
        *(tagged(number, album=f"Album {at}") for at in range(20) for number in (1, 2))
    )
    client.get(reverse("music:table", args=[small.pk]))
    with django_assert_max_num_queries(40) as first:
        client.get(reverse("music:table", args=[small.pk]))

    with django_assert_num_queries(len(first.captured_queries)):
        body = client.get(reverse("music:table", args=[large.pk])).content.decode()

    assert body.count("data-track=") == 40


def test_removing_the_list_leaves_files_and_products() -> None:
    batch = batch_of(tagged(1))
    make(batch)

    owner_client().post(reverse("music:delete", args=[batch.pk]))

    assert not MusicBatch.objects.exists()
    assert (ProductPage.objects.count(), DigitalAsset.objects.count()) == (1, 1)


def test_a_price_for_all_goes_to_albums_that_have_none() -> None:
    batch = batch_of(tagged(1), tagged(1, album="Inland"))
    BatchAlbum.objects.filter(title="Harbour").update(price_pennies=100)

    answer = post(owner_client(), batch, "fill", field="price_pennies", text="6.50")

    assert answer.json()["sentence"] == "1 album got it."
    assert {album.title: album.price_pennies for album in batch.albums.all()} == {
        "Harbour": 100,
        "Inland": 650,
    }


def test_names_in_any_script_survive(tmp_path: Path) -> None:
    batch = batch_of(tagged(1, title="أغنية 🎶", artist="فيروز", album="نهر"))

    make(batch)

    page = ProductPage.objects.get()
    assert (page.title, page.artist.name, page.tracks.get().title) == ("نهر", "فيروز", "أغنية 🎶")


def entitled(group: str) -> Client:
    """A member of a group that may add music."""
    client = member_client(group)
    user_of(client).user_permissions.add(
        *Permission.objects.filter(codename__in=RIGHTS, content_type__app_label="catalog_pages")
    )
    return client


def user_of(client: Client) -> Any:
    return User.objects.get(pk=client.session["_auth_user_id"])
