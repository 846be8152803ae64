"""Requests at the edges of RFC 9110, which each road answers in its own way: one table says how.

Whatever the status, the bytes are those that the answer says they are. docs/downloads.md has the
same rows. Of a bucket they state what SeaweedFS does: RFC 9110 leaves much open, and AWS may differ.
"""

from __future__ import annotations

import email
import re
from dataclasses import dataclass
from email.message import Message

import pytest

from tests.delivery.asking import Answer, fetch
from tests.delivery.conftest import CONTENT, BackEnd

SIZE = len(CONTENT)
CONTENT_RANGE = re.compile(rf"bytes (\d+)-(\d+)/{SIZE}")
NEXT_CENTURY = "Fri, 01 Jan 2100 00:00:00 GMT"


@dataclass(frozen=True)
class Outcome:
    """A status and the stretches of the file that come with it, each as start and stop."""

    status: int
    stretches: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Row:
    """One request's headers, and what comes from each back end. The names are those of BackEnd."""

    asked: dict[str, str | tuple[str, ...]]
    local: Outcome
    nginx: Outcome
    s3: Outcome


WHOLE = Outcome(200, ((0, SIZE),))
ALL = Outcome(206, ((0, SIZE),))
TEN = Outcome(206, ((0, 10),))
PAIR = Outcome(206, ((0, 10), (20, 30)))
NOT_MODIFIED = Outcome(304)
REFUSED = Outcome(416)
# By gunicorn and by nginx, before anything of ours or the bucket's hears of the request.
UNHEARD, UNHEARD_BY_NGINX = Outcome(431), Outcome(400)


def ranges(header: str | tuple[str, ...], local: Outcome, nginx: Outcome, s3: Outcome) -> Row:
    return Row({"Range": header}, local, nginx, s3)


ROWS = {
    # Numbers: nginx and SeaweedFS count with 64 bits, we with as many as it takes.
    "18 digits": ranges(f"bytes=0-{'9' * 18}", ALL, ALL, ALL),
    "20 digits": ranges(f"bytes=0-{'9' * 20}", ALL, REFUSED, REFUSED),
    "4,000 digits": ranges(f"bytes=0-{'9' * 4000}", ALL, REFUSED, REFUSED),
    "a suffix longer than the file": ranges(f"bytes=-{SIZE + 5}", ALL, ALL, ALL),
    "a suffix of 29 digits": ranges(f"bytes=-{'9' * 29}", ALL, REFUSED, REFUSED),
    "a suffix of nothing": ranges("bytes=-0", REFUSED, REFUSED, REFUSED),
    "a start of 29 digits": ranges(f"bytes={'9' * 29}-", REFUSED, REFUSED, REFUSED),
    # Lists: we join what overlaps, nginx sends it twice or, if that is more than the file, the whole.
    "a thousand times everything": ranges(f"bytes={','.join(['0-'] * 1000)}", ALL, WHOLE, WHOLE),
    "an overlap": ranges("bytes=0-5,4-9", TEN, Outcome(206, ((0, 6), (4, 10))), WHOLE),
    "one part more than allowed": ranges(
        f"bytes={','.join(f'{n}000-{n}009' for n in range(1, 18))}", WHOLE, WHOLE, WHOLE
    ),
    "one element that is none": ranges("bytes=0-9,x", WHOLE, REFUSED, REFUSED),
    # Whitespace and empty elements: RFC 9110, section 5.6.1, allows them in a list, none in a range.
    "a space before": ranges("bytes= 0-9", TEN, TEN, REFUSED),
    "a tab before": ranges("bytes=\t0-9", TEN, REFUSED, REFUSED),
    "a space after a comma": ranges("bytes=0-9, 20-29", PAIR, PAIR, WHOLE),
    "a tab after a comma": ranges("bytes=0-9,\t20-29", PAIR, REFUSED, WHOLE),
    "an empty element": ranges("bytes=0-9,,20-29", PAIR, REFUSED, WHOLE),
    "empty elements at the end": ranges("bytes=0-9,,,", TEN, REFUSED, REFUSED),
    "nothing but empty elements": ranges("bytes=,,,", WHOLE, REFUSED, WHOLE),
    "spaces within": ranges("bytes=0 - 9", WHOLE, TEN, REFUSED),
    "a space before the sign": ranges("bytes =0-9", WHOLE, WHOLE, WHOLE),
    # Headers.
    "a unit in capitals": ranges("BYTES=0-9", TEN, TEN, WHOLE),
    "two lines": ranges(("bytes=0-9", "bytes=20-29"), WHOLE, TEN, TEN),
    "a long line": ranges(f"bytes=0-9{',' * 8000}", TEN, REFUSED, REFUSED),
    "too long a line": ranges(f"bytes=0-9{',' * 8192}", UNHEARD, UNHEARD_BY_NGINX, UNHEARD),
    # nginx compares for equality alone (`if_modified_since exact`, its default).
    "a copy from the future": Row(
        {"If_Modified_Since": NEXT_CENTURY}, NOT_MODIFIED, WHOLE, NOT_MODIFIED
    ),
}

