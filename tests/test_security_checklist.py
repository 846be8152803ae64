"""docs/security.md goes through all of ASVS 5.0.0, levels 1 and 2, with evidence that exists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest
from django.conf import settings

ROOT: Path = settings.BASE_DIR
PAGE = ROOT / "docs" / "security.md"

LEVEL_1 = """
    1.2.1 1.2.2 1.2.3 1.2.4 1.2.5 1.3.1 1.3.2 1.5.1 2.1.1 2.2.1 2.2.2 2.3.1 3.2.1 3.2.2 3.3.1
    3.4.1 3.4.2 3.5.1 3.5.2 3.5.3 4.1.1 4.4.1 5.2.1 5.2.2 5.3.1 5.3.2 6.1.1 6.2.1 6.2.2 6.2.3
    6.2.4 6.2.5 6.2.6 6.2.7 6.2.8 6.3.1 6.3.2 6.4.1 6.4.2 7.2.1 7.2.2 7.2.3 7.2.4 7.4.1 7.4.2
    8.1.1 8.2.1 8.2.2 8.3.1 9.1.1 9.1.2 9.1.3 9.2.1 10.4.1 10.4.2 10.4.3 10.4.4 10.4.5 11.3.1
    11.3.2 11.4.1 12.1.1 12.2.1 12.2.2 13.4.1 14.2.1 14.3.1 15.1.1 15.2.1 15.3.1
""".split()
LEVEL_2 = """
    1.1.1 1.1.2 1.2.6 1.2.7 1.2.8 1.2.9 1.3.3 1.3.4 1.3.5 1.3.6 1.3.7 1.3.8 1.3.9 1.3.10 1.3.11
    1.4.1 1.4.2 1.4.3 1.5.2 2.1.2 2.1.3 2.2.3 2.3.2 2.3.3 2.3.4 2.4.1 3.3.2 3.3.3 3.3.4 3.4.3
    3.4.4 3.4.5 3.4.6 3.5.4 3.5.5 3.7.1 3.7.2 4.1.2 4.1.3 4.2.1 4.3.1 4.3.2 4.4.2 4.4.3 4.4.4
    5.1.1 5.2.3 5.4.1 5.4.2 5.4.3 6.1.2 6.1.3 6.2.9 6.2.10 6.2.11 6.2.12 6.3.3 6.3.4 6.4.3 6.4.4
    6.5.1 6.5.2 6.5.3 6.5.4 6.5.5 6.6.1 6.6.2 6.6.3 6.8.1 6.8.2 6.8.3 6.8.4 7.1.1 7.1.2 7.1.3
    7.3.1 7.3.2 7.4.3 7.4.4 7.4.5 7.5.1 7.5.2 7.6.1 7.6.2 8.1.2 8.2.3 8.4.1 9.2.2 9.2.3 9.2.4
    10.1.1 10.1.2 10.2.1 10.2.2 10.3.1 10.3.2 10.3.3 10.3.4 10.4.6 10.4.7 10.4.8 10.4.9 10.4.10
    10.4.11 10.5.1 10.5.2 10.5.3 10.5.4 10.5.5 10.6.1 10.6.2 10.7.1 10.7.2 10.7.3 11.1.1 11.1.2
    11.2.1 11.2.2 11.2.3 11.3.3 11.4.2 11.4.3 11.4.4 11.5.1 11.6.1 12.1.2 12.1.3 12.3.1 12.3.2
    12.3.3 12.3.4 13.1.1 13.2.1 13.2.2 13.2.3 13.2.4 13.2.5 13.3.1 13.3.2 13.4.2 13.4.3 13.4.4
    13.4.5 14.1.1 14.1.2 14.2.2 14.2.3 14.2.4 14.3.2 14.3.3 15.1.2 15.1.3 15.2.2 15.2.3 15.3.2
    15.3.3 15.3.4 15.3.5 15.3.6 15.3.7 16.1.1 16.2.1 16.2.2 16.2.3 16.2.4 16.2.5 16.3.1 16.3.2
    16.3.3 16.3.4 16.4.1 16.4.2 16.4.3 16.5.1 16.5.2 16.5.3 17.1.1 17.2.1 17.2.2 17.2.3 17.2.4
    17.3.1 17.3.2
