"""The row locks of this room: grants, always in the order of their keys, and before their downloads.

SQLite has none and ignores them; there a transaction that writes is alone from its first statement.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any

from django.db.models import QuerySet

from downloads.models import UserAsset


def lock_grants(grant_ids: Collection[uuid.UUID] | QuerySet[Any]) -> dict[uuid.UUID, UserAsset]:
    locked = (
        UserAsset.objects.select_for_update(no_key=True).filter(pk__in=grant_ids).order_by("pk")
    )
    return {grant.pk: grant for grant in locked}
