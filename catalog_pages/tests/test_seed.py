"""The demo shop: made by the ordinary import, ready to hear, and never twice."""

from __future__ import annotations

import io
import json
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import authenticate
from django.core.management import call_command

from catalog_pages.demo.library import BUNDLES, RELEASES
from catalog_pages.excerpts import excerpt_for
from catalog_pages.models import HomePage, ProductPage
from catalog_pages.seed import DemoRefused, ensure_demo_accounts, seed_catalogue
from catalog_pages.tests.test_ingest import snapshot
from site_config.accounts.models import User
from tests.factories import make_product

pytestmark = pytest.mark.django_db

SINGLE = next(release for release in RELEASES if not release.is_album)


@pytest.fixture
def var_dir(settings: Any, tmp_path: Path) -> Path:
    settings.VAR_DIR = tmp_path
    return tmp_path


def test_the_library_is_as_large_as_a_demo_should_be() -> None:
    tracks = [track for release in RELEASES for track in release.tracks]

    assert len(tracks) >= 24
    assert len({release.artist for release in RELEASES}) >= 6
    assert len({release.genre for release in RELEASES}) >= 5
    assert {kind for release in RELEASES for kind in release.formats} == {"mp3", "flac", "opus"}


def test_a_release_is_composed_imported_priced_and_made_ready() -> None:
    seed_catalogue(releases=(SINGLE,))

    page = ProductPage.objects.with_tracks().get()
    assert page.live
    assert not page.has_unpublished_changes
    assert (page.title, page.artist.name, page.genre.name) == (
        SINGLE.title,
        SINGLE.artist,
        SINGLE.genre,
    )
    assert (page.price_pennies, page.release_date) == (SINGLE.price_pennies, SINGLE.release_date)
    assert page.description.startswith("<p>")
    (track,) = page.tracks.all()
    excerpt = excerpt_for(track)
    assert excerpt is not None
    assert excerpt.asset.duration_ms > excerpt.duration_ms > 5_000
    assert page.cover.renditions.count() == 9
    assert HomePage.objects.get().hero_product == page

    before = snapshot()
    seed_catalogue(releases=(SINGLE,))
    assert snapshot() == before


@pytest.mark.prove
def test_the_whole_demo_shop(var_dir: Path) -> None:
    out = io.StringIO()

    call_command("seed_demo", stdout=out)

    pages = ProductPage.objects.with_tracks().for_cards()
    assert len(pages) == len(RELEASES) + len(BUNDLES)
    for page in pages:
        assert page.live
        assert len(page.cover.ready_renditions) == 9
        assert all(excerpt_for(track) for track in page.tracks.all())
    assert "products on sale" in out.getvalue()


def test_a_shop_that_has_products_is_left_alone(var_dir: Path) -> None:
    make_product()
    before = snapshot()

    call_command("seed_demo", "--if-empty", stdout=io.StringIO())

    assert snapshot() == before
    assert not list(var_dir.iterdir())


@pytest.mark.wide
def test_finding_that_there_is_nothing_to_do_loads_no_audio_library() -> None:
    script = (
        "import django, sys; django.setup();"
        "from django.core.management import load_command_class;"
        "load_command_class('catalog_pages', 'seed_demo');"
        "loaded = {'av', 'numpy', 'mutagen'} & set(sys.modules); assert not loaded, loaded"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr


def test_the_demo_accounts_can_sign_in_and_are_private(var_dir: Path) -> None:
    path = ensure_demo_accounts()

    accounts = json.loads(path.read_text())
    assert path == var_dir / "demo_editor.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    editor = authenticate(username=accounts["email"], password=accounts["password"])
    shopper = authenticate(
        username=accounts["shopper"]["email"], password=accounts["shopper"]["password"]
    )
    assert editor is not None
    assert shopper is not None
    assert editor.is_superuser
    assert not shopper.is_staff
    for user in (editor, shopper):
        assert EmailAddress.objects.get(user=user).verified
        assert EmailAddress.objects.get(user=user).primary


def test_demo_accounts_that_work_are_left_alone(var_dir: Path) -> None:
    before = ensure_demo_accounts().read_text()
    hashes = list(User.objects.order_by("pk").values_list("password", flat=True))

    assert ensure_demo_accounts().read_text() == before
    assert list(User.objects.order_by("pk").values_list("password", flat=True)) == hashes


@pytest.mark.parametrize("content", [None, "not json", "[]", '{"shopper": 3}', '{"password": 5}'])
def test_lost_passwords_of_the_demo_are_made_anew(content: str | None, var_dir: Path) -> None:
    path = ensure_demo_accounts()
    path.unlink()
    if content is not None:
        path.write_text(content)

    accounts = json.loads(ensure_demo_accounts().read_text())

    assert authenticate(username=accounts["email"], password=accounts["password"])
    assert User.objects.count() == 2


def test_a_shop_that_takes_money_gets_no_demo_accounts(var_dir: Path, settings: Any) -> None:
    settings.STRIPE_SANDBOX = False

    with pytest.raises(DemoRefused):
        ensure_demo_accounts()

    assert not User.objects.exists()
    assert not list(var_dir.iterdir())
