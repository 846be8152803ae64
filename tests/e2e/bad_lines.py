"""A wire between browser and shop that breaks in the middle of what it carries."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit


class BadLine:
    """A wire to `target` that breaks after so many bytes have gone up, and is dead until mended."""

    def __init__(self, target: tuple[str, int], *, breaks_after: int) -> None:
        self.target, self.left = target, breaks_after
        self.is_dead = self.was_mended = False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def mend(self) -> None:
        self.was_mended, self.is_dead = True, False

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                browser, _ = self.listener.accept()
                if self.is_dead:
                    browser.close()
                    continue
                shop = socket.create_connection(self.target)
                for ends in ((browser, shop, self._goes_up), (shop, browser, lambda length: True)):
                    threading.Thread(target=carry, args=ends, daemon=True).start()

    def _goes_up(self, length: int) -> bool:
        self.left -= length
        self.is_dead = self.left < 0 and not self.was_mended
        return not self.is_dead


def carry(source: socket.socket, sink: socket.socket, goes_on: Callable[[int], bool]) -> None:
    with suppress(OSError):
        while data := source.recv(64 * 1024):
            sink.sendall(data)
            if not goes_on(len(data)):
                break
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def bad_line(url: str, *, breaks_after: int) -> Iterator[BadLine]:
    address = urlsplit(url)
    line = BadLine((address.hostname or "", address.port or 0), breaks_after=breaks_after)
    try:
        yield line
    finally:
        line.listener.close()
