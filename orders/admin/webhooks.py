"""Webhook endpoints: made and changed by people with the right, each secret shown once."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.admin.ui.tables import Column, TitleColumn
from wagtail.admin.views import generic
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.log_actions import log

from catalog_pages.errors import DomainError
from downloads.admin.base import BREAKS, NOTHING, WIDE, ActionView, ShopDateColumn, status_tag
from orders.admin.base import DeskIndexView, DeskInspectView
from orders.admin.log import WEBHOOK_ROTATE, log_press
from orders.models import WebhookEndpoint, WebhookType
from orders.services.outgoing import (
    NewSecret,
    deliveries_of,
    endpoint_create,
    endpoint_rotate,
    endpoint_update,
    url_clean,
)
from orders.services.outgoing.errors import WebhookSecretChanged

SHOWN = 50
ANY_RIGHT = ["view", "add", "change", "delete"]


def state_of(endpoint: WebhookEndpoint) -> SafeString:
    if not endpoint.is_active:
        return status_tag(gettext("Switched off"), "bad" if endpoint.disabled_reason else "")
    return (
        status_tag(gettext("Failing"), "careful")
        if endpoint.failing_since
        else status_tag(gettext("In use"), "good")
    )


def types_of(endpoint: WebhookEndpoint) -> str:
    return ", ".join(endpoint.events)


def maker_of(endpoint: WebhookEndpoint) -> str:
    if endpoint.app is not None:
        return f"{endpoint.app.name} (app)"
    return str(endpoint.created_by or NOTHING)


class EndpointForm(WagtailAdminModelForm):
    """Checks what was typed; the services write it."""

    url = forms.CharField(
        label=_("URL"),
        max_length=500,
        help_text=_("An https address with a host name. Events are sent there by POST."),
    )
    events = forms.MultipleChoiceField(
        label=_("It is told when"),
        choices=WebhookType.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one.")},
    )
    is_active = forms.BooleanField(
        label=_("In use"),
        required=False,
        initial=True,
        help_text=_("Switched on again, it is sent what waited, but nothing older than a week."),
    )

    class Meta:
        model = WebhookEndpoint
        fields = ["url", "description"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.sealed_secret:
            self.initial["events"] = self.instance.events
            self.initial["is_active"] = self.instance.is_active

    def clean_url(self) -> str:
        try:
            return url_clean(self.cleaned_data["url"])
        except DomainError as refusal:
            raise ValidationError(str(refusal.message), code=refusal.code) from refusal


@method_decorator(never_cache, name="dispatch")
class EndpointCreateView(generic.CreateView):
    """Its answer is the page with the secret: it is kept nowhere that it could be shown from later."""

    error_message = _("The endpoint was not saved. Look at the marked fields.")

    def form_valid(self, form: Any) -> HttpResponse:
        self.form = form
        try:
            made = endpoint_create(by=self.request.user, **form.cleaned_data)
        except DomainError as refusal:
            form.add_error(None, refusal.message)
            return self.form_invalid(form)
        log(instance=made.endpoint, action="wagtail.create", user=self.request.user)
        return secret_page(self.request, made)


class EndpointEditView(generic.EditView):
    success_message = _("“%(object)s” is saved.")
    error_message = _("The endpoint was not saved. Look at the marked fields.")

    def save_instance(self) -> WebhookEndpoint:
        self.has_content_changes = self.form.has_changed()
        endpoint = endpoint_update(endpoint=self.object, **self.form.cleaned_data)
        log(instance=endpoint, action="wagtail.edit", user=self.request.user)
        return endpoint


class EndpointDeleteView(generic.DeleteView):
    @property
    def confirmation_message(self) -> str:
        return gettext(
            "Nothing more is sent to “{object}”, and the record of its deliveries goes with it."
        ).format(object=self.object)


class EndpointIndexView(DeskIndexView):
    any_permission_required = ANY_RIGHT
    page_title = _("Webhooks")
    verbose_name, verbose_name_plural = _("endpoint"), _("endpoints")
    add_item_label = _("Add an endpoint")
    select_related = ("app", "created_by")
    hide = ("sealed_secret", "sealed_previous_secret")
    find_in = ("url", "description")

    @property
    def no_results_message(self) -> str:
        return (
            gettext("No endpoint matches.")
            if self.is_searching
            else gettext("Nobody is told of events yet.")
        )


class EndpointInspectView(DeskInspectView):
    any_permission_required = ANY_RIGHT
    page_title = _("Webhooks")
    template_name = "orders/admin/webhook_endpoint.html"
    labels = {
        "events": _("It is told of"),
        "state": _("State"),
        "disabled_reason": _("Why it was switched off"),
        "failing_since": _("Failing since"),
        "previous_secret_ends_at": _("Old secret signs until"),
        "maker": _("Made by"),
        "created_at": _("Made"),
    }

    def get_events_display_value(self) -> SafeString:
        return format_html_join(", ", "<code>{}</code>", ((name,) for name in self.object.events))

    def get_description_display_value(self) -> str:
        return self.object.description or NOTHING

    def get_state_display_value(self) -> SafeString:
        return state_of(self.object)

    def get_disabled_reason_display_value(self) -> str:
        return self.object.disabled_reason or NOTHING

    def get_failing_since_display_value(self) -> Any:
        return self.object.failing_since or NOTHING

    def get_previous_secret_ends_at_display_value(self) -> Any:
        return self.object.previous_secret_ends_at or NOTHING

    def get_maker_display_value(self) -> str:
        return maker_of(self.object)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        button = {
            "name": "webhook_endpoints:rotate",
            "label": gettext("Make a new secret"),
        }
        return super().get_context_data(
            button=button if self.user_has_permission("change") else None,
            deliveries=deliveries_of(self.object)[:SHOWN],
            may_send=self.request.user.has_perm("orders.resend_webhookdelivery"),
            **kwargs,
        )


class RotateView(ActionView):
    """A new secret, shown in the answer and never again."""

    model = WebhookEndpoint
    any_permission_required = ["change"]

    def post(self, request: HttpRequest, pk: Any) -> HttpResponse:
        endpoint = get_object_or_404(WebhookEndpoint, pk=pk)
        try:
            made = endpoint_rotate(endpoint=endpoint)
        except WebhookSecretChanged as error:
            messages.warning(request, error.message)
            return redirect("webhook_endpoints:inspect", pk)
        comment = gettext("The one before signs for 24 hours more")
        log_press(WEBHOOK_ROTATE, on=made.endpoint, by=request.user, comment=comment)
        return secret_page(request, made)


def secret_page(request: HttpRequest, made: NewSecret) -> HttpResponse:
    context = {"endpoint": made.endpoint, "secret": made.secret, "page_title": gettext("Secret of")}
    return render(request, "orders/admin/webhook_secret.html", context)


class WebhookEndpointViewSet(ModelViewSet):
    model = WebhookEndpoint
    name = "webhook_endpoints"
    url_prefix = "webhooks/endpoints"
    icon = "link-external"
    menu_label = _("Webhooks")
    add_to_settings_menu = True
    add_to_reference_index = False
    copy_view_enabled = False
    inspect_view_enabled = True
    index_view_class = EndpointIndexView
    add_view_class = EndpointCreateView
    edit_view_class = EndpointEditView
    delete_view_class = EndpointDeleteView
    inspect_view_class = EndpointInspectView
    list_per_page = 50
    list_display = [
        TitleColumn("url", label=_("URL"), url_name="webhook_endpoints:inspect", classname=BREAKS),
        Column("state", label=_("State"), accessor=state_of),
        Column("events", label=_("It is told of"), accessor=types_of, classname=WIDE),
        Column("description", label=_("Description"), classname=f"{WIDE} {BREAKS}"),
        Column("maker", label=_("Made by"), accessor=maker_of, classname=f"{WIDE} {BREAKS}"),
        ShopDateColumn("created_at", label=_("Made"), sort_key="created_at", classname=WIDE),
    ]
    inspect_view_fields = [
        "url",
        "description",
        "events",
        "state",
        "disabled_reason",
        "failing_since",
        "previous_secret_ends_at",
        "maker",
        "created_at",
    ]

    def get_form_class(self, for_update: bool = False) -> type[forms.ModelForm[WebhookEndpoint]]:
        return EndpointForm

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_common_view_kwargs(usage_url_name=None, **kwargs)

    def get_urlpatterns(self) -> list[URLPattern]:
        rotate = never_cache(self.construct_view(RotateView))
        listed = [url for url in super().get_urlpatterns() if url.name != "usage"]
        return [*listed, path("<uuid:pk>/rotate/", rotate, name="rotate")]
