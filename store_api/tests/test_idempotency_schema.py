"""The OpenAPI document says of every operation that takes an Idempotency-Key what becomes of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from store_api.idempotency.keys import PATTERN
from store_api.tests.idempotency_site import SITE, own_urls

pytestmark = pytest.mark.urls(SITE)


@pytest.fixture
def paths() -> dict[str, Any]:
    generator = SchemaGenerator(patterns=own_urls, api_version="v1")
    GENERATOR_STATS.reset()
    document = generator.get_schema(request=None, public=True)
    assert not GENERATOR_STATS, "drf-spectacular warns"
    validate_schema(document)
    return {name.removeprefix("/api/v1"): path for name, path in document["paths"].items()}


def parameters(operation: dict[str, Any]) -> dict[str, Any]:
    return {found["name"]: found for found in operation.get("parameters", [])}


def test_a_create_says_its_header_its_refusals_and_how_a_repetition_is_told(
    paths: dict[str, Any],
) -> None:
    operation = paths["/things/"]["post"]

    header = parameters(operation)["Idempotency-Key"]
    answers = operation["responses"]

    assert header["in"] == "header"
    assert not header.get("required")
    assert header["schema"] == {"type": "string", "pattern": PATTERN}
    assert answers["201"]["headers"]["Idempotent-Replayed"]["schema"]["enum"] == ["true"]
    assert "Retry-After" in answers["409"]["headers"]
    for status in ("400", "409", "413", "422"):
        assert list(answers[status]["content"]) == ["application/problem+json"]
        assert "Idempotent-Replayed" not in answers[status].get("headers", {})
    example = answers["422"]["content"]["application/problem+json"]["examples"]
    assert example["IdempotencyKeyReused"]["value"]["code"] == "idempotency_key_reused"


def test_where_a_key_is_required_the_document_requires_it(paths: dict[str, Any]) -> None:
    assert parameters(paths["/ordered-things/"]["post"])["Idempotency-Key"]["required"] is True


def test_reading_says_nothing_of_keys(paths: dict[str, Any]) -> None:
    operation = paths["/things/"]["get"]

    assert "Idempotency-Key" not in parameters(operation)
    assert not {"409", "422"} & set(operation["responses"])
    assert "Idempotent-Replayed" not in operation["responses"]["200"].get("headers", {})


@pytest.mark.parametrize(
    ("key", "fits"),
    [
        ("k", True),
        ('"k"', True),
        ("k" * 255, True),
        ("k" * 256, False),
        ('"k', False),
        ("k k", False),
    ],
)
def test_the_documents_pattern_is_the_rule(key: str, fits: bool) -> None:
    assert bool(re.search(PATTERN, key)) is fits
