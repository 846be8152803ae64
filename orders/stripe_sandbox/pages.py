"""Stripe's lists: newest first, turned over by object id.

Source: https://docs.stripe.com/api/pagination
"""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Model, Q, QuerySet

from orders.stripe_sandbox.common import Json
from orders.stripe_sandbox.errors import no_such

_Row = TypeVar("_Row", bound=Model)
_DEFAULT_LIMIT = 10


def as_list(data: list[Json], *, url: str, has_more: bool) -> Json:
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def created_within(rows: QuerySet[_Row], bounds: dict[str, int]) -> QuerySet[_Row]:
    """`bounds`: as `params.TimeRange` read them; seconds since 1970."""
    names = {"exact": "created"}
    return rows.filter(**{names.get(name, f"created__{name}"): at for name, at in bounds.items()})


def page_of_rows(rows: QuerySet[_Row], params: Json, *, id_field: str) -> tuple[list[_Row], bool]:
    """The rows of the page that `params` asks for, and whether more follow in that direction."""
    limit = params.get("limit", _DEFAULT_LIMIT)
    backwards = "ending_before" in params
    for name, comparison in (("starting_after", "lt"), ("ending_before", "gt")):
        if name in params:
            rows = rows.filter(_beyond(rows, {id_field: params[name]}, comparison, name))
    order = ("created", "pk") if backwards else ("-created", "-pk")
    found = list(rows.order_by(*order)[: limit + 1])
    kept = found[:limit]
    return (kept[::-1] if backwards else kept), len(found) > limit


def _beyond(rows: QuerySet[_Row], named: dict[str, str], comparison: str, param: str) -> Q:
    """What lies on the far side of the row that a cursor names.

    The first condition follows from the others; it is there for the index.
    """
    known = rows.model._base_manager.filter(**named).values_list("created", "pk").first()
    if known is None:
        raise no_such("object", *named.values(), param=param, status=400)
    created, pk = known
    within = Q(**{f"created__{comparison}e": created})
    return within & (Q(**{f"created__{comparison}": created}) | Q(**{f"pk__{comparison}": pk}))


def page_of_items(items: list[Json], params: Json) -> tuple[list[Json], bool]:
    """The same for the lines of a session, which stand in the order they were given."""
    limit = params.get("limit", _DEFAULT_LIMIT)
    ids = [item["id"] for item in items]
    for name in ("starting_after", "ending_before"):
        if name in params and params[name] not in ids:
            raise no_such("item", params[name], param=name, status=400)
    if "ending_before" in params:
        before = items[: ids.index(params["ending_before"])]
        return before[-limit:], len(before) > limit
    if "starting_after" in params:
        items = items[ids.index(params["starting_after"]) + 1 :]
    return items[:limit], len(items) > limit
