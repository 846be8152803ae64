"""What an audio file is, proven by decoding it. Loads PyAV: for workers, commands and uploads only."""

from __future__ import annotations

from pathlib import Path

from django.utils.translation import gettext as _

from catalog_pages.audio import containers
from catalog_pages.audio.decoding import Deadline, read_seconds
from catalog_pages.audio.facts import (
    LOSSLESS_FORMATS,
    MP3,
    AudioFacts,
    Container,
    UnreadableAudio,
    extension_of,
)
from catalog_pages.audio.measure import MAX_DURATION_MS, TOO_LONG, Measurement, measure
from catalog_pages.audio.tags import cover_of, parse_tags, tags_of, with_name

# Encoders pad the last frame and count differently; a lossless header is exact.
TOLERANCE_MS = 100
LOSSLESS_TOLERANCE_MS = 2
# Tags behind the sound look like a frame or two to a decoder.
TOLERATED_FAILURES = 2
TOLERATED_SHARE = 0.005
CHANNELS = range(1, 9)
SAMPLE_RATES_HZ = range(4_000, 768_001)


def probe(path: Path, *, file_name: str | None = None, seconds: float | None = None) -> AudioFacts:
    """The facts of the audio file at `path`, whose name as people know it is `file_name`.

    Guarantees that the content is what the name says, that it decodes to the end, and that it is as
    long as its header promises. Takes at most about `seconds` seconds, or what `read_seconds` gives a
    file of its size, and some megabytes of memory.
    Raises UnreadableAudio with one sentence for everything else, OSError only when `path` itself
    cannot be read.
    """
    name = path.name if file_name is None else file_name
    size = path.stat().st_size
    if size == 0:
        raise UnreadableAudio(_("The file is empty."))
    deadline = Deadline(read_seconds(path) if seconds is None else seconds)
    with path.open("rb") as file:
        container = containers.identify(file, name)
        promised_ms = containers.promised_ms(file, size, container)
    if promised_ms and promised_ms > MAX_DURATION_MS:
        raise UnreadableAudio(str(TOO_LONG))
    sound = measure(path, container, deadline)
    format_name = _format_name(sound, container, name)
    _must_be_whole(sound, format_name, _promise(sound, container, promised_ms))
    parsed = parse_tags(path, format_name, deadline)
    return AudioFacts(
        format_name=format_name,
        codec=sound.codec.removesuffix("float"),
        content_type=container.content_type,
        duration_ms=round(sound.decoded_ms),
        bitrate_bps=round(sound.payload_bytes * 8000 / sound.present_ms),
        sample_rate_hz=sound.sample_rate_hz,
        channels=sound.channels,
        tags=with_name(tags_of(parsed, sound.metadata), name),
        cover=cover_of(parsed),
    )


def _format_name(sound: Measurement, container: Container, file_name: str) -> str:
    name = container.format_name(sound.codec)
    if name is None:
        raise UnreadableAudio(
            _("The sound is coded as {codec}, which is not sold in {label} files.").format(
                codec=sound.codec, label=container.label
            )
        )
    if extension_of(file_name) == ".opus" and name != "Opus":
        raise UnreadableAudio(_("The name says Opus, but the content is {name}.").format(name=name))
    if sound.channels not in CHANNELS:
        raise UnreadableAudio(
            _("The file claims {channels} channels; at most 8 make sense.").format(
                channels=sound.channels
            )
        )
    if sound.sample_rate_hz not in SAMPLE_RATES_HZ:
        raise UnreadableAudio(
            _("The file claims a sample rate of {sample_rate_hz} Hz, which is not music.").format(
                sample_rate_hz=sound.sample_rate_hz
            )
        )
    return name


def _promise(sound: Measurement, container: Container, structure_ms: float | None) -> float | None:
    """What the header says. An MP3 without an info frame says nothing: FFmpeg's figure is a guess."""
    return structure_ms if structure_ms or container is MP3 else sound.claimed_ms


def _must_be_whole(sound: Measurement, format_name: str, promised_ms: float | None) -> None:
    tolerance = LOSSLESS_TOLERANCE_MS if format_name in LOSSLESS_FORMATS else TOLERANCE_MS
    if promised_ms and sound.present_ms + tolerance < promised_ms:
        raise UnreadableAudio(_shortfall(promised_ms, sound.present_ms))
    if promised_ms is None and sound.torn_end:
        raise UnreadableAudio(str(containers.CUT_SHORT))
    if sound.packets == 0 or round(sound.decoded_ms) == 0:
        if sound.failures:
            raise UnreadableAudio(_("The sound is damaged: nothing of it can be decoded."))
        raise UnreadableAudio(_("There is no sound in the file: it lasts zero seconds."))
    if sound.failures > max(TOLERATED_FAILURES, sound.packets * TOLERATED_SHARE):
        raise UnreadableAudio(
            _("The sound is damaged: {failures} of its {packets} pieces cannot be decoded.").format(
                failures=sound.failures, packets=sound.packets
            )
        )


def _shortfall(promised_ms: float, present_ms: float) -> str:
    promised, present = _clock(promised_ms), _clock(present_ms)
    if promised == present:
        missing = f"{promised_ms - present_ms:.0f} ms"
        return _("The file is damaged: {missing} of its {promised} of sound are missing.").format(
            missing=missing, promised=promised
        )
    return _(
        "The file is cut short: its header promises {promised} of sound, but only "
        "{present} is there."
    ).format(promised=promised, present=present)


def _clock(milliseconds: float) -> str:
    """`1:02:03`, `3:20`, or `0.5 s` where minutes would hide the difference."""
    seconds = milliseconds / 1000
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
