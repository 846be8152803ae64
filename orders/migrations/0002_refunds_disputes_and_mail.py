"""Refunds, disputes, the inbox's retries and more letters; what is there already is filled in."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F


def fill_in(apps, schema_editor):
    """Until now nothing was taxed, so what was agreed is what was taken; receipts tell of an order."""
    apps.get_model("orders", "Payment").objects.filter(status="paid").update(
        captured_pennies=F("amount_pennies")
    )
    mails = apps.get_model("orders", "OutboxMail").objects
    for mail in mails.only("dedupe_key").iterator():
        mails.filter(pk=mail.pk).update(fact=mail.dedupe_key.split(":")[1])


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0001_orders"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="dispute",
            options={"ordering": ["opened_at", "pk"]},
        ),
        migrations.AlterModelOptions(
            name="order",
            options={
                "ordering": ["-created_at", "-pk"],
                "permissions": [
                    ("refund_order", "Can refund orders"),
                    ("check_order", "Can check orders with Stripe"),
                ],
            },
        ),
        migrations.AlterModelOptions(
            name="orderanomaly",
            options={
                "ordering": ["-created_at", "-pk"],
                "permissions": [("resolve_orderanomaly", "Can mark order anomalies as dealt with")],
                "verbose_name_plural": "order anomalies",
            },
        ),
        migrations.AlterModelOptions(
            name="outboxmail",
            options={
                "ordering": ["-created_at", "-pk"],
                "permissions": [("resend_outboxmail", "Can have mail sent again")],
            },
        ),
        migrations.AlterModelOptions(
            name="refund",
            options={"ordering": ["created_at", "pk"]},
        ),
        migrations.AlterModelOptions(
            name="stripeevent",
            options={
                "ordering": ["-received_at", "-pk"],
                "permissions": [("retry_stripeevent", "Can try Stripe events again")],
            },
        ),
        migrations.RemoveIndex(
            model_name="stripeevent",
            name="stripe_event_by_status",
        ),
        migrations.AddField(
            model_name="orderanomaly",
            name="resolved_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="outboxmail",
            name="fact",
            field=models.CharField(
                default="",
                help_text="The business id it tells of: an order, a payment, a refund.",
                max_length=150,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="outboxmail",
            name="requested_by",
            field=models.ForeignKey(
                blank=True,
                help_text="Who had it sent again.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="payment",
            name="captured_pennies",
            field=models.BigIntegerField(
                blank=True,
                help_text="What Stripe took, tax included; empty until it is paid.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="note",
            field=models.CharField(
                blank=True, help_text="For staff; buyers never see it.", max_length=300
            ),
        ),
        migrations.AddField(
            model_name="stripeevent",
            name="next_attempt_at",
            field=models.DateTimeField(
                blank=True, help_text="Not before this; while it is handled, its lease.", null=True
            ),
        ),
        migrations.AddField(
            model_name="stripeevent",
            name="order",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="stripe_events",
                to="orders.order",
            ),
        ),
        migrations.AlterField(
            model_name="outboxmail",
            name="status",
            field=models.CharField(
                choices=[
                    ("queued", "Waiting"),
                    ("sent", "Sent"),
                    ("failed", "Given up"),
                    ("skipped", "Overtaken by events"),
                ],
                default="queued",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="payment",
            name="amount_pennies",
            field=models.BigIntegerField(help_text="What was agreed, before tax on top."),
        ),
        migrations.AlterField(
            model_name="refund",
            name="failure",
            field=models.CharField(blank=True, help_text="Why it did not succeed.", max_length=300),
        ),
        migrations.AlterField(
            model_name="refund",
            name="reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("requested_by_customer", "The buyer asked for it"),
                    ("duplicate", "Paid twice"),
                    ("fraudulent", "Fraud"),
                ],
                max_length=40,
            ),
        ),
        migrations.AlterField(
            model_name="refund",
            name="status",
            field=models.CharField(
                choices=[
                    ("requested", "Being sent to Stripe"),
                    ("pending", "On its way"),
                    ("requires_action", "Waiting for the buyer"),
                    ("succeeded", "Refunded"),
                    ("failed", "Failed"),
                    ("canceled", "Cancelled"),
                ],
                default="requested",
                max_length=20,
            ),
        ),
        migrations.AddIndex(
            model_name="stripeevent",
            index=models.Index(fields=["status", "next_attempt_at"], name="stripe_event_due"),
        ),
        migrations.RunPython(fill_in, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "paid"), _negated=True),
                    ("captured_pennies__gte", 0),
                    _connector="OR",
                ),
                name="payment_paid_has_captured",
            ),
        ),
    ]
