"""Many products changed at once, one transaction each: the one road of price changes, genres and imports.

What is on sale changes for shoppers only through somebody who may publish; everybody else leaves a draft.
A draft that somebody is writing keeps everything of theirs and is not published along the way.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.log_actions import LogActionRegistry, LogFormatter, log

from catalog_pages.editing import hindrance, may_publish
from catalog_pages.models import ProductPage

logger = logging.getLogger(__name__)

PRICE = "catalog_pages.price_change"
GENRE = "catalog_pages.genre_change"
IMPORT = "catalog_pages.import"
# What each is called in a filter, and how it reads in a page's history.
ACTIONS = {
    PRICE: (_("Change of many prices"), _("Price changed with others")),
    GENRE: (_("Genre of many products"), _("Genre assigned with others")),
    IMPORT: (_("Import of prices and texts"), _("Changed by an import")),
}
NOT_THERE = _("There is no such product any more.")


class Came(StrEnum):
    PUBLISHED = "published"
    DRAFT = "draft"
    SAME = "same"
    LEFT = "left"


@dataclass(frozen=True)
class Outcome:
    """What came of one product; `sentence` says why it was left alone, or is only a draft."""

    came: Came
    sentence: str = ""


def product_change(
    *,
    page_id: int,
    values: Mapping[str, Any],
    user: Any,
    action: str,
    comment: str,
    revision_id: int | None,
) -> Outcome:
    """Set fields (`values`, by their column) on a product's newest version, and publish that if it was live.

    `revision_id` is the version that somebody looked at when they decided: a product that has another
    one by now is left alone, as are those that are locked, in moderation, aliases or not theirs to edit.
    Whatever else goes wrong with one is logged and told, and holds up no other.
    """
    try:
        return _changed(page_id, values, user, action, comment, revision_id)
    except Exception:
        logger.exception("Product %s could not be changed", page_id)
        return Outcome(
            Came.LEFT, gettext("Something went wrong with it, which the shop has written down.")
        )


def _changed(
    page_id: int,
    values: Mapping[str, Any],
    user: Any,
    action: str,
    comment: str,
    revision_id: int | None,
) -> Outcome:
    with transaction.atomic():
        page = ProductPage.objects.select_for_update(of=("self",)).filter(pk=page_id).first()
        if page is None:
            return Outcome(Came.LEFT, str(NOT_THERE))
        if refusal := hindrance(page, user):
            return Outcome(Came.LEFT, refusal)
        draft: ProductPage = page.get_latest_revision_as_object()
        if not _differs(draft, values) and not (page.live and _differs(page, values)):
            return Outcome(Came.SAME)
        if gone := _gone(values):
            return Outcome(Came.LEFT, gone)
        if page.latest_revision_id != revision_id:
            return Outcome(Came.LEFT, gettext("Somebody has changed it in the meantime."))
        publishes = page.live and may_publish(page, user)
        # What is published is the page as it is on sale, not a draft that somebody may be half through.
        version = ProductPage.objects.get(pk=page.pk) if publishes else draft
        _put(version, values)
        revision = version.save_revision(user=user, clean=False)
        log(instance=page, action=action, user=user, data={"comment": comment})
    if not publishes:
        said = gettext("It is on sale as before: whoever may publish has to publish the draft.")
        return Outcome(Came.DRAFT, said if page.live else "")
    # The rules look for files in storage, which may be far: not inside the transaction.
    outcome = _published(revision, user)
    if page.has_unpublished_changes:
        _put(draft, values)
        draft.save_revision(user=user, clean=False)
    return outcome


def _published(revision: Any, user: Any) -> Outcome:
    try:
        revision.publish(user=user)
    except ValidationError as error:
        problems = " ".join(error.messages)
        return Outcome(
            Came.DRAFT, gettext("It is only a draft: %(problems)s") % {"problems": problems}
        )
    except Exception:  # the storage was away, say: the draft is kept
        logger.exception("“%s” could not be published", revision.object_str)
        return Outcome(
            Came.DRAFT,
            gettext("It is only a draft: it could not be published just now. Try that again."),
        )
    return Outcome(Came.PUBLISHED)


def _gone(values: Mapping[str, Any]) -> str:
    """Which artist or genre was deleted since somebody chose it; those that are there stay until the end."""
    for column, value in values.items():
        related: Any = ProductPage._meta.get_field(column.removesuffix("_id")).related_model
        if related is None or value is None:
            continue
        if related._default_manager.select_for_update().filter(pk=value).first() is None:
            said = gettext("The %(kind)s that was chosen is not there any more.")
            return said % {"kind": related._meta.verbose_name}
    return ""


def _put(page: ProductPage, values: Mapping[str, Any]) -> None:
    for field, value in values.items():
        setattr(page, field, value)


def _differs(page: ProductPage, values: Mapping[str, Any]) -> bool:
    return any(getattr(page, field) != value for field, value in values.items())


class ChangeLogFormatter(LogFormatter):
    def format_message(self, log_entry: Any) -> str:
        return str(ACTIONS[log_entry.action][1])

    def format_comment(self, log_entry: Any) -> str:
        return str(log_entry.data.get("comment", ""))


def register_log_actions(registry: LogActionRegistry) -> None:
    for action, (label, _said) in ACTIONS.items():
        formatter = type("Formatter", (ChangeLogFormatter,), {"label": label})
        registry.register_action(action)(formatter)
