"""MPEG layer III frame headers: enough to recognise an MP3 and to read what its first frame promises.

Sources: ISO/IEC 11172-3 and 13818-3 section 2.4.2.3 (header), the Xing/LAME and Fraunhofer VBRI
info frames as described in http://gabriel.mp3-tech.org/mp3infotag.html.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Sync, any version but the reserved one, layer III.
SYNC = re.compile(rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb]", re.DOTALL)
RATES_HZ = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
KBITS_MPEG1 = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
KBITS_MPEG2 = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
HAS_FRAME_COUNT = 1
VBRI_AT = 36
LARGEST_HEADER = 200


@dataclass(frozen=True)
class Frame:
    """One frame: where it starts in the data searched, and how long it is in bytes and samples."""

    offset: int
    length: int
    samples: int
    rate_hz: int

    @property
    def end(self) -> int:
        return self.offset + self.length


def first_frame(data: bytes) -> Frame | None:
    """The first frame in `data` that another one follows; random bytes look like one frame now and then.

    Data that begins with a frame may end inside it: the shortest MP3 is one frame.
    """
    for match in SYNC.finditer(data):
        frame = _frame_at(data, match.start())
        if frame and (_frame_at(data, frame.end) or (frame.offset == 0 and frame.end >= len(data))):
            return frame
    return None


def is_torn(packet: bytes) -> bool:
    """True for the beginning of a frame whose rest is missing."""
    frame = _frame_at(packet, 0)
    return frame is not None and frame.length > len(packet)


def promised_ms(data: bytes, frame: Frame) -> float | None:
    """How long the sound is by the info frame that encoders put first; None when there is none."""
    header = data[frame.offset : frame.offset + LARGEST_HEADER]
    count = _vbri_count(header) or _xing_count(header)
    return count * frame.samples * 1000 / frame.rate_hz if count else None


def _frame_at(data: bytes, offset: int) -> Frame | None:
    header = data[offset : offset + 4]
    if len(header) < 4 or not SYNC.match(header):
        return None
    version, bitrate, rate = header[1] >> 3 & 3, header[2] >> 4, header[2] >> 2 & 3
    if not 1 <= bitrate <= 14 or rate == 3:
        return None
    samples = 1152 if version == 3 else 576
    bits_per_second = (KBITS_MPEG1 if version == 3 else KBITS_MPEG2)[bitrate - 1] * 1000
    rate_hz = RATES_HZ[version][rate]
    return Frame(
        offset, samples // 8 * bits_per_second // rate_hz + (header[2] >> 1 & 1), samples, rate_hz
    )


def _xing_count(header: bytes) -> int | None:
    match = re.search(rb"Xing|Info", header)
    if match is None:
        return None
    fields = header[match.end() : match.end() + 8]
    has_count = len(fields) == 8 and fields[3] & HAS_FRAME_COUNT
    return int.from_bytes(fields[4:8], "big") if has_count else None


def _vbri_count(header: bytes) -> int | None:
    if header[VBRI_AT : VBRI_AT + 4] != b"VBRI":
        return None
    return int.from_bytes(header[VBRI_AT + 14 : VBRI_AT + 18], "big")
