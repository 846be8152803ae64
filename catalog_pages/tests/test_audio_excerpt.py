"""Excerpts: where they are cut, how they sound, what they do not tell."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from mutagen.mp3 import MP3

from catalog_pages.audio.cuts import Cut, guessed_start, is_guess, planned_cut
from catalog_pages.audio.excerpt import cut_excerpt
from catalog_pages.audio.facts import UnreadableAudio
from catalog_pages.audio.probe import probe
from catalog_pages.audio.waveform import peaks
from catalog_pages.tests.sample_audio import cover_jpeg, write_tone

HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    ("duration", "start", "length", "cut"),
    [
        (300_000, None, None, Cut(None, 30_000)),
        (300_000, 60_000, 45_000, Cut(60_000, 45_000)),
        (300_000, 290_000, None, Cut(270_000, 30_000)),
        (300_000, HOUR_MS, None, Cut(270_000, 30_000)),
        (30_000, 0, None, Cut(0, 18_000)),
        (39_000, None, None, Cut(None, 23_400)),
        (60_000, 0, 90_000, Cut(0, 45_000)),
        (1_000, 900, 30_000, Cut(0, 600)),
        (1, 5, None, Cut(0, 1)),
        (0, None, None, Cut(None, 1)),
    ],
)
def test_a_cut_is_never_the_whole_and_never_beyond_the_end(
    duration: int, start: int | None, length: int | None, cut: Cut
) -> None:
    assert planned_cut(duration_ms=duration, start_ms=start, length_ms=length) == cut


def test_guesses_are_told_from_choices_by_the_half_second() -> None:
    for near in range(0, 70_000, 777):
        start = guessed_start(near, duration_ms=60_000, length_ms=30_000)
        assert 0 <= start <= 30_000
        assert is_guess(start, duration_ms=60_000, length_ms=30_000)
    assert not is_guess(10_000, duration_ms=60_000, length_ms=30_000)
    assert not is_guess(0, duration_ms=60_000, length_ms=30_000)
    assert is_guess(0, duration_ms=800, length_ms=480)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("suffix", ["mp3", "flac", "opus", "wav", "m4a", "aiff"])
def test_an_excerpt_is_a_plain_mp3_without_anything_of_the_master(
    suffix: str, tmp_path: Path
) -> None:
    master = write_tone(
        tmp_path / f"m.{suffix}", seconds=8, title="Secret", artist="Name", cover=cover_jpeg()
    )
    target = tmp_path / "excerpt.mp3"

    facts = cut_excerpt(master, target, start_ms=2000, length_ms=4000)

    made = MP3(target)
    assert made.tags is None
    assert made.info.bitrate == pytest.approx(128_000, rel=0.05)
    assert (facts.start_ms, facts.duration_ms) == (2000, 4000)
    assert facts.size_bytes == target.stat().st_size
    assert facts.sha256 == hashlib.sha256(target.read_bytes()).hexdigest()
    assert probe(target).duration_ms == pytest.approx(4000, abs=5)
    assert b"Secret" not in target.read_bytes()


def test_it_fades_in_and_out(tmp_path: Path) -> None:
    target = tmp_path / "excerpt.mp3"
    cut_excerpt(write_tone(tmp_path / "m.wav", seconds=10), target, start_ms=1000, length_ms=6000)

    shape = peaks(target, count=60)

    assert max(shape) == 100
    assert shape[0] < 50 < shape[6]
    assert shape[-1] < 20
    assert min(shape[8:40]) > 90


def test_the_guess_finds_the_loud_passage(tmp_path: Path) -> None:
    master = write_tone(tmp_path / "m.wav", seconds=60, rate=8000, channels=1, loud=(25, 50))

    facts = cut_excerpt(master, tmp_path / "excerpt.mp3", start_ms=None, length_ms=10_000)
    again = cut_excerpt(master, tmp_path / "again.mp3", start_ms=None, length_ms=10_000)

    assert 22_000 <= facts.start_ms <= 40_000
    assert facts.start_ms % 1000 == 500
    assert facts == again


def test_the_guess_in_silence_is_a_third_of_the_way_in(tmp_path: Path) -> None:
    master = write_tone(tmp_path / "m.flac", seconds=30, rate=8000, loud=(99, 99), hertz=0)

    facts = cut_excerpt(master, tmp_path / "excerpt.mp3", start_ms=None, length_ms=5000)

    assert facts.start_ms == 9500
    assert peaks(tmp_path / "excerpt.mp3") == [0] * 200


def test_a_short_master_gives_a_shorter_excerpt(tmp_path: Path) -> None:
    master = write_tone(tmp_path / "m.mp3", seconds=5)

    facts = cut_excerpt(master, tmp_path / "excerpt.mp3", start_ms=None, length_ms=30_000)

    assert facts.duration_ms == pytest.approx(3000, abs=20)
    assert facts.start_ms + facts.duration_ms <= 5000


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [8000, 44_100, 96_000])
def test_any_rate_and_number_of_channels_will_do(channels: int, rate: int, tmp_path: Path) -> None:
    master = write_tone(tmp_path / "m.flac", seconds=3, rate=rate, channels=channels)

    facts = cut_excerpt(master, tmp_path / "excerpt.mp3", start_ms=0, length_ms=1000)

    assert facts.duration_ms == 1000
    assert len(peaks(tmp_path / "excerpt.mp3", count=50)) == 50


@pytest.mark.wide
def test_a_far_start_is_found_exactly(tmp_path: Path) -> None:
    master = write_tone(tmp_path / "m.flac", seconds=700, rate=8000, channels=1, loud=(655, 657))

    cut_excerpt(master, tmp_path / "excerpt.mp3", start_ms=650_000, length_ms=10_000)

    shape = peaks(tmp_path / "excerpt.mp3", count=100)
    loud = [at for at, level in enumerate(shape) if level > 50]
    assert (loud[0], loud[-1]) == pytest.approx((50, 69), abs=1)


def test_what_is_no_audio_gives_no_excerpt(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(b"no sound in here " * 100)

    with pytest.raises(UnreadableAudio):
        cut_excerpt(tmp_path / "m", tmp_path / "excerpt.mp3", start_ms=None, length_ms=1000)

    assert not (tmp_path / "excerpt.mp3").exists()
