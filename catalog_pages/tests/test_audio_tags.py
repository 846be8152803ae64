"""What files and their names say about themselves, honest and hostile."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from mutagen import id3
from mutagen.flac import FLAC
from mutagen.mp3 import MP3

from catalog_pages.audio.facts import AudioTags
from catalog_pages.audio.names import parts_of_name
from catalog_pages.audio.probe import probe
from catalog_pages.audio.tag_values import date_in, number_in, side_in, total_in
from catalog_pages.audio.text import clean_text, fold
from catalog_pages.tests.sample_audio import write_tone


@pytest.mark.parametrize(
    ("text", "number", "total", "side"),
    [
        ("3", 3, None, None),
        ("03", 3, None, None),
        ("3/12", 3, 12, None),
        ("03 / 12", 3, 12, None),
        ("3 of 12", 3, 12, None),
        ("A1", 1, None, 1),
        ("b2", 2, None, 2),
        ("0", None, None, None),
        ("0/0", None, None, None),
        ("", None, None, None),
        ("-4", None, None, None),
        ("four", None, None, None),
        ("99999999999999999999", None, None, None),
        ("٣", None, None, None),
    ],
)
def test_track_numbers(text: str, number: int | None, total: int | None, side: int | None) -> None:
    assert (number_in(text), total_in(text), side_in(text)) == (number, total, side)


@pytest.mark.parametrize(
    ("text", "year", "day"),
    [
        ("2019", 2019, None),
        ("2019-05-01", 2019, date(2019, 5, 1)),
        ("2019-05-01T07:00:00Z", 2019, date(2019, 5, 1)),
        ("2019-02-31", 2019, None),
        ("2019-00-00", 2019, None),
        ("2019-05", 2019, None),
        ("May 2019", 2019, None),
        ("01/05/2019", 2019, None),
        ("0000", None, None),
        ("20190501123456", None, None),
        ("last year", None, None),
        ("", None, None),
    ],
)
def test_dates(text: str, year: int | None, day: date | None) -> None:
    assert date_in(text) == (year, day)


@pytest.mark.parametrize(
    ("name", "artist", "title", "disc", "number"),
    [
        ("Night Ferry.mp3", "", "Night Ferry", None, None),
        ("03 Night Ferry.mp3", "", "Night Ferry", None, 3),
        ("03. Night Ferry.mp3", "", "Night Ferry", None, 3),
        ("03 - Night Ferry.mp3", "", "Night Ferry", None, 3),
        ("03_night_ferry.mp3", "", "night ferry", None, 3),
        ("(3) Night Ferry.mp3", "", "(3) Night Ferry", None, None),
        ("1-03 Night Ferry.flac", "", "Night Ferry", 1, 3),
        ("The Moorings - Night Ferry.opus", "The Moorings", "Night Ferry", None, None),
        ("03 - The Moorings - Night Ferry.opus", "The Moorings", "Night Ferry", None, 3),
        ("The Moorings - 03 - Night Ferry.opus", "The Moorings", "Night Ferry", None, 3),
        ("The Moorings - Low Water - 03 Night Ferry.wav", "The Moorings", "Night Ferry", None, 3),
        ("The Moorings – Night Ferry – Live.wav", "The Moorings", "Night Ferry - Live", None, None),
        ("1999.mp3", "", "1999", None, None),
        ("4'33.mp3", "", "4'33", None, None),
        ("7.mp3", "", "7", None, None),
        ("_.mp3", "", "_", None, None),
        (" - .mp3", "", "-", None, None),
        ("夜のフェリー.mp3", "", "夜のフェリー", None, None),
    ],
)
def test_names_of_untagged_files(
    name: str, artist: str, title: str, disc: int | None, number: int | None
) -> None:
    parts = parts_of_name(name)

    assert (parts.artist, parts.title) == (artist, title)
    assert (parts.disc, parts.number) == (disc, number)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  two   words ", "two words"),
        ("line\nbreak\ttab", "line break tab"),
        ("first\0second", "first"),
        ("\0second", "second"),
        ("half \ud83d pair", "half pair"),
        ("right\u202eleft", "right left"),
        ("e\u0301", "é"),
        ("\x01\x02", ""),
        ("x" * 10_000, "x" * 199 + "…"),
    ],
)
def test_text_of_strangers_becomes_one_short_line(text: str, cleaned: str) -> None:
    assert clean_text(text) == cleaned


def test_names_are_compared_without_case_spacing_or_encoding() -> None:
    assert fold("  BJÖRK ") == fold("bjo\u0308rk")
    assert fold("Straße") == fold("STRASSE")


def test_tags_survive_the_way_into_the_database_and_back() -> None:
    tags = AudioTags(title="x", track=3, year=2019, release_date=date(2019, 5, 1))

    assert AudioTags.from_json(tags.as_json()) == tags
    assert AudioTags.from_json({"title": "x", "nonsense": 1}) == AudioTags(title="x")


def test_the_name_fills_the_gaps_of_the_tags(tmp_path: Path) -> None:
    untagged = probe(write_tone(tmp_path / "03 - The Moorings - Night Ferry.wav")).tags
    titled = probe(write_tone(tmp_path / "04 Other - Thing.mp3", title="Tagged")).tags
    full = probe(write_tone(tmp_path / "05 Other - Thing.mp3", title="A", artist="B")).tags

    assert (untagged.title, untagged.artist, untagged.track) == ("Night Ferry", "The Moorings", 3)
    assert (titled.title, titled.artist, titled.track) == ("Tagged", "Other", None)
    assert (full.title, full.artist, full.track) == ("A", "B", None)


@pytest.mark.parametrize(
    ("raw", "genre"),
    [
        ("(17)", "Rock"),
        ("17", "Rock"),
        ("(17)(6)", "Rock"),
        ("Rock; Pop", "Rock"),
        ("Rock\0Pop", "Rock"),
        ("(255)", ""),
        ("Ambient", "Ambient"),
    ],
)
def test_genres(raw: str, genre: str, tmp_path: Path) -> None:
    assert probe(write_tone(tmp_path / "t.mp3", seconds=0.5, genre=raw)).tags.genre == genre
    assert probe(write_tone(tmp_path / "t.flac", seconds=0.5, genre=raw)).tags.genre == genre


def test_hostile_id3_tags_become_harmless(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "Real Name.mp3", seconds=0.5, title="x")
    file = MP3(path)
    file.tags.add(id3.TIT2(encoding=1, text=["\x01\u202e" + "Ω" * 10_000]))
    file.tags.add(id3.TPE1(encoding=3, text=["\0", "Somebody\0Else"]))
    file.tags.add(id3.TRCK(encoding=0, text=["A1"]))
    file.tags.add(id3.TPOS(encoding=0, text=["-1"]))
    file.tags.add(id3.TDRC(encoding=0, text=["32767-99-99"]))
    file.tags.add(id3.APIC(encoding=0, mime="text/plain", type=3, desc="", data=b"not a picture"))
    file.save()

    facts = probe(path)

    assert facts.tags.title == "Ω" * 199 + "…"
    assert facts.tags.artist == "Somebody, Else"
    assert (facts.tags.track, facts.tags.disc, facts.tags.year) == (1, 1, None)
    assert facts.cover == b"not a picture"


def test_tags_in_the_wrong_encoding_do_not_hinder_anything(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "t.flac", seconds=0.5, title="PLACEHOLD", artist="Somebody")
    path.write_bytes(path.read_bytes().replace(b"PLACEHOLD", b"\xff\xfe\xe9\xe8 caf\xe9"))

    tags = probe(path).tags

    assert tags.title
    assert tags.title.isprintable()


def test_several_artists_are_one_line(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "t.flac", seconds=0.5, title="x")
    file = FLAC(path)
    file["artist"] = ["The Moorings", "Harbour Choir"]
    file.save()

    assert probe(path).tags.artist == "The Moorings, Harbour Choir"


def test_a_compilation_without_album_artist_is_by_various_artists(tmp_path: Path) -> None:
    tags = {"album": "Harbour Sounds", "artist": "The Moorings", "compilation": "1"}

    for suffix in ("mp3", "flac", "m4a"):
        path = write_tone(tmp_path / f"t.{suffix}", seconds=0.5, **tags)
        assert probe(path).tags.album_artist == "Various artists"
