"""What is seen of the shop from outside: its log, its figures, and where traces and faults are sent."""

from __future__ import annotations

from typing import Any

from site_config.settings.loaded import CONFIG

METRICS_TOKEN = CONFIG.metrics_token
OTLP_ENDPOINT = CONFIG.otlp_endpoint
SENTRY_DSN = CONFIG.sentry_dsn
CSRF_FAILURE_VIEW = "site_config.observing.refusals.csrf_failure"

_TO_STDERR = {"class": "logging.StreamHandler", "formatter": CONFIG.log_format}
# One line for each request and each task: where a person watches a terminal they would hide what matters.
_ROUTINE = "INFO" if CONFIG.log_format == "json" else "WARNING"
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {"()": "site_config.observing.logs.JsonLines"},
        "plain": {"()": "site_config.observing.logs.PlainLines"},
    },
    "handlers": {
        "console": _TO_STDERR,
        "warnings": {**_TO_STDERR, "level": "WARNING"},
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "shop.access": {"level": _ROUTINE},
        "shop.tasks": {"level": _ROUTINE},
        # The worker sets this logger's level itself, so its handler decides: failures, not routine.
        "django_tasks": {"handlers": ["warnings"], "propagate": False},
        "wagtail": {"level": "WARNING"},  # its history is in the admin; progress bars stay readable
        # These write down what they send, keys and customers included.
        **{name: {"level": "WARNING"} for name in ("stripe", "boto3", "botocore", "s3transfer")},
        **{name: {"level": "WARNING"} for name in ("urllib3", "oauthlib", "opentelemetry")},
    },
}
