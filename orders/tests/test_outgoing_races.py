"""Several requests of one app for endpoints, and for new secrets, in the same moment."""

from __future__ import annotations

from functools import partial

import pytest
from allauth.idp.oidc.models import Client as App

from orders.models import WebhookEndpoint
from orders.services.outgoing import NewSecret, endpoint_rotate
from orders.services.outgoing.endpoints import MOST_OF_AN_APP
from orders.services.outgoing.errors import WebhookEndpointsFull, WebhookSecretChanged
from orders.services.outgoing.sealing import unseal
from orders.tests.hooks import make_endpoint
from tests.together import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.wide]


def test_no_two_requests_take_the_last_place_of_an_app() -> None:
    app = App.objects.create(name="One")
    for _ in range(MOST_OF_AN_APP - 1):
        make_endpoint(app=app)

    answers = at_once(*[partial(make_endpoint, app=app) for _ in range(4)])

    assert sum(isinstance(answer, NewSecret) for answer in answers) == 1, answers
    assert sum(isinstance(answer, WebhookEndpointsFull) for answer in answers) == 3, answers
    assert WebhookEndpoint.objects.filter(app=app).count() == MOST_OF_AN_APP


def test_of_several_new_secrets_at_once_one_is_told_and_it_signs() -> None:
    made = make_endpoint()
    seen = [WebhookEndpoint.objects.get() for _ in range(4)]

    answers = at_once(*[partial(endpoint_rotate, endpoint=endpoint) for endpoint in seen])

    told = [answer.secret for answer in answers if isinstance(answer, NewSecret)]
    assert sum(isinstance(answer, WebhookSecretChanged) for answer in answers) == 3, answers
    endpoint = WebhookEndpoint.objects.get()
    assert told == [unseal(endpoint.sealed_secret)]
    assert unseal(endpoint.sealed_previous_secret) == made.secret
