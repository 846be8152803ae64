"""Two requests with one code, or one refresh token, in the same moment: one of them gets tokens."""

from __future__ import annotations

from functools import partial

import pytest
from allauth.idp.oidc.models import Token
from django.test import Client

from tests.factories import make_user
from tests.partners import (
    SECRET,
    TOKEN,
    answered,
    asking,
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
    assert Token.objects.filter(type=Token.Type.ACCESS_TOKEN).count() == 1


def test_one_refresh_token_is_replaced_once() -> None:
    partner = make_partner()
    value = make_access_token(partner, make_user(), kind=Token.Type.REFRESH_TOKEN)
    body = {
        "grant_type": "refresh_token",
        "client_id": partner.pk,
        "client_secret": SECRET,
        "refresh_token": value,
    }

    answers = at_once(*[partial(Client().post, TOKEN, body) for _ in range(4)])

    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]
    assert Token.objects.filter(type=Token.Type.REFRESH_TOKEN).count() == 1
