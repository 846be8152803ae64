"""Range headers: which bytes a header asks for, and that no header can make us work hard."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from downloads.ranges import (
    MAX_HEADER_CHARACTERS,
    ByteRange,
    RangeNotSatisfiable,
    coalesce,
    parse_range,
)

NINES = "9" * 400


@pytest.mark.parametrize(
    ("header", "start", "stop"),
    [
        ("bytes=0-1", 0, 2),  # what Safari asks first
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, 1000),
        ("bytes=0-999", 0, 1000),
        ("bytes=500-", 500, 1000),
        ("bytes=999-", 999, 1000),
        ("bytes=-500", 500, 1000),
        ("bytes=-1", 999, 1000),
        ("bytes=-1000", 0, 1000),
        ("bytes=-5000", 0, 1000),
        ("bytes=900-5000", 900, 1000),
        (f"bytes=900-{NINES}", 900, 1000),
        (f"bytes=-{NINES}", 0, 1000),
        (f"bytes={'0' * 400}5-9", 5, 10),
        ("BYTES=5-9", 5, 10),
        ("bytes=\t5-9 ", 5, 10),
        ("bytes=,, 5-9 ,", 5, 10),
    ],
)
def test_one_range_is_found_and_ends_with_the_file(header: str, start: int, stop: int) -> None:
    assert parse_range(header, size_bytes=1000) == ByteRange(start, stop)


@pytest.mark.parametrize(
    ("header", "start", "stop"),
    [
        ("bytes=0-99,100-199", 0, 200),
        ("bytes=100-199,0-99", 0, 200),
        ("bytes=0-499 , 200-299", 0, 500),
        ("bytes=0-,-1", 0, 1000),
        ("bytes=5-9,5-9,5-9", 5, 10),
        ("bytes=5-9,4000-", 5, 10),
        ("bytes=-0,5-9", 5, 10),
    ],
)
def test_several_ranges_without_a_gap_are_one(header: str, start: int, stop: int) -> None:
    assert parse_range(header, size_bytes=1000) == ByteRange(start, stop)


@pytest.mark.parametrize("header", ["bytes=0-9,20-29", "bytes=0-0,-1", "bytes=500-,0-498"])
def test_ranges_with_a_gap_are_answered_by_the_whole(header: str) -> None:
    assert parse_range(header, size_bytes=1000) is None


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "bytes",
        "bytes=",
        "bytes=,",
        "bytes=-",
        "bytes=--5",
        "bytes=5",
        "bytes=9-5",
        f"bytes={NINES}-5",
        "bytes=1 - 5",
        "bytes=+1-5",
        "bytes=1_0-2_0",
        "bytes=0x1-0x5",
        "bytes=1.0-5",
        "bytes=a-b",
        "bytes=1-5-9",
        "bytes=1-5;9-12",
        "bytes=0-9,what",
        "bytes=0-9,9-5",
        "bytes =0-9",
        "bytes:0-9",
        "bytes=bytes=0-9",
        "items=0-9",
        "seconds=1-2",
        "=0-9",
        "bytes=٠-9",
        "bytes=0-٩",
        "bytes=\u00b2-9",
        "bytes=0-9\n",
        "bytes=0\x00-9",
        "bytes=0-9\u00a0",
    ],
)
def test_an_invalid_or_foreign_range_is_ignored(header: str | None) -> None:
    assert parse_range(header, size_bytes=1000) is None


@pytest.mark.parametrize(
    ("header", "size_bytes"),
    [
        ("bytes=1000-", 1000),
        ("bytes=1000-1001", 1000),
        (f"bytes={NINES}-", 1000),
        ("bytes=-0", 1000),
        ("bytes=-0,1000-,5000-6000", 1000),
        ("bytes=0-", 0),
        ("bytes=0-0", 0),
        ("bytes=-1", 0),
    ],
)
def test_a_range_without_a_byte_is_refused_with_the_size(header: str, size_bytes: int) -> None:
    with pytest.raises(RangeNotSatisfiable) as refusal:
        parse_range(header, size_bytes=size_bytes)

    assert refusal.value.content_range == f"bytes */{size_bytes}"


def test_a_header_beyond_the_bound_is_ignored_and_one_at_the_bound_is_not() -> None:
    longest = "bytes=0-".ljust(MAX_HEADER_CHARACTERS, "9")

    assert parse_range(longest, size_bytes=1000) == ByteRange(0, 1000)
    assert parse_range(longest + "9", size_bytes=1000) is None


@pytest.mark.parametrize(
    "header", ["bytes=" + "9" * 10**6 + "-", "bytes=" + "0-0," * 10**5, "bytes=" + "," * 10**6]
)
def test_a_hostile_header_is_not_even_read(header: str) -> None:
    assert parse_range(header, size_bytes=1000) is None


def test_content_range_states_the_last_byte_and_the_size() -> None:
    assert ByteRange(500, 1000).content_range(1234) == "bytes 500-999/1234"


ranges = st.builds(
    lambda start, length: ByteRange(start, start + length),
    st.integers(0, 50),
    st.integers(1, 20),
)


@given(st.lists(ranges))
@example([ByteRange(0, 5), ByteRange(5, 9), ByteRange(10, 11)])
def test_coalescing_keeps_exactly_the_bytes(some: list[ByteRange]) -> None:
    merged = coalesce(some)

    assert {n for r in some for n in range(r.start, r.stop)} == {
        n for r in merged for n in range(r.start, r.stop)
    }
    assert all(left.stop < right.start for left, right in pairwise(merged))


@given(st.text(alphabet="bytes=0123456789-, \t", max_size=40), st.integers(0, 2000))
def test_no_header_asks_for_bytes_that_are_not_there(header: str, size_bytes: int) -> None:
    try:
        found = parse_range("bytes=" + header, size_bytes=size_bytes)
    except RangeNotSatisfiable:
        return

    assert found is None or 0 <= found.start < found.stop <= size_bytes
