"""Documents that would go stale by themselves."""

from __future__ import annotations

import re
import tomllib

import pytest
from django.conf import settings
from django.core.management import call_command

from orders.services.anomalies import WORDS
from orders.services.events import HANDLERS

ROOT = settings.BASE_DIR


def test_the_diagrams_are_those_of_the_code() -> None:
    call_command("draw_diagrams", "--check")


def test_every_direct_dependency_is_explained() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"].values()
    grouped = [entry for group in groups for entry in group if isinstance(entry, str)]
    wanted = [*project["project"]["dependencies"], *grouped]
    explained = (ROOT / "docs" / "dependencies.md").read_text()

    missing = [
        name for entry in wanted if (name := re.split(r"[\[<>=]", entry)[0]) not in explained
    ]

    assert missing == []


def test_every_variable_is_in_the_example_and_the_readme() -> None:
    source = (ROOT / "site_config" / "env.py").read_text()
    names = set(
        re.findall(r'(?:(?:env|secrets)\.\w+\(|(?:_int|_path|_list)\(env, )"([A-Z_]+)"', source)
    )
    example = (ROOT / ".env.example").read_text()
    readme = (ROOT / "README.md").read_text()

    assert len(names) > 20
    assert {name for name in names if name not in example} == set()
    assert {name for name in names if name not in readme} == set()


def test_every_anomaly_and_every_event_is_in_the_documents() -> None:
    payments = (ROOT / "docs" / "payments.md").read_text()
    deployment = (ROOT / "docs" / "deployment.md").read_text()

    assert [
        code for code, words in WORDS.items() if f"| `{code}` | {words} |" not in payments
    ] == []
    assert [event for event in HANDLERS if f"`{event}`" not in deployment] == []


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "TESTING.md",
        *(f"docs/{name}.md" for name in ("architecture", "deployment", "payments")),
    ],
)
def test_links_between_documents_lead_somewhere(page: str) -> None:
    path = ROOT / page
    links = re.findall(r"\]\(([^)#:]+)\)", path.read_text())

    assert [link for link in links if not (path.parent / link).exists()] == []
