"""The sandbox's API on a loopback address, for tests that want the library's own HTTP client.

with loopback.serve() as url:                        # races: every request its own connection
with loopback.serve(shared_connection=True) as url:  # tests in one transaction: the test's own
    stripe.StripeClient(SECRET_KEY, base_addresses={"api": url}, http_client=...)
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from orders.stripe_sandbox.http import application

_SILENT_CLIENT_SECONDS = 5


class _Handler(WSGIRequestHandler):
    """One request per connection; a client that says nothing does not hold up the end of a test."""

    timeout = _SILENT_CLIENT_SECONDS

    def log_message(self, *_args: object) -> None:
        """The standard library would print every request."""


class _Server(ThreadingMixIn, WSGIServer):
    """`server_close` waits for every thread, so none outlives the test that started it."""

    daemon_threads = False
    shared: BaseDatabaseWrapper | None = None

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.set_app(application)
        self._one_at_a_time = threading.Lock()

    def process_request_thread(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        if self.shared is None:
            try:
                super().process_request_thread(request, client_address)
            finally:
                connections.close_all()
            return
        with self._one_at_a_time:
            connections[self.shared.alias] = self.shared
            super().process_request_thread(request, client_address)


@contextmanager
def serve(*, shared_connection: bool = False) -> Iterator[str]:
    """The base address of the API; the server ends with the block, however it ends.

    `shared_connection`: requests use the connection of the thread that opened the block, which
    waits for the answer meanwhile, and so see what its open transaction has written.
    """
    server = _Server()
    if shared_connection:
        connection.ensure_connection()
        connection.inc_thread_sharing()
        server.shared = connections[connection.alias]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="stripe-loopback")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        if shared_connection:
            connection.dec_thread_sharing()
