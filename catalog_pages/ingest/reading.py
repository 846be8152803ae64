"""One file: what it is, or why it is refused. Loads PyAV: for commands and workers only."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from django.utils.translation import gettext as _

from catalog_pages.assets import FileRefused, digest_of, refuse_size
from catalog_pages.audio.containers import container_for_name, identify
from catalog_pages.audio.probe import probe
from catalog_pages.ingest.grouping import SourceFile
from catalog_pages.ingest.matching import facts_of
from catalog_pages.models import DigitalAsset


def read_source(path: Path) -> SourceFile:
    """Hash the file; then its facts from the shop when it is known, else from the sound itself.

    Raises FileRefused, UnreadableAudio, or OSError when it cannot be opened.
    """
    name = name_of(path)
    container_for_name(name)
    if not path.is_file() and path.exists():
        raise FileRefused(_("This is not a regular file."))
    refuse_size(path.stat().st_size)
    with path.open("rb") as file:
        identify(file, name)
    sha256 = digest_of(path).sha256
    asset = DigitalAsset.objects.filter(sha256=sha256).first()
    if asset is not None:
        return SourceFile(path, name, sha256, facts_of(asset), asset_id=asset.pk)
    # A picture may be megabytes in each of twelve tracks: it is read again when it is needed.
    return SourceFile(path, name, sha256, replace(probe(path, file_name=name), cover=None))


def name_of(path: Path) -> str:
    """The file's name as text; bytes that are no text become replacement characters."""
    return path.name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
