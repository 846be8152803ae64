"""Backups, restores and moves of a whole shop, by the commands that operators type."""
