"""Which files are one track, and which tracks one release: from tags and names alone, and today's date.

* Files with an album belong to the release (album artist or else artist, album).
* Files without are singles: one release per (artist, title).
* Files with the same disc, number and title are one track in several formats.
* Files of one album title and one folder by several artists, none with an album artist, are one release
  where their numbers say so: a sampler that nobody tagged as one.

An artist that no tag names is taken from a name like `Artist - Title`, then from the folder, unless
the folder's name is one that folders of anybody have; then it is "Unknown artist".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from uuid import UUID

from catalog_pages.audio.facts import VARIOUS_ARTISTS, AudioFacts, AudioTags
from catalog_pages.audio.text import clean_text, fold
from catalog_pages.shop_days import today

UNKNOWN_ARTIST = "Unknown artist"
# Folders that say how the files got here rather than who made them.
GENERIC_FOLDERS = frozenset({
    "album", "albums", "audio", "collection", "demo", "desktop", "download", "downloads",
    "export", "files", "flac", "home", "import", "inbox", "incoming", "library", "m4a",
    "master", "masters", "media", "mp3", "mp3s", "music", "new", "ogg", "opus", "samples",
    "sfx", "single", "singles", "snd", "songs", "sound", "sounds", "temp", "tmp", "track",
    "tracks", "unsorted", "upload", "uploads", "wav", "wavs",
})  # fmt: skip
LAST = 1 << 15


@dataclass(frozen=True)
class SourceFile:
    """One readable file. `asset_id` when its bytes are in the shop already."""

    path: Path
    file_name: str
    sha256: str
    facts: AudioFacts
    asset_id: UUID | None = None

    @property
    def tags(self) -> AudioTags:
        return self.facts.tags

    @property
    def artist(self) -> str:
        return self.tags.artist or _artist_of_folder(self.path)

    @property
    def release_artist(self) -> str:
        return (self.tags.album_artist if self.tags.album else "") or self.artist


@dataclass(frozen=True)
class TrackPlan:
    """One piece of music and the files it comes in. `number` and `disc` as tagged."""

    title: str
    artist: str
    disc: int | None
    number: int | None
    files: tuple[SourceFile, ...]

    @property
    def doubled(self) -> str:
        """The format that two of its files are in, so that they may be two recordings; "" for none."""
        return doubled_format(file.facts.format_name for file in self.files)

    @property
    def order(self) -> tuple[int, int, str]:
        return self.disc or 1, self.number or LAST, fold(self.title)


@dataclass(frozen=True)
class ReleasePlan:
    """One product to be: tracks in their order."""

    artist: str
    title: str
    is_album: bool
    tracks: tuple[TrackPlan, ...] = field(default=())

    @property
    def files(self) -> list[SourceFile]:
        return [file for track in self.tracks for file in track.files]

    @property
    def genre(self) -> str:
        """The one that most files name; "" when none does."""
        counted = Counter(file.tags.genre for file in self.files if file.tags.genre)
        return counted.most_common(1)[0][0] if counted else ""

    @property
    def release_date(self) -> date | None:
        """The earliest full date; else 1 January of the earliest year: pages keep dates, not years.

        None for a year that has yet to come: its first day is a guess, and would keep the product from
        being sold until then.
        """
        days = [file.tags.release_date for file in self.files if file.tags.release_date]
        if days:
            return min(days)
        years = [file.tags.year for file in self.files if file.tags.year]
        guess = date(min(years), 1, 1) if years else None
        return None if guess is None or guess > today() else guess

    @property
    def credits(self) -> str:
        """Who made which track, where that is not the artist of the release."""
        others = (track for track in self.tracks if fold(track.artist) != fold(self.artist))
        return "\n".join(f"{track.title}: {track.artist}" for track in others)

    @property
    def is_single(self) -> bool:
        return not self.is_album or is_single(self.title, [track.title for track in self.tracks])

    def keeping(self, sha256s: Iterable[str]) -> ReleasePlan:
        """The same release with only these files; tracks that lose all of theirs go."""
        wanted = set(sha256s)
        tracks = (
            replace(track, files=tuple(file for file in track.files if file.sha256 in wanted))
            for track in self.tracks
        )
        return replace(self, tracks=tuple(track for track in tracks if track.files))


def doubled_format(names: Iterable[str]) -> str:
    """The first name that comes twice; "" when none does."""
    return next((name for name, times in Counter(names).items() if times > 1), "")


def is_single(title: str, track_titles: list[str]) -> bool:
    """One track, named like the release."""
    return [fold(track) for track in track_titles] == [fold(title)]


def grouped(files: Iterable[SourceFile]) -> list[ReleasePlan]:
    """Releases in the order in which their first files come; tracks by disc, number and title."""
    releases: dict[tuple[str, ...], list[SourceFile]] = {}
    for file in files:
        releases.setdefault(_release_key(file), []).append(file)
    return [_release(group) for group in _with_samplers(list(releases.values()))]


def track_key(disc: int | None, number: int | None, title: str) -> tuple[int, int | None, str]:
    """What makes two files one track. A missing disc is the first one."""
    return disc or 1, number, fold(title)


def _release_key(file: SourceFile) -> tuple[str, ...]:
    if file.tags.album:
        return "album", fold(file.release_artist), fold(file.tags.album)
    return "single", fold(file.artist), fold(file.tags.title)


def _with_samplers(groups: list[list[SourceFile]]) -> list[list[SourceFile]]:
    """The groups, with those of one sampler in the place of the first of them."""
    alike: dict[tuple[str, Path], list[list[SourceFile]]] = {}
    for group in groups:
        folders = {file.path.parent for file in group}
        if len(folders) == 1 and all(_may_be_of_sampler(file) for file in group):
            key = fold(group[0].tags.album), folders.pop()
            alike.setdefault(key, []).append(group)
    joined: dict[int, list[SourceFile]] = {}
    gone: set[int] = set()
    for (title, folder), parts in alike.items():
        files = [file for part in parts for file in part]
        if len(parts) > 1 and _counts_as_one(files, is_named=fold(folder.name) == title):
            joined[id(parts[0])] = files
            gone |= {id(part) for part in parts[1:]}
    return [joined.get(id(group), group) for group in groups if id(group) not in gone]


def _may_be_of_sampler(file: SourceFile) -> bool:
    tags = file.tags
    return bool(tags.album and tags.artist and tags.track) and not tags.album_artist


def _counts_as_one(files: list[SourceFile], *, is_named: bool) -> bool:
    """No number belongs to two pieces, totals agree, and at least every second number is there.

    Albums of one name by several artists, such as "Greatest Hits", fail at one of them when they share a
    folder. One that is named like the album needs no proof by the last.
    """
    pieces: dict[tuple[int, int], set[tuple[str, str]]] = {}
    totals: dict[int, set[int]] = {}
    last: dict[int, int] = {}
    for tags in (file.tags for file in files):
        disc, number = tags.disc or 1, tags.track or LAST
        pieces.setdefault((disc, number), set()).add((fold(tags.title), fold(tags.artist)))
        last[disc] = max(last.get(disc, 0), number)
        if tags.track_total:
            totals.setdefault(disc, set()).add(tags.track_total)
    if max(map(len, pieces.values())) > 1 or any(len(one) > 1 for one in totals.values()):
        return False
    return is_named or 2 * len(pieces) >= sum(last.values())


def _artist_of(files: list[SourceFile]) -> str:
    """Whom all of them name, or who made more than half of the pieces; else various artists."""
    first = files[0].release_artist
    if all(fold(file.release_artist) == fold(first) for file in files):
        return first
    pieces = {(file.tags.disc, file.tags.track): file.release_artist for file in files}
    most, times = Counter(fold(artist) for artist in pieces.values()).most_common(1)[0]
    if 2 * times <= len(pieces):
        return VARIOUS_ARTISTS
    return next(artist for artist in pieces.values() if fold(artist) == most)


def _release(files: list[SourceFile]) -> ReleasePlan:
    first = files[0]
    is_album = bool(first.tags.album)
    groups: dict[tuple[int, int | None, str], list[SourceFile]] = {}
    for file in files:
        tags = file.tags
        key = (
            track_key(tags.disc, tags.track, tags.title) if is_album else track_key(None, None, "")
        )
        groups.setdefault(key, []).append(file)
    _join_numberless(groups)
    tracks = [_track(group, numbered=is_album) for group in groups.values()]
    return ReleasePlan(
        artist=_artist_of(files),
        title=first.tags.album or first.tags.title,
        is_album=is_album,
        tracks=tuple(sorted(tracks, key=lambda track: track.order)),
    )


def _join_numberless(groups: dict[tuple[int, int | None, str], list[SourceFile]]) -> None:
    """A format that was tagged without numbers joins the one track of that title."""
    for key in [key for key in groups if key[1] is None]:
        twins = [other for other in groups if other[1] is not None and other[2] == key[2]]
        if len(twins) == 1:
            groups[twins[0]] += groups.pop(key)


def _track(files: list[SourceFile], *, numbered: bool) -> TrackPlan:
    tagged = next((file for file in files if file.tags.track), files[0])
    discs = (file.tags.disc for file in files if file.tags.disc)
    return TrackPlan(
        title=tagged.tags.title,
        artist=tagged.artist,
        disc=next(discs, None) if numbered else None,
        number=tagged.tags.track if numbered else None,
        files=tuple(files),
    )


def _artist_of_folder(path: Path) -> str:
    name = clean_text(path.absolute().parent.name)
    return UNKNOWN_ARTIST if fold(name) in GENERIC_FOLDERS or not name else name
