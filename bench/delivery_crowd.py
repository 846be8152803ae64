"""A hundred readers on slow lines, in a process of their own: `python -m bench.delivery_crowd PORT TARGET`.

It says on a line of its own that all of them have been answered. Told anything, it prints one JSON object
and ends. Small, so that it takes no time from what is measured beside it.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time

READERS = 100
BYTES_A_SECOND = 50_000
TICK_S = 0.1
PROGRESS = 0.8  # of what 50 kB/s would have brought: a reader below it was kept waiting


class SlowReader:
    """One client on a slow line: small buffers, a few kilobytes at each tick."""

    def __init__(self, port: int, target: str, number: int) -> None:
        self.head = b""
        self.body_bytes = 0
        self.answered_at = 0.0
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
        # Each from an address of its own, as nginx lets one address open a few only.
        self.socket.bind((f"127.0.1.{number + 1}" if sys.platform == "linux" else "127.0.0.1", 0))
        self.socket.connect(("127.0.0.1", port))
        request = f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"
        self.socket.sendall(request.encode())
        self.socket.setblocking(False)

    @property
    def status(self) -> str:
        return self.head.split(b" ", 2)[1].decode() if self.answered_at else ""

    @property
    def has_retry_after(self) -> bool:
        return b"\r\nretry-after:" in self.head.lower()

    def read(self) -> None:
        try:
            received = self.socket.recv(int(BYTES_A_SECOND * TICK_S))
        except BlockingIOError:
            return
        if self.answered_at:
            self.body_bytes += len(received)
            return
        self.head += received
        if b"\r\n\r\n" in self.head:
            self.head, _, rest = self.head.partition(b"\r\n\r\n")
            self.body_bytes, self.answered_at = len(rest), time.monotonic()

    def is_starved(self, now: float) -> bool:
        wanted = BYTES_A_SECOND * (now - self.answered_at) * PROGRESS
        return self.status == "200" and self.body_bytes < wanted


def main(port: int, target: str) -> int:
    readers = [SlowReader(port, target, number) for number in range(READERS)]
    told, due = False, time.monotonic()
    with selectors.DefaultSelector() as selector:
        selector.register(sys.stdin, selectors.EVENT_READ)
        while True:
            due += TICK_S
            for reader in readers:
                reader.read()
            if not told and all(reader.answered_at for reader in readers):
                told = True
                print("all answered", flush=True)
            if selector.select(max(0.0, due - time.monotonic())):
                break
    now = time.monotonic()
    statuses = [reader.status for reader in readers]
    seen = {
        "statuses": [(status, statuses.count(status)) for status in sorted(set(statuses))],
        "starved": sum(reader.is_starved(now) for reader in readers),
        "with_retry_after": sum(reader.has_retry_after for reader in readers),
    }
    print(json.dumps(seen), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2]))
