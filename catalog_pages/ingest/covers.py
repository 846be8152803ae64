"""The picture inside a sound file: stored once, and only when it really is one."""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Iterable
from contextlib import suppress
from itertools import islice

from django.core.files.base import ContentFile
from django.utils.text import slugify
from django.utils.translation import gettext as _
from PIL import Image

from catalog_pages.assets import local_copy
from catalog_pages.errors import DomainError
from catalog_pages.models import CoverImage, DigitalAsset

# Pictures by other decoders than these are not worth the risk of running them.
READABLE = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF")
KEPT_AS_THEY_ARE = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp"}
KEPT_MODES = frozenset({"RGB", "RGBA", "L", "P"})
MAX_PIXELS = 64_000_000
JPEG_QUALITY = 92
MAX_TITLE = 200
FILES_LOOKED_INTO = 5  # one of the first has it, or none of a record has


class CoverRefused(DomainError):
    """The bytes are no picture that can be shown; the product goes without."""

    code = "cover_refused"
    status = 422


class TooManyPixels(CoverRefused):
    """A picture that nobody here decodes: it would fill the memory."""


def cover_store(*, data: bytes, title: str) -> CoverImage:
    """The cover with these embedded bytes, made when the shop has none from the same ones yet.

    Raises CoverRefused. Copies a file: never call it inside a transaction.
    """
    source_sha256 = hashlib.sha256(data).hexdigest()
    existing = CoverImage.objects.filter(source_sha256=source_sha256).first()
    if existing is not None:
        return existing
    picture, extension = _checked(data)
    name = f"{slugify(title)[:60] or 'cover'}.{extension}"
    cover = CoverImage(
        title=title[:MAX_TITLE],
        file=ContentFile(picture, name=name),
        file_size=len(picture),
        file_hash=hashlib.sha1(picture, usedforsecurity=False).hexdigest(),
        source_sha256=source_sha256,
    )
    try:
        cover.save()
    except BaseException:
        if cover.file and cover.file._committed:
            with suppress(OSError):
                cover.file.storage.delete(cover.file.name)
        raise
    return cover


def cover_inside(assets: Iterable[DigitalAsset], *, title: str) -> CoverImage | None:
    """The first embedded picture that is one, stored; None where there is none among the first few files.

    Copies files: never call it inside a transaction. A storage that is away makes it none.
    """
    # PyAV and mutagen cost a web process memory, so they are loaded when a picture is first wanted.
    from catalog_pages.audio.decoding import Deadline
    from catalog_pages.audio.tags import cover_of, parse_tags

    for asset in islice(assets, FILES_LOOKED_INTO):
        with suppress(OSError, CoverRefused), local_copy(asset) as source:
            if data := cover_of(parse_tags(source, asset.format_name, Deadline())):
                return cover_store(data=data, title=title or asset.file_name)
    return None


def _checked(data: bytes) -> tuple[bytes, str]:
    """Decode the whole picture, so that a torn one is found now and not by a shopper's browser."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data), formats=READABLE)
            if image.width * image.height > MAX_PIXELS:
                raise TooManyPixels(
                    _("The cover is too large: {width} by {height} pixels.").format(
                        width=image.width, height=image.height
                    )
                )
            image.load()
            if image.format in KEPT_AS_THEY_ARE and image.mode in KEPT_MODES:
                return data, KEPT_AS_THEY_ARE[image.format]
            made = io.BytesIO()
            image.convert("RGB").save(made, "JPEG", quality=JPEG_QUALITY)
    except Image.DecompressionBombError as error:
        raise TooManyPixels(_("The cover is too large.")) from error
    # Damaged pictures fail in as many ways as there are decoders, and all mean the same.
    except (OSError, ValueError, SyntaxError, EOFError, RuntimeError) as error:
        raise CoverRefused(_("The cover inside is damaged.")) from error
    return made.getvalue(), "jpg"
