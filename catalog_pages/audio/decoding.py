"""Opening and decoding one file with PyAV, within limits of time and memory."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from catalog_pages.audio.containers import NO_HEADER
from catalog_pages.audio.facts import Container, UnreadableAudio

READ_SECONDS = 60.0
# Every gigabyte may take as long again; together less than a check is waited for (`uploads.checking`).
READ_SECONDS_AT_MOST = 480.0
# No header of an honest file is longer: a picture of 20 MB and its text fit.
MAX_READ_BYTES = 64 * 1024 * 1024
BUFFER_BYTES = 128 * 1024
# Decoders check what the format lets them check; players may hide a torn frame, a shop may not.
STRICT = {"err_detect": "crccheck+bitstream"}


def read_seconds(path: Path) -> float:
    """How long work on the file at `path` may take: its size decides, and a limit."""
    gigabytes = path.stat().st_size / 1024**3
    return min(READ_SECONDS * (1 + gigabytes), READ_SECONDS_AT_MOST)


@dataclass
class Deadline:
    """A moment after which work on a file is given up; a clock that no system change moves."""

    seconds: float = READ_SECONDS
    started: float = field(default_factory=time.monotonic)

    def check(self) -> None:
        """Raise UnreadableAudio when the time is over."""
        if time.monotonic() - self.started > self.seconds:
            raise UnreadableAudio(
                _(
                    "Reading the file took longer than {seconds} seconds, so it was given up."
                ).format(seconds=f"{self.seconds:.0f}")
            )


class BoundedFile:
    """A file that readers of other people use: no read without end, in time or in size.

    `budget` is what all reads together may fetch, in bytes. The file has no name, so that a reader
    guesses nothing from it and odd bytes in it hurt nobody.
    """

    def __init__(self, file: BinaryIO, deadline: Deadline, *, budget: float = math.inf) -> None:
        self._file = file
        self._deadline = deadline
        self._budget = budget

    def read(self, size: int = -1) -> bytes:
        self._deadline.check()
        wanted = MAX_READ_BYTES if size < 0 else size
        self._budget -= wanted if size >= 0 else 0
        if wanted > MAX_READ_BYTES or self._budget < 0:
            raise UnreadableAudio(str(NO_HEADER))
        return self._file.read(wanted)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


@contextmanager
def opened(
    path: Path, container: Container, deadline: Deadline
) -> Iterator[tuple[InputContainer, AudioStream]]:
    """The file and its sound, read by the one demuxer of its kind; UnreadableAudio when it has none."""
    with path.open("rb") as file:
        try:
            source = av.open(
                BoundedFile(file, deadline),
                "r",
                format=container.demuxer,
                metadata_errors="replace",
                buffer_size=BUFFER_BYTES,
            )
        except (av.FFmpegError, ValueError, MemoryError) as error:
            raise UnreadableAudio(str(NO_HEADER)) from error
        with source:
            yield source, _sound_of(source)


def decoded(
    source: InputContainer, stream: AudioStream, deadline: Deadline
) -> Iterator[AudioFrame]:
    """Frames one after the other; what cannot be decoded is left out, and a torn end is the end."""
    try:
        for packet in source.demux(stream):
            deadline.check()
            try:
                yield from packet.decode()
            except av.FFmpegError:
                continue
    except av.FFmpegError:
        return


def resampled(
    frames: Iterable[AudioFrame], *, layout: str, rate_hz: int
) -> Iterator[NDArray[np.float32]]:
    """The same sound as float blocks of shape (channels, n), also when its own shape changes midway."""
    resampler, shape = None, None
    for frame in frames:
        now = frame.format.name, frame.layout.name, frame.sample_rate
        if resampler is None or now != shape:
            yield from _blocks(resampler, None)
            resampler, shape = AudioResampler(format="fltp", layout=layout, rate=rate_hz), now
        yield from _blocks(resampler, frame)
    yield from _blocks(resampler, None)


def _blocks(
    resampler: AudioResampler | None, frame: AudioFrame | None
) -> Iterator[NDArray[np.float32]]:
    for part in resampler.resample(frame) if resampler else ():
        yield np.asarray(part.to_ndarray(), dtype=np.float32)


def _sound_of(source: InputContainer) -> AudioStream:
    if any(not stream.disposition & Disposition.attached_pic for stream in source.streams.video):
        raise UnreadableAudio(_("The file is a film: it has moving pictures beside the sound."))
    if not source.streams.audio:
        raise UnreadableAudio(_("There is no sound in the file."))
    stream = source.streams.audio[0]
    if stream.codec_context is None:
        raise UnreadableAudio(_("The sound is coded in a way that nobody here can decode."))
    stream.codec_context.options = STRICT
    return stream
