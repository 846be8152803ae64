"""Who may do what with orders: three groups that see them, with more or less that they may do.

*Support* finds orders and says what became of them: notes, letters sent again, a look at Stripe, limits of
downloads begun anew. No money moves, and nothing is taken away. The *Order desk* refunds, gives copies away,
deals with what needs attention, and has webhooks sent again. *Shop managers* do all of that, run the
catalogue as well (`catalog_pages.roles`), write the words of letters, and see what sold. Who is told of
events is nobody's by default; *Editors* and *Moderators* of the catalogue see neither customers nor orders,
but make discount codes, which everybody here can look at.

The rights below are given again after every migration, so a new version's rights arrive by
themselves; a shop that wants other rights makes a group of its own.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

from catalog_pages.roles import EDITORS, MODERATORS, SHOP_MANAGERS, SUPPORT

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
ANSWERING = ("orders.check_order", "orders.note_order", "orders.resend_outboxmail")
TECHNICAL = ("orders.view_webhookendpoint", "orders.view_webhookdelivery")
RUNNING = (
    "orders.view_figures",
    "orders.view_lettertext",
    "orders.change_lettertext",
    "orders.test_lettertext",
)
SELLING = tuple(f"orders.{action}_discountcode" for action in ("view", "add", "change"))
ROLES = {
    ORDER_DESK: ("wagtailadmin.access_admin", *SEEING, *ACTING),
    SUPPORT: (
        "wagtailadmin.access_admin",
        *(right for right in SEEING if right not in TECHNICAL),
        *ANSWERING,
    ),
    SHOP_MANAGERS: (
        "wagtailadmin.access_admin",
        *SEEING,
        *ACTING,
        *RUNNING,
        *SELLING,
        "orders.delete_discountcode",
    ),
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
