"""The committed description of the API is what the code does."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.core.management import call_command


def test_the_committed_description_is_the_codes_own(tmp_path: Path) -> None:
    drawn = tmp_path / "openapi.yaml"

    call_command("spectacular", api_version="v1", validate=True, fail_on_warn=True, file=str(drawn))

    committed = settings.BASE_DIR / "docs" / "openapi.yaml"
    assert drawn.read_text() == committed.read_text(), "Run `make openapi`."
