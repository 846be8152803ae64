"""A replacement that was a mistake is taken back by the editor, and nobody is offered a wrong file."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from wagtail.models import ModelLogEntry

from catalog_pages.models import DigitalAsset, ProductPage
from catalog_pages.roles import EDITORS
from catalog_pages.tests.editors import (
    bulk,
    member_client,
    owner_client,
    sentences,
)
from catalog_pages.tests.test_replacing import chain, draft_of, files_of, on_sale, replace
from catalog_pages.tests.test_replacing_on_sale import use_in_draft
from catalog_pages.versions import newest_published, version_add
from downloads.models import UserAsset
from orders.services.updates import new_versions_sweep, new_versions_tell, update_wish_add
from orders.tests.guesting import letters
from tests.factories import buy, make_asset, make_editor, make_product, make_user
from tests.together import at_once

in_one_transaction = pytest.mark.django_db
for_real = pytest.mark.django_db(transaction=True)


def undo_address(new: DigitalAsset, old: DigitalAsset) -> str:
    return reverse("digital_assets:undo_replace", args=[new.pk, old.pk])


def undo(client: Client, new: DigitalAsset, old: DigitalAsset) -> Any:
    return client.post(undo_address(new, old))


def is_version(new: DigitalAsset, of: DigitalAsset) -> bool:
    return DigitalAsset.objects.filter(pk=new.pk, replaces=of, lineage=of.lineage).exists()


def is_alone(asset: DigitalAsset) -> bool:
    """A version of nothing, with a lineage that no other file has."""
    row = DigitalAsset.objects.get(pk=asset.pk)
    return row.replaces_id is None and DigitalAsset.objects.filter(lineage=row.lineage).count() == 1


def publish(page: ProductPage) -> int:
    """What stands in its newest draft, and the task that follows; how many letters that wrote."""
    page.refresh_from_db()
    page.get_latest_revision().publish()
    return new_versions_tell(page_id=page.pk)


# --- The whole story ------------------------------------------------------------------------------


@in_one_transaction
def test_the_file_of_another_product_chosen_by_mistake_is_never_offered(client: Client) -> None:
    song_a, song_b = make_asset(file_name="song-a.flac"), make_asset(file_name="song-b.flac")
    right = make_asset(file_name="song-a-2.flac")
    page_a, page_b = on_sale(song_a, title="A"), make_product("B", assets=[song_b], live=False)
    user = buy(client, make_user(), page_a).user
    grant = UserAsset.objects.get()
    update_wish_add(order_item_id=grant.order_item_id, seat=grant.seat)
    letters()
    editor = owner_client()
    replace(editor, song_a, song_b)
    use_in_draft(page_a, song_a)
    publish(page_a)

    refused = bulk(editor, "publish", page_b)
    undone = undo(editor, song_b, song_a)
    bulk(editor, "publish", page_b)
    new_versions_tell(page_id=page_b.pk)

    assert "was chosen as the new version of “song-a.flac”" in sentences(refused)
    assert undone.status_code == 200
    assert is_alone(song_b)
    assert files_of(draft_of(page_b)) == [song_b]
    assert ProductPage.objects.get(pk=page_b.pk).live
    assert newest_published([song_a.pk]) == {}
    assert new_versions_sweep() == 0
    assert letters() == []
    client.force_login(user)
    assert "song-b" not in client.get(reverse("orders:purchases")).content.decode()

    replace(editor, song_a, right, publish_now="on")

    assert newest_published([song_a.pk]) == {song_a.pk: right}
    assert new_versions_tell(page_id=page_a.pk) == 1
    assert len(letters()) == 1


# --- Undoing in the admin -------------------------------------------------------------------------


@in_one_transaction
def test_both_files_pages_name_each_other_and_the_new_one_has_the_button() -> None:
    old, new, client = (
        make_asset(file_name="old.flac"),
        make_asset(file_name="new.flac"),
        owner_client(),
    )
    replace(client, old, new)
    pages = [reverse("digital_assets:inspect", args=[asset.pk]) for asset in (old, new)]

    of_old, of_new = (client.get(page).content.decode() for page in pages)
    asked = client.get(undo_address(new, old)).content.decode()

    assert f'Replaced by <a href="{pages[1]}">new.flac</a>' in of_old
    assert f'New version of <a href="{pages[0]}">old.flac</a>' in of_new
    assert undo_address(new, old) in of_new
    assert "Undo: not a new version" in of_new
    assert "Undo: not a new version" not in of_old
    assert "“new.flac” was chosen as the new version of “old.flac”" in asked
    assert is_version(new, of=old), "asking changes nothing"


@in_one_transaction
def test_a_file_without_versions_has_no_such_button() -> None:
    address = reverse("digital_assets:inspect", args=[make_asset().pk])

    shown = owner_client().get(address).content.decode()

    assert "not a new version" not in shown
    assert "No other version" in shown


@pytest.mark.wide
@in_one_transaction
def test_the_old_file_goes_back_where_replacing_had_taken_it_out() -> None:
    old, new, other = make_asset(), make_asset(), make_asset()
    single, album = on_sale(old, title="Single"), on_sale(other, old, title="Album")
    soon = make_product("Soon", assets=[old], live=False)
    client = owner_client()
    replace(client, old, new)

    body = undo(client, new, old).content.decode()

    assert is_alone(new)
    assert files_of(draft_of(single)) == [old]
    assert files_of(draft_of(album)) == [other, old]
    assert files_of(draft_of(soon)) == [old]
    assert re.search(r"Single</a>:\s+The old file is back in its draft, as it is on sale\.", body)
    assert re.search(r"Soon</a>:\s+The old file is back in its draft\.", body)
    assert not ProductPage.objects.get(pk=soon.pk).live
    assert "/bulk/" not in body, "publishing would bring nothing"


@pytest.mark.wide
@in_one_transaction
def test_what_else_waits_in_a_draft_stays_there() -> None:
    old, new = make_asset(), make_asset()
    page, client = on_sale(old, title="Single"), owner_client()
    replace(client, old, new)
    draft = draft_of(page)
    draft.title = "Another title"
    draft.save_revision()

    undo(client, new, old)

    draft = draft_of(page)
    assert (draft.title, files_of(draft)) == ("Another title", [old])
    assert ProductPage.objects.get(pk=page.pk).title == "Single"


@pytest.mark.wide
@in_one_transaction
def test_a_track_that_had_the_new_file_by_itself_keeps_it() -> None:
    old, new = make_asset(), make_asset()
    both = make_product("Both", assets=[old, new], live=False)
    alone = make_product("Alone", assets=[new], live=False)
    client = owner_client()
    replace(client, old, new)
    assert files_of(draft_of(both)) == [new, new]
    before = alone.get_latest_revision().pk

    body = undo(client, new, old).content.decode()

    assert files_of(draft_of(both)) == [old, new]
    assert alone.get_latest_revision().pk == before
    assert "Alone" not in body


@in_one_transaction
def test_what_an_editor_put_there_by_hand_is_named_and_left_alone() -> None:
    old, new = make_asset(), make_asset(file_name="new.flac")
    page, client = on_sale(old, title="Single"), owner_client()
    use_in_draft(page, new)
    replace(client, old, new)

    body = undo(client, new, old).content.decode()

    assert files_of(draft_of(page)) == [new]
    assert "where replacing did not put it" in body


@in_one_transaction
def test_a_link_without_history_is_undone_where_the_old_file_is_on_sale() -> None:
    old, new = make_asset(), make_asset()
    page = on_sale(old)
    version_add(old_id=old.pk, new_id=new.pk)
    use_in_draft(page, new)

    undo(owner_client(), new, old)

    assert files_of(draft_of(page)) == [old]


@in_one_transaction
def test_a_product_that_somebody_has_locked_is_left_as_it_was() -> None:
    old, new = make_asset(), make_asset()
    page, client = on_sale(old), owner_client()
    replace(client, old, new)
    page.refresh_from_db()
    page.locked, page.locked_by = True, make_editor()
    page.save()

    body = undo(client, new, old).content.decode()

    assert is_alone(new)
    assert files_of(draft_of(page)) == [new]
    assert "You cannot edit it now" in body


@in_one_transaction
def test_the_history_of_both_files_says_it() -> None:
    old, new = make_asset(file_name="old.flac"), make_asset(file_name="new.flac")
    client = owner_client()
    replace(client, old, new)

    undo(client, new, old)

    entries = ModelLogEntry.objects.filter(action="catalog_pages.undo_replace_asset").order_by("pk")
    assert [entry.message for entry in entries] == [
        "No new version of “old.flac” any more",
        "Not replaced by “new.flac” any more",
    ]
    assert all(entry.user_id for entry in entries)


@in_one_transaction
def test_both_files_can_be_replaced_or_deleted_afterwards() -> None:
    old, new, right, client = make_asset(), make_asset(), make_asset(), owner_client()
    replace(client, old, new)
    undo(client, new, old)

    replace(client, old, right)
    client.post(reverse("digital_assets:delete", args=[new.pk]))

    assert is_version(right, of=old)
    assert not DigitalAsset.objects.filter(pk=new.pk).exists()


@in_one_transaction
def test_editors_undo_as_they_replace() -> None:
    old, new = make_asset(), make_asset()
    client = member_client(EDITORS)
    replace(client, old, new)

    undo(client, new, old)

    assert is_alone(new)


@in_one_transaction
def test_visitors_and_strangers_to_the_admin_undo_nothing(client: Client) -> None:
    old, new = chain(2)
    visitor = undo(client, new, old)
    client.force_login(make_user())

    stranger = undo(client, new, old)

    assert (visitor.status_code, stranger.status_code) == (302, 302)
    assert is_version(new, of=old)


@in_one_transaction
def test_undoing_needs_the_token_and_is_only_ever_posted() -> None:
    old, new = chain(2)
    known, strict = owner_client(), Client(enforce_csrf_checks=True)
    strict.cookies = known.cookies
    strict.get(undo_address(new, old))
    token = strict.cookies["csrftoken"].value

    without = strict.post(undo_address(new, old))
    put = known.put(undo_address(new, old))
    stood = is_version(new, of=old)
    with_token = strict.post(undo_address(new, old), {"csrfmiddlewaretoken": token})

    assert (without.status_code, put.status_code, with_token.status_code) == (403, 405, 200)
    assert stood
    assert is_alone(new)


# --- Two editors at once --------------------------------------------------------------------------


@pytest.mark.wide
@for_real
def test_of_two_editors_who_undo_at_once_one_reads_that_it_is_done() -> None:
    old, new = make_asset(), make_asset()
    page = on_sale(old)
    editors = [owner_client(), owner_client()]
    replace(editors[0], old, new)

    answers = at_once(*(lambda one=one: undo(one, new, old).status_code for one in editors))

    assert sorted(answers) == [200, 409]
    assert is_alone(new)
    assert files_of(draft_of(page)) == [old]
    assert ModelLogEntry.objects.filter(action="catalog_pages.undo_replace_asset").count() == 2


@pytest.mark.wide
@for_real
def test_undone_and_replaced_again_at_once_the_chain_is_whole() -> None:
    old, new, newest = make_asset(), make_asset(), make_asset()
    undoing, replacing = owner_client(), owner_client()
    replace(undoing, old, new)

    answers = at_once(
        lambda: undo(undoing, new, old).status_code,
        lambda: replace(replacing, new, newest).status_code,
    )

    # Whoever was first: `new` is undone and then replaced as a file of its own, or stays a version.
    assert is_version(newest, of=DigitalAsset.objects.get(pk=new.pk))
    assert answers in ([200, 200], [409, 200])
    assert is_version(new, of=old) == (answers[0] == 409)
