"""Two stand-ins for the shop: a function, and a real HTTP server on the loopback address."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Shop:
    """A webhook that answers what it is told to, 200 once that is used up."""

    def __init__(self, *answers: int | OSError) -> None:
        self.answers = list(answers)
        self.bodies: list[bytes] = []
        self.signatures: list[str] = []

    def __call__(self, body: bytes, headers: Mapping[str, str]) -> int:
        self.bodies.append(body)
        self.signatures.append(headers["Stripe-Signature"])
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, OSError):
            raise answer
        return answer


class Listener:
    """What arrived, and the statuses still to be answered; 200 once they are used up."""

    def __init__(self, statuses: list[int]) -> None:
        self.statuses = statuses
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.url = ""
        self.may_answer = threading.Event()
        self.may_answer.set()

    @property
    def types(self) -> list[str]:
        return [json.loads(body)["type"] for body in self.bodies]

    def answer(self, path: str, body: bytes, headers: dict[str, str]) -> int:
        self.paths.append(path)
        self.bodies.append(body)
        self.headers.append(headers)
        self.may_answer.wait(20)
        return self.statuses.pop(0) if self.statuses else 200


@contextmanager
def listening(*statuses: int) -> Iterator[Listener]:
    listener = Listener(list(statuses))

    def take(handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        status = listener.answer(handler.path, body, dict(handler.headers))
        handler.send_response(status)
        handler.send_header("Location", "/elsewhere/")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    def say_nothing(_handler: BaseHTTPRequestHandler, *_args: object) -> None:
        """The standard library would print every request."""

    methods = {"do_POST": take, "log_message": say_nothing}
    handler_class = type("Handler", (BaseHTTPRequestHandler,), methods)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_class)
    listener.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield listener
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
