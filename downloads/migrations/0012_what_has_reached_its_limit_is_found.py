"""After the rows are counted: PostgreSQL makes no index in the transaction that has just written them."""

from importlib import import_module

from django.db import migrations, models

counting = import_module("downloads.migrations.0011_what_has_reached_its_limit")


class Migration(migrations.Migration):
    dependencies = [("downloads", "0011_what_has_reached_its_limit")]

    operations = [
        migrations.AddIndex(
            model_name="userasset",
            index=models.Index(
                condition=models.Q(
                    ("download_limit__gt", 0), ("most_counted__gte", models.F("download_limit"))
                ),
                fields=["created_at", "id"],
                name="grant_limit_reached",
            ),
        ),
        migrations.AddIndex(
            model_name="userasset",
            index=models.Index(
                condition=models.Q(("download_limit", None), ("most_counted__gt", 1)),
                fields=["most_counted"],
                name="grant_by_use",
            ),
        ),
        migrations.AddIndex(
            model_name="revocation",
            index=models.Index(
                condition=models.Q(("lifted_at", None)),
                fields=["cause", "created_at"],
                name="revocation_standing",
            ),
        ),
        migrations.RunPython(counting.watch, counting.look_away),
    ]
