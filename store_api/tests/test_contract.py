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
from store_api.tests.contract_cases import (
    BREAKING,
    HARMLESS,
    TEXT,
    WHERE,
    Document,
    answers,
    document,
    fields,
)


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


@pytest.mark.wide
def test_each_operation_of_the_real_description_is_missed_when_it_goes(settings: Any) -> None:
    now = contract.read(settings.BASE_DIR / "docs" / "openapi.yaml")

    for name in contract.operations(now):
        method, path = name.split()
        poorer = deepcopy(now)
        if method == "webhook":
            del poorer["webhooks"][path]
        else:
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


@pytest.mark.wide
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


@pytest.mark.wide
def test_a_release_that_breaks_promises_is_not_made(a_release: Path) -> None:
    broken = a_release.read_text().replace("/api/v1/genres/:", "/api/v1/kinds/:")
    a_release.write_text(broken)

    with pytest.raises(CommandError, match="breaks programs"):
        call_command("api_contract", release=True, stdout=StringIO(), stderr=StringIO())

    assert a_release.read_text() == broken
