from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="IdempotentRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "key_digest",
                    models.CharField(help_text="Of the caller and the key.", max_length=64),
                ),
                (
                    "fingerprint",
                    models.CharField(
                        help_text="Of what was asked: method, address, secrets brought along, and body.",
                        max_length=64,
                    ),
                ),
                (
                    "answer",
                    models.BinaryField(
                        blank=True, help_text="Encrypted. None while under way.", null=True
                    ),
                ),
                ("started_at", models.DateTimeField(db_index=True)),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("key_digest",), name="idempotency_key_works_once"
                    )
                ],
            },
        ),
    ]
