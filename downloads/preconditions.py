"""Conditional requests (RFC 9110, section 13) for a stored file, as pure functions of headers.

Django's parsers are used, its `get_conditional_response` is not: it takes a header it cannot parse
for absent, so that a resumed download with an unreadable If-Match would be given bytes of a file
the client may not want, and it knows nothing of If-Range.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from django.utils.http import parse_etags, parse_http_date_safe


def failed_precondition(
    headers: Mapping[str, str], *, etag: str, modified_s: int | None
) -> HTTPStatus | None:
    """The status that ends a GET or HEAD here, 412 or 304, or None to go on (section 13.2.2).

    ``etag`` is the quoted strong validator, ``modified_s`` the whole seconds since the epoch that
    Last-Modified states, None without one: dates are then ignored. A tag list decides alone: its
    companion date is then not looked at. A list that cannot be read names no tag; a date that
    cannot be read is ignored.
    """
    if "If-Match" in headers:
        if not _names(parse_etags(headers["If-Match"]), etag):
            return HTTPStatus.PRECONDITION_FAILED
    elif modified_s is not None and (
        (limit_s := _seconds(headers.get("If-Unmodified-Since"))) is not None
        and modified_s > limit_s
    ):
        return HTTPStatus.PRECONDITION_FAILED

    if "If-None-Match" in headers:
        tags = [tag.removeprefix("W/") for tag in parse_etags(headers["If-None-Match"])]
        if _names(tags, etag):
            return HTTPStatus.NOT_MODIFIED
    elif modified_s is not None and (
        (known_s := _seconds(headers.get("If-Modified-Since"))) is not None
        and modified_s <= known_s
    ):
        return HTTPStatus.NOT_MODIFIED
    return None


def range_is_current(if_range: str | None, *, etag: str, modified_s: int | None) -> bool:
    """Whether Range still applies, or the client's part is of another file (section 13.1.5).

    A tag counts by strong comparison, so a weak one never does; a date counts only when it equals
    Last-Modified. That date is a strong validator in the sense of section 8.8.2.2, as stored files
    never change in place, let alone twice within its second. ``modified_s`` None: there is none.
    """
    if if_range is None or if_range == etag:
        return True
    return modified_s is not None and _seconds(if_range) == modified_s


def _names(tags: list[str], etag: str) -> bool:
    return tags == ["*"] or etag in tags


def _seconds(http_date: str | None) -> int | None:
    return None if http_date is None else parse_http_date_safe(http_date)
