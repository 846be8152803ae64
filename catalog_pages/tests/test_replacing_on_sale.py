"""Replacing a file that other pages and other products have as well."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from catalog_pages.models import ProductPage, TrackFile
from catalog_pages.tests.editors import owner_client
from catalog_pages.tests.test_replacing import draft_of, files_of, on_sale, refusal, replace
from catalog_pages.versions import newest_published, version_add
from tests.factories import buy, make_asset, make_user

pytestmark = pytest.mark.django_db


def use_in_draft(page: ProductPage, asset: object) -> None:
    track = page.tracks.get()
    track.files.set([TrackFile(asset=asset)])
    page.tracks.add(track)
    page.save_revision()


# --- Aliases --------------------------------------------------------------------------------------


def test_an_alias_of_a_product_gets_the_new_file_when_the_product_is_published() -> None:
    old, new = make_asset(), make_asset()
    page = on_sale(old, title="Harbour")
    alias = page.create_alias(parent=page.get_parent(), update_slug="harbour-again")

    answer = replace(owner_client(), old, new, publish_now="on")

    assert answer.status_code == 200
    assert answer.content.decode().count("Published with the new file.") == 1
    assert files_of(ProductPage.objects.get(pk=page.pk)) == [new]
    assert files_of(ProductPage.objects.get(pk=alias.pk)) == [new]


# --- Drafts that have moved on --------------------------------------------------------------------


def test_a_product_on_sale_whose_draft_uses_the_file_no_more_is_named_and_left_alone() -> None:
    old, new, chosen = make_asset(), make_asset(), make_asset()
    page = on_sale(old, title="Single")
    use_in_draft(page, chosen)

    answer = replace(owner_client(), old, new, publish_now="on")

    body = answer.content.decode()
    assert "It is on sale with the old file. Its draft no longer uses that" in body
    assert "/bulk/" not in body, "publishing would not bring the new file"
    assert files_of(draft_of(page)) == [chosen]
    assert files_of(ProductPage.objects.get(pk=page.pk)) == [old]


def test_a_draft_of_nothing_on_sale_that_uses_the_file_no_more_is_not_named() -> None:
    old, new, chosen = make_asset(), make_asset(), make_asset()
    page = on_sale(old)
    use_in_draft(page, chosen)
    page.unpublish()

    answer = replace(owner_client(), old, new)

    assert "No product uses" in answer.content.decode()


# --- A new file that is on sale already -----------------------------------------------------------


def test_the_file_of_another_product_on_sale_is_refused_and_no_owner_is_offered_it(
    client: Client,
) -> None:
    old, dear = make_asset(), make_asset()
    user = buy(client, make_user(), on_sale(old)).user
    on_sale(dear, title="Dear")

    said = refusal(old, dear)

    assert "is on sale in “Dear” already" in said
    assert newest_published([old.pk]) == {}
    client.force_login(user)
    assert "new version" not in client.get(reverse("orders:purchases")).content.decode()


def test_one_product_with_both_does_not_excuse_another_with_the_new_file_alone() -> None:
    old, new = make_asset(), make_asset()
    on_sale(old, new)
    on_sale(new, title="Apart")

    assert "is on sale in “Apart” already" in refusal(old, new)


def test_a_file_on_sale_beside_the_old_one_alone_can_replace_it() -> None:
    old, new = make_asset(), make_asset()
    on_sale(old, new)

    assert version_add(old_id=old.pk, new_id=new.pk).replaces == old


def test_a_file_of_a_product_that_is_not_on_sale_can_replace() -> None:
    old, new = make_asset(), make_asset()
    on_sale(new).unpublish()

    assert version_add(old_id=old.pk, new_id=new.pk).replaces == old
