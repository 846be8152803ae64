"""The list of audio files in the admin: find one, read its facts, delete what nobody needs."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.db.models.deletion import ProtectedError
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.admin_url_finder import ModelAdminURLFinder
from wagtail.admin.ui.tables import Column, DateColumn
from wagtail.admin.views import generic
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.admin.widgets.button import HeaderButton

from catalog_pages.admin import facts
from catalog_pages.admin.authoring import ListenView, ShapeView
from catalog_pages.admin.capped import UnsortedPaginator
from catalog_pages.admin.deleting import reasons_to_keep_asset, refuse
from catalog_pages.admin.replacing import ReplaceView
from catalog_pages.admin.screens import WIDE
from catalog_pages.admin.unreplacing import UndoReplaceView, file_url
from catalog_pages.admin.upload import UploadView
from catalog_pages.admin.upload_api import (
    UploadBeginView,
    UploadFinishView,
    UploadOneView,
    UploadPartView,
)
from catalog_pages.locales import grouped
from catalog_pages.models import DigitalAsset, FixityCheck, ProductPage, TrackFile
from catalog_pages.search_text import clean_search_text

# Where a column's own name would not do.
LABELS = {
    "bitrate_bps": _("Bitrate"),
    "crc32": _("CRC-32"),
    "created_at": _("Uploaded"),
    "duration_ms": _("Duration"),
    "fixity": _("Last checked"),
    "format_name": _("Format"),
    "sample_rate_hz": _("Sample rate"),
    "size_bytes": _("Size"),
    "used_in": _("Used in"),
    "versions": _("Versions"),
}


def find_by_name(assets: QuerySet[DigitalAsset], text: str | None) -> QuerySet[DigitalAsset]:
    """Those whose file name holds every word of `text`, in any order."""
    for word in clean_search_text(text).split():
        assets = assets.filter(file_name__icontains=word)
    return assets


def products_of(asset: DigitalAsset) -> list[ProductPage]:
    """The products whose tracks use the file; no query when its tracks were prefetched."""
    pages = {file.track.page.pk: file.track.page for file in asset.track_files.all()}
    return list(pages.values())


def links_to_products(asset: DigitalAsset) -> str | SafeString:
    pages = products_of(asset)
    if not pages:
        return gettext("Not used yet")
    return format_html_join(
        ", ",
        '<a href="{}">{}</a>',
        ((reverse("wagtailadmin_pages:edit", args=[page.pk]), page.title) for page in pages),
    )


class AssetIndexView(generic.IndexView):
    add_item_label = _("Upload audio files")
    paginator_class = UnsortedPaginator
    default_ordering = "-created_at"

    def order_queryset(self, queryset: QuerySet[DigitalAsset]) -> QuerySet[DigitalAsset]:
        """No order leaves two pages to share a file; straight from an index."""
        ordering = str(self.ordering)
        return queryset.order_by(ordering, "-pk" if ordering.startswith("-") else "pk")

    def get_base_queryset(self) -> QuerySet[DigitalAsset]:
        uses = TrackFile.objects.select_related("track__page")
        return DigitalAsset.objects.prefetch_related(Prefetch("track_files", queryset=uses))

    def search_queryset(self, queryset: QuerySet[DigitalAsset]) -> QuerySet[DigitalAsset]:
        return find_by_name(queryset, self.search_query)

    def paginate_queryset(self, queryset: QuerySet[DigitalAsset], page_size: int) -> Any:
        """A part of a name is looked for in all of them: once, and not a second time to count."""
        if not self.is_searching:
            return super().paginate_queryset(queryset, page_size)
        ids = list(queryset.values_list("pk", flat=True)[: UnsortedPaginator.counted + 1])
        paginator, page, shown, has_others = super().paginate_queryset(ids, page_size)
        paginator.model = self.model  # it counts by its name
        shown = list(shown)
        files = {file.pk: file for file in self.get_base_queryset().filter(pk__in=shown)}
        page.object_list = [files[pk] for pk in shown if pk in files]
        return paginator, page, page.object_list, has_others


class AssetInspectView(generic.InspectView):
    """Everything known about one file; the names below are `fields` of the view set."""

    page_title = _("Audio file")

    @cached_property
    def later(self) -> DigitalAsset | None:
        return DigitalAsset.objects.filter(replaces=self.object).first()

    @property
    def header_buttons(self) -> list[HeaderButton]:
        if not self.user_has_permission("add"):
            return []
        key, buttons = self.object.pk, []
        if self.later is None:
            url = reverse("digital_assets:replace", args=[key])
            buttons = [
                HeaderButton(gettext("Replace with a new version"), url=url, icon_name="resubmit")
            ]
        if self.object.replaces_id:
            url = reverse("digital_assets:undo_replace", args=[key, self.object.replaces_id])
            buttons.append(
                HeaderButton(gettext("Undo: not a new version"), url=url, icon_name="rotate")
            )
        return buttons

    def get_field_label(self, field_name: str, field: Any) -> str:
        return str(LABELS.get(field_name) or super().get_field_label(field_name, field))

    def get_duration_ms_display_value(self) -> str:
        return facts.duration_text(self.object)

    def get_size_bytes_display_value(self) -> str:
        size = self.object.size_bytes
        words = ngettext("{size} ({number} byte)", "{size} ({number} bytes)", size)
        return words.format(size=facts.size_text(self.object), number=grouped(size))

    def get_bitrate_bps_display_value(self) -> str:
        return facts.bitrate_text(self.object)

    def get_sample_rate_hz_display_value(self) -> str:
        return facts.sample_rate_text(self.object)

    def get_channels_display_value(self) -> str:
        return facts.channels_text(self.object)

    def get_codec_display_value(self) -> str:
        return self.object.codec or facts.UNKNOWN

    def get_crc32_display_value(self) -> str:
        return f"{self.object.crc32:08x}"

    def get_sha256_display_value(self) -> SafeString:
        return format_html('<code class="screen-breaks">{}</code>', self.object.sha256)

    def get_uploaded_by_display_value(self) -> str:
        return str(self.object.uploaded_by or gettext("The shop itself"))

    def get_tags_display_value(self) -> str | SafeString:
        """The file's own tags, one to a line."""
        tags = [(key, value) for key, value in self.object.tags.items() if value not in (None, "")]
        return format_html_join("", "<div>{}: {}</div>", tags) or facts.UNKNOWN

    def get_used_in_display_value(self) -> str | SafeString:
        return links_to_products(self.object)

    def get_versions_display_value(self) -> str | SafeString:
        """What it replaces and by what it was replaced, with links to both."""
        links = [
            (gettext("New version of"), self.object.replaces),
            (gettext("Replaced by"), self.later),
        ]
        found = [(words, file_url(asset), asset) for words, asset in links if asset is not None]
        return format_html_join("", '<div>{} <a href="{}">{}</a></div>', found) or gettext(
            "No other version"
        )

    def get_fixity_display_value(self) -> str:
        """When the stored bytes were last read again, and what they were, in plain words."""
        check = FixityCheck.objects.filter(asset=self.object).first()
        if check is None:
            return gettext("Not yet")
        when = date_format(localtime(check.checked_at), "DATETIME_FORMAT")
        return f"{when}: {check.get_found_display()}"


