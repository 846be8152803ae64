"""The connection to the mail server, and what its refusals mean."""

from __future__ import annotations

import logging
import smtplib
from types import TracebackType
from typing import Any

from django.core.mail import EmailMessage, get_connection
from django.utils.translation import gettext as _

from orders.services.mail.kinds import MailWaits

logger = logging.getLogger(__name__)


class MailServerUnreachable(MailWaits):
    """No letter of this batch can be sent; the sentence says why."""


class NobodyToWriteTo(MailWaits):
    """The letter has no address."""


class MailServer:
    """One connection for many letters: opened for the first, given up when it breaks.

    Left to itself, Django's SMTP backend says goodbye inside `send_messages`, and an error there looks
    like a letter that was not taken when the server had taken it. Here the goodbye comes when the
    caller has written down what was sent, and an error in it is only logged. A server that cannot be
    reached is not tried again by the same object: a hundred letters do not wait for it one by one.
    """

    def __init__(self) -> None:
        self._connection: Any = None
        self._unreachable: MailServerUnreachable | None = None

    def __enter__(self) -> MailServer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._hang_up()

    def deliver(self, message: EmailMessage) -> None:
        """Return when the server has answered for the letter: from then on it is the server's.

        Raises MailServerUnreachable, NobodyToWriteTo, and smtplib's and the socket's own errors.
        """
        connection = self._connected()
        try:
            taken = connection.send_messages([message])
        except Exception:
            self._hang_up()  # whatever state it is in, the next letter begins anew
            raise
        if not taken:
            raise NobodyToWriteTo(_("The letter has no address."))

    def _connected(self) -> Any:
        if self._unreachable is not None:
            raise self._unreachable
        if self._connection is None:
            connection = get_connection()
            try:
                connection.open()
            except Exception as error:
                self._unreachable = MailServerUnreachable(
                    _("The mail server cannot be reached: {reason_of}").format(
                        reason_of=reason_of(error)
                    )
                )
                _close(connection)
                raise self._unreachable from error
            self._connection = connection
        return self._connection

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            _close(connection)


def _close(connection: Any) -> None:
    try:
        connection.close()
    except Exception as error:  # noqa: BLE001  # what was taken stays taken, however it says goodbye
        logger.warning("The mail server's goodbye failed: %s", type(error).__name__)


def reason_of(error: Exception) -> str:
    """Why a letter waits, in a sentence for staff; it may quote the server, and so the address."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, words = next(iter(error.recipients.values()))
        sentence = (
            _("The mail server refuses this address: {code} {text}")
            if code >= 500
            else _("The mail server refuses this address for now: {code} {text}")
        )
        return sentence.format(code=code, text=_text(words))
    if isinstance(error, smtplib.SMTPResponseException):
        return _("The mail server answered {smtp_code} {text}").format(
            smtp_code=error.smtp_code, text=_text(error.smtp_error)
        )
    if isinstance(error, smtplib.SMTPServerDisconnected | TimeoutError):
        return _("The connection to the mail server broke: {text}").format(text=_text(str(error)))
    if isinstance(error, MailWaits):
        return str(error)
    return f"{type(error).__name__}: {_text(str(error))}"


def label_of(error: Exception) -> str:
    """The same for the log, where no address may appear: the kind of error and the server's code."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return f"SMTPRecipientsRefused {next(iter(error.recipients.values()))[0]}"
    if isinstance(error, MailWaits):
        return str(error)
    return f"{type(error).__name__} {getattr(error, 'smtp_code', '')}".strip()


def _text(words: bytes | str) -> str:
    """One line without NUL, which PostgreSQL stores nowhere."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return " ".join(text.replace("\0", " ").split())
