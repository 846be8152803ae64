"""When tokens of third parties end before their time, and that ended ones are thrown away."""

from __future__ import annotations

from typing import Any

from allauth.idp.oidc.models import Token


def tokens_end_all(*, user: Any) -> int:
    """Every app that acts for this person stops at once; how many tokens that were."""
    return Token.objects.filter(user=user).delete()[0]


def tokens_tidy() -> int:
    """Throw away what has run out; how many that were. Safe to run at any time."""
    return Token.objects.expired().delete()[0]
