"""How often the most fetched version of a grant counts, kept by the database: no list adds up downloads.

SQLite rebuilds a table that a later migration alters, and forgets its triggers: make these again then.
A test looks whether they count.
"""

from django.db import migrations, models

# `{id}` is the grant, whose row is being written or looked at as downloads_userasset.
MOST = """COALESCE((
    SELECT COUNT(*) FROM downloads_download d
    WHERE d.grant_id = downloads_userasset.id AND d.counted_at IS NOT NULL
        AND (downloads_userasset.counted_from IS NULL OR d.counted_at > downloads_userasset.counted_from)
    GROUP BY d.asset_id ORDER BY COUNT(*) DESC LIMIT 1
), 0)"""
ANEW = f"UPDATE downloads_userasset SET most_counted = {MOST} WHERE id = "  # noqa: S608  # nosec B608  # our own words
SQLITE = (
    f"""
CREATE TRIGGER grant_counts_a_new_download AFTER INSERT ON downloads_download
WHEN NEW.counted_at IS NOT NULL BEGIN {ANEW} NEW.grant_id; END
""",
    f"""
CREATE TRIGGER grant_counts_a_download AFTER UPDATE OF counted_at ON downloads_download
WHEN NEW.counted_at IS NOT OLD.counted_at BEGIN {ANEW} NEW.grant_id; END
""",
    f"""
CREATE TRIGGER grant_counts_from_anew AFTER UPDATE OF counted_from ON downloads_userasset
WHEN NEW.counted_from IS NOT OLD.counted_from BEGIN {ANEW} NEW.id; END
""",  # nosec B608  # our own words
)
POSTGRESQL = (
    f"""
CREATE FUNCTION grant_counts_anew() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_TABLE_NAME = 'downloads_download' THEN {ANEW} NEW.grant_id;
    ELSE {ANEW} NEW.id;
    END IF;
    RETURN NULL;
END $$
""",
    """
CREATE TRIGGER grant_counts_a_new_download AFTER INSERT ON downloads_download
FOR EACH ROW WHEN (NEW.counted_at IS NOT NULL) EXECUTE FUNCTION grant_counts_anew()
""",
    """
CREATE TRIGGER grant_counts_a_download AFTER UPDATE OF counted_at ON downloads_download
FOR EACH ROW WHEN (NEW.counted_at IS DISTINCT FROM OLD.counted_at) EXECUTE FUNCTION grant_counts_anew()
""",
    """
CREATE TRIGGER grant_counts_from_anew AFTER UPDATE OF counted_from ON downloads_userasset
FOR EACH ROW WHEN (NEW.counted_from IS DISTINCT FROM OLD.counted_from) EXECUTE FUNCTION grant_counts_anew()
""",
)
TRIGGERS = {
    "grant_counts_a_new_download": "downloads_download",
    "grant_counts_a_download": "downloads_download",
    "grant_counts_from_anew": "downloads_userasset",
}


def count(apps, schema_editor):
    schema_editor.execute(
        f"UPDATE downloads_userasset SET most_counted = {MOST}"  # noqa: S608  # nosec B608  # our own words
        " WHERE id IN (SELECT grant_id FROM downloads_download WHERE counted_at IS NOT NULL)",
        params=None,
    )


def watch(apps, schema_editor):
    for statement in SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL:
        schema_editor.execute(statement, params=None)


def look_away(apps, schema_editor):
    on_postgresql = schema_editor.connection.vendor == "postgresql"
    for name, table in TRIGGERS.items():
        on = f" ON {table}" if on_postgresql else ""
        schema_editor.execute(f"DROP TRIGGER {name}{on}", params=None)
    if on_postgresql:
        schema_editor.execute("DROP FUNCTION grant_counts_anew()", params=None)


class Migration(migrations.Migration):
    dependencies = [("downloads", "0010_what_the_desk_lists_by")]

    operations = [
        migrations.AddField(
            model_name="userasset",
            name="most_counted",
            field=models.PositiveIntegerField(
                default=0,
                editable=False,
                help_text="How many downloads count of the version that has most. Kept by the database.",
            ),
        ),
        migrations.RunPython(count, migrations.RunPython.noop),
    ]
