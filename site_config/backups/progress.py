"""How far a long command is: bytes on standard error, sentences on standard output between them."""

from __future__ import annotations

import argparse
from types import TracebackType
from typing import Any

from django.core.management.base import CommandParser, OutputWrapper
from tqdm import tqdm


class Bar:
    """None lets the terminal decide whether there is one."""

    def __init__(self, words: str, forced: bool | None, stdout: OutputWrapper) -> None:
        disable = None if forced is None else not forced
        self._bar: Any = tqdm(total=0, desc=words, unit="B", unit_scale=True, disable=disable)
        self._stdout = stdout

    def __enter__(self) -> Bar:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()

    def moved(self, count: int, total: int) -> None:
        self._bar.total = total
        self._bar.update(count)

    def say(self, line: str) -> None:
        with tqdm.external_write_mode():
            self._stdout.write(line)
            self._stdout.flush()


def progress_argument(parser: CommandParser) -> None:
    parser.add_argument(
        "--progress",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="show a progress bar (by default on a terminal only)",
    )
