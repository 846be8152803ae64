"""Which order this thread is busy with: its number stands in every line of the log from then on.

Whoever takes an order's lock, or writes one, names it. Requests, tasks and jobs begin with none.
"""

from __future__ import annotations

from contextvars import ContextVar

_named: ContextVar[str] = ContextVar("order", default="")


def order_name(number: str) -> None:
    _named.set(number)


def order_forget() -> None:
    _named.set("")


def named_order() -> str:
    """The order's number; "" when none is meant."""
    return _named.get()
