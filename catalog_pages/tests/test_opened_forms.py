"""Two people at one form of the shop: the second is told, and nobody's words are lost unseen."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from catalog_pages.models import LegalText, LegalVersion, ShopSettings
from catalog_pages.posted import OpenedForm
from catalog_pages.tests.editors import owner_client
from catalog_pages.tests.test_legal import content
from catalog_pages.tests.test_shop_settings import edit_url, form, preview_url, staff_client
from orders.models import LetterText
from tests.factories import make_editor

pytestmark = pytest.mark.django_db

OPENED_AS = re.compile(r'<input type="hidden" name="opened_as" value="([0-9a-f]{64})"')
REFUSED = "Somebody else saved this after you opened it."


def settings_form(words: str) -> tuple[str, dict[str, Any]]:
    return edit_url(), form(tagline=words)


def legal_form(words: str) -> tuple[str, dict[str, Any]]:
    row, _ = LegalText.objects.get_or_create(kind="terms")
    return reverse("legal_texts:edit", args=[row.pk]), {"draft": content(words)}


def letter_form(words: str) -> tuple[str, dict[str, Any]]:
    row, _ = LetterText.objects.get_or_create(kind="receipt")
    return reverse("letter_texts:edit", args=[row.pk]), {"above": words, "below": ""}


def stored() -> str:
    """All that the three forms may have written."""
    texts = [ShopSettings.load().tagline]
    texts += LegalText.objects.values_list("draft", flat=True)
    texts += LetterText.objects.values_list("above", flat=True)
    return " ".join(texts)


def opened_as(page: HttpResponse) -> str:
    found = OPENED_AS.findall(page.content.decode())
    assert len(found) == 1
    return found[0]


ALL = pytest.mark.parametrize("made", [settings_form, legal_form, letter_form])


@ALL
def test_the_second_is_told_and_keeps_what_was_typed(made: Any) -> None:
    first, second = owner_client(), owner_client()
    url = made("")[0]
    seen = opened_as(first.get(url))
    assert opened_as(second.get(url)) == seen

    taken = first.post(url, made("Theirs, from the first")[1] | {"opened_as": seen})
    refused = second.post(url, made("Mine, from the second")[1] | {"opened_as": seen})

    assert taken.status_code == 302
    assert refused.status_code == 200
    page = refused.content.decode()
    assert page.count(REFUSED) == 1
    assert "Mine, from the second" in page
    assert "Theirs, from the first" in stored()
    assert "Mine, from the second" not in stored()


@ALL
def test_saving_again_puts_the_second_in_place(made: Any) -> None:
    desk = owner_client()
    url = made("")[0]
    seen = opened_as(desk.get(url))
    desk.post(url, made("Theirs")[1] | {"opened_as": seen})
    refused = desk.post(url, made("Mine")[1] | {"opened_as": seen})

    again = desk.post(url, made("Mine")[1] | {"opened_as": opened_as(refused)})

    assert again.status_code == 302
    assert "Mine" in stored()


@ALL
def test_one_person_saves_as_often_as_they_like_and_presses_twice(made: Any) -> None:
    desk = owner_client()
    url = made("")[0]
    for words in ("One", "Two"):
        data = made(words)[1] | {"opened_as": opened_as(desk.get(url))}

        assert desk.post(url, data).status_code == 302
        assert desk.post(url, data).status_code == 302  # the second press of a double click
        assert words in stored()


@ALL
def test_a_preview_is_not_held_up(made: Any) -> None:
    desk = owner_client()
    url = made("")[0]
    seen = opened_as(desk.get(url))
    desk.post(url, made("Theirs")[1] | {"opened_as": seen})
    preview = preview_url() if made is settings_form else url.replace("/edit/", "/preview/")

    answer = desk.post(preview, made("Mine in a preview")[1] | {"opened_as": seen})

    assert answer.json() == {"is_valid": True, "is_available": True}
    if made is not settings_form:  # its preview is a page that may not show the tagline
        assert "Mine in a preview" in desk.get(preview).content.decode()
    assert "Mine in a preview" not in stored()


def test_a_text_that_is_refused_is_not_published() -> None:
    desk = owner_client()
    url, theirs = legal_form("Theirs")
    seen = opened_as(desk.get(url))
    desk.post(url, theirs | {"opened_as": seen})

    desk.post(url, legal_form("Mine")[1] | {"opened_as": seen, "action-publish": "1"})

    assert not LegalVersion.objects.exists()


def test_what_somebody_may_not_see_does_not_hold_them_up() -> None:
    staff = staff_client("catalog_pages.change_shopsettings")
    seen = opened_as(staff.get(edit_url()))
    ShopSettings.objects.update(download_limit=7)

    answer = staff.post(edit_url(), form(tagline="Mine") | {"opened_as": seen})

    assert answer.status_code == 302
    row = ShopSettings.load()
    assert (row.tagline, row.download_limit) == ("Mine", 7)


def test_a_form_that_was_valid_already_does_not_overwrite_what_came_in_between() -> None:
    row, _ = LetterText.objects.get_or_create(kind="receipt")
    form_class = LetterText.edit_handler.bind_to_model(LetterText).get_form_class()
    late: OpenedForm = form_class({"above": "Mine"}, instance=row, for_user=make_editor())
    assert late.is_valid()
    LetterText.objects.update(above="Theirs")

    with pytest.raises(BadRequest):
        late.save()

    assert LetterText.objects.get().above == "Theirs"


def test_a_request_that_does_not_say_what_it_was_opened_with_is_taken() -> None:
    client: Client = owner_client()
    url, data = letter_form("From a page that was open since before")

    assert client.post(url, data).status_code == 302
