"""Who did what stays known: an account that acted is deactivated, never deleted."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db.models import SET_NULL
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalog_pages.legal import legal_publish
from catalog_pages.models import LegalText
from orders.models import Dispute, Order, Refund
from orders.services.disputes import dispute_sync
from orders.services.free_copies import free_copy_issue
from orders.services.notes import order_note_write
from orders.services.refund_facts import refund_sync
from orders.services.refunds import refund_request
from orders.services.who_acted import DEEDS
from orders.stripe_sandbox import actions, controls
from orders.tests.desk import client_of, desk_client, order_url, text_of
from tests.factories import buy, make_editor, make_product, make_user, session_id_of, start_checkout

pytestmark = [pytest.mark.django_db, pytest.mark.wide]

User = get_user_model()
# Buyers' own things, and work that is over and told by another row.
NOT_DEEDS = {
    "orders.Order.user",
    "orders.GiftCode.redeemed_by",
    "catalog_pages.PendingUpload.uploaded_by",
    "catalog_pages.MusicBatch.created_by",
    "catalog_pages.BatchAlbum.wished_by",
}


def deliver() -> None:
    assert set(controls.deliver_all(controls.through(Client()))) <= {200}


def refund(order: Order, by: Any) -> Refund:
    return refund_request(
        refund_id=uuid.uuid4(), payment=order.payments.get(), by=by, reason="", amount_pennies=100
    )


def give(by: Any, order: Order) -> None:
    values = {"product": make_product(), "email": "pat@example.com", "reason": "Because"}
    free_copy_issue(copy_id=uuid.uuid4(), by=by, **values)


def note(by: Any, order: Order) -> None:
    order_note_write(note_id=uuid.uuid4(), order=order, text="He rang", by=by)


def publish(by: Any, order: Order) -> None:
    text, _ = LegalText.objects.get_or_create(kind="terms")
    text.draft = "<p>Terms</p>"
    text.save()
    legal_publish(text=text, by=by)


@pytest.mark.parametrize(
    "act",
    [give, note, publish, lambda by, order: refund(order, by)],
    ids=["gave", "noted", "published", "refunded"],
)
def test_an_account_that_acted_is_not_deleted(act: Callable[[Any, Order], Any]) -> None:
    order, user = buy(Client(), make_user(), make_product()), make_user()
    act(user, order)
    owner = client_of(make_editor())

    for address in (
        reverse("wagtailusers_users:delete", args=[user.pk]),
        f"/admin/bulk/accounts/user/delete/?id={user.pk}&next=/admin/users/",
    ):
        page = text_of(owner.post(address, follow=True))
        assert f"What {user} did here stays on record" in page
        assert "Deactivate the account instead" in page
    assert User.objects.filter(pk=user.pk).exists()


def test_an_account_that_did_nothing_is_deleted() -> None:
    user = make_user()

    client_of(make_editor()).post(reverse("wagtailusers_users:delete", args=[user.pk]))

    assert not User.objects.filter(pk=user.pk).exists()


def test_every_place_that_forgets_an_account_is_known() -> None:
    forgetting = {
        f"{relation.related_model._meta.label}.{relation.field.name}"
        for relation in User._meta.get_fields(include_hidden=True)
        if getattr(relation, "on_delete", None) is SET_NULL
        and relation.related_model._meta.app_label in ("orders", "downloads", "catalog_pages")
    }

    deeds = {f"{model._meta.label}.{column}" for model, column in DEEDS}

    # Scheduled and draft revisions of images are Wagtail's own.
    assert {name for name in forgetting - deeds - NOT_DEEDS if "CoverImage" not in name} == set()


def moments(order: Order) -> dict[str, Any]:
    page = desk_client().get(order_url(order)).context["page"]
    return {moment.text: moment.at for moment in page.story.moments}


def test_a_refund_stands_where_it_succeeded_however_often_stripe_is_asked() -> None:
    order = buy(Client(), make_user(), make_product())
    row = refund(order, make_user())
    deliver()
    past = timezone.now() - timedelta(days=30)
    Refund.objects.update(created_at=past, updated_at=past, succeeded_at=past)

    refund_sync(row.stripe_refund_id)

    row.refresh_from_db()
    assert (row.updated_at, row.succeeded_at) == (past, past)
    assert moments(order)["Refund of £1.00 went back"] == past
    later = past + timedelta(days=1)
    Refund.objects.update(updated_at=later)
    assert moments(order)["Refund of £1.00 went back"] == past
    actions.fail_refund(row.stripe_refund_id)
    deliver()
    Refund.objects.update(updated_at=later)
    refund_sync(row.stripe_refund_id)
    told = moments(order)
    assert told["Refund of £1.00 went back"] == past
    assert told["Refund of £1.00 did not succeed"] == later


@pytest.mark.parametrize("outcome", ["lost", "won"])
def test_a_dispute_stands_where_it_ended_however_often_stripe_is_asked(outcome: str) -> None:
    order = buy(Client(), make_user(), make_product())
    opened = actions.open_dispute(session_id_of(order))
    actions.close_dispute(opened["id"], outcome=outcome)
    deliver()
    past, later = (timezone.now() - timedelta(days=days) for days in (30, 10))
    Dispute.objects.update(updated_at=later, lost_at=past if outcome == "lost" else None)

    dispute_sync(opened["id"])

    assert moments(order)[f"Dispute {outcome}"] == (past if outcome == "lost" else later)


def test_an_order_that_was_never_paid_says_how_it_ended() -> None:
    order = start_checkout(make_user(), make_product()).order
    payment = order.payments.get()
    assert "Nothing was paid, and the time to pay is over" not in moments(order)

    actions.expire(session_id_of(order))
    deliver()

    told = moments(order)
    assert "Ordered (Web shop)" in told
    assert told["Nothing was paid, and the time to pay is over"] < payment.expires_at
    order.payments.update(status="failed")
    assert "The payment failed" in moments(order)
