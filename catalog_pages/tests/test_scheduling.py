"""What is due is published on time; what cannot be stops nothing else, and the editor reads why."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone
from wagtail.models import PageLogEntry

from catalog_pages.models import ProductPage
from catalog_pages.tests.editors import owner_client, unfinished
from tests.factories import make_product

pytestmark = pytest.mark.django_db

NO_PRICE = "Set a price. Type 0 if the product is meant to be free."
NO_TRACK = "Add at least one track, or choose what the bundle contains."


def schedule(page: ProductPage, **minutes: float) -> None:
    """A date was agreed while the product was still in order, and has come."""
    page.go_live_at = timezone.now() - timedelta(**(minutes or {"minutes": 1}))
    revision = page.save_revision(clean=False)
    revision.approved_go_live_at = page.go_live_at
    revision.save()


def test_a_due_product_is_published_on_time() -> None:
    page = make_product(live=False)
    schedule(page)

    call_command("publish_scheduled")

    page.refresh_from_db()
    assert page.live


def test_an_expired_product_is_unpublished_and_a_good_one_stays() -> None:
    old, good = make_product(), make_product()
    ProductPage.objects.filter(pk=old.pk).update(expire_at=timezone.now() - timedelta(minutes=1))

    call_command("publish_scheduled")

    old.refresh_from_db()
    good.refresh_from_db()
    assert (old.live, old.expired, good.live) == (False, True, True)


def test_a_product_that_is_not_ready_does_not_stop_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bad, good = unfinished("Bad"), make_product("Good", live=False)
    schedule(bad, minutes=5)
    schedule(good, minutes=1)

    with caplog.at_level(logging.WARNING, logger="catalog_pages"):
        call_command("publish_scheduled")
        call_command("publish_scheduled")

    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.live, good.live) == (False, True)
    assert bad.scheduled_revision is None
    told = [r.getMessage() for r in caplog.records if r.name.startswith("catalog_pages")]
    assert told == [f"“Bad” was not published on time: {NO_PRICE} {NO_TRACK}"]


def test_the_history_says_why_a_product_was_not_published_on_time() -> None:
    page = unfinished("Bad")
    schedule(page)

    call_command("publish_scheduled")

    entry = PageLogEntry.objects.get(action="catalog_pages.publish_refused")
    history = owner_client().get(reverse("wagtailadmin_pages:history", args=[page.pk]))
    assert entry.page_id == page.pk
    assert "Scheduled publication refused" in history.content.decode()
    assert NO_PRICE in history.content.decode()


def test_a_dry_run_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = make_product("Good", live=False), unfinished("Bad")
    schedule(good)
    schedule(bad)

    call_command("publish_scheduled", "--dryrun")

    good.refresh_from_db()
    assert not good.live
    assert bad.scheduled_revision is not None
    assert "Good" in capsys.readouterr().out


def test_what_fails_for_another_reason_keeps_its_date_and_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken, good = make_product("Broken", live=False), make_product("Good", live=False)
    schedule(broken, minutes=5)
    schedule(good)
    asset = broken.tracks.get().files.get().asset
    exists = type(asset.file.storage).exists

    def storage_away(self: object, name: str) -> bool:
        if name == asset.file.name:
            raise OSError("storage is away")
        return exists(self, name)

    monkeypatch.setattr(type(asset.file.storage), "exists", storage_away)
    with pytest.raises(CommandError, match="Broken"):
        call_command("publish_scheduled")
    monkeypatch.undo()
    call_command("publish_scheduled")

    broken.refresh_from_db()
    good.refresh_from_db()
    assert broken.live
    assert good.live
