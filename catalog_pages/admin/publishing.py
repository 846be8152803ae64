"""Refusals on the roads to publication that have no form of their own to show sentences on.

Every road ends in `ProductPage.save`, which refuses by itself. What is here speaks first, so that
an editor reads all sentences at once and nothing is left half done.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from wagtail.admin.views.bulk_action import BulkAction
from wagtail.log_actions import LogActionRegistry, LogFormatter
from wagtail.models import Page

from catalog_pages.models import ProductPage
from catalog_pages.publishing import publish_problems

PUBLISH_REFUSED = "catalog_pages.publish_refused"


def latest_version(page: Page) -> Page:
    """What publishing `page` would make live: its newest draft, else the page as it is."""
    return page.specific.get_latest_revision_as_object()


def refusals(pages: Iterable[Page]) -> list[str]:
    """One sentence per problem of each unfinished product among `pages`, naming the product.

    They are to be published together: a bundle among them may contain others of them.
    """
    latest = {page.pk: latest_version(page) for page in pages}
    versions = {pk: version for pk, version in latest.items() if isinstance(version, ProductPage)}
    return [
        f"“{version.title}”: {problem}"
        for version in versions.values()
        for problem in publish_problems(version, versions)
    ]


def parts_first(pages: Iterable[Page]) -> list[Page]:
    """In their order, but bundles after everything that they could contain; each once."""
    once = {page.pk: page for page in pages}
    return sorted(once.values(), key=lambda page: _is_bundle(latest_version(page)))


def _is_bundle(version: Page) -> bool:
    return isinstance(version, ProductPage) and version.contents.exists()


def refuse_bulk_publish(
    request: HttpRequest, action_type: str, objects: list[Any], action: BulkAction
) -> HttpResponse | None:
    """One unfinished product stops the whole selection: half a list published is a puzzle."""
    if action_type != "publish" or not issubclass(action.model, Page):
        return None
    problems = refusals(_pages_of(objects, action))
    if not problems:
        return None
    messages.error(request, _("Nothing was published, because part of the selection is not ready."))
    for problem in problems:
        messages.error(request, problem)
    return redirect(action.next_url)


def refuse_live_copy(request: HttpRequest, page: Page) -> HttpResponse | None:
    """A copy or alias that would be live at once is held to the same rule as its original."""
    wants_live = request.POST.get("publish_copies") or request.POST.get("alias")
    version = page.specific
    if not (request.method == "POST" and wants_live and isinstance(version, ProductPage)):
        return None
    problems = publish_problems(version)
    if not problems:
        return None
    for problem in problems:
        messages.error(
            request,
            _("“{title}” was not copied. {problem}").format(title=page.title, problem=problem),
        )
    return redirect("wagtailadmin_pages:copy", page.pk)


def register_log_actions(registry: LogActionRegistry) -> None:
    """The page's history shows why a scheduled publication did not happen."""

    @registry.register_action(PUBLISH_REFUSED)
    class PublishRefusedFormatter(LogFormatter):
        label = _("Publication refused")

        def format_message(self, log_entry: Any) -> str:
            return _("Scheduled publication refused")

        def format_comment(self, log_entry: Any) -> str:
            return " ".join(log_entry.data.get("problems", []))


def _pages_of(objects: list[Any], action: BulkAction) -> list[Page]:
    """The pages that the bulk action would publish."""
    pages = list(objects)
    if action.cleaned_form and action.cleaned_form.cleaned_data.get("include_descendants"):
        for page in objects:
            pages += page.get_descendants().not_live()
    return pages
