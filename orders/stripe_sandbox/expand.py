"""`expand[]`: ids replaced by the objects they name.

Source: https://docs.stripe.com/expand (at most four levels; `data.` for the entries of a list)
"""

from __future__ import annotations

from orders.stripe_sandbox import store
from orders.stripe_sandbox.common import Json
from orders.stripe_sandbox.constants import LINE_ITEMS_INCLUDED
from orders.stripe_sandbox.errors import ApiError
from orders.stripe_sandbox.models import SandboxObject
from orders.stripe_sandbox.pages import as_list, page_of_items

_PAYMENT_FIELDS = {"charge": "charge", "payment_intent": "payment_intent"}
_REFERENCES = {
    "charge": {
        "customer": "customer",
        "payment_intent": "payment_intent",
    },
    "checkout.session": {"customer": "customer", "payment_intent": "payment_intent"},
    "dispute": _PAYMENT_FIELDS,
    "payment_intent": {
        "customer": "customer",
        "latest_charge": "charge",
        "payment_method": "payment_method",
    },
    "refund": {**_PAYMENT_FIELDS, "payment_method": "payment_method"},
}
_MAX_DEPTH = 4


def expand(data: Json, paths: list[str]) -> Json:
    """A copy of `data` with every path of `paths` expanded; ApiError for what cannot be."""
    for path in paths:
        names = path.split(".")
        if len(names) > _MAX_DEPTH:
            message = f"You cannot expand more than {_MAX_DEPTH} levels of a property: {path}."
            raise ApiError(message, param="expand")
        data = _with(data, names, path)
    return data


def _with(data: Json, names: list[str], path: str) -> Json:
    name, rest = names[0], names[1:]
    if data["object"] == "list" and name == "data" and rest:
        return {**data, "data": [_with(entry, rest, path) for entry in data["data"]]}
    child = _child(data, name, path)
    if rest and child is not None:
        child = _with(child, rest, path)
    return {**data, name: child}


def _child(data: Json, name: str, path: str) -> Json | None:
    if (data["object"], name) == ("checkout.session", "line_items"):
        return _first_lines(data["id"])
    if (data["object"], name) == ("charge", "refunds"):
        return _refunds(data["id"])
    kind = _REFERENCES.get(data["object"], {}).get(name)
    if kind is None:
        raise ApiError(f"This property cannot be expanded ({path}).", param="expand")
    value = data.get(name)
    if isinstance(value, str):
        shown: Json = store.get(kind, value).data
        return shown
    return value


def _first_lines(session_id: str) -> Json:
    """Only the first handful, as Stripe does: the whole list has an URL of its own."""
    items = store.get("checkout.session", session_id).hidden["line_items"]
    lines, has_more = page_of_items(items, {"limit": LINE_ITEMS_INCLUDED})
    return as_list(lines, url=f"/v1/checkout/sessions/{session_id}/line_items", has_more=has_more)


def _refunds(charge_id: str) -> Json:
    rows = SandboxObject.objects.filter(kind="refund", data__charge=charge_id).order_by("-pk")
    refunds = [row.data for row in rows[:10]]
    return as_list(refunds, url=f"/v1/refunds?charge={charge_id}", has_more=len(rows) > 10)
