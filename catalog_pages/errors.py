"""The shape of every rule's refusal: a stable code, a sentence for people, an HTTP status."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _


class DomainError(Exception):
    """Raised where a rule lives; turned into HTML or problem+json in one place each."""

    code = "refused"
    status = 409
    # A lazy sentence on the class; on what is raised, text in the language of that moment.
    message: Any = _("This cannot be done.")
    field = ""  # of what was sent, as the API calls it; empty: all of it

    def __init__(self, message: str = "") -> None:
        self.message = message or str(self.message)
        super().__init__(self.message)
