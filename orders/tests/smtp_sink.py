"""A real SMTP server on loopback, for tests of sending: it takes letters, or misbehaves as it is told."""

from __future__ import annotations

import email.policy
import socket
from collections import deque
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

TAKEN = "250 OK"
# The connection is lost after the whole letter was read and before any answer.
VANISH = "vanish"


class SmtpSink:
    """`with SmtpSink() as server:`; outside of the block nothing listens at its port.

    `letters` are those read to their end, in order, whatever was answered. `answers`: to the next
    letters, then 250. `refusals`: by address. `goodbye`: to QUIT.
    """

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.answers: deque[str] = deque()
        self.refusals: dict[str, str] = {}
        self.goodbye = "221 Bye"
        self.greetings = 0
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self._controller: Controller | None = None

    def __enter__(self) -> SmtpSink:
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()
        return self

    def __exit__(self, *error: object) -> None:
        assert self._controller is not None
        self._controller.stop()

    async def handle_EHLO(  # noqa: N802  # aiosmtpd's names, and below
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        self.greetings += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return TAKEN

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.letters.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        self.recipients.append(list(envelope.rcpt_tos))
        answer = self.answers.popleft() if self.answers else TAKEN
        if answer == VANISH:
            server.transport.abort()
        return answer

    async def handle_QUIT(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        return self.goodbye


def configured_sink(settings: Any) -> SmtpSink:
    """A server that mail goes to, as soon as it listens."""
    server = SmtpSink()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = False
    settings.DEFAULT_FROM_EMAIL = "shop@shop.example"
    return server