class AssetDeleteView(generic.DeleteView):
    """Deletes what nothing needs; anything else is refused with the reasons."""

    @property
    def confirmation_message(self) -> str:
        return gettext("“{object}” leaves the shop's storage for good. Nothing uses it.").format(
            object=self.object
        )

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.user_has_permission("delete") and (reasons := reasons_to_keep_asset(self.object)):
            return self.refuse(reasons)
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            return super().form_valid(form)
        except ProtectedError:  # somebody used or bought it after the question was asked
            return self.refuse(reasons_to_keep_asset(self.object))

    def refuse(self, reasons: list[str]) -> HttpResponse:
        return refuse(
            self.request, reasons, reverse("digital_assets:inspect", args=[self.object.pk])
        )


class DigitalAssetViewSet(ModelViewSet):
    """No edit, copy or add form: bytes never change, and they arrive through the upload view."""

    model = DigitalAsset
    name = "digital_assets"
    url_prefix = "audio-files"
    icon = "media"
    menu_label = _("Audio files")
    menu_order = 250
    add_to_admin_menu = True
    copy_view_enabled = False
    inspect_view_enabled = True
    form_fields: list[str] = []
    index_view_class = AssetIndexView
    inspect_view_class = AssetInspectView
    delete_view_class = AssetDeleteView
    search_fields = ["file_name"]
    list_per_page = 50
    list_display = [
        "file_name",
        Column("format_name", label=_("Format"), sort_key="format_name", classname=WIDE),
        Column(
            "duration", label=_("Duration"), accessor=facts.duration_text, sort_key="duration_ms"
        ),
        Column(
            "size", label=_("Size"), accessor=facts.size_text, sort_key="size_bytes", classname=WIDE
        ),
        Column("used_in", label=_("Used in"), accessor=links_to_products),
        DateColumn("created_at", label=_("Uploaded"), sort_key="created_at", classname=WIDE),
    ]
    inspect_view_fields = [
        "file_name",
        "format_name",
        "duration_ms",
        "size_bytes",
        "bitrate_bps",
        "sample_rate_hz",
        "channels",
        "codec",
        "content_type",
        "tags",
        "used_in",
        "versions",
        "sha256",
        "crc32",
        "fixity",
        "uploaded_by",
        "created_at",
    ]

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        names = {"edit_url_name": None, "history_url_name": None, "usage_url_name": None}
        names["add_url_name"] = self.get_url_name("upload")
        return super().get_common_view_kwargs(**names, **kwargs)

    @property
    def upload_view(self) -> Any:
        return self.construct_view(UploadView)

    @property
    def url_finder_class(self) -> type[ModelAdminURLFinder]:
        """Where Wagtail links to a file: its facts, for everybody who may see them."""
        return type(
            "AssetURLFinder",
            (AssetURLFinder,),
            {
                "permission_policy": self.permission_policy,
                "edit_url_name": self.get_url_name("inspect"),
            },
        )

    def get_urlpatterns(self) -> list[URLPattern]:
        view = self.construct_view
        return [
            path("", self.index_view, name="index"),
            path("results/", self.index_results_view, name="index_results"),
            path("upload/", self.upload_view, name="upload"),
            path("upload/begin/", view(UploadBeginView), name="upload_begin"),
            path("upload/<uuid:pk>/", view(UploadOneView), name="upload_one"),
            path("upload/<uuid:pk>/finish/", view(UploadFinishView), name="upload_finish"),
            path("upload/<uuid:pk>/parts/<int:number>/", view(UploadPartView), name="upload_part"),
            path("<uuid:pk>/", self.inspect_view, name="inspect"),
            path("<uuid:pk>/shape/", ShapeView.as_view(), name="shape"),
            path("<uuid:pk>/listen/", ListenView.as_view(), name="listen"),
            path("<uuid:pk>/replace/", self.construct_view(ReplaceView), name="replace"),
            path(
                "<uuid:pk>/replaces/<uuid:old_pk>/undo/",
                self.construct_view(UndoReplaceView),
                name="undo_replace",
            ),
            path("<uuid:pk>/delete/", self.delete_view, name="delete"),
        ]


class AssetURLFinder(ModelAdminURLFinder):
    def get_edit_url(self, instance: DigitalAsset) -> str | None:
        policy = self.permission_policy
        if self.user and policy and not policy.user_has_any_permission(self.user, ["view", "add"]):
            return None
        return self.construct_edit_url(instance)
