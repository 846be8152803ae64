"""May this person change this product now? One answer for every road that changes many at once."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog_pages.models import ProductPage

MIRRORS = gettext_lazy("It mirrors “%(title)s”; change that one.")
NOBODY = gettext_lazy("Whoever asked for this has no account any more.")


def hindrance(page: ProductPage, user: Any) -> str:
    """Why `page` is left alone, in one sentence; "" when `user` may edit it.

    A page in moderation is what a moderator is reading, and a scheduled one what somebody agreed to: a
    price that changes under their hands is worse than one that has to be changed by hand.
    """
    if user is None:
        return str(NOBODY)
    if page.alias_of_id is not None:
        return MIRRORS % {"title": page.alias_of.title}
    allowed = page.permissions_for_user(user)
    if page.get_lock() is not None:
        if page.locked:
            return _("It is locked.")
        if page.approved_schedule:
            return _("It is scheduled to be published.")
        return _("It is in moderation.")
    if page.workflow_in_progress:
        return _("It is in moderation.")
    return "" if allowed.can_edit() else _("You may not edit it.")


def may_publish(page: ProductPage, user: Any) -> bool:
    return user is not None and bool(page.permissions_for_user(user).can_publish())
