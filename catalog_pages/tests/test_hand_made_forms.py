"""Forms that no browser sends are answered with 400, and change nothing."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse

from catalog_pages.models import LegalText, MusicBatch, ProductPage, ShopSettings
from catalog_pages.tests.editors import owner_client, product_data, track
from tests.factories import make_asset, make_editor, make_product

pytestmark = pytest.mark.django_db

NO_NUMBERS = ["\0", "NaN", "-1", "9" * 5000, "[", "1e400", "²", "١"]
NO_DOCUMENTS = [
    "\0", "NaN", "null", "[", "[1]", '"x"', "9" * 5000, "2024-02-30", "[" * 100_000,
    '{"blocks": [1], "entityMap": {}}',
    '{"blocks": [{"key": "a", "text": 1, "type": "unstyled", "depth": 0}], "entityMap": {}}',
    ('{"blocks": [{"key": "a", "text": "x", "type": "nothing", "entityRanges": '
    '[{"offset": 0, "length": 1, "key": 7}], "inlineStyleRanges": [], "depth": 0}], "entityMap": {}}'),
]  # fmt: skip


@pytest.fixture
def owner() -> Client:
    return owner_client()


def product_form(**changed: str) -> dict[str, Any]:
    return product_data(tracks=[track("First", make_asset())]) | changed


def addresses(page: ProductPage) -> list[str]:
    return [
        reverse("wagtailadmin_pages:edit", args=[page.pk]),
        reverse("product_editor:checklist", args=[page.pk]),
        reverse("wagtailadmin_pages:preview_on_edit", args=[page.pk]),
    ]


@pytest.mark.sampled(8)
@pytest.mark.parametrize("text", NO_NUMBERS)
@pytest.mark.parametrize("key", ["tracks-0-id", "tracks-TOTAL_FORMS", "contents-INITIAL_FORMS"])
def test_numbers_of_rows_are_numbers(owner: Client, key: str, text: str) -> None:
    page = make_product("Wares")

    for address in addresses(page):
        assert owner.post(address, product_form(**{key: text})).status_code == 400
    page.refresh_from_db()
    assert page.title == "Wares"


@pytest.mark.sampled(5)
@pytest.mark.parametrize("text", ["\0", "NaN", "1e400", "x", "9" * 5000])
@pytest.mark.parametrize("key", ["artist", "genre", "cover"])
def test_a_choice_is_an_id(owner: Client, key: str, text: str) -> None:
    page = make_product("Wares")

    for address in addresses(page):
        assert owner.post(address, product_form(**{key: text})).status_code == 400


@pytest.mark.sampled(3)
@pytest.mark.parametrize("text", ["0", "-1", "99999999999999999999"])
def test_a_choice_that_is_nobodys_is_an_error_of_its_field(owner: Client, text: str) -> None:
    page = make_product("Wares")

    answer = owner.post(addresses(page)[0], product_form(genre=text, **{"action-publish": "1"}))

    assert answer.status_code == 200
    assert answer.context["form"].errors["genre"]


@pytest.mark.sampled(6)
@pytest.mark.parametrize("text", NO_DOCUMENTS)
def test_rich_text_is_a_document_of_the_editors(owner: Client, text: str) -> None:
    page, legal = make_product("Wares"), LegalText.objects.get_or_create(kind="terms")[0]

    for address in addresses(page):
        assert owner.post(address, product_form(description=text)).status_code in (400, 200, 302)
    answer = owner.post(reverse("legal_texts:edit", args=[legal.pk]), {"draft": text})
    assert answer.status_code in (400, 200, 302)


@pytest.mark.parametrize("name", ["begin", "change", "move", "fill", "make"])
def test_a_form_is_no_json(owner: Client, name: str) -> None:
    batch = MusicBatch.objects.create(created_by=make_editor())

    for address in (
        reverse(f"music:{name}", args=[batch.pk]),
        reverse("digital_assets:upload_begin"),
    ):
        assert owner.post(address, {"csrfmiddlewaretoken": "x"}).status_code == 400


@pytest.mark.parametrize("text", ["nowhere", "?page=2", "NaN", "edit page"])
def test_where_to_go_next_is_an_address(owner: Client, text: str) -> None:
    page = make_product("Wares")
    edit, unpublish = (
        reverse(f"wagtailadmin_pages:{name}", args=[page.pk]) for name in ("edit", "unpublish")
    )
    publish = product_form(title="Goods", **{"action-publish": "1"})

    answers = [
        owner.post(edit, publish | {"next": text}),
        owner.post(unpublish, {"next": text}),
        owner.post(f"{unpublish}?{urlencode({'next': text})}"),
        owner.get(edit, {"next": text}),
    ]

    assert [answer.status_code for answer in answers] == [400] * 4
    page.refresh_from_db()
    assert (page.title, page.live) == ("Wares", True)
    assert owner.post(edit, publish | {"next": "/admin/reports/?p=2"}).url == "/admin/reports/?p=2"


@pytest.mark.parametrize("text", ["\0", "NaN", "x"])
def test_a_logo_is_an_id(owner: Client, text: str) -> None:
    row = ShopSettings.load()
    edit = reverse("wagtailsettings:edit", args=["catalog_pages", "shopsettings", row.pk])

    answer = owner.post(edit, {"shop_name": "Wares", "logo": text})

    assert answer.status_code == 400


@pytest.mark.sampled(4)
@pytest.mark.parametrize("rows", [("1", "9999"), ("0", "1"), ("40", "0"), ("2", "2")])
def test_rows_that_were_never_there_are_no_error_of_the_servers(
    owner: Client, rows: tuple[str, str]
) -> None:
    page = make_product("Wares")
    counts = {"tracks-TOTAL_FORMS": rows[0], "tracks-INITIAL_FORMS": rows[1]}

    for address in addresses(page):
        assert owner.post(address, product_form(**counts)).status_code < 500
