"""Who may use the screen "Add music", and who may publish from there."""

from __future__ import annotations

from typing import Any

from catalog_pages.models import CataloguePage

RIGHTS = ("catalog_pages.add_musicbatch", "catalog_pages.add_digitalasset")


def may_add_music(user: Any) -> bool:
    """Whoever may upload audio and add products; publishing is asked about where it is done."""
    return bool(user.is_active and user.has_perms(RIGHTS) and _catalogue_rights(user, "add"))


def may_publish_music(user: Any) -> bool:
    return _catalogue_rights(user, "publish")


def _catalogue_rights(user: Any, action: str) -> bool:
    catalogue = CataloguePage.objects.first()
    if catalogue is None:
        return bool(user.is_superuser)
    allowed = catalogue.permissions_for_user(user)
    return bool(allowed.can_add_subpage() if action == "add" else allowed.can_publish_subpage())
