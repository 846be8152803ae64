"""Which answer holds what another operation wants: the links of the OpenAPI document (section 4.8.20).

Readers see the way from one call to the next, and programs that follow links find it.
"""

from __future__ import annotations

from typing import Any

# From an answer: where in its body, to which parameter of which operations.
LINKS: dict[tuple[str, str], list[tuple[str, str, tuple[str, ...]]]] = {
    ("products_list", "200"): [("/results/0/slug", "slug", ("product_retrieve",))],
    ("cart_item_create", "201"): [("/id", "item_id", ("cart_item_update", "cart_item_delete"))],
    ("checkout_create", "201"): [("/order/id", "order_id", ("order_retrieve", "order_pay"))],
    ("orders_list", "200"): [
        (
            "/results/0/id",
            "order_id",
            ("order_retrieve", "order_pay", "receipt_retrieve", "receipt_send"),
        )
    ],
    ("purchases_list", "200"): [
        (
            "/results/0/id",
            "purchase_id",
            ("purchase_retrieve", "purchase_link", "purchase_archive_link", "purchase_explain"),
        )
    ],
    ("gift_redeem", "201"): [("/purchase", "purchase_id", ("purchase_retrieve", "purchase_link"))],
    ("webhook_endpoint_create", "201"): [
        (
            "/endpoint/id",
            "endpoint_id",
            (
                "webhook_endpoint_retrieve",
                "webhook_endpoint_update",
                "webhook_endpoint_delete",
                "webhook_deliveries_list",
                "webhook_secret_rotate",
            ),
        )
    ],
}


def link_operations(result: dict[str, Any], **context: Any) -> dict[str, Any]:
    """A postprocessing hook of drf-spectacular. An operation that is named and not there is an error."""
    operations = {
        operation["operationId"]: operation
        for methods in result["paths"].values()
        for operation in methods.values()
        if "operationId" in operation
    }
    for (source, status), entries in LINKS.items():
        if source in operations:
            operations[source]["responses"][status]["links"] = {
                target: _link(target, parameter, pointer)
                for pointer, parameter, targets in entries
                for target in targets
                if operations[target]
            }
    return result


def _link(target: str, parameter: str, pointer: str) -> dict[str, Any]:
    return {"operationId": target, "parameters": {parameter: f"$response.body#{pointer}"}}
