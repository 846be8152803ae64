"""The report: what sold in a period, compared with the one before, and the same as a spreadsheet."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic.base import View
from wagtail.admin.auth import permission_required
from wagtail.admin.menu import MenuItem
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from orders.admin.figures_display import day_words, downloads_of, section_of
from orders.admin.figures_export import TABLES, export
from orders.admin.figures_form import FiguresForm
from orders.services.figures.report import figures, figures_are_whole

RIGHT = "orders.view_figures"


@method_decorator(permission_required(RIGHT), name="dispatch")
class FiguresView(WagtailAdminTemplateMixin, View):
    """What cannot be shown is a sentence beside its field, and nothing is added up for it."""

    http_method_names = ["get", "head", "options"]
    page_title = gettext_lazy("What sold")
    header_icon = "table"
    template_name = "orders/admin/figures.html"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        form = FiguresForm(request.GET)
        kind, table = request.GET.get("export", ""), request.GET.get("table", "series")
        if kind in ("csv", "xlsx") and table in TABLES and form.is_valid():
            if figures_are_whole(form.asked()):
                return export(form.asked(), table=table, kind=kind)
            sentence = _(
                "Some days of this period are still being added up, so the spreadsheet would not be "
                "whole. Try again in a minute."
            )
            messages.warning(request, sentence)
        return self.render_to_response(self.get_context_data(form=form))

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [*self.breadcrumbs_items, {"url": "", "label": self.page_title}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        form = context["form"]
        if not form.is_valid():
            return context
        asked = form.asked()
        found = figures(asked)
        context |= {
            "period_words": day_words(asked.period),
            "before_words": day_words(asked.period.before()),
            "sections": [section_of(one, asked) for one in found.currencies],
            "downloads": downloads_of(found),
            "is_complete": found.is_complete,
            "asked": asked,
            "query": self._query(),
        }
        return context

    def _query(self) -> str:
        """What was asked, for the addresses of downloads."""
        query = self.request.GET.copy()
        for name in ("export", "table"):
            query.pop(name, None)
        return query.urlencode()


class FiguresMenuItem(MenuItem):
    def is_shown(self, request: Any) -> bool:
        return request.user.has_perm(RIGHT)


def figures_menu_item() -> MenuItem:
    return FiguresMenuItem(
        _("What sold"), reverse("figures"), name="figures", icon_name="table", order=100
    )
