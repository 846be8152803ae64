"""The import from end to end: folders of real sound files become products, and only once."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from PIL import Image
from wagtail.models import Page, Revision

from catalog_pages.ingest.report import IngestRefused, IngestReport, Progress
from catalog_pages.ingest.service import ingest
from catalog_pages.models import (
    Artist,
    CataloguePage,
    CoverImage,
    DigitalAsset,
    Genre,
    ProductPage,
    ProductTrack,
    ShopSettings,
    TrackFile,
)
from catalog_pages.tests.sample_audio import cover_jpeg, cut_in_half, write_tone

pytestmark = pytest.mark.django_db

EVERYTHING = (
    Page, ProductPage, ProductTrack, TrackFile, DigitalAsset, CoverImage, Artist, Genre, Revision,
)  # fmt: skip


def run(*paths: Path, price: int | None = None, publish: bool = False) -> IngestReport:
    return ingest(paths, price_pennies=price, publish=publish, currency="GBP")


def command(*arguments: object, **options: Any) -> str:
    """What the command prints; it must not refuse anything."""
    out = io.StringIO()
    call_command("ingest_audio", *map(str, arguments), stdout=out, stderr=io.StringIO(), **options)
    return out.getvalue()


def failing_command(*arguments: object) -> tuple[str, CommandError]:
    out = io.StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("ingest_audio", *map(str, arguments), stdout=out, stderr=io.StringIO())
    return out.getvalue(), caught.value


def snapshot() -> list[list[dict[str, Any]]]:
    """Every row that an import could touch, field by field."""
    return [list(model._base_manager.order_by("pk").values()) for model in EVERYTHING]


def titles(page: ProductPage) -> list[str]:
    return [track.title for track in page.tracks.all()]


def album(folder: Path, *, count: int = 3, title: str = "Low Water", **tags: Any) -> Path:
    """A folder with an album of short tracks."""
    for number in range(1, count + 1):
        write_tone(
            folder / f"{number:02d}.mp3",
            seconds=0.5,
            **{
                "title": f"Song {number}",
                "artist": "The Moorings",
                "album": title,
                "track": f"{number}/{count}",
                **tags,
            },
        )
    return folder


# --- What becomes of files ----------------------------------------------------------------------


def test_an_album_becomes_a_draft_with_everything_its_tags_say(tmp_path: Path) -> None:
    album(tmp_path, genre="Folk", date="2019-05-01", cover=cover_jpeg())

    report = run(tmp_path)

    page = ProductPage.objects.get()
    assert report.created == [page.pk]
    assert (report.found, report.added, report.refused) == (3, 3, [])
    assert (page.title, page.artist.name, page.genre.name) == ("Low Water", "The Moorings", "Folk")
    assert (str(page.release_date), page.slug) == ("2019-05-01", "low-water")
    assert (page.live, page.has_unpublished_changes, page.price_pennies) == (False, True, None)
    assert titles(page) == ["Song 1", "Song 2", "Song 3"]
    assert [track.number for track in page.tracks.all()] == [1, 2, 3]
    assert page.get_parent().specific == CataloguePage.objects.get()
    assert page.get_latest_revision_as_object().tracks.count() == 3
    assert page.cover.width == 64
    assert CoverImage.objects.count() == 1


def test_every_format_is_taken(tmp_path: Path) -> None:
    for suffix in ("mp3", "flac", "opus", "ogg", "wav", "m4a", "aiff"):
        write_tone(
            tmp_path / f"a.{suffix}", seconds=0.5, title="Song", artist="X", album="Y", track=1
        )

    run(tmp_path)

    track = ProductPage.objects.get().tracks.get()
    assert {file.asset.format_name for file in track.files.all()} == {
        "MP3", "FLAC", "Opus", "WAV", "AAC (M4A)", "AIFF",
    }  # fmt: skip
    assert track.files.count() == 7


@pytest.mark.wide
def test_singles_in_two_formats_are_one_product(tmp_path: Path) -> None:
    for suffix in ("mp3", "flac"):
        write_tone(
            tmp_path / f"a.{suffix}", seconds=0.5, title="Night Ferry", artist="The Moorings"
        )
    write_tone(tmp_path / "b.mp3", seconds=0.5, title="Low Tide", artist="The Moorings")

    run(tmp_path)

    assert {page.title: titles(page) for page in ProductPage.objects.all()} == {
        "Night Ferry": ["Night Ferry"],
        "Low Tide": ["Low Tide"],
    }
    assert Artist.objects.count() == 1


@pytest.mark.wide
def test_untagged_files_are_named_by_their_names(tmp_path: Path) -> None:
    write_tone(tmp_path / "The Moorings" / "03 Night Ferry.wav", seconds=0.5)
    write_tone(tmp_path / "The Moorings" / "Harbour Choir - Low Tide.wav", seconds=0.5, hertz=500)

    run(tmp_path)

    found = {(page.artist.name, page.title) for page in ProductPage.objects.all()}
    assert found == {("The Moorings", "Night Ferry"), ("Harbour Choir", "Low Tide")}


def test_known_artists_and_genres_are_used_whatever_their_case(tmp_path: Path) -> None:
    artist = Artist.objects.create(name="BJÖRN")
    genre = Genre.objects.create(name="Électronique")
    write_tone(tmp_path / "a.flac", seconds=0.5, title="x", artist="Björn", genre="éLECTRONIQUE")

    run(tmp_path)

    page = ProductPage.objects.get()
    assert (page.artist, page.genre) == (artist, genre)


@pytest.mark.wide
def test_one_picture_in_two_albums_is_stored_once(tmp_path: Path) -> None:
    album(tmp_path / "1", title="One", cover=cover_jpeg())
    album(tmp_path / "2", title="Two", cover=cover_jpeg())

    run(tmp_path)

    assert CoverImage.objects.count() == 1
    assert len({page.cover_id for page in ProductPage.objects.all()}) == 1


def torn_jpeg() -> bytes:
    return cover_jpeg(side=400)[:700]


def bomb_png() -> bytes:
    buffer = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("picture", "words"),
    [(lambda: b"not a picture", "damaged"), (torn_jpeg, "damaged"), (bomb_png, "too large")],
)
def test_a_damaged_picture_is_left_out_with_a_note(
    picture: Callable[[], bytes], words: str, tmp_path: Path
) -> None:
    write_tone(tmp_path / "a.flac", seconds=0.5, title="x", artist="y", cover=picture())

    printed = command(tmp_path)

    assert ProductPage.objects.get().cover is None
    assert "Note:" in printed
    assert words in printed


def test_a_picture_that_browsers_do_not_show_is_converted(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.new("CMYK", (40, 40)).save(buffer, "TIFF")
    write_tone(tmp_path / "a.flac", seconds=0.5, title="x", artist="y", cover=buffer.getvalue())

    run(tmp_path)

    cover = ProductPage.objects.get().cover
    with cover.file.open("rb") as file, Image.open(file) as image:
        assert (image.format, image.mode) == ("JPEG", "RGB")


def test_hostile_tags_make_a_harmless_product(tmp_path: Path) -> None:
    write_tone(
        tmp_path / "a.mp3",
        seconds=0.5,
        title="<script>alert(1)</script>" + "x" * 10_000,
        artist="\u202e" + "y" * 10_000,
        album="../../../etc",
        genre="z" * 10_000,
        track="99999999",
        date="99999",
    )

    run(tmp_path)

    page = ProductPage.objects.get()
    assert (page.title, page.slug) == ("../../../etc", "etc")
    assert len(page.artist.name) == len(page.genre.name) == 200
    assert page.tracks.get().number is None


def test_slugs_are_unique_and_never_those_of_the_shop(tmp_path: Path) -> None:
    for at, (artist, title) in enumerate(
        [("X", "Hits"), ("Y", "Hits"), ("Z", "Artists"), ("Z", "???")]
    ):
        write_tone(tmp_path / f"{at}.mp3", seconds=0.5, title="Song", artist=artist, album=title)

    run(tmp_path)

    slugs = list(ProductPage.objects.order_by("pk").values_list("slug", flat=True))
    assert slugs == ["hits", "hits-y", "artists-z", "untitled"]


# --- What is refused ----------------------------------------------------------------------------


def test_refused_files_are_listed_and_do_not_stop_the_others(tmp_path: Path, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 90_000
    album(tmp_path / "album", count=2)
    (tmp_path / "empty.mp3").touch()
    cut_in_half(write_tone(tmp_path / "half.flac", seconds=2, title="half"))
    write_tone(tmp_path / "x.flac", title="flac").rename(tmp_path / "mislabelled.mp3")
    write_tone(tmp_path / "huge.wav", seconds=1)
    (tmp_path / "text.ogg").write_text("these are words")
    (tmp_path / "old.wma").write_bytes(b"0&\xb2u")
    (tmp_path / "broken link.mp3").symlink_to(tmp_path / "nowhere.mp3")
    os.mkfifo(tmp_path / "pipe.mp3")

    printed, error = failing_command(tmp_path)

    assert error.returncode == 1
    assert "Refused 8 of 10 files:" in printed
    for name, reason in {
        "empty.mp3": "The file is empty.",
        "half.flac": "cut short",
        "mislabelled.mp3": "The name says MP3, but the content is FLAC.",
        "huge.wav": "larger than 90,000 bytes",
        "text.ogg": "The name says Ogg",
        "old.wma": "WMA files are not sold here",
        "broken link.mp3": "cannot be read",
        "pipe.mp3": "not a regular file",
    }.items():
        (line,) = [line for line in printed.splitlines() if f"/{name}: " in line]
        assert reason in line
    assert [page.title for page in ProductPage.objects.all()] == ["Low Water"]
    assert DigitalAsset.objects.count() == 2


def test_a_refused_track_leaves_its_album_without_it(tmp_path: Path) -> None:
    album(tmp_path, count=3)
    cut_in_half(tmp_path / "02.mp3")

    report = run(tmp_path)

    assert [refusal.path.name for refusal in report.refused] == ["02.mp3"]
    assert titles(ProductPage.objects.get()) == ["Song 1", "Song 3"]


def test_what_is_not_audio_is_passed_over_in_folders_but_not_by_name(tmp_path: Path) -> None:
    album(tmp_path / "a", count=1)
    (tmp_path / "a" / "cover.jpg").write_bytes(cover_jpeg())
    (tmp_path / "a" / "readme.txt").write_text("hello")
    (tmp_path / "a" / "._01.mp3").write_bytes(b"a Mac was here")
    (tmp_path / "a" / ".hidden").mkdir()
    (tmp_path / "a" / ".hidden" / "x.mp3").write_bytes(b"nobody looks here")

    printed = command(tmp_path)
    assert "1 file: 1 added" in printed
    assert "Refused" not in printed

    printed, _ = failing_command(tmp_path / "a" / "readme.txt")
    assert "Refused 1 of 1 file:" in printed


def test_a_path_that_does_not_exist_is_a_sentence(tmp_path: Path) -> None:
    printed, error = failing_command(tmp_path / "nowhere", album(tmp_path / "a", count=1))

    assert "nowhere: There is no such file or folder." in printed
    assert error.returncode == 1
    assert ProductPage.objects.count() == 1


def test_names_that_are_no_text_are_no_hindrance(tmp_path: Path) -> None:
    write_tone(tmp_path / "a.mp3", seconds=0.5).rename(tmp_path / os.fsdecode(b"caf\xe9.mp3"))
    write_tone(tmp_path / "b.mp3", seconds=0.5, hertz=500, title="fine")
    (tmp_path / "b.mp3").rename(tmp_path / "line\nbreak.mp3")

    printed, _ = failing_command(tmp_path)

    assert DigitalAsset.objects.get().file_name == "caf\N{REPLACEMENT CHARACTER}.mp3"
    assert "line\N{REPLACEMENT CHARACTER}break.mp3: A file name must be" in printed


def test_links_that_go_round_in_circles_end(tmp_path: Path) -> None:
    album(tmp_path / "a", count=2)
    (tmp_path / "a" / "again").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "b").symlink_to(tmp_path / "a", target_is_directory=True)
    (tmp_path / "loop.mp3").symlink_to(tmp_path / "loop.mp3")

    report = run(tmp_path, tmp_path / "a", tmp_path / "a" / "01.mp3")

    assert (report.found, report.added) == (3, 2)
    assert [refusal.path.name for refusal in report.refused] == ["loop.mp3"]


@pytest.mark.wide
def test_the_order_of_the_paths_does_not_matter(tmp_path: Path) -> None:
    album(tmp_path, count=3)

    run(*sorted(tmp_path.iterdir(), reverse=True))

    assert titles(ProductPage.objects.get()) == ["Song 1", "Song 2", "Song 3"]


# --- The command --------------------------------------------------------------------------------


def test_publishing_needs_a_price(tmp_path: Path) -> None:
    album(tmp_path)

    _, error = failing_command(tmp_path, "--publish")

    assert "--price 4.99" in str(error)
    assert not DigitalAsset.objects.exists()


@pytest.mark.parametrize("price", ["4.999", "abc", "-1", "", "999999999999", "1e3", "٤"])
def test_a_price_that_is_none_is_a_sentence(price: str, tmp_path: Path) -> None:
    _, error = failing_command(album(tmp_path, count=1), f"--price={price}")

    assert "price" in str(error).lower()
    assert not DigitalAsset.objects.exists()


def test_free_products_are_published_on_purpose(tmp_path: Path) -> None:
    printed = command(album(tmp_path, count=1), "--price", "0", "--publish")

    page = ProductPage.objects.get()
    assert (page.live, page.price_pennies) == (True, 0)
    assert page.first_published_at <= timezone.now()
    assert "1 published" in printed


@pytest.mark.wide
def test_a_bar_shows_progress_when_it_is_wanted(tmp_path: Path, capsys: Any) -> None:
    album(tmp_path)

    command(tmp_path)
    assert capsys.readouterr().err == ""

    command(tmp_path, "--progress")
    assert "Reading" in capsys.readouterr().err


def test_progress_counts_up_to_the_total(tmp_path: Path) -> None:
    seen: list[Progress] = []
    album(tmp_path, count=2)

    ingest([tmp_path], price_pennies=None, publish=False, currency="GBP", on_progress=seen.append)

    for stage in ("Reading", "Storing"):
        steps = [(step.done, step.total) for step in seen if step.stage == stage]
        assert steps == sorted(steps)
        assert steps[-1] == (2, 2)


def test_an_empty_folder_is_no_mistake(tmp_path: Path) -> None:
    assert "0 files" in command(tmp_path)


def test_prices_of_another_currency_are_refused(tmp_path: Path) -> None:
    ShopSettings.load()

    with pytest.raises(IngestRefused, match="in GBP, not in JPY"):
        ingest([album(tmp_path)], price_pennies=500, publish=False, currency="JPY")

    assert not DigitalAsset.objects.exists()
