"""Taking a replacement back: a file that was chosen by mistake is no version of the other any more.

Only while no buyer can know of it. What the replacing put into drafts is taken out of them again; what
somebody put there by hand stays.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cached_property
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView
from wagtail import hooks
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.log_actions import LogActionRegistry, LogFormatter, log
from wagtail.models import ModelLogEntry

from catalog_pages.admin.replacing import (
    LEFT_LOCKED,
    REPLACED,
    Outcome,
    may_edit,
    products_naming,
    swap,
)
from catalog_pages.models import DigitalAsset, ProductPage, TrackFile
from catalog_pages.versions import CannotUndo, refuse_undo, version_undo

UNDONE = "catalog_pages.undo_replace_asset"


class UndoReplaceView(PermissionCheckedMixin, WagtailAdminTemplateMixin, TemplateView):
    """GET says what will happen, or why it cannot; POST does it and shows what became of each product.

    The address names both files: what was asked about is what is undone, whatever others do meanwhile.
    """

    permission_policy: Any = None
    permission_required = "add"
    model: Any = None
    page_title = _("Undo: not a new version")
    header_icon = "rotate"
    template_name = "catalog_pages/admin/undo_replace.html"
    http_method_names = ["get", "post"]

    @cached_property
    def object(self) -> DigitalAsset:
        return get_object_or_404(DigitalAsset, pk=self.kwargs["pk"])

    @cached_property
    def old(self) -> DigitalAsset:
        return get_object_or_404(DigitalAsset, pk=self.kwargs["old_pk"])

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            refuse_undo(self.old, self.object)
        except CannotUndo as refusal:
            return self._refused(refusal)
        return self.render_to_response(self.get_context_data())

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            outcomes = asset_undo_replace(old=self.old, new=self.object, by=request.user)
        except CannotUndo as refusal:
            return self._refused(refusal)
        return self.render_to_response(self.get_context_data(outcomes=outcomes))

    def _refused(self, refusal: CannotUndo) -> HttpResponse:
        context = self.get_context_data(refusal=refusal.message)
        return self.render_to_response(context, status=refusal.status)

    def get_page_subtitle(self) -> str:
        return str(self.object)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": reverse("digital_assets:index"), "label": gettext("Audio files")},
            {"url": file_url(self.object), "label": str(self.object)},
            {"url": "", "label": self.page_title},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            old=self.old,
            new=self.object,
            old_url=file_url(self.old),
            new_url=file_url(self.object),
            replace_url=reverse("digital_assets:replace", args=[self.old.pk]),
            **kwargs,
        )


def file_url(asset: DigitalAsset) -> str:
    return reverse("digital_assets:inspect", args=[asset.pk])


@transaction.atomic
def asset_undo_replace(*, old: DigitalAsset, new: DigitalAsset, by: Any) -> list[Outcome]:
    """Make `new` no version of `old`, and put `old` back where the replacing took it out of a draft.

    All or nothing. Nothing is published. Raises CannotUndo.
    """
    try:
        freed = version_undo(old_id=old.pk, new_id=new.pk)
    except DigitalAsset.DoesNotExist as error:
        raise CannotUndo(
            gettext("That file has been deleted meanwhile. Nothing has to be undone.")
        ) from error
    tracks = _tracks_replaced(old, freed)
    log(freed, UNDONE, user=by, data={"replaces": str(old), "replaces_id": str(old.pk)})
    log(old, UNDONE, user=by, data={"replaced_by": str(freed), "by_id": str(freed.pk)})
    pages = products_naming(old)
    return [outcome for page in pages if (outcome := _restored(page, old, freed, tracks(page), by))]


def _tracks_replaced(
    old: DigitalAsset, new: DigitalAsset
) -> Callable[[ProductPage], Collection[str]]:
    """Of a product, the keys of the tracks in which the replacing put the new file.

    Its history knows; without one, the tracks that are on sale with the old file.
    """
    entries = ModelLogEntry.objects.for_instance(new).filter(action=REPLACED)
    for entry in entries.order_by("-timestamp", "-pk"):
        if entry.data.get("replaces_id") == str(old.pk) and "tracks" in entry.data:
            known = entry.data["tracks"]
            return lambda page: known.get(str(page.pk), ())
    return lambda page: [
        str(key) for key in _on_sale_with(page, old).values_list("track", flat=True)
    ]


def _on_sale_with(page: ProductPage, asset: DigitalAsset) -> QuerySet[TrackFile]:
    return TrackFile.objects.filter(track__page=page, track__page__live=True, asset=asset)


def _restored(
    page: ProductPage, old: DigitalAsset, new: DigitalAsset, tracks: Collection[str], by: Any
) -> Outcome | None:
    version = page.get_latest_revision_as_object()
    if not swap(version, new, old, only=tracks):
        return _left(page, version, new)
    if not may_edit(page, by):
        return Outcome(page, str(LEFT_LOCKED))
    version.save_revision(user=by, log_action=True, clean=False)
    if _on_sale_with(page, old).exists():
        return Outcome(page, gettext("The old file is back in its draft, as it is on sale."))
    return Outcome(page, gettext("The old file is back in its draft."))


def _left(page: ProductPage, version: ProductPage, new: DigitalAsset) -> Outcome | None:
    """A product that knew both files, and whose draft has the new one from somebody's own hand."""
    files = (file for track in version.tracks.all() for file in track.files.all())
    if not any(file.asset_id == new.pk for file in files):
        return None
    return Outcome(
        page,
        gettext(
            "Its draft has “{new}” in a track where replacing did not put it, so it was "
            "left as it is."
        ).format(new=new),
    )


def register_log_actions(registry: LogActionRegistry) -> None:
    """The history of both files says that neither replaced the other after all."""

    @registry.register_action(UNDONE)
    class UndoneFormatter(LogFormatter):
        label = gettext("Undo: not a new version")

        def format_message(self, log_entry: Any) -> str:
            data = log_entry.data
            if "replaces" in data:
                return gettext("No new version of “{data}” any more").format(data=data["replaces"])
            return gettext("Not replaced by “{name}” any more").format(
                name=data.get("replaced_by", "")
            )


hooks.register("register_log_actions", register_log_actions)
