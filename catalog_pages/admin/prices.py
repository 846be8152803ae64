"""Prices and texts of products as a spreadsheet: the export, and the import with its dry run."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
)
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View
from wagtail.admin import messages
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.viewsets.base import ViewSet

from catalog_pages.errors import DomainError
from catalog_pages.models import CatalogueImport, ImportRow, ProductPage
from catalog_pages.sheets.asking import import_begin, import_confirm
from catalog_pages.sheets.cells import COLUMNS
from catalog_pages.sheets.exporting import rows
from catalog_pages.sheets.reading import MOST_BYTES
from catalog_pages.sheets.writing import spreadsheet
from catalog_pages.shop_days import today

ROWS_ON_A_PAGE = 100
EXPORT = "catalog_pages.export_products"
IMPORT = "catalog_pages.add_catalogueimport"
CONFIRM = "catalog_pages.change_catalogueimport"
DELETE = "catalog_pages.delete_catalogueimport"
SHOWN = {"wrong": ImportRow.State.WRONG, "left": ImportRow.State.LEFT}


class PricesView(View):
    """Answers whoever has the right; for everybody else Wagtail's own sentence."""

    right = IMPORT

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not request.user.has_perm(self.right):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    @cached_property
    def source(self) -> CatalogueImport:
        found = CatalogueImport.objects.defer("content").select_related(
            "created_by", "confirmed_by"
        )
        return get_object_or_404(found, pk=self.kwargs["pk"])


class PricesScreen(WagtailAdminTemplateMixin, PricesView):
    """A page of these, below its own breadcrumbs."""

    _show_breadcrumbs = True
    crumb = "prices:index"

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        items = [
            *self.breadcrumbs_items,
            {"url": reverse("products:index"), "label": _("Products")},
        ]
        items.append({"url": reverse(self.crumb), "label": self.page_title})
        if subtitle := self.get_page_subtitle():
            items.append({"url": "", "label": subtitle})
        return items


class ExportView(PricesScreen):
    right = EXPORT
    crumb = "prices:export"
    page_title = gettext_lazy("Export prices and texts")
    header_icon = "download"
    template_name = "catalog_pages/admin/prices_export.html"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        wanted = request.GET.get("format")
        if wanted in ("csv", "xlsx"):
            name = f"products-{today():%Y-%m-%d}"
            seen = ProductPage.objects.visible_to(request.user)
            return spreadsheet(rows(seen), name=name, kind=wanted)
        return self.render_to_response(self.get_context_data(columns=COLUMNS))


class ImportForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("CSV or XLSX file"),
        max_length=255,
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx,.txt,text/csv"}),
        error_messages={"required": gettext_lazy("Choose a file.")},
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            said = _("This file is larger than %(most)d MB.") % {
                "most": MOST_BYTES // (1024 * 1024)
            }
            raise forms.ValidationError(said)
        return file


class ImportIndexView(PricesScreen):
    page_title = gettext_lazy("Import prices and texts")
    header_icon = "upload"
    template_name = "catalog_pages/admin/prices_index.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(ImportForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = ImportForm(request.POST, request.FILES)
        if not form.is_valid():
            return self.show(form)
        file = form.cleaned_data["file"]
        source = import_begin(file_name=file.name, content=file.read(), user=request.user)
        return redirect("prices:import", source.pk)

    def show(self, form: ImportForm) -> HttpResponse:
        imports = CatalogueImport.objects.defer("content").select_related("created_by")
        page = Paginator(imports, 20).get_page(self.request.GET.get("p"))
        return self.render_to_response(
            self.get_context_data(
                form=form,
                imports=page,
                columns=COLUMNS,
                may_export=self.request.user.has_perm(EXPORT),
            )
        )


class ImportView(PricesScreen):
    page_title = gettext_lazy("Import prices and texts")
    header_icon = "upload"
    template_name = "catalog_pages/admin/prices_import.html"

    def get_page_subtitle(self) -> str:
        return self.source.file_name

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        shown = request.GET.get("show", "")
        rows = self.source.rows.all()
        if shown in SHOWN:
            rows = rows.filter(state=SHOWN[shown])
        page = Paginator(rows, ROWS_ON_A_PAGE).get_page(request.GET.get("p"))
        done = self.source.state == CatalogueImport.State.DONE
        context = self.get_context_data(
            source=self.source,
            rows=page,
            shown=shown if shown in SHOWN else "",
            left=self.source.rows.filter(state=ImportRow.State.LEFT).count() if done else 0,
            written=self.source.rows.filter(state=ImportRow.State.DONE).count() if done else 0,
            may_confirm=request.user.has_perm(CONFIRM),
            may_delete=request.user.has_perm(DELETE),
        )
        return self.render_to_response(context)


class ImportStateView(PricesView):
    """What the page's script asks for while the worker is at it."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        waiting = self.source.rows.filter(state=ImportRow.State.WAITING).count()
        return JsonResponse({"state": self.source.state, "waiting": waiting})


class ImportConfirmView(PricesView):
    right = CONFIRM
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        try:
            import_confirm(source=self.source, user=request.user)
        except DomainError as error:
            messages.error(request, error.message)
        return redirect("prices:import", self.source.pk)


class ImportDeleteView(PricesView):
    """Forgets a file and what it would have changed; what was written stays."""

    right = DELETE
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        if self.source.state == CatalogueImport.State.APPLYING:
            messages.error(request, _("It is being written. Wait until that is done."))
            return redirect("prices:import", self.source.pk)
        self.source.delete()
        messages.success(request, _("The file was removed from this list."))
        return redirect("prices:index")


class PricesViewSet(ViewSet):
    name = "prices"
    url_prefix = "prices"
    icon = "upload"

    def get_urlpatterns(self) -> list[URLPattern]:
        view = self.construct_view
        return [
            path("", view(ImportIndexView), name="index"),
            path("export/", view(ExportView), name="export"),
            path("<int:pk>/", view(ImportView), name="import"),
            path("<int:pk>/state/", view(ImportStateView), name="state"),
            path("<int:pk>/confirm/", view(ImportConfirmView), name="confirm"),
            path("<int:pk>/delete/", view(ImportDeleteView), name="delete"),
        ]
