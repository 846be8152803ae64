"""Pairs of descriptions, before and after: what breaks programs of others, with its sentence, and what does
not. No test is in here."""

from __future__ import annotations

from typing import Any

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
    "a tag changes": (
        document(tags=["songs"]),
        document(tags=["music"]),
        f"{WHERE}: its tag was songs and is music.",
    ),
    "the addresses get another beginning": (
        document(),
        {**document(), "servers": [{"url": "/shop"}]},
        "The addresses have another beginning: see `servers`.",
    ),
    "a scope more where nobody needs a token": (
        document(security=[{"oauth2": ["read"]}, {}]),
        document(security=[{"oauth2": ["read", "write"]}, {}]),
        f"{WHERE} is no longer open to oauth2 (read).",
    ),
    "a way in goes where nobody needs a token": (
        document(security=[{"token": []}, {"oauth2": ["read"]}, {}]),
        document(security=[{"token": []}, {}]),
        f"{WHERE} is no longer open to oauth2 (read).",
    ),
    "steps that a number has to keep to": (
        asks({"type": "integer"}),
        asks({"type": "integer", "multipleOf": 5}),
        f"{WHERE}: body: multipleOf was None and is 5.",
    ),
    "a keyword that nobody foresaw": (
        asks(TEXT),
        asks({**TEXT, "not": {"enum": ["x"]}}),
        f"{WHERE}: body: not has changed, and what that breaks nobody has written down.",
    ),
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
    "the root is named as the addresses' beginning": (
        document(),
        {**document(), "servers": [{"url": "/", "description": "This shop."}]},
    ),
    "the root is no longer named": ({**document(), "servers": [{"url": "/"}]}, document()),
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
