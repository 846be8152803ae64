"""An error of each status, as the documentation shows it where an operation has no example of its own."""

from __future__ import annotations

from typing import Any

from store_api.problems import CODES, FIELDS_INVALID, problem

NUMBER_WANTED = {"field": "quantity", "code": "invalid", "detail": "A valid integer is required."}
REQUEST_ID = "5f3c1d0e9b7a4c2f8e6d0a1b2c3d4e5f"


def example_of(status: int) -> dict[str, Any]:
    if status == 400:
        return problem(status, FIELDS_INVALID, fields=[NUMBER_WANTED])
    shown = problem(status, CODES.get(status, "refused"))
    return shown | ({"request_id": REQUEST_ID} if "request_id" in shown else {})
