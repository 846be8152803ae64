"""One range of bytes that are in memory (RFC 9110, section 14): players ask for the end of a file first."""

from __future__ import annotations

import re

from django.http import HttpResponse

ONE_RANGE = re.compile(r"bytes=(?:(\d{1,15})-(\d{0,15})|-(\d{1,15}))", re.ASCII)


def one_range(header: str, data: bytes, content_type: str) -> HttpResponse:
    """206 with the one range that `header` asks for, 416 when it lies beyond; 200 with all for the rest."""
    match = ONE_RANGE.fullmatch(header.strip())
    total = len(data)
    if match is None or (match[2] and int(match[2]) < int(match[1])):
        response = HttpResponse(data, content_type=content_type)
    else:
        first, last = _bounds(match, total)
        if first >= total or first > last:
            response = HttpResponse(status=416, content_type=content_type)
            response["Content-Range"] = f"bytes */{total}"
        else:
            response = HttpResponse(data[first : last + 1], status=206, content_type=content_type)
            response["Content-Range"] = f"bytes {first}-{last}/{total}"
    response["Accept-Ranges"] = "bytes"
    return response


def _bounds(match: re.Match[str], total: int) -> tuple[int, int]:
    """First and last byte, the last one within the file; a suffix counts from the end."""
    if match[3]:
        return max(0, total - int(match[3])), total - 1 if int(match[3]) else -1
    return int(match[1]), min(int(match[2] or total - 1), total - 1)
