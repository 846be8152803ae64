"""Lists and pages of third parties' apps. A secret is shown once, right after it was made."""

from __future__ import annotations

from typing import Any

from allauth.idp.oidc.adapter import get_adapter
from allauth.idp.oidc.models import Client, Token
from django.core.exceptions import PermissionDenied
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from wagtail.admin.ui.tables import Column, DateColumn
from wagtail.admin.views import generic
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.log_actions import log

from downloads.admin.base import BREAKS, NOTHING, WIDE, ActionView, DeskIndexView
from store_api.clients.forms import (
    GRANTS,
    KINDS,
    MAY_HEAR_OF_SALES,
    WAYS,
    ClientForm,
    hears_of_sales,
)
from store_api.scopes import IDENTITY_SCOPES, SCOPES

WORDS = {**{str(scope): words for scope, words in SCOPES.items()}, **IDENTITY_SCOPES}


def runs_on(client: Client) -> str:
    return KINDS.get(client.type, client.type).partition(":")[0].partition(",")[0]


def lines(values: list[str]) -> SafeString | str:
    return format_html_join(SafeString("<br>"), "{}", ((value,) for value in values)) or NOTHING


class ClientIndexView(DeskIndexView):
    any_permission_required = ["view", "add", "change", "delete"]
    page_title = _("Partner apps")
    verbose_name, verbose_name_plural = _("app"), _("apps")
    add_item_label = _("Register an app")
    find_in = ("name", "id")

    @property
    def no_results_message(self) -> str:
        return (
            gettext("No app matches.")
            if self.is_searching
            else gettext("No app is registered yet.")
        )


class _ForWhoeverAsks:
    """What may be ticked depends on who ticks it."""

    def get_form_kwargs(self) -> dict[str, Any]:
        found: dict[str, Any] = super().get_form_kwargs()  # type: ignore[misc]
        return {**found, "for_user": self.request.user}  # type: ignore[attr-defined]


class ClientCreateView(_ForWhoeverAsks, generic.CreateView):
    submit_button_label = _("Register")
    error_message = _("The app was not registered. Look at the marked fields.")

    def get_page_subtitle(self) -> str:
        return gettext("Register an app")

    def get_success_url(self) -> str:
        return reverse("partner_apps:inspect", args=[self.object.pk])

    def get_success_message(self, instance: Client) -> str:
        return gettext("“{name}” is registered.").format(name=instance.name)


class ClientEditView(_ForWhoeverAsks, generic.EditView):
    error_message = _("The app was not saved. Look at the marked fields.")

    def get_page_subtitle(self) -> str:
        return str(self.object.name)

    def get_success_message(self) -> str:
        return gettext("“{name}” is saved, and may do what is ticked from now on.").format(
            name=self.object.name
        )


class ClientDeleteView(generic.DeleteView):
    def get_page_subtitle(self) -> str:
        return str(self.object.name)

    @property
    def confirmation_message(self) -> str:
        return gettext(
            "“{name}” stops at once, for everybody who allowed it. This cannot be undone."
        ).format(name=self.object.name)

    def get_success_message(self) -> str:
        return gettext("“{name}” is deleted.").format(name=self.object.name)


def may_hold_secret(user: Any, client: Client) -> bool:
    """Whoever has the secret of an app hears what it hears."""
    return not hears_of_sales(client) or bool(user.has_perm(MAY_HEAR_OF_SALES))


class ClientHistoryView(generic.HistoryView):
    def get_page_subtitle(self) -> str:
        return str(self.object.name)


