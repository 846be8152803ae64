"""The demo catalogue: what it promises, how its files are tagged, and that they hold music.

The pieces rendered here are the real ones played several times too fast, which keeps every layer
of the work and takes a fraction of the time.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import itertools
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import av
import mutagen
import numpy as np
import pytest
from mutagen.id3 import ID3
from PIL import Image

from catalog_pages.audio.decoding import Deadline
from catalog_pages.audio.tags import cover_of, parse_tags, tags_of
from catalog_pages.demo.compose import (
    ambient,
    compose,
    folk,
    house,
    jazz,
    seconds,
    synthwave,
)
from catalog_pages.demo.compose.melody import Style, tune
from catalog_pages.demo.compose.score import Brief, chart, scale, voice
from catalog_pages.demo.covers import sleeve_jpeg
from catalog_pages.demo.covers.canvas import sheet
from catalog_pages.demo.covers.lettering import write
from catalog_pages.demo.library import RELEASES, DemoRelease, find_release
from catalog_pages.demo.render import write_demo_audio
from catalog_pages.demo.sound.mix import CEILING
from catalog_pages.demo.sound.signal import RATE, hz
from catalog_pages.demo.sound.strings import guitar

TRACKS = [(release, track) for release in RELEASES for track in release.tracks]


def hurried(release: DemoRelease, *, tracks: int = 1) -> DemoRelease:
    """The first tracks of a release at five times their tempo, in a sleeve that is quick to draw."""
    fast = (replace(track, tempo=track.tempo * 5) for track in release.tracks[:tracks])
    return replace(release, tracks=tuple(fast), sleeve="cut paper")


SHORT = (
    hurried(find_release("Paper Lantern Trio", "After the Last Tram")),
    hurried(find_release("Kōan Garden", "Tsukimi")),
    hurried(find_release("Moss & Thimble", "Thistle Reel")),
)


@dataclass
class Written:
    """One run of the generator."""

    root: Path
    paths: list[Path]
    reported: list[Path]

    def the(self, name: str) -> Path:
        return next(path for path in self.paths if path.name == name)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    root = tmp_path_factory.mktemp("demo")
    reported: list[Path] = []
    paths = write_demo_audio(root, on_file=reported.append, releases=SHORT)
    return Written(root, paths, reported)


def decoded(path: Path) -> tuple[np.ndarray, int]:
    with av.open(path) as source:
        rate = source.streams.audio[0].rate
        resampler = av.AudioResampler("fltp", "stereo", rate)
        frames = [ready for frame in source.decode(audio=0) for ready in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray() for frame in frames], axis=1), rate


def test_the_catalogue_is_as_large_and_as_varied_as_the_shop_needs():
    albums = [release for release in RELEASES if release.is_album]
    formats = [kind for release, _ in TRACKS for kind in release.formats]

    assert len({release.artist for release in RELEASES}) == 6
    assert len({release.genre for release in RELEASES}) == 5
    assert (len(RELEASES), len(albums), len(TRACKS)) == (16, 5, 29)
    assert all(formats.count(kind) >= 9 for kind in ("mp3", "flac", "opus"))
    assert sum(release.formats == ("flac", "mp3") for release in albums) == 1
    assert any(not release.artist.isascii() for release in RELEASES)
    assert any(not release.title.isascii() for release in RELEASES)


def test_one_release_is_free_and_the_others_have_sensible_prices():
    prices = sorted(release.price_pennies for release in RELEASES)

    assert prices[0] == 0
    assert all(99 <= price <= 1200 for price in prices[1:])
    assert len(set(prices)) > 8


def test_every_release_is_described_dated_and_has_a_sleeve_of_its_own():
    for release in RELEASES:
        assert 40 <= len(release.description) <= 200
        assert "!" not in release.description
        assert release.release_date <= dt.date(2026, 11, 1)
    assert len({release.sleeve for release in RELEASES}) == len(RELEASES)


def test_a_release_is_found_by_its_artist_and_its_title():
    assert all(find_release(*release.key) is release for release in RELEASES)
    assert find_release("Kōan Garden", "Something else") is None


def test_singles_have_one_track_that_bears_their_name():
    for release in RELEASES:
        assert [track.number for track in release.tracks] == list(range(1, len(release.tracks) + 1))
        if not release.is_album:
            assert [track.title for track in release.tracks] == [release.title]


def test_every_track_lasts_about_a_minute():
    lengths = [
        seconds(release.genre, Brief(track.key, track.tempo, track.feel, track.seed))
        for release, track in TRACKS
    ]

    assert min(lengths) >= 45
    assert max(lengths) <= 95


def test_reading_the_catalogue_loads_neither_numpy_nor_pyav():
    code = (
        "import sys, catalog_pages.demo.library; sys.exit(bool({'numpy', 'av'} & set(sys.modules)))"
    )
    root = Path(__file__).parents[2]

    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


@pytest.mark.wide
def test_files_are_named_by_artist_release_and_track(written):
    names = [path.relative_to(written.root).as_posix() for path in written.paths]

    assert names == [
        "Kōan Garden/Tsukimi/01 Tsukimi.mp3",
        "Moss & Thimble/Thistle Reel/01 Thistle Reel.opus",
        "Paper Lantern Trio/After the Last Tram/01 Depot Lights.flac",
        "Paper Lantern Trio/After the Last Tram/01 Depot Lights.mp3",
    ]
    assert sorted(written.reported) == written.paths
    assert sorted(path for path in written.root.rglob("*") if path.is_file()) == written.paths


@pytest.mark.parametrize(
    ("name", "format_name"),
    [("01 Depot Lights.flac", "FLAC"), ("01 Depot Lights.mp3", "MP3")],
)
def test_both_files_of_an_album_track_say_the_same(written, name, format_name):
    tags = tags_of(parse_tags(written.the(name), format_name, Deadline(10)), {})

    assert (tags.title, tags.artist) == ("Depot Lights", "Paper Lantern Trio")
    assert (tags.album, tags.album_artist) == ("After the Last Tram", "Paper Lantern Trio")
    assert (tags.track, tags.track_total, tags.disc) == (1, 1, 1)
    assert (tags.genre, tags.year) == ("Jazz", 2026)


@pytest.mark.parametrize(
    ("name", "format_name", "artist"),
    [("01 Tsukimi.mp3", "MP3", "Kōan Garden"), ("01 Thistle Reel.opus", "Opus", "Moss & Thimble")],
)
def test_a_single_has_no_album(written, name, format_name, artist):
    tags = tags_of(parse_tags(written.the(name), format_name, Deadline(10)), {})

    assert (tags.artist, tags.album) == (artist, "")


@pytest.mark.parametrize(
    ("name", "format_name"),
    [("01 Depot Lights.flac", "FLAC"), ("01 Tsukimi.mp3", "MP3"), ("01 Thistle Reel.opus", "Opus")],
)
def test_every_format_carries_its_sleeve(written, name, format_name):
    data = cover_of(parse_tags(written.the(name), format_name, Deadline(10)))

    with Image.open(io.BytesIO(data)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (1000, 1000))


def test_files_are_what_their_names_say(written):
    mp3 = mutagen.File(written.the("01 Tsukimi.mp3")).info
    flac = mutagen.File(written.the("01 Depot Lights.flac")).info
    _, opus_rate = decoded(written.the("01 Thistle Reel.opus"))

    assert (mp3.sample_rate, mp3.channels, mp3.bitrate) == (44_100, 2, 192_000)
    assert (flac.sample_rate, flac.channels, flac.bits_per_sample) == (44_100, 2, 16)
    assert opus_rate == 48_000


def test_no_file_says_when_or_with_what_it_was_made(written):
    id3 = ID3(written.the("01 Tsukimi.mp3"))
    flac = mutagen.File(written.the("01 Depot Lights.flac"))

    assert {key[:4] for key in id3} == {"TIT2", "TPE1", "TRCK", "TPOS", "TCON", "TDRC", "APIC"}
    assert "encoder" not in flac
    assert "encoder" not in mutagen.File(written.the("01 Thistle Reel.opus"))


def test_decoded_files_are_as_long_as_the_piece_and_never_clip(written):
    for release in SHORT:
        track = release.tracks[0]
        wanted = seconds(release.genre, Brief(track.key, track.tempo, track.feel, track.seed))
        for kind in release.formats:
            sound, rate = decoded(written.the(f"01 {track.title}.{kind}"))

            assert sound.shape[1] / rate == pytest.approx(wanted, abs=0.1)
            assert np.abs(sound).max() < 0.98


@pytest.mark.wide
def test_a_second_run_writes_the_same_bytes(written, tmp_path):
    again = write_demo_audio(tmp_path, releases=SHORT)

    first, second = (
        [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
        for paths in (written.paths, again)
    )
    assert first == second


@pytest.mark.wide
def test_a_track_that_cannot_be_made_raises_and_leaves_nothing_behind(tmp_path):
    release = SHORT[1]
    broken = replace(release, tracks=(replace(release.tracks[0], feel="polka"),))

    with pytest.raises(KeyError, match="polka"):
        write_demo_audio(tmp_path, releases=[broken])

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.sampled(5)
@pytest.mark.parametrize("genre", ["Ambient", "House", "Jazz", "Folk", "Synthwave"])
def test_a_piece_is_music_rather_than_a_tone(genre):
    release = next(release for release in RELEASES if release.genre == genre)
    track = release.tracks[0]

    sound = compose(genre, Brief(track.key, track.tempo * 3, track.feel, track.seed))

    mono = sound.mean(axis=0)
    blocks = mono[: len(mono) // 2205 * 2205].reshape(-1, 2205)
    levels = 20 * np.log10(np.sqrt((blocks**2).mean(axis=1)) + 1e-9)
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() <= CEILING
    assert np.abs(sound.mean(axis=1)).max() < 2e-3
    assert -24 < 20 * np.log10(np.sqrt((sound**2).mean())) < -12
    fades = 7 * 20  # No piece takes longer than seven seconds to die away.
    assert (levels[20:-fades] > -55).all(), "there is a hole in the middle"
    assert levels[-1] < -50, "it does not fade out"
    assert spectral_change(mono) > 0.1
    assert np.abs(sound[0] - sound[1]).max() > 0.05, "it is mono"


def spectral_change(mono: np.ndarray) -> float:
    """How unlike neighbouring quarters of a second are: 0 for a steady tone."""
    size = RATE // 4
    frames = mono[: len(mono) // size * size].reshape(-1, size) * np.hanning(size)
    spectra = np.abs(np.fft.rfft(frames))[:, :2000]
    spectra /= np.linalg.norm(spectra, axis=1, keepdims=True) + 1e-9
    return float(1 - (spectra[1:] * spectra[:-1]).sum(axis=1).mean())


def test_plucked_strings_are_in_tune():
    for midi in (40, 57, 76):
        spectrum = np.abs(np.fft.rfft(guitar(midi) * np.hanning(len(guitar(midi))), 1 << 19))
        bins = np.fft.rfftfreq(1 << 19, 1 / RATE)
        near = np.flatnonzero(np.abs(bins / hz(midi) - 1) < 0.05)
        heard = bins[near[spectrum[near].argmax()]]

        assert abs(1200 * np.log2(heard / hz(midi))) < 3


def test_every_chart_can_be_read_in_every_key():
    symbols = [text for mood in ambient.MOODS.values() for text in mood.charts]
    symbols += [text for room in house.ROOMS.values() for text in room.charts]
    symbols += [text for dance in folk.DANCES.values() for text in dance.charts]
    symbols += [text for charts in jazz.CHARTS.values() for pair in charts for text in pair]
    symbols += synthwave.CHARTS

    for text in symbols:
        for _, track in TRACKS:
            read = chart(text, track.key, 4.0)
            assert len(read.chords) == len(text.split())


def test_voices_move_to_the_next_chord_by_small_steps():
    chords = chart("Dm9 G13 Cmaj9 Am7", "F", 4.0).chords

    held = voice(chords[0], 60)
    for chord in chords[1:]:
        following = voice(chord, 60, held)
        assert max(min(abs(new - old) for old in held) for new in following) <= 5
        held = following


def test_a_tune_stays_in_its_key_and_comes_home():
    harmony = chart("C Am F G C Am G C", "D", 4.0)
    allowed = set(scale("major", "D"))
    style = Style((((0.0, 1.0), (1.0, 1.0), (2.0, 2.0)),), 4.0, tuple(sorted(allowed)), 72)

    notes = tune(np.random.default_rng(3), style, harmony, start=0.0, beats=32.0)

    assert {note.pitch % 12 for note in notes} <= allowed
    assert notes[-1].pitch % 12 in harmony.at(31.0).classes[:2]
    leaps = [abs(b.pitch - a.pitch) for a, b in itertools.pairwise(notes)]
    assert max(leaps) <= 12
    assert len(set(leaps)) > 2


def test_sleeves_differ_from_one_another_and_not_from_themselves():
    first, again, other = (sleeve_jpeg(name, 5) for name in ("cut paper", "cut paper", "thistle"))

    assert first == again
    assert first != other


def test_letters_with_accents_are_set_with_them():
    def darkness(text: str) -> float:
        paper = sheet("#ffffff")
        write(paper, text, 0.1, 0.5, size=0.2, colour="#000000")
        return float((1 - paper).sum())

    assert darkness("o") > 0
    for accented in ("ō", "å", "ö", "é"):
        base = {"ō": "o", "å": "a", "ö": "o", "é": "e"}[accented]
        assert darkness(accented) > darkness(base) * 1.03
