"""Stripe's errors: a status, and the envelope that the library turns into exceptions.

Source: https://docs.stripe.com/api/errors and https://docs.stripe.com/error-codes
"""

from __future__ import annotations

from orders.stripe_sandbox.common import Json


class ApiError(Exception):
    """An answer other than 200."""

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        status: int = 400,
        kind: str = "invalid_request_error",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code
        self.status = status
        self.kind = kind

    def envelope(self) -> Json:
        """Stripe leaves out what it has nothing to say about."""
        error = {"code": self.code, "message": self.message, "param": self.param, "type": self.kind}
        if self.code:
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        return {"error": {name: value for name, value in error.items() if value is not None}}


class StateError(Exception):
    """A buyer, a bank or the clock cannot do this to the object as it stands now."""


def failure() -> ApiError:
    """What Stripe says when the fault is its own."""
    return ApiError("An unknown error occurred", status=500, kind="api_error")


def missing_param(param: str) -> ApiError:
    return ApiError(f"Missing required param: {param}.", param=param, code="parameter_missing")


def unknown_param(param: str) -> ApiError:
    return ApiError(f"Received unknown parameter: {param}", param=param, code="parameter_unknown")


def no_such(kind: str, object_id: str, *, param: str = "id", status: int = 404) -> ApiError:
    """404 for the object that the URL names, 400 for one that a parameter names."""
    message = f"No such {kind}: '{object_id}'"
    return ApiError(message, param=param, code="resource_missing", status=status)
