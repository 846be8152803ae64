"""The Django admin's own forms for OAuth clients and tokens are taken away.

They offer what this shop never wants: skipping consent, wildcards in addresses, tokens typed by hand.
Clients are registered in the Wagtail admin instead. Sessions are for their owners to see and end.
"""

from allauth.idp.oidc import admin as oidc_admin  # it registers them, here if not before
from allauth.usersessions import admin as sessions_admin
from django.contrib import admin

for registered in (oidc_admin.Client, oidc_admin.Token, sessions_admin.UserSession):
    admin.site.unregister(registered)
