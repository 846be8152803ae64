"""Keeping bytes: once, whole, and never a row without them."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage, storages
from django.db import OperationalError, connection

from catalog_pages.assets import FileRefused, asset_store
from catalog_pages.audio.facts import UnreadableAudio
from catalog_pages.audio.probe import probe
from catalog_pages.excerpts import (
    ensure_excerpt,
    ensure_excerpts,
    excerpt_for,
    excerpts_of,
    master_of,
)
from catalog_pages.fixity import check_asset
from catalog_pages.ingest.covers import cover_store
from catalog_pages.models import DigitalAsset, Excerpt, FixityCheck, ProductPage, ProductTrack
from catalog_pages.tasks import make_cover_renditions, make_excerpts
from catalog_pages.tests.sample_audio import cover_jpeg, write_tone
from tests.factories import make_product, make_user

pytestmark = pytest.mark.django_db


class Bucket(Storage):
    """Like S3: bytes under names, and no paths on this machine."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def _save(self, name: str, content: File) -> str:
        self.objects[name] = b"".join(content.chunks())
        return name

    def _open(self, name: str, mode: str = "rb") -> ContentFile:
        return ContentFile(self.objects[name])

    def exists(self, name: str) -> bool:
        return name in self.objects


def stored_names() -> set[Path]:
    """Every file in protected storage."""
    return {path for path in settings.PROTECTED_MEDIA_ROOT.rglob("*") if path.is_file()}


def stored(path: Path, **options: Any) -> DigitalAsset:
    return asset_store(source=path, file_name=path.name, **options).asset


def on_insert(then: Callable[[], None]) -> Any:
    """While active, `then` runs before an audio file's row is inserted."""

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith('INSERT INTO "catalog_pages_digitalasset"'):
            then()
        return execute(sql, params, many, context)

    return connection.execute_wrapper(wrapper)


def test_a_file_is_kept_with_its_facts(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "Night Ferry.flac", title="Night Ferry", artist="The Moorings")
    user = make_user()

    result = asset_store(source=path, file_name="Night Ferry.flac", uploaded_by=user)

    asset, content = result.asset, path.read_bytes()
    assert result.created
    assert asset.sha256 == hashlib.sha256(content).hexdigest()
    assert asset.crc32 == zlib.crc32(content)
    assert asset.size_bytes == len(content)
    assert (asset.format_name, asset.content_type) == ("FLAC", "audio/flac")
    assert asset.duration_ms == 2000
    assert asset.tags == {"title": "Night Ferry", "artist": "The Moorings"}
    assert asset.uploaded_by == user
    with asset.file.open("rb") as file:
        assert file.read() == content


def test_the_same_bytes_are_kept_once(tmp_path: Path) -> None:
    first = stored(write_tone(tmp_path / "a.mp3"))
    before = stored_names()

    again = asset_store(source=tmp_path / "a.mp3", file_name="another name.mp3")

    assert again.asset == first
    assert not again.created
    assert stored_names() == before


def test_lost_bytes_come_back_with_the_next_upload(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "a.mp3")
    asset = stored(path)
    storages["protected"].delete(asset.file.name)

    again = asset_store(source=path, file_name="a.mp3")

    assert not again.created
    with DigitalAsset.objects.get().file.open("rb") as file:
        assert file.read() == path.read_bytes()


