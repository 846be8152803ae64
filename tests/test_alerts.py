"""What wakes people: every figure that an alert asks for exists, and every alert has its page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from orders.models import Reconciliation

ROOT = Path(__file__).resolve().parent.parent
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
OBSERVING = (ROOT / "docs" / "observing.md").read_text()
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "docs" / "alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
FROM_OTHERS = {"shop_backup_finished_timestamp_seconds"}


def names_in(expression: str) -> set[str]:
    return set(re.findall(r"\bshop_\w+", expression)) - FROM_OTHERS


@pytest.fixture
def told(settings: Any, db: None) -> dict[str, set[str]]:
    """Each figure's name as it is read, and the names of its labels."""
    settings.METRICS_TOKEN = "a-token-of-more-than-twenty-letters"
    from site_config.observing import metrics

    for collector in list(metrics._facts._collector_to_names):
        collector.forget()
    Reconciliation.objects.create(started_at=timezone.now(), finished_at=timezone.now())
    client = Client()
    client.get("/cart/")
    text = client.get("/metrics/", headers={"Authorization": f"Bearer {settings.METRICS_TOKEN}"})
    families = list(text_string_to_metric_families(text.content.decode()))
    found = {family.name: set() for family in families}
    for family in families:
        found |= {sample.name: set(sample.labels) for sample in family.samples}
        if family.type == "counter":
            found.setdefault(f"{family.name}_total", set())
    return found


def test_each_figure_of_an_alert_exists(told: dict[str, set[str]]) -> None:
    assert len(RULES) >= 10
    for rule in RULES:
        assert names_in(rule["expr"]) <= told.keys(), rule["alert"]


def test_each_figure_that_is_described_exists_and_each_that_exists_is_described(
    told: dict[str, set[str]],
) -> None:
    described = names_in(OBSERVING)
    ours = {re.sub(r"_(bucket|sum|count)$", "", name) for name in told if name.startswith("shop_")}

    assert described <= ours
    # A counter is called so without `_total` as well, by the parser.
    assert {name for name in ours if f"{name}_total" not in ours} <= described


def test_each_alert_has_its_section_in_their_order_with_figures_of_its_own() -> None:
    sections = dict(re.findall(r"\n## (\w+)\n(.*?)(?=\n## |\Z)", RUNBOOK, re.DOTALL))

    assert list(sections) == [rule["alert"] for rule in RULES]
    for rule in RULES:
        words = sections[rule["alert"]]
        asked = set(re.findall(r"\b(?:shop_\w+|probe_\w+)", rule["expr"]))
        assert asked <= set(re.findall(r"\b(?:shop_\w+|probe_\w+)", words)), rule["alert"]
        assert all(word in words.lower() for word in ("see**", "look**", "mend**", "wake**"))
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in {"page", "ticket"}


def test_each_command_of_the_runbook_exists() -> None:
    named = set(re.findall(r"manage\.py (\w+)", RUNBOOK))

    assert named
    assert named <= get_commands().keys()
