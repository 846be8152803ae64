"""What allauth does between knowing who signs in and having them signed in."""

from __future__ import annotations

from typing import Any

from allauth.account.stages import LoginStage
from django.contrib.auth.hashers import make_password


class EvenSignupStage(LoginStage):
    """Signing up with an address that has an account takes as long as with one that has none.

    Only a new account's password would be hashed, and a clock would tell the two apart.
    """

    key = "even_signup"

    def handle(self) -> tuple[Any, bool]:
        if self.login.user is None and self.login.signup:
            make_password("what is hashed for nobody")
        return None, True
