"""Which files go into a ZIP of a purchase, and what they are called in it."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import QuerySet

from downloads.content_disposition import safe_file_name
from downloads.counting import Wanted
from downloads.errors import LimitReached
from downloads.links import LINE
from downloads.models import UserAsset
from downloads.policy import decide


def archive_grants(grant: UserAsset, *, scope: str, fmt: str) -> QuerySet[UserAsset]:
    """What came with this grant to the same holder: files of its line, or of all lines of its order."""
    same = UserAsset.objects.filter(seat=grant.seat, email=grant.email)
    same = same.filter(user=grant.user_id) if grant.user_id is not None else same.filter(user=None)
    if scope == LINE:
        same = same.filter(order_item_id=grant.order_item_id)
    else:
        same = same.filter(order_item__order__items=grant.order_item_id)
    if fmt:
        same = same.filter(asset__format_name=fmt)
    facts = same.select_related("asset__fixity", "order_item").with_facts()
    return facts.order_by("order_item__position", "position", "pk")


def open_files(grants: Sequence[UserAsset]) -> list[Wanted]:
    """Those that no revocation closes; raises the first one's reason when there is none.

    A reached limit closes the archive as a whole, when it is begun.
    """
    decided = [(grant, decide(grant).error) for grant in grants]
    wanted = [
        Wanted(grant, grant.asset)
        for grant, error in decided
        if error is None or isinstance(error, LimitReached)
    ]
    if not wanted and decided[0][1] is not None:
        raise decided[0][1]
    return wanted


def archive_name(grants: Sequence[UserAsset], *, fmt: str) -> str:
    """`The Album (FLAC).zip`, or the order's number where it holds several products; as browsers save it."""
    items = {grant.order_item_id: grant.order_item for grant in grants}
    first = next(iter(items.values()))
    name = first.title if len(items) == 1 else f"Order {first.order.number}"
    return safe_file_name(f"{name} ({fmt}).zip" if fmt else f"{name}.zip")


def member_names(wanted: Sequence[Wanted]) -> list[str]:
    """A folder for each product; within it one for each format, where a product has several."""
    formats: dict[int, set[str]] = {}
    for want in wanted:
        formats.setdefault(want.grant.order_item_id, set()).add(want.asset.format_name)
    names = []
    for want in wanted:
        folders = [_folder(want.grant.order_item)]
        if len(formats[want.grant.order_item_id]) > 1:
            folders.append(want.asset.format_name)
        names.append("/".join([*map(_plain, folders), _plain(want.asset.file_name)]))
    return names


def _folder(item: object) -> str:
    artist, title = getattr(item, "artist_name", ""), getattr(item, "title", "")
    return f"{artist} - {title}" if artist else title


def _plain(name: str) -> str:
    return name.replace("/", "_")