# HEAD: RFC 9110, section 14.2, defines ranges for GET alone. nginx looks at them all the same.
HEAD_STATUSES = {
    "bytes=0-9": {"local": 200, "nginx": 206, "s3": 200},
    "bytes=0-9,20-29": {"local": 200, "nginx": 206, "s3": 200},
    f"bytes={SIZE}-": {"local": 200, "nginx": 416, "s3": 200},
}


def outcome(answer: Answer) -> Outcome:
    """What came, by what the answer says of itself; asserts that its bytes are those of the file."""
    if answer.status not in (200, 206):
        assert CONTENT[:100] not in answer.body
        return Outcome(answer.status)
    if answer.status == 200:
        assert answer.headers["Content-Range"] is None
        return Outcome(200, (_stretch(f"bytes 0-{SIZE - 1}/{SIZE}", answer.body),))
    return Outcome(206, tuple(_stretch(*part) for part in _parts(answer)))


def _parts(answer: Answer) -> list[tuple[str, bytes]]:
    """Content-Range and bytes of each part."""
    if answer.headers.get_content_type() != "multipart/byteranges":
        return [(answer.headers["Content-Range"], answer.body)]
    boundary = answer.headers.get_param("boundary")
    _, *parts, end = answer.body.split(f"--{boundary}".encode())
    assert end == b"--\r\n"
    return [_part(part) for part in parts]


def _part(part: bytes) -> tuple[str, bytes]:
    head, _, body = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    named: Message = email.message_from_bytes(head)
    return named["Content-Range"], body.removesuffix(b"\r\n")


def _stretch(content_range: str, body: bytes) -> tuple[int, int]:
    found = CONTENT_RANGE.fullmatch(content_range)
    assert found, content_range
    start, stop = int(found[1]), int(found[2]) + 1
    exact = body == CONTENT[start:stop]  # not inside assert: the difference is megabytes
    assert exact, (content_range, len(body))
    return start, stop


@pytest.mark.parametrize("asked", ROWS)
def test_an_odd_request_is_answered_as_the_table_says(
    back_end: BackEnd, link: str, asked: str
) -> None:
    row = ROWS[asked]

    answer = fetch(link, **row.asked)

    assert outcome(answer) == getattr(row, back_end.name)


@pytest.mark.parametrize("asked", HEAD_STATUSES)
def test_only_nginx_looks_at_ranges_for_head(back_end: BackEnd, link: str, asked: str) -> None:
    answer = fetch(link, "HEAD", Range=asked)

    assert (answer.status, answer.body) == (HEAD_STATUSES[asked][back_end.name], b"")
    if answer.status == 200:
        assert answer.headers["Content-Range"] is None
        assert answer.length == SIZE


@pytest.mark.wide
@pytest.mark.parametrize("header", ["sha-256=0", "sha-512=5, sha-256=0"])
def test_a_digest_that_is_not_wanted_is_left_out(link: str, header: str) -> None:
    """RFC 9530, section 4: the weight 0 means "not acceptable"."""
    answer = fetch(link, Range="bytes=0-9", Want_Repr_Digest=header)

    assert outcome(answer) == TEN
    assert answer.headers["Repr-Digest"] is None
