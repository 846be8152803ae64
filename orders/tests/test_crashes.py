"""Killed at any SQL statement, and done again: every road ends where an undisturbed one does.

Dying after a statement leaves the same database behind as dying before the next one, unless a commit
lies between them. So each road is killed before every statement, and after each that a commit follows.
"""

from __future__ import annotations

import os
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from downloads.models import AccessEvent, UserAsset
from downloads.policy import decide
from orders.models import Dispute, Order, OutboxMail, Refund, StripeEvent
from orders.services.fulfilment import sync_checkout
from orders.services.refunds import refund_request
from orders.stripe_sandbox import actions, controls
from orders.stripe_sandbox.models import SandboxControls, SandboxDelivery
from tests.factories import make_product, make_user, session_id_of, start_checkout
from tests.payments.crashes import Killed, dying_at
from tests.payments.world import world_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.wide]
Act = Callable[[], Any]
# How many statements lie between two deaths: 1 dies at each. Around commits it always dies.
STRIDE = int(os.environ.get("CRASH_STRIDE", "4"))


@dataclass
class Shop:
    """Two records, bought again for every crash, each time by somebody else."""

    client: Client
    products: list[Any] = field(default_factory=lambda: [make_product("One"), make_product("Two")])

    def waiting(self) -> Order:
        return start_checkout(make_user(), *self.products).order

    def delayed(self) -> Order:
        order = self.waiting()
        actions.delay(session_id_of(order))
        sync_checkout(session_id_of(order))
        drop_everything()
        return order

    def paid(self) -> Order:
        order = self.waiting()
        actions.pay(session_id_of(order))
        sync_checkout(session_id_of(order))
        drop_everything()
        return order

    def delivery_of(self, event_type: str) -> Act:
        """Delivers the one pending event of this type, as often as it is called."""
        waiting = SandboxDelivery.objects.filter(status=SandboxDelivery.Status.PENDING)
        delivery = waiting.select_related("event").get(event__type=event_type)
        through = controls.through(self.client)
        return lambda: controls.deliver(delivery, through)


def drop_everything() -> None:
    SandboxDelivery.objects.update(status=SandboxDelivery.Status.DROPPED)


def a_payment(shop: Shop) -> tuple[Order, Act]:
    order = shop.waiting()
    actions.pay(session_id_of(order))
    return order, shop.delivery_of("checkout.session.completed")


def a_delayed_payment_that_arrives(shop: Shop) -> tuple[Order, Act]:
    order = shop.delayed()
    actions.settle(session_id_of(order), succeeds=True)
    return order, shop.delivery_of("checkout.session.async_payment_succeeded")


def a_delayed_payment_that_fails(shop: Shop) -> tuple[Order, Act]:
    order = shop.delayed()
    actions.settle(session_id_of(order), succeeds=False)
    return order, shop.delivery_of("checkout.session.async_payment_failed")


def a_session_whose_time_is_up(shop: Shop) -> tuple[Order, Act]:
    order = shop.waiting()
    actions.expire(session_id_of(order))
    return order, shop.delivery_of("checkout.session.expired")


def a_full_refund_in_the_dashboard(shop: Shop) -> tuple[Order, Act]:
    order = shop.paid()
    actions.refund(session_id_of(order))
    return order, shop.delivery_of("refund.created")


def a_refund_of_a_line_whose_answer_was_lost(shop: Shop) -> tuple[Order, Act]:
    order = shop.paid()
    controls.set_api(SandboxControls.Api.LOSING_ANSWERS)
    press_refund(order)()
    controls.set_api(SandboxControls.Api.UP)
    return order, shop.delivery_of("refund.created")


def a_refund_that_the_bank_sends_back(shop: Shop) -> tuple[Order, Act]:
    order = shop.paid()
    refund = press_refund(order)()
    drop_everything()
    actions.fail_refund(refund.stripe_refund_id)
    return order, shop.delivery_of("refund.failed")


def a_dispute_that_opens(shop: Shop) -> tuple[Order, Act]:
    order = shop.paid()
    actions.open_dispute(session_id_of(order))
    return order, shop.delivery_of("charge.dispute.created")


def a_dispute_that_is_won(shop: Shop) -> tuple[Order, Act]:
    order, opened = a_dispute_that_opens(shop)
    assert opened() == 200
    drop_everything()
    actions.close_dispute(world_of(order).disputes[0]["id"], outcome="won")
    return order, shop.delivery_of("charge.dispute.closed")


def a_refund_asked_for_here(shop: Shop) -> tuple[Order, Act]:
    order = shop.paid()
    return order, press_refund(order)


