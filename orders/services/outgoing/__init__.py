"""Outgoing webhooks by an outbox: an event with the fact that it tells, sent by the worker until it is taken.

payloads    what each event says
events      written in the transaction of its fact
addressing  one delivery for each endpoint that wants it
delivery    one attempt, many attempts, and what becomes of them
signing     Standard Webhooks; `sealing` keeps the secrets
addresses   where a webhook may go; `transport` takes it there
endpoints   made, changed, given new secrets
"""

from orders.services.outgoing.addresses import URL_PATTERN, url_clean
from orders.services.outgoing.addressing import event_address, events_address_due
from orders.services.outgoing.delivery import deliveries_send_due, delivery_send
from orders.services.outgoing.endpoints import (
    NewSecret,
    deliveries_of,
    delivery_send_again,
    endpoint_create,
    endpoint_delete,
    endpoint_rotate,
    endpoint_update,
)
from orders.services.outgoing.events import (
    downloads_granted_tell,
    order_paid_tell,
    order_refunded_tell,
    product_published_tell,
    types_wanted,
)


def webhooks_send_due() -> int:
    """Address and send what is due; how many deliveries were taken. For the scheduler."""
    events_address_due()
    return deliveries_send_due()


__all__ = [
    "URL_PATTERN",
    "NewSecret",
    "deliveries_of",
    "deliveries_send_due",
    "delivery_send",
    "delivery_send_again",
    "downloads_granted_tell",
    "endpoint_create",
    "endpoint_delete",
    "endpoint_rotate",
    "endpoint_update",
    "event_address",
    "events_address_due",
    "order_paid_tell",
    "order_refunded_tell",
    "product_published_tell",
    "types_wanted",
    "url_clean",
    "webhooks_send_due",
]
