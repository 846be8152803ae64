"""Once buyers can know of a new version it stays one, and the editor reads why."""

from __future__ import annotations

import pytest
from django.test import Client

from catalog_pages.models import DigitalAsset
from catalog_pages.tests.editors import owner_client
from catalog_pages.tests.test_replacing import chain, on_sale, replace
from catalog_pages.tests.test_unreplacing import is_alone, is_version, publish, undo, undo_address
from catalog_pages.versions import CannotUndo, version_undo
from orders.models import PublishedVersion
from tests.factories import buy, make_asset, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.wide]


def refusal(new: DigitalAsset, old: DigitalAsset) -> str:
    """Said when it is asked for and when it is done; the link stands afterwards as before."""
    client, link = owner_client(), DigitalAsset.objects.get(pk=new.pk).replaces_id
    asked, answer = client.get(undo_address(new, old)), undo(client, new, old)
    assert (asked.status_code, answer.status_code) == (409, 409)
    assert "<form" not in asked.content.decode().split('role="alert"')[1].split("</main>")[0]
    assert DigitalAsset.objects.get(pk=new.pk).replaces_id == link
    return answer.content.decode()


def test_a_version_on_sale_stays() -> None:
    old, new = make_asset(), make_asset()
    on_sale(old, title="Single")
    replace(owner_client(), old, new, publish_now="on")

    assert "is on sale in “Single”" in refusal(new, old)


def test_a_version_that_was_offered_once_stays(client: Client) -> None:
    old, new = make_asset(), make_asset()
    page = on_sale(old)
    replace(owner_client(), old, new)
    publish(page)
    page.unpublish()

    assert PublishedVersion.objects.filter(asset=new).exists()
    assert "has been on sale as the new version" in refusal(new, old)


def test_a_version_that_somebody_bought_stays(client: Client) -> None:
    old, new = make_asset(), make_asset()
    page = on_sale(old)
    replace(owner_client(), old, new)
    page.refresh_from_db()
    page.get_latest_revision().publish()
    buy(client, make_user(), page)
    page.refresh_from_db()
    page.unpublish()
    PublishedVersion.objects.all().delete()

    assert "has been on sale as the new version" in refusal(new, old)


def test_a_version_with_a_later_one_is_not_taken_out_of_the_middle() -> None:
    first, second, third = chain(3)

    assert f"has been replaced by “{third}” itself" in refusal(second, first)

    undo(owner_client(), third, second)
    undo(owner_client(), second, first)

    assert all(is_alone(asset) for asset in (first, second, third))


def test_only_what_was_asked_about_is_undone() -> None:
    (first, second), other = chain(2), make_asset()

    assert "is not the new version of" in refusal(second, other)
    assert is_version(second, of=first)


def test_a_file_that_is_gone_is_not_found() -> None:
    new, gone = make_asset(), make_asset()
    address = undo_address(new, gone)
    gone.delete()

    assert owner_client().get(address).status_code == 404
    with pytest.raises(DigitalAsset.DoesNotExist):
        version_undo(old_id=gone.pk, new_id=new.pk)


def test_refusals_are_of_one_kind_with_a_sentence() -> None:
    with pytest.raises(CannotUndo) as caught:
        version_undo(old_id=make_asset().pk, new_id=make_asset().pk)

    assert (caught.value.code, caught.value.status) == ("cannot_undo", 409)
