"""Buyers as the API meets them, and what they get by a link."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orders.models import GiftCode, Order
from orders.services.guests import guest_token
from store_api.tests.calling import Caller


def guest_of(holding: Order | GiftCode) -> Caller:
    return Caller(X_Order_Token=guest_token(holding))


def problem_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def cost(call: Callable[[], Any]) -> tuple[Any, int]:
    """The answer, and how many queries it took."""
    with CaptureQueriesContext(connection) as queries:
        answer = call()
    return answer, len(queries)


def listed(caller: Caller) -> list[dict[str, Any]]:
    """The first page of purchases."""
    answer = caller("get", "purchases/")
    assert answer.status_code == 200, answer.content
    return list(answer.json()["results"])


def line_of(order: Order) -> int:
    return order.items.get().pk


def fetch(link: dict[str, Any], program: Client | None = None, **headers: str) -> Any:
    """With nothing but the address, as any program would."""
    path = link["url"].removeprefix("http://testserver")
    return (program or Client()).get(path, headers=headers)


def body_of(response: Any) -> bytes:
    return b"".join(response.streaming_content)
