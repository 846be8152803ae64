"""How often somebody was refused, by which rule. Read at `/metrics/`; says nothing of anybody.

A reason is a word of the code, never of a request, so that there are only so many.
"""

from __future__ import annotations

from prometheus_client import Counter

REFUSALS = Counter("shop_refusals", "Requests refused by a rule, by its code.", ["reason"])


def refusal_count(reason: str) -> None:
    REFUSALS.labels(reason).inc()
