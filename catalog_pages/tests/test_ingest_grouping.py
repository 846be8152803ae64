"""Which files are one track and which tracks one release: without a database, without a disk."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from catalog_pages.audio.facts import AudioFacts, AudioTags
from catalog_pages.ingest.grouping import ReleasePlan, SourceFile, grouped

_numbers = itertools.count()


def source(path: str = "x.mp3", **tags: Any) -> SourceFile:
    facts = AudioFacts("MP3", "mp3", "audio/mpeg", 1000, 128_000, 44_100, 2, AudioTags(**tags))
    return SourceFile(Path("/music/A Band") / path, path, f"{next(_numbers):064x}", facts)


def shape(plan: ReleasePlan) -> tuple[str, str, list[tuple[str, int]]]:
    """Artist, title, and each track with the number of its files."""
    return plan.artist, plan.title, [(track.title, len(track.files)) for track in plan.tracks]


def test_an_album_is_one_release_in_the_order_of_disc_and_number() -> None:
    plans = grouped(
        [
            source(title="d", artist="X", album="Y", disc=2, track=1),
            source(title="b", artist="X", album="Y", disc=1, track=2),
            source(title="c", artist="X", album="Y"),
            source(title="a", artist="X", album="Y", track=1),
        ]
    )

    assert [shape(plan) for plan in plans] == [("X", "Y", [("a", 1), ("b", 1), ("c", 1), ("d", 1)])]


def test_names_that_differ_in_case_and_spacing_are_the_same() -> None:
    (plan,) = grouped(
        [
            source(title="a", artist="The  Band", album="Big Pink", track=1),
            source(title="b", artist="THE BAND", album="big pink ", track=2),
        ]
    )

    assert shape(plan) == ("The  Band", "Big Pink", [("a", 1), ("b", 1)])


def test_an_album_artist_keeps_various_artists_together() -> None:
    (plan,) = grouped(
        [
            source(title="a", artist="One", album="Y", album_artist="Friends", track=1),
            source(title="b", artist="Two", album="Y", album_artist="Friends", track=2),
            source(title="c", artist="Friends", album="Y", album_artist="Friends", track=3),
        ]
    )

    assert plan.artist == "Friends"
    assert plan.credits == "a: One\nb: Two"


def test_albums_of_one_name_by_two_artists_are_two_releases() -> None:
    plans = grouped(
        [
            source(title="a", artist="One", album="Hits"),
            source(title="a", artist="Two", album="Hits"),
        ]
    )

    assert [plan.artist for plan in plans] == ["One", "Two"]


def test_formats_of_a_track_are_one_track() -> None:
    (plan,) = grouped(
        [
            source("a.mp3", title="Song", artist="X", album="Y", track=1),
            source("a.flac", title="song", artist="X", album="Y", disc=1, track=1),
            source("b.mp3", title="Song", artist="X", album="Y", track=2),
        ]
    )

    assert shape(plan) == ("X", "Y", [("Song", 2), ("Song", 1)])


def test_a_format_without_numbers_joins_its_track() -> None:
    (plan,) = grouped(
        [
            source("a.ogg", title="Song", artist="X", album="Y"),
            source("a.mp3", title="Song", artist="X", album="Y", track=7),
        ]
    )

    assert shape(plan) == ("X", "Y", [("Song", 2)])
    assert plan.tracks[0].number == 7


def test_files_without_album_are_singles_and_formats_of_one_are_one() -> None:
    plans = grouped(
        [
            source("a.mp3", title="Song", artist="X", track=3),
            source("a.flac", title="SONG", artist="x"),
            source("b.mp3", title="Song", artist="Z"),
        ]
    )

    assert [shape(plan) for plan in plans] == [
        ("X", "Song", [("Song", 2)]),
        ("Z", "Song", [("Song", 1)]),
    ]
    assert plans[0].tracks[0].number is None


def test_a_single_and_an_album_of_the_same_name_stay_apart() -> None:
    plans = grouped(
        [source(title="Y", artist="X"), source(title="Y", artist="X", album="Y", track=1)]
    )

    assert len(plans) == 2


def test_the_folder_names_the_artist_that_no_tag_names() -> None:
    (plan,) = grouped([source(title="Song")])

    assert plan.artist == "A Band"


def test_a_folder_that_anybody_has_names_nobody() -> None:
    facts = source(title="Song").facts
    (plan,) = grouped([SourceFile(Path("/home/me/Downloads/x.mp3"), "x.mp3", "0" * 64, facts)])

    assert plan.artist == "Unknown artist"


def test_genre_and_date_come_from_the_files_together() -> None:
    (plan,) = grouped(
        [
            source(title="a", album="Y", artist="X", genre="Folk", year=2020),
            source(title="b", album="Y", artist="X", genre="Jazz", year=2019),
            source(title="c", album="Y", artist="X", genre="Jazz"),
        ]
    )
    (dated,) = grouped(
        [source(title="a", album="Y", artist="X", year=2019, release_date=date(2019, 5, 1))]
    )

    assert (plan.genre, plan.release_date) == ("Jazz", date(2019, 1, 1))
    assert dated.release_date == date(2019, 5, 1)


def test_a_year_that_is_yet_to_come_makes_no_date_and_a_full_date_does() -> None:
    (guessed,) = grouped([source(title="a", album="Y", artist="X", year=9998)])
    told = date(9998, 5, 1)
    (dated,) = grouped([source(title="a", album="Y", artist="X", year=9998, release_date=told)])

    assert (guessed.release_date, dated.release_date) == (None, told)


def test_a_plan_loses_the_tracks_whose_files_it_loses() -> None:
    files = [source(title=title, album="Y", artist="X") for title in "abc"]
    (plan,) = grouped(files)

    kept = plan.keeping([files[1].sha256])

    assert shape(kept) == ("X", "Y", [("b", 1)])


def sampler(*artists: str, folder: str = "/music/Inbox", **tags: Any) -> list[SourceFile]:
    """One file by each, numbered as they come, of an album that names no artist of its own."""
    return [
        replace(
            source(**{"title": f"Song {number}", "artist": artist, "album": "Coast", "track": number} | tags),
            path=Path(folder) / f"{number}.mp3",
        )
        for number, artist in enumerate(artists, start=1)
    ]  # fmt: skip


def test_a_sampler_that_nobody_tagged_as_one_is_one_release_by_various_artists() -> None:
    (plan,) = grouped(sampler("A", "B", "C", "D", "E"))

    assert shape(plan)[:2] == ("Various artists", "Coast")
    assert [track.artist for track in plan.tracks] == ["A", "B", "C", "D", "E"]
    assert plan.credits.startswith("Song 1: A\n")


def test_a_guest_on_one_track_leaves_the_album_to_whom_it_is_by() -> None:
    (plan,) = grouped(sampler("A feat. B", "A", "A", "A"))

    assert (plan.artist, len(plan.tracks)) == ("A", 4)
    assert plan.credits == "Song 1: A feat. B"


def test_formats_of_a_sampler_join_their_tracks() -> None:
    (plan,) = grouped([*sampler("A", "B", "C"), *sampler("A", "B", "C")])

    assert [len(track.files) for track in plan.tracks] == [2, 2, 2]


def test_a_folder_of_the_albums_name_holds_what_there_is_of_it() -> None:
    files = [
        *sampler("A", folder="/music/Coast", track=2),
        *sampler("B", folder="/music/Coast", track=19),
    ]

    assert [plan.artist for plan in grouped(files)] == ["Various artists"]
    assert len(grouped([*sampler("A", track=2), *sampler("B", track=19)])) == 2


@pytest.mark.parametrize(
    "files",
    [
        [*sampler("A", "A"), *sampler("B", "B")],
        [*sampler("A", track_total=17), *sampler("A", "B", track_total=12)[1:]],
        sampler("A", "B", track=None),
        [*sampler("A"), *sampler("A", "B", folder="/music/Other")[1:]],
        [*sampler("A", album_artist="A"), *sampler("A", "B", album_artist="B")[1:]],
        sampler("A", "B", album=""),
    ],
    ids=["numbers twice", "other totals", "no numbers", "two folders", "album artists", "no album"],
)
def test_albums_that_only_share_a_name_stay_apart(files: list[SourceFile]) -> None:
    assert [plan.artist for plan in grouped(files)] == ["A", "B"]


def test_two_files_of_one_format_on_a_track_are_named() -> None:
    files = [source(title="Song", artist="X", album="Y", track=1) for _ in range(2)]
    (plan,) = grouped(files)
    (single,) = grouped(files[:1])

    assert [track.doubled for track in plan.tracks] == ["MP3"]
    assert [track.doubled for track in single.tracks] == [""]
