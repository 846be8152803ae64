"""The buttons of the bench. Each calls one function of `actions` or `controls` and says so."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from orders.stripe_sandbox import actions, controls, store
from orders.stripe_sandbox.common import Json, now
from orders.stripe_sandbox.constants import DAY
from orders.stripe_sandbox.currencies import display, parse
from orders.stripe_sandbox.errors import StateError
from orders.stripe_sandbox.models import SandboxDelivery, SandboxEvent
from orders.stripe_sandbox.views.guards import lever

_DISPUTES = {"dispute": "needs_response", "inquiry": "warning_needs_response"}
_WRONG_SECRET = "whsec_wrong"  # noqa: S105  # nosec B105  # wrong on purpose


@lever
def expire(_request: HttpRequest, session_id: str) -> str:
    actions.expire(session_id)
    return "The session has expired."


@lever
def settle(request: HttpRequest, session_id: str) -> str:
    """The bank's answer to a delayed payment."""
    succeeds = _succeeds(request)
    actions.settle(session_id, succeeds=succeeds)
    return "The delayed payment arrived." if succeeds else "The delayed payment failed."


@lever
def refund(request: HttpRequest, session_id: str) -> str:
    """The amount that was typed, or the whole rest; `course` pending makes it wait."""
    currency = store.get("checkout.session", session_id, param="session").data["currency"]
    typed = request.POST.get("amount", "").strip()
    amount = parse(typed, currency) if typed else None
    pending = request.POST.get("course") == "pending"
    made = actions.refund(session_id, amount=amount, pending=pending)
    return f"Refund of {_amount(made)}: {made['status']}."


@lever
def dispute(request: HttpRequest, session_id: str) -> str:
    kind = request.POST.get("kind", "")
    if kind not in _DISPUTES:
        raise StateError("Choose a dispute or an inquiry.")
    made = actions.open_dispute(session_id, status=_DISPUTES[kind])
    return f"The buyer's bank opened {_with_article(kind)} about {_amount(made)}."


@lever
def settle_refund(request: HttpRequest, refund_id: str) -> str:
    made = actions.settle_refund(refund_id, succeeds=_succeeds(request))
    return f"The refund of {_amount(made)} is now {made['status']}."


@lever
def fail_refund(_request: HttpRequest, refund_id: str) -> str:
    made = actions.fail_refund(refund_id)
    return f"The buyer's bank sent {_amount(made)} back."


@lever
def cancel_refund(_request: HttpRequest, refund_id: str) -> str:
    made = actions.cancel_refund(refund_id)
    return f"The refund of {_amount(made)} is called off."


@lever
def answer_dispute(_request: HttpRequest, dispute_id: str) -> str:
    made = actions.respond_to_dispute(dispute_id)
    return f"The evidence is with the bank; the dispute is {made['status']}."


@lever
def escalate_dispute(_request: HttpRequest, dispute_id: str) -> str:
    made = actions.escalate_dispute(dispute_id)
    return f"The inquiry became a dispute; the bank took {_amount(made)}."


@lever
def close_dispute(request: HttpRequest, dispute_id: str) -> str:
    made = actions.close_dispute(dispute_id, outcome=request.POST.get("outcome", ""))
    return f"The dispute is closed: {made['status']}."


@lever
def replay(_request: HttpRequest, event_id: str) -> str:
    controls.duplicate(_event(event_id))
    return "The event is sent once more, with the same id."


@lever
def retell(_request: HttpRequest, event_id: str) -> str:
    told = controls.retell(_event(event_id))
    return f"The same fact is told again as {told.event_id}."


@lever
def deliver(request: HttpRequest, delivery_id: int) -> str:
    """One attempt now; `defect` signs it wrongly."""
    delivery = _delivery(delivery_id)
    if not controls.deliver_out_of_turn(delivery, **_defect(request.POST.get("defect", ""))):
        return "The delivery is under way; load this page again to see the answer."
    delivery.refresh_from_db()
    if delivery.last_status is None:
        return f"The shop could not be reached: {delivery.last_error}."
    return f"The shop answered {delivery.last_status}."


@lever
def drop(_request: HttpRequest, delivery_id: int) -> str:
    if not controls.drop_delivery(_delivery(delivery_id)):
        raise StateError("This delivery is no longer on its way; it cannot be dropped.")
    return "The delivery is dropped; the shop will not hear of it."


@lever
def switch(request: HttpRequest) -> str:
    """Hold or release deliveries, or change what the API does."""
    deliveries, api = request.POST.get("deliveries"), request.POST.get("api")
    course = request.POST.get("refunds")
    if deliveries == "hold":
        controls.hold()
        return "Deliveries are held."
    if deliveries == "release":
        controls.release()
        return "Deliveries are running."
    if api in controls.Api.values:
        controls.set_api(api)
        return f"The API is {controls.Api(api).label.lower()}."
    if course in controls.Refunds.values:
        controls.set_refunds(course)
        return f"Refunds asked for by the shop: {controls.Refunds(course).label.lower()}."
    raise StateError("There is no such switch.")


def _succeeds(request: HttpRequest) -> bool:
    outcome = request.POST.get("outcome")
    if outcome not in ("succeeds", "fails"):
        raise StateError("Choose whether it succeeds or fails.")
    return outcome == "succeeds"


def _defect(name: str) -> dict[str, Any]:
    """How to sign wrongly; an empty name signs rightly."""
    defects: dict[str, dict[str, Any]] = {
        "": {},
        "wrong_secret": {"secret": _WRONG_SECRET},
        "stale": {"timestamp": now() - DAY},
    }
    if name not in defects:
        raise StateError("There is no such way to sign a delivery.")
    return defects[name]


def _event(event_id: str) -> SandboxEvent:
    event = SandboxEvent.objects.filter(event_id=event_id).first()
    if event is None:
        raise StateError("There is no such event.")
    return event


def _delivery(delivery_id: int) -> SandboxDelivery:
    delivery = SandboxDelivery.objects.filter(pk=delivery_id).first()
    if delivery is None:
        raise StateError("There is no such delivery.")
    return delivery


def _amount(data: Json) -> str:
    return display(data["amount"], data["currency"])


def _with_article(kind: str) -> str:
    return "an inquiry" if kind == "inquiry" else "a dispute"
