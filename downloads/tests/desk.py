"""Grants as the desk meets them: what happened to them, and the buttons that put them right."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalog_pages.models import FixityCheck
from downloads.grants import access_block
from downloads.models import Download, Revocation, UserAsset
from tests.factories import make_asset

LIST = "download_desk:index"
SEE = "downloads.view_userasset"
RIGHTS = {
    "reset": "downloads.reset_userasset",
    "take-back": "downloads.revoke_userasset",
    "give-back": "downloads.restore_userasset",
}
REASON = {"reason": "Bought with a stolen card"}


def page_url(grant: UserAsset) -> str:
    return reverse("download_desk:inspect", args=[grant.pk])


def button_url(name: str, grant: UserAsset) -> str:
    return reverse(f"download_desk:{name}", args=[grant.pk])


def press(client: Client, name: str, grant: UserAsset, **data: str) -> HttpResponse:
    return client.post(button_url(name, grant), {**REASON, **data})


def fetched(
    grant: UserAsset, times: int = 1, *, asset: Any = None, counted: bool = True, **fields: Any
) -> None:
    """Downloads by as many clients, on record."""
    now = timezone.now()
    for _ in range(times):
        Download.objects.create(
            **{
                "grant": grant,
                "asset": asset or grant.asset,
                "client": uuid.uuid4().hex,
                "started_at": now,
                "ends_at": now + timedelta(hours=1),
                "sent_bytes": 1000,
                "counted_at": now if counted else None,
                **fields,
            }
        )


def stopped(cause: str) -> Any:
    def stop(grant: UserAsset) -> None:
        access_block(order_item_ids=[grant.order_item_id], cause=cause)

    return stop


def without_limit(grant: UserAsset) -> None:
    UserAsset.objects.filter(pk=grant.pk).update(download_limit=0)
    fetched(grant, 7)


def fetched_and_reset(grant: UserAsset) -> None:
    fetched(grant, 3)
    UserAsset.objects.filter(pk=grant.pk).update(counted_from=timezone.now())
    fetched(grant, 1)


def found_missing(grant: UserAsset) -> None:
    FixityCheck.objects.create(asset=grant.asset, found="missing", checked_at=timezone.now())


def found_altered(grant: UserAsset) -> None:
    FixityCheck.objects.create(asset=grant.asset, found="altered", checked_at=timezone.now())


def lifted(grant: UserAsset) -> None:
    Revocation.objects.create(grant=grant, cause="refund", lifted_at=timezone.now())


def limit_of_another_version(grant: UserAsset) -> None:
    fetched(grant, 3, asset=make_asset())
