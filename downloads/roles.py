"""Who may do what with grants: the order desk, which is the group that talks with buyers.

The rights below are given again after every migration, so a new version's rights arrive by
themselves; a shop that wants other rights makes a group of its own. *Editors* and *Moderators* see
neither holders nor downloads.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission

ORDER_DESK = "Order desk"  # the group of the room to the left, known here by name alone
DESK_RIGHTS = (
    *(f"downloads.{action}_userasset" for action in ("view", "reset", "revoke", "restore")),
    "downloads.view_accessevent",
)


def ensure_download_roles(**kwargs: Any) -> None:
    """Give the desk the rights that are missing; connected to `post_migrate`, harmless to repeat."""
    group, _ = Group.objects.get_or_create(name=ORDER_DESK)
    codenames = [right.partition(".")[2] for right in DESK_RIGHTS]
    rights = Permission.objects.filter(content_type__app_label="downloads", codename__in=codenames)
    group.permissions.add(*rights)
