"""A new version is first on sale where the old file is: chosen by mistake, it is offered to nobody."""

from __future__ import annotations

from typing import Any

import pytest

from catalog_pages.models import DigitalAsset, ProductPage
from catalog_pages.publishing import PublishRefused, publish_problems
from catalog_pages.tests.editors import (
    edit_product,
    owner_client,
    sentences,
    track,
)
from catalog_pages.tests.test_replacing import chain, draft_of, on_sale, replace
from catalog_pages.tests.test_replacing_on_sale import use_in_draft
from catalog_pages.tests.test_unreplacing import publish
from catalog_pages.versions import newest_published
from tests.factories import make_asset, make_product

pytestmark = pytest.mark.django_db


def wrongly_replaced() -> tuple[ProductPage, ProductPage, DigitalAsset, DigitalAsset]:
    """A is on sale with song-a, for which B's song-b was chosen; B is not on sale yet."""
    song_a, song_b = make_asset(file_name="song-a.flac"), make_asset(file_name="song-b.flac")
    page_a, page_b = on_sale(song_a, title="A"), make_product("B", assets=[song_b], live=False)
    replace(owner_client(), song_a, song_b)
    return page_a, page_b, song_a, song_b


def test_a_version_is_first_published_where_the_old_file_is_on_sale() -> None:
    page_a, page_b, song_a, song_b = wrongly_replaced()

    (problem,) = publish_problems(draft_of(page_b))
    assert problem == (
        "“song-b.flac” was chosen as the new version of “song-a.flac”, which is on sale in “A”. "
        "Publish “A” with it first, or undo that on the page of “song-b.flac” under Audio files."
    )
    with pytest.raises(PublishRefused):
        page_b.get_latest_revision().publish()
    assert newest_published([song_a.pk]) == {}

    publish(page_a)

    assert publish_problems(draft_of(page_b)) == []
    publish(page_b)
    assert newest_published([song_a.pk]) == {song_a.pk: song_b}


def test_an_editor_reads_it_in_the_form() -> None:
    _, page_b, _, song_b = wrongly_replaced()
    client = owner_client()

    answer = edit_product(client, page_b, "publish", tracks=[track("First", song_b)])

    assert "Publish “A” with it first" in sentences(answer)
    assert not ProductPage.objects.get(pk=page_b.pk).live
    edit_product(client, page_b, tracks=[track("First", song_b)], title="B as a draft")
    assert draft_of(page_b).title == "B as a draft"


def test_a_version_of_a_version_that_was_never_on_sale_counts_as_well() -> None:
    first, _, third = chain(3)
    on_sale(first, title="A")
    page = make_product("B", assets=[third], live=False)

    (problem,) = publish_problems(page)

    assert (
        f"“{third}” was chosen as the new version of “{first}”, which is on sale in “A”" in problem
    )


def test_a_draft_with_both_files_is_no_edition_of_the_old_one() -> None:
    old, new = chain(2)
    on_sale(old, title="A")
    page = make_product("Album", assets=[old, new], live=False)

    assert len(publish_problems(page)) == 1


def test_what_replaces_nothing_that_is_on_sale_elsewhere_is_published() -> None:
    old, new = chain(2)
    itself = on_sale(old, title="Itself")
    use_in_draft(itself, new)
    on_sale(old, title="Elsewhere")
    assert publish_problems(draft_of(itself)) == []
    publish(itself)

    compilation = make_product("Compilation", assets=[new], live=False)
    (gone, remaster), (kept, _) = chain(2), chain(2)
    on_sale(gone).unpublish()

    assert publish_problems(compilation) == [], "a remaster on sale in another product"
    assert publish_problems(make_product(assets=[remaster], live=False)) == [], "not on sale"
    assert publish_problems(make_product(assets=[kept], live=False)) == [], "the old file itself"


@pytest.mark.parametrize("count", [1, 5])
def test_without_versions_nothing_is_asked(django_assert_num_queries: Any, count: int) -> None:
    page = make_product(assets=[make_asset() for _ in range(count)])
    page = ProductPage.objects.prefetch_related("tracks__files__asset", "contents").get(pk=page.pk)
    publish_problems(page)

    with django_assert_num_queries(0):
        publish_problems(page)


@pytest.mark.parametrize("count", [1, 5])
def test_any_number_of_versions_is_two_queries(django_assert_num_queries: Any, count: int) -> None:
    versions = [chain(2)[1] for _ in range(count)]
    page = make_product(assets=versions, live=False)
    page = ProductPage.objects.prefetch_related("tracks__files__asset", "contents").get(pk=page.pk)
    publish_problems(page)

    with django_assert_num_queries(2):
        publish_problems(page)
