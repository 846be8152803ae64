"""What kind of file the bytes are, and whether the file is as long as its own structure says.

Plain reading of headers, a few bytes at a time, so that a hostile file can neither choose which of
FFmpeg's many readers meets it (playlists among them can name other files) nor cost memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO, Literal

from django.utils.translation import gettext, gettext_lazy

from catalog_pages.audio import mpeg
from catalog_pages.audio.facts import (
    AIFF,
    CONTAINERS,
    FLAC,
    MP3,
    MP4,
    OGG,
    SOLD_FORMATS,
    UNSOLD_AUDIO_EXTENSIONS,
    WAV,
    Container,
    UnreadableAudio,
    extension_of,
)

LOOK_BYTES = 64 * 1024
MAX_ID3_TAGS = 8
UNKNOWN_SIZE = 0xFFFFFFFF
# What programs that write into a pipe put down as a size: nearly the largest number they know.
STREAMED_SIZE = 0x7FFF_F000
NO_PACKET_ENDS = b"\xff" * 8
# Pictures included. What claims more wants to eat memory: readers keep headers whole.
MAX_HEADER_BYTES = 64 * 1024 * 1024
CUT_SHORT = gettext_lazy("The file is cut short: part of it is missing at the end.")
NO_HEADER = gettext_lazy("The file's header is damaged, so it cannot be opened.")

# Container -> what its structure promises in milliseconds, or None when it promises nothing.
Promise = Callable[[BinaryIO, int], float | None]


def container_for_name(file_name: str) -> Container:
    """The kind that a file's name claims; UnreadableAudio when it is none that is sold."""
    extension = extension_of(file_name)
    for container in CONTAINERS:
        if extension in container.extensions:
            return container
    if extension in UNSOLD_AUDIO_EXTENSIONS:
        kind = extension[1:].upper()
        raise UnreadableAudio(
            gettext("{kind} files are not sold here; convert it to {sold_formats}.").format(
                kind=kind, sold_formats=SOLD_FORMATS
            )
        )
    raise UnreadableAudio(
        gettext("The name does not end like audio that is sold here: {sold_formats}.").format(
            sold_formats=SOLD_FORMATS
        )
    )


def identify(file: BinaryIO, file_name: str) -> Container:
    """The kind of the content, which must be the kind that the name claims; else UnreadableAudio."""
    claimed = container_for_name(file_name)
    found = kind_of_content(file)
    if found is None:
        raise UnreadableAudio(
            gettext("The name says {label}, but the content is something else.").format(
                label=claimed.label
            )
        )
    if found is not claimed:
        raise UnreadableAudio(
            gettext("The name says {label}, but the content is {found_label}.").format(
                label=claimed.label, found_label=found.label
            )
        )
    return claimed


def promised_ms(file: BinaryIO, size: int, container: Container) -> float | None:
    """Walk the file's structure; UnreadableAudio when it is visibly cut or torn."""
    return PROMISES[container.label](file, size)


def start_of_sound(file: BinaryIO) -> int:
    """The offset behind the ID3v2 tags that many programs put in front of anything."""
    offset = 0
    for _ in range(MAX_ID3_TAGS):
        head = _read_at(file, offset, 10)
        if head[:3] != b"ID3" or len(head) < 10 or any(byte > 127 for byte in head[6:]):
            break
        length = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
        offset += 10 + length + (10 if head[5] & 0x10 else 0)
        _must_be_sane(offset)
    return offset


def _must_be_sane(header_bytes: int) -> None:
    if header_bytes > MAX_HEADER_BYTES:
        raise UnreadableAudio(gettext("The file's header claims to be larger than 64 MB."))


def _read_at(file: BinaryIO, offset: int, count: int) -> bytes:
    file.seek(offset)
    return file.read(count)


def kind_of_content(file: BinaryIO) -> Container | None:
    """The kind of the bytes whatever their name, by the signatures that each format begins with."""
    data = _read_at(file, start_of_sound(file), LOOK_BYTES)
    if data[:4] == b"fLaC":
        return FLAC
    if data[:4] == b"OggS":
        return OGG
    if data[:4] in {b"RIFF", b"RF64", b"BW64"} and data[8:12] == b"WAVE":
        return WAV
    if data[:4] == b"FORM" and data[8:12] in {b"AIFF", b"AIFC"}:
        return AIFF
    if data[4:8] == b"ftyp":
        return MP4
    return MP3 if mpeg.first_frame(data) else None


