"""Writing into the append-only ledger: what was fetched, and what was refused and why."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from downloads.models import AccessEvent, UserAsset

# A player and a shaky network ask for the beginning again and again; that is one download.
WINDOW = timedelta(hours=1)


def download_record(*, grant: UserAsset) -> None:
    _record_once(grant, AccessEvent.Kind.DOWNLOADED, "")


def denial_record(*, grant: UserAsset, code: str) -> None:
    _record_once(grant, AccessEvent.Kind.DENIED, code)


def _record_once(grant: UserAsset, kind: str, code: str) -> None:
    recent = AccessEvent.objects.filter(
        grant=grant, kind=kind, code=code, at__gt=timezone.now() - WINDOW
    )
    if not recent.exists():
        AccessEvent.objects.create(grant=grant, kind=kind, code=code)
