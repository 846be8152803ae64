"""The row locks of this room: audio files, always in the order of their keys.

SQLite has none and ignores them; there a transaction that writes is alone from its first statement.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection

from catalog_pages.models import DigitalAsset


def lock_assets(asset_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, DigitalAsset]:
    """The rows as they are once nobody else is changing them; held until the transaction ends."""
    locked = DigitalAsset.objects.select_for_update().filter(pk__in=asset_ids).order_by("pk")
    return {asset.pk: asset for asset in locked}
