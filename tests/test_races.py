"""Many at once, with real threads and connections: on SQLite they queue, on PostgreSQL they really race.

Deliveries that wait too long for a lock are answered 503 and sent again, as Stripe does: to which ones
that happens is the machine's affair, what is true afterwards is not.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from downloads.models import AccessEvent, UserAsset
from downloads.policy import decide
from orders.errors import NothingToRefund, RefundLineTaken, RefundTooLarge
from orders.models import (
    CartItem,
    Dispute,
    Order,
    OrderAnomaly,
    OutboxMail,
    Payment,
    Refund,
    StripeEvent,
)  # fmt: skip
from orders.services.disputes import dispute_sync
from orders.services.events import events_retry
from orders.services.fulfilment import sync_checkout
from orders.services.reconcile import order_check, reconcile
from orders.services.refund_facts import refund_sync
from orders.services.refunds import refund_request
from orders.stripe_sandbox import actions, controls
from orders.stripe_sandbox.models import SandboxControls, SandboxDelivery, SandboxObject
from tests.factories import buy, make_product, make_user, session_id_of, start_checkout
from tests.together import at_once, meanwhile, meanwhile_at, no_deadlock  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_deadlock")]
POISON: list[tuple[str, str, Any]] = [
    ("refund.created", "re_gone", {"object": "refund"}),
    ("charge.dispute.created", "du_gone", {"object": "dispute"}),
    ("checkout.session.completed", "cs_test_odd", ["no", "object"]),
]


def delivering(delivery: SandboxDelivery) -> Callable[[], int | None]:
    return lambda: controls.deliver(delivery, controls.through(Client()))


def pending(kind: str) -> SandboxDelivery:
    """The newest event of this type that the shop has not been told."""
    return [d for d in controls.pending_deliveries() if d.event.type == kind][-1]


def reconciling() -> list[Any]:
    return list(reconcile(since=timezone.now() - timedelta(days=1), repair=True))


def errors_in(results: list[Any]) -> list[Exception]:
    return [result for result in results if isinstance(result, Exception)]


def assert_answered(answers: list[Any], *deliveries: SandboxDelivery) -> None:
    """200, or 503 by a lock that took too long; then once more, now that it is quiet: 200."""
    assert set(answers) <= {200, 503}, answers
    assert {delivering(delivery)() for delivery in deliveries} == {200}


def open_lines(order: Order) -> int:
    grants = UserAsset.objects.filter(order_item__order=order)
    return len({grant.order_item_id for grant in grants if decide(grant).allowed})


def letters() -> list[str]:
    """The kind of every letter in the outbox; each was sent as often as it stands there."""
    assert len(mail.outbox) == OutboxMail.objects.filter(status="sent").count()
    return sorted(OutboxMail.objects.values_list("kind", flat=True))


def test_deliveries_landing_page_and_reconciler_at_once_pay_grant_and_mail_once() -> None:
    order = start_checkout(make_user(), make_product(), make_product()).order
    session_id = session_id_of(order)
    actions.pay(session_id)
    completed = pending("checkout.session.completed")

    results = at_once(
        *[delivering(completed)] * 20,
        *[lambda: sync_checkout(session_id)] * 3,
        *[lambda: order_check(order=Order.objects.get())] * 2,
        *[reconciling] * 2,
    )

    assert errors_in(results) == []
    assert_answered(results[:20], completed)
    order.refresh_from_db()
    assert order.is_paid
    assert UserAsset.objects.count() == 2
    assert AccessEvent.objects.filter(kind="granted").count() == 2
    assert letters() == ["receipt"]
    assert StripeEvent.objects.get(event_id=completed.event.event_id).status == "handled"
    assert not CartItem.objects.exists()
    assert list(reconcile(since=timezone.now() - timedelta(days=1))) == []


@pytest.mark.sampled(2)
@pytest.mark.parametrize("is_known", [True, False], ids=["payment known", "payment untold"])
def test_one_refund_told_many_times_at_once_is_one_refund_and_one_letter(is_known: bool) -> None:
    """Untold: the refund's own events are the first that the shop hears of the payment."""
    order = start_checkout(make_user(), make_product()).order
    actions.pay(session_id_of(order))
    completed = pending("checkout.session.completed")
    if is_known:
        assert delivering(completed)() == 200
    refund_id = actions.refund(session_id_of(order))["id"]
    created, charge = pending("refund.created"), pending("charge.refunded")

    results = at_once(
        *[delivering(created), delivering(charge)] * 10,
        *[lambda: refund_sync(refund_id)] * 3,
        delivering(completed),
    )

    assert errors_in(results) == []
    assert_answered([*results[:20], results[-1]], created, charge, completed)
    refund = Refund.objects.get()
    assert (refund.stripe_refund_id, refund.status) == (refund_id, "succeeded")
    assert letters() == ["receipt", "refunded"]
    assert UserAsset.objects.count() == 1
    assert open_lines(order) == 0


