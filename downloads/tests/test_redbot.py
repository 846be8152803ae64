"""REDbot, an HTTP checker that other people wrote, asks a real gunicorn for a file in every way."""

from __future__ import annotations

from collections.abc import Iterator
from configparser import ConfigParser
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import pytest
import thor
from redbot.resource import HttpResource

from catalog_pages.tests.sample_audio import write_tone
from downloads.tests.streaming_site import gunicorn

GIVE_UP_AFTER_S = 60
# Notes of the levels "bad" and "warning" that are no fault of ours, and why. A note that none of our
# answers deserves any more fails the test as well.
DOES_NOT_APPLY = {
    "STORE_PUBLIC_UNNECESSARY": "public is needed where a cut is fetched with an Authorization header",
    "CONTENT_TYPE_MISMATCH": "its library sees undefined/undefined in every sound file",
    "PARTIAL_WITHOUT_RANGE": "Content-Range stands in the parts if there are several (15.3.7.2)",
}


@dataclass(frozen=True)
class Question:
    path: str
    method: str
    header: tuple[str, str] | None
    status: int
    type: str = "audio/flac"

    def __str__(self) -> str:
        return f"{self.method} {self.path} {': '.join(self.header or ())}".strip()


QUESTIONS = [
    Question(path, *rest)
    for path in ["file", "file?public"]
    for rest in [
        ("GET", None, 200),
        ("HEAD", None, 200),
        ("GET", ("Range", "bytes=0-1"), 206),
        ("GET", ("Range", "bytes=0-1,5-9"), 206, "multipart/byteranges"),
        ("GET", ("Range", "bytes=9-5"), 200),
        ("GET", ("Range", "bytes=99999999-"), 416, ""),
        ("GET", ("If-None-Match", '"the-file"'), 304, ""),
        ("GET", ("If-Modified-Since", "Tue, 14 Nov 2023 00:00:00 GMT"), 304, ""),
        ("GET", ("If-Match", '"another"'), 412, ""),
    ]
]


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Question, HttpResource]]:
    """All questions in one run of REDbot's loop, which is not made to be started twice."""
    song = write_tone(tmp_path_factory.mktemp("protected") / "song.flac", seconds=20, title="Song")
    with gunicorn(song, threads=8) as port, pytest.MonkeyPatch.context() as patch:
        patch.setattr(HttpResource.client, "check_ip", lambda ip: ip_address(ip).is_loopback)
        resources = {question: _resource(question, port) for question in QUESTIONS}
        waiting = set(resources)
        for question, resource in resources.items():
            resource.on("check_done", lambda question=question: _done(question, waiting))
        for resource in resources.values():
            resource.check()
        thor.schedule(GIVE_UP_AFTER_S, thor.stop)
        thor.run()
        assert waiting == set()
        yield resources


def _resource(question: Question, port: int) -> HttpResource:
    config = ConfigParser()
    config["redbot"] = {"enable_local_access": "true"}
    resource = HttpResource(config["redbot"])
    headers = [question.header] if question.header else []
    resource.set_request(f"http://127.0.0.1:{port}/{question.path}", question.method, headers)
    return resource


def _done(question: Question, waiting: set[Question]) -> None:
    waiting.discard(question)
    if not waiting:
        thor.stop()


def faults(resource: HttpResource) -> list[Any]:
    """Notes that complain: about the answer itself and about those to what REDbot asked on its own."""
    asked = [resource, *resource.subreqs.values()]
    notes = [note for fetched in asked for note in fetched.response.notes]
    return [note for note in notes if note.level.value in {"bad", "warning"}]


@pytest.mark.parametrize("question", QUESTIONS, ids=str)
def test_redbot_finds_no_fault(checked: dict[Question, HttpResource], question: Question) -> None:
    resource = checked[question]

    assert resource.fetch_error is None
    assert resource.response.complete
    assert resource.response.status_code == question.status
    assert resource.response.headers.parsed.get("content-type", [""])[0] == question.type
    unexplained = [note for note in faults(resource) if type(note).__name__ not in DOES_NOT_APPLY]
    assert [f"{note}: {note.vars}" for note in unexplained] == []


@pytest.mark.parametrize("path", ["file", "file?public"])
def test_redbot_can_validate_and_resume_a_file(
    checked: dict[Question, HttpResource], path: str
) -> None:
    resource = checked[Question(path, "GET", None, 200)]

    assert resource.partial_support
    assert resource.inm_support
    assert resource.ims_support


def test_what_does_not_apply_is_said_only_where_its_reason_holds(
    checked: dict[Question, HttpResource],
) -> None:
    said: dict[str, set[str]] = {name: set() for name in DOES_NOT_APPLY}
    for question, resource in checked.items():
        for note in faults(resource):
            said[type(note).__name__].add(f"{question.path} {question.type}".strip())
            if type(note).__name__ == "CONTENT_TYPE_MISMATCH":
                assert note.vars["sniffed_type"] == "undefined/undefined"

    assert said["STORE_PUBLIC_UNNECESSARY"] == {
        "file?public",
        "file?public audio/flac",
        "file?public multipart/byteranges",
    }
    assert said["CONTENT_TYPE_MISMATCH"] == {"file audio/flac", "file?public audio/flac"}
    assert said["PARTIAL_WITHOUT_RANGE"] == {
        "file multipart/byteranges",
        "file?public multipart/byteranges",
    }
