"""The virtual ZIP archive: its bytes from any position, its names, its numbers, its damage."""

from __future__ import annotations

import hashlib
import io
import os
import unicodedata
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from downloads.archive import MAX_FOLDERS, Archive, ArchiveMember, archive_names
from downloads.ranges import ByteRange, coalesce
from downloads.streaming import StoredFileDamaged

NOON = datetime(2024, 5, 6, 12, 0, 1, tzinfo=UTC)


def member(name: str, content: bytes = b"", modified: datetime = NOON) -> ArchiveMember:
    return ArchiveMember(
        name=name,
        opener=lambda: io.BytesIO(content),
        size_bytes=len(content),
        crc32=zlib.crc32(content),
        sha256=hashlib.sha256(content).hexdigest(),
        modified=modified,
    )


class Shelf:
    """Members whose files note when they are opened, moved and closed."""

    def __init__(self) -> None:
        self.log: list[str] = []

    def member(self, name: str, content: bytes) -> ArchiveMember:
        return replace(member(name, content), opener=lambda: NotedFile(self.log, name, content))


class NotedFile(io.BytesIO):
    def __init__(self, log: list[str], name: str, content: bytes) -> None:
        super().__init__(content)
        self._note: Callable[[str], None] = lambda what: log.append(f"{what} {name}")
        self._note("open")

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._note("seek")
        return super().seek(offset, whence)

    def close(self) -> None:
        if not self.closed:
            self._note("close")
        super().close()


names = st.text(
    st.one_of(st.sampled_from('/\\.: "aAéE\u0301ßſKıCON()2\u200d\u202e\0'), st.characters()),
    max_size=40,
)
contents = st.one_of(st.binary(max_size=300), st.randoms().map(lambda r: r.randbytes(300)))
members = st.lists(st.builds(member, names, contents), min_size=1, max_size=6)
moves = st.lists(
    st.tuples(
        st.sampled_from([os.SEEK_SET, os.SEEK_CUR, os.SEEK_END]),
        st.floats(0, 1.05),
        st.integers(-1, 700),
    ),
    max_size=12,
)


@given(members, moves)
def test_any_seek_and_read_gives_the_bytes_of_the_whole(
    members: list[ArchiveMember], moves: list[tuple[int, float, int]]
) -> None:
    archive = Archive(members)
    with archive.open() as file:
        whole = file.read()
    expected = io.BytesIO(whole)

    with archive.open() as file:
        for whence, share, size in moves:
            target = int(len(whole) * share)
            origin = {os.SEEK_SET: 0, os.SEEK_CUR: file.tell(), os.SEEK_END: len(whole)}[whence]
            assert file.seek(target - origin, whence) == expected.seek(target) == file.tell()
            assert file.read(size) == expected.read(size)
            assert file.tell() == expected.tell()

    assert len(whole) == archive.size_bytes


@given(members)
def test_every_member_is_found_under_its_name_with_its_content(
    members: list[ArchiveMember],
) -> None:
    with zipfile.ZipFile(Archive(members).open()) as packed:
        assert packed.testzip() is None
        assert packed.namelist() == archive_names([m.name for m in members])
        for info, packed_member in zip(packed.infolist(), members, strict=True):
            assert packed.read(info) == packed_member.opener().read()


def test_a_file_of_the_archive_behaves_like_one_that_is_only_read() -> None:
    file = Archive([member("a", b"1")]).open()

    assert (file.readable(), file.seekable(), file.writable()) == (True, True, False)
    assert file.read(0) == b""
    with pytest.raises(io.UnsupportedOperation):
        file.fileno()
    with pytest.raises(OSError, match="Invalid argument"):
        file.seek(-1)
    with pytest.raises(OSError, match="Invalid argument"):
        file.seek(0, 9)

    file.close()
    file.close()
    for used_afterwards in (file.read, file.tell, lambda: file.seek(0)):
        with pytest.raises(ValueError, match="closed"):
            used_afterwards()


def test_an_archive_needs_a_member() -> None:
    with pytest.raises(ValueError, match="needs a member"):
        Archive([])


@pytest.mark.parametrize(
    "wrong", [{"size_bytes": -1}, {"crc32": 1 << 32}, {"modified": NOON.replace(tzinfo=None)}]
)
def test_a_member_that_no_header_can_describe_is_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match=r"no less than 0|time zone"):
        replace(member("a"), **wrong)


def test_nothing_is_opened_to_seek_and_one_member_at_a_time_to_read() -> None:
    shelf = Shelf()
    archive = Archive([shelf.member("a", b"12345"), shelf.member("b", b"67890")])
    file = archive.open()
    file.seek(0, os.SEEK_END)
    file.seek(0)
    assert shelf.log == []

    while file.read(3):
        pass

    assert shelf.log == ["open a", "close a", "open b", "close b"]


