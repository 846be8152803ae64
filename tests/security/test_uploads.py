"""Pictures that editors send: what is none, or pretends, or would fill the memory is refused with a sentence,
and what is one can do nothing as anything else. Audio has its own: `catalog_pages/tests/test_uploads*.py`.
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from catalog_pages.models import CoverImage
from tests.factories import make_editor

pytestmark = pytest.mark.django_db
SCRIPT = b"<script>alert(document.domain)</script>"
SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>'
)


@pytest.fixture
def editor() -> Client:
    client = Client()
    client.force_login(make_editor())
    return client


def png(width: int, height: int, *, whole: bool = False) -> bytes:
    """One that says that it is so large. All of it is there if `whole`: zeros, which are next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)  # one bit for each
    packer = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    rows = height if whole else 1
    data = b"".join(packer.compress(row) for _ in range(rows)) + packer.flush()
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def picture(kind: str = "PNG", *, after: bytes = b"") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 40), "#b3370f").save(file, kind)
    return file.getvalue() + after


def hollow_avif() -> bytes:
    """All that an AVIF says of itself, and nothing where its colours should be."""
    whole = picture("AVIF")
    begin = whole.index(b"mdat") + 4
    return whole[:begin] + bytes(len(whole) - begin)


def send(client: Client, name: str, content: bytes, kind: str) -> Any:
    file = SimpleUploadedFile(name, content, content_type=kind)
    return client.post(reverse("wagtailimages:add"), {"title": "A cover", "file": file})


def send_several(client: Client, name: str, content: bytes, kind: str) -> Any:
    file = SimpleUploadedFile(name, content, content_type=kind)
    return client.post(reverse("wagtailimages:add_multiple"), {"title": name, "files[]": file})


NO_PICTURES = {
    "a drawing with a script": ("cover.svg", SVG, "image/svg+xml"),
    "the same, called a PNG": ("cover.png", SVG, "image/png"),
    "a page": ("cover.html", SCRIPT, "text/html"),
    "a page, called a JPEG": ("cover.jpg", SCRIPT, "image/jpeg"),
    "a page with the beginning of a GIF": ("cover.gif", b"GIF89a" + SCRIPT, "image/gif"),
    "a program": ("cover.php", picture(), "image/png"),
    "two endings": ("cover.png.html", picture(), "image/png"),
    "a NUL in its ending": ("cover.png\0.html", picture(), "image/png"),
    "a broken one": ("cover.png", picture()[:60], "image/png"),
    "one whose colours are gone": ("cover.avif", hollow_avif(), "image/avif"),
    "huge by its own word": ("cover.png", png(60_000, 60_000), "image/png"),
    "a bomb": ("cover.png", png(12_000, 12_000, whole=True), "image/png"),
    "a long bomb": ("cover.png", png(200_000, 400, whole=True), "image/png"),
    "nothing": ("cover.png", b"", "image/png"),
}


@pytest.mark.parametrize("sending", [send, send_several])
@pytest.mark.parametrize("what", NO_PICTURES)
def test_what_is_no_picture_of_a_cover_is_refused(editor: Client, sending: Any, what: str) -> None:
    name, content, kind = NO_PICTURES[what]
    assert len(content) < 1_000_000

    answer = sending(editor, name, content, kind)

    assert answer.status_code == 200
    assert not CoverImage.objects.exists()
    said = answer.content.decode()
    assert "error" in said
    assert SCRIPT.decode() not in said


@pytest.mark.parametrize(
    "name", ["../../../evil.png", "/etc/evil.png", "a/../../evil.png", "..\\evil.png"]
)
def test_a_path_in_a_name_leads_nowhere(editor: Client, settings: Any, name: str) -> None:
    send(editor, name, picture(), "image/png")

    stored = CoverImage.objects.get().file
    assert stored.name.startswith("original_images/")
    assert ".." not in stored.name
    assert str(settings.MEDIA_ROOT) in stored.path


def test_a_picture_that_is_also_a_page_is_served_as_a_picture_alone(editor: Client) -> None:
    send(editor, "cover.gif", picture("GIF", after=SCRIPT), "text/html")

    shown = Client().get(CoverImage.objects.get().file.url)

    assert shown.status_code == 200
    assert shown["Content-Type"] == "image/gif"
    assert shown["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in shown["Content-Security-Policy"]
    assert "default-src 'none'" in shown["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path",
    [
        "original_images/x.svg", "original_images/x.html", "original_images/x.png/../../../manage.py",
        "original_images/..%2f..%2fmanage.py", "../manage.py", "excerpts/../original_images/x.png",
        "original_images/", "%2e%2e/manage.py", "original_images/x.png%00.html",
    ],
)  # fmt: skip
def test_no_address_of_pictures_leads_to_anything_else(path: str) -> None:
    assert Client().get(f"/media/{path}").status_code in {400, 404}


def test_what_was_stored_as_a_picture_before_is_no_page_now(settings: Any) -> None:
    """However it came there: a drawing or a page among the pictures is not served."""
    for name in ("old.svg", "old.html"):
        stored = CoverImage(title=name, width=9, height=9)
        stored.file.save(name, SimpleUploadedFile(name, SVG), save=False)

        assert Client().get(stored.file.url).status_code == 404
