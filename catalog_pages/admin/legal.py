"""Where legal texts are written, looked at and published: five drafts, and a list of what was published."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.ui.side_panels import PreviewSidePanel
from wagtail.admin.ui.tables import Column, TitleColumn
from wagtail.admin.views import generic
from wagtail.admin.views.generic.preview import PreviewOnEdit
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.log_actions import LogActionRegistry, LogFormatter, log

from catalog_pages.legal import LegalTextUnfit, legal_publish
from catalog_pages.models import LegalKind, LegalText, LegalVersion

PUBLISHED = "catalog_pages.legal_publish"


def in_force(row: LegalText) -> str | SafeString:
    """`Version 2, 3 November 2026`, with a link to it."""
    if row.newest_version is None:
        return _("Not published")
    return format_html(
        '<a href="{}">{}</a>',
        reverse("legal_version", args=[row.kind, row.newest_version]),
        _("Version %(number)s, %(date)s")
        % {
            "number": row.newest_version,
            "date": date_format(row.newest_at),
        },
    )


def draft_state(row: LegalText) -> str:
    if not row.draft:
        return _("Empty")
    is_same = row.draft == row.newest_body
    return _("As published") if is_same else _("Has changes that are not published")


class LegalIndexView(generic.IndexView):
    any_permission_required = ["change", "view"]
    page_title = gettext_lazy("Legal texts")

    def get_base_queryset(self) -> QuerySet[LegalText]:
        """All kinds, whether or not anybody has written them yet."""
        if LegalText.objects.count() < len(LegalKind):
            LegalText.objects.bulk_create(
                [LegalText(kind=kind) for kind in LegalKind.values], ignore_conflicts=True
            )
        newest = LegalVersion.objects.filter(kind=OuterRef("kind"))
        return LegalText.objects.annotate(
            newest_version=Subquery(newest.values("version")[:1]),
            newest_at=Subquery(newest.values("published_at")[:1]),
            newest_body=Subquery(newest.values("body")[:1]),
        ).order_by("pk")


class LegalEditView(generic.EditView):
    template_name = "catalog_pages/admin/legal_edit.html"
    submit_button_label = gettext_lazy("Save draft")
    success_message = gettext_lazy("The draft of “%(object)s” is saved. Nobody else sees it yet.")
    error_message = gettext_lazy("The text could not be saved.")

    def get_available_actions(self) -> list[str]:
        return ["edit", "publish"] if self.may_publish else ["edit"]

    @cached_property
    def may_publish(self) -> bool:
        return self.user_has_permission("publish")

    def form_valid(self, form: Any) -> HttpResponse:
        """The draft is kept whatever becomes of the publication."""
        answer = super().form_valid(form)
        if self.action == "publish" and not self.expects_json_response:
            return self._publish()
        return answer

    def get_success_message(self) -> str | None:
        return None if self.action == "publish" else super().get_success_message()

    def get_success_url(self) -> str:
        return self.get_edit_url()

    def _publish(self) -> HttpResponse:
        try:
            with transaction.atomic():
                version = legal_publish(text=self.object, by=self.request.user)
                comment = _("Version %(number)s") % {"number": version.version}
                log(
                    instance=self.object,
                    action=PUBLISHED,
                    user=self.request.user,
                    data={"comment": comment},
                )
        except LegalTextUnfit as refusal:
            messages.error(self.request, str(refusal.message))
            return redirect(self.get_edit_url())
        messages.success(
            self.request,
            _("“%(title)s”, version %(number)s, is in force from now on.")
            % {"title": version.title, "number": version.version},
        )
        return redirect(self.get_edit_url())

    def get_side_panels(self) -> Any:
        panels = super().get_side_panels()
        url = reverse("legal_texts:preview", args=[self.object.pk])
        panels.append(PreviewSidePanel(self.object, self.request, preview_url=url))
        return panels

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        versions = LegalVersion.objects.filter(kind=self.object.kind).defer("body")
        return super().get_context_data(
            versions=list(versions.select_related("published_by")),
            may_publish=self.may_publish,
            is_consent=self.object.kind == LegalKind.CONSENT,
            **kwargs,
        )


class LegalPreviewView(PreviewOnEdit):
    """The public page with the text as it stands in the form."""


class LegalTextViewSet(ModelViewSet):
    model = LegalText
    name = "legal_texts"
    url_prefix = "legal-texts"
    icon = "doc-full"
    menu_label = gettext_lazy("Legal texts")
    add_to_settings_menu = True
    copy_view_enabled = False
    add_to_reference_index = False
    form_fields = ["draft"]
    index_view_class = LegalIndexView
    edit_view_class = LegalEditView
    list_display = [
        TitleColumn("kind", label=gettext_lazy("Text"), accessor=str, url_name="legal_texts:edit"),
        Column("in_force", label=gettext_lazy("In force"), accessor=in_force),
        Column("state", label=gettext_lazy("Draft"), accessor=draft_state),
    ]

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        absent = ("add", "delete", "usage")
        names = {f"{view}_url_name": None for view in absent}
        return super().get_common_view_kwargs(**names, **kwargs)

    def get_permissions_to_register(self) -> QuerySet[Permission]:
        content_type = ContentType.objects.get_for_model(self.model)
        return Permission.objects.filter(content_type=content_type)

    def get_urlpatterns(self) -> list[URLPattern]:
        one = f"<{self.pk_path_converter}:pk>/"
        return [
            path("", self.index_view, name="index"),
            path("results/", self.index_results_view, name="index_results"),
            path(f"edit/{one}", self.edit_view, name="edit"),
            path(f"history/{one}", self.history_view, name="history"),
            path(f"history-results/{one}", self.history_results_view, name="history_results"),
            path(
                f"preview/{one}",
                self.construct_view(
                    LegalPreviewView, form_class=self.get_form_class(for_update=True)
                ),
                name="preview",
            ),
        ]


def register_log_actions(registry: LogActionRegistry) -> None:
    @registry.register_action(PUBLISHED)
    class LegalPublishedFormatter(LogFormatter):
        label = gettext_lazy("Publish a legal text")

        def format_message(self, log_entry: Any) -> str:
            return _("Published")

        def format_comment(self, log_entry: Any) -> str:
            return str(log_entry.data.get("comment", ""))
