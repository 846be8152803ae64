"""An index for the worker's table, which is a library's: it has one for what waits, and none for what failed.

Figures ask for both every few seconds, and the table keeps what was done as well.
"""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

INDEX = "site_config_tasks_not_done"


def make(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        # One that was interrupted is there and serves nobody.
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")
        schema_editor.execute(
            f"CREATE INDEX CONCURRENTLY {INDEX} ON django_tasks_database_dbtaskresult "
            "(status, finished_at) WHERE status IN ('FAILED', 'RUNNING')"
        )
    else:  # SQLite sees no use for a part of an index when the status is a parameter
        schema_editor.execute(
            f"CREATE INDEX IF NOT EXISTS {INDEX} ON django_tasks_database_dbtaskresult (status, finished_at)"
        )


def drop(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    schema_editor.execute(f"DROP INDEX IF EXISTS {INDEX}")


class Migration(migrations.Migration):
    atomic = False  # CONCURRENTLY
    dependencies = [("django_tasks_database", "0021_conditional_partial_index_ordering")]
    operations = [migrations.RunPython(make, drop)]
