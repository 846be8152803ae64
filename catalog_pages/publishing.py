"""When a product may be shown: one list of problems, asked by every road that publishes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError

if TYPE_CHECKING:
    from catalog_pages.models import ProductPage, ProductTrack

RESERVED_SLUGS = frozenset({"artists", "genres"})


class PublishRefused(ValidationError):
    """A product is not ready; `messages` are the sentences for the editor."""

    def __init__(self, page: ProductPage, problems: list[str]) -> None:
        super().__init__([ValidationError(problem, code="not_ready") for problem in problems])
        self.page_id = page.pk
        self.page_title = page.title


def publish_problems(page: ProductPage) -> list[str]:
    """What still hinders publishing `page`, one sentence each; an empty list when it is ready.

    Looks at the page object as it is in memory, so that a form can ask before anything is saved.
    """
    problems = []
    if page.price_pennies is None:
        problems.append("Set a price. Type 0 if the product is meant to be free.")
    if page.artist_id is None:
        problems.append("Choose the artist.")
    if page.slug in RESERVED_SLUGS:
        problems.append(
            f"The address “{page.slug}” is used by the shop itself; choose another slug."
        )
    tracks = list(page.tracks.all())
    if not tracks:
        problems.append("Add at least one track.")
    for position, track in enumerate(tracks, start=1):
        problems += _track_problems(track, position)
    return problems


def _track_problems(track: ProductTrack, position: int) -> list[str]:
    name = f"Track {position}" + (f" (“{track.title}”)" if track.title else "")
    files = [file for file in track.files.all() if file.asset_id]
    problems = [] if track.title else [f"Give track {position} a title."]
    if not files:
        problems.append(f"{name} has no file yet.")
    return problems + [
        f"{name}: the file “{file.asset.file_name}” is missing from storage; upload it again."
        for file in files
        if not file.asset.file.storage.exists(file.asset.file.name)
    ]
