"""A token for the state of the catalogue. Its triggers are made after every `migrate`: see catalog_pages.stamp."""

from django.db import migrations, models

from catalog_pages.stamp import remove_stamp


def remove_triggers(apps, schema_editor):
    remove_stamp(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("catalog_pages", "0006_uploads_outlive_assets")]

    operations = [
        migrations.CreateModel(
            name="CatalogueStamp",
            fields=[
                (
                    "token",
                    models.CharField(
                        editable=False, max_length=36, primary_key=True, serialize=False
                    ),
                ),
            ],
            options={"default_permissions": ()},
        ),
        migrations.RunPython(migrations.RunPython.noop, remove_triggers),
    ]
