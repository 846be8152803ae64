"""The import: read every file, group what belongs together, store it product by product."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from catalog_pages.assets import asset_store
from catalog_pages.audio.decoding import Deadline
from catalog_pages.audio.tags import cover_of, parse_tags
from catalog_pages.errors import DomainError
from catalog_pages.ingest.covers import CoverRefused, cover_store
from catalog_pages.ingest.grouping import ReleasePlan, SourceFile, grouped
from catalog_pages.ingest.matching import product_of
from catalog_pages.ingest.products import (
    is_ours_to_publish,
    is_published,
    product_publish,
    product_write,
)
from catalog_pages.ingest.reading import read_source
from catalog_pages.ingest.report import IngestRefused, IngestReport, OnProgress, Progress, shown
from catalog_pages.ingest.scan import find_audio
from catalog_pages.models import CoverImage, DigitalAsset, ProductPage, ShopSettings

READING = "Reading"
STORING = "Storing"


def ingest(
    paths: Iterable[Path],
    *,
    price_pennies: int | None,
    publish: bool,
    currency: str,
    on_progress: OnProgress = lambda progress: None,
) -> IngestReport:
    """Import the audio files at and below `paths` as products; drafts unless `publish`.

    `price_pennies` (in `currency`) is set where there is no price yet. Files are known by their
    sha256: a second run over the same files changes nothing, and one that was interrupted is
    completed. A file that is refused does not stop the others and leaves nothing behind. A product
    that an editor has a draft of, or took down, gets what is missing but is not published.

    Raises IngestRefused before anything is touched when the wish itself makes no sense.
    """
    if publish and price_pennies is None:
        raise IngestRefused(
            "A product needs a price to be published. Say which, such as --price 4.99."
        )
    _refuse_foreign(currency)
    files, lost = find_audio(paths)
    report = IngestReport(found=len(files) + len(lost), refused=lost)
    plans = grouped(_readable(files, report, on_progress))
    total = sum(len(plan.files) for plan in plans)
    done = 0
    for plan in plans:
        on_progress(Progress(STORING, done, total, plan.title))
        _import_release(plan, report, price_pennies=price_pennies, publish=publish)
        done += len(plan.files)
    on_progress(Progress(STORING, total, total))
    return report


def _refuse_foreign(currency: str) -> None:
    """Every price in the database is an integer of one currency, which the first run decides."""
    stored = ShopSettings.load().currency
    if stored != currency:
        raise IngestRefused(f"This shop's prices are in {stored}, not in {currency}.")


def _readable(
    files: list[Path], report: IngestReport, on_progress: OnProgress
) -> Iterator[SourceFile]:
    """What can be read, each set of bytes once; the rest goes into the report."""
    seen: set[str] = set()
    for done, path in enumerate(files):
        on_progress(Progress(READING, done, len(files), path.name))
        try:
            source = read_source(path)
        except (DomainError, OSError) as error:
            report.refuse(path, _reason(error, "The file cannot be read"))
            continue
        if source.sha256 in seen:
            report.repeated += 1
            continue
        seen.add(source.sha256)
        yield source
    on_progress(Progress(READING, len(files), len(files)))


def _import_release(
    plan: ReleasePlan, report: IngestReport, *, price_pennies: int | None, publish: bool
) -> None:
    """Bytes first, then the rows in one transaction, then the publishing."""
    assets = _stored(plan, report)
    if not assets:
        return
    plan = plan.keeping(assets)
    report.notes += [
        f"“{track.title}” of “{plan.title}” has several {track.doubled} files. Are they one recording?"
        for track in plan.tracks
        if track.doubled
    ]
    is_new = product_of(plan, assets.values()) is None
    try:
        cover = _cover(plan, report) if is_new else None
    except OSError as error:
        # Without its picture the product would be complete for good; the next run tries again.
        for file in plan.files:
            report.refuse(file.path, _reason(error, "Its cover cannot be stored"))
        return
    written = product_write(plan=plan, assets=assets, cover=cover, price_pennies=price_pennies)
    report.added += written.added
    report.known += len(assets) - written.added
    pages = (
        report.created
        if written.created
        else report.changed
        if written.changed
        else report.unchanged
    )
    pages.append(written.page.pk)
    if publish:
        _publish(written.page, report)


def _stored(plan: ReleasePlan, report: IngestReport) -> dict[str, DigitalAsset]:
    assets = {}
    for file in plan.files:
        try:
            assets[file.sha256] = _asset_of(file)
        except (DomainError, OSError) as error:
            report.refuse(file.path, _reason(error, "The file cannot be stored"))
    return assets


def _asset_of(file: SourceFile) -> DigitalAsset:
    if file.asset_id is not None:
        asset = DigitalAsset.objects.get(pk=file.asset_id)
        if asset.file.storage.exists(asset.file.name or ""):
            return asset
    return asset_store(source=file.path, file_name=file.file_name, facts=file.facts).asset


def _cover(plan: ReleasePlan, report: IngestReport) -> CoverImage | None:
    """The first embedded picture that is one, in the order of tracks."""
    for file in plan.files:
        data = cover_of(parse_tags(file.path, file.facts.format_name, Deadline()))
        try:
            if data:
                return cover_store(data=data, title=plan.title)
        except CoverRefused as refusal:
            report.notes.append(f"{shown(file.path)}: {refusal.message} It was left out.")
    return None


def _publish(page: ProductPage, report: IngestReport) -> None:
    page.refresh_from_db()
    if is_published(page):
        return
    if not is_ours_to_publish(page):
        report.held_back.append(f"“{page.title}” stays a draft: an editor has a hand on it.")
    elif problems := product_publish(page):
        report.unpublished.append(f"“{page.title}” could not be published: {problems}")
    else:
        report.published.append(page.pk)


def _reason(error: DomainError | OSError, what: str) -> str:
    if isinstance(error, DomainError):
        return error.message
    return f"{what}: {error.strerror or error}."
