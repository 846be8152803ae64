"""A bundle and what it contains, published or dated together: parts first, and none waits in vain."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from catalog_pages.models import BundledProduct, ProductPage
from catalog_pages.tests.editors import bulk, create_product, owner_client, sentences
from tests.factories import make_product

pytestmark = pytest.mark.django_db


def part_and_bundle() -> tuple[ProductPage, ProductPage]:
    """Two drafts, the bundle with the lower key."""
    bundle = make_product("Bundle", assets=[], live=False)
    part = make_product("Part", live=False)
    bundle.contents.add(BundledProduct(product=part, sort_order=0))
    bundle.save_revision(clean=False)
    return part, bundle


def due(page: ProductPage, at: datetime) -> None:
    """It was agreed to be published then."""
    version = page.get_latest_revision_as_object()
    version.go_live_at = at
    revision = version.save_revision(clean=False)
    revision.approved_go_live_at = at
    revision.save()


def are_live(*pages: ProductPage) -> list[bool]:
    return [ProductPage.objects.get(pk=page.pk).live for page in pages]


def test_both_are_published_from_one_selection() -> None:
    part, bundle = part_and_bundle()

    answer = bulk(owner_client(), "publish", bundle, part)

    assert "2 pages have been published" in sentences(answer)
    assert are_live(part, bundle) == [True, True]


def test_both_are_published_with_the_page_above_them() -> None:
    part, bundle = part_and_bundle()

    bulk(owner_client(), "publish", part.get_parent(), include_descendants="on")

    assert are_live(part, bundle) == [True, True]


def test_a_bundle_alone_is_still_refused() -> None:
    part, bundle = part_and_bundle()

    answer = bulk(owner_client(), "publish", bundle)

    assert "“Part” is not on sale." in sentences(answer)
    assert are_live(part, bundle) == [False, False]


def test_a_part_whose_draft_is_a_bundle_is_refused() -> None:
    part, bundle = part_and_bundle()
    draft = part.get_latest_revision_as_object()
    draft.contents.add(BundledProduct(product=make_product("Third"), sort_order=0))
    draft.save_revision(clean=False)

    answer = bulk(owner_client(), "publish", bundle, part)

    assert "“Part” is a bundle itself." in sentences(answer)
    assert are_live(part, bundle) == [False, False]


@pytest.mark.parametrize("minutes", [1, 5])
def test_both_are_published_when_they_are_due(minutes: int) -> None:
    part, bundle = part_and_bundle()
    due(bundle, timezone.now() - timedelta(minutes=minutes))
    due(part, timezone.now() - timedelta(minutes=1))

    call_command("publish_scheduled")

    assert are_live(part, bundle) == [True, True]


def test_a_bundle_waits_for_a_part_that_is_tried_again(monkeypatch: Any) -> None:
    part, bundle = part_and_bundle()
    at = timezone.now() - timedelta(minutes=1)
    due(part, at)
    due(bundle, at)
    storage = type(part.tracks.get().files.get().asset.file.storage)

    def storage_away(self: object, name: str) -> bool:
        raise OSError("storage is away")

    with monkeypatch.context() as away:
        away.setattr(storage, "exists", storage_away)
        with pytest.raises(CommandError, match="Part"):
            call_command("publish_scheduled")
    assert are_live(part, bundle) == [False, False]

    call_command("publish_scheduled")

    assert are_live(part, bundle) == [True, True]


def test_a_bundle_is_given_the_day_of_its_parts_but_none_before() -> None:
    client, day = owner_client(), timezone.now() + timedelta(days=3)
    create_product(client, "publish", title="Part", go_live_at=f"{day:%Y-%m-%d %H:%M}")
    part = ProductPage.objects.get(title="Part")
    wanted = {"title": "Bundle", "tracks": [], "contents": [part]}

    early = f"{day - timedelta(hours=1):%Y-%m-%d %H:%M}"
    refused = create_product(client, "publish", go_live_at=early, **wanted)
    create_product(client, "publish", go_live_at=f"{day:%Y-%m-%d %H:%M}", **wanted)

    assert "“Part” is not on sale." in sentences(refused)
    assert ProductPage.objects.get(title="Bundle").scheduled_revision is not None
