"""One matrix for every road by which a file reaches its owner, and what differs between the roads.

Local streaming, nginx told by X-Accel-Redirect, and a real S3 server behind a presigned address.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass

import pytest

from tests.delivery.asking import Answer, ask, fetch
from tests.delivery.conftest import CONTENT, BackEnd, Bought

SIZE = len(CONTENT)
SHA256 = hashlib.sha256(CONTENT)
DISPOSITION = (
    'attachment; filename="Fur Elise _ 1. Satz.flac"; '
    "filename*=UTF-8''F%C3%BCr%20Elise%20%E2%80%93%201.%20Satz.flac"
)
PARTS = {
    "the first bytes": ("bytes=0-99999", 0, 100_000),
    "Safari's probe": ("bytes=0-1", 0, 2),
    "the middle": ("bytes=2000000-2999999", 2_000_000, 3_000_000),
    "from the middle to the end": ("bytes=2500000-", 2_500_000, SIZE),
    "the last byte": (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
    "the last thousand": ("bytes=-1000", SIZE - 1000, SIZE),
    "more than there is": (f"bytes=4000000-{SIZE + 999}", 4_000_000, SIZE),
}


@dataclass(frozen=True)
class Nature:
    """What a back end does in its own way. docs/downloads.md has the same table.

    `if_range`: whether a validator that no longer fits brings the whole file. Where it is not looked at,
    nothing goes wrong all the same: what is stored under a name never changes.
    """

    etag: re.Pattern[str]
    repr_digest: bool
    if_range: bool
    multipart: bool


NATURES = {
    # The file's own SHA-256, and all of RFC 9110.
    "local": Nature(
        etag=re.compile(rf'"{SHA256.hexdigest()}"'), repr_digest=True, if_range=True, multipart=True
    ),
    # Time and size of the file on the disk, both in hexadecimal; the digest is the shop's, passed on.
    "nginx": Nature(
        etag=re.compile(r'"[0-9a-f]+-[0-9a-f]+"'), repr_digest=True, if_range=True, multipart=True
    ),
    # MD5 of what was uploaded at once, something else with a dash for what came in pieces.
    "s3": Nature(
        etag=re.compile(r'"[0-9a-f]{32}(-\d+)?"'),
        repr_digest=False,
        if_range=False,
        multipart=False,
    ),
}


@pytest.fixture
def nature(back_end: BackEnd) -> Nature:
    return NATURES[back_end.name]


def assert_bytes(answer: Answer, start: int, stop: int) -> None:
    exact = answer.body == CONTENT[start:stop]  # not inside assert: the difference is megabytes
    assert exact, (len(answer.body), stop - start)


def assert_described(answer: Answer, length: int) -> None:
    assert answer.length == length
    assert answer.headers["Content-Type"] == "audio/flac"
    assert answer.headers["Content-Disposition"] == DISPOSITION
    assert answer.headers["Content-Encoding"] is None
    assert answer.headers["Transfer-Encoding"] is None


# --- The same everywhere --------------------------------------------------------------------------


def test_the_whole_file_arrives(link: str) -> None:
    answer = fetch(link)

    assert answer.status == 200
    assert answer.headers["Content-Range"] is None
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert_described(answer, SIZE)
    assert_bytes(answer, 0, SIZE)


def test_head_tells_what_a_get_would_bring(link: str) -> None:
    answer = fetch(link, "HEAD")

    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert_described(answer, SIZE)


@pytest.mark.parametrize("asked", PARTS)
def test_a_part_arrives(link: str, asked: str) -> None:
    header, start, stop = PARTS[asked]

    answer = fetch(link, Range=header)

    assert answer.status == 206
    assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{SIZE}"
    assert_described(answer, stop - start)
    assert_bytes(answer, start, stop)


@pytest.mark.parametrize("header", [f"bytes={SIZE}-", f"bytes={SIZE + 5}-{SIZE + 9}"])
def test_nothing_lies_beyond_the_end(link: str, header: str) -> None:
    answer = fetch(link, Range=header)

    assert answer.status == 416
    assert answer.headers["Content-Range"] == f"bytes */{SIZE}"
    assert CONTENT[:100] not in answer.body


@pytest.mark.parametrize("header", ["bytes=9-2", "bytes=a-b", "seconds=0-9", "bytes"])
def test_a_range_without_a_meaning_is_ignored(link: str, header: str) -> None:
    """RFC 9110, section 14.2; S3 servers may refuse what AWS ignores, so 416 is fine there as well."""
    answer = fetch(link, Range=header)

    if answer.status != 416:
        assert answer.status == 200
        assert_bytes(answer, 0, SIZE)


def test_a_download_that_broke_off_goes_on_where_it_stopped(link: str) -> None:
    first = fetch(link, Range=f"bytes=0-{SIZE // 2 - 1}")

    second = fetch(link, Range=f"bytes={len(first.body)}-")

    assert (first.status, second.status) == (206, 206)
    assert hashlib.sha256(first.body + second.body).hexdigest() == SHA256.hexdigest()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_link_with_one_letter_changed_opens_nothing(
    back_end: BackEnd, bought: Bought, method: str
) -> None:
    last = bought.path[-1]
    changed = bought.path[:-1] + ("A" if last != "A" else "B")

    answer = ask(back_end.url + changed, method)

    assert answer.status == 404
    assert answer.headers["X-Accel-Redirect"] is None
    assert CONTENT[:100] not in answer.body


@pytest.mark.parametrize("header", ["bytes=0-1", "bytes=100-"])
def test_a_link_that_has_ended_opens_nothing(
    back_end: BackEnd, bought: Bought, header: str
) -> None:
    answer = ask(back_end.url + bought.ended_path, Range=header, User_Agent="Somebody else")

    assert answer.status == 410
    assert answer.headers["Content-Range"] is None
    assert CONTENT[:100] not in answer.body


def test_nobody_fetches_without_a_link(back_end: BackEnd, bought: Bought) -> None:
    path = bought.path.partition("?")[0]

    answer = ask(back_end.url + path)

    assert answer.status == 302
    assert answer.headers["Location"].startswith("/accounts/login/")
    assert ask(back_end.url + path, Accept="application/json").status == 401


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_file_can_only_be_read(link: str, method: str) -> None:
    answer = ask(link, method)

    assert answer.status in (403, 405)  # from a stranger's page it is no form of ours either
    assert CONTENT[:100] not in answer.body


# --- Each in its own way --------------------------------------------------------------------------


def test_validators_are_of_the_back_ends_kind(link: str, nature: Nature) -> None:
    answer = fetch(link, Range="bytes=0-9")

    assert nature.etag.fullmatch(answer.headers["ETag"]), answer.headers["ETag"]
    assert answer.headers["Last-Modified"].endswith(" GMT")


def test_the_digest_is_told_where_it_is_known(link: str, nature: Nature) -> None:
    """RFC 9530: of the whole file, with a part as well."""
    expected = f"sha-256=:{base64.b64encode(SHA256.digest()).decode()}:"

    for headers in ({}, {"Range": "bytes=5-9"}):
        answer = fetch(link, **headers)

        assert answer.headers["Repr-Digest"] == (expected if nature.repr_digest else None)


def test_if_range_guards_a_resumed_download(link: str, nature: Nature) -> None:
    known = fetch(link, Range="bytes=0-9").headers

    by_etag = fetch(link, Range="bytes=10-19", If_Range=known["ETag"])
    by_date = fetch(link, Range="bytes=10-19", If_Range=known["Last-Modified"])
    stale = fetch(link, Range="bytes=10-19", If_Range='"another"')

    assert (by_etag.status, by_date.status) == (206, 206)
    assert stale.status == (200 if nature.if_range else 206)
    assert_bytes(stale, *((0, SIZE) if nature.if_range else (10, 20)))


def test_what_a_client_has_is_not_sent_again(link: str) -> None:
    etag = fetch(link, Range="bytes=0-9").headers["ETag"]

    answer = fetch(link, If_None_Match=etag)

    assert (answer.status, answer.body) == (304, b"")


def test_several_ranges_at_once(link: str, nature: Nature) -> None:
    answer = fetch(link, Range="bytes=0-99,1000000-1000099")

    if not nature.multipart:
        assert answer.status == 200
        assert_bytes(answer, 0, SIZE)
        return
    assert answer.status == 206
    assert answer.headers["Content-Type"].startswith("multipart/byteranges; boundary=")
    assert f"bytes 0-99/{SIZE}".encode() in answer.body
    assert f"bytes 1000000-1000099/{SIZE}".encode() in answer.body
    assert CONTENT[1_000_000:1_000_100] in answer.body
    assert answer.length < 2000
