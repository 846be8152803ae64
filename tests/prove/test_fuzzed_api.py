"""The automated tester reads the API's description for half an hour: `make prove ARGS="-k fuzzed"`.

FUZZ_MINUTES says for how long, FUZZ_SEED where it begins; each run has a seed of its own, which is printed.
On the database of DATABASE_URL, else on SQLite.
"""

from __future__ import annotations

import itertools
import os
import random
import time
from pathlib import Path

import pytest
from django.db import connection

from tests.api.conftest import db
from tests.api.fuzz_shop import Callers, Shop
from tests.api.fuzzing import fuzz
from tests.api.test_schemathesis import shop

__all__ = ["db", "shop"]
pytestmark = pytest.mark.prove
MINUTES = float(os.environ.get("FUZZ_MINUTES", "30"))
SEED = int(os.environ.get("FUZZ_SEED", "0")) or random.SystemRandom().randrange(1, 10**9)
EXAMPLES = 40


def test_half_an_hour_finds_nothing_wrong(
    shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    callers = itertools.cycle(Callers._fields)
    deadline = time.monotonic() + MINUTES * 60
    wrong, requests = [], 0

    for seed in itertools.count(SEED):
        name = next(callers)
        run = fuzz(shop, name, folder=tmp_path / str(seed), examples=EXAMPLES, seed=seed)
        requests += run.requests
        wrong += [] if run.is_clean else [run.said]
        with capsys.disabled():
            print(f"\n{connection.vendor}, {name}, seed {seed}: {run}", end="", flush=True)
        if time.monotonic() > deadline:
            break

    with capsys.disabled():
        print(f"\n{requests:,} requests, {len(wrong)} runs with failures.")
    assert not wrong, "\n".join(wrong)
