"""Who may do what with grants: the groups that talk with buyers.

*Support* sees who holds what and lets somebody try again; the *Order desk* and *Shop managers* also take back
and give back.

The rights below are given again after every migration, so a new version's rights arrive by
themselves; a shop that wants other rights makes a group of its own. *Editors* and *Moderators* see
neither holders nor downloads.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission

from catalog_pages.roles import SHOP_MANAGERS, SUPPORT

ORDER_DESK = "Order desk"  # the group of the room to the left, known here by name alone
DESK_RIGHTS = (
    *(f"downloads.{action}_userasset" for action in ("view", "reset", "revoke", "restore")),
    "downloads.view_accessevent",
)
SUPPORT_RIGHTS = (
    "downloads.view_userasset",
    "downloads.reset_userasset",
    "downloads.view_accessevent",
)
ROLES = {ORDER_DESK: DESK_RIGHTS, SHOP_MANAGERS: DESK_RIGHTS, SUPPORT: SUPPORT_RIGHTS}


def ensure_download_roles(**kwargs: Any) -> None:
    """Give the groups the rights that are missing; connected to `post_migrate`, harmless to repeat."""
    for name, wanted in ROLES.items():
        group, _ = Group.objects.get_or_create(name=name)
        codenames = [right.partition(".")[2] for right in wanted]
        rights = Permission.objects.filter(
            content_type__app_label="downloads", codename__in=codenames
        )
        group.permissions.add(*rights)
