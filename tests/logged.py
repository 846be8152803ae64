"""What the shop writes into its log, caught as production writes it: JSON, from INFO on."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

from site_config.observing.logs import JsonLines

# Those whose lines do not reach the root, and those that a person at a terminal does not see.
APART = ("", "django", "django_tasks")
ROUTINE = ("shop.access", "shop.tasks")


class Log:
    def __init__(self) -> None:
        self._written = StringIO()

    @property
    def text(self) -> str:
        return self._written.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    def of(self, logger: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["logger"] == logger]


@contextmanager
def logged(formatter: logging.Formatter | None = None) -> Iterator[Log]:
    log = Log()
    handler = logging.StreamHandler(log._written)
    handler.setFormatter(formatter or JsonLines())
    levels = {name: logging.getLogger(name).level for name in ROUTINE}
    for name in ROUTINE:
        logging.getLogger(name).setLevel(logging.INFO)
    for name in APART:
        logging.getLogger(name).addHandler(handler)
    try:
        yield log
    finally:
        for name in APART:
            logging.getLogger(name).removeHandler(handler)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
