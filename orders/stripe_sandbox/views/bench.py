"""The bench: everything the sandbox knows on one page, whole or narrowed to one session."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from django.contrib import messages
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_safe

from orders.stripe_sandbox import actions, controls
from orders.stripe_sandbox.common import Json
from orders.stripe_sandbox.currencies import display, typed
from orders.stripe_sandbox.errors import ApiError
from orders.stripe_sandbox.models import SandboxDelivery, SandboxEvent, SandboxObject
from orders.stripe_sandbox.pages import page_of_rows
from orders.stripe_sandbox.views.guards import OBJECT_ID, sandbox_only

_ROWS = 25
_Objects: TypeAlias = QuerySet[SandboxObject]


@dataclass(frozen=True)
class _Page:
    """Some rows, and the cursor with which the older ones are asked for ("" when there are none)."""

    rows: list[Any]
    older: str


@sandbox_only
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """`?session=` narrows everything to one; `?older_sessions=`, `?older_events=` turn the page."""
    actions.expire_due()
    asked = request.GET.get("session", "").strip()
    chosen = _chosen(asked)
    sessions = _page(request, "older_sessions", _sessions(chosen), "object_id")
    events = _page(request, "older_events", _events(chosen), "event_id")
    if asked and not sessions.rows:
        messages.error(request, "There is no session with this id.")
    intents = [row.payment_intent for row in sessions.rows if row.payment_intent]
    page = {
        "asked": asked[:255],
        "chosen": asked if asked and sessions.rows else "",
        "controls": controls.current(),
        "api_states": controls.Api.choices,
        "refund_courses": controls.Refunds.choices,
        "sessions": _Page(_shown_sessions(sessions.rows, intents), sessions.older),
        "refunds": _shown("refund", None if chosen is None else intents),
        "disputes": _shown("dispute", None if chosen is None else intents),
        "events": _Page([_shown_event(row) for row in events.rows], events.older),
    }
    return render(request, "stripe_sandbox/index.html", page)


def _chosen(asked: str) -> str | None:
    """The session to show: None for all of them, "" for one that cannot exist."""
    if not asked:
        return None
    return asked if OBJECT_ID.fullmatch(asked) else ""


def _sessions(chosen: str | None = None) -> _Objects:
    rows = SandboxObject.objects.filter(kind="checkout.session")
    return rows if chosen is None else rows.filter(object_id=chosen)


def _events(chosen: str | None) -> QuerySet[SandboxEvent]:
    deliveries = Prefetch("deliveries", SandboxDelivery.objects.order_by("pk"))
    rows = SandboxEvent.objects.prefetch_related(deliveries)
    return rows if chosen is None else rows.filter(subject=chosen)


def _page(request: HttpRequest, name: str, rows: QuerySet[Any], id_field: str) -> _Page:
    """The page that the parameter `name` asks for, the newest when it names nothing."""
    cursor = request.GET.get(name, "")
    params: Json = {"limit": _ROWS}
    if OBJECT_ID.fullmatch(cursor):
        params["starting_after"] = cursor
    try:
        found, has_more = page_of_rows(rows, params, id_field=id_field)
    except ApiError:
        found, has_more = page_of_rows(rows, {"limit": _ROWS}, id_field=id_field)
    return _Page(found, getattr(found[-1], id_field) if has_more else "")


def _shown_sessions(rows: list[SandboxObject], intents: list[str]) -> list[Json]:
    payments = SandboxObject.objects.filter(
        kind__in=("payment_intent", "charge"), object_id__in=_payment_ids(intents)
    )
    found = {row.object_id: row.data for row in payments}
    return [_shown_session(row, found) for row in rows]


def _payment_ids(intents: list[str]) -> set[str]:
    """The intents and the charge that each of them ended with."""
    rows = SandboxObject.objects.filter(kind="payment_intent", object_id__in=intents)
    charges = rows.values_list("data__latest_charge", flat=True)
    return {*intents, *(charge for charge in charges if charge)}


def _shown_session(row: SandboxObject, payments: dict[str, Json]) -> Json:
    session, currency = row.data, row.data["currency"]
    intent = payments.get(row.payment_intent)
    charge = payments.get(intent["latest_charge"] or "") if intent else None
    rest = charge["amount"] - charge["amount_refunded"] if charge and charge["paid"] else 0
    return {
        "id": row.object_id,
        "reference": session["client_reference_id"],
        "created": _moment(session["created"]),
        "status": session["status"],
        "payment_status": session["payment_status"],
        "total": display(session["amount_total"], currency),
        "intent": intent,
        "charge": charge,
        "refunded": display(charge["amount_refunded"], currency) if charge else "",
        "rest": typed(rest, currency) if rest else "",
        "rest_shown": display(rest, currency),
        "currency": currency.upper(),
        "is_processing": intent is not None and intent["status"] == "processing",
    }


def _shown(kind: str, intents: list[str] | None) -> list[Json]:
    """The latest refunds or disputes: of these payments, or of all when `intents` is None."""
    rows = SandboxObject.objects.filter(kind=kind)
    if intents is not None:
        rows = rows.filter(payment_intent__in=intents)
    latest = list(rows.order_by("-created", "-pk")[:_ROWS])
    sessions = _sessions_of(row.payment_intent for row in latest)
    return [
        {
            **row.data,
            "shown_amount": display(row.data["amount"], row.data["currency"]),
            "moment": _moment(row.created),
            "session": sessions.get(row.payment_intent, ""),
        }
        for row in latest
    ]


def _sessions_of(intents: Iterable[str]) -> dict[str, str]:
    rows = _sessions().filter(payment_intent__in={*intents})
    return dict(rows.values_list("payment_intent", "object_id"))


def _shown_event(row: SandboxEvent) -> Json:
    return {
        "id": row.event_id,
        "type": row.type,
        "subject": row.subject,
        "moment": _moment(row.created),
        "deliveries": [_shown_delivery(delivery) for delivery in row.deliveries.all()],
    }


def _shown_delivery(row: SandboxDelivery) -> Json:
    log = [{**note, "at": parse_datetime(note["at"])} for note in reversed(row.log)]
    return {
        "pk": row.pk,
        "status": row.status,
        "is_pending": row.status == SandboxDelivery.Status.PENDING,
        "attempts": row.attempts,
        "next_attempt_at": row.next_attempt_at,
        "last_status": row.last_status,
        "last_error": row.last_error,
        "log": log,
    }


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)
