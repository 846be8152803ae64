"""Counting what the shop asks the sandbox."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from orders.stripe_sandbox import api


@contextmanager
def counted_calls() -> Iterator[Counter[str]]:
    """How often each address of the API was asked within the block."""
    calls: Counter[str] = Counter()
    real = api.handle

    def counting(request: api.Request) -> api.Response:
        calls[request.path] += 1
        return real(request)

    api.handle = counting
    try:
        yield calls
    finally:
        api.handle = real
