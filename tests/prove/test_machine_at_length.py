"""The payment machine at length: `make prove ARGS="-k lives"`. PAYMENT_EXAMPLES says how many lives."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from hypothesis.statistics import collector, describe_statistics

from tests.payments.test_machine import lead_lives

LIVES = int(os.environ.get("PAYMENT_EXAMPLES", "3000"))


@pytest.mark.prove
@pytest.mark.django_db
def test_thousands_of_lives_leave_facts_rights_and_letters_in_agreement(
    capsys: pytest.CaptureFixture[str],
) -> None:
    statistics: list[Any] = []
    started = time.monotonic()

    with collector.with_value(statistics.append):
        lead_lives(LIVES)

    said = capsys.readouterr().out
    with capsys.disabled():
        print(
            f"\n{LIVES} lives in {time.monotonic() - started:.0f} s on {connection.vendor}. {said}"
        )
        print("\n".join(readable(describe_statistics(statistics[-1]))))
    assert statistics[-1]["stopped-because"] == f"settings.max_examples={LIVES}"


def readable(description: str) -> Iterator[str]:
    """Without Hypothesis's notes on how it drew the rules, each of which fills a page."""
    for line in description.splitlines():
        if line.strip() and "Events:" not in line and not line.startswith("      *"):
            yield line
