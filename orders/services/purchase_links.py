"""Links to what somebody holds, for programs; and why there is none. Rights come from the caller."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.utils.translation import gettext_lazy

from catalog_pages.errors import DomainError
from catalog_pages.models import DigitalAsset
from catalog_pages.versions import newest_published
from downloads.links import LINE
from downloads.models import UserAsset, UserAssetQuerySet
from downloads.offers import Answer, Offer, answers_for_holder, archive_offer, file_offer
from downloads.policy import Client, decide
from orders.services.purchases import one_copy


class NotHeld(DomainError):
    """The line, or the file of it, is not among the rights: told like any address that there is not."""

    code = "not_found"
    status = 404
    message = gettext_lazy("There is nothing here.")


class FileUnknown(NotHeld):
    code = "file_unknown"
    field = "file"
    message = gettext_lazy("This purchase has no such file. Its `files` name those that it has.")


class FormatUnknown(NotHeld):
    code = "format_unknown"
    field = "format"
    message = gettext_lazy(
        "There is no such format in it. Its `archives` name those that there are."
    )


class OrderNotHeld(NotHeld):
    code = "scope_unknown"
    field = "scope"
    message = gettext_lazy("This was a gift: its order is somebody else's. Ask for the line.")


def purchase_file_link(
    *, held: UserAssetQuerySet, item_id: int, file_id: uuid.UUID | None, client: Client
) -> Offer:
    """A link to one file of a line: the one named, which may be a newer version, else the first open one.

    Raises NotHeld, and what `file_offer` raises.
    """
    grants = _copy_of(held, item_id)
    grant, asset = _first_open(grants, client) if file_id is None else _named(grants, file_id)
    return file_offer(grant=grant, asset=asset, client=client)


def purchase_archive_link(
    *, held: UserAssetQuerySet, item_id: int, scope: str, fmt: str, client: Client
) -> Offer:
    """A link to a ZIP of a line or, for the buyer, of its order. `fmt`: of one format alone.

    Raises NotHeld, and what `archive_offer` raises.
    """
    grant, _ = _first_open(_copy_of(held, item_id), client)
    if scope != LINE and grant.seat:
        raise OrderNotHeld
    offer = archive_offer(grant=grant, scope=scope, fmt=fmt, client=client)
    if offer is None:
        raise FormatUnknown
    return offer


def purchase_answers(*, held: UserAssetQuerySet, item_id: int, client: Client) -> list[Answer]:
    """Of each file of a line, whether it would be sent now, and why not. Raises NotHeld."""
    return answers_for_holder(_copy_of(held, item_id), client=client)


def _copy_of(held: UserAssetQuerySet, item_id: int) -> list[UserAsset]:
    of_line = held.filter(order_item=item_id).select_related("asset__fixity").with_facts()
    grants = list(of_line.order_by("position", "pk"))
    if not grants:
        raise NotHeld
    closed = {grant.pk for grant in grants if not decide(grant).allowed}
    return one_copy(grants, closed=closed)


def _first_open(grants: Sequence[UserAsset], client: Client) -> tuple[UserAsset, DigitalAsset]:
    answers = answers_for_holder(grants, client=client)
    found = next((answer.grant for answer in answers if answer.allowed), grants[0])
    return found, found.asset


def _named(grants: Sequence[UserAsset], file_id: uuid.UUID) -> tuple[UserAsset, DigitalAsset]:
    """By what was bought, or by the newest version of it that is on sale."""
    for grant in grants:
        if grant.asset_id == file_id:
            return grant, grant.asset
    newest = newest_published({grant.asset_id for grant in grants})
    for grant in grants:
        if (version := newest.get(grant.asset_id)) is not None and version.pk == file_id:
            return grant, version
    raise FileUnknown
