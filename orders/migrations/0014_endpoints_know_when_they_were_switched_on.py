from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0013_discounts_as_agreed"),
    ]

    operations = [
        migrations.AddField(
            model_name="webhookendpoint",
            name="enabled_at",
            field=models.DateTimeField(
                blank=True,
                help_text="When it was last switched on; empty if it never was off.",
                null=True,
            ),
        ),
    ]
