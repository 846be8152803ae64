"""Who may do what with orders: a group of its own, the Order desk.

Its members find orders, refund them, check them with Stripe and have mail and webhooks sent again.
They do not touch the catalogue, nor who is told of events; *Editors* and *Moderators* of the catalogue
see neither customers nor orders, but make discount codes, which the desk can look at.

The rights below are given again after every migration, so a new version's rights arrive by
themselves; a shop that wants other rights makes a group of its own.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

from catalog_pages.roles import EDITORS, MODERATORS

ORDER_DESK = "Order desk"
SEEING = tuple(
    f"orders.view_{model}"
    for model in (
        "order",
        "orderitem",
        "payment",
        "refund",
        "dispute",
        "orderanomaly",
        "stripeevent",
        "outboxmail",
        "discountcode",
        "giftcode",
        "customer",
        "webhookendpoint",
        "webhookdelivery",
    )
)
ACTING = (
    "orders.refund_order",
    "orders.check_order",
    "orders.note_order",
    "orders.give_order",
    "orders.retry_stripeevent",
    "orders.resolve_orderanomaly",
    "orders.resend_outboxmail",
    "orders.resend_webhookdelivery",
)


SELLING = tuple(f"orders.{action}_discountcode" for action in ("view", "add", "change"))
ROLES = {
    ORDER_DESK: ("wagtailadmin.access_admin", *SEEING, *ACTING),
    EDITORS: SELLING,
    MODERATORS: (*SELLING, "orders.delete_discountcode"),
}


def ensure_order_roles(**kwargs: Any) -> None:
    """Make the groups and rights that are missing; connected to `post_migrate`, harmless to repeat."""
    for name, rights in ROLES.items():
        group, _ = Group.objects.get_or_create(name=name)
        wanted = Q()
        for right in rights:
            app_label, codename = right.split(".")
            wanted |= Q(content_type__app_label=app_label, codename=codename)
        group.permissions.add(*Permission.objects.filter(wanted))
