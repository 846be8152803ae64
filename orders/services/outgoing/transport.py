"""One POST to one endpoint: to an address that was judged before, within one deadline for everything.

Python's own `http.client` over a socket that is opened here. Clients with pools, proxies from the environment
and redirects would each have to be kept from looking the name up a second time.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from orders.services.outgoing.addresses import Target, target_of
from orders.services.outgoing.errors import NotSent

TIMEOUT_SECONDS = 10  # from the first packet to the status line; looking up the name is not counted
CONNECT_SECONDS = 4  # for one address, so that there is time for the next
PIECE = 16_384  # bytes that are sent between two looks at the clock
MAX_READ = 1000
MAX_EXCERPT = 200


@dataclass(frozen=True)
class Answer:
    status: int
    retry_after: str = ""
    excerpt: str = ""  # of an answer that was no success: printable ASCII, at most 200 characters

    @property
    def is_success(self) -> bool:
        return self.status // 100 == 2


class _Deadline:
    def __init__(self, timeout_seconds: int) -> None:
        self.ends_seconds = time.monotonic() + timeout_seconds

    def give(self, connection: socket.socket, *, at_most: int = TIMEOUT_SECONDS) -> None:
        """Let the next operation on this socket take what is left. Raises TimeoutError."""
        left_seconds = self.ends_seconds - time.monotonic()
        if left_seconds <= 0:
            raise TimeoutError("the deadline has passed")
        connection.settimeout(min(left_seconds, at_most))


class _Reader(io.RawIOBase):
    """Reads from a socket until the deadline, however small the pieces come."""

    def __init__(self, connection: socket.socket, deadline: _Deadline) -> None:
        self.connection, self.deadline = connection, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.deadline.give(self.connection)
        return self.connection.recv_into(buffer)


class _TimedSocket:
    """What `http.client` needs of a socket. It does not close it: whoever opened it does."""

    def __init__(self, connection: socket.socket, deadline: _Deadline) -> None:
        self.connection, self.deadline = connection, deadline

    def sendall(self, data: bytes) -> None:
        for start in range(0, len(data), PIECE):
            self.deadline.give(self.connection)
            self.connection.sendall(data[start : start + PIECE])

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self.connection, self.deadline))

    def close(self) -> None:
        return


def post(
    *, url: str, body: bytes, headers: Mapping[str, str], timeout_seconds: int = TIMEOUT_SECONDS
) -> Answer:
    """Send it once, follow nothing. Raises NotSent. No transaction may be open."""
    target = target_of(url)
    deadline = _Deadline(timeout_seconds)
    try:
        with closing(_connect(target, deadline)) as connection:
            return _exchange(connection, target, body, headers, deadline)
    except ssl.SSLCertVerificationError as error:
        sentence = _("The certificate of {host} is not right: {verify_message}.").format(
            host=target.host, verify_message=error.verify_message
        )
        raise NotSent("certificate_invalid", sentence) from error
    except TimeoutError as error:
        raise NotSent(
            "timed_out",
            _("There was no answer within {timeout_seconds} s.").format(
                timeout_seconds=timeout_seconds
            ),
        ) from error
    except http.client.RemoteDisconnected as error:
        raise NotSent("connection_closed", _("It hung up without an answer.")) from error
    except http.client.HTTPException as error:
        raise NotSent("answer_unreadable", _("What came back is not HTTP.")) from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise NotSent(
            "connection_failed", _("The connection failed: {reason}.").format(reason=reason)
        ) from error


def _connect(target: Target, deadline: _Deadline) -> socket.socket:
    """A connection to the first address that takes one. Raises OSError."""
    *others, last = target.addresses
    for address in others:
        with suppress(OSError):
            return _open(target, address, deadline)
    return _open(target, last, deadline)


def _open(target: Target, address: str, deadline: _Deadline) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        deadline.give(connection, at_most=CONNECT_SECONDS)
        connection.connect((address, target.port))
        if not target.is_tls:
            return connection
        deadline.give(connection)
        context = ssl.create_default_context()
        return context.wrap_socket(connection, server_hostname=target.host)
    except BaseException:
        connection.close()
        raise


def _exchange(
    connection: socket.socket,
    target: Target,
    body: bytes,
    headers: Mapping[str, str],
    deadline: _Deadline,
) -> Answer:
    client = http.client.HTTPConnection(target.host, target.port)
    client.sock = _TimedSocket(connection, deadline)
    client.request("POST", target.path, body, {"Host": target.host_header, **headers})
    response = client.getresponse()
    answer = Answer(response.status)
    if answer.is_success:
        return answer  # it has been taken; nothing in the body could change that
    retry_after = response.getheader("Retry-After", "")
    return Answer(response.status, retry_after[:100], _excerpt(response))


def _excerpt(response: http.client.HTTPResponse) -> str:
    """The beginning of the body as far as it is here already; enough for people to see who answered."""
    try:
        raw = response.read1(MAX_READ)
    except (OSError, http.client.HTTPException):
        return ""
    text = "".join(chr(byte) if 32 <= byte < 127 else " " for byte in raw)
    return " ".join(text.split())[:MAX_EXCERPT]
