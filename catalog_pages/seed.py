"""The demo shop: our own music, through the same import that an editor's music takes.

Loads PyAV and numpy: for the command alone.
"""

from __future__ import annotations

import json
import os
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils.html import format_html_join

from catalog_pages.audio.text import fold
from catalog_pages.demo.covers import collage_jpeg
from catalog_pages.demo.library import BUNDLES, RELEASES, DemoBundle, DemoRelease
from catalog_pages.demo.render import write_demo_audio
from catalog_pages.errors import DomainError
from catalog_pages.excerpts import excerpts_of
from catalog_pages.ingest.covers import cover_store
from catalog_pages.ingest.products import is_ours_to_publish, is_published, product_publish
from catalog_pages.ingest.report import IngestReport, OnProgress, Progress
from catalog_pages.ingest.service import ingest
from catalog_pages.models import (
    BundledProduct,
    CataloguePage,
    Genre,
    HomePage,
    ProductPage,
    ProductTrack,
)
from catalog_pages.renditions import make_renditions

CUTTING_WORKERS = 2
EDITOR_EMAIL = "editor@example.com"
SHOPPER_EMAIL = "shopper@example.com"
ACCOUNTS_FILE = "demo_editor.json"


class DemoRefused(DomainError):
    """A demo account in a shop where it would be a back door."""

    code = "demo_refused"


@dataclass
class SeedReport:
    """What was made, and the seconds that each stage took."""

    products: list[ProductPage] = field(default_factory=list)
    imported: IngestReport = field(default_factory=IngestReport)
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        self.seconds[stage] = time.monotonic() - started


def seed_catalogue(
    *,
    releases: tuple[DemoRelease, ...] = RELEASES,
    bundles: tuple[DemoBundle, ...] = BUNDLES,
    on_progress: OnProgress = lambda progress: None,
    say: Callable[[str], None] = lambda line: None,
) -> SeedReport:
    """Compose what is missing of `releases`, import it, put it on sale, and make it ready to hear.

    Then the `bundles` of what is there.

    Running it again makes what is missing and leaves the rest alone, an editor's changes included.
    Nothing is left for the task queue: excerpts and cover sizes exist when it returns.
    """
    report = SeedReport()
    missing = tuple(release for release in releases if not _is_complete(release))
    if missing:
        with tempfile.TemporaryDirectory(prefix="demo-music-") as folder:
            say(f"Composing {_tracks(missing)} pieces of music for the demo shop ...")
            with report.timed("composing"):
                _compose(Path(folder), missing, on_progress)
            say("Importing them ...")
            with report.timed("importing"):
                report.imported = ingest(
                    [Path(folder)],
                    price_pennies=None,
                    publish=False,
                    currency=settings.STRIPE_CURRENCY,
                    on_progress=on_progress,
                )
    with report.timed("publishing"):
        report.products = [page for release in releases if (page := _put_on_sale(release))]
        _choose_hero(report.products)
        report.products += [page for bundle in bundles if (page := _bundle(bundle))]
    say("Cutting the excerpts ...")
    with report.timed("excerpts"):
        _cut_excerpts(report.products, on_progress)
    with report.timed("covers"):
        _size_covers(report.products, on_progress)
    return report


def _compose(folder: Path, releases: tuple[DemoRelease, ...], on_progress: OnProgress) -> None:
    total = sum(len(release.tracks) * len(release.formats) for release in releases)
    done = 0

    def count(path: Path) -> None:
        nonlocal done
        done += 1
        on_progress(Progress("Composing", done, total, path.name))

    on_progress(Progress("Composing", 0, total))
    write_demo_audio(folder, on_file=count, releases=releases)


def _tracks(releases: tuple[DemoRelease, ...]) -> int:
    return sum(len(release.tracks) for release in releases)


def _page_of(release: DemoRelease | DemoBundle) -> ProductPage | None:
    """The product as the import made it: by artist and title, compared as the import does."""
    return _page_named(release.artist, release.title)


def _page_named(artist: str, title: str) -> ProductPage | None:
    rows = ProductPage.objects.order_by("pk").values_list("pk", "title", "artist__name")
    wanted = fold(artist), fold(title)
    found = (pk for pk, name, maker in rows if (fold(maker or ""), fold(name)) == wanted)
    pk = next(found, None)
    return None if pk is None else ProductPage.objects.get(pk=pk)


def _is_complete(release: DemoRelease) -> bool:
    page = _page_of(release)
    if page is None:
        return False
    files = sum(len(track.files.all()) for track in page.tracks.prefetch_related("files"))
    return files >= len(release.tracks) * len(release.formats)


