"""Money that goes back: which files it takes, and that it goes back once."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from downloads.models import UserAsset
from downloads.policy import decide
from orders.errors import NothingToRefund, RefundBlockedByDispute, RefundLineTaken, RefundTooLarge
from orders.models import (
    Dispute,
    Order,
    OrderAnomaly,
    OutboxMail,
    Payment,
    Refund,
    StripeEvent,
)
from orders.services.checkout import checkout_start
from orders.services.fulfilment import payment_give_up
from orders.services.reconcile import order_check
from orders.services.refund_facts import refunds_send_waiting
from orders.services.refunds import refund_request, refundable
from orders.stripe_sandbox import actions, controls
from orders.stripe_sandbox.models import (
    SandboxControls,
    SandboxIdempotency,
    SandboxObject,
)
from tests.factories import (
    buy,
    make_editor,
    make_product,
    make_user,
    session_id_of,
    start_checkout,
)

pytestmark = pytest.mark.django_db


def deliver(client: Client) -> None:
    answers = controls.deliver_all(controls.through(client))
    assert set(answers) <= {200}, answers


def open_titles(order: Order) -> list[str]:
    """Titles of the lines whose files the buyer may fetch now."""
    grants = UserAsset.objects.filter(order_item__order=order).order_by("order_item__position")
    return [grant.order_item.title for grant in grants if decide(grant).allowed]


def payment_of(order: Order) -> Payment:
    return order.payments.get(status=Payment.Status.PAID)


def ask(order: Order, **wish: Any) -> Refund:
    return refund_request(
        **{
            "refund_id": uuid.uuid4(),
            "payment": payment_of(order),
            "by": make_editor(),
            "reason": "requested_by_customer",
            **wish,
        }
    )


def test_a_full_refund_at_stripe_takes_every_file_back_and_says_so_once(client: Client) -> None:
    order = buy(client, make_user(), make_product("One"), make_product("Two"))

    actions.refund(session_id_of(order))
    deliver(client)

    order.refresh_from_db()
    refund = Refund.objects.get()
    assert (refund.status, refund.amount_pennies) == ("succeeded", 998)
    assert open_titles(order) == []
    assert order.status == Order.Status.PAID
    assert OutboxMail.objects.filter(kind="refunded").count() == 1
    assert not OrderAnomaly.objects.exists()
    assert set(StripeEvent.objects.values_list("status", flat=True)) == {"handled", "ignored"}


def test_a_part_refund_at_stripe_leaves_the_files_and_tells_staff(client: Client) -> None:
    order = buy(client, make_user(), make_product("One"), make_product("Two"))

    actions.refund(session_id_of(order), amount=499)
    deliver(client)

    assert open_titles(order) == ["One", "Two"]
    assert OrderAnomaly.objects.get().code == "refund_without_lines"


def test_part_refunds_that_reach_the_whole_take_the_files(client: Client) -> None:
    order = buy(client, make_user(), make_product())

    actions.refund(session_id_of(order), amount=200)
    deliver(client)
    assert OrderAnomaly.objects.filter(resolved_at=None).count() == 1
    actions.refund(session_id_of(order), amount=299)
    deliver(client)

    assert open_titles(order) == []
    assert not OrderAnomaly.objects.filter(resolved_at=None).exists()


def test_an_amount_asked_for_here_is_nothing_that_staff_have_to_be_told(client: Client) -> None:
    order = buy(client, make_user(), make_product("One"), make_product("Two"))
    refund = ask(order, amount_pennies=100)
    refund.requested_by.delete()

    deliver(client)

    assert open_titles(order) == ["One", "Two"]
    assert not OrderAnomaly.objects.exists()


def test_a_refund_of_lines_takes_exactly_their_files(client: Client) -> None:
    order = buy(client, make_user(), make_product("One"), make_product("Two"))
    item = order.items.get(title="Two")

    refund = ask(order, item_ids=[item.pk])
    deliver(client)

    assert (refund.status, refund.amount_pennies) == ("succeeded", 499)
    assert open_titles(order) == ["One"]
    assert Refund.objects.count() == 1
    assert OutboxMail.objects.filter(kind="refunded").count() == 1


@pytest.mark.wide
def test_a_refund_that_the_bank_sends_back_opens_the_files_again(client: Client) -> None:
    order = buy(client, make_user(), make_product())
    refund = ask(order)
    assert open_titles(order) == []

    actions.fail_refund(refund.stripe_refund_id or "")
    deliver(client)

    refund.refresh_from_db()
    assert refund.status == "failed"
    assert len(open_titles(order)) == 1
    assert refundable(order=order).payments[0].left_pennies == 499
    assert OutboxMail.objects.filter(kind="access_restored").count() == 1
    assert OrderAnomaly.objects.get().code == "refund_failed"


def test_pressing_twice_is_one_refund(client: Client) -> None:
    order, wish = buy(client, make_user(), make_product()), uuid.uuid4()

    first = ask(order, refund_id=wish, amount_pennies=100)
    second = ask(order, refund_id=wish, amount_pennies=100)

    assert first.pk == second.pk
    assert SandboxObject.objects.filter(kind="refund").count() == 1


def test_what_is_not_left_is_refused_before_stripe_hears_of_it(client: Client) -> None:
    order = buy(client, make_user(), make_product("One"), make_product("Two"))
    item = order.items.get(title="One")
    ask(order, item_ids=[item.pk])

    with pytest.raises(RefundLineTaken):
        ask(order, item_ids=[item.pk])
    with pytest.raises(RefundTooLarge, match=r"£4\.99"):
        ask(order, amount_pennies=500)
    ask(order)
    with pytest.raises(NothingToRefund):
        ask(order)

    assert SandboxObject.objects.filter(kind="refund").count() == 2


def test_an_answer_that_was_lost_is_found_again(client: Client) -> None:
    order = buy(client, make_user(), make_product())
    controls.set_api(SandboxControls.Api.LOSING_ANSWERS)

    refund = ask(order)
    assert refund.status == Refund.Status.REQUESTED
    controls.set_api(SandboxControls.Api.UP)
    Refund.objects.update(created_at=order.created_at.replace(year=2020))

    assert refunds_send_waiting() == 1
    refund.refresh_from_db()
    assert refund.status == "succeeded"
    assert SandboxObject.objects.filter(kind="refund").count() == 1
    assert open_titles(order) == []


def test_a_dispute_closes_the_files_until_it_is_won(client: Client) -> None:
    order = buy(client, make_user(), make_product())

    dispute = actions.open_dispute(session_id_of(order))
    deliver(client)
    assert open_titles(order) == []
    with pytest.raises(RefundBlockedByDispute):
        ask(order)
    assert refundable(order=order).payments[0].blocked

    actions.close_dispute(dispute["id"], outcome="won")
    deliver(client)

    assert len(open_titles(order)) == 1
    assert OutboxMail.objects.filter(kind="access_suspended").count() == 1
    assert OutboxMail.objects.filter(kind="access_restored").count() == 1
    assert not OrderAnomaly.objects.filter(resolved_at=None).exists()
    assert OrderAnomaly.objects.get().code == "dispute_open"


def test_a_lost_dispute_keeps_the_files_closed(client: Client) -> None:
    order = buy(client, make_user(), make_product())
    dispute = actions.open_dispute(session_id_of(order))

    actions.close_dispute(dispute["id"], outcome="lost")
    deliver(client)

    assert open_titles(order) == []
    assert not OutboxMail.objects.filter(kind="access_restored").exists()


@pytest.mark.wide
def test_an_inquiry_keeps_the_files_open_and_tells_staff(client: Client) -> None:
    order = buy(client, make_user(), make_product())

    actions.open_dispute(session_id_of(order), status="warning_needs_response")
    deliver(client)

    assert len(open_titles(order)) == 1
    assert OrderAnomaly.objects.get().code == "inquiry_open"
    assert not OutboxMail.objects.filter(kind="access_suspended").exists()


@pytest.mark.wide
def test_news_of_a_refund_before_news_of_the_payment_ends_right(client: Client) -> None:
    order = start_checkout(make_user(), make_product()).order
    actions.pay(session_id_of(order))
    for delivery in controls.pending_deliveries():
        controls.drop(delivery.event)
    actions.refund(session_id_of(order))

    deliver(client)

    order.refresh_from_db()
    assert order.is_paid
    assert open_titles(order) == []


@pytest.mark.wide
def test_an_old_form_pressed_after_the_key_ran_out_is_the_same_refund(client: Client) -> None:
    order, wish = buy(client, make_user(), make_product()), uuid.uuid4()
    controls.set_api(SandboxControls.Api.LOSING_ANSWERS)
    ask(order, refund_id=wish, amount_pennies=100)
    controls.set_api(SandboxControls.Api.UP)
    SandboxIdempotency.objects.all().delete()  # Stripe forgets keys after a day

    again = ask(order, refund_id=wish, amount_pennies=100)

    assert again.status == "succeeded"
    assert SandboxObject.objects.filter(kind="refund").count() == 1


@pytest.mark.wide
def test_a_refund_just_asked_for_is_left_to_whoever_asked(client: Client) -> None:
    order = buy(client, make_user(), make_product())
    controls.set_api(SandboxControls.Api.DOWN)
    refund = ask(order)
    controls.set_api(SandboxControls.Api.UP)

    assert refunds_send_waiting() == 0
    refund.refresh_from_db()
    assert refund.status == Refund.Status.REQUESTED


def test_a_refund_refused_when_nobody_looks_any_more_is_told_to_staff(client: Client) -> None:
    order = buy(client, make_user(), make_product())
    controls.set_api(SandboxControls.Api.DOWN)
    refund = ask(order)
    controls.set_api(SandboxControls.Api.UP)
    actions.refund(session_id_of(order))

    (found,) = [one for one in order_check(order=order) if one.code == "refund_unsent"]

    refund.refresh_from_db()
    assert refund.status == "failed"
    assert not found.repaired
    assert OrderAnomaly.objects.get(code="refund_refused").order == order


@pytest.mark.wide
def test_a_dispute_of_an_odd_amount_still_closes_the_files(client: Client, settings: Any) -> None:
    settings.STRIPE_CURRENCY = "ISK"
    order = buy(client, make_user(), make_product(price_pennies=5000))

    actions.open_dispute(session_id_of(order), amount=498_751)
    deliver(client)

    assert open_titles(order) == []
    assert Dispute.objects.get().amount_pennies == 4988


@pytest.mark.wide
def test_a_payment_that_arrives_after_the_other_was_refunded_opens_the_files(
    client: Client,
) -> None:
    user = make_user()
    order = start_checkout(user, make_product()).order
    payment_give_up(payment=order.payments.get(), reason="lost sight of it")
    Order.objects.update(status="failed")
    checkout_start(cart=order.cart, user=user, email=user.email, consented=True)
    first, second = order.payments.values_list("stripe_session_id", flat=True)
    actions.pay(second)
    actions.refund(second)
    deliver(client)
    assert open_titles(order) == []

    actions.pay(first)
    deliver(client)

    assert len(open_titles(order)) == 1
