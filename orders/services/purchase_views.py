"""What a buyer's purchase looks like: its tracks, their files, what is left of limits, what is closed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from catalog_pages.models import DigitalAsset, ProductPage
from downloads.content_disposition import safe_file_name
from downloads.links import archive_url, listen_url
from downloads.listening import heard_first
from downloads.models import UserAsset
from orders.models import Order, OrderItem


@dataclass(frozen=True)
class NewerView:
    """The newest published version of a file; `since`: when it was first on sale, where that is known."""

    asset: DigitalAsset
    url: str
    since: datetime | None

    @property
    def file_name(self) -> str:
        return safe_file_name(self.asset.file_name)


@dataclass(frozen=True)
class TrackPlace:
    """Which track of which product a file is in the shop now."""

    product_id: int
    product_title: str
    disc: int | None
    number: int | None


@dataclass(frozen=True)
class GrantView:
    """One file: where it is fetched, or the sentence why it is not, and its stable `code`.

    `left` of `limit` downloads are left, None without a limit. `newer`: a version that replaced it and
    may be fetched as well. `place` is looked up for a client's program alone.
    """

    grant: UserAsset
    asset: DigitalAsset
    allowed: bool
    reason: str
    url: str
    left: int | None = None
    limit: int | None = None
    newer: NewerView | None = None
    code: str = ""
    place: TrackPlace | None = None

    @property
    def format_name(self) -> str:
        return self.asset.format_name

    @property
    def file_name(self) -> str:
        """As the download says it, whatever the file was called when it was uploaded."""
        return safe_file_name(self.asset.file_name)

    @property
    def is_running_out(self) -> bool:
        """Whether more than half of the downloads are used; until then nobody needs to think of it."""
        return self.left is not None and self.limit is not None and self.left * 2 < self.limit


@dataclass(frozen=True)
class ArchiveView:
    """All files of a line in one ZIP; `format_name` is empty where they have but one format."""

    url: str
    size_bytes: int
    format_name: str = ""


@dataclass(frozen=True)
class TrackView:
    """One track of a purchase in the formats that it came in. `listen_url`: where a page plays it whole;
    empty when no file of it is open or none is what browsers play. `is_in_every_format`: whether choosing
    one for the whole purchase leaves this track a file."""

    title: str
    files: list[GrantView]
    is_in_every_format: bool = False

    @property
    def duration_ms(self) -> int | None:
        return self.files[0].asset.duration_ms

    @property
    def open_formats(self) -> set[str]:
        return {view.format_name for view in self.files if view.allowed or view.newer}

    @property
    def listen_url(self) -> str:
        heard = heard_first(view.grant for view in self.files if view.allowed)
        return listen_url(heard) if heard else ""


@dataclass(frozen=True)
class Purchase:
    """One bought line with its files. `wants_updates`: its holder asked for letters about new versions."""

    order: Order
    item: OrderItem
    product: ProductPage
    grants: list[GrantView] = field(default_factory=list)
    wants_updates: bool = False

    @property
    def is_gift(self) -> bool:
        """A copy that somebody else paid for: its order is not for the holder to see."""
        return all(view.grant.seat for view in self.grants)

    @property
    def received_at(self) -> datetime | None:
        """When the files became the holder's."""
        return min((view.grant.created_at for view in self.grants), default=None)

    @property
    def total_bytes(self) -> int:
        """What there is to fetch; closed files are not."""
        return sum(view.asset.size_bytes for view in self.grants if view.allowed)

    @property
    def is_open(self) -> bool:
        return any(view.allowed for view in self.grants)

    @property
    def limit(self) -> int | None:
        """How often each open file may be downloaded; None without a limit."""
        return next((view.limit for view in self.grants if view.allowed), None)

    @property
    def least_left(self) -> int | None:
        """How many downloads are left of the open file that has fewest; None without a limit."""
        left = [view.left for view in self.grants if view.allowed and view.left is not None]
        return min(left, default=None)

    @property
    def is_used_evenly(self) -> bool:
        """Whether as many downloads are left of every open file."""
        return len({view.left for view in self.grants if view.allowed}) < 2

    @property
    def formats(self) -> list[str]:
        """What can be fetched, newer versions included, in the order of the files."""
        return list(
            dict.fromkeys(view.format_name for view in self.grants if view.allowed or view.newer)
        )

    @property
    def tracks(self) -> list[TrackView]:
        """The files by track, in their order; two tracks of one name that follow each other are two."""
        tracks: list[TrackView] = []
        for view in self.grants:
            last = tracks[-1] if tracks else None
            is_another = last is None or last.title != view.grant.title
            if (
                last is None
                or is_another
                or view.format_name in {f.format_name for f in last.files}
            ):
                tracks.append(TrackView(view.grant.title, [view]))
            else:
                last.files.append(view)
        wanted = set(self.formats)
        return [replace(track, is_in_every_format=track.open_formats == wanted) for track in tracks]

    @property
    def closures(self) -> list[tuple[str, list[str]]]:
        """Each reason why files are closed, with what it closes; no names where that is all there is."""
        closed: dict[str, list[str]] = {}
        for view in self.grants:
            if not view.allowed:
                name = f"{view.grant.title} ({view.format_name})"
                closed.setdefault(view.reason, []).append(name)
        return [
            (reason, [] if len(names) == len(self.grants) else names)
            for reason, names in closed.items()
        ]

    @property
    def archives(self) -> list[ArchiveView]:
        """One ZIP for each format of which there are several files, all of them open."""
        by_format: dict[str, list[GrantView]] = {}
        for view in self.grants:
            by_format.setdefault(view.asset.format_name, []).append(view)
        is_one = len(by_format) == 1
        return [
            ArchiveView(
                url=archive_url(views[0].grant, fmt="" if is_one else name),
                size_bytes=sum(view.asset.size_bytes for view in views),
                format_name="" if is_one else name,
            )
            for name, views in by_format.items()
            if len(views) > 1 and all(view.allowed for view in views)
        ]
