"""What the API adds to the Wagtail admin: the apps of third parties."""

from __future__ import annotations

from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from wagtail import hooks

from store_api.clients.admin import ClientViewSet
from store_api.clients.roles import RIGHTS


@hooks.register("register_admin_viewset")
def partner_apps() -> ClientViewSet:
    return ClientViewSet()


@hooks.register("register_permissions")
def partner_app_rights() -> QuerySet[Permission]:
    """Shown where staff put groups together."""
    return Permission.objects.filter(
        content_type__app_label="allauth_idp_oidc", codename__in=RIGHTS
    )
