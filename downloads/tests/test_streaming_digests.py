"""Repr-Digest and Want-Repr-Digest (RFC 9530); the structured field is read as its library does."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace

import http_sf
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from downloads.digests import MAX_HEADER_CHARACTERS, digest_is_wanted, repr_digest
from downloads.streaming import StoredFile
from downloads.tests.streaming_files import CONTENT, ETAG, Opener, respond, stored, unhurried

SHA256 = hashlib.sha256(CONTENT)
STATED = f"sha-256=:{base64.b64encode(SHA256.digest()).decode()}:"


@pytest.fixture
def known() -> StoredFile:
    return replace(stored(Opener(CONTENT)), sha256=SHA256.hexdigest())


def test_a_digest_is_stated_as_the_specification_does() -> None:
    body = b'{"hello": "world"}\n'  # RFC 9530, appendix B.1

    digest = repr_digest(hashlib.sha256(body).hexdigest())

    assert digest == "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        (None, True),
        ("sha-256=1", True),
        ("sha-256=10", True),
        ("sha-512=3, sha-256=10, unixsum=0", True),
        ("sha-512=3,sha-256=1", True),
        ("sha-256=1;why=because", True),
        ('sha-512=3;why="a, sha-256=0", sha-256=1', True),
        ("sha-256=0, sha-256=1", True),
        ("sha-512=0", True),
        ("sha-256=0", False),
        ("sha-256=1,sha-256=0", False),
        ("sha-512=3, sha-256=0", False),
        ("sha-512=10", False),
        ("unixsum=1, md5=2", False),
        ("sha-512=10, sha-256=11", False),
    ],
)
def test_a_client_gets_the_digest_it_can_use(header: str | None, wanted: bool) -> None:
    assert digest_is_wanted(header) is wanted


@pytest.mark.parametrize(
    "header",
    [
        "",
        "sha-256",
        "sha-256=?0",
        "sha-256=-1",
        "sha-256=0.0",
        "sha-256=11",
        "sha-256=no",
        "SHA-256=0",
        "sha-256=0,",
        ",sha-256=0",
        "sha-256 = 0",
        "sha-256=0 sha-512=1",
        "sha-512=10, sha-256=(0)",
        "sha-256=0\x00",
        "sha-256=٠",
        "sha-512=3;" + "a" * MAX_HEADER_CHARACTERS,
    ],
)
def test_a_preference_that_cannot_be_read_is_as_good_as_absent(header: str) -> None:
    assert digest_is_wanted(header) is True


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", {}, 200),
        ("HEAD", {}, 200),
        ("GET", {"Range": "bytes=5-9"}, 206),
        ("GET", {"Range": "bytes=5-9,20-29"}, 206),
        ("GET", {"Range": "bytes=5-9", "If_Range": ETAG}, 206),
    ],
)
def test_every_answer_with_the_file_or_a_part_states_the_digest_of_the_whole(
    known: StoredFile, method: str, headers: dict[str, str], status: int
) -> None:
    response = respond(known, method, **headers)
    response.close()

    assert response.status_code == status
    assert response.headers["Repr-Digest"] == STATED


@pytest.mark.parametrize(
    "headers",
    [{"If_None_Match": ETAG}, {"If_Match": '"other"'}, {"Range": "bytes=1024-"}],
)
def test_answers_about_no_file_state_no_digest(known: StoredFile, headers: dict[str, str]) -> None:
    assert "Repr-Digest" not in respond(known, **headers).headers


@pytest.mark.django_db
def test_a_digest_that_is_refused_or_not_known_is_not_stated(known: StoredFile) -> None:
    for response in [
        respond(known, Want_Repr_Digest="sha-256=0"),
        respond(known, "HEAD", Want_Repr_Digest="sha-512=5"),
        respond(stored(Opener(CONTENT))),
    ]:
        response.close()
        assert "Repr-Digest" not in response.headers


names = st.sampled_from(["sha-256", "sha-512", "md5", "*a.b_c"])
values = st.one_of(
    st.integers(-2, 12).map(str),
    st.sampled_from(["1.5", "?1", "tok/en", '"q, \\" q"', ":YQ==:", ""]),
)
members = st.builds(
    lambda name, value, tail: f"{name}={value}{tail}" if value else f"{name}{tail}",
    names,
    values,
    st.sampled_from(["", ";p", '; p="x"', ";p=1;q"]),
)
headers = st.one_of(
    st.lists(members, max_size=5).map(", ".join),
    st.text(alphabet='sha-2561,;=0 \t"?:@*', max_size=20),
)


@unhurried
@given(headers)
@example("sha-256=0;a")
def test_a_readable_header_means_what_the_library_reads_in_it(header: str) -> None:
    try:
        parsed = http_sf.parse(header.encode("ascii"), tltype="dictionary")
    except (ValueError, http_sf.StructuredFieldError):
        parsed = {}
    preferences = {
        name: value
        for name, (value, _) in parsed.items()
        if type(value) is int and 0 <= value <= 10 and not isinstance(value, bool)
    }

    wanted = digest_is_wanted(header)

    if "sha-256" in preferences:
        assert wanted is (preferences["sha-256"] > 0)
    else:
        assert wanted is not any(preferences.values())


@unhurried
@given(st.text(max_size=200))
def test_no_text_is_too_odd_for_a_preference(header: str) -> None:
    assert digest_is_wanted(header) in {True, False}
