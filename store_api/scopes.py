"""What a third party's app may be allowed to do. A person agrees to each, or staff give it to an app."""

from __future__ import annotations

from enum import StrEnum

from django.utils.translation import gettext_lazy as _


class Scope(StrEnum):
    CATALOG_READ = "catalog:read"
    CART_WRITE = "cart:write"
    ORDERS_READ = "orders:read"
    DOWNLOADS_READ = "downloads:read"
    WEBHOOKS_WRITE = "webhooks:write"


SCOPES = {
    Scope.CATALOG_READ: _("See what is for sale."),
    Scope.CART_WRITE: _(
        "Fill a cart, check out and redeem gifts. See which of it the account owns already."
    ),
    Scope.ORDERS_READ: _("See orders and receipts."),
    Scope.DOWNLOADS_READ: _("See purchases and fetch their files."),
    Scope.WEBHOOKS_WRITE: _("Manage who is told about the shop's sales."),
}

# OpenID Connect's own: who somebody is. They open no view of the API but the provider's userinfo.
IDENTITY_SCOPES = {
    "openid": _("Recognise the account."),
    "email": _("See its email address."),
    "profile": _("See the name on it."),
}
