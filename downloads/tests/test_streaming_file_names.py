"""Content-Disposition: every name arrives, no name gets out of its header or its folder."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from downloads.content_disposition import MAX_NAME_BYTES, content_disposition, safe_file_name
from downloads.tests.streaming_files import unhurried


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Song.flac", 'attachment; filename="Song.flac"'),
        ("01 - A; b, c=d.mp3", 'attachment; filename="01 - A; b, c=d.mp3"'),
        ("AC/DC.mp3", 'attachment; filename="AC_DC.mp3"'),
        (None, "attachment"),
        ("", 'attachment; filename="download"'),
        (
            "Für Elise.mp3",
            "attachment; filename=\"Fur Elise.mp3\"; filename*=UTF-8''F%C3%BCr%20Elise.mp3",
        ),
        ("日本.mp3", "attachment; filename=\"__.mp3\"; filename*=UTF-8''%E6%97%A5%E6%9C%AC.mp3"),
        ("🎵.ogg", "attachment; filename=\"_.ogg\"; filename*=UTF-8''%F0%9F%8E%B5.ogg"),
        ('7" mix.wav', "attachment; filename=\"7_ mix.wav\"; filename*=UTF-8''7%22%20mix.wav"),
        ("100%41.mp3", "attachment; filename=\"100_41.mp3\"; filename*=UTF-8''100%2541.mp3"),
        ("it's.mp3", 'attachment; filename="it\'s.mp3"'),
        (
            "é (1)*'s.mp3",
            "attachment; filename=\"e (1)*'s.mp3\"; filename*=UTF-8''%C3%A9%20%281%29%2A%27s.mp3",
        ),
    ],
)
def test_a_name_is_stated_in_ascii_and_in_full(name: str | None, value: str) -> None:
    assert content_disposition("attachment", file_name=name) == value


@pytest.mark.parametrize(
    ("name", "approximation"),
    [("a℀b.mp3", "aa_cb.mp3"), ("‥.mp3", "mp3"), ("´", "download"), ("ｅｖｉｌ／ｘ", "evil_x")],
)
def test_an_ascii_likeness_is_no_way_out_of_the_folder(name: str, approximation: str) -> None:
    value = content_disposition("attachment", file_name=name)

    assert value.startswith(f'attachment; filename="{approximation}"; filename*=')


def test_an_excerpt_is_shown_in_place() -> None:
    assert content_disposition("inline", file_name="a.mp3") == 'inline; filename="a.mp3"'
    assert content_disposition("inline", file_name=None) == "inline"


@pytest.mark.parametrize(
    ("hostile", "plain"),
    [
        ("../../etc/passwd", "_.._etc_passwd"),
        ("..\\..\\boot.ini", "_.._boot.ini"),
        ("/etc/passwd", "_etc_passwd"),
        (".bashrc", "bashrc"),
        ("..", "download"),
        (" . ", "download"),
        ("a\r\nSet-Cookie: x=1.mp3", "a__Set-Cookie: x=1.mp3"),
        ("a\x00b\x7fc\x85d\u2028e.mp3", "a_b_c_d_e.mp3"),
        ("song\u202e3pm.exe", "song_3pm.exe"),
        ("lone\ud800surrogate.mp3", "lone_surrogate.mp3"),
        ("می\u200cخواهم.mp3", "می\u200cخواهم.mp3"),
        ("trailing. . ", "trailing"),
    ],
)
def test_a_hostile_name_becomes_a_plain_one(hostile: str, plain: str) -> None:
    assert safe_file_name(hostile) == plain


@pytest.mark.parametrize("stem", ["a", "é", "日", "🎵"])
def test_a_long_name_is_shortened_and_keeps_its_extension(stem: str) -> None:
    name = safe_file_name(stem * 500 + ".flac")

    assert MAX_NAME_BYTES - 4 < len(name.encode()) <= MAX_NAME_BYTES
    assert name.startswith(stem)
    assert name.endswith(f"{stem}.flac")


def test_a_long_extension_is_no_extension() -> None:
    assert safe_file_name("a." + "b" * 500) == "a." + "b" * (MAX_NAME_BYTES - 2)


@unhurried
@given(st.text(alphabet=st.characters(), max_size=300))
def test_any_name_gives_one_safe_line_that_reads_back_as_the_safe_name(name: str) -> None:
    value = content_disposition("attachment", file_name=name)

    assert re.fullmatch(
        r'attachment; filename="[ -!#$&-\[\]-~]+"(; filename\*=UTF-8\'\'[!#$&+\-.^_`|~%\w]+)?',
        value,
        re.ASCII,
    )
    assert _read_back(value) == safe_file_name(name)
    assert safe_file_name(safe_file_name(name)) == safe_file_name(name)
    assert safe_file_name(_plain(value)) == _plain(value)


def _plain(value: str) -> str:
    return value.split('"')[1]


def _read_back(value: str) -> str:
    _, is_extended, encoded = value.partition("filename*=UTF-8''")
    return unquote(encoded, errors="strict") if is_extended else _plain(value)
