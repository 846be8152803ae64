"""One grant with everything known about it, its buttons, and the list of all; for the order desk."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views import View
from wagtail.admin.views.generic import InspectView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin

from downloads.admin.actions import press_give_back, press_reset, press_take_back
from downloads.admin.base import ActionView, ReadOnlyViewSet
from downloads.admin.grant_list import GRANT_COLUMNS, GrantIndexView, holder_of
from downloads.explain import Cause, explain
from downloads.models import Revocation, UserAsset

MAX_REASON = 300


def grant_url(grant: UserAsset) -> str:
    return reverse("download_desk:inspect", args=[grant.pk])


def with_relations() -> QuerySet[UserAsset]:
    return UserAsset.objects.select_related("user", "asset", "order_item__order")


def other_causes(grant: UserAsset) -> str:
    """`refunded, payment disputed`: what closes the grant besides staff; possibly empty."""
    standing = grant.revocations.filter(lifted_at=None).exclude(cause=Cause.STAFF)
    return ", ".join(str(Revocation.Cause(row.cause).label) for row in standing.order_by("pk"))


class GrantInspectView(InspectView):
    any_permission_required = ["view"]
    page_title = _("Download")
    template_name = "downloads/admin/grant.html"

    object: UserAsset

    def get_object(self, queryset: QuerySet[Any] | None = None) -> Any:
        # Before the look-up, so that people without the right learn nothing about which ids exist.
        if not self.user_has_any_permission(self.any_permission_required):
            raise PermissionDenied
        return get_object_or_404(with_relations(), pk=self.pk)

    def get_page_subtitle(self) -> str:
        return self.object.title

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        index = {"url": reverse("download_desk:index"), "label": gettext("Downloads")}
        here = {"url": "", "label": self.page_title, "sublabel": self.object.title}
        return [*self.breadcrumbs_items, index, here]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        page = explain(self.object)
        return super().get_context_data(
            page=page,
            holder=holder_of(self.object),
            may_reset=self.user_has_permission("reset") and page.is_reset_useful,
            may_take_back=self.user_has_permission("revoke") and not page.is_taken_back,
            may_give_back=self.user_has_permission("restore") and page.is_taken_back,
            **kwargs,
        )


class ResetView(ActionView):
    model = UserAsset
    permission_required = "reset"

    def perform(self, row: UserAsset) -> None:
        if press_reset(grant=row, by=self.request.user):
            self.say(True, gettext("The limit has been reset. The holder may start again."))
        else:
            self.say(True, gettext("Nothing counts against the limit, so nothing was changed."))


class GiveBackView(ActionView):
    model = UserAsset
    permission_required = "restore"

    def perform(self, row: UserAsset) -> None:
        if not press_give_back(grant=row, by=self.request.user):
            self.say(True, gettext("Staff have not taken this back, so nothing was changed."))
        elif others := other_causes(row):
            messages.warning(
                self.request,
                gettext("Given back, but it stays closed: {others}.").format(others=others),
            )
        else:
            self.say(True, gettext("Given back. The holder may download it again."))


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=MAX_REASON,
        error_messages={"required": _("Say why, for whoever looks at this later.")},
        help_text=_(
            "For staff; the holder never sees it. It is kept for good: no names, no addresses."
        ),
        widget=forms.TextInput,
    )


class TakeBackView(PermissionCheckedMixin, WagtailAdminTemplateMixin, View):
    """GET asks for the reason, POST takes the grant back."""

    permission_policy: Any = None
    permission_required = "revoke"
    any_permission_required = ["view"]
    http_method_names = ["get", "post"]
    page_title = _("Take back")
    header_icon = "download"
    template_name = "downloads/admin/take_back.html"

    grant: UserAsset

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        self.grant = get_object_or_404(with_relations(), pk=pk)
        return self.show(ReasonForm())

    def post(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        self.grant = get_object_or_404(with_relations(), pk=pk)
        form = ReasonForm(request.POST)
        if not form.is_valid():
            return self.show(form)
        if press_take_back(grant=self.grant, by=request.user, reason=form.cleaned_data["reason"]):
            messages.success(request, gettext("Taken back. The file is closed from now on."))
        else:
            messages.success(
                request, gettext("This was taken back already, so nothing was changed.")
            )
        return redirect(grant_url(self.grant))

    def show(self, form: ReasonForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form))

    def get_page_subtitle(self) -> str:
        return self.grant.title

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        index = {"url": reverse("download_desk:index"), "label": gettext("Downloads")}
        grant = {"url": grant_url(self.grant), "label": self.grant.title}
        here = {"url": "", "label": self.page_title, "sublabel": self.grant.title}
        return [*self.breadcrumbs_items, index, grant, here]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            grant=self.grant,
            holder=holder_of(self.grant),
            grant_url=grant_url(self.grant),
            **kwargs,
        )


class GrantViewSet(ReadOnlyViewSet):
    model = UserAsset
    name = "download_desk"
    url_prefix = "downloads"
    icon = "download"
    menu_label = _("Downloads")
    index_view_class = GrantIndexView
    inspect_view_class = GrantInspectView
    actions = {"reset": ResetView, "take-back": TakeBackView, "give-back": GiveBackView}
    list_display = GRANT_COLUMNS
    export_filename = "downloads"
    inspect_view_fields = ["title"]
