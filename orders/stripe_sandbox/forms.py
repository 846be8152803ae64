"""Stripe's form encoding: `line_items[0][price_data][currency]=gbp`.

Only names are taken apart here. Which level is a list is for the endpoint's own description to
say, because metadata may well have a key called "0".
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from orders.stripe_sandbox.common import Json
from orders.stripe_sandbox.errors import ApiError

_NAME = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")
_PART = re.compile(r"\[([^\[\]]*)\]")


def decode(encoded: str) -> Json:
    """Nested dictionaries of text; ApiError when names contradict each other, and for NUL, which
    no database keeps."""
    result: Json = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True):
        if "\0" in name + value:
            raise ApiError("Invalid string: it holds a NUL character.", param=name)
        _put(result, _split(name), name, value)
    return result


def _split(name: str) -> list[str]:
    match = _NAME.match(name)
    if match is None:
        raise ApiError(f"Invalid parameter name: {name}", param=name)
    return [match[1], *_PART.findall(match[2])]


def _put(node: Json, path: list[str], name: str, value: str) -> None:
    for part in path[:-1]:
        node = node.setdefault(part or str(len(node)), {})
        if not isinstance(node, dict):
            raise ApiError(f"Invalid hash: {name}", param=name)
    node[path[-1] or str(len(node))] = value
