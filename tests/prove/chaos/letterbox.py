"""`python -m tests.prove.chaos.letterbox PORT FILE`: a mail server that writes down what it took.

A line for each letter, `Message-ID recipient`, before it answers 250: what it promised is in the file, even
when it is killed in the next moment.
"""

from __future__ import annotations

import sys
import threading
from email import message_from_bytes
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller


class Letterbox:
    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        letter = message_from_bytes(envelope.content)
        for recipient in envelope.rcpt_tos:
            self._file.write(f"{letter['Message-ID']} {recipient}\n")
        return "250 OK"


def main(port: str, file: str) -> None:
    controller = Controller(Letterbox(Path(file)), hostname="127.0.0.1", port=int(port))
    controller.start()
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
