"""Lists narrowed by days: the shop's own, whichever zone the account of the one who looks is set to."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse
from wagtail.users.models import UserProfile

from orders.models import Order
from tests.factories import make_product, make_user, start_checkout

pytestmark = pytest.mark.django_db


def member(zone: str) -> Client:
    user = make_user(is_superuser=True, is_staff=True)
    profile = UserProfile.get_for_user(user)
    profile.current_time_zone = zone
    profile.save()
    client = Client()
    client.force_login(user)
    return client


def test_a_day_is_the_shops() -> None:
    order = start_checkout(make_user(), make_product()).order
    Order.objects.update(created_at=datetime(2026, 5, 10, 20, 0, tzinfo=UTC))
    far_away = member("Pacific/Auckland")

    def listed(first: str, last: str) -> bool:
        days = {"created_at_from": first, "created_at_to": last}
        return order.number in far_away.get(reverse("order_desk:index"), days).content.decode()

    assert listed("2026-05-10", "2026-05-10")
    assert listed("", "2026-05-10")
    assert listed("2026-05-10", "")
    assert not listed("2026-05-11", "2026-05-11")


@pytest.mark.sampled(4)
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
@pytest.mark.parametrize(
    "name", ["order_desk", "payment_desk", "ledger_desk", "webhook_deliveries"]
)
def test_the_first_and_the_last_day_of_all_are_days(zone: str, name: str) -> None:
    order = start_checkout(make_user(), make_product()).order
    column = {"ledger_desk": "at"}.get(name, "created_at")
    whole = {f"{column}_from": "0001-01-01", f"{column}_to": "9999-12-31"}

    answer = member(zone).get(reverse(f"{name}:index"), whole)
    none = member(zone).get(reverse(f"{name}:index"), {f"{column}_from": "9999-12-31"})

    assert answer.status_code == none.status_code == 200
    if name == "order_desk":
        assert order.number in answer.content.decode()
        assert order.number not in none.content.decode()
