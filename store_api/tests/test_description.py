"""The description is complete and true for people who have nothing else: words and examples."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

from store_api.serializers import PlainModelSerializer, StrictSerializer
from store_api.tests import description
from store_api.tests.description import Operation, operations

READABLE = re.compile(r"[a-z]+(_[a-z]+)+")
# Each is a page of the documentation's table of contents.
CHAPTERS = {"account", "cart", "catalogue", "checkout", "gifts", "orders", "purchases", "webhooks"}


@pytest.fixture(params=operations(), ids=str)
def operation(request: pytest.FixtureRequest) -> Operation:
    found: Operation = request.param
    return found


def test_an_operation_says_what_it_is_for(operation: Operation) -> None:
    said = operation.said

    assert said["summary"][0].isupper()
    assert not said["summary"].endswith(".")
    assert said["description"].endswith((".", ".)"))
    assert said["description"] != said["summary"]
    assert len(said["tags"]) == 1
    assert set(said["tags"]) <= CHAPTERS


def test_a_parameter_says_what_it_is_for(operation: Operation) -> None:
    silent = [
        each["name"] for each in operation.said.get("parameters", []) if not each.get("description")
    ]

    assert silent == []


def test_names_of_operations_read_well_and_are_each_given_once() -> None:
    names = [each.said["operationId"] for each in operations()]

    assert [name for name in names if not READABLE.fullmatch(name)] == []
    assert [name for name in names if name.startswith("api_")] == []
    assert len(set(names)) == len(names)


def test_what_is_sent_and_what_succeeds_has_an_example(operation: Operation) -> None:
    assert description.lacking_examples(operation) == []


def test_every_example_is_what_the_schema_allows(operation: Operation) -> None:
    wrong = {
        example.where: found
        for example in description.examples(operation)
        if (found := description.mistakes(example.schema, example.value))
    }

    assert wrong == {}


def test_a_field_that_is_not_described_is_a_mistake() -> None:
    problem = {"$ref": "#/components/schemas/Problem"}
    told = {
        "type": "about:blank", "title": "Not Found", "status": 404, "code": "not_found",
        "detail": "There is nothing here.", "errors": [],
    }  # fmt: skip

    assert description.mistakes(problem, told) == []
    assert description.mistakes(problem, {**told, "trace": "…"}) != []
    assert description.mistakes(problem, {**told, "status": "404"}) != []


def test_no_class_of_ours_lends_its_own_words_to_the_schemas_made_from_it() -> None:
    lent = {inspect.getdoc(base) for base in (StrictSerializer, PlainModelSerializer)}

    wearing = [name for name, schema in schemas().items() if schema.get("description") in lent]

    assert wearing == []


def schemas() -> dict[str, Any]:
    found: dict[str, Any] = description.document()["components"]["schemas"]
    return found
