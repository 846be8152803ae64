"""One line for each record of the log: as JSON for programs, plain for people.

A line holds the fields that are named here and no others: what libraries attach to a record (Django: the
whole request) stays where it is. An address is written as the name of its route; what a message quotes goes
through the net of `redaction`.
"""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest

from orders.log_context import named_order
from site_config.observing.redaction import redacted
from site_config.observing.tasks import current_task
from store_api import request_ids

# Written by this package from words of the code alone, for each request: there is nothing to look for.
OUR_WORDS = frozenset({"shop.access", "shop.tasks"})
OUR_ID = re.compile(r"[0-9a-f]{32}")
# What whoever logs may attach (`extra`), in the order in which it is written.
FIELDS = ("method", "route", "status", "duration_ms", "user", "task_name")
as_json = json.JSONEncoder(
    default=str
).encode  # one for all lines: making it takes longer than using it


class JsonLines(logging.Formatter):
    """`time` is UTC (RFC 3339); fields without a value are left out; a traceback is one string."""

    def format(self, record: logging.LogRecord) -> str:
        attached = record.__dict__
        line: dict[str, Any] = {
            "time": moment_of(record),
            "level": record.levelname,
            "logger": record.name,
            "message": message_of(record)
            if record.name in OUR_WORDS
            else redacted(message_of(record)),
            **about(),
            **{name: attached[name] for name in FIELDS if attached.get(name) is not None},
        }
        if traceback := traceback_of(self, record):
            line["traceback"] = redacted(traceback)
        return as_json(line)


class PlainLines(logging.Formatter):
    """Moment, level, request, logger, message; a traceback follows in lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        known = about()
        order = f" [{known['order']}]" if "order" in known else ""
        line = (
            f"{moment_of(record)} {record.levelname} {known.get('request_id', request_ids.NONE)} "
            f"{record.name} {redacted(message_of(record))}{order}"
        )
        traceback = traceback_of(self, record)
        return f"{line}\n{redacted(traceback)}" if traceback else line


def about() -> dict[str, str]:
    """What this thread is busy with: the request, the order, the task."""
    found = {"order": named_order(), "task": current_task()}
    if (request_id := request_ids.current()) != request_ids.NONE:
        is_ours = OUR_ID.fullmatch(request_id)  # else a caller has chosen it
        found["request_id"] = request_id if is_ours else redacted(request_id)
    return {name: value for name, value in found.items() if value}


def moment_of(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def message_of(record: logging.LogRecord) -> str:
    """Django names the address that it could not serve, which may hold a guest's link."""
    request = getattr(record, "request", None)
    if not isinstance(request, HttpRequest) or not isinstance(record.args, tuple):
        return record.getMessage()
    # Django's handlers reach this file by the settings, before there are models; routes look at those.
    from site_config.observing.routes import route_of

    address = {request.path, request.path_info, request.get_full_path()}
    args = tuple(route_of(request) if arg in address else arg for arg in record.args)
    return record.msg % args if args else str(record.msg)


def traceback_of(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    if record.exc_info and not record.exc_text:
        record.exc_text = formatter.formatException(record.exc_info)
    stack = f"\n{record.stack_info}" if record.stack_info else ""
    return f"{record.exc_text or ''}{stack}".strip()
