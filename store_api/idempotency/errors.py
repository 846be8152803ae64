"""What is refused about a key, and what the caller is told."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from catalog_pages.errors import DomainError


class KeyMissing(DomainError):
    code = "idempotency_key_missing"
    status = 400
    message = _(
        "Send an Idempotency-Key: any text of your own, new for each thing that you want done."
    )


class KeyInvalid(DomainError):
    code = "idempotency_key_invalid"
    status = 400
    message = _(
        "An Idempotency-Key is 1 to 255 visible ASCII characters without quotes or backslashes; "
        "quotes may stand around it."
    )


class KeyInUse(DomainError):
    """Somebody does this right now. `retry_after_s` becomes Retry-After."""

    code = "idempotency_key_in_use"
    status = 409
    message = _(
        "A request with this Idempotency-Key is still being worked on. Ask again in a moment."
    )

    def __init__(self, retry_after_s: int) -> None:
        super().__init__()
        self.retry_after_s = retry_after_s


class KeyReused(DomainError):
    code = "idempotency_key_reused"
    status = 422
    message = _("This Idempotency-Key was used for another request. Send a new one with this.")


class AnswerLost(DomainError):
    """The shop's secret key changed since, and the old one is not among its fallbacks."""

    code = "idempotency_answer_lost"
    status = 409
    message = _(
        "This was done, but its answer cannot be read any more. Look at what you have before you ask "
        "for it again with a new Idempotency-Key."
    )