def press_refund(order: Order) -> Callable[[], Refund]:
    """The button of one form: however often it is pressed, its wish has one id."""
    wish, item = uuid.uuid4(), order.items.get(title="Two")
    payment = order.payments.get()
    return lambda: refund_request(
        refund_id=wish, payment=payment, by=order.user, reason="duplicate", item_ids=[item.pk]
    )


def facts_of(order: Order) -> dict[str, Any]:
    """Everything that the shop holds about an order, and Stripe's refunds, without ids and times."""
    order.refresh_from_db()
    world = world_of(order)
    grants = UserAsset.objects.filter(order_item__order=order).prefetch_related("revocations")
    refunds = Refund.objects.filter(payment__order=order)
    return {
        "order": (order.status, order.is_paid, order.cart.items.count()),
        "payments": list(order.payments.values_list("status", "captured_pennies")),
        "refunds": list(refunds.values_list("status", "amount_pennies", "lines__item__title")),
        "at stripe": [(refund["status"], refund["amount"]) for refund in world.refunds],
        "disputes": list(Dispute.objects.filter(payment__order=order).values_list("status")),
        "files": Counter((grant.order_item.title, decide(grant).allowed) for grant in grants),
        "ledger": Counter(AccessEvent.objects.filter(grant__in=grants).values_list("kind", "code")),
        "letters": Counter(OutboxMail.objects.filter(order=order).values_list("kind", flat=True)),
        "anomalies": Counter(
            (found.code, bool(found.resolved_at)) for found in order.anomalies.all()
        ),
        "inbox": Counter(StripeEvent.objects.filter(order=order).values_list("type", "status")),
    }


@contextmanager
def commits_noted() -> Iterator[tuple[list[int], list[int]]]:
    """How many statements the block made (in the first list, at its end), and which of them were
    the last before a commit."""
    total, last_ones, open_now = [0], [], [False]

    def committed() -> None:
        last_ones.append(total[0])
        open_now[0] = False

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        total[0] += 1
        if connection.in_atomic_block and not open_now[0]:
            open_now[0] = True
            connection.on_commit(committed)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield total, last_ones


@pytest.fixture(autouse=True)
def _letters_are_left_to_a_worker(settings: Any) -> None:
    """As in production: the delivery writes down that a letter is to be sent, and goes on."""
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}


def killed_everywhere(
    client: Client, prepare: Callable[[Shop], tuple[Order, Act]], *, stride: int = 1
) -> None:
    """With a `stride` only every so many statements, but always all around commits."""
    shop = Shop(client)
    order, act = prepare(shop)
    with commits_noted() as (total, last_ones):
        act()
    undisturbed = facts_of(order)
    assert total[0] >= 15  # else it did nothing
    assert last_ones

    edges = {(last, True) for last in last_ones} | {(last + 1, False) for last in last_ones}
    inside = {(statement, False) for statement in range(2, total[0] + 1, stride)}
    for statement, after in sorted(edges | inside | {(1, False)}):
        drop_everything()
        order, act = prepare(shop)
        # The last commit may have no statement behind it: then nothing is left to die at.
        with suppress(Killed), dying_at(statement, after=after) as crash:
            act()
        assert crash.seen >= min(statement, total[0])
        connection.close()  # as a dead process would: whatever was open is rolled back

        act()

        assert facts_of(order) == undisturbed, (statement, after)


@pytest.mark.parametrize("prepare", [a_payment, a_refund_asked_for_here])
def test_killed_and_done_again_it_ends_as_if_nothing_had_happened(
    client: Client, prepare: Callable[[Shop], tuple[Order, Act]]
) -> None:
    killed_everywhere(client, prepare, stride=STRIDE)


OTHERS = [
    a_delayed_payment_that_arrives,
    a_delayed_payment_that_fails,
    a_session_whose_time_is_up,
    a_full_refund_in_the_dashboard,
    a_refund_of_a_line_whose_answer_was_lost,
    a_refund_that_the_bank_sends_back,
    a_dispute_that_opens,
    a_dispute_that_is_won,
]


@pytest.mark.parametrize("prepare", OTHERS)
def test_killed_at_many_statements_other_roads_end_as_if_nothing_had_happened(
    client: Client, prepare: Callable[[Shop], tuple[Order, Act]]
) -> None:
    killed_everywhere(client, prepare, stride=8 * STRIDE)


@pytest.mark.prove
@pytest.mark.parametrize("prepare", OTHERS)
def test_killed_at_any_statement_other_roads_end_as_if_nothing_had_happened(
    client: Client, prepare: Callable[[Shop], tuple[Order, Act]]
) -> None:
    killed_everywhere(client, prepare)
