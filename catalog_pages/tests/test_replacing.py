"""Replacing a file: two rows linked, a draft of each product, and nothing changed for buyers."""

from __future__ import annotations

import re
import uuid
from itertools import pairwise
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from wagtail.models import ModelLogEntry

from catalog_pages.admin.deleting import reasons_to_keep_asset
from catalog_pages.models import DigitalAsset, ProductPage, TrackFile
from catalog_pages.roles import EDITORS
from catalog_pages.tests.editors import bulk, member_client, owner_client
from catalog_pages.versions import CannotReplace, newer_published, newest_published, version_add
from tests.factories import buy, make_asset, make_editor, make_product, make_user

pytestmark = pytest.mark.django_db


def replace(client: Client, old: DigitalAsset, new: Any, **data: str) -> Any:
    address = reverse("digital_assets:replace", args=[old.pk])
    return client.post(address, {"asset": getattr(new, "pk", new), **data})


def files_of(page: ProductPage) -> list[DigitalAsset]:
    """What its tracks deliver, in their order; of a draft in memory as well."""
    return [file.asset for track in page.tracks.all() for file in track.files.all()]


def draft_of(page: ProductPage) -> ProductPage:
    page.refresh_from_db()
    return page.get_latest_revision_as_object()


def on_sale(*assets: DigitalAsset, title: str = "") -> ProductPage:
    return make_product(title, assets=list(assets))


def chain(length: int) -> list[DigitalAsset]:
    versions = [make_asset() for _ in range(length)]
    for old, new in pairwise(versions):
        version_add(old_id=old.pk, new_id=new.pk)
    return [DigitalAsset.objects.get(pk=version.pk) for version in versions]


# --- In the admin ---------------------------------------------------------------------------------


def test_the_button_leads_to_a_form_with_the_chooser_of_tracks() -> None:
    asset, client = make_asset(file_name="harbour.flac"), owner_client()

    shown = client.get(reverse("digital_assets:inspect", args=[asset.pk])).content.decode()
    address = reverse("digital_assets:replace", args=[asset.pk])
    form = client.get(address).content.decode()

    assert address in shown
    assert "Replace with a new version" in shown
    assert "harbour.flac · FLAC · 1:01" in form
    assert reverse("digital_asset_chooser:choose") in form
    assert 'name="publish_now"' not in form, "no product with it is on sale"


def test_a_new_version_is_linked_and_stands_in_a_draft_of_each_product() -> None:
    old, new, other = make_asset(), make_asset(), make_asset()
    single, album = on_sale(old, title="Single"), on_sale(other, old, title="Album")
    elsewhere = on_sale(make_asset())

    answer = replace(owner_client(), old, new)

    new.refresh_from_db()
    assert (new.replaces, new.lineage) == (old, old.lineage)
    assert files_of(draft_of(single)) == [new]
    assert files_of(draft_of(album)) == [other, new]
    assert files_of(ProductPage.objects.get(pk=single.pk)) == [old], "not before it is published"
    assert not ProductPage.objects.get(pk=elsewhere.pk).has_unpublished_changes
    body = answer.content.decode()
    assert re.search(r"Single</a>:\s+The new file is in its draft\.", body)
    assert re.search(r"Album</a>:\s+The new file is in its draft\.", body)


def test_the_link_beside_a_draft_publishes_it() -> None:
    old, new = make_asset(), make_asset()
    page, client = on_sale(old, title="Single"), owner_client()
    body = replace(client, old, new).content.decode()
    link = re.search(r'href="([^"]+/bulk/[^"]+)"', body)
    assert link

    asked = client.get(link[1].replace("&amp;", "&"))
    client.post(link[1].replace("&amp;", "&"))

    assert "Single" in asked.content.decode()
    assert files_of(ProductPage.objects.get(pk=page.pk)) == [new]


def test_ticked_it_is_published_at_once() -> None:
    old, new = make_asset(), make_asset()
    page = on_sale(old)

    answer = replace(owner_client(), old, new, publish_now="on")

    assert files_of(ProductPage.objects.get(pk=page.pk)) == [new]
    assert "Published with the new file." in answer.content.decode()


