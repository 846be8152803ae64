"""The database itself refuses to rewrite what the ledger says; both databases know triggers."""

from django.db import migrations

COLUMNS = "grant_id, asset_id, kind, code, at"
SQLITE = f"""
CREATE TRIGGER access_event_is_append_only BEFORE UPDATE OF {COLUMNS} ON downloads_accessevent
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END
"""
POSTGRESQL = f"""
CREATE FUNCTION access_event_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the ledger is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$;
CREATE TRIGGER access_event_is_append_only BEFORE UPDATE OF {COLUMNS} OR DELETE ON downloads_accessevent
FOR EACH ROW EXECUTE FUNCTION access_event_is_append_only();
"""


def guard(apps, schema_editor):
    is_sqlite = schema_editor.connection.vendor == "sqlite"
    schema_editor.execute(SQLITE if is_sqlite else POSTGRESQL, params=None)


def unguard(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TRIGGER access_event_is_append_only")
        return
    schema_editor.execute("DROP TRIGGER access_event_is_append_only ON downloads_accessevent")
    schema_editor.execute("DROP FUNCTION access_event_is_append_only()")


class Migration(migrations.Migration):
    dependencies = [("downloads", "0003_desk_permissions")]

    operations = [migrations.RunPython(guard, unguard)]
