"""What the account may fetch, what it fetched, and what it wants to be told."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef

from downloads.models import AccessEvent, Download, Revocation, UserAsset
from orders.models import GiftCode, UpdateNotice, UpdateWish
from orders.services.personal_data.person import Person
from orders.services.personal_data.table import Derived, Kind, Table


def _of_their_copies(model: Any, person: Person) -> Any:
    """Rows that name a line and a copy of it, as grants do."""
    held = (
        person.grants().order_by().filter(order_item=OuterRef("order_item"), seat=OuterRef("seat"))
    )
    return model.objects.filter(Exists(held)).order_by("created_at", "pk")


OWNING_TABLES = (
    Table(
        name="gifts_redeemed",
        words="Copies that somebody else paid for, with what they wrote. Who paid is not told.",
        model=GiftCode,
        find=Person.gifts,
        columns={
            "purchase": "order_item",
            "title": "order_item__title",
            "message": "message",
            "redeemed_email": "redeemed_email",
            "redeemed_at": "redeemed_at",
        },
    ),
    Table(
        name="grants",
        words="Files that may be fetched, and since when.",
        model=UserAsset,
        find=Person.grants,
        columns={
            "id": "id",
            "purchase": "order_item",
            "product": "order_item__title",
            "title": "title",
            "file_name": "asset__file_name",
            "email": "email",
            "is_gift": Derived("seat", Kind.YES_NO, bool),
            "download_limit": "download_limit",
            "counted_from": "counted_from",
            "created_at": "created_at",
        },
    ),
    Table(
        name="revocations",
        words="Why such a right did not work, and until when.",
        model=Revocation,
        find=lambda person: Revocation.objects.filter(grant__in=person.grant_ids()).order_by("pk"),
        columns={
            "grant": "grant",
            "cause": "cause",
            "created_at": "created_at",
            "lifted_at": "lifted_at",
        },
    ),
    Table(
        name="downloads",
        words="Downloads. The program and address they were made with are kept as a keyed digest alone, "
        "which says nothing without the shop's key and is left out.",
        model=Download,
        find=lambda person: Download.objects.filter(grant__in=person.grant_ids()).order_by("pk"),
        columns={
            "grant": "grant",
            "file_name": "asset__file_name",
            "started_at": "started_at",
            "ends_at": "ends_at",
            "sent_bytes": "sent_bytes",
            "counted_at": "counted_at",
        },
    ),
    Table(
        name="access_events",
        words="The ledger of those rights: given, taken, fetched, refused.",
        model=AccessEvent,
        find=lambda person: AccessEvent.objects.filter(grant__in=person.grant_ids()).order_by("pk"),
        columns={
            "grant": "grant",
            "kind": "kind",
            "code": "code",
            "file_name": "asset__file_name",
            "at": "at",
        },
    ),
    Table(
        name="update_wishes",
        words="Purchases of which new versions are to be told by letter.",
        model=UpdateWish,
        find=lambda person: _of_their_copies(UpdateWish, person),
        columns={"purchase": "order_item", "created_at": "created_at"},
    ),
    Table(
        name="update_notices",
        words="New versions that the account knows of.",
        model=UpdateNotice,
        find=lambda person: _of_their_copies(UpdateNotice, person),
        columns={
            "purchase": "order_item",
            "file_name": "asset__file_name",
            "created_at": "created_at",
        },
    ),
)
