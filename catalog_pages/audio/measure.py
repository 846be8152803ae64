"""One pass over every packet of a file: how long the sound is, and whether it decodes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from django.utils.translation import gettext_lazy as _

from catalog_pages.audio import mpeg
from catalog_pages.audio.decoding import Deadline, opened
from catalog_pages.audio.facts import MP3, Container, UnreadableAudio

MAX_DURATION_MS = 24 * 60 * 60 * 1000
TOO_LONG = _("The sound is longer than 24 hours.")
# Everything is decoded up to here; of what is longer, the beginning and the end.
DECODED_HEAD_MS = 60 * 60 * 1000
DECODED_TAIL_MS = 60 * 1000
# No packet of an honest file is longer; some Ogg files carry nonsense in this field.
LONGEST_PACKET_MS = 20_000


@dataclass
class Measurement:
    """`claimed_ms` is the container's header, `demuxed_ms` what the packets say, `decoded_ms` the sound."""

    codec: str
    sample_rate_hz: int
    channels: int
    claimed_ms: float | None
    metadata: dict[str, str] = field(default_factory=dict)
    packets: int = 0
    failures: int = 0
    payload_bytes: int = 0
    demuxed_ms: float = 0.0
    decoded_ms: float = 0.0
    torn_end: bool = False

    @property
    def present_ms(self) -> float:
        return max(self.demuxed_ms, self.decoded_ms)


def measure(path: Path, container: Container, deadline: Deadline) -> Measurement:
    """Read the file to its end. UnreadableAudio when it cannot be opened, is too long or takes too long.

    Packets that do not decode are counted, not raised: how many are too many is `probe`'s rule.
    """
    with opened(path, container, deadline) as (source, stream):
        measured = _described(source, stream)
        try:
            _read_through(source, stream, measured, deadline)
        except av.FFmpegError:
            measured.failures += 1  # a torn end: the comparison with the header tells the rest
    return measured


def _described(source: InputContainer, stream: AudioStream) -> Measurement:
    claimed = (
        stream.duration * stream.time_base * 1000 if stream.duration and stream.time_base else None
    )
    texts: dict[str, Any] = {**stream.metadata, **source.metadata}
    return Measurement(
        codec=stream.codec_context.name,
        sample_rate_hz=stream.sample_rate or 0,
        channels=stream.channels or 0,
        claimed_ms=float(claimed) if claimed and claimed > 0 else None,
        metadata={key.lower(): str(value) for key, value in texts.items()},
    )


def _read_through(
    source: InputContainer, stream: AudioStream, measured: Measurement, deadline: Deadline
) -> None:
    tail_starts_ms = (measured.claimed_ms or 0.0) - DECODED_TAIL_MS
    skipping, last = False, b""
    for packet in source.demux(stream):
        deadline.check()
        position, length_ms = measured.decoded_ms, _length_ms(packet)
        measured.demuxed_ms += length_ms
        measured.payload_bytes += packet.size
        measured.packets += packet.size > 0
        if measured.present_ms > MAX_DURATION_MS:
            raise UnreadableAudio(str(TOO_LONG))
        if packet.size and DECODED_HEAD_MS < position < tail_starts_ms:
            measured.decoded_ms += length_ms
            skipping = True
            continue
        if skipping:
            stream.codec_context.flush_buffers()
            skipping = False
        _decode(packet, measured)
        last = bytes(packet) if packet.size else last
    measured.torn_end = measured.codec in MP3.codecs and mpeg.is_torn(last)


def _length_ms(packet: Packet[AudioStream]) -> float:
    if not packet.duration or not packet.time_base:
        return 0.0
    length_ms = float(packet.duration * packet.time_base * 1000)
    return length_ms if 0 < length_ms <= LONGEST_PACKET_MS else 0.0


def _decode(packet: Packet[AudioStream], measured: Measurement) -> None:
    try:
        for frame in packet.decode():
            measured.decoded_ms += (
                frame.samples * 1000 / (frame.sample_rate or measured.sample_rate_hz)
            )
            measured.failures += frame.is_corrupt
    except av.FFmpegError:
        measured.failures += packet.size > 0  # the empty packet at the end only drains the decoder
