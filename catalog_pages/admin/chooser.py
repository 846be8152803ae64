"""The window in which an editor chooses the file of a track, or uploads it there and then."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views import View
from wagtail.admin.forms.choosers import BaseFilterForm
from wagtail.admin.ui.tables import Column, DateColumn
from wagtail.admin.views.generic import chooser as views
from wagtail.admin.viewsets.chooser import ChooserViewSet
from wagtail.admin.widgets.chooser import BaseChooser

from catalog_pages.admin import facts
from catalog_pages.admin.assets import find_by_name
from catalog_pages.admin.authoring import assets_with
from catalog_pages.admin.upload import ACCEPTED, store_upload, too_large
from catalog_pages.admin.upload_handlers import StreamedUploadView
from catalog_pages.admin.upload_outcome import Outcome
from catalog_pages.models import DigitalAsset, PendingUpload
from catalog_pages.search_text import MAX_CHARACTERS


class AssetFilterForm(BaseFilterForm):
    q = forms.CharField(
        label=_("File name"),
        required=False,
        max_length=MAX_CHARACTERS,
        widget=forms.TextInput(attrs={"placeholder": _("Search by file name")}),
    )

    def filter(self, objects: QuerySet[DigitalAsset]) -> QuerySet[DigitalAsset]:
        self.search_query = self.cleaned_data["q"]
        self.is_searching = bool(self.search_query)
        return find_by_name(objects, self.search_query)


class AssetUploadForm(forms.Form):
    """The window's upload tab: one file, or the name of an upload in which it has arrived before.

    The window's script sends the file through `upload_api` and then the form with `arrived` alone.
    """

    prefix = "audio-file"
    file = forms.FileField(
        label=_("Audio file"),
        required=False,
        # The field's own check of names would end in a sentence about characters.
        max_length=None,
        widget=forms.ClearableFileInput(
            attrs={
                "accept": ACCEPTED,
                "data-begin-url": reverse_lazy("digital_assets:upload_begin"),
            }
        ),
    )
    arrived = forms.UUIDField(
        required=False, widget=forms.HiddenInput(attrs={"data-arrived": True})
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if not (values.get("file") or values.get("arrived") or self.errors):
            self.add_error("file", forms.Field.default_error_messages["required"])
        return values


class AssetColumnsMixin:
    """What tells one file from another: its name, format, length, size and age."""

    @property
    def title_column(self) -> Column:
        column = super().title_column  # type: ignore[misc]
        column.label = gettext("File name")
        return column

    @property
    def columns(self) -> list[Column]:
        return [
            *super().columns,  # type: ignore[misc]
            Column("format_name", label=gettext("Format")),
            Column("duration", label=_("Duration"), accessor=facts.duration_text),
            Column("size", label=_("Size"), accessor=facts.size_text),
            DateColumn("created_at", label=gettext("Uploaded")),
        ]


class AssetChooseView(AssetColumnsMixin, views.ChooseView):
    filter_form_class = AssetFilterForm
    results_template_name = "catalog_pages/admin/chooser_results.html"


class AssetChooseResultsView(AssetColumnsMixin, views.ChooseResultsView):
    filter_form_class = AssetFilterForm
    results_template_name = "catalog_pages/admin/chooser_results.html"


class AssetChosenResponseMixin(views.ChosenResponseMixin):
    def get_display_title(self, instance: DigitalAsset) -> str:
        return facts.one_line(instance)


class AssetUploadTabView(
    views.CreateViewMixin, views.CreationFormMixin, AssetChosenResponseMixin, StreamedUploadView
):
    """Stores the file and chooses it; a file that is here already is chosen as it is."""

    def post(self, request: HttpRequest) -> HttpResponse:
        self.form = self.get_creation_form()
        outcome = None
        if self.upload_handler.too_large:
            outcome = too_large(self.upload_handler.too_large[0])
            self.form.errors["file"] = self.form.error_class([outcome.sentence])
        elif self.form.is_valid():
            outcome = self.outcome_of(**self.form.cleaned_data)
            if outcome.asset is None:
                self.form.add_error("file", outcome.sentence)
        if outcome and outcome.asset:
            return self.get_chosen_response(outcome.asset)
        return self.get_reshow_creation_form_response()

    def outcome_of(self, file: Any, arrived: UUID | None) -> Outcome:
        if file or arrived is None:
            return store_upload(file, user=self.request.user)
        mine = PendingUpload.objects.filter(uploaded_by=self.request.user.pk)
        upload = mine.select_related("asset").filter(pk=arrived).first()
        if upload is None or upload.asset is None:
            return Outcome("", gettext("This upload is not known any more. Choose the file again."))
        return Outcome(upload.file_name, upload.sentence, upload.asset)


class AssetChosenView(AssetChosenResponseMixin, views.ChosenView):
    def get_object(self, pk: str) -> DigitalAsset:
        try:
            return DigitalAsset.objects.get(pk=pk)
        except ValidationError as error:  # not even the shape of an id
            raise Http404 from error


class AssetsChosenView(views.ChosenMultipleViewMixin, AssetChosenResponseMixin, View):
    """Several at once, for "Add files that are here already"; what is no id is left out."""

    def get_objects(self, pks: list[str]) -> list[DigitalAsset]:
        return assets_with(pks)


class AssetWidget(BaseChooser):
    class Media:
        css = {"all": ["catalog_pages/admin/upload.css"]}
        js = ["catalog_pages/admin/upload_transfer.js", "catalog_pages/admin/chooser_upload.js"]

    def get_instance(self, value: Any) -> DigitalAsset | None:
        """The form says what is wrong with a strange id; its field is drawn empty."""
        try:
            return super().get_instance(value)
        except ValidationError:
            return None

    def get_display_title(self, instance: DigitalAsset) -> str:
        return facts.one_line(instance)


class DigitalAssetChooserViewSet(ChooserViewSet):
    model = DigitalAsset
    name = "digital_asset_chooser"
    url_prefix = "audio-files/choose"
    icon = "media"
    preserve_url_parameters = ["multiple"]
    choose_one_text = _("Choose a file")
    choose_another_text = _("Choose another file")
    edit_item_text = _("See the file")
    page_title = _("Choose an audio file")
    search_tab_label = _("Files already here")
    creation_tab_label = _("Upload a new file")
    create_action_label = _("Upload and choose")
    create_action_clicked_label = _("Uploading …")
    creation_form_class = AssetUploadForm
    per_page = 15
    choose_view_class = AssetChooseView
    choose_results_view_class = AssetChooseResultsView
    chosen_view_class = AssetChosenView
    create_view_class = AssetUploadTabView
    chosen_multiple_view_class = AssetsChosenView
    base_widget_class = AssetWidget