def _mp3_promise(file: BinaryIO, size: int) -> float | None:
    data = _read_at(file, start_of_sound(file), LOOK_BYTES)
    frame = mpeg.first_frame(data)
    return mpeg.promised_ms(data, frame) if frame else None


def _wav_promise(file: BinaryIO, size: int) -> float | None:
    """The length of `data` over the byte rate (RF64 keeps the length in `ds64`)."""
    byte_rate, long_length = 0, 0
    for name, length in _chunks(file, size, "little", b"data"):
        if name == b"data":
            promised = long_length if length == UNKNOWN_SIZE and long_length else length
            is_known = 0 < promised < STREAMED_SIZE or STREAMED_SIZE <= promised <= size
            return promised * 1000 / byte_rate if is_known and byte_rate else None
        if name == b"fmt ":
            byte_rate = int.from_bytes(file.read(16)[8:12], "little")
        if name == b"ds64":
            long_length = int.from_bytes(file.read(16)[8:16], "little")
    raise UnreadableAudio(str(NO_HEADER))


def _aiff_promise(file: BinaryIO, size: int) -> float | None:
    for _ in _chunks(file, size, "big", b"SSND"):
        pass
    return None  # FFmpeg reads the count of samples itself


def _chunks(
    file: BinaryIO, size: int, order: Literal["little", "big"], sound: bytes
) -> Iterator[tuple[bytes, int]]:
    """Name and length of each chunk of a RIFF or IFF file, up to the one with the sound in it.

    The file stands at the chunk's content when it is yielded.
    """
    offset = 12
    while len(head := _read_at(file, offset, 8)) == 8:
        name, length = head[:4], int.from_bytes(head[4:], order)
        yield name, length
        if name == sound:
            return
        _must_be_sane(length)
        offset += 8 + length + (length & 1)
    if offset > size:
        raise UnreadableAudio(str(CUT_SHORT))


def _flac_promise(file: BinaryIO, size: int) -> float | None:
    """Metadata blocks as in RFC 9639 section 8; FFmpeg reads the count of samples itself."""
    start = offset = start_of_sound(file) + 4
    last = False
    while not last and len(head := _read_at(file, offset, 4)) == 4:
        last = head[0] > 127
        offset += 4 + int.from_bytes(head[1:], "big")
        _must_be_sane(offset - start)
    if offset > size:
        raise UnreadableAudio(str(CUT_SHORT))
    return None


def _mp4_promise(file: BinaryIO, size: int) -> float | None:
    """The boxes of ISO/IEC 14496-12 at the top level fill the file, and one of them is `moov`."""
    offset, names = 0, set()
    while offset < size:
        head = _read_at(file, offset, 16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length == 0:  # to the end of the file
            length = size - offset
        if length < 8:
            break  # junk behind the last box is common and harmless
        if head[4:8] != b"mdat" and offset + length <= size:
            _must_be_sane(length)
        names.add(head[4:8])
        offset += length
    if offset > size:
        raise UnreadableAudio(str(CUT_SHORT))
    if b"moov" not in names:
        raise UnreadableAudio(str(NO_HEADER))
    return None


def _ogg_promise(file: BinaryIO, size: int) -> float | None:
    """Pages as in RFC 3533 section 6: numbered without a gap, the last one marked as the end.

    What follows the end of all streams is ignored: some programs append a tag there.
    """
    offset, numbers, missing, open_packet = 0, dict[bytes, int](), 0, 0
    while offset < size:
        head = _read_at(file, offset, 27)
        if head[:4] != b"OggS" or len(head) < 27:
            break
        sizes = file.read(head[26])
        offset += 27 + head[26] + sum(sizes)
        open_packet = open_packet + sum(sizes) if head[6:14] == NO_PACKET_ENDS else 0
        _must_be_sane(open_packet)
        serial, number = head[14:18], int.from_bytes(head[18:22], "little")
        expected = numbers.get(serial, number - 1) + 1
        missing += number != expected and not head[5] & 2
        numbers[serial] = number
        if head[5] & 4:
            del numbers[serial]
    if numbers and offset < size and len(head) == 27:
        raise UnreadableAudio(gettext("The file is damaged: it is torn in the middle."))
    if numbers or offset > size:
        raise UnreadableAudio(str(CUT_SHORT))
    if missing:
        raise UnreadableAudio(gettext("The file is damaged: pieces are missing in the middle."))
    return None


PROMISES: dict[str, Promise] = {
    MP3.label: _mp3_promise,
    FLAC.label: _flac_promise,
    AIFF.label: _aiff_promise,
    WAV.label: _wav_promise,
    MP4.label: _mp4_promise,
    OGG.label: _ogg_promise,
}
