"""Conditional requests in the order of RFC 9110, section 13.2.2."""

from __future__ import annotations

import pytest
from django.http.request import HttpHeaders
from django.utils.http import http_date
from hypothesis import given
from hypothesis import strategies as st

from downloads.preconditions import failed_precondition, range_is_current
from downloads.tests.streaming_files import unhurried

ETAG = '"current"'
MODIFIED_S = 1_700_000_000
SAME = http_date(MODIFIED_S)
BEFORE = http_date(MODIFIED_S - 1)
AFTER = http_date(MODIFIED_S + 1)
EPOCH = http_date(0)
CONDITIONS = ["If-Match", "If-Unmodified-Since", "If-None-Match", "If-Modified-Since"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, None),
        # Step 1: If-Match, by strong comparison.
        ({"If-Match": ETAG}, None),
        ({"If-Match": '"old", "current" , "other"'}, None),
        ({"If-Match": "*"}, None),
        ({"If-Match": '"old"'}, 412),
        ({"If-Match": 'W/"current"'}, 412),
        ({"If-Match": "current"}, 412),
        ({"If-Match": "\x00"}, 412),
        ({"If-Match": ""}, 412),
        # Step 2: If-Unmodified-Since, only without If-Match.
        ({"If-Unmodified-Since": SAME}, None),
        ({"If-Unmodified-Since": AFTER}, None),
        ({"If-Unmodified-Since": BEFORE}, 412),
        ({"If-Unmodified-Since": EPOCH}, 412),
        ({"If-Unmodified-Since": "yesterday"}, None),
        ({"If-Match": ETAG, "If-Unmodified-Since": BEFORE}, None),
        ({"If-Match": '"old"', "If-Unmodified-Since": AFTER}, 412),
        # Step 3: If-None-Match, by weak comparison.
        ({"If-None-Match": ETAG}, 304),
        ({"If-None-Match": 'W/"current"'}, 304),
        ({"If-None-Match": '"old","current"'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"old"'}, None),
        ({"If-None-Match": '"W/current"'}, None),
        ({"If-None-Match": "current"}, None),
        # Step 4: If-Modified-Since, only without If-None-Match.
        ({"If-Modified-Since": SAME}, 304),
        ({"If-Modified-Since": AFTER}, 304),
        ({"If-Modified-Since": BEFORE}, None),
        ({"If-Modified-Since": "Tuesday, 14-Nov-23 22:13:20 GMT"}, 304),
        ({"If-Modified-Since": "Tue Nov 14 22:13:20 2023"}, 304),
        ({"If-Modified-Since": f"{SAME}, {SAME}, {'9' * 5000}"}, None),
        ({"If-None-Match": '"old"', "If-Modified-Since": SAME}, None),
        ({"If-None-Match": "unreadable", "If-Modified-Since": SAME}, None),
        # A failed step 1 or 2 goes before 3 and 4.
        ({"If-Match": '"old"', "If-None-Match": ETAG}, 412),
        ({"If-Unmodified-Since": BEFORE, "If-Modified-Since": SAME}, 412),
        ({"If-Match": ETAG, "If-None-Match": ETAG}, 304),
    ],
)
def test_preconditions_are_evaluated_in_their_order(
    headers: dict[str, str], status: int | None
) -> None:
    assert failed_precondition(_received(headers), etag=ETAG, modified_s=MODIFIED_S) == status


@pytest.mark.parametrize(
    ("if_range", "current"),
    [
        (None, True),
        (ETAG, True),
        (SAME, True),
        ("Tue Nov 14 22:13:20 2023", True),
        ('"old"', False),
        ('W/"current"', False),
        ("current", False),
        ("*", False),
        (f"{ETAG}, {ETAG}", False),
        (BEFORE, False),
        (AFTER, False),
        ("yesterday", False),
        ("", False),
    ],
)
def test_a_part_is_sent_only_of_the_file_the_client_has(
    if_range: str | None, current: bool
) -> None:
    assert range_is_current(if_range, etag=ETAG, modified_s=MODIFIED_S) is current


tags = st.sampled_from([ETAG, f"W/{ETAG}", '"old"', "*", '"', "W/", "", "current", "\x00"])
dates = st.one_of(
    st.sampled_from([SAME, BEFORE, AFTER, EPOCH]),
    st.from_regex(r"(\w{3}|\w{6,9}), \d{2}[ -]\w{3}[ -](\d{4}|\d{2}) \d{2}:\d{2}:\d{2} GMT"),
)
values = st.one_of(st.lists(tags, max_size=4).map(", ".join), dates, st.text(max_size=20))


@unhurried
@given(st.dictionaries(st.sampled_from(CONDITIONS), values), values)
def test_no_condition_is_too_odd_to_be_decided(headers: dict[str, str], if_range: str) -> None:
    status = failed_precondition(_received(headers), etag=ETAG, modified_s=MODIFIED_S)
    current = range_is_current(if_range, etag=ETAG, modified_s=MODIFIED_S)

    assert status in {None, 304, 412}
    assert current in {True, False}
    if not {"If-Match", "If-Unmodified-Since"} & headers.keys():
        assert status != 412
    if not {"If-None-Match", "If-Modified-Since"} & headers.keys():
        assert status != 304


def _received(headers: dict[str, str]) -> HttpHeaders:
    return HttpHeaders({f"HTTP_{k.upper().replace('-', '_')}": v for k, v in headers.items()})
