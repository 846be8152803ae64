"""Double clicks at the order desk, with real threads and connections."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.test import Client

from downloads.admin.actions import press_line_reset, press_line_take_back
from downloads.models import AccessEvent, Revocation, UserAsset
from downloads.tests.desk import fetched
from orders.models import FreeCopy, Order, OrderNote, OutboxMail, Payment
from orders.services.free_copies import free_copy_issue
from orders.services.notes import order_note_write
from tests.factories import buy, make_asset, make_product, make_user
from tests.together import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.wide]
TIMES = 4


def pressed(job: Callable[[], Any]) -> list[Any]:
    results = at_once(*[job] * TIMES)
    assert not [result for result in results if isinstance(result, Exception)], results
    return results


def test_a_free_copy_that_is_pressed_many_times_is_one() -> None:
    product, staff = make_product(), make_user()
    make_user("ada@example.com")
    wish = partial(
        free_copy_issue,
        copy_id=uuid.uuid4(),
        product=product,
        email="ada@example.com",
        reason="Because",
        by=staff,
    )

    results = pressed(wish)

    assert len({order.pk for order, _ in results}) == 1
    assert sum(is_new for _, is_new in results) == 1
    for model in (Order, Payment, FreeCopy, UserAsset, OutboxMail):
        assert model.objects.count() == 1


def test_a_note_that_is_pressed_many_times_is_one() -> None:
    order = buy(Client(), make_user(), make_product())
    staff = make_user()

    results = pressed(
        partial(order_note_write, note_id=uuid.uuid4(), order=order, text="Rang", by=staff)
    )

    assert OrderNote.objects.count() == 1
    assert sum(is_new for _, is_new in results) == 1


def test_a_line_is_revoked_and_its_limits_are_reset_once() -> None:
    order = buy(Client(), make_user(), make_product(assets=[make_asset(), make_asset()]))
    item, staff = order.items.get(), make_user()
    UserAsset.objects.update(download_limit=1)
    for grant in UserAsset.objects.all():
        fetched(grant)

    resets = pressed(partial(press_line_reset, order_item_id=item.pk, by=staff))
    revoked = pressed(
        partial(press_line_take_back, order_item_id=item.pk, by=staff, reason="Stolen")
    )

    assert sorted(resets) == sorted(revoked) == [0] * (TIMES - 1) + [2]
    assert Revocation.objects.count() == 2
    assert AccessEvent.objects.filter(kind="limit_reset").count() == 2
