"""The picture inside a sound file: stored once, and only when it really is one."""

from __future__ import annotations

import hashlib
import io
import warnings
from contextlib import suppress

from django.core.files.base import ContentFile
from django.utils.text import slugify
from PIL import Image

from catalog_pages.errors import DomainError
from catalog_pages.models import CoverImage

# Pictures by other decoders than these are not worth the risk of running them.
READABLE = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF")
KEPT_AS_THEY_ARE = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp"}
KEPT_MODES = frozenset({"RGB", "RGBA", "L", "P"})
MAX_PIXELS = 64_000_000
JPEG_QUALITY = 92
MAX_TITLE = 200


class CoverRefused(DomainError):
    """The bytes are no picture that can be shown; the product goes without."""

    code = "cover_refused"
    status = 422


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


def _checked(data: bytes) -> tuple[bytes, str]:
    """Decode the whole picture, so that a torn one is found now and not by a shopper's browser."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data), formats=READABLE)
            if image.width * image.height > MAX_PIXELS:
                raise CoverRefused(
                    f"The cover is too large: {image.width} by {image.height} pixels."
                )
            image.load()
            if image.format in KEPT_AS_THEY_ARE and image.mode in KEPT_MODES:
                return data, KEPT_AS_THEY_ARE[image.format]
            made = io.BytesIO()
            image.convert("RGB").save(made, "JPEG", quality=JPEG_QUALITY)
    except Image.DecompressionBombError as error:
        raise CoverRefused("The cover is too large.") from error
    # Damaged pictures fail in as many ways as there are decoders, and all mean the same.
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise CoverRefused("The cover inside is damaged.") from error
    return made.getvalue(), "jpg"
