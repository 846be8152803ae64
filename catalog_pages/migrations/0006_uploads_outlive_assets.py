import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog_pages", "0005_pending_uploads"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="pendingupload",
            name="upload_has_asset_when_kept",
        ),
        migrations.AlterField(
            model_name="pendingupload",
            name="asset",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="catalog_pages.digitalasset",
            ),
        ),
        migrations.AlterField(
            model_name="pendingupload",
            name="claimed_at",
            field=models.DateTimeField(
                help_text="When a check of it was last claimed, given back or enqueued again.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="pendingupload",
            name="fingerprint",
            field=models.CharField(
                help_text="SHA-256 of the file's name, size, date and ends: it is chosen again.",
                max_length=64,
            ),
        ),
        migrations.AddConstraint(
            model_name="pendingupload",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["stored", "duplicate"]), ("asset__isnull", True), _connector="OR"
                ),
                name="upload_has_asset_only_when_kept",
            ),
        ),
    ]
