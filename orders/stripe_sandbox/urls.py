"""Included at /sandbox/ when the sandbox is on; each view checks the switch again."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from orders.stripe_sandbox.views import bench, levers, payment


class ObjectIdConverter(StringConverter):
    """Letters, digits and underlines, as all of Stripe's ids."""

    regex = "[A-Za-z0-9_]{1,255}"


register_converter(ObjectIdConverter, "stripe_id")

app_name = "stripe_sandbox"
urlpatterns = [
    path("", bench.index, name="index"),
    path("pay/<stripe_id:session_id>/", payment.pay, name="pay"),
    path("controls/", levers.switch, name="controls"),
    path("sessions/<stripe_id:session_id>/expire/", levers.expire, name="expire"),
    path("sessions/<stripe_id:session_id>/settle/", levers.settle, name="settle"),
    path("sessions/<stripe_id:session_id>/refund/", levers.refund, name="refund"),
    path("sessions/<stripe_id:session_id>/dispute/", levers.dispute, name="dispute"),
    path("refunds/<stripe_id:refund_id>/settle/", levers.settle_refund, name="settle_refund"),
    path("refunds/<stripe_id:refund_id>/fail/", levers.fail_refund, name="fail_refund"),
    path("refunds/<stripe_id:refund_id>/cancel/", levers.cancel_refund, name="cancel_refund"),
    path("disputes/<stripe_id:dispute_id>/answer/", levers.answer_dispute, name="answer_dispute"),
    path(
        "disputes/<stripe_id:dispute_id>/escalate/",
        levers.escalate_dispute,
        name="escalate_dispute",
    ),
    path("disputes/<stripe_id:dispute_id>/close/", levers.close_dispute, name="close_dispute"),
    path("events/<stripe_id:event_id>/replay/", levers.replay, name="replay"),
    path("events/<stripe_id:event_id>/retell/", levers.retell, name="retell"),
    path("deliveries/<int:delivery_id>/deliver/", levers.deliver, name="deliver"),
    path("deliveries/<int:delivery_id>/drop/", levers.drop, name="drop"),
]
