"""An SQLite shop moves into PostgreSQL, row for row, and sells on there."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.data.conftest import Moved, Shop, new_database

pytestmark = pytest.mark.wide


@pytest.fixture
def url(postgres: str, tmp_path: Path) -> str:
    return new_database(postgres, f"{tmp_path.parent.name}-{tmp_path.name}")


def test_every_table_of_the_shop_has_a_row_to_move(made_shop: Shop) -> None:
    assert made_shop.ask("facts")["tables"]
    assert [t for t, (rows, _) in made_shop.ask("facts")["tables"].items() if not rows] == []


def test_a_shop_moves_row_for_row_and_runs_there(moved: Moved) -> None:
    shop = moved.shop
    there = {
        line.split()[2]: line.split()[:2]
        for line in moved.said.splitlines()
        if len(line.split()) == 3
    }
    lived = shop.ask("live")

    assert shop.database.read_bytes() == moved.before
    assert "are the same on both sides" in moved.said
    assert len(there) > 100
    assert all(rows != "0" for rows, _ in there.values())
    products = lived.pop("products")
    assert lived == {"page": 200, "found": True, "paid": True, "download": True}
    assert products > 3
    refused = shop.manage("move_database", "--to", shop.url)
    assert "on PostgreSQL already" in refused.stderr


def test_triggers_watch_and_numbers_go_on_after_the_move(moved: Moved) -> None:
    with psycopg.connect(moved.shop.url, autocommit=True) as target:
        sequence = "pg_get_serial_sequence('orders_orderitem', 'id')"
        (number,) = target.execute(f"SELECT nextval({sequence})").fetchone()
        assert number > 5000
        asleep = target.execute("SELECT COUNT(*) FROM pg_trigger WHERE tgenabled = 'D'")
        assert asleep.fetchone() == (0,)
        with pytest.raises(psycopg.IntegrityError, match="append-only"):
            target.execute("DELETE FROM downloads_accessevent")


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            "UPDATE orders_orderitem SET title = 'a' || char(0) || 'b' WHERE id = 1",
            "a NUL character in title",
        ),
        (
            "UPDATE orders_orderitem SET title = printf('%.9999c', 'x') WHERE id = 1",
            "characters where",
        ),
        (
            'UPDATE orders_stripeevent SET payload = \'{"a": "\\u0000"}\' WHERE id = 1',
            "a NUL character in payload",
        ),
    ],
)
def test_what_postgresql_cannot_hold_is_named_by_its_row(
    shop: Shop, url: str, statement: str, words: str
) -> None:
    with closing(sqlite3.connect(shop.database)) as source:
        source.execute(statement)
        source.commit()

    done = shop.manage("move_database", "--to", url)

    assert done.returncode == 1
    assert words in done.stderr
    assert "whose id is 1" in done.stderr


def test_a_target_that_holds_something_is_left_alone(shop: Shop, url: str) -> None:
    with psycopg.connect(url, autocommit=True) as target:
        target.execute("CREATE TABLE somebodys (word text)")
        target.execute("INSERT INTO somebodys VALUES ('kept')")

        done = shop.manage("move_database", "--to", url)

        assert done.returncode == 1
        assert "not empty" in done.stderr
        assert target.execute("SELECT word FROM somebodys").fetchall() == [("kept",)]


def test_a_shop_that_is_written_to_meanwhile_does_not_move(shop: Shop, url: str) -> None:
    started = shop.start("manage.py", "move_database", "--to", url)
    assert started.stdout is not None
    assert "Making the tables" in started.stdout.readline()
    with closing(sqlite3.connect(shop.database, timeout=20)) as source:
        source.execute("UPDATE orders_cart SET updated_at = '2020-01-01'")
        source.commit()

    _, err = started.communicate(timeout=300)

    assert started.returncode == 1
    assert "written to meanwhile" in err
    with psycopg.connect(url) as target:
        assert target.execute("SELECT COUNT(*) FROM orders_order").fetchone() == (0,)


@pytest.mark.parametrize(
    "address", ["sqlite:////tmp/other.sqlite3", "nonsense", "postgres://nobody@127.0.0.1:1/none"]
)
def test_an_address_that_leads_nowhere_is_a_sentence(shop: Shop, address: str) -> None:
    done: subprocess.CompletedProcess[str] = shop.manage("move_database", "--to", address)

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
