"""Receivers of webhooks: real HTTP servers on this machine, one thread each, that remember what came."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from django.utils import timezone

from orders.models import WebhookDelivery, WebhookEndpoint, WebhookEvent, WebhookType
from orders.services.outgoing import NewSecret, endpoint_create, webhooks_send_due

ALL = list(WebhookType.values)
Reply = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    """What came, in its order. `reply` answers from now on."""

    reply: Reply
    port: int = 0
    received: list[Received] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"


def answer(status: int, body: bytes = b"", **headers: str) -> Reply:
    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return reply


@contextmanager
def receiver(reply: Reply | None = None, *, tls: Any = None) -> Iterator[Receiver]:
    """A server of its own; with `tls`, an SSL context, over https. It ends with the block."""
    here = Receiver(reply or answer(204))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            headers = {name.lower(): value for name, value in self.headers.items()}
            here.received.append(Received(self.path, headers, self.rfile.read(length)))
            here.reply(self)

        def log_message(self, *args: Any) -> None:
            return

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *args: Any) -> None:
            """Whoever sends a webhook hangs up early: that is what is tested."""

    server = Quiet(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    here.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield here
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def make_endpoint(url: str = "https://hooks.example.com/in", **fields: Any) -> NewSecret:
    return endpoint_create(url=url, **{"events": ALL, **fields})


def make_delivery(endpoint: WebhookEndpoint, **data: Any) -> WebhookDelivery:
    """One event that waits to be sent there now."""
    now = timezone.now()
    event = WebhookEvent(
        type=WebhookType.ORDER_PAID, occurred_at=now, addressed_at=now,
        payload={"type": "order.paid", "timestamp": "2026-11-28T09:30:00Z", "data": data},
    )  # fmt: skip
    event.dedupe_key = f"order.paid:{event.pk}"
    event.save()
    return WebhookDelivery.objects.create(event=event, endpoint=endpoint, next_attempt_at=now)


def make_due(delivery: WebhookDelivery) -> None:
    """As if its wait were over."""
    now = timezone.now() - timedelta(seconds=1)
    WebhookDelivery.objects.filter(pk=delivery.pk).update(next_attempt_at=now)


def told() -> list[str]:
    """The types of what was written down, in its order."""
    return [event.type for event in WebhookEvent.objects.order_by("occurred_at", "type")]


def send_all() -> int:
    return webhooks_send_due()