def test_a_file_over_the_limit_is_refused(tmp_path: Path, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 1000
    before = stored_names()

    with pytest.raises(FileRefused, match="larger than 1,000 bytes"):
        stored(write_tone(tmp_path / "a.mp3"))

    assert stored_names() == before
    assert not DigitalAsset.objects.exists()


@pytest.mark.parametrize(
    "name",
    ["../a.mp3", "/etc/a.mp3", "a/b.mp3", "a\\b.mp3", "a\0.mp3", "a\n.mp3", "..", "", "x" * 256],
)
def test_names_that_are_not_plain_are_refused(name: str, tmp_path: Path) -> None:
    path = write_tone(tmp_path / "a.mp3", seconds=0.5)

    with pytest.raises(FileRefused):
        asset_store(source=path, file_name=name)

    assert not DigitalAsset.objects.exists()


def test_what_cannot_be_read_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_bytes(b"words, words, words " * 100)
    before = stored_names()

    with pytest.raises(UnreadableAudio):
        stored(tmp_path / "a.mp3")
    (tmp_path / "b.mp3").touch()
    with pytest.raises(FileRefused, match="empty"):
        stored(tmp_path / "b.mp3")

    assert stored_names() == before
    assert not DigitalAsset.objects.exists()


def test_a_failing_database_leaves_no_bytes(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "a.mp3")
    before = stored_names()

    def fail() -> None:
        raise OperationalError("the disk under the database is full")

    with on_insert(fail), pytest.raises(OperationalError):
        stored(path)

    assert stored_names() == before
    assert not DigitalAsset.objects.exists()
    assert stored(path)


def test_a_process_killed_at_the_insert_leaves_no_row_without_bytes(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "a.mp3")

    def kill() -> None:
        raise KeyboardInterrupt

    with on_insert(kill), pytest.raises(KeyboardInterrupt):
        stored(path)

    assert not DigitalAsset.objects.exists()
    assert stored(path)


def test_of_two_uploads_at_once_the_first_row_wins(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "a.mp3")
    facts = probe(path)
    rivals: list[DigitalAsset] = []

    def rival_is_faster(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        if sql.startswith("SELECT") and '"sha256" =' in sql and not rivals:
            rivals.append(DigitalAsset())  # before the rival's own SELECT comes here
            rivals[0] = stored(path, facts=facts)
        return result

    with connection.execute_wrapper(rival_is_faster):
        result = asset_store(source=path, file_name="late.mp3", facts=facts)

    assert result.asset == rivals[0]
    assert not result.created
    assert DigitalAsset.objects.count() == 1
    assert [name.name for name in stored_names() if name.name == rivals[0].pk.hex]


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "a.mp3")
    facts = probe(path)
    before = stored_names()

    def still_being_copied(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        with path.open("ab") as file:
            file.write(b"more")
        return execute(sql, params, many, context)

    with (
        connection.execute_wrapper(still_being_copied),
        pytest.raises(FileRefused, match="changed while"),
    ):
        stored(path, facts=facts)

    assert stored_names() == before
    assert not DigitalAsset.objects.exists()


# --- Excerpts -----------------------------------------------------------------------------------


def product_of(tmp_path: Path, **options: Any) -> ProductPage:
    return make_product(assets=[stored(write_tone(tmp_path / "a.flac", seconds=8, **options))])


def test_every_track_gets_one_excerpt_however_often_it_is_asked_for(tmp_path: Path) -> None:
    page = product_of(tmp_path)

    first = ensure_excerpts(page)
    again = ensure_excerpts(page)

    assert [excerpt.pk for excerpt in first] == [excerpt.pk for excerpt in again]
    excerpt = Excerpt.objects.get()
    assert excerpt.duration_ms == pytest.approx(4800, abs=20)
    assert len(excerpt.peaks) == 200
    assert max(excerpt.peaks) == 100
    with excerpt.file.open("rb") as file:
        assert hashlib.sha256(file.read()).hexdigest() == excerpt.sha256
    assert str(excerpt.token) in excerpt.file.name
    assert excerpt.asset.sha256 not in excerpt.file.name


@pytest.mark.wide
def test_the_editors_cut_is_followed_and_can_be_taken_back(tmp_path: Path) -> None:
    page = product_of(tmp_path)
    track = page.tracks.get()
    guessed = ensure_excerpt(track)

    track.excerpt_start_seconds, track.excerpt_length_seconds = 0, 5
    chosen = ensure_excerpt(track)
    assert chosen is not None
    assert (chosen.start_ms, chosen.length_ms) == (0, 4800)  # 60 % of eight seconds
    assert excerpt_for(track) == chosen

    track.excerpt_start_seconds = None
    assert ensure_excerpt(track) == guessed
    assert excerpt_for(track) == guessed


@pytest.mark.wide
def test_a_start_beyond_the_end_is_moved_in(tmp_path: Path) -> None:
    track = product_of(tmp_path).tracks.get()
    track.excerpt_start_seconds, track.excerpt_length_seconds = 500, 5

    first, again = ensure_excerpt(track), ensure_excerpt(track)

    assert first == again
    assert first is not None
    assert first.start_ms + first.length_ms <= 8000


@pytest.mark.wide
def test_the_excerpt_is_cut_from_the_best_file(tmp_path: Path) -> None:
    page = make_product(assets=[stored(write_tone(tmp_path / "a.mp3", seconds=3))])
    track: ProductTrack = page.tracks.get()
    lossless = stored(write_tone(tmp_path / "b.wav", seconds=3))
    track.files.create(asset=lossless)

    assert master_of(track) == lossless
    excerpt = ensure_excerpt(track)
    assert excerpt is not None
    assert excerpt.asset == lossless


@pytest.mark.wide
def test_templates_find_excerpts_without_a_query(
    tmp_path: Path, django_assert_num_queries: Any
) -> None:
    made = ensure_excerpts(product_of(tmp_path))
    page = ProductPage.objects.with_tracks().get()

    with django_assert_num_queries(0):
        found = [excerpt_for(track) for track in page.tracks.all()]

    assert found == made


@pytest.mark.wide
def test_until_a_new_cut_is_made_the_old_one_plays(tmp_path: Path) -> None:
    track = product_of(tmp_path).tracks.get()
    old = ensure_excerpt(track)

    track.excerpt_start_seconds = 2

    assert excerpt_for(track) == old


@pytest.mark.wide
def test_a_track_without_bytes_has_no_excerpt_and_does_not_stop_the_others(
    tmp_path: Path, caplog: Any
) -> None:
    lost = stored(write_tone(tmp_path / "a.mp3", hertz=300))
    kept = stored(write_tone(tmp_path / "b.mp3", hertz=400))
    page = make_product(assets=[lost, kept])
    storages["protected"].delete(lost.file.name)

    made = ensure_excerpts(page)

    assert [excerpt.asset for excerpt in made] == [kept]
    assert str(lost.pk) in caplog.text


def test_tracks_without_files_are_passed_over() -> None:
    assert ensure_excerpt(ProductTrack(title="unfinished")) is None


@pytest.mark.wide
def test_masters_in_a_bucket_are_fetched_to_be_cut(tmp_path: Path, monkeypatch: Any) -> None:
    bucket = Bucket()
    monkeypatch.setattr(DigitalAsset._meta.get_field("file"), "storage", bucket)
    page = product_of(tmp_path)

    (excerpt,) = ensure_excerpts(page)

    assert list(bucket.objects) == [excerpt.asset.file.name]
    assert excerpt.duration_ms > 4000


@pytest.mark.wide
def test_several_are_cut_at_a_time(tmp_path: Path) -> None:
    assets = [
        stored(write_tone(tmp_path / f"{hertz}.mp3", hertz=hertz)) for hertz in (300, 400, 500)
    ]
    page = make_product(assets=assets)

    made = list(excerpts_of(page.tracks.all(), workers=3))

    assert [excerpt.asset for excerpt in made] == assets


@pytest.mark.wide
def test_another_process_may_cut_the_same_excerpt_first(tmp_path: Path) -> None:
    track = product_of(tmp_path).tracks.get()
    rivals: list[Excerpt | None] = []

    def rival_is_faster(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        if sql.startswith("SELECT") and 'FROM "catalog_pages_excerpt"' in sql and not rivals:
            rivals.append(None)
            rivals[0] = ensure_excerpt(ProductTrack.objects.get(pk=track.pk))
        return result

    with connection.execute_wrapper(rival_is_faster):
        excerpt = ensure_excerpt(track)

    assert excerpt == rivals[0]
    assert Excerpt.objects.count() == 1


# --- Tasks --------------------------------------------------------------------------------------


def test_the_tasks_make_what_a_published_product_needs(tmp_path: Path) -> None:
    page = product_of(tmp_path)
    cover = cover_store(data=cover_jpeg(side=1400), title="Low Water")

    assert make_excerpts.call(page.pk) == 1
    make_cover_renditions.call(cover.pk)

    assert Excerpt.objects.count() == 1
    widths = {
        ending: sorted(
            cover.renditions.filter(file__endswith=ending).values_list("width", flat=True)
        )
        for ending in (".webp", ".avif")
    }
    assert widths == {".webp": [96, 320, 640, 1200], ".avif": [96, 320, 480, 720, 960]}


def test_the_tasks_do_not_mind_rows_that_are_gone() -> None:
    assert make_excerpts.call(999_999) == 0
    make_cover_renditions.call(999_999)


@pytest.mark.parametrize("damage", ["bit", "short"])
def test_damaged_bytes_are_replaced_by_the_next_upload(tmp_path: Path, damage: str) -> None:
    source = write_tone(tmp_path / "a.mp3", hertz=310)
    asset = stored(source)
    path = Path(asset.file.path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + (bytes([whole[-1] ^ 1]) if damage == "bit" else b""))
    assert check_asset(asset) == FixityCheck.Found.ALTERED

    again = asset_store(source=source, file_name="a.mp3")

    assert again.asset == asset
    assert path.read_bytes() == whole
    assert not FixityCheck.objects.exists()
