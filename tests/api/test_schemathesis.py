"""An automated tester reads our description, tries all that it allows and all that it forbids, and finds
nothing wrong: every check of schemathesis, its stateful ones too, against a real server.

A bounded number of requests, with one seed. With API_FUZZ=thorough, as in the gate, all limits are tried as
well, and more examples; `make prove` goes on for half an hour with other seeds.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.fuzz_shop import Shop, fuzzed_shop
from tests.api.fuzzing import IS_THOROUGH, PHASES, QUICK_PHASES, fuzz

pytestmark = pytest.mark.wide

EXAMPLES, TRIED = (5, PHASES) if IS_THOROUGH else (2, QUICK_PHASES)
SEED = 6
OPERATIONS = 30  # at least so many are tried, whoever calls


@pytest.fixture(scope="module")
def shop(db: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with fuzzed_shop(tmp_path_factory.mktemp("fuzzed")) as open_shop:
        yield open_shop


@pytest.mark.parametrize("caller", ["anonymous", "person"])
def test_the_automated_tester_finds_nothing_wrong(shop: Shop, caller: str, tmp_path: Path) -> None:
    run = fuzz(shop, caller, folder=tmp_path, examples=EXAMPLES, seed=SEED, phases=TRIED)

    assert run.is_clean, run.said
    assert run.operations >= OPERATIONS


@pytest.mark.parametrize(
    ("caller", "paths"),
    [
        ("guest", "/v1/(cart|orders|purchases)/"),
        ("app", "/v1/orders/"),
        ("staff", "/v1/webhook-endpoints/"),
    ],
)
def test_it_finds_nothing_wrong_where_only_these_callers_come(
    shop: Shop, caller: str, paths: str, tmp_path: Path
) -> None:
    run = fuzz(
        shop, caller, folder=tmp_path, examples=EXAMPLES, seed=SEED, phases=TRIED, paths=paths
    )

    assert run.is_clean, run.said
    assert run.operations > 0
