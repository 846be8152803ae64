"""What no description leads a tester to: any JSON as any body, odd ids, odd headers. Nothing breaks."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store_api.contract import parsed
from tests.api.fuzz_requests import METHODS, Answer, Request, bodies, fields_of, headers, ids, send
from tests.api.fuzz_shop import Shop
from tests.api.fuzzing import IS_THOROUGH
from tests.api.test_schemathesis import shop

pytestmark = pytest.mark.wide

__all__ = ["shop"]
WRITES = {"post", "patch", "put"}
# The same requests in each run: a failure here is a failure everywhere.
tried = settings(
    max_examples=250 if IS_THOROUGH else 80,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class Operation(NamedTuple):
    method: str
    path: str
    fields: list[str]


@pytest.fixture(scope="module")
def operations(shop: Shop) -> list[Operation]:
    text = httpx.get(f"{shop.url}/api/schema/", trust_env=False).text
    description: dict[str, Any] = parsed(text)
    return [
        Operation(method, path, fields_of(description, operation))
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    ]


@pytest.fixture(scope="module")
def known(shop: Shop, operations: list[Operation]) -> list[str]:
    """Ids and secrets that mean something here."""
    found = {"1", "spring-neaps", "0"}
    for caller in shop.callers:
        found |= {value.removeprefix("Bearer ") for value in caller.values()}
        for path in ("orders/", "purchases/"):
            address = f"{shop.url}/api/v1/{path}"
            listed = httpx.get(address, headers=dict(caller), trust_env=False).json()
            found |= {str(row["id"]) for row in listed.get("results", [])}
    return sorted(found)


def assert_it_is_an_answer(answer: Answer, request: Request) -> None:
    """Whatever was wrong is the caller's fault, and said as every error is."""
    assert answer.status < 500, (request, answer)
    if answer.status >= 400 and request.method != "HEAD":
        assert answer.content_type == "application/problem+json", (request, answer)


def addresses(operation: Operation, known: list[str]) -> st.SearchStrategy[str]:
    parts = re.split(r"{\w+}", operation.path)
    odd = st.tuples(*(ids(known) for _ in parts[1:]))
    return odd.map(lambda found: "".join(map("".join, zip(parts, (*found, ""), strict=True))))


@tried
@given(data=st.data())
def test_any_json_as_any_body_is_answered(
    shop: Shop, operations: list[Operation], known: list[str], data: st.DataObject
) -> None:
    operation = data.draw(st.sampled_from([each for each in operations if each.method in WRITES]))
    caller = data.draw(st.sampled_from(shop.callers))
    request = Request(
        operation.method.upper(),
        data.draw(addresses(operation, known)),
        data.draw(bodies(operation.fields)),
    )

    answer = send(shop.url, request, **caller, **{"Content-Type": "application/json"})

    assert_it_is_an_answer(answer, request)


@tried
@given(data=st.data())
def test_any_id_and_any_method_is_answered(
    shop: Shop, operations: list[Operation], known: list[str], data: st.DataObject
) -> None:
    operation = data.draw(st.sampled_from(operations))
    caller = data.draw(st.sampled_from(shop.callers))
    method = data.draw(st.sampled_from([operation.method.upper(), *METHODS]))
    request = Request(method, data.draw(addresses(operation, known)))

    answer = send(shop.url, request, **caller)

    assert_it_is_an_answer(answer, request)


@tried
@given(data=st.data())
def test_any_header_is_answered(
    shop: Shop, operations: list[Operation], known: list[str], data: st.DataObject
) -> None:
    operation = data.draw(st.sampled_from(operations))
    caller = data.draw(st.sampled_from(shop.callers))
    request = Request(
        operation.method.upper(),
        data.draw(addresses(operation, known)),
        data.draw(bodies(operation.fields)) if operation.method in WRITES else b"",
        data.draw(headers(known)),
    )

    answer = send(shop.url, request, **caller)

    assert_it_is_an_answer(answer, request)
