"""People at the order desk, and the buttons they press."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from orders.models import Order
from orders.roles import ORDER_DESK, ensure_order_roles
from tests.factories import make_user

SEE_ORDERS = "orders.view_order"


def desk_client() -> Client:
    """A member of the Order desk."""
    ensure_order_roles()  # transactional tests empty the tables, the group's rights included
    user = make_user()
    user.groups.add(Group.objects.get(name=ORDER_DESK))
    return client_of(user)


def staff_client(*rights: str) -> Client:
    """Somebody who may enter the admin, and has these rights alone."""
    user = make_user()
    for right in ("wagtailadmin.access_admin", *rights):
        app_label, codename = right.split(".")
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app_label, codename=codename)
        )
    return client_of(user)


def client_of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def order_url(order: Order) -> str:
    return reverse("order_desk:inspect", args=[order.pk])


def refund_url(order: Order) -> str:
    return reverse("order_desk:refund", args=[order.pk])


def said(response: HttpResponse) -> str:
    """What the last press was answered with; older banners stand there until a page shows them."""
    return [str(message) for message in get_messages(response.wsgi_request)][-1]


def text_of(response: HttpResponse) -> str:
    """What stands on the page, without tags, in single spaces."""
    body = re.sub(r"(?s)<(script|style)\b.*?</\1>", " ", response.content.decode())
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def hidden(response: HttpResponse, name: str) -> str:
    """The value of one hidden field."""
    found = re.search(rf'type="hidden" name="{name}" value="([^"]*)"', response.content.decode())
    assert found, f"no hidden field {name}"
    return unescape(found[1])
