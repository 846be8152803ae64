"""One code or refresh token brought twice in the same moment, and a new password in between.

Of two that bring the same one gets tokens, and as the other has a copy, these end.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from allauth.idp.oidc.models import Client as Partner
from allauth.idp.oidc.models import Token
from django.db import connection
from django.test import Client

from site_config.accounts.models import User
from site_config.accounts.oauth.tokens import LIVING
from tests.factories import make_user
from tests.partners import (
    REVOKE,
    SECRET,
    TOKEN,
    answered,
    asking,
    basic,
    consent,
    exchange,
    make_access_token,
    make_partner,
    pkce,
)
from tests.together import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_code_is_exchanged_once(client: Client) -> None:
    partner, (verifier, challenge) = make_partner(), pkce()
    client.force_login(make_user())
    code = answered(consent(client, asking(partner, challenge)))["code"]

    answers = at_once(*[partial(exchange, Client(), partner, code, verifier) for _ in range(4)])

    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]
    assert not Token.objects.filter(type__in=LIVING).exists()


def test_one_refresh_token_is_replaced_once() -> None:
    partner = make_partner()
    value = make_access_token(partner, make_user(), kind=Token.Type.REFRESH_TOKEN)

    answers = at_once(*[partial(refresh, partner, value) for _ in range(4)])

    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]
    assert not Token.objects.filter(type__in=LIVING).exists()


def test_a_new_password_ends_the_tokens_that_are_being_given_out() -> None:
    person, partner = make_user(), make_partner()
    value = make_access_token(partner, person, kind=Token.Type.REFRESH_TOKEN)

    with beginning_at_first_delete(partial(give_password, person.pk)):
        answer = refresh(partner, value)

    person.refresh_from_db()
    assert answer.status_code == 200
    assert person.check_password("another-long-secret-7")
    assert not Token.objects.filter(user=person).exists()


def test_a_refresh_token_that_is_handed_back_while_it_is_replaced_ends_its_successor() -> None:
    person, partner = make_user(), make_partner()
    value = make_access_token(partner, person, kind=Token.Type.REFRESH_TOKEN)

    with beginning_at_first_delete(partial(hand_back, partner, value)):
        answer = refresh(partner, value)

    assert answer.status_code == 200
    assert not Token.objects.filter(type__in=LIVING).exists()


def hand_back(partner: Partner, value: str) -> Any:
    return Client().post(REVOKE, {"token": value}, headers=basic(partner.pk))


def refresh(partner: Partner, value: str) -> Any:
    body = {
        "grant_type": "refresh_token",
        "client_id": partner.pk,
        "client_secret": SECRET,
        "refresh_token": value,
    }
    return Client().post(TOKEN, body)


def give_password(user_id: int) -> None:
    user = User.objects.get(pk=user_id)
    user.set_password("another-long-secret-7")
    user.save()


@contextmanager
def beginning_at_first_delete(job: Callable[[], Any]) -> Iterator[None]:
    """Somebody begins `job` as we delete the first token, and ends it when we let them."""
    thread = threading.Thread(target=at_once, args=(job,))

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if thread.ident is None and sql.startswith("DELETE") and "oidc_token" in sql:
            thread.start()
            while thread.is_alive() and not somebody_waits():
                thread.join(0.01)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrapper):
        yield
    thread.join(120)


def somebody_waits() -> bool:
    """For a lock of ours. SQLite does not say; there everybody waits for who began to write."""
    if connection.vendor == "sqlite":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)")
        return bool(cursor.fetchone()[0])