@pytest.mark.sampled(2)
@pytest.mark.parametrize("closed_first", [False, True])
def test_a_dispute_told_as_opened_and_won_at_once_ends_with_open_files(closed_first: bool) -> None:
    """It is won while the news of its opening is being handled: both see what they happen to see."""
    client, product = Client(), make_product()
    for _ in range(6):
        order = buy(client, make_user(), product)
        dispute_id = actions.open_dispute(session_id_of(order))["id"]
        created = pending("charge.dispute.created")

        def win_and_tell(won: str = dispute_id) -> int | None:
            actions.close_dispute(won, outcome="won")
            return delivering(pending("charge.dispute.closed"))()

        jobs = [delivering(created), win_and_tell, partial(dispute_sync, dispute_id)]
        results = at_once(*(reversed(jobs) if closed_first else jobs))

        assert errors_in(results) == []
        assert {delivering(d)() for d in controls.pending_deliveries()} <= {200}
        assert Dispute.objects.get(stripe_dispute_id=dispute_id).status == "won"
        assert open_lines(order) == 1
        kinds = list(OutboxMail.objects.filter(fact=dispute_id).values_list("kind", flat=True))
        assert kinds.count("access_suspended") == kinds.count("access_restored") <= 1
    assert not OrderAnomaly.objects.filter(resolved_at=None).exists()


def test_a_refund_button_pressed_twice_at_once_sends_the_money_once() -> None:
    order = buy(Client(), make_user(), make_product())
    payment, pressed = order.payments.get(), uuid.uuid4()

    results = at_once(*[partial(ask_back, payment, pressed)] * 6)

    assert errors_in(results) == []
    assert {refund.pk for refund in results} == {pressed}
    assert SandboxObject.objects.filter(kind="refund").count() == Refund.objects.count() == 1
    assert Refund.objects.get().status == "succeeded"
    assert letters() == ["receipt", "refunded"]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("wish", ["one line", "most of it", "all of it"])
def test_of_two_refunds_at_once_that_do_not_fit_together_one_is_made(wish: str) -> None:
    order = buy(Client(), make_user(), make_product(), make_product())
    payment = order.payments.get()
    wanted: dict[str, Any] = {
        "one line": {"item_ids": [order.items.all()[0].pk]},
        "most of it": {"amount_pennies": order.total_pennies - 1},
        "all of it": {},
    }[wish]

    results = at_once(*[lambda: ask_back(payment, uuid.uuid4(), **wanted)] * 2)

    (refused,) = errors_in(results)
    assert isinstance(refused, RefundLineTaken | RefundTooLarge | NothingToRefund), refused
    refund = Refund.objects.get()
    assert refund.status == "succeeded"
    assert refund.amount_pennies <= (payment.captured_pennies or 0)
    assert SandboxObject.objects.filter(kind="refund").count() == 1


def ask_back(payment: Payment, refund_id: uuid.UUID, **wish: Any) -> Refund:
    return refund_request(
        refund_id=refund_id, payment=payment, by=None, reason="requested_by_customer", **wish
    )


@pytest.mark.wide
def test_four_workers_empty_the_inbox_together_around_what_cannot_be_handled() -> None:
    """Three events for each of nineteen orders, so that workers meet at the same rows, and three bad."""
    product = make_product()
    for _ in range(19):
        order = start_checkout(make_user(), product).order
        actions.pay(session_id_of(order))
        for _again in range(2):
            controls.retell(pending("checkout.session.completed").event)
    controls.set_api(SandboxControls.Api.DOWN)
    wanted = [d for d in controls.pending_deliveries() if d.event.type.startswith("checkout.")]
    assert {delivering(delivery)() for delivery in wanted} == {503}
    controls.set_api(SandboxControls.Api.UP)
    for kind, object_id, payload in POISON:
        StripeEvent.objects.create(
            event_id=f"evt_{kind}", type=kind, object_id=object_id, livemode=False,
            payload={"data": {"object": payload}}, created_at=timezone.now(),
        )  # fmt: skip
    StripeEvent.objects.update(next_attempt_at=timezone.now())

    settled = at_once(*[partial(events_retry, limit=None)] * 4)

    assert errors_in(settled) == []
    assert sum(settled) == 57, settled
    kept = StripeEvent.objects.exclude(status="handled")
    assert {event.event_id for event in kept} == {f"evt_{kind}" for kind, *_ in POISON}
    assert all(event.attempts == 1 and event.error for event in kept), kept.values("error")
    assert UserAsset.objects.count() == 19
    assert letters() == ["receipt"] * 19
