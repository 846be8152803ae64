"""One of many is the first, and the others are told."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.utils import timezone

from catalog_pages.inserting import inserted
from orders.models import Cart
from store_api.models import IdempotentRequest
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def request_row() -> IdempotentRequest:
    return IdempotentRequest(key_digest="d", fingerprint="f", started_at=timezone.now())


def test_the_first_gets_its_number_and_is_read_as_it_was_written() -> None:
    row = request_row()

    assert inserted(row)

    assert IdempotentRequest.objects.get() == row
    assert IdempotentRequest.objects.get().started_at == row.started_at


def test_the_second_is_told_and_its_transaction_goes_on() -> None:
    user = make_user()
    first = Cart(user=user)
    assert inserted(first)

    with transaction.atomic():
        assert not inserted(Cart(user=user))
        assert Cart.objects.get() == first


def test_what_was_inserted_is_changed_by_saving_it_again() -> None:
    row = request_row()
    inserted(row)

    row.fingerprint = "another"
    row.save()

    assert IdempotentRequest.objects.get().fingerprint == "another"
