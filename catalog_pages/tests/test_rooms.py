"""A room takes what it has space for; the longest unused goes first."""

from __future__ import annotations

from catalog_pages.rooms import Room

MOST = 10_000


def test_it_never_grows_beyond_its_bound_and_keeps_what_is_used() -> None:
    room = Room[bytes](len)

    for number in range(100):
        room.put(number, b"x" * 1_900, most_bytes=MOST)
        assert room.get(0) is not None, "it is asked for each time"

    assert [number for number in range(100) if room.get(number) is not None] == [0, 96, 97, 98, 99]
    assert (len(room), room.bytes) == (5, 5 * 1_900)


def test_what_would_leave_no_space_for_anything_else_is_not_taken_in() -> None:
    room = Room[bytes](len)
    room.put("small", b"x", most_bytes=MOST)

    room.put("large", b"x" * (MOST + 1), most_bytes=MOST)

    assert room.get("large") is None
    assert room.get("small") == b"x"


def test_what_stands_under_a_name_stays_and_counts_once() -> None:
    room = Room[bytes](len)

    room.put("name", b"first", most_bytes=MOST)
    room.put("name", b"second one", most_bytes=MOST)

    assert (room.get("name"), room.bytes) == (b"first", 5)
    room.clear()
    assert (room.get("name"), len(room), room.bytes) == (None, 0, 0)
