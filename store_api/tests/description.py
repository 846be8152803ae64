"""What docs/openapi.yaml says, for tests that hold answers and examples against it. No test is in here.

It is read more strictly than JSON Schema asks for: a field that it does not name is a mistake.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
from django.conf import settings

from store_api.contract import METHODS, Json, read
from store_api.contract_shapes import followed

PLACEHOLDER = re.compile(r"\\\{[^}]+\\\}")


@dataclass(frozen=True)
class Example:
    """`where`: for people who have to mend it."""

    where: str
    schema: Json
    value: Any


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    said: Json

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"

    def is_at(self, path: str) -> bool:
        pattern = PLACEHOLDER.sub("[^/]+", re.escape(self.path))
        return re.fullmatch(pattern, path) is not None


@cache
def document() -> Json:
    return _strict(read(Path(settings.BASE_DIR) / "docs" / "openapi.yaml"))


@cache
def operations() -> list[Operation]:
    return [
        Operation(method, path, item[method])
        for path, item in document()["paths"].items()
        for method in METHODS
        if method in item
    ]


def operation_at(method: str, path: str) -> Operation | None:
    """The most literal one, as in the router; None where none is described."""
    found = [each for each in operations() if each.method == method.lower() and each.is_at(path)]
    return min(found, key=lambda each: each.path.count("{"), default=None)


def mistakes(schema: Json, value: Any) -> list[str]:
    """What is wrong with a value, with the place of each."""
    whole = {**schema, "components": document()["components"]}
    validator = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
    return [
        f"{'.'.join(map(str, error.instance_path)) or 'all of it'}: {error.message}"
        for error in validator.iter_errors(value)
    ]


def examples(operation: Operation) -> Iterator[Example]:
    """Of the body that is asked for, and of every answer."""
    body = followed(document(), operation.said.get("requestBody", {}))
    yield from _examples(body, f"{operation}, body")
    for status, response in operation.said["responses"].items():
        yield from _examples(followed(document(), response), f"{operation}, {status}")


def lacking_examples(operation: Operation) -> list[str]:
    """Where one is missing: the body, and each success that has one."""
    places = {"body": operation.said.get("requestBody", {})} | {
        status: response
        for status, response in operation.said["responses"].items()
        if status.startswith("2")
    }
    return [
        f"{operation}, {name}"
        for name, place in places.items()
        for content in followed(document(), place).get("content", {}).values()
        if not content.get("examples") and "example" not in content
    ]


def check(method: str, path: str, response: Any) -> None:
    """An answer of Django's test client is one that the description announces: its status, type of content,
    headers and body. What is described nowhere is not looked at: sites of tests, and what is not there."""
    operation = operation_at(method, path.partition("?")[0])
    if operation is None:
        return
    answers, status = operation.said["responses"], str(response.status_code)
    assert status in answers, f"{operation} does not announce {status}: {response.content!r}"
    said = followed(document(), answers[status])
    for name, header in said.get("headers", {}).items():
        _check_header(f"{operation}, {status}", name, followed(document(), header), response)
    if not said.get("content"):
        assert response.content == b"", f"{operation}, {status}: a body that is not announced"
        return
    media_type = response.headers["Content-Type"].split(";")[0]
    assert media_type in said["content"], f"{operation}, {status}: {media_type} is not announced"
    found = mistakes(said["content"][media_type]["schema"], response.json())
    assert not found, f"{operation}, {status}: {found}"


def _check_header(where: str, name: str, said: Json, response: Any) -> None:
    if name not in response.headers:
        assert not said.get("required"), f"{where}: header {name} is missing"
        return
    value: Any = response.headers[name]
    if said["schema"].get("type") == "integer":
        assert value.isdigit(), f"{where}: header {name} is no number"
        value = int(value)
    found = mistakes(said["schema"], value)
    assert not found, f"{where}: header {name}: {found}"


def _examples(place: Json, where: str) -> Iterator[Example]:
    for media_type, content in place.get("content", {}).items():
        for name, example in content.get("examples", {}).items():
            yield Example(f"{where}, {media_type}, {name}", content["schema"], example["value"])
        if "example" in content:
            yield Example(f"{where}, {media_type}", content["schema"], content["example"])


def _strict(part: Any) -> Any:
    """Where fields are listed, there are no others."""
    if isinstance(part, list):
        return [_strict(each) for each in part]
    if not isinstance(part, dict):
        return part
    closed = {name: _strict(value) for name, value in part.items()}
    if isinstance(part.get("properties"), dict) and part.get("type") == "object":
        closed.setdefault("additionalProperties", False)
    return closed
