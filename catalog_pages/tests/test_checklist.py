"""What is still missing, told while somebody writes, before anything is saved."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from catalog_pages.models import ProductPage
from catalog_pages.roles import EDITORS
from catalog_pages.tests.editors import (
    member_client,
    owner_client,
    product_data,
    track,
    unfinished,
)
from tests.factories import make_asset, make_product, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor() -> Client:
    return member_client(EDITORS)


def checklist(client: Client, page: ProductPage | None = None, **fields: Any) -> dict[str, str]:
    """Sentence -> the field it leads to, with the row after a dot."""
    url = reverse("product_editor:checklist", args=[page.pk if page else 0])
    response = client.post(url, product_data(**fields))
    assert response.status_code == 200, response
    entry = re.compile(
        r'data-checklist-field="(\w+)"\s*(?:data-checklist-row="(\d+)")?\s*>([^<]*)</a>'
    )
    found = entry.findall(response.content.decode())
    return {text: f"{field}.{row}".rstrip(".") for field, row, text in found}


def test_a_new_product_lacks_all_that_publishing_asks_for(editor: Client) -> None:
    told = checklist(editor, title="", price_pennies="", artist="", tracks=[])

    assert set(told.values()) == {"title", "price_pennies", "artist", "tracks"}
    assert not ProductPage.objects.exists()


def test_what_is_typed_leaves_the_list_before_it_is_saved(editor: Client) -> None:
    assert checklist(editor) == {}
    page = unfinished()
    assert checklist(editor, page) == {}
    page.refresh_from_db()
    assert (page.price_pennies, page.tracks.count()) == (None, 0), "nothing was written"


def test_each_entry_leads_to_its_row(editor: Client) -> None:
    rows = [track("First", make_asset()), track("", make_asset()), track("Third", None)]

    told = checklist(editor, tracks=rows)

    assert told == {
        "Give track 2 a title.": "tracks.1",
        "Track 3 (“Third”) has no file yet.": "tracks.2",
    }


def test_what_a_field_cannot_read_is_told_with_the_rest(editor: Client) -> None:
    told = checklist(editor, price_pennies="abc", tracks=[])

    assert told["Price: Enter a price such as 4.99."] == "price_pennies"
    assert "tracks" in told.values()


@pytest.mark.parametrize("excerpt", ["3", "91"])
def test_a_row_with_a_mistake_is_named(editor: Client, excerpt: str) -> None:
    rows = [track("First", make_asset(), excerpt_length_seconds=excerpt)]

    assert list(checklist(editor, tracks=rows).values()) == ["tracks.0"]


def test_titles_are_shown_as_text(editor: Client) -> None:
    url = reverse("product_editor:checklist", args=[0])
    data = product_data(tracks=[track("<script>alert(1)</script>", None)])

    assert b"<script>" not in editor.post(url, data).content


def test_a_form_without_its_lists_is_no_error_of_the_shop(editor: Client) -> None:
    url = reverse("product_editor:checklist", args=[0])

    assert editor.post(url, {"title": "Harbour"}).status_code == 200


def test_only_who_may_write_the_page_is_told(editor: Client) -> None:
    page = make_product()
    url = reverse("product_editor:checklist", args=[page.pk])
    shopper = Client()
    shopper.force_login(make_user())

    assert shopper.post(url, product_data()).status_code in {302, 403}
    assert Client().post(url, product_data()).status_code in {302, 403}
    assert editor.get(url).status_code == 405
    assert editor.post(reverse("product_editor:checklist", args=[999_999])).status_code == 404


def test_the_editor_opens_with_the_list(editor: Client) -> None:
    page = unfinished()

    shown = owner_client().get(reverse("wagtailadmin_pages:edit", args=[page.pk]))

    assert "2 things are missing before this can be published." in " ".join(
        shown.content.decode().split()
    )