""".split()

ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| ([12]) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
MISSING = "**not met**: "
NOT_OURS = "not applicable: "


class Row(NamedTuple):
    number: str
    level: str
    asks: str
    verdict: str
    evidence: str


ROWS = [Row(*found) for found in ROW.findall(PAGE.read_text())]


def anchors_of(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    plain = (re.sub(r"[^\w\s-]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


def fault_of(evidence: str) -> str:
    """What is wrong with one piece of evidence; "" for nothing."""
    path, _, name = evidence.partition("::")
    path, _, anchor = path.partition("#")
    file = ROOT / path
    if not file.is_file():
        return f"{path} is not there"
    if anchor and anchor not in anchors_of(file):
        return f"{path} has no heading for #{anchor}"
    defined = rf"^\s*(?:async def|def|class) {re.escape(name)}\b"
    if name and not re.search(defined, file.read_text(), re.MULTILINE):
        return f"{path} has no {name}"
    return ""


def test_each_requirement_is_there_once_with_its_level() -> None:
    wanted = [(number, "1") for number in LEVEL_1] + [(number, "2") for number in LEVEL_2]

    assert (len(LEVEL_1), len(LEVEL_2)) == (70, 183)
    assert sorted((row.number, row.level) for row in ROWS) == sorted(wanted)


def test_no_line_of_a_table_is_passed_over() -> None:
    lines = re.findall(r"^\| \d+\.\d+.*$", PAGE.read_text(), re.MULTILINE)

    assert len(lines) == len(ROWS)


def test_each_verdict_is_one_of_three_and_says_why_when_it_is_not_met() -> None:
    def is_sound(verdict: str) -> bool:
        reason = verdict.removeprefix(MISSING)
        if reason != verdict:
            return len(reason.split()) >= 5
        return verdict == "met" or len(verdict.removeprefix(NOT_OURS)) < len(verdict)

    assert [row for row in ROWS if not is_sound(row.verdict)] == []


def test_all_evidence_exists() -> None:
    faults = []
    for row in ROWS:
        pieces = row.evidence.split(", ")
        assert all(re.fullmatch(r"`[^`]+`", piece) for piece in pieces), row
        faults += [f"{row.number}: {fault}" for piece in pieces if (fault := fault_of(piece[1:-1]))]

    assert faults == []


@pytest.mark.parametrize(
    ("evidence", "fault"),
    [
        ("tests/test_nowhere.py", "is not there"),
        ("tests/test_security_checklist.py::test_that_was_renamed", "has no test_that_was_renamed"),
        ("docs/security.md#a-chapter-that-went", "has no heading for"),
        ("tests/test_security_checklist.py::fault_of", ""),
        ("docs/security.md#ways-in", ""),
    ],
)
def test_evidence_that_is_not_there_is_noticed(evidence: str, fault: str) -> None:
    found = fault_of(evidence)

    assert fault in found
    assert bool(found) == bool(fault)


def test_the_sum_is_that_of_the_lines() -> None:
    met = sum(row.verdict == "met" for row in ROWS)
    not_ours = sum(row.verdict.startswith(NOT_OURS) for row in ROWS)
    missing = [row for row in ROWS if row.verdict.startswith(MISSING)]
    first = ", ".join(row.number for row in missing if row.level == "1")

    said = " ".join(PAGE.read_text().split())
    assert (
        f"**{met} are met, {not_ours} are not applicable, {len(missing)} are not met**; "
        f"of level 1 these are not met: {first}." in said
    )


@pytest.mark.parametrize("page", ["docs/security.md", "docs/dependencies.md", "SECURITY.md"])
def test_links_lead_to_pages_and_headings(page: str) -> None:
    path = ROOT / page
    broken = []
    for link in re.findall(r"\]\(([^)]+)\)", path.read_text()):
        if link.startswith("https://"):
            continue
        target, _, anchor = link.partition("#")
        file = path.parent / target if target else path
        if not file.exists() or (anchor and anchor not in anchors_of(file)):
            broken.append(link)

    assert broken == []


def test_the_page_is_found_from_the_first_ones() -> None:
    for first in ("README.md", "SECURITY.md"):
        assert "(docs/security.md)" in (ROOT / first).read_text(), first
