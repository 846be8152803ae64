"""How allauth behaves in this shop."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from catalog_pages.refusal_count import refusal_count
from orders.throttles import client_of, throttle_count, throttle_forget, throttle_note

BY_ACCOUNT, FROM_HERE = "sign-in-account", "sign-in-from-here"
WRONG_BY_ACCOUNT_AN_HOUR = 100
WRONG_FROM_HERE_AN_HOUR = 3  # slips of somebody who knows it nearly


class AccountAdapter(DefaultAccountAdapter):
    """The defaults; addresses are compared without regard to case by the model's constraint."""

    def validation_error(self, code: str, *args: Any) -> Any:
        if code == "too_many_login_attempts":
            refusal_count("limit_sign_in")
        return super().validation_error(code, *args)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Raises ValidationError for whoever guessed too often.

        Nobody can lock an account in its owner's name: allauth's limit counts each network by itself, and
        beyond `WRONG_BY_ACCOUNT_AN_HOUR`, from wherever, those are let in who have failed a few times only.
        """
        login = _login_of(credentials)
        by_all = throttle_count(scope=BY_ACCOUNT, key=login)
        from_here = throttle_count(scope=FROM_HERE, key=_from_here(request, login))
        if by_all >= WRONG_BY_ACCOUNT_AN_HOUR and from_here >= WRONG_FROM_HERE_AN_HOUR:
            raise self.validation_error("too_many_login_attempts")
        super().pre_authenticate(request, **credentials)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        login = _login_of(credentials)
        throttle_note(scope=BY_ACCOUNT, key=login)
        throttle_note(scope=FROM_HERE, key=_from_here(request, login))
        super().authentication_failed(request, **credentials)

    def _delete_login_attempts_cached_email(self, request: HttpRequest, **credentials: Any) -> None:
        """After a reset of the password, which has shown who it is."""
        super()._delete_login_attempts_cached_email(request, **credentials)
        throttle_forget(scope=FROM_HERE, key=_from_here(request, _login_of(credentials)))

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        # allauth's own is of the account alone: five wrong guesses by anybody would keep its owner out.
        own = super()._get_login_attempts_cache_key(request, **credentials)
        return f"{own}:{client_of(request)}"

    def get_login_stages(self) -> list[str]:
        return ["site_config.accounts.stages.EvenSignupStage", *super().get_login_stages()]


def _login_of(credentials: dict[str, Any]) -> str:
    return str(credentials.get("email", credentials.get("username", ""))).lower()


def _from_here(request: HttpRequest, login: str) -> str:
    return f"{login} {client_of(request)}"
