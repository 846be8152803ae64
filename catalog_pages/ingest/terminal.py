"""How a long job shows itself on a terminal."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tqdm import tqdm

from catalog_pages.ingest.report import OnProgress, Progress, shown


@contextmanager
def quiet_wagtail() -> Iterator[None]:
    """Wagtail logs two lines per page, which would tear the progress bar to pieces."""
    logger = logging.getLogger("wagtail")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


@contextmanager
def progress_bars(forced: bool | None) -> Iterator[OnProgress]:
    """A bar per stage on standard error; None lets the terminal decide."""
    bars: dict[str, tqdm[Any]] = {}

    def show(progress: Progress) -> None:
        bar = bars.get(progress.stage)
        if bar is None:
            for earlier in bars.values():
                earlier.close()
            bar = bars[progress.stage] = tqdm(
                total=progress.total,
                desc=progress.stage,
                unit="file",
                disable=None if forced is None else not forced,
            )
        bar.set_postfix_str(shown(Path(progress.name))[-40:], refresh=False)
        bar.update(progress.done - bar.n)

    try:
        yield show
    finally:
        for bar in bars.values():
            bar.close()
