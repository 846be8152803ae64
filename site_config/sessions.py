"""Sessions in the database as Django keeps them, in the same table and form, with fewer statements.

Django looks whether a new key is free before it inserts it, and surrounds each single statement with a
transaction: four queries for a new session and three for each change, where one does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.sessions.backends.base import VALID_KEY_CHARS, CreateError, UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db import DatabaseError
from django.utils import timezone
from django.utils.crypto import get_random_string

from catalog_pages.inserting import inserted

KEY_LENGTH = 32


class SessionStore(DatabaseStore):
    """The name of this class is part of the salt that signs what is stored: any other ends every session."""

    # What is wanted beside the session itself, as expressions for the same query; found in `read`.
    also_read: Mapping[str, Any] = {}
    read: Mapping[str, Any] = {}

    def _validate_session_key(self, key: str) -> bool:
        """A NUL is none of a key's characters, and a fault to PostgreSQL."""
        base: Any = super()
        return bool(base._validate_session_key(key)) and "\0" not in key

    def load(self) -> dict[str, Any]:
        rows = self.model.objects.filter(
            session_key=self.session_key, expire_date__gt=timezone.now()
        ).annotate(**self.also_read)
        row = next(iter(rows), None)
        if row is None:
            self._session_key = None
            return {}
        self.read = {name: getattr(row, name) for name in self.also_read}
        found: dict[str, Any] = self.decode(row.session_data)
        return found

    def save(self, must_create: bool = False) -> None:
        """Raises CreateError for a key that is taken, UpdateError for a session that is gone."""
        if self.session_key is None:
            return self.create()
        session: Any = self
        row = self.create_model_instance(session._get_session(no_load=must_create))
        if must_create:
            if not inserted(row):
                raise CreateError
            return None
        try:
            changed = self.model.objects.filter(pk=row.pk).update(
                session_data=row.session_data, expire_date=row.expire_date
            )
        except DatabaseError as error:
            raise UpdateError from error
        if not changed:
            raise UpdateError
        return None

    def _get_new_session_key(self) -> str:
        """Whether it is free, the insert finds out."""
        return get_random_string(KEY_LENGTH, VALID_KEY_CHARS)
