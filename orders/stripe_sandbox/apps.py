"""Always installed, so that migrations never flap; its URLs and transport are switched."""

from django.apps import AppConfig


class StripeSandboxConfig(AppConfig):
    name = "orders.stripe_sandbox"
    label = "stripe_sandbox"
    verbose_name = "Stripe sandbox"
    default_auto_field = "django.db.models.BigAutoField"
