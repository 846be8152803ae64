"""The description names every error with an example, and its page works under our own policy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator

from store_api import contract
from store_api.problems import title

WRITES_WITH_BODY = {"413", "415", "400"}
ALWAYS = {"401", "403", "406", "429", "500", "503"}


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    drawn = SchemaGenerator(api_version="v1").get_schema(request=None, public=True)
    return json.loads(json.dumps(drawn, default=str))


def operations(description: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def test_every_operation_names_the_errors_that_it_can_give(description: dict[str, Any]) -> None:
    for name, operation in operations(description):
        told = set(operation["responses"])

        assert told >= ALWAYS, name
        assert "405" not in told, name
        if name.split()[0] in (
            "post",
            "put",
            "patch",
        ):  # a body is looked at where none is asked for, too
            assert told >= WRITES_WITH_BODY, name
        else:
            assert not told & {"413", "415"}, name
        if "{" in name:
            assert "404" in told, name


def test_every_error_is_problem_json_with_a_true_example(description: dict[str, Any]) -> None:
    problem = {
        **description["components"]["schemas"]["Problem"],
        "components": description["components"],
    }
    for name, operation in operations(description):
        for status, answer in operation["responses"].items():
            if status < "400":
                continue
            assert set(answer["content"]) == {"application/problem+json"}, (name, status)
            examples = answer["content"]["application/problem+json"]["examples"]
            assert examples, (name, status)
            assert answer["description"], (name, status)
            for example in examples.values():
                shown = example["value"]
                Draft202012Validator(problem).validate(shown)
                assert (str(shown["status"]), shown["title"]) == (status, title(int(status)))
                assert shown["type"] == "about:blank"


def test_headers_are_named_where_they_are_sent(description: dict[str, Any]) -> None:
    for name, operation in operations(description):
        answers = operation["responses"]

        assert all("X-Request-ID" in answer["headers"] for answer in answers.values()), name
        assert "Retry-After" in answers["429"]["headers"], name
        assert "WWW-Authenticate" in answers["401"]["headers"], name
    assert {"X-Request-ID", "Retry-After", "WWW-Authenticate"} <= set(
        description["components"]["headers"]
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("accepts", "kind", "reads"),
    [
        ("*/*", "application/vnd.oai.openapi", contract.parsed),
        ("application/yaml", "application/yaml", contract.parsed),
        ("application/json", "application/json", json.loads),
        ("application/vnd.oai.openapi+json", "application/vnd.oai.openapi+json", json.loads),
    ],
)
def test_the_description_is_yaml_or_json_and_may_be_kept(
    accepts: str, kind: str, reads: Any
) -> None:
    answer = Client().get("/api/schema/", headers={"Accept": accepts})

    assert answer["Content-Type"] == kind
    assert reads(answer.content)["openapi"] == "3.1.0"
    assert answer["Cache-Control"] == "public, max-age=300"
    assert "Accept" in answer["Vary"]
    again = Client().get(
        "/api/schema/", headers={"Accept": accepts, "If-None-Match": answer["ETag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.django_db
def test_an_answer_is_nobody_elses_unless_a_view_says_so() -> None:
    for address in ("/api/v1/me/", "/api/v1/none/", "/api/v1/carts/", "/api/docs/"):
        answer = Client().get(address)

        assert answer["Cache-Control"] == "no-store", address
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Referrer-Policy"] == "same-origin"
        kind = "'self'" if address == "/api/docs/" else "'none'"
        assert f"default-src {kind}" in answer["Content-Security-Policy"]
