"""What a client sends: one JSON object (RFC 8259, within I-JSON, RFC 7493), or a refusal that says why.

Stricter than a library's reader, which takes the last of two equal names, NaN and half a character.
Numbers with a fraction come out as Decimal: money meets no float.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Context, Decimal, InvalidOperation, Overflow
from typing import IO, Any, NoReturn

from django.utils.http import parse_header_parameters
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

MAX_BYTES = 100_000
MAX_DEPTH = 20
MAX_DIGITS = 100
EXACT = Context(prec=MAX_DIGITS)  # so that nothing is rounded
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
CHARSETS = ("utf-8", "utf8", "us-ascii")
# A string, whole or cut off, is stepped over at once: reading stays linear whatever is sent.
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{\]}]', re.DOTALL)


class BodyTooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"
    default_detail = format_lazy(
        _("What was sent is longer than {max_bytes} bytes."), max_bytes=MAX_BYTES
    )


class BodyRefused(ParseError):
    """Read, and not usable; the code says which rule it breaks."""


class EncodingRefused(APIException):
    status_code = status.HTTP_415_UNSUPPORTED_MEDIA_TYPE
    default_code = "content_encoding"
    default_detail = _("A body is sent as it is, without Content-Encoding.")


class StrictJSONParser(BaseParser):
    """At most 100,000 bytes of UTF-8, at most twenty levels deep, an object, no name twice."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Raises EncodingRefused (415), BodyTooLarge (413) and BodyRefused (400)."""
        _refuse_encoding(parser_context or {})
        raw = _read(stream, parser_context or {})
        return object_of(raw, charset=_charset(media_type or ""))


def _read(stream: IO[bytes], context: Mapping[str, Any]) -> bytes:
    """All of it, through `request.body`, so that whoever needs the bytes afterwards has them too."""
    request = context.get("request")
    raw: bytes = stream.read(MAX_BYTES + 1) if request is None else request.body
    if len(raw) > MAX_BYTES:
        raise BodyTooLarge
    return raw


def _refuse_encoding(context: Mapping[str, Any]) -> None:
    request = context.get("request")
    encoding = request.headers.get("Content-Encoding", "") if request is not None else ""
    if encoding.strip().lower() not in ("", "identity"):
        raise EncodingRefused


def _charset(media_type: str) -> str:
    return str(parse_header_parameters(media_type)[1].get("charset", "utf-8"))


def object_of(raw: bytes, *, charset: str = "utf-8") -> dict[str, Any]:
    text = _decoded(raw, charset)
    _refuse_depth(text)
    found = _loaded(text)
    if not isinstance(found, dict):
        raise BodyRefused(
            gettext("Send one JSON object: it begins with { and ends with }."), "not_an_object"
        )
    if "\\u" in text:
        _refuse_half_characters(found)
    return found


def _decoded(raw: bytes, charset: str) -> str:
    if charset.lower() not in CHARSETS:
        raise BodyRefused(gettext("JSON is sent as UTF-8, and as nothing else."), "charset")
    if raw.startswith(BYTE_ORDER_MARK):
        raise BodyRefused(gettext("JSON begins without a byte order mark."), "byte_order_mark")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        sentence = gettext("This is not UTF-8, from byte {start} on.").format(start=error.start)
        raise BodyRefused(sentence, "charset") from error


def _refuse_depth(text: str) -> None:
    """Before it is read, since a reader that calls itself would run out of stack."""
    depth = 0
    for found in _STRING_OR_BRACKET.finditer(text):
        sign = found.group()
        if sign in ("[", "{"):
            depth += 1
        elif sign in ("]", "}"):
            depth -= 1
        if depth > MAX_DEPTH:
            raise BodyRefused(
                gettext("This is nested deeper than {max_depth} levels.").format(
                    max_depth=MAX_DEPTH
                ),
                "too_deep",
            )


def _loaded(text: str) -> Any:
    try:
        return json.loads(
            text,
            parse_int=_whole,
            parse_float=_fraction,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object,
        )
    except json.JSONDecodeError as error:
        sentence = gettext("This is not JSON: {msg}, in line {lineno}, column {colno}.").format(
            msg=error.msg, lineno=error.lineno, colno=error.colno
        )
        raise BodyRefused(sentence) from error


def _whole(digits: str) -> int:
    return int(_short(digits))


def _fraction(digits: str) -> Decimal:
    try:
        return EXACT.create_decimal(_short(digits))
    except (InvalidOperation, Overflow) as error:  # an exponent that no number has
        raise BodyRefused(gettext("A number in this cannot be used."), "number") from error


def _short(digits: str) -> str:
    if len(digits) > MAX_DIGITS:
        raise BodyRefused(
            gettext("A number in this has more than {max_digits} digits.").format(
                max_digits=MAX_DIGITS
            ),
            "number",
        )
    return digits


def _refuse_constant(name: str) -> NoReturn:
    raise BodyRefused(gettext("{name} is not a number that JSON has.").format(name=name), "number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise BodyRefused(gettext("A name stands twice in one object."), "duplicate_name")
    return found


def _refuse_half_characters(found: dict[str, Any]) -> None:
    """Half of a surrogate pair is no character, and no database stores it."""
    left: list[Any] = [found]
    while left:
        part = left.pop()
        if isinstance(part, dict):
            left += [*part.keys(), *part.values()]
        elif isinstance(part, list):
            left += part
        elif isinstance(part, str) and not _is_encodable(part):
            raise BodyRefused(gettext("A text in this holds half a character."), "half_character")


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
