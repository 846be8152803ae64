"""Range headers: which bytes a header asks for, and that no header can make us work hard."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from downloads.ranges import (
    MAX_HEADER_CHARACTERS,
    MAX_PARTS,
    ByteRange,
    RangeNotSatisfiable,
    coalesce,
    first_bytes,
    parse_ranges,
    without,
)
from downloads.tests.streaming_files import unhurried

NINES = "9" * 6000


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
        (f"bytes={'0' * 6000}5-9", 5, 10),
        ("BYTES=5-9", 5, 10),
        ("bytes=\t5-9 ", 5, 10),
        ("bytes=,, 5-9 ,", 5, 10),
    ],
)
def test_one_range_is_found_and_ends_with_the_file(header: str, start: int, stop: int) -> None:
    assert parse_ranges(header, size_bytes=1000) == (ByteRange(start, stop),)


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
    assert parse_ranges(header, size_bytes=1000) == (ByteRange(start, stop),)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-9,20-29", [(0, 10), (20, 30)]),
        ("bytes=20-29,0-9", [(20, 30), (0, 10)]),
        ("bytes=0-0,-1", [(0, 1), (999, 1000)]),
        ("bytes=-1,0-0", [(999, 1000), (0, 1)]),
        ("bytes=500-,0-498", [(500, 1000), (0, 499)]),
        ("bytes=0-9,5000-,20-29,-0", [(0, 10), (20, 30)]),
        ("bytes=900-,0-9,20-29,10-11", [(900, 1000), (0, 12), (20, 30)]),
        ("bytes=30-39,0-9,20-29,10-19,60-69", [(0, 40), (60, 70)]),
        (f"bytes=0-0, ,\t990-{NINES}", [(0, 1), (990, 1000)]),
    ],
)
def test_ranges_with_gaps_are_parts_in_the_order_asked_for(
    header: str, expected: list[tuple[int, int]]
) -> None:
    found = parse_ranges(header, size_bytes=1000)

    assert found == tuple(ByteRange(start, stop) for start, stop in expected)


def test_as_many_parts_as_the_bound_are_sent_and_one_more_is_the_whole() -> None:
    specs = [f"{2 * n}-{2 * n}" for n in range(MAX_PARTS + 1)]

    assert len(parse_ranges(f"bytes={','.join(specs[:-1])}", size_bytes=1000) or ()) == MAX_PARTS
    assert parse_ranges(f"bytes={','.join(specs)}", size_bytes=1000) is None


def test_a_thousand_ranges_that_are_few_once_joined_are_those_few() -> None:
    specs = [f"{n}-{n}" for n in range(1000) if n != 500]
    header = f"bytes={','.join(reversed(specs))}"
    assert len(header) <= MAX_HEADER_CHARACTERS

    assert parse_ranges(header, size_bytes=1000) == (ByteRange(501, 1000), ByteRange(0, 500))


def test_a_thousand_ranges_apart_are_answered_by_the_whole() -> None:
    header = f"bytes={','.join(f'{2 * n}-{2 * n}' for n in range(700))}"
    assert len(header) <= MAX_HEADER_CHARACTERS

    assert parse_ranges(header, size_bytes=2000) is None


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
        f"bytes={'9' * 3001}-{'9' * 3000}",
        f"bytes=0{'9' * 3000}5-{'9' * 3000}4",
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
    assert parse_ranges(header, size_bytes=1000) is None


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
        ("bytes=-0", 0),
        (f"bytes={'9' * 3000}-{'9' * 3000}", 1000),
    ],
)
def test_a_range_without_a_byte_is_refused_with_the_size(header: str, size_bytes: int) -> None:
    with pytest.raises(RangeNotSatisfiable) as refusal:
        parse_ranges(header, size_bytes=size_bytes)

    assert refusal.value.content_range == f"bytes */{size_bytes}"


def test_the_last_bytes_of_an_empty_file_are_the_whole_of_it() -> None:
    assert parse_ranges("bytes=-1", size_bytes=0) is None
    assert parse_ranges("bytes=5-,-1", size_bytes=0) is None


def test_a_header_beyond_the_bound_is_ignored_and_one_at_the_bound_is_not() -> None:
    longest = "bytes=0-".ljust(MAX_HEADER_CHARACTERS, "9")

    assert parse_ranges(longest, size_bytes=1000) == (ByteRange(0, 1000),)
    assert parse_ranges(longest + "9", size_bytes=1000) is None


@pytest.mark.parametrize(
    "header", ["bytes=" + "9" * 10**6 + "-", "bytes=" + "0-0," * 10**5, "bytes=" + "," * 10**6]
)
def test_a_hostile_header_is_not_even_read(header: str) -> None:
    assert parse_ranges(header, size_bytes=1000) is None


def test_content_range_states_the_last_byte_and_the_size() -> None:
    assert ByteRange(500, 1000).content_range(1234) == "bytes 500-999/1234"


ranges = st.builds(
    lambda start, length: ByteRange(start, start + length),
    st.integers(0, 50),
    st.integers(1, 20),
)


@unhurried
@given(st.lists(ranges))
@example([ByteRange(0, 5), ByteRange(5, 9), ByteRange(10, 11)])
def test_coalescing_keeps_exactly_the_bytes(some: list[ByteRange]) -> None:
    merged = coalesce(some)

    assert bytes_of(some) == bytes_of(merged)
    assert all(left.stop < right.start for left, right in pairwise(sorted(merged)))


@unhurried
@given(st.lists(ranges))
def test_coalesced_ranges_stand_where_the_first_of_each_was_asked_for(
    some: list[ByteRange],
) -> None:
    merged = coalesce(some)

    asked = [
        next(covers for covers in merged if covers.start <= r.start < covers.stop) for r in some
    ]
    assert list(dict.fromkeys(asked)) == merged


@unhurried
@given(st.lists(ranges), st.integers(0, 500))
def test_the_first_bytes_of_stretches_are_a_prefix_of_them(
    stretches: list[ByteRange], count: int
) -> None:
    planned = [n for r in stretches for n in range(r.start, r.stop)]

    sent = [n for r in first_bytes(stretches, count) for n in range(r.start, r.stop)]

    assert sent == planned[:count]


positions = st.integers(0, 60)
specs = st.one_of(
    st.tuples(positions, st.integers(0, 30)).map(lambda pair: (pair[0], sum(pair))),
    st.tuples(positions, st.none()),
    st.tuples(st.none(), positions),
)


@unhurried
@given(st.lists(specs, min_size=1, max_size=40), st.integers(0, 50))
def test_a_list_of_ranges_is_answered_by_exactly_its_bytes(
    asked: list[tuple[int | None, int | None]], size_bytes: int
) -> None:
    texts = ["-".join("" if n is None else str(n) for n in spec) for spec in asked]
    whole = range(size_bytes)
    expected: set[int] = set()
    for first, last in asked:
        if first is None:
            expected |= set(whole[max(0, size_bytes - (last or 0)) :])
        else:
            expected |= set(whole[first : None if last is None else last + 1])

    try:
        found = parse_ranges(f"bytes={', '.join(texts)}", size_bytes=size_bytes)
    except RangeNotSatisfiable:
        assert expected == set()
        return

    if found is None:
        assert size_bytes == 0 or len(coalesce(ByteRange(n, n + 1) for n in expected)) > MAX_PARTS
    else:
        assert bytes_of(found) == expected != set()


@unhurried
@given(st.text(alphabet="bytes=0123456789-, \t", max_size=40), st.integers(0, 2000))
def test_no_header_asks_for_bytes_that_are_not_there(header: str, size_bytes: int) -> None:
    try:
        found = parse_ranges("bytes=" + header, size_bytes=size_bytes)
    except RangeNotSatisfiable:
        return

    assert all(0 <= stretch.start < stretch.stop <= size_bytes for stretch in found or ())


def bytes_of(some: Iterable[ByteRange]) -> set[int]:
    return {n for r in some for n in range(r.start, r.stop)}


@pytest.mark.parametrize(
    ("taken", "left"),
    [
        ([], [(0, 10), (20, 30)]),
        ([(0, 10)], [(20, 30)]),
        ([(5, 25)], [(0, 5), (25, 30)]),
        ([(2, 3), (6, 8)], [(0, 2), (3, 6), (8, 10), (20, 30)]),
        ([(0, 100)], []),
        ([(10, 20)], [(0, 10), (20, 30)]),
    ],
)
def test_what_is_left_of_ranges_without_others(
    taken: list[tuple[int, int]], left: list[tuple[int, int]]
) -> None:
    ranges = [ByteRange(20, 30), ByteRange(0, 10)]

    found = without(ranges, [ByteRange(*pair) for pair in taken])

    assert found == [ByteRange(*pair) for pair in left]
