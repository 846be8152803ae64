"""The bench as a person uses it: look at the page, press a button, read what it says."""

from __future__ import annotations

import re
from html import unescape

from django.test import Client

from orders.stripe_sandbox import actions
from orders.stripe_sandbox.models import SandboxObject
from orders.stripe_sandbox.tests.factories import new_session


def bench(client: Client, **query: str) -> str:
    response = client.get("/sandbox/", query)
    assert response.status_code == 200
    return unescape(response.content.decode())


def pull(client: Client, path: str, **fields: str) -> str:
    """Press a button; returns what the page says afterwards."""
    response = client.post(f"/sandbox/{path}/", fields)
    assert response.status_code == 303
    shown = client.get(response.headers["Location"])
    assert shown.status_code == 200
    notices = re.findall(
        r'role="(?:status|alert)">\s*<p>(.*?)</p>', shown.content.decode(), re.DOTALL
    )
    return unescape(" ".join(notices))


def paid_session(**changes) -> str:
    return actions.pay(new_session(**changes).id)["id"]


def state_of(object_id: str) -> str:
    return SandboxObject.objects.get(object_id=object_id).status


def refunded(session_id: str) -> int:
    intent_id = SandboxObject.objects.get(object_id=session_id).payment_intent
    charge = SandboxObject.objects.get(kind="charge", payment_intent=intent_id)
    return charge.data["amount_refunded"]


def everything() -> str:
    """A session with a refund, a dispute and events; returns its id."""
    session_id = paid_session()
    actions.refund(session_id, amount=99)
    actions.open_dispute(session_id)
    return session_id
