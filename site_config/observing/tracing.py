"""Traces by OpenTelemetry, once OTEL_EXPORTER_OTLP_ENDPOINT says where to; nothing is imported otherwise.

The libraries that watch Django, the database, Redis and calls to others write down more than may leave the
shop. What is sent is a list: names of routes, kinds, statuses, statements without their values.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

SERVICE = "digital-downloads"
# Attributes that may be sent: none holds an address, a person or a value. Old and new names of conventions.
SENT = frozenset(
    "http.method http.request.method http.status_code http.response.status_code http.route http.scheme "
    "http.flavor url.scheme network.protocol.version error.type db.system db.system.name db.name "
    "db.namespace db.operation db.operation.name db.redis.args_length rpc.system rpc.system.name "
    "rpc.service rpc.method aws.region shop.request_id shop.order shop.task exception.type "
    "code.function".split()
)
STATEMENTS = frozenset({"db.statement", "db.query.text"})
LITERALS = re.compile(r"'(?:[^']|'')*'|\b\d[\d.]*\b")


def start() -> None:
    """Raises ImproperlyConfigured when the packages are not there."""
    if not settings.OTLP_ENDPOINT:
        return
    try:
        _start(settings.OTLP_ENDPOINT)
    except ImportError as error:
        raise ImproperlyConfigured(
            "OTEL_EXPORTER_OTLP_ENDPOINT needs: pip install -r requirements-observing.txt"
        ) from error


def without_values(statement: str) -> str:
    """Texts and numbers that stand in a statement itself become question marks."""
    return LITERALS.sub("?", statement)


def scrubbed(attributes: Any) -> dict[str, Any]:
    """What of a span's attributes may be sent."""
    known = dict(attributes or {})
    kept = {name: known[name] for name in SENT & known.keys()}
    return kept | {name: without_values(str(known[name])) for name in STATEMENTS & known.keys()}


def _start(endpoint: str) -> None:
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from site_config.observing.spans import Scrubbing
    from store_api.conditional import release

    # Not `Resource.create`: it adds what it finds out about the machine and the command that was typed.
    about = Resource({SERVICE_NAME: SERVICE, SERVICE_VERSION: release()[:12]})
    provider = TracerProvider(resource=about)
    exporter: SpanExporter = OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(Scrubbing(exporter)))
    trace.set_tracer_provider(provider)
    _watch()


def _watch() -> None:
    from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
    from opentelemetry.instrumentation.django import DjangoInstrumentor
    from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
    from opentelemetry.instrumentation.redis import RedisInstrumentor
    from opentelemetry.instrumentation.requests import RequestsInstrumentor

    DjangoInstrumentor().instrument(response_hook=_name_request)
    PsycopgInstrumentor().instrument(skip_dep_check=True)  # it asks for another name of the package
    RequestsInstrumentor().instrument()
    BotocoreInstrumentor().instrument()
    RedisInstrumentor().instrument()


def _name_request(span: Any, request: Any, response: Any) -> None:
    """The same words as in the log, so that a trace finds its lines."""
    from site_config.observing.logs import about

    for name, value in about().items():
        span.set_attribute(f"shop.{name}", value)
