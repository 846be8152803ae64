"""What nobody answered for: a fault of ours is 500, a database that is away 503 with a time to come back."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.test import Client

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_question_that_is_wrong_is_a_fault_whatever_its_name() -> None:
    """SQLite calls a table that does not exist an OperationalError."""

    def elsewhere(execute: Any, sql: str, params: Any, *rest: Any) -> Any:
        return execute("SELECT 1 FROM nowhere", (), *rest)

    with connection.execute_wrapper(elsewhere):
        answer = Client(raise_request_exception=False).get(
            "/cart/", headers={"Cookie": "sessionid=x"}
        )

    assert (answer.status_code, answer.get("Retry-After")) == (500, None)


@pytest.mark.parametrize(
    ("error", "status", "come_back"),
    [(OperationalError, 503, "5"), (InterfaceError, 503, "5"), (ZeroDivisionError, 500, None)],
)
def test_a_database_that_is_away_is_told_from_a_fault(
    error: type[Exception], status: int, come_back: str | None
) -> None:
    def broken(*args: Any) -> None:
        raise error("server at 10.0.0.5 closed the connection")

    with connection.execute_wrapper(broken):
        answer = Client(raise_request_exception=False).get(
            "/cart/", headers={"Cookie": "sessionid=x"}
        )

    assert (answer.status_code, answer.get("Retry-After")) == (status, come_back)
    assert answer["Cache-Control"] == "no-store"
    assert "10.0.0.5" not in answer.content.decode()