def test_jumping_to_another_member_closes_the_one_before() -> None:
    shelf = Shelf()
    archive = Archive([shelf.member("a", b"12345678"), shelf.member("b", b"abcdefgh")])
    whole = archive.open().read()
    shelf.log.clear()
    file = archive.open()

    for content in (b"123", b"cde", b"567", b"ab"):
        file.seek(whole.index(content))
        assert file.read(len(content)) == content

    file.close()
    assert shelf.log == [
        *("open a", "close a", "open b", "seek b", "close b"),
        *("open a", "seek a", "close a", "open b", "close b"),
    ]


def test_reading_from_within_a_member_seeks_once_and_reads_on() -> None:
    shelf = Shelf()
    archive = Archive([shelf.member("a", b"12345678"), shelf.member("b", b"67890")])
    first_byte = archive.open().read().index(b"12345678")
    shelf.log.clear()
    file = archive.open()

    file.seek(first_byte + 2)
    blocks = [file.read(2), file.read(2)]

    assert blocks == [b"34", b"56"]
    assert shelf.log == ["open a", "seek a"]
    file.close()
    assert shelf.log == ["open a", "seek a", "close a"]


@pytest.mark.parametrize("stored", [b"1234", b"", b"123456", b"1234567"])
def test_a_member_of_another_size_is_never_sent_to_its_end(stored: bytes) -> None:
    shelf = Shelf()
    stated = member("b", b"12345")
    content_start = Archive([stated]).open().read().index(b"12345")
    damaged = replace(stated, opener=shelf.member("b", stored).opener)
    file = Archive([damaged]).open()
    file.read(content_start + min(len(stored), 4))

    with pytest.raises(StoredFileDamaged) as caught:
        file.read(1)

    assert caught.value.expected_bytes == 5
    assert caught.value.found_bytes == min(len(stored), 6)
    assert shelf.log.count("open b") == shelf.log.count("close b")


def test_a_failed_read_keeps_its_place_and_may_be_tried_again() -> None:
    openings = iter([FileNotFoundError("b"), None])

    def opener() -> io.BytesIO:
        if failure := next(openings):
            raise failure
        return io.BytesIO(b"67890")

    whole = Archive([member("a", b"12345"), member("b", b"67890")])
    file = Archive([member("a", b"12345"), replace(member("b", b"67890"), opener=opener)]).open()

    with pytest.raises(FileNotFoundError):
        file.read()

    assert file.tell() == 0
    assert file.read() == whole.open().read()


@example(sizes=[5, 5], stretches=[(60, 100), (0, 42)])  # as asked for: the later part first
@given(
    st.lists(st.integers(0, 60), min_size=1, max_size=5),
    st.lists(st.tuples(st.integers(0, 900), st.integers(1, 300)), max_size=6),
)
def test_covered_bytes_are_counted_for_each_member(
    sizes: list[int], stretches: list[tuple[int, int]]
) -> None:
    archive = Archive([member(f"{index}", b"x" * size) for index, size in enumerate(sizes)])
    sent = coalesce(ByteRange(start, start + length) for start, length in stretches)
    positions = {position for part in sent for position in range(part.start, part.stop)}
    with zipfile.ZipFile(archive.open()) as packed:
        # 30 bytes, a name of one, a timestamp of nine, and the content begins.
        starts = [info.header_offset + 30 + 1 + 9 for info in packed.infolist()]

    counts = [sum(part.length for part in parts) for parts in archive.within(sent)]

    contents = [range(start, start + size) for start, size in zip(starts, sizes, strict=True)]
    assert counts == [len(positions & set(content)) for content in contents]


def test_the_etag_is_the_same_as_long_as_every_byte_is() -> None:
    def packed(name: str, modified: datetime) -> Archive:
        return Archive([member(name, b"1", modified), member("b", b"2")])

    archive = packed("/caf\u00e9", NOON)
    same = packed(
        "cafe\u0301", NOON.astimezone(timezone(timedelta(hours=9))) + timedelta(seconds=0.5)
    )

    assert same.open().read() == archive.open().read()
    assert same.etag == archive.etag
    assert archive.etag.isalnum()


