"""One answer per idempotency key, kept for a day.

Source: https://docs.stripe.com/api/idempotent_requests
"""

from __future__ import annotations

import hashlib

from orders.stripe_sandbox.common import now
from orders.stripe_sandbox.constants import IDEMPOTENCY_LIFE
from orders.stripe_sandbox.errors import ApiError
from orders.stripe_sandbox.models import SandboxIdempotency

_KEY_LENGTH = 255


def claim(key: str, path: str, body: str, request_id: str) -> tuple[SandboxIdempotency, bool]:
    """The key's row and whether it is new. A second claim of a new key waits for the first.

    ApiError `idempotency_error` when the key belongs to another request.
    """
    if len(key) > _KEY_LENGTH:
        raise ApiError(f"Idempotency keys can be at most {_KEY_LENGTH} characters.")
    SandboxIdempotency.objects.filter(created__lte=now() - IDEMPOTENCY_LIFE).delete()
    digest = hashlib.sha256(body.encode()).hexdigest()
    row, is_new = SandboxIdempotency.objects.get_or_create(
        key=key,
        defaults={"path": path, "digest": digest, "created": now(), "request_id": request_id},
    )
    if not is_new and (row.path != path or row.digest != digest):
        raise _used_for_something_else(row, path)
    return row, is_new


def _used_for_something_else(row: SandboxIdempotency, path: str) -> ApiError:
    if row.path != path:
        rule = f"the same endpoint they were first used for ('{row.path}' vs '{path}')"
    else:
        rule = "the same parameters they were first used with"
    message = (
        f"Keys for idempotent requests can only be used with {rule}. Try using a key other than"
        f" '{row.key}' if you meant to execute a different request."
    )
    return ApiError(message, kind="idempotency_error")


def remember(row: SandboxIdempotency, status: int, body: str) -> None:
    """What every later request with this key is told."""
    row.status = status
    row.body = body
    row.save(update_fields=["status", "body"])
