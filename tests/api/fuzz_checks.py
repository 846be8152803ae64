"""What the automated tester (schemathesis) is told of this API beside its description; loaded by its runs.

A request that the description allows may be refused for what the description cannot know: which products
there are, who is signed in, what the operator has listed. Those refusals are named here, by their codes.
"""

from __future__ import annotations

import json
import os
import uuid
from typing import Any

import schemathesis
from schemathesis.core.failures import Failure

# By operation: what else a 400 may say. Everything else that the description allows must not be a 400.
PRICE = {"price_not_yours_to_choose", "price_below_minimum", "price_invalid"}
RULES = {
    "cart_item_create": PRICE | {"quantity_invalid"},
    "cart_item_update": PRICE | {"quantity_invalid", "gift_invalid"},
    "checkout_create": {
        "return_url_not_allowed",
        "not_for_accounts",
        "consent_missing",
        "email_missing",
    },
    "gift_redeem": {"not_for_accounts", "email_missing"},
    "gift_send": {"gift_invalid"},
}


# Invented ones are refused before anything else is looked at, and after thirty in an hour unseen.
SECRETS = ("X-Cart-Token", "X-Order-Token")
KEY = "Idempotency-Key"
EXAMPLES: dict[str, str] = json.loads(os.environ.get("FUZZ_EXAMPLES", "{}"))


@schemathesis.hook
def before_call(
    context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]
) -> None:
    """Requests that the description allows reach what they are about, but those that try these headers.

    A key is new for each, as a client's is: the tester's own never changes, and only the first request
    would be more than a replay. Secrets that open nothing are left out.
    """
    _name_what_there_is(case)
    if case.meta is None or not case.meta.generation.mode.is_positive or not case.headers:
        return
    tried = case.meta.phase.data.parameter
    if KEY in case.headers and tried != KEY:
        case.headers[KEY] = str(uuid.uuid4())
    for name in SECRETS:
        if tried != name:
            case.headers.pop(name, None)


def _name_what_there_is(case: schemathesis.Case) -> None:
    """Where an id of the description's examples stands, the id of such a thing in this shop."""
    for values in (case.path_parameters, case.body):
        for name, value in values.items() if isinstance(values, dict) else ():
            if real := EXAMPLES.get(str(value)):
                values[name] = int(real) if isinstance(value, int) else real


@schemathesis.check
def refused_by_a_named_rule(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> bool | None:
    """Takes over where `positive_data_acceptance` is told to let a 400 pass: only for these codes."""
    if response.status_code != 400 or case.meta is None:
        return None
    if not case.meta.generation.mode.is_positive:
        return None
    codes = _codes(json.loads(response.content))
    unexplained = codes - RULES.get(case.operation.definition.raw.get("operationId", ""), set())
    if unexplained:
        raise Failure(
            operation=case.operation.label,
            title="What the description allows is refused",
            message=f"400 with {', '.join(sorted(unexplained))}",
        )
    return None


def _codes(body: dict[str, object]) -> set[str]:
    fields = {entry["code"] for entry in body["errors"]}  # type: ignore[attr-defined]
    return fields or {str(body["code"])}
