"""How allauth behaves in this shop."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter


class AccountAdapter(DefaultAccountAdapter):
    """The defaults; addresses are compared without regard to case by the model's constraint."""
