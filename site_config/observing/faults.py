"""Faults by Sentry, once SENTRY_DSN says where to; nothing of it is imported otherwise.

A report is made anew of what may be known: the exception's type and words through the net, the lines of
code it came by without their variables, and the words by which the log is found. No request, no person, no
machine.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from site_config.observing.redaction import redacted

KEPT = ("event_id", "timestamp", "level", "platform", "logger", "release", "environment", "sdk")
FRAME = (
    "filename",
    "module",
    "function",
    "lineno",
    "in_app",
    "context_line",
    "pre_context",
    "post_context",
)


def start() -> None:
    """Raises ImproperlyConfigured when the package is not there."""
    if not settings.SENTRY_DSN:
        return
    try:
        _start(settings.SENTRY_DSN)
    except ImportError as error:
        raise ImproperlyConfigured(
            "SENTRY_DSN needs: pip install -r requirements-observing.txt"
        ) from error


def reported(event: Any, hint: Any = None) -> Any:
    """What is sent of an event."""
    from site_config.observing.logs import about

    kept = {name: event[name] for name in KEPT if name in event}
    if entry := event.get("logentry"):
        kept["logentry"] = {"message": redacted(_message_of(entry, hint))}
    if "exception" in event:
        kept["exception"] = {"values": [_exception(one) for one in event["exception"]["values"]]}
    kept["tags"] = about()
    return kept


def _start(dsn: str) -> None:
    import sentry_sdk
    from sentry_sdk.integrations.django import DjangoIntegration
    from sentry_sdk.integrations.logging import LoggingIntegration

    from store_api.conditional import release

    sentry_sdk.init(
        dsn=dsn,
        release=release()[:12],
        environment=settings.CONFIG.host,
        server_name="-",
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        auto_enabling_integrations=False,
        integrations=[DjangoIntegration(middleware_spans=False), LoggingIntegration(level=None)],
        auto_session_tracking=False,
        before_send=reported,
        before_send_transaction=lambda event, hint: None,
    )


def _message_of(entry: Any, hint: Any) -> str:
    """Django's lines name addresses: the log's own way to write them is used."""
    from site_config.observing.logs import message_of

    record = (hint or {}).get("log_record")
    return (
        message_of(record)
        if record is not None
        else str(entry.get("formatted") or entry.get("message"))
    )


def _exception(one: Any) -> dict[str, Any]:
    frames = (one.get("stacktrace") or {}).get("frames") or []
    return {
        "type": one.get("type"),
        "module": one.get("module"),
        "value": redacted(str(one.get("value") or "")),
        "mechanism": {
            "type": (one.get("mechanism") or {}).get("type", "generic"),
            "handled": False,
        },
        "stacktrace": {
            "frames": [{name: frame[name] for name in FRAME if name in frame} for frame in frames]
        },
    }
