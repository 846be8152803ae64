from django.conf import settings
from django.db import migrations, models

# Beginnings of words, in small letters; only PostgreSQL needs an index of its own for that.
BEGINNINGS = {"grant_email_begins": "email", "grant_title_begins": "title"}


def index_beginnings(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name, column in BEGINNINGS.items():
            on = f"downloads_userasset (LOWER({column}) text_pattern_ops)"
            schema_editor.execute(f"CREATE INDEX {name} ON {on}", params=None)


def forget_beginnings(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name in BEGINNINGS:
            schema_editor.execute(f"DROP INDEX {name}", params=None)


class Migration(migrations.Migration):
    dependencies = [
        ("catalog_pages", "0007_catalogue_stamp"),
        ("downloads", "0009_downloads_by_day"),
        ("orders", "0016_the_desk_searches_notes_and_gives"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name="accessevent",
            index=models.Index(fields=["at", "id"], name="access_event_by_time"),
        ),
        migrations.AddIndex(
            model_name="accessevent",
            index=models.Index(fields=["kind", "at"], name="access_event_by_kind"),
        ),
        migrations.AddIndex(
            model_name="userasset",
            index=models.Index(fields=["created_at", "id"], name="grant_by_time"),
        ),
        migrations.RunPython(index_beginnings, forget_beginnings),
    ]