def test_what_waits_in_a_draft_is_not_published_along_with_the_file() -> None:
    old, new = make_asset(), make_asset()
    page = on_sale(old, title="Single")
    page.title = "Another title that is not decided"
    page.save_revision()

    answer = replace(owner_client(), old, new, publish_now="on")

    assert ProductPage.objects.get(pk=page.pk).title == "Single"
    assert "with other changes that wait" in answer.content.decode()
    draft = draft_of(page)
    assert (draft.title, files_of(draft)) == ("Another title that is not decided", [new])


def test_a_product_that_was_never_on_sale_stays_a_draft() -> None:
    old, new = make_asset(), make_asset()
    page = make_product("Soon", assets=[old], live=False)

    answer = replace(owner_client(), old, new, publish_now="on")

    assert not ProductPage.objects.get(pk=page.pk).live
    assert files_of(draft_of(page)) == [new]
    assert "It is not on sale." in answer.content.decode()


@pytest.mark.wide
def test_a_track_that_has_both_files_keeps_the_new_one_once() -> None:
    old, new = make_asset(), make_asset()
    page = on_sale(old)
    TrackFile.objects.create(track=page.tracks.get(), asset=new, sort_order=2)

    replace(owner_client(), old, new, publish_now="on")

    assert files_of(ProductPage.objects.get(pk=page.pk)) == [new]


def test_a_product_that_somebody_has_locked_is_left_as_it_was() -> None:
    old, new = make_asset(), make_asset()
    page = on_sale(old)
    page.locked, page.locked_by = True, make_editor()
    page.save()

    answer = replace(owner_client(), old, new, publish_now="on")

    assert files_of(draft_of(page)) == [old]
    assert "You cannot edit it now" in answer.content.decode()


@pytest.mark.wide
def test_editors_replace_and_moderators_publish() -> None:
    old, new = make_asset(), make_asset()
    page, client = on_sale(old), member_client(EDITORS)

    form = client.get(reverse("digital_assets:replace", args=[old.pk])).content.decode()
    replace(client, old, new, publish_now="on")

    assert 'name="publish_now"' not in form
    assert files_of(draft_of(page)) == [new]
    assert files_of(ProductPage.objects.get(pk=page.pk)) == [old]


def test_visitors_and_strangers_to_the_admin_replace_nothing(client: Client) -> None:
    old, new = make_asset(), make_asset()
    assert replace(client, old, new).status_code == 302
    client.force_login(make_user())

    replace(client, old, new)

    new.refresh_from_db()
    assert new.replaces is None


def test_the_history_of_both_files_says_it() -> None:
    old, new = make_asset(file_name="old.flac"), make_asset(file_name="new.flac")

    replace(owner_client(), old, new)

    entries = ModelLogEntry.objects.filter(action="catalog_pages.replace_asset").order_by("pk")
    assert [entry.message for entry in entries] == [
        "Replaces “old.flac” from now on",
        "Replaced by “new.flac”",
    ]


# --- What cannot replace --------------------------------------------------------------------------


def refusal(old: DigitalAsset, new: DigitalAsset) -> str:
    answer = replace(owner_client(), old, new)
    assert answer.status_code == 409
    return answer.content.decode()


def test_a_file_of_another_format_is_refused() -> None:
    old, new = make_asset(format_name="FLAC"), make_asset(format_name="MP3")
    page = on_sale(old)

    said = refusal(old, new)

    assert "choose a file in FLAC" in said
    assert files_of(draft_of(page)) == [old]
    new.refresh_from_db()
    assert new.replaces is None


def test_the_same_file_is_refused() -> None:
    asset = make_asset()

    assert "That is the same file." in refusal(asset, asset)


def test_a_file_that_was_bought_as_it_is_is_refused(client: Client) -> None:
    old, sold = make_asset(), make_asset()
    buy(client, make_user(), on_sale(sold))

    assert "has been bought as it is" in refusal(old, sold)


