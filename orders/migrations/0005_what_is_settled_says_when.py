"""Statuses and the facts that they imply are kept together by the database."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0004_reconciliation"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_pennies__gte", 0)), name="dispute_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="orderanomaly",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("resolved_by__isnull", True), ("resolved_at__isnull", False), _connector="OR"
                ),
                name="anomaly_resolved_by_means_resolved",
            ),
        ),
        migrations.AddConstraint(
            model_name="outboxmail",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("sent_at__isnull", False), ("status", "sent")),
                    models.Q(
                        models.Q(("status", "sent"), _negated=True), ("sent_at__isnull", True)
                    ),
                    _connector="OR",
                ),
                name="outbox_sent_has_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ("requested", "failed")),
                    ("stripe_refund_id__isnull", False),
                    _connector="OR",
                ),
                name="refund_decided_has_stripe_id",
            ),
        ),
        migrations.AddConstraint(
            model_name="stripeevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("handled_at__isnull", False), ("status__in", ("handled", "ignored"))),
                    models.Q(
                        models.Q(("status__in", ("handled", "ignored")), _negated=True),
                        ("handled_at__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="stripe_event_settled_has_time",
            ),
        ),
    ]
