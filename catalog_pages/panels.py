"""Panels of the product editor that Wagtail does not have: what is missing, tracks from files, excerpts.

Each brings its own template, script and style; what they ask the server for is in
`catalog_pages.admin.authoring`. Addresses are asked for by name, so that models can import this.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from wagtail.admin.panels import FieldRowPanel, InlinePanel, Panel
from wagtail.admin.telepath import JSContext

from catalog_pages.audio.cuts import DEFAULT_LENGTH_MS
from catalog_pages.audio.facts import AUDIO_EXTENSIONS, SOLD_FORMATS
from catalog_pages.publishing import Problem, publish_problems

SCRIPTS = "catalog_pages/admin/"
STYLE: dict[str, Sequence[str]] = {"all": [f"{SCRIPTS}product_editor.css"]}
NEW_PAGE = 0  # in the checklist's address, until the page is saved for the first time


def checklist_context(page: Any, problems: list[Problem]) -> dict[str, Any]:
    """What the checklist's template shows."""
    return {"problems": problems, "is_live": bool(page.pk and page.live), "count": len(problems)}


def words() -> dict[str, str]:
    """Everything that the scripts of the tracks say."""
    return {
        "added": _("{count} tracks added."),
        "added_one": _("{count} track added."),
        "artist": _("Artist"),
        "cover": _("Cover: the picture inside the files, if there is one"),
        "cutting": _("Cutting the excerpt …"),
        "dismiss": _("Remove"),
        "excerpt": _("Excerpt:"),
        "filled": _("The empty fields are filled in."),
        "genre": _("Genre"),
        "guess": _("the shop's choice"),
        "known": _("Already on this page: {count}."),
        "left": _("Files still on their way: {count}. They become tracks when all are here."),
        "no_answer": _("The shop does not answer. Try again in a moment."),
        "no_file": _("Choose a file for this track first."),
        "reading": _("Reading the file …"),
        "release_date": _("Released"),
        "seconds": _("seconds"),
        "shop_chooses": _("a loud passage that the shop chooses"),
        "stop": _("Stop"),
        "stop_of": _("Stop {name}"),
        "stopped": _("Stopped. Choose the same file again to go on."),
        "title": _("Title"),
        "upload_of": _("Upload of {name}"),
        "waiting": _("Waiting …"),
    }


class ChecklistPanel(Panel):
    """What still hinders publishing, always in sight, each entry a way to the field that mends it."""

    class BoundPanel(Panel.BoundPanel):
        template_name = "catalog_pages/admin/checklist.html"

        @property
        def media(self) -> forms.Media:
            scripts = ["product_checklist.js", "product_saving.js"]
            return forms.Media(js=[f"{SCRIPTS}{name}" for name in scripts], css=STYLE)

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            context = super().get_context_data(parent_context)
            address = reverse("product_editor:checklist", args=[self.instance.pk or NEW_PAGE])
            shown = checklist_context(self.instance, publish_problems(self.instance))
            return context | shown | {"address": address}


class TracksPanel(InlinePanel):
    """The tracks, and above them one place to drop or choose the files of many at once."""

    class BoundPanel(InlinePanel.BoundPanel):
        template_name = "catalog_pages/admin/tracks.html"

        @property
        def media(self) -> forms.Media:
            # A list asks its rows for none of what they need.
            scripts = ["upload_transfer.js", "product_tracks.js", "excerpt_picker.js"]
            ours = forms.Media(js=[f"{SCRIPTS}{name}" for name in scripts], css=STYLE)
            self.chooser.pack(self.file_widget)
            return super().media + self.chooser.media + ours

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            context = super().get_context_data(parent_context)
            user = getattr(self.request, "user", None)
            return context | {
                "may_upload": bool(user and user.has_perm("catalog_pages.add_digitalasset")),
                "accepted": ",".join(["audio/*", *sorted(AUDIO_EXTENSIONS)]),
                "sold_formats": SOLD_FORMATS,
                "begin_url": reverse("digital_assets:upload_begin"),
                "details_url": reverse("product_editor:files"),
                "defaults_url": reverse("product_editor:defaults"),
                "chooser_definition": self.chooser.pack(self.file_widget),
                "words": words(),
            }

        @cached_property
        def chooser(self) -> JSContext:
            return JSContext()

        @property
        def file_widget(self) -> forms.Widget:
            """The very chooser that stands in each row of files."""
            return self.formset.empty_form.formsets["files"].empty_form.fields["asset"].widget


class ExcerptPanel(FieldRowPanel):
    """Start and length of a track's excerpt, with the whole track drawn, and the part to listen to."""

    class BoundPanel(FieldRowPanel.BoundPanel):
        template_name = "catalog_pages/admin/excerpt.html"

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            context = super().get_context_data(parent_context)
            nobody = "00000000-0000-0000-0000-000000000000"
            return context | {
                "shape_url": reverse("digital_assets:shape", args=[nobody]),
                "listen_url": reverse("digital_assets:listen", args=[nobody]),
                "default_seconds": DEFAULT_LENGTH_MS // 1000,
            }
