"""What every test of the API needs beside the rest."""

from __future__ import annotations

import pytest

from store_api import conditional


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    """Answers are kept per process; no test is given another's, however alike their databases are."""
    conditional.kept.clear()
