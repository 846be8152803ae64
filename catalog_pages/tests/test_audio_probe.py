"""What a sound file is, and every way in which one can be refused."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import wave
from contextlib import suppress
from pathlib import Path

import pytest

from catalog_pages.audio import measure
from catalog_pages.audio.decoding import read_seconds
from catalog_pages.audio.facts import UnreadableAudio
from catalog_pages.audio.probe import probe
from catalog_pages.tests.sample_audio import cover_jpeg, cut_in_half, write_tone
from catalog_pages.uploads.checking import CLAIM_LASTS

FORMATS = {
    "mp3": ("MP3", "mp3", "audio/mpeg"),
    "flac": ("FLAC", "flac", "audio/flac"),
    "opus": ("Opus", "opus", "audio/ogg"),
    "ogg": ("Opus", "opus", "audio/ogg"),
    "wav": ("WAV", "pcm_s16le", "audio/wav"),
    "m4a": ("AAC (M4A)", "aac", "audio/mp4"),
    "aiff": ("AIFF", "pcm_s16be", "audio/aiff"),
}
TAGS = {
    "title": "Night Ferry",
    "artist": "The Moorings",
    "album": "Low Water",
    "album_artist": "Harbour Choir",
    "track": "3/12",
    "disc": "2",
    "genre": "Folk",
    "date": "2019-05-01",
}


def refusal(path: Path, **options: object) -> str:
    """The sentence that `path` is refused with."""
    with pytest.raises(UnreadableAudio) as caught:
        probe(path, **options)
    sentence = caught.value.reason
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_is_measured(suffix: str, tmp_path: Path) -> None:
    facts = probe(write_tone(tmp_path / f"tone.{suffix}", seconds=2))

    assert (facts.format_name, facts.codec, facts.content_type) == FORMATS[suffix]
    assert facts.duration_ms == pytest.approx(2000, abs=30)
    assert facts.sample_rate_hz == 48_000
    assert facts.channels == 2
    assert 5_000 < facts.bitrate_bps <= 1_536_000


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_gives_its_tags_and_its_cover(suffix: str, tmp_path: Path) -> None:
    picture = cover_jpeg()
    facts = probe(write_tone(tmp_path / f"03 x.{suffix}", cover=picture, **TAGS))

    tags = facts.tags
    assert (tags.title, tags.artist, tags.album) == ("Night Ferry", "The Moorings", "Low Water")
    assert (tags.album_artist, tags.genre) == ("Harbour Choir", "Folk")
    assert (tags.track, tags.track_total, tags.disc) == (3, 12, 2)
    assert (tags.year, str(tags.release_date)) == (2019, "2019-05-01")
    assert facts.cover == picture


def test_alac_is_lossless_in_an_m4a(tmp_path: Path) -> None:
    facts = probe(write_tone(tmp_path / "tone.m4a", codec="alac"))

    assert facts.format_name == "ALAC (M4A)"


def test_an_uploaded_file_is_judged_by_the_name_that_people_gave_it(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "tone.flac").rename(tmp_path / "upload_4711.tmp")

    assert probe(path, file_name="Night Ferry.flac").tags.title == "Night Ferry"
    assert "FLAC" in refusal(path, file_name="Night Ferry.mp3")


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_cut_in_half_is_refused(suffix: str, tmp_path: Path) -> None:
    path = cut_in_half(write_tone(tmp_path / f"tone.{suffix}", seconds=3))

    assert "cut short" in refusal(path)


@pytest.mark.parametrize("codec", ["aac", "alac"])
def test_an_m4a_with_its_index_in_front_is_refused_when_cut(codec: str, tmp_path: Path) -> None:
    path = write_tone(tmp_path / "t.m4a", codec=codec, options={"movflags": "faststart"})

    assert "cut short" in refusal(cut_in_half(path))


def test_an_mp3_without_a_promise_is_refused_when_its_last_frame_is_torn(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "t.mp3", options={"write_xing": "0"})
    assert probe(path).duration_ms > 1_900

    path.write_bytes(path.read_bytes()[:-100])

    assert "cut short" in refusal(path)


@pytest.mark.wide
@pytest.mark.parametrize("suffix", ["mp3", "flac", "opus", "m4a"])
def test_a_hole_in_the_middle_is_refused(suffix: str, tmp_path: Path) -> None:
    path = write_tone(tmp_path / f"tone.{suffix}", seconds=4)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4000] = random.Random(1).randbytes(4000)
    path.write_bytes(data)

    refusal(path)


def test_one_flipped_bit_in_a_flac_is_found(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "tone.flac", seconds=4)
    data = bytearray(path.read_bytes())
    data[len(data) * 3 // 4] ^= 0x10
    path.write_bytes(data)

    refusal(path)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "nothing.mp3"
    path.touch()

    assert refusal(path) == "The file is empty."


@pytest.mark.parametrize("content", ["flac", "mp3", "opus", "wav", "m4a", "aiff"])
@pytest.mark.parametrize("name", ["mp3", "flac", "ogg", "wav", "m4a", "aiff"])
def test_a_name_that_does_not_fit_the_content_is_refused(
    content: str, name: str, tmp_path: Path
) -> None:
    path = write_tone(tmp_path / f"tone.{content}", seconds=0.5)
    if name == content or (name, content) == ("ogg", "opus"):
        assert probe(path, file_name=f"song.{name}")
    else:
        assert refusal(path, file_name=f"song.{name}").startswith("The name says")


JUNK = {
    "text": b"All work and no play makes Jack a dull boy.\n" * 400,
    "playlist": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n" * 30,
    "zeros": bytes(50_000),
    "noise": random.Random(7).randbytes(200_000),
    "utf-16": ("Läßt sich nicht hören. " * 900).encode("utf-16"),
    "picture": cover_jpeg(side=256),
    "pdf": b"%PDF-1.7\n" + b"0" * 4000,
    "only an ID3 tag": b"ID3\x04\0\0\0\0\x01\0" + bytes(128),
    "ID3 of 250 MB": b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + bytes(500),
    "flac marker": b"fLaC",
    "ogg marker": b"OggS" + bytes(100),
    "riff marker": b"RIFF\xff\xff\xff\x7fWAVE",
    "riff with a huge chunk": b"RIFF\0\0\0\0WAVELIST\xf0\xff\xff\x7f" + bytes(64),
    "form marker": b"FORM\0\0\0\x04AIFF",
    "mp4 marker": b"\0\0\0\x10ftypM4A \0\0\0\0",
    "mp4 box of size 1": b"\0\0\0\x10ftypM4A \0\0\0\0\0\0\0\x01moov" + b"\xff" * 8,
    "flac blocks without end": b"fLaC" + b"\x01\xff\xff\xff" + bytes(300),
}


@pytest.mark.parametrize("suffix", ["mp3", "flac", "ogg", "opus", "wav", "m4a", "aiff"])
def test_what_is_no_audio_is_refused_whatever_it_is_called(suffix: str, tmp_path: Path) -> None:
    for number, content in enumerate(JUNK.values()):
        path = tmp_path / f"{number}.{suffix}"
        path.write_bytes(content)
        refusal(path)


@pytest.mark.wide
def test_damaged_headers_never_raise_anything_else(tmp_path: Path) -> None:
    dice = random.Random(42)
    for suffix in ("mp3", "flac", "ogg", "wav", "m4a", "aiff"):
        original = write_tone(
            tmp_path / f"t.{suffix}", seconds=0.5, cover=cover_jpeg(), **TAGS
        ).read_bytes()
        for number in range(25):
            data = bytearray(original)
            for _ in range(8):
                data[dice.randrange(min(len(data), 1500))] = dice.randrange(256)
            path = tmp_path / f"{number}.{suffix}"
            path.write_bytes(data)
            with suppress(UnreadableAudio):
                facts = probe(path)
                assert facts.duration_ms > 0
                assert facts.tags.title


def test_a_wav_of_zero_seconds_has_no_sound(tmp_path: Path) -> None:
    path = tmp_path / "silence.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(44_100)

    assert "zero seconds" in refusal(path)


def test_a_wav_that_was_written_through_a_pipe_promises_nothing(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "t.wav")
    data = bytearray(path.read_bytes())
    at = data.index(b"data") + 4
    data[at : at + 4] = b"\xff" * 4
    path.write_bytes(data)

    assert probe(path).duration_ms == 2000


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("song.wma", "WMA files are not sold here"),
        ("song.txt", "does not end like audio"),
        ("song", "does not end like audio"),
    ],
)
def test_names_of_other_kinds_are_refused(name: str, reason: str, tmp_path: Path) -> None:
    path = write_tone(tmp_path / "tone.mp3", seconds=0.5)

    assert reason in refusal(path, file_name=name)


def test_opus_and_flac_do_not_pass_under_each_others_names_in_ogg(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "t.oga", codec="flac", seconds=0.5)

    assert probe(path).format_name == "Ogg FLAC"
    assert refusal(path, file_name="t.opus") == "The name says Opus, but the content is Ogg FLAC."


def test_more_than_a_day_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "endless.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(4000)
    header = bytearray(path.read_bytes())
    length = 25 * 60 * 60 * 4000
    header[-4:] = length.to_bytes(4, "little")
    with path.open("wb") as file:
        file.write(header)
        file.truncate(len(header) + length)  # sparse: it takes no room on the disk

    assert refusal(path) == "The sound is longer than 24 hours."


@pytest.mark.wide
@pytest.mark.parametrize("suffix", ["mp3", "flac", "opus", "wav", "m4a"])
def test_of_very_long_files_the_middle_is_counted_but_not_decoded(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "DECODED_HEAD_MS", 1000)
    monkeypatch.setattr(measure, "DECODED_TAIL_MS", 1000)
    path = write_tone(tmp_path / f"t.{suffix}", seconds=6)

    assert probe(path).duration_ms == pytest.approx(6000, abs=50)
    assert "cut short" in refusal(cut_in_half(path))


def test_a_large_file_may_take_longer_and_never_longer_than_its_check_is_waited_for(
    tmp_path: Path,
) -> None:
    path = tmp_path / "hole.flac"
    path.touch()
    allowed = []
    for gigabytes in (0, 1, 5, 100):
        os.truncate(path, gigabytes * 1024**3)
        allowed.append(read_seconds(path))

    assert allowed == [60, 120, 360, 480]
    assert allowed[-1] < CLAIM_LASTS.total_seconds()


def test_a_file_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "t.mp3")

    assert "took longer" in refusal(path, seconds=0)


def test_tags_in_front_and_behind_do_not_disturb_the_sound(tmp_path: Path) -> None:
    flac = write_tone(tmp_path / "t.flac", title="x").read_bytes()
    (tmp_path / "tagged.flac").write_bytes(
        b"ID3\x03\0\0\0\0\0\x10" + bytes(16) + flac + b"TAG" + b"Old".ljust(125, b"\0")
    )

    assert probe(tmp_path / "tagged.flac").duration_ms == 2000


@pytest.mark.wide
def test_the_web_process_does_not_load_audio_libraries() -> None:
    script = (
        "import django, sys; django.setup();"
        "import catalog_pages.models, catalog_pages.excerpts, catalog_pages.tasks, "
        "catalog_pages.wagtail_hooks, catalog_pages.audio.facts, site_config.urls;"
        "loaded = {'av', 'numpy', 'mutagen'} & set(sys.modules); assert not loaded, loaded"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
