"""An editor presses a button of a batch: the albums are noted, and made in the background."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.db import transaction

from catalog_pages.batches.tasks import make_album
from catalog_pages.models import BatchAlbum, MusicBatch

Wish = BatchAlbum.Wish


def albums_wish(
    *, batch: MusicBatch, wish: str, user: Any, album_ids: Sequence[int] | None = None
) -> int:
    """Have albums saved as drafts, or published as well, in the background; how many are to be.

    All of the batch, or `album_ids` of it. An album that is being worked on is not asked for twice.
    """
    albums = batch.albums.filter(wish=Wish.NONE)
    if album_ids is not None:
        albums = albums.filter(pk__in=album_ids)
    asked = 0
    with transaction.atomic():
        for pk in list(albums.values_list("pk", flat=True)):
            mine = BatchAlbum.objects.filter(pk=pk, wish=Wish.NONE)
            if mine.update(wish=wish, wished_by=user, sentence=""):
                asked += 1
                transaction.on_commit(partial(make_album.enqueue, pk))
    return asked


def wishes_again(*, batch: MusicBatch) -> int:
    """Enqueue once more what the queue may have lost; harmless, as an album makes one product."""
    waiting = list(batch.albums.exclude(wish=Wish.NONE).values_list("pk", flat=True))
    for pk in waiting:
        make_album.enqueue(pk)
    return len(waiting)
