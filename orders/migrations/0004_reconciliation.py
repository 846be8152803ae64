"""The scheduler remembers its last complete comparison with Stripe."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0003_one_open_order_per_cart_content"),
    ]

    operations = [
        migrations.CreateModel(
            name="Reconciliation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("started_at", models.DateTimeField()),
                (
                    "finished_at",
                    models.DateTimeField(
                        blank=True,
                        db_index=True,
                        help_text="Empty when Stripe could not be asked to the end.",
                        null=True,
                    ),
                ),
                ("differences", models.PositiveIntegerField(default=0)),
            ],
            options={
                "ordering": ["-started_at", "-pk"],
            },
        ),
    ]
