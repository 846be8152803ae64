"""A shop on this machine whose events are delivered when a test says so."""

from site_config.settings.dev import *  # noqa: F403

ALLOWED_HOSTS = ["*"]
STRIPE_SANDBOX_DELIVERY = "manual"
STRIPE_HURRY_SECONDS = 60
TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
LOGGING = {"version": 1, "disable_existing_loggers": True}
