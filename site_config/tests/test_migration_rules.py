"""A migration that would disturb a shop that sells is found before it is released."""

from __future__ import annotations

import threading
import time
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection, connections, migrations, models, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from catalog_pages.gentle import AddIndexGently
from site_config.management.commands import migrate
from site_config.migration_rules import LARGE, broken_rules, rules_of

INDEX = models.Index(fields=("email",), name="an_index")
CHECK = models.CheckConstraint(condition=models.Q(attempts__gte=0), name="a_check")
NEW_MODEL = migrations.CreateModel("Fresh", [("id", models.BigAutoField(primary_key=True))])


def before() -> ProjectState:
    return MigrationLoader(None).project_state()


def rules(*operations: object, **more: object) -> list[str]:
    made = type("Migration", (migrations.Migration,), {"operations": list(operations), **more})
    return [broken.rule for broken in rules_of(made("9999_bad", "orders"), before())]


@pytest.mark.parametrize(
    ("operation", "rule"),
    [
        (migrations.RemoveField("order", "email"), "in-use"),
        (migrations.DeleteModel("OrderNote"), "in-use"),
        (migrations.RenameField("order", "email", "address"), "renamed"),
        (migrations.RenameModel("Order", "Purchase"), "renamed"),
        (migrations.AlterModelTable("order", "purchases"), "renamed"),
        (migrations.AddField("order", "x", models.IntegerField(default=0)), "not-null"),
        (migrations.AddField("order", "x", models.IntegerField(null=True, unique=True)), "index"),
        (migrations.AlterField("order", "number", models.IntegerField()), "type"),
        (migrations.AlterField("order", "number", models.CharField(max_length=3)), "type"),
        (migrations.AlterField("order", "paid_at", models.DateTimeField()), "not-null"),
        (migrations.AddIndex("order", INDEX), "index"),
        (migrations.AddConstraint("stripeevent", CHECK), "constraint"),
        (migrations.RunPython(lambda apps, editor: None), "one-way"),
        (migrations.RunSQL("SELECT 1"), "one-way"),
        (AddIndexGently("order", INDEX), "index"),  # within a transaction
    ],
)
def test_what_disturbs_is_found(operation: object, rule: str) -> None:
    assert rule in rules(operation)


@pytest.mark.parametrize(
    "operation",
    [
        migrations.AddField("order", "x", models.IntegerField(null=True)),
        migrations.AddField("order", "x", models.IntegerField(db_default=0)),
        migrations.AlterField("order", "number", models.CharField(max_length=300, unique=True)),
        migrations.AddIndex("ordernote", models.Index(fields=("created_at",), name="small")),
        migrations.RunPython(migrations.RunPython.noop, migrations.RunPython.noop),
        NEW_MODEL,
    ],
)
def test_what_does_not_disturb_passes(operation: object) -> None:
    assert rules(operation) == []


def test_an_index_alone_and_outside_a_transaction_passes() -> None:
    assert rules(AddIndexGently("order", INDEX), atomic=False) == []


def test_what_a_migration_makes_itself_it_may_change() -> None:
    assert rules(NEW_MODEL, migrations.RenameField("fresh", "id", "number")) == []


def test_a_rule_that_is_broken_on_purpose_says_why() -> None:
    made = type(
        "Migration",
        (migrations.Migration,),
        {
            "operations": [migrations.RemoveField("order", "email")],
            "not_gentle_because": "unused since the release before",
        },
    )

    (broken,) = rules_of(made("9999_meant", "orders"), before())

    assert broken.excused == "unused since the release before"


def test_every_migration_since_the_baseline_keeps_the_rules() -> None:
    found = [str(one) for one in broken_rules(MigrationLoader(None)) if not one.excused]

    assert found == []


def test_before_the_baseline_rules_were_broken_so_that_this_test_can_fail() -> None:
    everything = dict.fromkeys(("orders", "downloads", "catalog_pages"), "")

    assert list(broken_rules(MigrationLoader(None), everything))


def test_large_tables_are_models_of_ours() -> None:
    known = {f"{app}.{name}" for app, name in before().models}

    assert known >= LARGE


@pytest.mark.django_db(transaction=True)
def test_an_index_is_made_while_others_write() -> None:
    state, after = before(), before()
    operation = AddIndexGently("ordernote", models.Index(fields=("written_by",), name="gently"))
    operation.state_forwards("orders", after)

    with connection.schema_editor(atomic=False) as editor:
        operation.database_forwards("orders", editor, state, after)
        if connection.vendor == "postgresql":  # as after one that was interrupted
            operation.database_forwards("orders", editor, state, after)
        with connection.cursor() as cursor:
            made = connection.introspection.get_constraints(cursor, "orders_ordernote")
        operation.database_backwards("orders", editor, after, state)

    assert made["gently"]["index"]


@pytest.mark.django_db(transaction=True)
def test_migrate_lets_go_of_a_table_that_is_in_use_and_tries_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On SQLite one writes at a time anyway: there the command is Django's own."""
    monkeypatch.setattr("site_config.management.commands.migrate.PAUSE_SECONDS", 0.2)
    call_command("migrate", "store_api", "zero", verbosity=0, lock_timeout=1)
    held, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("LOCK TABLE django_migrations IN ACCESS EXCLUSIVE MODE")
            held.set()
            go_on.wait(2.5)
        connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(10)
    call_command("migrate", "store_api", verbosity=0, lock_timeout=1)
    go_on.set()
    holder.join()

    with connection.cursor() as cursor:
        assert "store_api_idempotentrequest" in connection.introspection.table_names(cursor)
        if connection.vendor == "postgresql":
            cursor.execute("SHOW lock_timeout")
            assert cursor.fetchone() == ("0",)


@pytest.mark.django_db(transaction=True)
def test_a_second_migrate_waits_for_the_first() -> None:
    if connection.vendor != "postgresql":
        return  # on SQLite nobody else writes meanwhile
    said, ended = StringIO(), threading.Event()

    def second() -> None:
        call_command("migrate", "store_api", stdout=said)
        ended.set()
        connections.close_all()

    waiting = threading.Thread(target=second)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [migrate.ONE_AT_A_TIME])
        waiting.start()
        try:
            while "Another `migrate` is at work" not in said.getvalue():
                assert waiting.is_alive()
                time.sleep(0.05)
            call_command("migrate", "store_api", check_unapplied=True)  # whoever only looks, looks
            has_waited = not ended.is_set()
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [migrate.ONE_AT_A_TIME])
    waiting.join(60)

    assert has_waited
    assert "No migrations to apply" in said.getvalue()
