"""The demo label's catalogue: six artists, sixteen releases, twenty-nine tracks, one bundle.

Pure data. ``RELEASES`` says what exists and what it costs; how it sounds is decided by ``compose``
from each track's key, tempo, feel and seed, and how it looks by ``covers`` from the sleeve's name.

``find_release`` looks a release up as the shop meets it in the tags: by artist, and by album title
or, for a single (which has no album tag), by track title.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

MP3, FLAC, OPUS = "mp3", "flac", "opus"


@dataclass(frozen=True, slots=True)
class DemoTrack:
    """One piece of music. ``tempo`` is in beats a minute; ``feel`` is a way to play the genre."""

    number: int
    title: str
    key: str
    tempo: float
    feel: str
    seed: int


@dataclass(frozen=True, slots=True)
class DemoRelease:
    """A product: an album of several tracks, or a single of one.

    ``price_pennies`` is in minor units, 0 for a free release. Every track is written in each of
    ``formats``; ``sleeve`` and ``seed`` choose the cover.
    """

    artist: str
    genre: str
    title: str
    is_album: bool
    release_date: dt.date
    price_pennies: int
    description: str
    tracks: tuple[DemoTrack, ...]
    formats: tuple[str, ...]
    sleeve: str
    seed: int
    suggested_pennies: int | None = None

    @property
    def names_price(self) -> bool:
        """Whether buyers name their price; ``price_pennies`` is the least then."""
        return self.suggested_pennies is not None

    @property
    def year(self) -> int:
        """The year in the tags."""
        return self.release_date.year

    @property
    def key(self) -> tuple[str, str]:
        """Artist, and album title or single title."""
        return self.artist, self.title


@dataclass(frozen=True, slots=True)
class DemoBundle:
    """Releases of one artist together, by their titles in the order of delivery."""

    artist: str
    genre: str
    title: str
    release_date: dt.date
    price_pennies: int
    description: str
    contents: tuple[str, ...]
    sleeves: tuple[str, str, str]
    seed: int


def _album(
    artist: str,
    genre: str,
    title: str,
    released: tuple[int, int, int],
    price: int,
    description: str,
    *tracks: DemoTrack,
    formats: tuple[str, ...],
    sleeve: str,
    suggested: int | None = None,
) -> DemoRelease:
    return DemoRelease(
        artist,
        genre,
        title,
        True,
        dt.date(*released),
        price,
        description,
        tracks,
        formats,
        sleeve,
        seed=5,
        suggested_pennies=suggested,
    )


def _single(
    artist: str,
    genre: str,
    title: str,
    released: tuple[int, int, int],
    price: int,
    description: str,
    *,
    play: tuple[str, float, str, int],
    file: str,
    sleeve: str,
) -> DemoRelease:
    track = DemoTrack(1, title, *play)
    return DemoRelease(
        artist,
        genre,
        title,
        False,
        dt.date(*released),
        price,
        description,
        (track,),
        (file,),
        sleeve,
        seed=5,
    )


RELEASES: tuple[DemoRelease, ...] = (
    _album(
        "Paper Lantern Trio",
        "Jazz",
        "After the Last Tram",
        (2026, 9, 18),
        1200,
        "Four pieces for piano, bass and brushes, recorded after the trams had stopped. "
        "The slow one is third; give it the whole evening.",
        DemoTrack(1, "Depot Lights", "F", 140, "swing", 21),
        DemoTrack(2, "Three Stops Past", "C", 156, "waltz", 22),
        DemoTrack(3, "Last Coin in the Pocket", "Eb", 76, "ballad", 23),
        DemoTrack(4, "Walking Home Anyway", "Bb", 150, "swing", 24),
        formats=(FLAC, MP3),
        sleeve="last tram",
    ),
    _album(
        "Velvet Transit",
        "House",
        "Night Bus Gospel",
        (2026, 6, 5),
        800,
        "Four tracks for the top deck, front seat. Electric piano first, organ bass last, "
        "and a long echo on the way through the tunnel.",
        DemoTrack(1, "Request Stop", "C", 122, "deep", 31),
        DemoTrack(2, "Top Deck Choir", "F", 124, "piano", 32),
        DemoTrack(3, "Underpass", "A", 120, "dub", 33),
        DemoTrack(4, "All Change", "G", 123, "deep", 34),
        formats=(MP3,),
        sleeve="night lines",
    ),
    _album(
        "Moss & Thimble",
        "Folk",
        "The Long Hedge",
        (2025, 10, 3),
        950,
        "Guitars, a whistle and a concertina, played in one room with the window open. "
        "Two walks, a waltz and something to dance to.",
        DemoTrack(1, "Gate Left Open", "G", 106, "travis", 41),
        DemoTrack(2, "Blackthorn Waltz", "D", 118, "waltz", 42),
        DemoTrack(3, "The Tinker's Kettle", "D", 112, "reel", 43),
        DemoTrack(4, "Back by the Lane", "C", 100, "travis", 44),
        formats=(FLAC,),
        sleeve="long hedge",
    ),
    _album(
        "Kōan Garden",
        "Ambient",
        "Rain on Gravel",
        (2025, 3, 21),
        300,
        "Three slow pieces for bowls, kalimba and held chords. "
        "Quiet enough to hear the weather, and better for it.",
        DemoTrack(1, "First Drops", "D", 76, "garden", 51),
        DemoTrack(2, "Raked", "E", 80, "garden", 52),
        DemoTrack(3, "Stone, Still Warm", "A", 78, "moon", 53),
        formats=(OPUS,),
        sleeve="raked gravel",
        suggested=600,
    ),
    _album(
        "Neon Causeway",
        "Synthwave",
        "Coastline 1986",
        (2024, 8, 16),
        500,
        "Three drives along a coast that was only ever on a poster. "
        "Wide chords, a gated snare, and the windows down.",
        DemoTrack(1, "Toll Booth Sunset", "A", 112, "drive", 61),
        DemoTrack(2, "Headland", "E", 92, "cruise", 62),
        DemoTrack(3, "Radio Mast", "F", 116, "drive", 63),
        formats=(OPUS,),
        sleeve="coastline",
    ),
    _single(
        "Kōan Garden",
        "Ambient",
        "Lantern Water",
        (2026, 10, 30),
        150,
        "A paper light set down on a pond, and what the ripples made of it. "
        "Felt piano, glass, and a lot of air.",
        play=("F", 77, "moon", 71),
        file=FLAC,
        sleeve="lantern water",
    ),
    _single(
        "Kōan Garden",
        "Ambient",
        "Tsukimi",
        (2025, 10, 6),
        0,
        "Written in one sitting on the night of the harvest moon. "
        "It is free, as the moon is; take it with you.",
        play=("G", 82, "moon", 72),
        file=MP3,
        sleeve="moon and grass",
    ),
    _single(
        "Tidal Archive",
        "Ambient",
        "Shipping Forecast",
        (2026, 2, 13),
        199,
        "Low reeds, a buoy and the sea itself, moderate becoming good. "
        "Made for the hour before the house wakes up.",
        play=("C", 76, "tide", 73),
        file=OPUS,
        sleeve="isobars",
    ),
    _single(
        "Tidal Archive",
        "Ambient",
        "Lågvatten",
        (2024, 11, 22),
        250,
        "Low water on the west coast: mud, light and a line of posts walking out. "
        "The tide comes back at the end.",
        play=("A", 82, "tide", 74),
        file=FLAC,
        sleeve="low water",
    ),
    _single(
        "Velvet Transit",
        "House",
        "Basement Sunday",
        (2025, 7, 11),
        129,
        "A bright piano, an organ bass and a low ceiling. "
        "The one people ask about when the lights come up.",
        play=("D", 125, "piano", 75),
        file=MP3,
        sleeve="quarter tiles",
    ),
    _single(
        "Velvet Transit",
        "House",
        "Turnstile",
        (2024, 5, 31),
        99,
        "One chord, a long delay and a lot of patience. Sounds best a little too loud.",
        play=("B", 121, "dub", 76),
        file=OPUS,
        sleeve="turning gate",
    ),
    _single(
        "Paper Lantern Trio",
        "Jazz",
        "Blue Enamel",
        (2025, 1, 24),
        149,
        "A tune found in the kitchen, named after the coffee pot. First take, kept.",
        play=("G", 146, "swing", 77),
        file=FLAC,
        sleeve="cut paper",
    ),
    _single(
        "Moss & Thimble",
        "Folk",
        "Våren",
        (2026, 3, 20),
        220,
        "A waltz for the first evening warm enough to leave the door open. "
        "Nylon strings, then a whistle, then both.",
        play=("E", 114, "waltz", 78),
        file=FLAC,
        sleeve="spring stem",
    ),
    _single(
        "Moss & Thimble",
        "Folk",
        "Thistle Reel",
        (2024, 9, 6),
        120,
        "Mandolin at a run, with the floorboards keeping time. Learn it by ear.",
        play=("G", 114, "reel", 79),
        file=OPUS,
        sleeve="thistle",
    ),
    _single(
        "Neon Causeway",
        "Synthwave",
        "Chrome Estuary",
        (2026, 5, 1),
        175,
        "Half speed, twice the sky. The lead comes in when the river meets the sea.",
        play=("C", 94, "cruise", 80),
        file=OPUS,
        sleeve="liquid chrome",
    ),
    _single(
        "Neon Causeway",
        "Synthwave",
        "Midnight Aqueduct",
        (2025, 5, 9),
        199,
        "Sixteenth notes under an old bridge, and a moon that keeps pace with the car.",
        play=("D", 114, "drive", 81),
        file=FLAC,
        sleeve="aqueduct",
    ),
)

BUNDLES: tuple[DemoBundle, ...] = (
    DemoBundle(
        "Moss & Thimble",
        "Folk",
        "The Whole Hedgerow",
        dt.date(2026, 3, 27),
        1000,
        "Everything that Moss & Thimble have recorded so far: the album, the waltz that came in spring "
        "and the reel that everybody asks for.",
        ("The Long Hedge", "Våren", "Thistle Reel"),
        ("long hedge", "spring stem", "thistle"),
        seed=5,
    ),
)

_BY_KEY = {release.key: release for release in RELEASES}


def find_release(artist: str, title: str) -> DemoRelease | None:
    """The release of that artist with that album title (or track title, for a single)."""
    return _BY_KEY.get((artist, title))
