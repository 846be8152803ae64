"""A small HTTP server that takes whatever is posted to it: a collector of traces, or Sentry."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import brotli

UNPACK = {"": bytes, "gzip": gzip.decompress, "br": brotli.decompress}


@dataclass
class Receiver:
    """`bodies`: by address, unpacked, in the order in which they came."""

    port: int = 0
    bodies: dict[str, list[bytes]] = field(default_factory=dict)
    came: threading.Event = field(default_factory=threading.Event)

    @property
    def everything(self) -> bytes:
        return b"\n".join(body for bodies in self.bodies.values() for body in bodies)


@contextmanager
def receiver() -> Iterator[Receiver]:
    received = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            body = UNPACK[self.headers.get("Content-Encoding", "")](body)
            received.bodies.setdefault(self.path, []).append(body)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")
            received.came.set()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    received.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=[0.05], daemon=True)
    thread.start()
    try:
        yield received
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
