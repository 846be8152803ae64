"""`expand[]`: ids replaced by the objects they name, with one query per level of a path.

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
_REFUNDS_INCLUDED = 10


def expand(data: Json, paths: list[str]) -> Json:
    """A copy of `data` with every path of `paths` expanded; ApiError for what cannot be."""
    for path in paths:
        names = path.split(".")
        if len(names) > _MAX_DEPTH:
            message = f"You cannot expand more than {_MAX_DEPTH} levels of a property: {path}."
            raise ApiError(message, param="expand")
        [data] = _expanded([data], names, path)
    return data


def _expanded(siblings: list[Json], names: list[str], path: str) -> list[Json]:
    """Copies of objects of one kind with `names` expanded in each."""
    if not siblings:
        return []
    name, rest = names[0], names[1:]
    if siblings[0]["object"] == "list" and name == "data" and rest:
        return [{**one, "data": _expanded(one["data"], rest, path)} for one in siblings]
    children = _children(siblings, name, path)
    if rest:
        deeper = iter(_expanded([child for child in children if child is not None], rest, path))
        children = [None if child is None else next(deeper) for child in children]
    return [{**one, name: child} for one, child in zip(siblings, children, strict=True)]


def _children(siblings: list[Json], name: str, path: str) -> list[Json | None]:
    """What `name` stands for in each; null stays null, and what is expanded already stays so."""
    kind = siblings[0]["object"]
    if (kind, name) == ("checkout.session", "line_items"):
        return [*_first_lines([one["id"] for one in siblings])]
    if (kind, name) == ("charge", "refunds"):
        return [_refunds(one["id"]) for one in siblings]
    child_kind = _REFERENCES.get(kind, {}).get(name)
    if child_kind is None:
        raise ApiError(f"This property cannot be expanded ({path}).", param="expand")
    values = [one.get(name) for one in siblings]
    found = store.several(child_kind, {value for value in values if isinstance(value, str)})
    return [found[value] if isinstance(value, str) else value for value in values]


def _first_lines(session_ids: list[str]) -> list[Json]:
    """Only the first handful, as Stripe does: the whole list has an URL of its own."""
    sessions = SandboxObject.objects.filter(object_id__in=session_ids)
    items = dict(sessions.values_list("object_id", "hidden__line_items"))
    return [_lines_of(session_id, items[session_id]) for session_id in session_ids]


def _lines_of(session_id: str, items: list[Json]) -> Json:
    lines, has_more = page_of_items(items, {"limit": LINE_ITEMS_INCLUDED})
    return as_list(lines, url=f"/v1/checkout/sessions/{session_id}/line_items", has_more=has_more)


def _refunds(charge_id: str) -> Json:
    rows = store.of_charge(SandboxObject.objects.filter(kind="refund"), charge_id).order_by("-pk")
    found = [row.data for row in rows[: _REFUNDS_INCLUDED + 1]]
    return as_list(
        found[:_REFUNDS_INCLUDED],
        url=f"/v1/refunds?charge={charge_id}",
        has_more=len(found) > _REFUNDS_INCLUDED,
    )
