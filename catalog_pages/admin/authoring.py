"""What the product editor asks for while somebody writes: what is missing, what files say, how they sound.

| request | answers |
| --- | --- |
| `POST product-editor/<page>/checklist/` | what the product's form, as sent, still lacks, as HTML |
| `GET product-editor/files/?id=…&id=…` | facts and tags of files, what they say of the product, as JSON |
| `POST product-editor/defaults/` | values for the fields in `wanted`, from the files in `id`, as JSON |
| `GET audio-files/<id>/shape/` | the file's loudness over time, as JSON |
| `GET audio-files/<id>/listen/?start=&length=` | a part of it as MP3, seconds; ranges are answered |

Nothing here changes a product: that is done by saving its form.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.views import View
from wagtail.admin.admin_url_finder import AdminURLFinder
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.admin.viewsets.base import ViewSet
from wagtail.models import Page
from wagtail.permission_policies import ModelPermissionPolicy

from catalog_pages.admin import facts
from catalog_pages.byte_range import one_range
from catalog_pages.defaults import (
    MOST_FILES,
    Filled,
    ProductDefaults,
    defaults_fill,
    product_defaults,
)
from catalog_pages.errors import DomainError
from catalog_pages.listening import part_of, shape_of
from catalog_pages.models import CataloguePage, DigitalAsset, ProductPage
from catalog_pages.panels import NEW_PAGE, checklist_context

MAY_SEE = ("add", "change", "view")
MOST_SECONDS = 7 * 24 * 3600


class TooMany(DomainError):
    code = "too_many_files"
    status = 400


class FilesView(PermissionCheckedMixin, View):
    """For whoever may see audio files; what services raise becomes `{"code", "sentence"}`."""

    permission_policy: Any = ModelPermissionPolicy(DigitalAsset)
    any_permission_required = MAY_SEE

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().dispatch(request, *args, **kwargs)
        except DomainError as error:
            return JsonResponse(
                {"code": error.code, "sentence": error.message}, status=error.status
            )


def assets_with(raw: list[str]) -> list[DigitalAsset]:
    """The files with these ids, in their order; what is no id, or of no file, is left out.

    Raises TooMany.
    """
    if len(raw) > MOST_FILES:
        raise TooMany(_("At most {most} files at once.").format(most=MOST_FILES))
    ids = [found for text in raw if (found := _uuid(text))]
    rows = DigitalAsset.objects.in_bulk(ids)
    return [rows[pk] for pk in dict.fromkeys(ids) if pk in rows]


class FileDetailsView(FilesView):
    http_method_names = ["get"]

    def get(self, request: HttpRequest) -> JsonResponse:
        assets = assets_with(request.GET.getlist("id"))
        finder = AdminURLFinder(request.user)
        return JsonResponse(
            {
                "files": [_file(asset, finder.get_edit_url(asset)) for asset in assets],
                "product": _said(product_defaults(assets)),
            }
        )


class DefaultsView(FilesView):
    """Makes artist, genre and cover where they are wanted and not here, each by its own permission."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> JsonResponse:
        defaults = product_defaults(assets_with(request.POST.getlist("id")))
        wanted = set(request.POST.getlist("wanted"))
        return JsonResponse(_values(defaults_fill(defaults, wanted=wanted, user=request.user)))


class ShapeView(FilesView):
    http_method_names = ["get"]

    def get(self, request: HttpRequest, pk: UUID) -> JsonResponse:
        asset = get_object_or_404(DigitalAsset, pk=pk)
        return JsonResponse({"duration_ms": asset.duration_ms or 0, "peaks": shape_of(asset)})


class ListenView(FilesView):
    """A part of a master, for staff alone: never stored by anybody on the way."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        asset = get_object_or_404(DigitalAsset, pk=pk)
        start, length = (_milliseconds(request.GET.get(name)) for name in ("start", "length"))
        part = part_of(asset, start_ms=start, length_ms=length)
        response = one_range(request.headers.get("Range", ""), part.data, "audio/mpeg")
        response["Cache-Control"] = "private, no-store"
        response["X-Content-Type-Options"] = "nosniff"
        response["Excerpt-Start-Ms"] = str(part.start_ms)
        response["Excerpt-Length-Ms"] = str(part.duration_ms)
        return response


class ChecklistView(View):
    """What the page would lack if it were published as its form stands in the browser. Writes nothing."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        page, parent = self.page_and_parent(pk)
        form = ProductPage.get_edit_handler().get_form_class()(
            request.POST, instance=page, parent_page=parent, for_user=request.user
        )
        form.defer_required_fields()
        shown = checklist_context(page, form.checklist())
        return render(request, "catalog_pages/admin/checklist_entries.html", shown)

    def page_and_parent(self, pk: int) -> tuple[ProductPage, Page]:
        """The newest draft, or a page that is not saved yet: for whoever may write it."""
        user = self.request.user
        if pk == NEW_PAGE:
            catalogue = get_object_or_404(CataloguePage)
            if not catalogue.permissions_for_user(user).can_add_subpage():
                raise PermissionDenied
            return ProductPage(live=False), catalogue
        page = get_object_or_404(ProductPage, pk=pk)
        if not page.permissions_for_user(user).can_edit():
            raise PermissionDenied
        return page.get_latest_revision_as_object(), page.get_parent()


class ProductEditorViewSet(ViewSet):
    name = "product_editor"
    url_prefix = "product-editor"

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            path("<int:pk>/checklist/", ChecklistView.as_view(), name="checklist"),
            path("files/", FileDetailsView.as_view(), name="files"),
            path("defaults/", DefaultsView.as_view(), name="defaults"),
        ]


def _file(asset: DigitalAsset, edit_url: str | None) -> dict[str, Any]:
    """A file as its chooser shows it, and what it says of the track that it is."""
    tags = asset.tags
    return {
        "id": str(asset.pk),
        "title": facts.one_line(asset),
        "edit_url": edit_url,
        "duration_ms": asset.duration_ms,
        "tags": {
            "title": facts.title_text(asset),
            "disc": tags.get("disc"),
            "number": tags.get("track"),
        },
    }


def _said(defaults: ProductDefaults) -> dict[str, Any]:
    released = defaults.release_date
    return {
        "title": defaults.title,
        "artist": defaults.artist,
        "genre": defaults.genre,
        "release_date": released.isoformat() if released else "",
        "may_have_cover": bool(defaults.files),
    }


def _values(filled: Filled) -> dict[str, Any]:
    """As the editor's own fields and choosers take them."""
    fields = ProductPage.get_edit_handler().get_form_class().base_fields
    rows = {name: getattr(filled, name) for name in ("artist", "genre", "cover")}
    chosen = {
        name: fields[name].widget.get_value_data_from_instance(row) if row else None
        for name, row in rows.items()
    }
    released = filled.release_date
    text = {"title": filled.title, "release_date": released.isoformat() if released else ""}
    return {"text": text, "chosen": chosen, "told": filled.told}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _milliseconds(text: str | None) -> int | None:
    """Whole seconds as an editor types them; None for nothing and for nonsense."""
    if not text or not text.isascii() or not text.isdigit():
        return None
    return min(int(text[:9]), MOST_SECONDS) * 1000
