"""What kind of file the bytes are, and whether the file is as long as its own structure says.

Plain reading of headers, a few bytes at a time, so that a hostile file can neither choose which of
FFmpeg's many readers meets it (playlists among them can name other files) nor cost memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

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
UNKNOWN_SIZES = frozenset({0, 0xFFFFFFFF})
CUT_SHORT = "The file is cut short: part of it is missing at the end."
NO_HEADER = "The file's header is damaged, so it cannot be opened."

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
        raise UnreadableAudio(f"{kind} files are not sold here; convert it to {SOLD_FORMATS}.")
    raise UnreadableAudio(f"The name does not end like audio that is sold here: {SOLD_FORMATS}.")


def identify(file: BinaryIO, file_name: str) -> Container:
    """The kind of the content, which must be the kind that the name claims; else UnreadableAudio."""
    claimed = container_for_name(file_name)
    found = _kind_of_content(file)
    if found is None:
        raise UnreadableAudio(f"The name says {claimed.label}, but the content is not.")
    if found is not claimed:
        raise UnreadableAudio(f"The name says {claimed.label}, but the content is {found.label}.")
    return claimed


def promised_ms(file: BinaryIO, size: int, container: Container) -> float | None:
    """Walk the file's structure; UnreadableAudio when it is visibly cut or torn."""
    promise = PROMISES.get(container.label)
    return promise(file, size) if promise else None


def start_of_sound(file: BinaryIO) -> int:
    """The offset behind the ID3v2 tags that many programs put in front of anything."""
    offset = 0
    for _ in range(MAX_ID3_TAGS):
        head = _read_at(file, offset, 10)
        if head[:3] != b"ID3" or len(head) < 10 or any(byte > 127 for byte in head[6:]):
            break
        length = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
        offset += 10 + length + (10 if head[5] & 0x10 else 0)
    return offset


def _read_at(file: BinaryIO, offset: int, count: int) -> bytes:
    file.seek(offset)
    return file.read(count)


def _kind_of_content(file: BinaryIO) -> Container | None:
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
    """RIFF chunks up to `data`; its length over the byte rate (RF64 keeps the length in `ds64`)."""
    offset, byte_rate, long_length = 12, 0, None
    while len(head := _read_at(file, offset, 8)) == 8:
        name, length = head[:4], int.from_bytes(head[4:], "little")
        if name == b"data":
            promised = long_length if length == 0xFFFFFFFF and long_length else length
            unknown = promised in UNKNOWN_SIZES or not byte_rate
            return None if unknown else promised * 1000 / byte_rate
        if name == b"fmt ":
            byte_rate = int.from_bytes(file.read(16)[8:12], "little")
        if name == b"ds64":
            long_length = int.from_bytes(file.read(16)[8:16], "little")
        offset += 8 + length + (length & 1)
    raise UnreadableAudio(CUT_SHORT if offset > size else NO_HEADER)


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
        names.add(head[4:8])
        offset += length
    if offset > size:
        raise UnreadableAudio(CUT_SHORT)
    if b"moov" not in names:
        raise UnreadableAudio(NO_HEADER)
    return None


def _ogg_promise(file: BinaryIO, size: int) -> float | None:
    """Pages as in RFC 3533 section 6: numbered without a gap, the last one marked as the end.

    What follows the end of all streams is ignored: some programs append a tag there.
    """
    offset, numbers, missing = 0, dict[bytes, int](), 0
    while offset < size:
        head = _read_at(file, offset, 27)
        if head[:4] != b"OggS" or len(head) < 27:
            break
        sizes = file.read(head[26])
        offset += 27 + head[26] + sum(sizes)
        serial, number = head[14:18], int.from_bytes(head[18:22], "little")
        expected = numbers.get(serial, number - 1) + 1
        missing += number != expected and not head[5] & 2
        numbers[serial] = number
        if head[5] & 4:
            del numbers[serial]
    if numbers and offset < size and len(head) == 27:
        raise UnreadableAudio("The file is damaged: it is torn in the middle.")
    if numbers or offset > size:
        raise UnreadableAudio(CUT_SHORT)
    if missing:
        raise UnreadableAudio("The file is damaged: pieces are missing in the middle.")
    return None


PROMISES: dict[str, Promise] = {
    MP3.label: _mp3_promise,
    WAV.label: _wav_promise,
    MP4.label: _mp4_promise,
    OGG.label: _ogg_promise,
}
