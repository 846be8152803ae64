"""The Content-Disposition response header (RFC 6266) for names that people gave to their files.

Django's `content_disposition_header` writes valid headers, but gives a non-ASCII name no ASCII
companion (so `curl -OJ` saves "Für Elise" under the last part of the URL), leaves `%41` and
backslashes in quoted names where clients differ (RFC 6266, appendix D), raises on lone surrogates,
and lets folders, leading dots and text-direction overrides through.
"""

from __future__ import annotations

import unicodedata
from os.path import splitext
from typing import Literal
from urllib.parse import quote

Disposition = Literal["attachment", "inline"]

NAMELESS = "download"
MAX_NAME_BYTES = 255  # what common file systems store; it bounds the header as well
_MAX_EXTENSION_BYTES = 20

# attr-char of RFC 8187, section 3.2.1, beyond what quote() never encodes.
_ATTR_CHARS = "!#$&+^`|"
_UNSAFE_IN_NAMES = frozenset("/\\")
# Control, format and surrogate characters, line and paragraph separators …
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# … except the two joiners, without which Persian and Hindi titles are misspelt.
_JOINERS = frozenset("\u200c\u200d")
_AMBIGUOUS_IN_QUOTES = frozenset('"\\%')


def content_disposition(disposition: Disposition, *, file_name: str | None) -> str:
    """The header's value: printable ASCII, however hostile the name.

    A name that needs it is sent twice: percent-encoded UTF-8 in ``filename*``, which browsers
    prefer, and as an ASCII approximation in ``filename`` (RFC 6266, sections 4.3 and 5; RFC 8187).
    Without a name only the disposition is stated, and the client takes one from the URL.
    """
    if file_name is None:
        return disposition
    name = safe_file_name(file_name)
    approximation = _ascii_approximation(name)
    value = f'{disposition}; filename="{approximation}"'
    if approximation != name:
        value += f"; filename*=UTF-8''{quote(name, safe=_ATTR_CHARS)}"
    return value


def safe_file_name(file_name: str) -> str:
    """The name as a plain one: never empty, no folder, not hidden, at most 255 bytes of UTF-8.

    Characters that cannot be shown or that separate folders become ``_``. The extension survives
    shortening. Characters that only some systems refuse, such as ``:``, are left to the client.
    """
    visible = "".join("_" if _is_unsafe(character) else character for character in file_name)
    stem, extension = splitext(visible.strip(" ."))  # noqa: PTH122  # a name, not a path
    if len(extension.encode()) > _MAX_EXTENSION_BYTES:
        stem, extension = stem + extension, ""
    room = MAX_NAME_BYTES - len(extension.encode())
    return stem.encode()[:room].decode(errors="ignore") + extension or NAMELESS


def _is_unsafe(character: str) -> bool:
    if character in _JOINERS:
        return False
    return character in _UNSAFE_IN_NAMES or unicodedata.category(character) in _UNSAFE_CATEGORIES


def _ascii_approximation(name: str) -> str:
    """The name without accents; what has no ASCII likeness, or is read variously, becomes ``_``.

    Made safe once more, as a likeness may be worse than its original: that of ``℀`` is ``a/c``.
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return safe_file_name(
        "".join(c if " " <= c <= "~" and c not in _AMBIGUOUS_IN_QUOTES else "_" for c in plain)
    )
