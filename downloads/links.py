"""Addresses of files: they name the grant, never a path, so replacing a file breaks none of them."""

from __future__ import annotations

from django.urls import reverse

from downloads.models import UserAsset


def file_url(grant: UserAsset) -> str:
    """Where the holder fetches this file. The right is checked there on every request."""
    return reverse("downloads:file", args=[grant.pk])