def test_a_file_that_was_replaced_has_no_second_successor() -> None:
    first, second, third = make_asset(), make_asset(file_name="second.flac"), make_asset()
    replace(owner_client(), first, second)

    assert "has been replaced by “second.flac” already" in refusal(first, third)


@pytest.mark.wide
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_version_of_something_is_no_version_of_anything_else(place: int) -> None:
    version, other = chain(3)[place], make_asset()

    assert "is a version of another file already" in refusal(other, version)


def test_a_version_never_goes_in_a_circle() -> None:
    first, second = chain(2)

    assert "is a version of another file already" in refusal(second, first)


@pytest.mark.parametrize("chosen", ["", "nonsense", str(uuid.UUID(int=1))])
def test_a_choice_that_is_none_is_asked_again(chosen: str) -> None:
    answer = replace(owner_client(), make_asset(), chosen)

    assert answer.status_code == 422


def test_a_file_that_is_gone_is_not_found() -> None:
    address = reverse("digital_assets:replace", args=[uuid.uuid4()])

    assert owner_client().get(address).status_code == 404


def test_a_file_deleted_meanwhile_is_refused_by_the_rule_itself() -> None:
    with pytest.raises(DigitalAsset.DoesNotExist):
        version_add(old_id=make_asset().pk, new_id=uuid.uuid4())


def test_a_replaced_file_stays_for_those_who_bought_it() -> None:
    first, _ = chain(2)

    assert "a newer file replaced it" in " ".join(reasons_to_keep_asset(first))


def test_refusals_are_of_one_kind_with_a_sentence() -> None:
    first, _ = chain(2)

    with pytest.raises(CannotReplace) as caught:
        version_add(old_id=first.pk, new_id=make_asset().pk)

    assert caught.value.code == "cannot_replace"


# --- Which version is the newest ------------------------------------------------------------------


def test_the_newest_published_version_is_offered_and_never_an_earlier_one() -> None:
    first, second, third = chain(3)
    on_sale(third)

    assert newest_published([first.pk, second.pk, third.pk]) == {first.pk: third, second.pk: third}


def test_a_version_that_no_product_on_sale_uses_is_not_offered() -> None:
    first, second, third = chain(3)
    page = on_sale(second)
    make_product(assets=[third], live=False)

    assert newest_published([first.pk, second.pk]) == {first.pk: second}

    page.unpublish()

    assert newest_published([first.pk, second.pk]) == {}


def test_an_older_version_back_on_sale_is_offered_to_nobody_who_has_a_newer_one() -> None:
    first, second, third = chain(3)
    on_sale(first)

    assert newest_published([first.pk, second.pk, third.pk]) == {}


def test_versions_of_one_file_are_no_versions_of_another() -> None:
    (_, mine), (theirs, _) = chain(2), chain(2)
    on_sale(mine)

    assert newest_published([theirs.pk]) == {}
    assert newer_published(theirs, mine.pk) is None


def test_a_link_opens_a_newer_published_version_alone() -> None:
    first, second, third = chain(3)
    on_sale(second)

    assert newer_published(first, second.pk) == second
    assert newer_published(first, third.pk) is None, "not published"
    assert newer_published(second, first.pk) is None, "older"
    assert newer_published(second, second.pk) is None, "the same"
    assert newer_published(first, uuid.uuid4()) is None


@pytest.mark.wide
@pytest.mark.parametrize("count", [1, 12])
def test_any_number_of_files_is_one_query(django_assert_num_queries: Any, count: int) -> None:
    chains = [chain(2) for _ in range(count)]
    for _, newer in chains:
        on_sale(newer)

    with django_assert_num_queries(1):
        found = newest_published([older.pk for older, _ in chains])

    assert len(found) == count
    with django_assert_num_queries(1):
        assert newer_published(chains[0][0], chains[0][1].pk)


def test_of_no_files_nothing_is_asked(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert newest_published([]) == {}


@pytest.mark.wide
def test_published_in_bulk_the_new_file_is_on_sale() -> None:
    old, new = make_asset(), make_asset()
    page, client = on_sale(old), owner_client()
    replace(client, old, new)

    bulk(client, "publish", page)

    assert newest_published([old.pk]) == {old.pk: new}
