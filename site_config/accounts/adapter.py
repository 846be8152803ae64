"""How allauth behaves in this shop."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter


class AccountAdapter(DefaultAccountAdapter):
    """The defaults; addresses are compared without regard to case by the model's constraint."""

    def get_login_stages(self) -> list[str]:
        return ["site_config.accounts.stages.EvenSignupStage", *super().get_login_stages()]