def _put_on_sale(release: DemoRelease) -> ProductPage | None:
    """Price, text and date where there are none yet; published unless an editor took it in hand."""
    page = _page_of(release)
    if page is None or is_published(page) or not is_ours_to_publish(page):
        return page
    version: ProductPage = page.get_latest_revision_as_object()
    if version.price_pennies is None:
        version.price_pennies = release.price_pennies
        version.pay_what_you_want = release.names_price
        version.suggested_price_pennies = release.suggested_pennies
    version.description = version.description or _paragraphs(release.description)
    version.release_date = release.release_date
    version.save_revision()
    page.refresh_from_db()
    product_publish(page)
    page.refresh_from_db()
    return page


def _bundle(bundle: DemoBundle) -> ProductPage | None:
    """The bundle, made when there is none and all that it contains is on sale."""
    if (made := _page_of(bundle)) is not None:
        return made
    parts = [_page_named(bundle.artist, title) for title in bundle.contents]
    on_sale = [part for part in parts if part is not None and part.live]
    if len(on_sale) < len(parts):
        return None
    cover = cover_store(data=collage_jpeg(*bundle.sleeves, bundle.seed), title=bundle.title)
    page = ProductPage(
        title=bundle.title,
        artist=on_sale[0].artist,
        genre=Genre.objects.filter(name=bundle.genre).first(),
        cover=cover,
        price_pennies=bundle.price_pennies,
        description=_paragraphs(bundle.description),
        release_date=bundle.release_date,
        live=False,
    )
    page.contents = [
        BundledProduct(product=part, sort_order=place) for place, part in enumerate(on_sale)
    ]
    with transaction.atomic():
        CataloguePage.objects.get().add_child(instance=page)
        page.save_revision()
    product_publish(page)
    page.refresh_from_db()
    return page


def _paragraphs(text: str) -> str:
    return format_html_join("", "<p>{}</p>", ((part,) for part in text.split("\n\n")))


def _choose_hero(products: list[ProductPage]) -> None:
    """The first release is the large cover of the home page, unless somebody chose already."""
    home = HomePage.objects.first()
    hero = next((page for page in products if page.live), None)
    if home is None or hero is None or home.hero_product_id or not is_ours_to_publish(home):
        return
    version = home.get_latest_revision_as_object()
    version.hero_product = hero
    version.save_revision().publish()


def _cut_excerpts(products: list[ProductPage], on_progress: OnProgress) -> None:
    tracks = ProductTrack.objects.filter(page__in=products).prefetch_related(
        "files__asset__excerpts"
    )
    total = len(tracks)
    on_progress(Progress("Excerpts", 0, total))
    for done, excerpt in enumerate(excerpts_of(tracks, workers=CUTTING_WORKERS), start=1):
        on_progress(Progress("Excerpts", done, total, excerpt.asset.file_name))


def _size_covers(products: list[ProductPage], on_progress: OnProgress) -> None:
    covers = {page.cover_id: page.cover for page in products if page.cover is not None}
    for done, cover in enumerate(covers.values()):
        on_progress(Progress("Covers", done, len(covers), cover.title))
        make_renditions(cover)
    on_progress(Progress("Covers", len(covers), len(covers)))


# --- Accounts -----------------------------------------------------------------------------------


def ensure_demo_accounts() -> Path:
    """A demo editor, who may do everything, and a demo shopper; the file that holds their passwords.

    `{"email", "password", "shopper": {"email", "password"}}`, readable by its owner alone. Accounts
    that can still sign in with what the file says are left alone. Raises DemoRefused in a shop that
    takes real money.
    """
    if not settings.STRIPE_SANDBOX:
        raise DemoRefused("Demo accounts are made only while payments are sandboxed.")
    path = Path(settings.VAR_DIR) / ACCOUNTS_FILE
    known = _read_accounts(path)
    shopper = known.get("shopper")
    editor_password = _ensure_account(EDITOR_EMAIL, known.get("password"), is_editor=True)
    shopper_password = _ensure_account(
        SHOPPER_EMAIL,
        shopper.get("password") if isinstance(shopper, dict) else None,
        is_editor=False,
    )
    accounts = {
        "email": EDITOR_EMAIL,
        "password": editor_password,
        "shopper": {"email": SHOPPER_EMAIL, "password": shopper_password},
    }
    if accounts != known:
        _write_private(path, json.dumps(accounts, indent=2) + "\n")
    return path


def _ensure_account(email: str, password: object, *, is_editor: bool) -> str:
    """The password that signs `email` in: the known one while it works, else a new one."""
    users: Any = get_user_model()._default_manager
    user = users.filter(email__iexact=email).first() or users.model(email=email)
    works = isinstance(password, str) and user.pk and user.check_password(password)
    secret = password if isinstance(password, str) and works else secrets.token_urlsafe(12)
    with transaction.atomic():
        if not works:
            user.set_password(secret)
        user.is_active = True
        user.is_staff = user.is_superuser = is_editor
        user.save()
        EmailAddress.objects.update_or_create(
            user=user, email=user.email, defaults={"verified": True, "primary": True}
        )
    return secret


def _read_accounts(path: Path) -> dict[str, Any]:
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _write_private(path: Path, text: str) -> None:
    """Never readable by others, not even while it is being written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)
