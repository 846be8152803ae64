"""From the library's objects and parsed JSON to this shop's facts. No `stripe` is needed for that.

A missing attribute or a wrong type is for the caller to translate: it is no object of Stripe's then.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from orders.stripe_facts import CheckoutSession, DisputeSnapshot, Event, RefundSnapshot, SessionLine

# JSON's way to write it; after an odd number of backslashes it is only text about it.
NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def store_named_in(payload: dict[str, Any]) -> str:
    """Whose object an event is about, as its metadata says; "" when they do not say."""
    metadata = payload["data"]["object"].get("metadata")
    store = metadata.get("store") if isinstance(metadata, dict) else None
    return store if isinstance(store, str) else ""


def session_of(session: Any, further_lines: Iterable[Any] = ()) -> CheckoutSession:
    """`further_lines`: those that did not fit into the session itself."""
    intent = session.payment_intent
    charge = getattr(intent, "latest_charge", None)
    card = getattr(getattr(charge, "payment_method_details", None), "card", None)
    details = session.total_details
    return CheckoutSession(
        id=session.id,
        url=session.url or "",
        status=session.status or "",
        payment_status=session.payment_status,
        livemode=session.livemode,
        currency=(session.currency or "").upper(),
        amount_subtotal=session.amount_subtotal or 0,
        amount_discount=details.amount_discount if details else 0,
        amount_tax=details.amount_tax if details else 0,
        amount_total=session.amount_total or 0,
        created=_moment(session.created),
        expires_at=_moment(session.expires_at),
        metadata=session.metadata.to_dict() if session.metadata else {},
        payment_intent_id=_id_of(intent),
        payment_intent_status=getattr(intent, "status", "") or "",
        charge_id=_id_of(charge),
        card_brand=(getattr(card, "brand", "") or "")[:40],
        card_last4=(getattr(card, "last4", "") or "")[:4],
        lines=_lines_of(session, further_lines),
        country=_country_of(session),
    )


def _country_of(session: Any) -> str:
    """Statistics alone hang on it: whatever is no country's code is as good as nothing."""
    address = getattr(getattr(session, "customer_details", None), "address", None)
    code = getattr(address, "country", None)
    return code if isinstance(code, str) and re.fullmatch("[A-Z]{2}", code) else ""


def has_more_lines(session: Any) -> bool:
    """Whether an expanded session shows only the first of its lines."""
    listed = getattr(session, "line_items", None)
    return bool(listed is not None and listed.has_more)


def _lines_of(session: Any, further: Iterable[Any]) -> tuple[SessionLine, ...]:
    listed = getattr(session, "line_items", None)
    rest = list(further)
    if listed is None or (listed.has_more and not rest):
        return ()
    return tuple(
        SessionLine(
            amount_subtotal=line.amount_subtotal,
            amount_discount=line.amount_discount,
            amount_tax=line.amount_tax,
            amount_total=line.amount_total,
        )
        for line in [*listed.data, *rest]
    )


def refund_of(refund: Any) -> RefundSnapshot:
    return RefundSnapshot(
        id=refund.id,
        status=refund.status or "pending",
        amount=refund.amount,
        currency=refund.currency.upper(),
        payment_intent_id=_id_of(refund.payment_intent),
        charge_id=_id_of(refund.charge),
        metadata=refund.metadata.to_dict() if refund.metadata else {},
        reason=refund.reason or "",
        failure_reason=getattr(refund, "failure_reason", "") or "",
        created=_moment(refund.created),
    )


def dispute_of(dispute: Any) -> DisputeSnapshot:
    return DisputeSnapshot(
        id=dispute.id,
        status=dispute.status,
        reason=dispute.reason or "",
        amount=dispute.amount,
        currency=dispute.currency.upper(),
        livemode=dispute.livemode,
        payment_intent_id=_id_of(dispute.payment_intent),
        charge_id=_id_of(dispute.charge),
        created=_moment(dispute.created),
    )


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def _id_of(reference: Any) -> str | None:
    """The id of an expanded object, of a plain reference, or of nothing."""
    if reference is None or isinstance(reference, str):
        return reference or None
    return str(reference.id)


def storable(payload: dict[str, Any]) -> dict[str, Any]:
    """The payload, or ValueError when it holds what no database keeps: NaN, NUL, half a character."""
    text = json.dumps(payload, ensure_ascii=False, allow_nan=False)
    text.encode()
    if NUL.search(text):
        raise ValueError("a NUL character")
    return payload


def event_of(payload: dict[str, Any]) -> Event:
    subject = payload["data"]["object"]
    if not (isinstance(payload["id"], str) and isinstance(payload["type"], str) and payload["id"]):
        raise ValueError("an event has an id and a type")
    if not isinstance(payload["livemode"], bool):
        raise TypeError("livemode is a boolean")
    return Event(
        id=payload["id"][:255],
        type=payload["type"][:100],
        livemode=payload["livemode"],
        api_version=str(payload.get("api_version") or "")[:40],
        created=_moment(int(payload["created"])),
        object_id=str(subject.get("id") or "")[:255],
        payload=payload,
    )
