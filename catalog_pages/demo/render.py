"""Write the demo music into a folder, as a band would hand it over: tagged, with sleeves.

The work is spread over two processes. Their entry points are top-level functions that import no
Django, so it is safe to call this from a management command on any platform.
"""

from __future__ import annotations

import multiprocessing
import os
import pathlib
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed

from catalog_pages.demo.compose import compose
from catalog_pages.demo.compose.score import Brief
from catalog_pages.demo.covers import sleeve_jpeg
from catalog_pages.demo.encode import encode
from catalog_pages.demo.library import RELEASES, DemoRelease, DemoTrack
from catalog_pages.demo.tags import tags_of, write_tags

WORKERS = 2


def write_demo_audio(
    directory: pathlib.Path,
    *,
    on_file: Callable[[pathlib.Path], None] | None = None,
    releases: Sequence[DemoRelease] = RELEASES,
) -> list[pathlib.Path]:
    """Compose, encode and tag every track of ``releases`` below ``directory``.

    Files are ``<artist>/<release>/<NN title>.<ext>``. Each appears under its name only when it is
    complete; an older file of that name is replaced by the same bytes. ``on_file`` is called, in
    this process, as each one appears. Returns all the paths, sorted. An error while making a track
    is raised here, after the tracks already under way; files that were finished stay.
    """
    written: list[pathlib.Path] = []
    # "spawn": forking would copy the caller's database connections and threads.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WORKERS, mp_context=context) as pool:
        try:
            for job in as_completed(_start(pool, directory, releases)):
                for path in job.result():
                    written.append(path)
                    if on_file is not None:
                        on_file(path)
        except BaseException:
            # Waiting here matters: leaving the block shuts down again and would not cancel.
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return sorted(written)


def _start(
    pool: ProcessPoolExecutor, directory: pathlib.Path, releases: Sequence[DemoRelease]
) -> Iterator[Future[list[pathlib.Path]]]:
    sleeves = [pool.submit(_sleeve, release.sleeve, release.seed) for release in releases]
    for release, sleeve in zip(releases, sleeves, strict=True):
        cover = sleeve.result()
        for track in release.tracks:
            yield pool.submit(_write_track, directory, release, track, cover)


def release_directory(directory: pathlib.Path, release: DemoRelease) -> pathlib.Path:
    """Where a release's files go."""
    return directory / _safe(release.artist) / _safe(release.title)


def _safe(name: str) -> str:
    """A name every file system takes: no separators or reserved marks, no dot at either end."""
    return re.sub(r'[\\/:*?"<>|\x00-\x1f]', "-", name).strip(". ") or "untitled"


def _sleeve(name: str, seed: int) -> bytes:
    """In a worker: draw a sleeve."""
    return sleeve_jpeg(name, seed)


def _write_track(
    directory: pathlib.Path, release: DemoRelease, track: DemoTrack, cover: bytes
) -> list[pathlib.Path]:
    """In a worker: compose a track once and write it in each of its release's formats."""
    brief = Brief(key=track.key, tempo=track.tempo, feel=track.feel, seed=track.seed)
    sound = compose(release.genre, brief)
    folder = release_directory(directory, release)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for kind in release.formats:
        path = folder / f"{track.number:02d} {_safe(track.title)}.{kind}"
        partial = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            encode(sound, partial, kind)
            write_tags(partial, kind, tags_of(release, track, cover))
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        paths.append(path)
    return paths
