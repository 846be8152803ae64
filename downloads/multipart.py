"""The form of several ranges in one answer: multipart/byteranges (RFC 9110, section 14.6).

What stands around the bytes of each part, and how long it all is, before a file is opened. Nothing
here reads a file or knows a framework.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from downloads.ranges import ByteRange


@dataclass(frozen=True, slots=True)
class Multipart:
    """Parts of a representation of ``size_bytes`` whose own type is ``content_type``.

    Raises ValueError for a content type that could not stand in a header, where a part's own
    headers could be split.
    """

    boundary: str
    content_type: str
    size_bytes: int

    def __post_init__(self) -> None:
        if not (self.content_type.isascii() and self.content_type.isprintable()):
            raise ValueError("A content type is one line of ASCII, without newlines.")

    @property
    def media_type(self) -> str:
        return f"multipart/byteranges; boundary={self.boundary}"

    def head(self, stretch: ByteRange) -> bytes:
        """What stands before the bytes of ``stretch``: the delimiter and the part's headers."""
        lines = [
            "",
            f"--{self.boundary}",
            f"Content-Type: {self.content_type}",
            f"Content-Range: {stretch.content_range(self.size_bytes)}",
            "",
            "",
        ]
        return "\r\n".join(lines).encode("ascii")

    @property
    def tail(self) -> bytes:
        return f"\r\n--{self.boundary}--\r\n".encode("ascii")

    def length(self, stretches: Sequence[ByteRange]) -> int:
        """The length of the whole body in bytes."""
        parts = sum(len(self.head(stretch)) + stretch.length for stretch in stretches)
        return parts + len(self.tail)


def new_boundary() -> str:
    """A boundary that no file holds but by a chance of 1 in 2**128 (RFC 2046, section 5.1.1).

    Drawn anew for every answer, so that nobody can sell a file that holds it. Two answers of equal
    ETag may differ in it: the tag names the file, not the wrapping of its parts.
    """
    return secrets.token_hex(16)
