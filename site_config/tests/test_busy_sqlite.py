"""SQLite is asked whether it knows JSON; one that is busy in that moment knows it all the same."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError, connections
from django.db.models import Value
from django.db.models.functions import JSONObject

from catalog_pages.models import Genre

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def fresh() -> Any:
    """A connection of its own, not opened yet, as each thread of a web server has one."""
    found = connections.create_connection("default")
    yield found
    found.close()


def test_a_database_that_is_busy_at_first_is_not_taken_for_one_without_json(fresh: Any) -> None:
    def busy(*args: Any) -> None:
        raise OperationalError("database is locked")

    asked = Genre.objects.values_list(JSONObject(name=Value("Dub"))).query

    with fresh.execute_wrapper(busy), pytest.raises(OperationalError):
        fresh.cursor().execute("SELECT 1")
    with fresh.execute_wrapper(busy):
        statement, _ = asked.get_compiler(connection=fresh).as_sql()

    assert "JSON" in statement.upper()
