"""What breaks programs of others is found, each kind by itself, and what does not is let through."""

from __future__ import annotations

from copy import deepcopy
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from store_api import contract
from store_api.contract import breaking_changes, contract_problems, other_changes

TEXT = {"type": "string"}
Document = dict[str, Any]


def document(**operation: Any) -> Document:
    """One operation at one address."""
    found = {
        "operationId": "song_change",
        "responses": {"200": {"description": "Done."}},
        **operation,
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Songs", "version": "1.0.0"},
        "paths": {"/api/v1/songs/": {"post": found}},
    }


def content(schema: Any, media_type: str = "application/json") -> dict[str, Any]:
    return {"content": {media_type: {"schema": schema}}}


def asks(schema: Any) -> Document:
    return document(requestBody=content(schema))


def answers(schema: Any) -> Document:
    return document(responses={"200": content(schema)})


def taking(name: str, schema: Any = TEXT, **more: Any) -> Document:
    return document(parameters=[{"name": name, "in": "query", "schema": schema, **more}])


def fields(*required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


WHERE = "POST /api/v1/songs/"
BREAKING = {
    "a path goes": (document(), {**document(), "paths": {}}, f"{WHERE} is gone."),
    "a method goes": (
        document(),
        {**document(), "paths": {"/api/v1/songs/": {"get": {}}}},
        f"{WHERE} is gone.",
    ),
    "an operationId changes": (
        document(),
        document(operationId="song_update"),
        f"{WHERE}: operationId was song_change and is song_update.",
    ),
    "a parameter goes": (taking("q"), document(), f"{WHERE}: query parameter q is gone."),
    "a parameter moves to another place": (
        taking("q"),
        document(parameters=[{"name": "q", "in": "header", "schema": TEXT}]),
        f"{WHERE}: query parameter q is gone.",
    ),
    "a parameter has to be sent": (
        document(),
        taking("q", required=True),
        f"{WHERE}: query parameter q has to be sent now.",
    ),
    "a parameter that could be left out has to be sent": (
        taking("q"),
        taking("q", required=True),
        f"{WHERE}: query parameter q has to be sent now.",
    ),
    "a parameter takes less": (
        taking("q"),
        taking("q", {"type": "string", "maxLength": 50}),
        f"{WHERE}: query parameter q: maxLength was None and is 50.",
    ),
    "another default": (
        taking("size", {"type": "integer", "default": 20}),
        taking("size", {"type": "integer", "default": 50}),
        f"{WHERE}: query parameter size: default was 20 and is 50.",
    ),
    "a list in a query is written otherwise": (
        taking("q", explode=True),
        taking("q", explode=False),
        f"{WHERE}: query parameter q: explode was True and is False.",
    ),
    "a body has to be sent": (
        document(),
        document(requestBody={**content(TEXT), "required": True}),
        f"{WHERE}: a body has to be sent now.",
    ),
    "a body is of another type of content": (
        asks(TEXT),
        document(requestBody=content(TEXT, "application/xml")),
        f"{WHERE}: body is no longer application/json.",
    ),
    "a field can no longer be sent": (
        asks(fields(title=TEXT)),
        asks(fields()),
        f"{WHERE}: body.title is gone.",
    ),
    "a field is for reading only": (
        asks(fields(title=TEXT)),
        asks(fields(title={**TEXT, "readOnly": True})),
        f"{WHERE}: body.title is gone.",
    ),
    "one more field has to be sent": (
        asks(fields(title=TEXT)),
        asks(fields("genre", title=TEXT, genre=TEXT)),
        f"{WHERE}: body.genre has to be sent now.",
    ),
    "unknown fields are refused": (
        asks(fields(title=TEXT)),
        asks({**fields(title=TEXT), "additionalProperties": False}),
        f"{WHERE}: body takes no unknown fields now.",
    ),
    "a deep field is of another type": (
        asks(fields(songs={"type": "array", "items": fields(bpm={"type": "number"})})),
        asks(fields(songs={"type": "array", "items": fields(bpm={"type": "integer"})})),
        f"{WHERE}: body.songs[].bpm was number and is integer.",
    ),
    "null is no longer taken": (
        asks({"type": ["string", "null"]}),
        asks(TEXT),
        f"{WHERE}: body was null or string and is string.",
    ),
    "a choice can no longer be made": (
        asks({"enum": ["flac", "mp3"]}),
        asks({"enum": ["flac"]}),
        f"{WHERE}: body no longer takes 'mp3'.",
    ),
    "what was free is a choice": (
        asks(TEXT),
        asks({**TEXT, "enum": ["flac"]}),
        f"{WHERE}: body takes only some values now.",
    ),
    "a lower bound rises": (
        asks({"minimum": 1}),
        asks({"minimum": 2}),
        f"{WHERE}: body: minimum was 1 and is 2.",
    ),
    "an upper bound falls": (
        asks({"maximum": 99}),
        asks({"maximum": 10}),
        f"{WHERE}: body: maximum was 99 and is 10.",
    ),
    "a pattern is asked for": (
        asks(TEXT),
        asks({**TEXT, "pattern": "^a"}),
        f"{WHERE}: body: pattern was None and is ^a.",
    ),
    "one of several kinds is no longer taken": (
        asks({"oneOf": [fields("a", a=TEXT), {"type": "integer"}]}),
        asks({"oneOf": [fields("a", a=TEXT), {"type": "boolean"}]}),
        f"{WHERE}: body no longer takes one of its kinds.",
    ),
    "a status goes": (
        document(responses={"200": {}, "409": {}}),
        document(responses={"200": {}}),
        f"{WHERE} no longer answers 409.",
    ),
    "another success": (
        document(),
        document(responses={"200": {}, "202": {}}),
        f"{WHERE} may answer 202 now.",
    ),
    "an answer is of another type of content": (
        answers(TEXT),
        document(responses={"200": content(TEXT, "text/plain")}),
        f"{WHERE}: answer 200 is no longer application/json.",
    ),
    "an answer without a body has one": (
        document(),
        answers(TEXT),
        f"{WHERE}: answer 200 has a body now.",
    ),
    "a field of an answer goes": (
        answers(fields(title=TEXT)),
        answers(fields()),
        f"{WHERE}: answer 200.title is gone.",
    ),
    "a field of an answer may be missing": (
        answers(fields("title", title=TEXT)),
        answers(fields(title=TEXT)),
        f"{WHERE}: answer 200.title may be missing now.",
    ),
    "a field of an answer may be null": (
        answers(fields(title=TEXT)),
        answers(fields(title={"type": ["string", "null"]})),
        f"{WHERE}: answer 200.title was string and is null or string.",
    ),
    "an object in an answer may be null": (
        answers(fields(title=fields(text=TEXT))),
        answers(fields(title={"oneOf": [fields(text=TEXT), {"type": "null"}]})),
        f"{WHERE}: answer 200.title was object and is null or object.",
    ),
    "a field of an answer may be anything": (
        answers(fields(title=TEXT)),
        answers(fields(title={})),
        f"{WHERE}: answer 200.title was string and is anything.",
    ),
    "a field of an answer has another format": (
        answers(fields(at={**TEXT, "format": "date"})),
        answers(fields(at={**TEXT, "format": "date-time"})),
        f"{WHERE}: answer 200.at: format was date and is date-time.",
    ),
    "one more choice in an answer": (
        answers(fields(state={"enum": ["paid"]})),
        answers(fields(state={"enum": ["paid", "lost"]})),
        f"{WHERE}: answer 200.state may be 'lost' now.",
    ),
    "an answer's choice is free": (
        answers(fields(state={**TEXT, "enum": ["paid"]})),
        answers(fields(state=TEXT)),
        f"{WHERE}: answer 200.state may be any value now.",
    ),
    "one more kind in an answer": (
        answers({"oneOf": [TEXT, {"type": "integer"}]}),
        answers({"oneOf": [TEXT, {"type": "integer"}, {"type": "boolean"}]}),
        f"{WHERE}: answer 200 may be of another kind now.",
    ),
    "the values of a table change": (
        answers({"type": "object", "additionalProperties": TEXT}),
        answers({"type": "object", "additionalProperties": {"type": "integer"}}),
        f"{WHERE}: answer 200.* was string and is integer.",
    ),
    "a header of an answer goes": (
        document(responses={"200": {"headers": {"ETag": {"schema": TEXT}}}}),
        document(),
        f"{WHERE}: answer 200: header ETag is gone.",
    ),
    "a scope more is asked for": (
        document(security=[{"oauth2": ["read"]}]),
        document(security=[{"oauth2": ["read", "write"]}]),
        f"{WHERE} is no longer open to oauth2 (read).",
    ),
    "another scope is asked for": (
        document(security=[{"oauth2": ["read"]}]),
        document(security=[{"oauth2": ["write"]}]),
        f"{WHERE} is no longer open to oauth2 (read).",
    ),
    "guests have to sign in": (
        document(security=[{"token": []}, {}]),
        document(security=[{"token": []}]),
        f"{WHERE} is no longer open to everybody.",
    ),
    "a scope is no longer given": (
        {
            **document(),
            "components": {"securitySchemes": {"o": {"scopes": {"read": "", "write": ""}}}},
        },
        {**document(), "components": {"securitySchemes": {"o": {"scopes": {"read": ""}}}}},
        "Signing in: o, write is gone.",
    ),
    "a token travels in another header": (
        {**document(), "components": {"securitySchemes": {"token": {"name": "X-Token"}}}},
        {**document(), "components": {"securitySchemes": {"token": {"name": "X-Session"}}}},
        "Signing in: token, name was X-Token and is X-Session.",
    ),
    "a schema is called otherwise": (
        {**document(), "components": {"schemas": {"Song": TEXT}}},
        {**document(), "components": {"schemas": {"Tune": TEXT}}},
        "The schema Song is gone, or has another name.",
    ),
    "a webhook loses a field": (
        {"webhooks": {"sold": {"post": {"requestBody": content(fields(order=TEXT))}}}},
        {"webhooks": {"sold": {"post": {"requestBody": content(fields())}}}},
        "webhook sold: body.order is gone.",
    ),
}
HARMLESS = {
    "nothing": (document(), document()),
    "a new address": (document(), {"paths": document()["paths"] | {"/api/v1/more/": {"get": {}}}}),
    "an optional parameter": (document(), taking("q")),
    "a parameter that may be left out now": (taking("q", required=True), taking("q")),
    "one more optional field": (asks(fields(a=TEXT)), asks(fields(a=TEXT, b=TEXT))),
    "one more field that only answers have": (
        asks(fields(a=TEXT)),
        asks(fields("id", a=TEXT, id={"type": "integer", "readOnly": True})),
    ),
    "a field that may be left out now": (asks(fields("a", a=TEXT)), asks(fields(a=TEXT))),
    "looser bounds": (asks({"minimum": 1, "maxLength": 5}), asks({"maxLength": 9})),
    "one more choice to make": (asks({"enum": ["flac"]}), asks({"enum": ["flac", "mp3"]})),
    "null is taken too": (asks(TEXT), asks({"type": ["string", "null"]})),
    "fractions are taken too": (asks({"type": "integer"}), asks({"type": "number"})),
    "a body may be left out now": (
        document(requestBody={**content(TEXT), "required": True}),
        document(requestBody=content(TEXT)),
    ),
    "one more field in an answer": (answers(fields(a=TEXT)), answers(fields("b", a=TEXT, b=TEXT))),
    "an answer has no null any more": (answers({"type": ["string", "null"]}), answers(TEXT)),
    "a choice that no answer makes any more": (
        answers({"enum": ["paid", "lost"]}),
        answers({"enum": ["paid"]}),
    ),
    "longer texts in answers": (
        answers({**TEXT, "maxLength": 9}),
        answers({**TEXT, "maxLength": 99}),
    ),
    "one more error": (document(), document(responses={"200": {}, "409": {}})),
    "a scope less": (
        document(security=[{"oauth2": ["a", "b"]}]),
        document(security=[{"oauth2": ["a"]}]),
    ),
    "one more way to sign in": (
        document(security=[{"token": []}]),
        document(security=[{"token": []}, {"oauth2": ["a"]}]),
    ),
    "open to everybody now": (document(security=[{"token": []}]), document(security=[])),
    "other words": (document(summary="Change"), document(summary="Change a song", description="…")),
    "the same schema under a name": (
        answers(fields("a", a=TEXT)),
        {
            **answers({"allOf": [{"$ref": "#/components/schemas/Song"}]}),
            "components": {"schemas": {"Song": fields("a", a=TEXT)}},
        },
    ),
    "null written in another way": (
        answers({"oneOf": [{"enum": ["a"]}, {"enum": [""]}, {"enum": [None]}]}),
        answers({"type": ["string", "null"], "enum": ["a", "", None]}),
    ),
}


@pytest.mark.parametrize(("before", "after", "sentence"), BREAKING.values(), ids=BREAKING)
def test_what_breaks_programs_is_said_in_a_sentence(
    before: Document, after: Document, sentence: str
) -> None:
    assert breaking_changes(before, after) == [sentence]


@pytest.mark.parametrize(("before", "after"), HARMLESS.values(), ids=HARMLESS)
def test_what_breaks_nothing_is_let_through(before: Document, after: Document) -> None:
    assert breaking_changes(before, after) == []


def test_a_schema_that_holds_itself_is_compared_once_around() -> None:
    tree = fields("name", name=TEXT, parts={"$ref": "#/components/schemas/Tree"})
    before = {
        **answers({"$ref": "#/components/schemas/Tree"}),
        "components": {"schemas": {"Tree": tree}},
    }
    after = deepcopy(before)
    del after["components"]["schemas"]["Tree"]["properties"]["name"]

    assert breaking_changes(before, after) == [f"{WHERE}: answer 200.name is gone."]
    assert other_changes(before, after) == [f"{WHERE} has changed."]


def test_a_greater_version_may_break_promises_at_new_addresses() -> None:
    after = {"info": {"version": "2.0.0 (v2)"}, "paths": {"/api/v2/songs/": {"get": {}}}}

    assert contract_problems(document(), after) == []


def test_a_greater_version_may_not_change_what_is_at_the_old_addresses() -> None:
    after = document(operationId="another")
    after["info"]["version"] = "2.0.0"

    assert contract_problems(document(), after) == [
        "/api/v1/songs/ has to begin with /api/v2/: the version is a new one."
    ]


@pytest.mark.parametrize("version", ["1.0.1", "1.9.0 (v1)"])
def test_a_smaller_step_of_the_version_allows_nothing_more(version: str) -> None:
    after = document(operationId="another")
    after["info"]["version"] = version

    assert len(contract_problems(document(), after)) == 1


def test_a_version_does_not_go_back() -> None:
    before = document()
    before["info"]["version"] = "2.0.0"

    assert contract_problems(before, document()) == ["Version 1 cannot follow version 2."]


def test_what_was_released_is_still_promised(settings: Any) -> None:
    kept = contract.released()
    now = contract.read(
        settings.BASE_DIR / "docs" / "openapi.yaml"
    )  # the code's own: test_openapi.py

    assert kept is not None, "Run `make release-api`."
    assert contract_problems(contract.read(kept), now) == [], (
        "docs/api-versions.md says what to do."
    )


def test_the_real_description_with_one_field_less_is_refused(settings: Any) -> None:
    now = contract.read(settings.BASE_DIR / "docs" / "openapi.yaml")
    poorer = deepcopy(now)
    del poorer["components"]["schemas"]["Product"]["properties"]["title"]

    problems = contract_problems(now, poorer)

    assert "GET /api/v1/products/{slug}/: answer 200.title is gone." in problems
    assert "GET /api/v1/products/: answer 200.results[].title is gone." in problems


def test_every_single_promise_of_the_real_description_is_kept_by_a_check(settings: Any) -> None:
    now = contract.read(settings.BASE_DIR / "docs" / "openapi.yaml")

    for name in contract.operations(now):
        method, path = name.split()
        poorer = deepcopy(now)
        del poorer["paths"][path][method.lower()]
        assert f"{name} is gone." in contract_problems(now, poorer)


@pytest.fixture
def a_release(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The API of today, released in a folder of the test's own."""
    monkeypatch.setattr(contract, "_folder", lambda: tmp_path)
    said = StringIO()
    call_command("api_contract", release=True, stdout=said)
    assert "Wrote openapi-1.yaml" in said.getvalue()
    return tmp_path / "openapi-1.yaml"


def test_the_command_compares_and_names_what_is_new(a_release: Path) -> None:
    kept = contract.read(a_release)
    without = a_release.read_text().replace("/api/v1/genres/:", "/api/v1/kinds/:")
    said = StringIO()

    call_command("api_contract", stdout=said)
    assert "still holds" in said.getvalue()
    a_release.write_text(without)
    complaints = StringIO()
    with pytest.raises(CommandError, match="breaks programs"):
        call_command("api_contract", stdout=said, stderr=complaints)

    assert "/api/v1/genres/" in kept["paths"]
    assert "GET /api/v1/kinds/ is gone." in complaints.getvalue()
    assert "GET /api/v1/genres/ is new." in said.getvalue()


def test_a_release_that_breaks_promises_is_not_made(a_release: Path) -> None:
    broken = a_release.read_text().replace("/api/v1/genres/:", "/api/v1/kinds/:")
    a_release.write_text(broken)

    with pytest.raises(CommandError, match="breaks programs"):
        call_command("api_contract", release=True, stdout=StringIO(), stderr=StringIO())

    assert a_release.read_text() == broken
