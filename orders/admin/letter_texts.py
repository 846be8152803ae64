"""Where an owner adds words to the shop's letters, looks at them and has one mailed to themselves."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
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
from wagtail.utils.decorators import xframe_options_sameorigin_override

from orders.admin import log
from orders.letter_words import placeholders_of
from orders.models import LetterText
from orders.services.mail.samples import sample_letter, sample_send
from orders.services.mail.server import label_of, reason_of
from orders.throttles import throttle_hit

logger = logging.getLogger(__name__)

TESTS_AN_HOUR = 10
ABSENT_VIEWS = ("add", "delete", "usage")


def own_words(row: LetterText) -> str | SafeString:
    parts = [name for name, text in ((_("above"), row.above), (_("below"), row.below)) if text]
    return format_html("{}", ", ".join(parts) or _("None"))


class LetterIndexView(generic.IndexView):
    any_permission_required = ["change", "view"]
    page_title = gettext_lazy("Letters")

    def get_base_queryset(self) -> QuerySet[LetterText]:
        """All kinds, whether or not anybody has added to them yet."""
        kinds = LetterText.Kind.values
        if LetterText.objects.count() < len(kinds):
            LetterText.objects.bulk_create(
                [LetterText(kind=kind) for kind in kinds], ignore_conflicts=True
            )
        return LetterText.objects.order_by("pk")


class LetterEditView(generic.EditView):
    template_name = "orders/admin/letter_text.html"
    success_message = gettext_lazy("The words of “%(object)s” are saved.")
    error_message = gettext_lazy("The words could not be saved.")

    def get_available_actions(self) -> list[str]:
        return ["edit", "test"] if self.may_test else ["edit"]

    @cached_property
    def may_test(self) -> bool:
        return self.user_has_permission("test")

    def form_valid(self, form: Any) -> HttpResponse:
        answer = super().form_valid(form)
        if self.action == "test" and not self.expects_json_response:
            self._send_test()
            return redirect(self.get_edit_url())
        return answer

    def get_success_url(self) -> str:
        return self.get_edit_url()

    def _send_test(self) -> None:
        user = self.request.user
        if not throttle_hit(scope="letter-test", key=str(user.pk), limit=TESTS_AN_HOUR):
            messages.error(
                self.request,
                _(
                    "That was %(limit)s test letters within an hour. Wait a little, or use the preview."
                )
                % {"limit": TESTS_AN_HOUR},
            )
            return
        try:
            sample_send(text=self.object, to_email=user.email)
        except Exception as error:  # noqa: BLE001  # whatever the server says, it is for whoever asked
            logger.warning("A test letter was not sent: %s", label_of(error))
            messages.error(
                self.request, _("The test was not sent. %(reason)s") % {"reason": reason_of(error)}
            )
            return
        log.log_press(log.LETTER_TEST, on=self.object, by=user, comment=str(self.object))
        messages.success(
            self.request, _("A test is on its way to %(email)s.") % {"email": user.email}
        )

    def get_side_panels(self) -> Any:
        panels = super().get_side_panels()
        url = reverse("letter_texts:preview", args=[self.object.pk])
        panels.append(PreviewSidePanel(self.object, self.request, preview_url=url))
        return panels

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            may_test=self.may_test,
            placeholders=[f"{{{name}}}" for name in placeholders_of(self.object.kind)],
            **kwargs,
        )


class LetterPreviewView(PreviewOnEdit):
    """The real letter around the words as they stand in the form, with made-up facts."""

    @method_decorator(xframe_options_sameorigin_override)
    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = self.get_form(self._get_form_data(self._get_form_state()))
        if not self.validate_form(form):
            return self.error_response()
        letter = sample_letter(text=form.save(commit=False))
        if request.GET.get("mode") == "text":
            return HttpResponse(
                f"{_('Subject')}: {letter.subject}\n\n{letter.text}",
                content_type="text/plain; charset=utf-8",
            )
        return HttpResponse(letter.html)


class LetterTextViewSet(ModelViewSet):
    model = LetterText
    name = "letter_texts"
    url_prefix = "letters"
    icon = "mail"
    menu_label = gettext_lazy("Letters")
    add_to_settings_menu = True
    copy_view_enabled = False
    add_to_reference_index = False
    form_fields = ["above", "below"]
    index_view_class = LetterIndexView
    edit_view_class = LetterEditView
    list_display = [
        TitleColumn(
            "kind", label=gettext_lazy("Letter"), accessor=str, url_name="letter_texts:edit"
        ),
        Column("own", label=gettext_lazy("Your own words"), accessor=own_words),
    ]

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        names = {f"{view}_url_name": None for view in ABSENT_VIEWS}
        return super().get_common_view_kwargs(**names, **kwargs)

    def get_permissions_to_register(self) -> QuerySet[Permission]:
        content_type = ContentType.objects.get_for_model(self.model)
        return Permission.objects.filter(content_type=content_type)

    def get_urlpatterns(self) -> list[URLPattern]:
        one = f"<{self.pk_path_converter}:pk>/"
        form_class = self.get_form_class(for_update=True)
        return [
            path("", self.index_view, name="index"),
            path("results/", self.index_results_view, name="index_results"),
            path(f"edit/{one}", self.edit_view, name="edit"),
            path(f"history/{one}", self.history_view, name="history"),
            path(f"history-results/{one}", self.history_results_view, name="history_results"),
            path(
                f"preview/{one}",
                self.construct_view(LetterPreviewView, form_class=form_class),
                name="preview",
            ),
        ]
