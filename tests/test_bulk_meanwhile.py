"""Work on many products, when something or somebody goes between the asking and the doing."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from catalog_pages.batches.making import album_make
from catalog_pages.models import (
    Artist,
    BatchAlbum,
    BatchTrack,
    CatalogueImport,
    Genre,
    MusicBatch,
    ProductPage,
)
from catalog_pages.roles import EDITORS, ensure_roles
from catalog_pages.sheets.applying import import_apply
from catalog_pages.sheets.asking import import_confirm
from catalog_pages.sheets.comparing import import_read
from catalog_pages.site_tree import ensure_site_tree
from catalog_pages.tests.editors import owner_client
from catalog_pages.tests.test_music_batches import batch_of, tagged
from tests.factories import make_product, make_user
from tests.together import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.wide]


def owner() -> Any:
    return make_user(is_superuser=True, is_staff=True)


def read(user: Any, text: str) -> CatalogueImport:
    source = CatalogueImport.objects.create(
        file_name="prices.csv", content=text.encode(), created_by=user
    )
    import_read(import_id=source.pk)
    return CatalogueImport.objects.get(pk=source.pk)


def confirmed(source: CatalogueImport, user: Any) -> CatalogueImport:
    import_confirm(source=source, user=user)
    return source


@pytest.mark.parametrize("live", [True, False])
def test_a_genre_that_was_deleted_since_leaves_the_product_as_it_was(live: bool) -> None:
    user, genre, product = owner(), Genre.objects.create(name="Dub"), make_product(live=live)
    source = read(user, f"id,genre\n{product.pk},Dub\n")
    genre.delete()

    import_apply(import_id=confirmed(source, user).pk)

    source.refresh_from_db()
    row = source.rows.get()
    assert (source.state, row.state) == ("done", "left")
    assert row.sentence == "The genre that was chosen is not there any more."
    edit = owner_client().get(reverse("wagtailadmin_pages:edit", args=[product.pk]))
    assert edit.status_code == 200


def test_an_import_of_somebody_who_is_gone_ends_and_says_so() -> None:
    user, product = owner(), make_product("As it was")
    source = confirmed(read(user, f"id,title\n{product.pk},Renamed\n"), user)
    user.delete()

    import_apply(import_id=source.pk)

    source.refresh_from_db()
    assert source.state == "done"
    assert "has no account any more" in source.rows.get().sentence
    assert ProductPage.objects.get().title == "As it was"


@pytest.mark.parametrize("wish", ["draft", "publish"])
def test_an_album_of_somebody_who_is_gone_says_so_and_waits_no_longer(wish: str) -> None:
    batch = batch_of(tagged(1, album="Harbour", artist="Ada", title="One"))
    BatchAlbum.objects.update(wish=wish, wished_by=None)

    sentence = album_make(album_id=batch.albums.get().pk)

    assert "has no account any more" in sentence
    assert BatchAlbum.objects.get().wish == BatchAlbum.Wish.NONE
    assert not ProductPage.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_albums_of_one_new_artist_are_made_at_once() -> None:
    ensure_site_tree()
    batch = batch_of(
        *[tagged(1, album=f"Album {n}", artist="Brand New", title=f"S{n}") for n in range(4)]
    )
    BatchAlbum.objects.update(wish="draft", wished_by=owner())

    at_once(*[partial(album_make, album_id=album.pk) for album in batch.albums.all()])

    assert Artist.objects.get().name == "Brand New"
    assert ProductPage.objects.count() == 4


def test_who_may_not_add_artists_makes_none_by_dropping_music() -> None:
    ensure_roles()
    editor, group = make_user(), Group.objects.get(name=EDITORS)
    editor.groups.add(group)
    group.permissions.remove(*Permission.objects.filter(codename="add_artist"))
    batch = batch_of(tagged(1, album="Harbour", artist="Nobody Knows", title="One"))
    BatchAlbum.objects.update(wish="draft", wished_by=editor)

    sentence = album_make(album_id=batch.albums.get().pk)

    assert sentence == "“Nobody Knows” is not here yet, and you may not add it."
    assert not Artist.objects.exists()


@pytest.mark.parametrize("text", ["0000000019999999", "000000001" + "9" * 5000, "10000", "0", "-1"])
def test_a_number_that_no_track_has_is_a_sentence(text: str) -> None:
    batch = MusicBatch.objects.create()
    album = BatchAlbum.objects.create(batch=batch, position=1, title="x", artist="y")
    track = BatchTrack.objects.create(album=album, title="t")
    change = {"kind": "track", "id": track.pk, "field": "number", "text": text}

    answer = owner_client().post(
        reverse("music:change", args=[batch.pk]), json.dumps(change), "application/json"
    )

    assert answer.status_code == 422
    assert "whole number" in answer.json()["sentence"]
