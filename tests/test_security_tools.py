"""The search for committed secrets, the audit of packages and the list of what the shop is made of."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

ROOT = settings.BASE_DIR
# In two pieces, so that this file holds no such key itself.
KEY = "AKIA" + "Q3EXAMPLEKEY2WXY"


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_a_new_key_is_found_and_not_repeated(tmp_path: Path) -> None:
    file = tmp_path / "settings.py"
    file.write_text(f'"""Settings."""\n\naws_key = "{KEY}"\n')

    looked = run("bin/look_for_secrets.py", str(file))

    assert looked.returncode == 1
    assert f"{file}:3: AWS Access Key" in looked.stderr
    assert KEY not in looked.stderr + looked.stdout


def test_what_was_judged_is_known_at_any_line_of_any_file(tmp_path: Path) -> None:
    file = tmp_path / "elsewhere.py"
    file.write_text("\n" * 500 + (ROOT / "orders/stripe_sandbox/constants.py").read_text())

    assert run("bin/look_for_secrets.py", str(file)).returncode == 0


def test_another_value_in_the_place_of_a_known_one_is_found(tmp_path: Path) -> None:
    known = (ROOT / "orders/stripe_sandbox/constants.py").read_text()
    file = tmp_path / "constants.py"
    file.write_text(known + f'\nSECRET_KEY = "{KEY[::-1]}"\n')

    assert run("bin/look_for_secrets.py", str(file)).returncode == 1


def test_tests_may_make_up_passwords_but_hold_no_keys(tmp_path: Path) -> None:
    folder = tmp_path / "tests"
    folder.mkdir()
    (folder / "made_up.py").write_text('password = "blue-door-and-a-horse"\n')
    (folder / "real.py").write_text(f'key = "{KEY}"\n')

    assert run("bin/look_for_secrets.py", str(folder / "made_up.py")).returncode == 0
    assert run("bin/look_for_secrets.py", str(folder / "real.py")).returncode == 1


LOOKED_UP = {"name": "django", "version": "5.2.19", "vulns": []}
LEFT_OUT = {"name": "wagtail", "skip_reason": "not found on PyPI"}
HOLED = {
    "name": "pillow",
    "version": "13.0.0",
    "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["13.0.1"]}],
}


@pytest.mark.parametrize(
    ("packages", "code", "said"),
    [
        ([LOOKED_UP], 0, "looked up: 1. Known holes: 0."),
        ([LOOKED_UP, HOLED], 1, "pillow 13.0.0: PYSEC-2026-1; mended in 13.0.1"),
        ([LOOKED_UP, LEFT_OUT], 2, "NOT AUDITED: 1 packages could not be looked up"),
        ([HOLED, LEFT_OUT], 1, "NOT AUDITED"),
        ([], 2, "NOT AUDITED"),
    ],
)
def test_what_could_not_be_looked_up_never_passes_for_sound(
    monkeypatch: pytest.MonkeyPatch, packages: list[dict[str, object]], code: int, said: str
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "bin"))
    from audit import verdict

    found, lines = verdict(packages)

    assert found == code
    assert any(said in line for line in lines)


def test_the_list_of_what_the_shop_is_made_of_is_whole_and_the_same_each_time(
    tmp_path: Path,
) -> None:
    first, second = tmp_path / "first" / "sbom.json", tmp_path / "second.json"
    for path in (first, second):
        made = subprocess.run(
            ["make", "--no-print-directory", "-o", "dev", "sbom", f"SBOM={path}"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert made.returncode == 0, made.stderr

    pins = [
        line.split("==")[0]
        for line in (ROOT / "requirements.txt").read_text().splitlines()
        if line[:1].isalnum()
    ]
    listed = json.loads(first.read_text())
    assert listed["bomFormat"] == "CycloneDX"
    assert sorted(part["name"] for part in listed["components"]) == sorted(pins)
    assert first.read_bytes() == second.read_bytes()