@pytest.mark.parametrize(
    "change",
    [
        lambda a, b: [b, a],
        lambda a, b: [a],
        lambda a, b: [a, b, b],
        lambda a, b: [replace(a, name="A"), b],
        lambda a, b: [replace(a, modified=NOON + timedelta(seconds=1)), b],
        lambda a, b: [replace(a, size_bytes=2), b],
        lambda a, b: [replace(a, crc32=a.crc32 ^ 1), b],
        lambda a, b: [replace(a, sha256=b.sha256), b],
        lambda a, b: [replace(a, sha256=b.sha256), replace(b, sha256=a.sha256)],
    ],
)
def test_the_etag_changes_with_any_byte(change: Callable) -> None:
    a, b = member("a", b"1"), member("b", b"2")

    assert Archive(change(a, b)).etag != Archive([a, b]).etag


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("Album/01 Title.flac", "Album/01 Title.flac"),
        ("/etc/passwd", "etc/passwd"),
        ("../../etc/passwd", "etc/passwd"),
        ("a/../b/./c", "a/b/c"),
        ("a//b/", "a/b"),
        ("C:/evil.exe", "C_/evil.exe"),
        ("C:\\Windows\\evil.exe", "C__Windows_evil.exe"),
        ("\\\\server\\share", "__server_share"),
        (".ssh/.bashrc", "ssh/bashrc"),
        ("Album. /Title .mp3. ", "Album/Title .mp3"),
        ("a\0b\n.mp3", "a_b_.mp3"),
        ("cover\u202egnp.exe", "cover_gnp.exe"),
        ("\ud800.mp3", "_.mp3"),
        ("cafe\u0301.mp3", "caf\u00e9.mp3"),
        ("Who Are You?.mp3", "Who Are You_.mp3"),
        ("aux.flac", "aux_.flac"),
        ("Con/LPT1", "Con_/LPT1_"),
        ("CONIN$", "CONIN$_"),
        ("conout$.flac", "conout$_.flac"),
        ("Clock$ .tar.gz/Conin$.mp3", "Clock$_ .tar.gz/Conin$_.mp3"),
        ("Clock.flac", "Clock.flac"),
        ("conin$s.flac", "conin$s.flac"),
        ("Auxiliary.flac", "Auxiliary.flac"),
        ("میخواهم \u200c.mp3", "میخواهم \u200c.mp3"),
        ("", "download"),
        ("/./..", "download"),
        ("a" * 254 + " b/c.mp3", "a" * 254 + "/c.mp3"),
        ("d/" * 50 + "a.mp3", "d/" * MAX_FOLDERS + "a.mp3"),
    ],
)
def test_a_name_stays_within_the_folder_it_is_unpacked_in(name: str, plain: str) -> None:
    assert archive_names([name]) == [plain]


@pytest.mark.parametrize(
    ("given_names", "plain"),
    [
        (["a.mp3", "a.mp3", "a.mp3"], ["a.mp3", "a (2).mp3", "a (3).mp3"]),
        (["a.mp3", "A.MP3"], ["a.mp3", "A (2).MP3"]),
        (["caf\u00e9", "cafe\u0301", "CAFÉ"], ["caf\u00e9", "caf\u00e9 (2)", "CAFÉ (3)"]),
        (["Straße", "STRASSE"], ["Straße", "STRASSE (2)"]),
        (["a (2).mp3", "a.mp3", "a.mp3"], ["a (2).mp3", "a.mp3", "a (3).mp3"]),
        (["x/a", "X/a", "y/a"], ["x/a", "X/a (2)", "y/a"]),
        (["Album", "ALBUM/a"], ["Album (2)", "ALBUM/a"]),
        (["❤.mp3", "❤\ufe0f.mp3"], ["❤.mp3", "❤\ufe0f (2).mp3"]),
        (["a?", "a*"], ["a_", "a_ (2)"]),
        (["..", "/"], ["download", "download (2)"]),
        (["a." + "b" * 40] * 2, ["a." + "b" * 40, "a." + "b" * 40 + " (2)"]),
        (["é" * 200 + ".mp3"] * 2, ["é" * 125 + ".mp3", "é" * 123 + " (2).mp3"]),
    ],
)
def test_no_name_is_given_twice(given_names: list[str], plain: list[str]) -> None:
    assert archive_names(given_names) == plain


@given(st.lists(names, max_size=12))
def test_whatever_the_names_they_can_be_unpacked_side_by_side(given_names: list[str]) -> None:
    plain = archive_names(given_names)

    folded = [unicodedata.normalize("NFC", name.casefold()) for name in plain]
    assert len(set(folded)) == len(given_names)
    for name, key in zip(plain, folded, strict=True):
        assert not any(other.startswith(key + "/") for other in folded)
        assert unicodedata.is_normalized("NFC", name)
        assert not set(name) & set('\\:<>"|?*')
        assert not {unicodedata.category(c) for c in name} & {"Cc", "Cs", "Zl", "Zp"}
        for part in name.split("/"):
            assert 0 < len(part.encode()) <= 255
            assert part.strip(" .") == part


def test_many_twins_are_named_in_a_moment() -> None:
    plain = archive_names(["a.mp3"] * 20_000)

    assert plain[-1] == "a (20000).mp3"
    assert len(set(plain)) == 20_000
