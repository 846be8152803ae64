"""Drafts: an editor saves what there is, whenever, and is told at the field what cannot be."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.urls import reverse
from wagtail.test.utils.form_data import inline_formset

from catalog_pages.models import CataloguePage, ProductPage
from catalog_pages.tests.editors import (
    create_product,
    edit_product,
    owner_client,
    product_data,
    sentences,
    track,
)
from tests.factories import make_asset, make_product

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor() -> Client:
    return owner_client()


def test_a_draft_is_saved_with_everything_missing(editor: Client) -> None:
    response = create_product(editor, price_pennies="", artist="", tracks=[])

    page = ProductPage.objects.get()
    assert response.status_code == 302
    assert (page.live, page.price_pennies, page.artist, page.tracks.count()) == (
        False,
        None,
        None,
        0,
    )


def test_a_draft_is_saved_with_empty_tracks_and_files_not_chosen(editor: Client) -> None:
    rows = [track(""), track("Second", None), track("", None, None)]

    response = create_product(editor, tracks=rows)

    assert response.status_code == 302
    assert [t.title for t in ProductPage.objects.get().tracks.all()] == ["", "Second", ""]


@pytest.mark.parametrize("typed", ["4.99", "4,99", "£4.99", " 4.99 ", "GBP 4.99"])
def test_a_price_is_typed_as_people_write_it(editor: Client, typed: str) -> None:
    create_product(editor, price_pennies=typed)

    assert ProductPage.objects.get().price_pennies == 499


def test_a_price_of_nought_is_a_price(editor: Client) -> None:
    create_product(editor, "publish", price_pennies="0")

    page = ProductPage.objects.get()
    assert (page.live, page.price_pennies) == (True, 0)


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("abc", "Enter a price such as 4.99."),
        ("-1", "Enter a price such as 4.99."),
        ("4.999", "A price in GBP has at most two decimals"),
        ("1,000.00", "Enter a price such as 4.99."),
        ("99999999999", "A price can be at most £999,999.99."),
        ("9" * 5000, "Enter a price such as 4.99."),
        ("٤.٩٩", "Enter a price such as 4.99."),
    ],
)
def test_a_price_that_is_none_is_a_sentence_at_the_field(
    editor: Client, typed: str, sentence: str
) -> None:
    response = create_product(editor, price_pennies=typed)

    assert response.status_code == 200
    assert sentence in response.context["form"].errors["price_pennies"][0]
    assert not ProductPage.objects.exists()


@pytest.mark.wide
def test_the_price_is_shown_again_as_it_was_typed(editor: Client) -> None:
    page = make_product(price_pennies=1250)

    form = editor.get(reverse("wagtailadmin_pages:edit", args=[page.pk])).context["form"]

    assert form["price_pennies"].value() == "12.50"


def test_autosave_keeps_a_half_written_product(editor: Client) -> None:
    parent = CataloguePage.objects.get()
    url = reverse("wagtailadmin_pages:add", args=["catalog_pages", "productpage", parent.pk])
    data = product_data(price_pennies="", artist="", tracks=[track("", None)])

    created = editor.post(url, data, headers={"accept": "application/json"})

    answer = json.loads(created.content)
    assert answer["success"], answer
    edit = reverse("wagtailadmin_pages:edit", args=[answer["pk"]])
    data |= answer["field_updates"] | {"title": "Harbour, again"}
    again = editor.post(edit, data, headers={"accept": "application/json"})
    assert json.loads(again.content)["success"]
    page = ProductPage.objects.get().get_latest_revision_as_object()
    assert (page.title, page.tracks.count()) == ("Harbour, again", 1)


def test_a_file_chosen_twice_for_a_track_is_a_sentence(editor: Client) -> None:
    asset = make_asset()

    for action in ("", "publish"):
        response = create_product(editor, action, tracks=[track("First", asset, asset)])

        assert response.status_code == 200
        assert "duplicate" in sentences(response)
    assert not ProductPage.objects.exists()


@pytest.mark.wide
@pytest.mark.parametrize("asset", ["7b7c7d0e-1f0a-4a57-9c2f-0d6d9a6f3f11", "nonsense"])
def test_a_file_that_is_gone_meanwhile_is_a_sentence(editor: Client, asset: str) -> None:
    row = track("First")
    row["files"] = inline_formset([{"asset": asset}])

    for action in ("", "publish"):
        response = create_product(editor, action, tracks=[row])

        assert response.status_code == 200
    assert not ProductPage.objects.exists()


@pytest.mark.wide
def test_an_excerpt_out_of_range_is_a_sentence(editor: Client) -> None:
    row = track("First", make_asset(), excerpt_length_seconds="500")

    response = create_product(editor, "publish", tracks=[row])

    assert response.status_code == 200
    assert "An excerpt is between 5 and 90 seconds long." in sentences(response)


def test_a_draft_of_a_live_product_changes_nothing_that_shoppers_see(editor: Client) -> None:
    page = make_product("Harbour", price_pennies=499)

    edit_product(editor, page, price_pennies="9.99", tracks=[])

    page.refresh_from_db()
    assert (page.live, page.price_pennies, page.tracks.count()) == (True, 499, 1)
    assert page.get_latest_revision_as_object().price_pennies == 999


def test_an_unfinished_product_can_be_previewed_before_it_is_saved(editor: Client) -> None:
    parent = CataloguePage.objects.get()
    args = ["catalog_pages", "productpage", parent.pk]
    url = reverse("wagtailadmin_pages:preview_on_add", args=args)
    data = product_data(price_pennies="", artist="", tracks=[track("", None)])

    accepted = editor.post(url, data)
    preview = editor.get(url)

    assert json.loads(accepted.content)["is_valid"]
    assert preview.status_code == 200
    assert "Harbour" in preview.content.decode()


def test_an_unfinished_draft_can_be_previewed_and_viewed(editor: Client) -> None:
    create_product(editor, price_pennies="", artist="", tracks=[track("", None)])
    page = ProductPage.objects.get()

    draft = editor.get(reverse("wagtailadmin_pages:view_draft", args=[page.pk]))

    assert draft.status_code == 200
    assert "Harbour" in draft.content.decode()


def test_the_editor_opens_for_a_product_with_tracks_and_files(editor: Client) -> None:
    page = make_product(assets=[make_asset(file_name="one.flac"), make_asset(file_name="two.flac")])

    response = editor.get(reverse("wagtailadmin_pages:edit", args=[page.pk]))

    assert response.status_code == 200
    for part in (
        "Choose another file",
        "one.flac · FLAC · 1:01",
        "two.flac · FLAC · 1:01",
        "chooser_upload.js",
    ):
        assert part in response.content.decode()


def test_a_changed_product_slug_redirects_from_the_old_address(
    editor: Client, django_capture_on_commit_callbacks
) -> None:
    page = make_product("Harbour", slug="harbour")
    old_url = page.url

    with django_capture_on_commit_callbacks(execute=True):
        edit_product(editor, page, "publish", slug="harbour-remastered")

    answer = Client().get(old_url)
    assert (answer.status_code, answer.url) == (301, "/catalog/harbour-remastered/")
