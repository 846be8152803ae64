"""The row locks of this room: batches of music, albums, audio files, always in the order of their keys.

SQLite has none and ignores them; there a transaction that writes is alone from its first statement.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection

from django.db.models import QuerySet

from catalog_pages.models import BatchAlbum, DigitalAsset, MusicBatch


def lock_assets(asset_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, DigitalAsset]:
    """The rows as they are once nobody else is changing them; held until the transaction ends."""
    locked = DigitalAsset.objects.select_for_update().filter(pk__in=asset_ids).order_by("pk")
    return {asset.pk: asset for asset in locked}


def lock_batch(batch_id: int) -> MusicBatch | None:
    """A batch of music whose rows nobody else sorts or moves meanwhile; before any audio file."""
    return MusicBatch.objects.select_for_update().filter(pk=batch_id).first()


def lock_album(album_id: int) -> BatchAlbum | None:
    """An album that nobody else corrects or makes a product of; after its batch, where both are locked."""
    return BatchAlbum.objects.select_for_update().filter(pk=album_id).first()


def lock_albums(albums: QuerySet[BatchAlbum]) -> list[BatchAlbum]:
    """Several at once, always in the order of their keys."""
    return list(albums.select_for_update().order_by("pk"))