class ClientInspectView(generic.InspectView):
    any_permission_required = ["view", "change"]
    page_title = _("Partner app")
    template_name = "store_api/admin/client.html"
    labels = {
        "id": _("Client id"),
        "name": _("Name"),
        "type": _("Runs"),
        "grant_types": _("Gets in"),
        "redirect_uris": _("Comes back to"),
        "scopes": _("May ask for"),
        "people": _("Allowed by"),
        "created_at": _("Registered"),
    }

    def get_page_subtitle(self) -> str:
        return str(self.object.name)

    def get_field_label(self, field_name: str, field: Any) -> str:
        return str(self.labels.get(field_name) or super().get_field_label(field_name, field))

    def get_type_display_value(self) -> str:
        return KINDS.get(self.object.type, self.object.type)

    def get_grant_types_display_value(self) -> SafeString | str:
        grants = self.object.get_grant_types()
        return lines([str(WAYS[way]) for way, needed in GRANTS.items() if needed[0] in grants])

    def get_redirect_uris_display_value(self) -> SafeString | str:
        return lines(self.object.get_redirect_uris())

    def get_scopes_display_value(self) -> SafeString | str:
        return lines([f"{WORDS.get(name, '')} ({name})" for name in self.object.get_scopes()])

    def get_people_display_value(self) -> str:
        tokens = Token.objects.valid().filter(client=self.object, user__is_active=True)
        people = tokens.values("user").distinct().count()
        return (
            gettext("1 person now")
            if people == 1
            else gettext("{people} people now").format(people=people)
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may_change = self.user_has_permission("change") and may_hold_secret(
            self.request.user, self.object
        )
        keeps_secret = self.object.type == Client.Type.CONFIDENTIAL
        return super().get_context_data(may_make_secret=may_change and keeps_secret, **kwargs)


class NewSecretView(ActionView):
    """Makes a secret and shows it, once: what is kept is a hash. The old one stops at once."""

    model = Client
    any_permission_required = ["change"]

    def post(self, request: HttpRequest, pk: str) -> HttpResponse:
        client = get_object_or_404(Client, pk=pk, type=Client.Type.CONFIDENTIAL)
        if not may_hold_secret(request.user, client):
            raise PermissionDenied
        secret = get_adapter().generate_client_secret()
        client.set_secret(secret)
        client.save(update_fields=["secret"])
        by_old_one = Token.objects.filter(client=client, user=None, type=Token.Type.ACCESS_TOKEN)
        by_old_one.delete()
        log(instance=client, action="wagtail.edit", user=request.user, title=client.name)
        context = {"client": client, "secret": secret, "page_title": gettext("The secret of")}
        return render(request, "store_api/admin/client_secret.html", context)


class ClientViewSet(ModelViewSet):
    model = Client
    name = "partner_apps"
    url_prefix = "partner-apps"
    icon = "key"
    menu_label = _("Partner apps")
    menu_order = 260
    add_to_admin_menu = True
    add_to_reference_index = False
    copy_view_enabled = False
    inspect_view_enabled = True
    index_view_class = ClientIndexView
    add_view_class = ClientCreateView
    edit_view_class = ClientEditView
    delete_view_class = ClientDeleteView
    history_view_class = ClientHistoryView
    inspect_view_class = ClientInspectView
    list_per_page = 50
    ordering = ["name", "id"]
    list_display = [
        "name",
        Column("runs_on", label=_("Runs"), accessor=runs_on),
        Column("id", label=_("Client id"), classname=f"{WIDE} {BREAKS}"),
        DateColumn("created_at", label=_("Registered"), sort_key="created_at", classname=WIDE),
    ]
    inspect_view_fields = [
        "name",
        "id",
        "type",
        "grant_types",
        "redirect_uris",
        "scopes",
        "people",
        "created_at",
    ]

    def get_form_class(self, for_update: bool = False) -> type[ModelForm[Client]]:
        return ClientForm

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_common_view_kwargs(usage_url_name=None, **kwargs)

    def get_urlpatterns(self) -> list[URLPattern]:
        view = NewSecretView.as_view(permission_policy=self.permission_policy)
        secret = path("secret/<str:pk>/", never_cache(view), name="secret")
        return [*(url for url in super().get_urlpatterns() if url.name != "usage"), secret]
