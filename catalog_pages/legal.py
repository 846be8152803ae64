"""Publishing legal texts. Everything that can be wrong with one is a sentence, and changes nothing."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from catalog_pages.errors import DomainError
from catalog_pages.models import LegalKind, LegalText, LegalVersion
from catalog_pages.plain_text import plain_text

MAX_CONSENT = 500  # it stands beside a box to tick


class LegalTextUnfit(DomainError):
    """The draft cannot be published; the message says why."""

    code = "legal_text_unfit"
    status = 400


def legal_problem(*, kind: str, body: str) -> str:
    """Why this text cannot be the next version, as a sentence; "" when it can."""
    words = plain_text(body)
    if not words:
        return _("Write the text first: there is nothing to publish.")
    if kind == LegalKind.CONSENT and len(words) > MAX_CONSENT:
        return _("The consent stands beside a box to tick: use at most %(most)s characters.") % {
            "most": MAX_CONSENT
        }
    newest = LegalVersion.objects.filter(kind=kind).first()
    if newest is not None and newest.body == body:
        return _("This is word for word what is published already, as version %(version)s.") % {
            "version": newest.version
        }
    return ""


@transaction.atomic
def legal_publish(*, text: LegalText, by: Any) -> LegalVersion:
    """Make the draft the next version, in force from now on. Older ones stay as they are.

    Raises LegalTextUnfit when there is nothing to publish, or somebody else has just published.
    """
    if problem := legal_problem(kind=text.kind, body=text.draft):
        raise LegalTextUnfit(problem)
    newest = LegalVersion.objects.filter(kind=text.kind).first()
    number = newest.version + 1 if newest else 1
    try:
        with transaction.atomic():
            return LegalVersion.objects.create(
                kind=text.kind, version=number, body=text.draft, published_by=by
            )
    except IntegrityError:
        raise LegalTextUnfit(
            _(
                "Somebody else has just published this text. Look at theirs before you publish yours."
            )
        ) from None
