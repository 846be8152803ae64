"""Wagtail's command of the same name, except that one bad revision does not stop the others."""

from __future__ import annotations

import logging
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db import transaction
from django.utils import timezone
from wagtail.log_actions import log
from wagtail.management.commands.publish_scheduled import Command as WagtailCommand
from wagtail.models import DraftStateMixin, Page, Revision

from catalog_pages.admin.publishing import PUBLISH_REFUSED
from catalog_pages.models import CataloguePage, HomePage

logger = logging.getLogger(__name__)


class Command(WagtailCommand):
    help = "Publish what is due and unpublish what has expired; run it every minute or so."

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dryrun"]:
            super().handle(*args, **options)
            return
        failures = [*_unpublish_expired(), *_publish_due()]
        if failures:
            raise CommandError(f"To be tried again, see the log: {', '.join(failures)}.")


def _unpublish_expired() -> list[str]:
    models = [Page, *(model for model in apps.get_models() if _has_drafts_of_its_own(model))]
    failures = []
    for model in models:
        expired = model.objects.filter(live=True, expire_at__lt=timezone.now())
        if model is Page:  # a shop without its catalogue is no shop, whatever somebody dated
            expired = expired.not_type(HomePage, CataloguePage)
        for instance in expired.order_by("expire_at"):
            try:
                with transaction.atomic():
                    instance.unpublish(set_expired=True, log_action="wagtail.unpublish.scheduled")
            except Exception:  # whatever it is, the rest of the list is due as well
                logger.exception("“%s” has expired but could not be unpublished", instance)
                failures.append(str(instance))
    return failures


def _has_drafts_of_its_own(model: type) -> bool:
    return issubclass(model, DraftStateMixin) and not issubclass(model, Page)


def _publish_due() -> list[str]:
    """Publish every due revision, parts before bundles; names of those that failed for a reason which may
    pass."""
    failures = []
    due = Revision.objects.filter(approved_go_live_at__lt=timezone.now())
    for revision in sorted(due.order_by("approved_go_live_at"), key=lambda one: bool(_parts(one))):
        try:
            with transaction.atomic():
                revision.publish(log_action="wagtail.publish.scheduled")
        except ValidationError as refusal:
            if _waits_for_a_part(revision):
                logger.warning("“%s” waits for a part of it that is due", revision.object_str)
                continue
            _unschedule(revision, refusal.messages)
        except (
            Exception
        ):  # a database that was away, say: the date stands, the next run tries again
            logger.exception("“%s” is due but could not be published", revision.object_str)
            failures.append(revision.object_str)
    return failures


def _parts(revision: Revision) -> list[str]:
    """Keys of what a bundle contains; none of any other page."""
    return [str(row.get("product")) for row in revision.content.get("contents") or []]


def _waits_for_a_part(revision: Revision) -> bool:
    """Whether a part was to be on sale by now and is tried again: then the bundle is, too."""
    parts = Revision.page_revisions.filter(object_id__in=_parts(revision))
    return bool(parts.filter(approved_go_live_at__lte=revision.approved_go_live_at).exists())


@transaction.atomic
def _unschedule(revision: Revision, problems: list[str]) -> None:
    """Trying again every minute would change nothing: an editor has to, and reads why in the history."""
    Revision.objects.filter(pk=revision.pk).update(approved_go_live_at=None)
    log(
        instance=revision.content_object,
        action=PUBLISH_REFUSED,
        revision=revision,
        data={"problems": problems},
    )
    logger.warning("“%s” was not published on time: %s", revision.object_str, " ".join(problems))
