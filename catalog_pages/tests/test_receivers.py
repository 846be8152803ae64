"""What the catalogue does by itself: excerpts, cover sizes, and redirects from old addresses."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.images import ImageFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image
from wagtail.contrib.redirects.models import Redirect
from wagtail.models import Collection
from wagtail.test.utils.form_data import rich_text

from catalog_pages.assets import asset_store
from catalog_pages.models import Artist, CoverImage, DigitalAsset, Genre, ProductPage
from catalog_pages.tests.editors import create_product, owner_client, tone, track
from tests.factories import make_product

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor() -> Client:
    return owner_client()


@pytest.fixture
def recording(tmp_path: Path) -> DigitalAsset:
    """A stored file that really sounds."""
    source = tmp_path / "harbour.wav"
    source.write_bytes(tone())
    return asset_store(source=source, file_name=source.name).asset


# --- What publishing prepares --------------------------------------------------------------------


def png(colour: str) -> io.BytesIO:
    buffer = io.BytesIO()
    Image.new("RGB", (640, 640), colour).save(buffer, "PNG")
    return io.BytesIO(buffer.getvalue())


def picture() -> CoverImage:
    return CoverImage.objects.create(title="Sleeve", file=ImageFile(png("teal"), name="teal.png"))


def test_a_published_product_has_its_excerpts_and_cover_sizes(
    editor: Client, recording: DigitalAsset, django_capture_on_commit_callbacks: Any
) -> None:
    cover = picture()
    assert not cover.renditions.exists()

    with django_capture_on_commit_callbacks(execute=True):
        create_product(editor, "publish", tracks=[track("First", recording)], cover=cover.pk)

    assert recording.excerpts.count() == 1
    assert {r.width for r in cover.renditions.all()} >= {320, 640}


def test_a_draft_and_a_scheduled_product_have_no_excerpts_yet(
    editor: Client, recording: DigitalAsset, django_capture_on_commit_callbacks: Any
) -> None:
    later = f"{timezone.now() + timedelta(days=2):%Y-%m-%d %H:%M}"

    with django_capture_on_commit_callbacks(execute=True):
        create_product(editor, title="Draft", tracks=[track("First", recording)])
        rows = [track("First", recording)]
        create_product(editor, "publish", title="Later", tracks=rows, go_live_at=later)

    assert ProductPage.objects.get(title="Later").scheduled_revision
    assert not recording.excerpts.exists()


def test_a_cover_has_its_sizes_from_the_start_and_again_after_a_new_focal_point(
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        cover = picture()
    before = set(cover.renditions.values_list("filter_spec", "focal_point_key"))

    with django_capture_on_commit_callbacks(execute=True):
        cover.focal_point_x = cover.focal_point_y = 100
        cover.focal_point_width = cover.focal_point_height = 50
        cover.save()

    after = set(cover.renditions.values_list("filter_spec", "focal_point_key"))
    assert {spec for spec, _ in after} == {spec for spec, _ in before}
    assert before
    assert not before & after  # the earlier crop is gone


@pytest.mark.django_db(transaction=True)
def test_a_replaced_picture_gets_sizes_of_its_own(editor: Client) -> None:
    cover = picture()
    sizes = cover.renditions.count()
    new = SimpleUploadedFile("red.png", png("red").read(), "image/png")
    root = Collection.get_first_root_node()

    editor.post(
        reverse("wagtailimages:edit", args=[cover.pk]),
        {"title": "Sleeve", "file": new, "collection": root.pk, "tags": ""},
    )

    made = cover.renditions.all()
    assert len(made) == sizes > 0
    with Image.open(made[0].file) as shown:
        assert shown.convert("RGB").getpixel((10, 10))[0] > 200


def test_excerpts_leave_with_their_file(
    recording: DigitalAsset, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        page = make_product(assets=[recording])
    excerpt = recording.excerpts.get()
    storage, name = excerpt.file.storage, excerpt.file.name
    assert storage.exists(name)

    with django_capture_on_commit_callbacks(execute=True):
        page.delete()
        recording.delete()

    assert not storage.exists(name)


# --- Addresses of artists and genres -----------------------------------------------------------


@pytest.fixture(params=[Artist, Genre])
def named(request: pytest.FixtureRequest) -> Artist | Genre:
    """An artist or genre with something on sale, so that its page can be visited."""
    found = request.param.objects.create(name="Ada", slug="ada")
    make_product(**{request.param._meta.model_name: found})
    return found


def rename(client: Client, named: Artist | Genre, slug: str) -> None:
    name = f"wagtailsnippets_catalog_pages_{named._meta.model_name}:edit"
    data = {"name": named.name, "slug": slug, "biography": rich_text("")}
    response = client.post(reverse(name, args=[named.pk]), data)
    assert response.status_code == 302, response.context["form"].errors
    named.refresh_from_db()


def test_an_old_address_leads_to_the_new_one(editor: Client, named: Artist | Genre) -> None:
    old = named.get_absolute_url()

    rename(editor, named, "ada-lovelace")

    answer = Client().get(old)
    assert (answer.status_code, answer.url) == (301, named.get_absolute_url())


def test_every_old_address_is_one_hop_away(editor: Client, named: Artist | Genre) -> None:
    first = named.get_absolute_url()
    rename(editor, named, "ada-lovelace")
    second = named.get_absolute_url()

    rename(editor, named, "countess")

    for old in (first, second):
        assert Client().get(old).url == named.get_absolute_url()


def test_an_address_that_is_used_again_is_no_redirect(
    editor: Client, named: Artist | Genre
) -> None:
    first = named.get_absolute_url()
    rename(editor, named, "ada-lovelace")
    second = named.get_absolute_url()

    rename(editor, named, "ada")

    assert Client().get(first).status_code == 200
    assert Client().get(second).url == first
    assert Redirect.objects.count() == 1


def test_another_artist_may_take_an_old_address(editor: Client, named: Artist | Genre) -> None:
    old = named.get_absolute_url()
    rename(editor, named, "ada-lovelace")

    other = type(named).objects.create(name="Another Ada", slug="ada")
    make_product(**{type(named).__name__.lower(): other})

    assert Client().get(old).status_code == 200
    assert not Redirect.objects.exists()


def test_addresses_in_other_scripts_redirect_too(editor: Client, named: Artist | Genre) -> None:
    rename(editor, named, "молчат-дома")
    old = named.get_absolute_url()

    rename(editor, named, "٢ناس-" + "ж" * 190)

    answer = Client().get(old)
    assert (answer.status_code, answer.url) == (301, named.get_absolute_url())


def test_no_redirect_leads_to_what_was_deleted(editor: Client) -> None:
    artist = Artist.objects.create(name="Ada", slug="ada")
    rename(editor, artist, "ada-lovelace")

    artist.delete()

    assert not Redirect.objects.exists()


def test_saving_without_a_new_slug_makes_no_redirect(editor: Client, named: Artist | Genre) -> None:
    rename(editor, named, named.slug)

    assert not Redirect.objects.exists()
