"""The database itself refuses to rewrite what the ledger says; PostgreSQL refuses to delete as well.

SQLite rebuilds a table that a later migration alters, and forgets its triggers: make this one again then.
A test looks whether it is there.
"""

from django.db import migrations

COLUMNS = "id, grant_id, asset_id, kind, code, at"
# Who pressed a button may be forgotten with the account, and never becomes somebody else.
SQLITE = (
    f"""
CREATE TRIGGER access_event_is_append_only BEFORE UPDATE OF {COLUMNS} ON downloads_accessevent
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END
""",
    """
CREATE TRIGGER access_event_keeps_its_actor BEFORE UPDATE OF actor_id ON downloads_accessevent
WHEN NEW.actor_id IS NOT NULL AND NEW.actor_id IS NOT OLD.actor_id
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END
""",
)
POSTGRESQL = (
    """
CREATE FUNCTION access_event_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the ledger is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$
""",
    f"""
CREATE TRIGGER access_event_is_append_only BEFORE UPDATE OF {COLUMNS} OR DELETE ON downloads_accessevent
FOR EACH ROW EXECUTE FUNCTION access_event_is_append_only()
""",
    """
CREATE TRIGGER access_event_keeps_its_actor BEFORE UPDATE OF actor_id ON downloads_accessevent
FOR EACH ROW WHEN (NEW.actor_id IS NOT NULL AND NEW.actor_id IS DISTINCT FROM OLD.actor_id)
EXECUTE FUNCTION access_event_is_append_only()
""",
)
UNDO = {
    "sqlite": (
        "DROP TRIGGER access_event_is_append_only",
        "DROP TRIGGER access_event_keeps_its_actor",
    ),
    "postgresql": (
        "DROP TRIGGER access_event_is_append_only ON downloads_accessevent",
        "DROP TRIGGER access_event_keeps_its_actor ON downloads_accessevent",
        "DROP FUNCTION access_event_is_append_only()",
    ),
}


def guard(apps, schema_editor):
    for statement in SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL:
        schema_editor.execute(statement, params=None)


def unguard(apps, schema_editor):
    for statement in UNDO[schema_editor.connection.vendor]:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("downloads", "0003_desk_permissions")]

    operations = [migrations.RunPython(guard, unguard)]
