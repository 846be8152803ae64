"""Who may do what with the catalogue: Wagtail's own two groups, extended.

*Editors* write products, upload audio and covers, keep artists and genres, and submit for moderation.
*Moderators* may publish as well, and delete what nothing needs. Neither sees customers or orders.

The rights below are given again after every migration, so a new version's rights arrive by
themselves; a shop that wants other rights makes a group of its own.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db.models import Q
from wagtail.models import Collection, GroupCollectionPermission, GroupPagePermission, Page

EDITORS = "Editors"
MODERATORS = "Moderators"

_WRITING = tuple(
    f"catalog_pages.{action}_{model}"
    for model in ("digitalasset", "artist", "genre")
    for action in ("add", "change", "view")
)
_DELETING = tuple(f"catalog_pages.delete_{model}" for model in ("digitalasset", "artist", "genre"))
_COVERS = ("wagtailimages.add_image", "wagtailimages.change_image", "wagtailimages.choose_image")
_PAGES = ("wagtailcore.add_page", "wagtailcore.change_page")
_PUBLISHING = ("wagtailcore.publish_page", "wagtailcore.lock_page", "wagtailcore.unlock_page")

# group -> rights on models, on all pages below the root, on all images below the root collection
ROLES: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    EDITORS: (("wagtailadmin.access_admin", *_WRITING), _PAGES, _COVERS),
    MODERATORS: (
        ("wagtailadmin.access_admin", *_WRITING, *_DELETING),
        (*_PAGES, *_PUBLISHING),
        _COVERS,
    ),
}


def ensure_roles(**kwargs: Any) -> None:
    """Make the groups and rights that are missing; connected to `post_migrate`, harmless to repeat."""
    root, collection = Page.get_first_root_node(), Collection.get_first_root_node()
    for name, (models, pages, covers) in ROLES.items():
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.add(*_permissions(models))
        for permission in _permissions(pages) if root else ():
            GroupPagePermission.objects.get_or_create(group=group, page=root, permission=permission)
        for permission in _permissions(covers) if collection else ():
            GroupCollectionPermission.objects.get_or_create(
                group=group, collection=collection, permission=permission
            )


def _permissions(names: tuple[str, ...]) -> list[Permission]:
    wanted = Q()
    for name in names:
        app_label, codename = name.split(".")
        wanted |= Q(content_type__app_label=app_label, codename=codename)
    return list(Permission.objects.filter(wanted))
