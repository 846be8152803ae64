"""Who may register apps: a group of its own, Partner apps.

Its members see no order and no customer. Editors and the order desk cannot let an app in. The rights
are given again after every migration, so a new version's rights arrive by themselves.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

PARTNER_APPS = "Partner apps"
RIGHTS = tuple(f"{action}_client" for action in ("view", "add", "change", "delete"))


def ensure_partner_role(**kwargs: Any) -> None:
    """Make the group and give it its rights; connected to `post_migrate`, harmless to repeat."""
    group, _ = Group.objects.get_or_create(name=PARTNER_APPS)
    clients = Q(content_type__app_label="allauth_idp_oidc", codename__in=RIGHTS)
    admin = Q(content_type__app_label="wagtailadmin", codename="access_admin")
    group.permissions.add(*Permission.objects.filter(clients | admin))
