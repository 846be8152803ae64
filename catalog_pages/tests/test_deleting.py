"""What something still needs is not deleted, and the editor reads why."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from wagtail.models import Page

from catalog_pages.models import (
    Artist,
    CataloguePage,
    CoverImage,
    DigitalAsset,
    Genre,
    HomePage,
    ProductPage,
)
from catalog_pages.tests.editors import bulk, edit_product, owner_client, sentences, track
from tests.factories import make_asset, make_product

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor() -> Client:
    return owner_client()


def delete_page(client: Client, page: Page) -> object:
    data = {"confirm_site_name": "Digital Downloads"}
    return client.post(reverse("wagtailadmin_pages:delete", args=[page.pk]), data)


def delete_asset(client: Client, asset: DigitalAsset) -> object:
    return client.post(reverse("digital_assets:delete", args=[asset.pk]))


def delete_snippets(client: Client, *snippets: Artist | Genre) -> object:
    model = snippets[0]._meta.model_name
    url = reverse("wagtail_bulk_action", args=["catalog_pages", model, "delete"])
    return client.post(url + "?" + "&".join(f"id={snippet.pk}" for snippet in snippets))


def delete_snippet(client: Client, snippet: Artist | Genre) -> object:
    name = f"wagtailsnippets_catalog_pages_{snippet._meta.model_name}:delete"
    return client.post(reverse(name, args=[snippet.pk]))


# --- Pages ---------------------------------------------------------------------------------------


def test_a_product_that_nobody_ordered_is_deleted_and_its_files_stay(editor: Client) -> None:
    asset = make_asset()
    page = make_product(assets=[asset])

    delete_page(editor, page)

    assert not ProductPage.objects.exists()
    assert asset.file.storage.exists(asset.file.name)
    assert DigitalAsset.objects.filter(pk=asset.pk).exists()


@pytest.mark.parametrize("model", [HomePage, CataloguePage])
def test_the_shops_own_pages_stay(editor: Client, model: type[Page]) -> None:
    page = model.objects.get()

    alone = delete_page(editor, page)
    in_bulk = bulk(editor, "delete", page, confirm_site_name="Digital Downloads")

    for response in (alone, in_bulk):
        assert response.status_code == 302
        assert f"The shop needs the page “{page.title}”" in sentences(response)
    assert model.objects.exists()


def test_the_question_is_not_even_asked_for_a_page_that_stays(editor: Client) -> None:
    page = CataloguePage.objects.get()

    response = editor.get(reverse("wagtailadmin_pages:delete", args=[page.pk]))

    assert response.status_code == 302
    assert "The shop needs the page “Catalogue”" in sentences(response)


# --- Artists, genres, covers -----------------------------------------------------------------------


def test_an_artist_or_genre_that_a_product_names_stays(editor: Client) -> None:
    artist, genre = Artist.objects.create(name="Ada"), Genre.objects.create(name="Dub")
    make_product("Harbour", artist=artist, genre=genre)

    for snippet in (artist, genre):
        for response in (delete_snippet(editor, snippet), delete_snippets(editor, snippet)):
            assert response.status_code == 302
            assert f"“{snippet}” is named by “Harbour”." in sentences(response)
        snippet.refresh_from_db()


def test_one_artist_in_use_stops_the_whole_selection(editor: Client) -> None:
    used, unused = Artist.objects.create(name="Ada"), Artist.objects.create(name="Bo")
    make_product("Harbour", artist=used)

    response = delete_snippets(editor, used, unused)

    assert "“Ada” is named by “Harbour”." in sentences(response)
    assert Artist.objects.count() == 2


def test_many_products_are_not_all_listed(editor: Client) -> None:
    artist = Artist.objects.create(name="Ada")
    for title in "ABCDE":
        make_product(title, artist=artist)

    response = delete_snippet(editor, artist)

    assert "“Ada” is named by “A”, “B”, “C” and 2 more." in sentences(response)


def test_unused_artists_and_genres_are_deleted(editor: Client) -> None:
    artists = [Artist.objects.create(name="Ada"), Artist.objects.create(name="Bo")]
    genre = Genre.objects.create(name="Dub")

    delete_snippets(editor, *artists)
    delete_snippet(editor, genre)

    assert not Artist.objects.exists()
    assert not Genre.objects.exists()


def test_an_artist_that_only_a_draft_names_stays_and_the_draft_opens(editor: Client) -> None:
    page = make_product("Harbour")
    new = Artist.objects.create(name="Ada")
    edit_product(editor, page, artist=new)

    response = delete_snippet(editor, new)

    assert "named by a draft or an earlier version of “Harbour”" in sentences(response)
    edit = reverse("wagtailadmin_pages:edit", args=[page.pk])
    assert editor.get(edit).status_code == 200


def test_deleting_a_cover_leaves_the_product_without_one(editor: Client) -> None:
    cover = CoverImage.objects.create(title="Sleeve", file="x.png", width=8, height=8)
    page = make_product(cover=cover)

    editor.post(reverse("wagtailimages:delete", args=[cover.pk]))

    page.refresh_from_db()
    assert page.cover is None
    assert editor.get(reverse("wagtailadmin_pages:edit", args=[page.pk])).status_code == 200


# --- Audio files -----------------------------------------------------------------------------------


def test_an_unused_file_leaves_the_list_and_the_storage(
    editor: Client, django_capture_on_commit_callbacks
) -> None:
    asset = make_asset()
    storage, name = asset.file.storage, asset.file.name

    with django_capture_on_commit_callbacks(execute=True):
        delete_asset(editor, asset)
        assert storage.exists(name)

    assert not DigitalAsset.objects.exists()
    assert not storage.exists(name)


def test_a_file_that_a_track_uses_stays(editor: Client) -> None:
    asset = make_asset(file_name="harbour.flac")
    make_product("Harbour", assets=[asset])

    asked = editor.get(reverse("digital_assets:delete", args=[asset.pk]))
    response = delete_asset(editor, asset)

    for answer in (asked, response):
        assert answer.status_code == 302
        assert "“harbour.flac” is used by “Harbour”." in sentences(answer)
    assert asset.file.storage.exists(asset.file.name)


def test_a_file_that_only_a_draft_uses_stays_and_the_draft_opens(editor: Client) -> None:
    page, asset = make_product("Harbour"), make_asset()
    edit_product(editor, page, tracks=[track("First", asset)])

    response = delete_asset(editor, asset)

    assert "named by a draft or an earlier version of “Harbour”" in sentences(response)
    assert editor.get(reverse("wagtailadmin_pages:edit", args=[page.pk])).status_code == 200


def test_a_file_that_was_replaced_stays(editor: Client) -> None:
    old = make_asset(file_name="old.flac")
    make_asset(replaces=old, lineage=old.lineage)

    response = delete_asset(editor, old)

    assert "“old.flac” stays, because a newer file replaced it" in sentences(response)
    assert DigitalAsset.objects.count() == 2
