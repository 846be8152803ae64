"""Who may do what with the catalogue: Wagtail's own two groups, extended, and those who run the shop.

*Editors* write products, upload audio and covers, keep artists and genres, and submit for moderation.
*Moderators* may publish as well, and delete what nothing needs. Neither sees customers or orders.
*Shop managers* do all of that, and change the shop's settings and legal texts. *Support* answers customers
(`orders.roles`) and touches nothing here, prices least of all.

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
SHOP_MANAGERS = "Shop managers"
SUPPORT = "Support"

_WRITING = tuple(
    f"catalog_pages.{action}_{model}"
    for model in ("digitalasset", "artist", "genre")
    for action in ("add", "change", "view")
)
_DELETING = tuple(f"catalog_pages.delete_{model}" for model in ("digitalasset", "artist", "genre"))
# Many files at once, and spreadsheets: what is on sale still changes by publishing alone.
_BULK = tuple(
    f"catalog_pages.{name}"
    for name in (
        "add_musicbatch",
        "delete_musicbatch",
        "export_products",
        "add_catalogueimport",
        "change_catalogueimport",
    )
)
_RUNNING = tuple(
    f"catalog_pages.{name}"
    for name in (
        "change_shopsettings",
        "change_selling_rules",
        "view_legaltext",
        "change_legaltext",
        "publish_legaltext",
    )
)
_COVERS = ("wagtailimages.add_image", "wagtailimages.change_image", "wagtailimages.choose_image")
_PAGES = ("wagtailcore.add_page", "wagtailcore.change_page")
_PUBLISHING = ("wagtailcore.publish_page", "wagtailcore.lock_page", "wagtailcore.unlock_page")

_ALL = (
    "wagtailadmin.access_admin",
    *_WRITING,
    *_DELETING,
    *_BULK,
    "catalog_pages.delete_catalogueimport",
)

# group -> rights on models, on all pages below the root, on all images below the root collection
ROLES: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    EDITORS: (("wagtailadmin.access_admin", *_WRITING, *_BULK), _PAGES, _COVERS),
    MODERATORS: (_ALL, (*_PAGES, *_PUBLISHING), _COVERS),
    SHOP_MANAGERS: ((*_ALL, *_RUNNING), (*_PAGES, *_PUBLISHING), _COVERS),
    SUPPORT: (("wagtailadmin.access_admin",), (), ()),
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
    if not names:
        return []
    for name in names:
        app_label, codename = name.split(".")
        wanted |= Q(content_type__app_label=app_label, codename=codename)
    return list(Permission.objects.filter(wanted))
