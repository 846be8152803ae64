"""A reader that costs almost nothing: one kernel call for each megabyte, into one buffer.

Python's own HTTP client, curl and wrk take 8 to 64 kB a call and would be measured instead of the server.
This reads HTTP/1.1 answers that state their Content-Length, over one connection that is kept.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

BLOCK_BYTES = 1024 * 1024
MAX_HEAD_BYTES = 64 * 1024


@dataclass(frozen=True)
class Address:
    """What to ask for, and where: a port of this machine, a path with its query, headers."""

    port: int
    target: str
    headers: Mapping[str, str]

    def with_headers(self, **more: str) -> Address:
        return Address(self.port, self.target, {**self.headers, **more})

    def request(self, method: str) -> bytes:
        lines = [f"{method} {self.target} HTTP/1.1", f"Host: 127.0.0.1:{self.port}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in self.headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


@dataclass(frozen=True)
class Answer:
    """`length`: bytes of the body. `first_byte_s`: from the request to the body."""

    status: int
    headers: Mapping[str, str]
    length: int
    first_byte_s: float


class Reader:
    """One connection, kept as long as the server keeps it."""

    def __init__(self, address: Address, *, source: str = "127.0.0.1") -> None:
        self.address = address
        self._source = source
        self._socket: socket.socket | None = None
        self._buffer = bytearray(BLOCK_BYTES)
        self._come_along = 0

    def fetch(self, method: str = "GET") -> Answer:
        """Ask, and read everything. Raises OSError when the answer breaks off."""
        answer = self.begin(method)
        self._drain(answer.length - self._come_along)
        if answer.headers.get("connection", "").lower() == "close":
            self.close()
        return answer

    def begin(self, method: str = "GET") -> Answer:
        """Ask, and read up to the first bytes of the body."""
        began = time.perf_counter()
        self._ask(method)
        status, headers, rest = self._head()
        length = 0 if method == "HEAD" else int(headers.get("content-length", "0"))
        if length and not rest:
            rest = self._received(1)
        self._come_along = len(rest)
        return Answer(status, headers, length, time.perf_counter() - began)

    def _ask(self, method: str = "GET") -> None:
        if self._socket is None:
            self._socket = socket.create_connection(
                ("127.0.0.1", self.address.port), timeout=60, source_address=(self._source, 0)
            )
        self._socket.sendall(self.address.request(method))

    def _head(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers with small names, and the part of the body that came along."""
        head = b""
        while b"\r\n\r\n" not in head:
            head += self._received(MAX_HEAD_BYTES)
        head, _, rest = head.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        return int(first.split()[1]), {n.lower(): value.strip() for n, _, value in pairs}, rest

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _received(self, count: int) -> bytes:
        assert self._socket is not None
        received = self._socket.recv(count)
        if not received:
            raise OSError("the answer broke off")
        return received

    def _drain(self, left: int) -> None:
        assert self._socket is not None
        whole = memoryview(self._buffer)
        while left:
            wanted = min(left, BLOCK_BYTES)
            got = self._socket.recv_into(whole, wanted, socket.MSG_WAITALL)
            if not got:
                raise OSError(f"the answer broke off, {left} bytes before its end")
            left -= got


def side_by_side(readers: Sequence[Reader], work: Callable[[Reader], None]) -> float:
    """Seconds until each reader has done its work, each in a thread; raises what one of them raised."""
    failures: list[BaseException] = []

    def run(reader: Reader) -> None:
        try:
            work(reader)
        except BaseException as error:  # noqa: BLE001  # raised again by whoever waits
            failures.append(error)

    threads = [threading.Thread(target=run, args=[reader]) for reader in readers]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return time.perf_counter() - began
