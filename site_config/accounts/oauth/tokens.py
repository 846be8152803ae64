"""When tokens of third parties end before their time, and that ended ones are thrown away."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from allauth.idp.oidc.models import Token
from django.db import transaction
from django.db.models import QuerySet

from site_config.accounts.models import User

LIVING = (Token.Type.ACCESS_TOKEN, Token.Type.REFRESH_TOKEN)


def person_lock(user_id: int) -> User | None:
    """The person as they are now. Whoever gives out tokens of theirs, or ends them, takes this first.

    So a new password waits for tokens that are being given out, and then ends them as well.
    """
    return User.objects.select_for_update(no_key=True).filter(pk=user_id).first()


@transaction.atomic
def tokens_end_all(*, user: Any) -> int:
    """Every app that acts for this person stops at once; how many tokens that were."""
    person_lock(user.pk)
    return tokens_end(Token.objects.filter(user=user))


def tokens_end_of_app(*, client_id: str, user_id: int, kinds: Collection[str] = LIVING) -> int:
    """What one app holds for this person ends; how many tokens that were. Hold the person's lock."""
    return tokens_end(Token.objects.filter(client_id=client_id, user_id=user_id, type__in=kinds))


def tokens_tidy() -> int:
    """Throw away what has run out; how many that were. Safe to run at any time."""
    return Token.objects.expired().delete()[0]


def tokens_end(rows: QuerySet[Token]) -> int:
    """How many of them that were. Hold the person's lock.

    What is locked all the same is being ended already: closing an account begins with its tokens.
    """
    mine = rows.select_for_update(skip_locked=True).values_list("pk", flat=True)
    return Token.objects.filter(pk__in=list(mine)).delete()[0]
