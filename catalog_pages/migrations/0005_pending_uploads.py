import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import catalog_pages.models.assets


class Migration(migrations.Migration):
    dependencies = [
        ("catalog_pages", "0004_download_limit_and_fixity"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PendingUpload",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "file_name",
                    models.CharField(
                        max_length=255, validators=[catalog_pages.models.assets.validate_file_name]
                    ),
                ),
                ("size_bytes", models.BigIntegerField(help_text="As the browser declared it.")),
                (
                    "fingerprint",
                    models.CharField(
                        help_text="SHA-256 of the file's name, size and date: it is chosen again.",
                        max_length=64,
                    ),
                ),
                ("piece_bytes", models.PositiveIntegerField()),
                (
                    "received_bytes",
                    models.BigIntegerField(
                        default=0, help_text="When last looked; the storage itself knows better."
                    ),
                ),
                (
                    "multipart_id",
                    models.CharField(
                        blank=True,
                        help_text="The bucket's own name for it.",
                        max_length=512,
                        null=True,
                        unique=True,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("receiving", "arriving"),
                            ("checking", "being checked"),
                            ("stored", "stored"),
                            ("duplicate", "already here"),
                            ("refused", "refused"),
                            ("failed", "given up"),
                        ],
                        default="receiving",
                        max_length=10,
                    ),
                ),
                ("sentence", models.TextField(blank=True)),
                (
                    "holds_bytes",
                    models.BooleanField(
                        default=True, help_text="False once its bytes are an asset's, or are gone."
                    ),
                ),
                (
                    "claim",
                    models.UUIDField(help_text="Of the task that is checking it.", null=True),
                ),
                ("claimed_at", models.DateTimeField(null=True)),
                (
                    "attempts",
                    models.PositiveSmallIntegerField(
                        default=0, help_text="Claims that never came to an end."
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "touched_at",
                    models.DateTimeField(help_text="When something last happened to it."),
                ),
                (
                    "asset",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="catalog_pages.digitalasset",
                    ),
                ),
                (
                    "uploaded_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
                "indexes": [
                    models.Index(fields=["state", "touched_at"], name="upload_oldest_first")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("size_bytes__gt", 0)), name="upload_has_bytes"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("received_bytes__gte", 0),
                            ("received_bytes__lte", models.F("size_bytes")),
                        ),
                        name="upload_received_within_size",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("piece_bytes__gt", 0)), name="upload_piece_has_bytes"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("fingerprint__regex", "^[0-9a-f]{64}$")),
                        name="upload_fingerprint_is_hex",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("file_name__contains", "/"), _negated=True),
                            models.Q(("file_name__contains", "\\"), _negated=True),
                        ),
                        name="upload_file_name_is_plain",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "receiving",
                                    "checking",
                                    "stored",
                                    "duplicate",
                                    "refused",
                                    "failed",
                                ],
                            )
                        ),
                        name="upload_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", "receiving"),
                            ("state", "failed"),
                            ("received_bytes", models.F("size_bytes")),
                            _connector="OR",
                        ),
                        name="upload_is_checked_when_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("asset__isnull", False), ("state__in", ["stored", "duplicate"])
                            ),
                            models.Q(
                                models.Q(("state__in", ["stored", "duplicate"]), _negated=True),
                                ("asset__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="upload_has_asset_when_kept",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ["receiving", "checking"]), _negated=True),
                            ("holds_bytes", True),
                            _connector="OR",
                        ),
                        name="upload_unfinished_holds_bytes",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", "checking"), ("claim__isnull", True), _connector="OR"
                        ),
                        name="upload_claimed_while_checking",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["receiving", "checking"])),
                        fields=("uploaded_by", "fingerprint"),
                        name="upload_once_while_unfinished",
                    ),
                ],
            },
        ),
    ]
