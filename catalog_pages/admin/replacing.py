"""Replacing a file by a new version: the link between the two, and a draft of each product that uses it.

Buyers notice nothing until a product is published; what they bought stays either way.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView
from wagtail import hooks
from wagtail.admin.forms.models import formfield_for_dbfield
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.log_actions import LogActionRegistry, LogFormatter, log
from wagtail.models import Page, Revision

from catalog_pages.admin import facts
from catalog_pages.admin.deleting import products_with_version_naming_asset
from catalog_pages.models import DigitalAsset, ProductPage, ProductTrack, TrackFile
from catalog_pages.versions import CannotReplace, version_add

REPLACED = "catalog_pages.replace_asset"
LEFT_LOCKED = _("You cannot edit it now, so it was left as it is.")


@dataclass(frozen=True)
class Outcome:
    """What became of one product: `sentence` in words, `revision` its draft with the new file.

    `is_ready`: publishing it puts this one file on sale and nothing else. `tracks`: where the new file
    was put, as `track_key` has it.
    """

    page: ProductPage
    sentence: str
    revision: Revision | None = None
    is_ready: bool = False
    is_published: bool = False
    tracks: tuple[str, ...] = ()

    @property
    def edit_url(self) -> str:
        return reverse("wagtailadmin_pages:edit", args=[self.page.pk])

    @property
    def publish_url(self) -> str:
        """Wagtail's own question whether to publish; it comes back to the product's list."""
        url = reverse("wagtail_bulk_action", args=["wagtailcore", "page", "publish"])
        back = reverse("wagtailadmin_explore", args=[self.page.get_parent().pk])
        return f"{url}?{urlencode({'id': self.page.pk, 'next': back})}"


class ReplaceForm(forms.Form):
    publish_now = forms.BooleanField(
        label=_("Publish now"),
        required=False,
        help_text=_(
            "Only products on sale that have no other changes waiting. Owners are offered the "
            "new version at once, and those who asked get a letter."
        ),
    )

    def __init__(self, *args: Any, may_publish: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # With the chooser that tracks have: Wagtail knows it by the model, once all is loaded.
        chooser = formfield_for_dbfield(TrackFile._meta.get_field("asset"))
        chooser.label = gettext("New version")
        chooser.help_text = gettext(
            "In the same format, and neither sold nor on sale yet. Neither file's bytes change."
        )
        self.fields = {"asset": chooser, **self.fields}
        if not may_publish:
            del self.fields["publish_now"]


class ReplaceView(PermissionCheckedMixin, WagtailAdminTemplateMixin, TemplateView):
    """GET asks for the new file; POST links it, writes the drafts, and shows what became of each."""

    permission_policy: Any = None
    permission_required = "add"
    model: Any = None
    page_title = _("Replace with a new version")
    header_icon = "media"
    template_name = "catalog_pages/admin/replace.html"
    http_method_names = ["get", "post"]

    @cached_property
    def object(self) -> DigitalAsset:
        return get_object_or_404(DigitalAsset, pk=self.kwargs["pk"])

    @cached_property
    def form(self) -> ReplaceForm:
        users = ProductPage.objects.filter(tracks__files__asset=self.object, live=True)
        may_publish = any(_may_publish(page, self.request.user) for page in users.distinct())
        return ReplaceForm(self.request.POST or None, may_publish=may_publish)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.form.is_valid():
            return self.render_to_response(self.get_context_data(), status=422)
        chosen = self.form.cleaned_data["asset"]
        try:
            outcomes = asset_replace(old=self.object, new=chosen, by=request.user)
        except CannotReplace as refusal:
            self.form.add_error("asset", refusal.message)
            return self.render_to_response(self.get_context_data(), status=refusal.status)
        if self.form.cleaned_data.get("publish_now"):
            outcomes = [_published(outcome, request.user) for outcome in outcomes]
        context = self.get_context_data(outcomes=outcomes, chosen=chosen)
        return self.render_to_response(context)

    def get_page_subtitle(self) -> str:
        return str(self.object)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": reverse("digital_assets:index"), "label": gettext("Audio files")},
            {"url": self.file_url, "label": str(self.object)},
            {"url": "", "label": self.page_title},
        ]

    @property
    def file_url(self) -> str:
        return reverse("digital_assets:inspect", args=[self.object.pk])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            form=self.form,
            media=self.form.media,
            old=self.object,
            old_facts=facts.one_line(self.object),
            file_url=self.file_url,
            **kwargs,
        )


@transaction.atomic
def asset_replace(*, old: DigitalAsset, new: DigitalAsset, by: Any) -> list[Outcome]:
    """Make `new` the next version of `old`, and put it in its place in a draft of each product.

    All or nothing. Nothing is published. Raises CannotReplace.
    """
    try:
        version = version_add(old_id=old.pk, new_id=new.pk)
    except DigitalAsset.DoesNotExist as error:
        raise CannotReplace(
            gettext("That file has been deleted meanwhile. Choose another one.")
        ) from error
    pages = products_naming(old)
    outcomes = [outcome for page in pages if (outcome := _draft(page, old, version, by))]
    # Which tracks, so that undoing leaves those alone that have the new file by themselves.
    tracks = {str(outcome.page.pk): outcome.tracks for outcome in outcomes if outcome.tracks}
    named = {"replaces": str(old), "replaces_id": str(old.pk)}
    log(version, REPLACED, user=by, data={**named, "tracks": tracks})
    log(old, REPLACED, user=by, data={"replaced_by": str(version), "by_id": str(version.pk)})
    return outcomes


def products_naming(asset: DigitalAsset) -> list[ProductPage]:
    """Products that use the file now or name it in one of their versions; their newest one decides.

    No aliases: Wagtail keeps no drafts of one, and publishes it with the product that it mirrors.
    """
    named = Q(pk__in=products_with_version_naming_asset(asset).order_by().values("pk"))
    using = Q(tracks__files__asset=asset)
    pages = ProductPage.objects.filter(named | using, alias_of=None)
    return list(pages.distinct().order_by("title"))


def _draft(page: ProductPage, old: DigitalAsset, new: DigitalAsset, by: Any) -> Outcome | None:
    version = page.get_latest_revision_as_object()
    tracks = swap(version, old, new)
    if not tracks:
        return _kept(page, old)
    if not may_edit(page, by):
        return Outcome(page, str(LEFT_LOCKED))
    has_others = page.has_unpublished_changes  # asked first: `version` may be the page itself
    revision = version.save_revision(user=by, log_action=True, clean=False)
    sentence, is_ready = gettext("The new file is in its draft."), page.live and not has_others
    if not page.live:
        sentence = gettext("It is not on sale. The new file is in its draft.")
    elif has_others:
        sentence = gettext("The new file is in its draft, with other changes that wait.")
    return Outcome(page, sentence, revision, is_ready=is_ready, tracks=tracks)


def may_edit(page: ProductPage, user: Any) -> bool:
    lock = page.get_lock()
    return bool(page.permissions_for_user(user).can_edit() and not (lock and lock.for_user(user)))


def _kept(page: ProductPage, old: DigitalAsset) -> Outcome | None:
    """What its newest version no longer uses may be on sale all the same; then somebody decided that."""
    if not page.live or not TrackFile.objects.filter(track__page=page, asset=old).exists():
        return None
    return Outcome(
        page,
        gettext(
            "It is on sale with the old file. Its draft no longer uses that, so it was left as it is."
        ),
    )


def swap(
    version: ProductPage,
    old: DigitalAsset,
    new: DigitalAsset,
    *,
    only: Collection[str] | None = None,
) -> tuple[str, ...]:
    """Put the new file where the old one is, in memory; return the keys of the tracks where it was.

    `only`: the keys of the tracks to look at, all of them unless given.
    """
    changed = []
    for track in version.tracks.all():
        files, key = list(track.files.all()), track_key(track)
        if not any(file.asset_id == old.pk for file in files) or (
            only is not None and key not in only
        ):
            continue
        changed.append(key)
        has_new = any(file.asset_id == new.pk for file in files)
        kept = [file for file in files if not (has_new and file.asset_id == old.pk)]
        for file in kept:
            file.asset = new if file.asset_id == old.pk else file.asset
        track.files.set(kept)
        version.tracks.add(track)
    return tuple(changed)


def track_key(track: ProductTrack) -> str:
    """What knows a track again in a later draft; one that was never published has only its title."""
    return str(track.pk) if track.pk else f"“{track.title}”"


def _published(outcome: Outcome, user: Any) -> Outcome:
    """Published if it may be, and if nothing else would be published with it; otherwise why not."""
    page, revision = outcome.page, outcome.revision
    if revision is None or not outcome.is_ready:
        return outcome
    if not _may_publish(page, user):
        return Outcome(
            page,
            gettext("{sentence} You may not publish it.").format(sentence=outcome.sentence),
            revision,
        )
    try:
        revision.publish(user=user)
    except ValidationError as error:
        return Outcome(
            page, " ".join([gettext("It was not published."), *error.messages]), revision
        )
    return Outcome(page, gettext("Published with the new file."), revision, is_published=True)


def _may_publish(page: Page, user: Any) -> bool:
    return bool(page.permissions_for_user(user).can_publish())


def register_log_actions(registry: LogActionRegistry) -> None:
    """The history of both files says which replaced which."""

    @registry.register_action(REPLACED)
    class ReplacedFormatter(LogFormatter):
        label = gettext("Replace with a new version")

        def format_message(self, log_entry: Any) -> str:
            data = log_entry.data
            if "replaces" in data:
                return gettext("Replaces “{data}” from now on").format(data=data["replaces"])
            return gettext("Replaced by “{name}”").format(name=data.get("replaced_by", ""))


hooks.register("register_log_actions", register_log_actions)
