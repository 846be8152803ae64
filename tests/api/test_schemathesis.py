"""An automated tester reads our description, tries all that it allows and all that it forbids, and finds
nothing wrong: every check of schemathesis, its stateful ones too, against a real server.

A bounded number of requests, with one seed; `make prove` goes on for half an hour with others.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.api.fuzz_shop import Callers, served, stocked
from tests.api.fuzzing import fuzz

EXAMPLES = 5
SEED = 6
OPERATIONS = 30  # at least so many are tried, whoever calls


class Shop(NamedTuple):
    url: str
    callers: Callers


@pytest.fixture(scope="module")
def fuzzed_shop(db: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    callers = stocked()
    with served(tmp_path_factory.mktemp("fuzzed")) as url:
        yield Shop(url, callers)


@pytest.mark.parametrize("caller", ["anonymous", "guest", "person", "app", "staff"])
def test_the_automated_tester_finds_nothing_wrong(
    fuzzed_shop: Shop, caller: str, tmp_path: Path
) -> None:
    headers = fuzzed_shop.callers.named(caller)

    run = fuzz(fuzzed_shop.url, headers, folder=tmp_path, examples=EXAMPLES, seed=SEED)

    assert run.is_clean, run.said
    assert run.operations >= OPERATIONS
