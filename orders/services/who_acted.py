"""Which accounts did something that stays on record under their name."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from wagtail.models import ModelLogEntry, PageLogEntry

from catalog_pages.models import CatalogueImport, DigitalAsset, LegalVersion
from downloads.models import AccessEvent
from orders.models import (
    FreeCopy,
    OrderAnomaly,
    OrderNote,
    OutboxMail,
    Refund,
    WebhookEndpoint,
)

# Where a name would be gone with its account, and with it the answer to "who did that?".
DEEDS: tuple[tuple[Any, str], ...] = (
    (AccessEvent, "actor"),
    (CatalogueImport, "created_by"),
    (CatalogueImport, "confirmed_by"),
    (DigitalAsset, "uploaded_by"),
    (FreeCopy, "issued_by"),
    (LegalVersion, "published_by"),
    (ModelLogEntry, "user"),
    (OrderAnomaly, "resolved_by"),
    (OrderNote, "written_by"),
    (OutboxMail, "requested_by"),
    (PageLogEntry, "user"),
    (Refund, "requested_by"),
    (WebhookEndpoint, "created_by"),
)


def acted_among(user_ids: Collection[int]) -> set[int]:
    """Those of the accounts whose name stands beside something that they did. One query for each place."""
    found: set[int] = set()
    for model, column in DEEDS:
        rows = model.objects.filter(**{f"{column}__in": user_ids}).order_by()
        found.update(rows.values_list(column, flat=True).distinct())
    return found
