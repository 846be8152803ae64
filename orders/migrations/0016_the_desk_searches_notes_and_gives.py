"""What the desk's lists are sorted, narrowed and searched by, notes of staff, and free copies.

Beginnings of words are looked up in small letters; only PostgreSQL needs an index of its own for that.
SQLite rebuilds a table that a later migration alters, and forgets its triggers: make those of the notes
again then. A test looks whether they are there.
"""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# name -> table and column
BEGINNINGS = {
    "order_email_begins": ("orders_order", "email"),
    "order_item_title_begins": ("orders_orderitem", "title"),
    "gift_recipient_begins": ("orders_giftcode", "recipient_email"),
    "gift_redeemer_begins": ("orders_giftcode", "redeemed_email"),
    "outbox_address_begins": ("orders_outboxmail", "to_email"),
}
WORDS = "id, order_id, text, created_at"
SQLITE = (
    f"""
CREATE TRIGGER order_note_is_append_only BEFORE UPDATE OF {WORDS} ON orders_ordernote
BEGIN SELECT RAISE(ABORT, 'notes are append-only'); END
""",
    """
CREATE TRIGGER order_note_keeps_its_writer BEFORE UPDATE OF written_by_id ON orders_ordernote
WHEN NEW.written_by_id IS NOT NULL AND NEW.written_by_id IS NOT OLD.written_by_id
BEGIN SELECT RAISE(ABORT, 'notes are append-only'); END
""",
)
POSTGRESQL = (
    """
CREATE FUNCTION order_note_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'notes are append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$
""",
    f"""
CREATE TRIGGER order_note_is_append_only BEFORE UPDATE OF {WORDS} OR DELETE ON orders_ordernote
FOR EACH ROW EXECUTE FUNCTION order_note_is_append_only()
""",
    """
CREATE TRIGGER order_note_keeps_its_writer BEFORE UPDATE OF written_by_id ON orders_ordernote
FOR EACH ROW WHEN (NEW.written_by_id IS NOT NULL AND NEW.written_by_id IS DISTINCT FROM OLD.written_by_id)
EXECUTE FUNCTION order_note_is_append_only()
""",
)
UNDO = {
    "sqlite": (
        "DROP TRIGGER order_note_is_append_only",
        "DROP TRIGGER order_note_keeps_its_writer",
    ),
    "postgresql": (
        "DROP TRIGGER order_note_is_append_only ON orders_ordernote",
        "DROP TRIGGER order_note_keeps_its_writer ON orders_ordernote",
        "DROP FUNCTION order_note_is_append_only()",
    ),
}


def guard(apps, schema_editor):
    for statement in SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL:
        schema_editor.execute(statement, params=None)


def unguard(apps, schema_editor):
    for statement in UNDO[schema_editor.connection.vendor]:
        schema_editor.execute(statement, params=None)


def index_beginnings(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name, (table, column) in BEGINNINGS.items():
            on = f"{table} (LOWER({column}) text_pattern_ops)"
            schema_editor.execute(f"CREATE INDEX {name} ON {on}", params=None)


def forget_beginnings(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name in BEGINNINGS:
            schema_editor.execute(f"DROP INDEX {name}", params=None)


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0015_figures_by_day"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="FreeCopy",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("reason", models.CharField(max_length=300)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "verbose_name_plural": "free copies",
            },
        ),
        migrations.CreateModel(
            name="OrderNote",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("text", models.CharField(max_length=2000)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["created_at", "pk"],
            },
        ),
        migrations.CreateModel(
            name="Customer",
            fields=[],
            options={
                "verbose_name": "customer",
                "verbose_name_plural": "customers",
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("orders.order",),
        ),
        migrations.AlterModelOptions(
            name="order",
            options={
                "ordering": ["-created_at", "-pk"],
                "permissions": [
                    ("refund_order", "Can refund orders"),
                    ("check_order", "Can check orders with Stripe"),
                    ("note_order", "Can write notes on orders"),
                    ("give_order", "Can issue free copies"),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="giftcode",
            index=models.Index(fields=["redeemed_at"], name="gift_by_redemption"),
        ),
        migrations.AddIndex(
            model_name="dispute",
            index=models.Index(fields=["opened_at", "id"], name="dispute_by_time"),
        ),
        migrations.AddIndex(
            model_name="dispute",
            index=models.Index(fields=["status", "opened_at"], name="dispute_by_status"),
        ),
        migrations.AddIndex(
            model_name="dispute",
            index=models.Index(fields=["currency", "opened_at"], name="dispute_by_currency"),
        ),
        migrations.AddIndex(
            model_name="giftcode",
            index=models.Index(fields=["created_at", "id"], name="gift_by_time"),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(fields=["created_at", "id"], name="order_by_time"),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(fields=["currency", "created_at"], name="order_by_currency"),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(fields=["total_pennies", "id"], name="order_by_total"),
        ),
        migrations.AddIndex(
            model_name="outboxmail",
            index=models.Index(fields=["created_at", "id"], name="outbox_by_time"),
        ),
        migrations.AddIndex(
            model_name="outboxmail",
            index=models.Index(fields=["kind", "created_at"], name="outbox_by_kind"),
        ),
        migrations.AddIndex(
            model_name="outboxmail",
            index=models.Index(fields=["kind", "fact"], name="outbox_by_fact"),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(fields=["created_at", "id"], name="payment_by_time"),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(fields=["status", "created_at"], name="payment_by_status"),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(fields=["currency", "created_at"], name="payment_by_currency"),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(fields=["amount_pennies", "id"], name="payment_by_amount"),
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(fields=["created_at", "id"], name="refund_by_time"),
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(fields=["status", "created_at"], name="refund_by_status"),
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(fields=["currency", "created_at"], name="refund_by_currency"),
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(fields=["amount_pennies", "id"], name="refund_by_amount"),
        ),
        migrations.AddIndex(
            model_name="stripeevent",
            index=models.Index(fields=["received_at", "id"], name="stripe_event_by_time"),
        ),
        migrations.AddField(
            model_name="freecopy",
            name="about",
            field=models.ForeignKey(
                blank=True,
                help_text="The order from whose page it was given.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="free_copies_for_it",
                to="orders.order",
            ),
        ),
        migrations.AddField(
            model_name="freecopy",
            name="issued_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="freecopy",
            name="order",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="free_copy",
                to="orders.order",
            ),
        ),
        migrations.AddField(
            model_name="ordernote",
            name="order",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="notes", to="orders.order"
            ),
        ),
        migrations.AddField(
            model_name="ordernote",
            name="written_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="freecopy",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="free_copy_has_a_reason"
            ),
        ),
        migrations.AddConstraint(
            model_name="ordernote",
            constraint=models.CheckConstraint(
                condition=models.Q(("text", ""), _negated=True), name="order_note_says_something"
            ),
        ),
        migrations.RunPython(guard, unguard),
        migrations.RunPython(index_beginnings, forget_beginnings),
    ]
