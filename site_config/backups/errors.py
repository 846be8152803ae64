"""What hinders a backup or a restore, as sentences for whoever typed the command."""

from __future__ import annotations


class BackupFailed(Exception):
    """Nothing was backed up; whatever was begun is no backup."""


class RestoreRefused(Exception):
    """Nothing was changed."""


class RestoreFailed(Exception):
    """Something was changed, and the shop must not run before a restore has ended well."""
