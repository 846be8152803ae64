"""A buyer, a bank, a shop's staff, and a network that loses, doubles and reorders: any of it, any time.

The machine acts at the sandbox and delivers events to the real webhook, killing the shop before or after
any SQL statement. After every step what the shop shows must follow from what it knows; at the end, when
everything was delivered or reconciled, it must follow from what is true at Stripe.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.test import Client
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from catalog_pages.errors import DomainError
from catalog_pages.models import ShopSettings
from downloads.models import UserAsset
from downloads.policy import decide
from orders.models import Dispute, Order, OrderAnomaly, OutboxMail, Payment, Refund, StripeEvent
from orders.services.access import BLOCKING_DISPUTES, is_disputed, revoked_lines
from orders.services.checkout import checkout_start
from orders.services.events import events_retry
from orders.services.fulfilment import payment_give_up, projected_status, sync_checkout
from orders.services.mail import mail_send_due
from orders.services.reconcile import order_check, payments_sweep, reconcile
from orders.services.refund_facts import UNDONE, refunds_send_waiting
from orders.services.refunds import paid_for, refund_request
from orders.stripe_facts import GatewayError
from orders.stripe_sandbox import actions, controls
from orders.stripe_sandbox.errors import ApiError, StateError
from orders.stripe_sandbox.models import SandboxControls, SandboxEvent, SandboxObject
from tests.payments.crashes import Killed, dying_at
from tests.payments.world import World, world_of

# No crash as often as all others together; the longest road is about sixty statements.
CRASHES = st.one_of(st.just(0), st.integers(1, 90))
IMPOSSIBLE = (StateError, ApiError)  # the buyer or bank cannot do this now
COUNTRIES = st.sampled_from(["GB", "DE", "US"])  # 20 %, 19 % and no tax
WINDOW = timedelta(days=3)


class PaymentMachine(RuleBasedStateMachine):
    """`buyer`, `staff` and `cart` are set by the test that runs it."""

    buyer: Any
    staff: Any
    cart: Any

    def __init__(self) -> None:
        super().__init__()
        # One example is one transaction, rolled back at its end.
        self.block = transaction.atomic()
        self.block._from_testcase = True
        self.block.__enter__()
        self.client = Client()
        self.through = controls.through(self.client)
        self.wishes: list[uuid.UUID] = []

    def teardown(self) -> None:
        try:
            if Order.objects.exists():
                self.settle_everything()
        finally:
            transaction.set_rollback(True)
            self.block.__exit__(None, None, None)

    @initialize(tax=st.sampled_from(ShopSettings.Tax.values))
    def the_shop_is_set_up(self, tax: str) -> None:
        ShopSettings.load()
        ShopSettings.objects.update(tax=tax)

    # What the buyer does -------------------------------------------------------------------------

    @rule(statement=CRASHES, after=st.booleans())
    def check_out(self, statement: int, after: bool) -> None:
        with suppress(DomainError, Killed), dying_at(statement, after=after):
            checkout_start(cart=self.cart, user=self.buyer, email=self.buyer.email, consented=True)

    @precondition(lambda self: self.sessions())
    @rule(
        pick=st.integers(0, 3),
        what=st.sampled_from(["pay", "pay", "decline", "delay", "expire"]),
        country=COUNTRIES,
    )
    def act(self, pick: int, what: str, country: str) -> None:
        where = {} if what == "expire" else {"country": country}
        with suppress(*IMPOSSIBLE):
            getattr(actions, what)(self.one_of(self.sessions(), pick), **where)

    @precondition(lambda self: self.sessions())
    @rule(pick=st.integers(0, 3), succeeds=st.booleans())
    def the_delayed_payment_settles(self, pick: int, succeeds: bool) -> None:
        with suppress(*IMPOSSIBLE):
            actions.settle(self.one_of(self.sessions(), pick), succeeds=succeeds)

    @precondition(lambda self: self.sessions())
    @rule(pick=st.integers(0, 3), statement=CRASHES, after=st.booleans())
    def the_landing_page_looks(self, pick: int, statement: int, after: bool) -> None:
        with suppress(Killed, GatewayError), dying_at(statement, after=after):
            sync_checkout(self.one_of(self.sessions(), pick))

    # What the bank does --------------------------------------------------------------------------

    @precondition(lambda self: self.paid_sessions())
    @rule(
        pick=st.integers(0, 3),
        status=st.sampled_from(["needs_response", "warning_needs_response"]),
    )
    def the_bank_disputes(self, pick: int, status: str) -> None:
        with suppress(*IMPOSSIBLE):
            actions.open_dispute(self.one_of(self.paid_sessions(), pick), status=status)

    @precondition(lambda self: self.ids("dispute"))
    @rule(
        pick=st.integers(0, 3),
        step=st.sampled_from(["respond", "escalate", "won", "lost", "warning_closed"]),
    )
    def the_dispute_goes_on(self, pick: int, step: str) -> None:
        dispute_id = self.one_of(self.ids("dispute"), pick)
        with suppress(*IMPOSSIBLE):
            if step == "respond":
                actions.respond_to_dispute(dispute_id)
            elif step == "escalate":
                actions.escalate_dispute(dispute_id)
            else:
                actions.close_dispute(dispute_id, outcome=step)

    @precondition(lambda self: self.ids("refund"))
    @rule(pick=st.integers(0, 5), step=st.sampled_from(["arrives", "comes back", "is cancelled"]))
    def the_refund_goes_on(self, pick: int, step: str) -> None:
        refund_id = self.one_of(self.ids("refund"), pick)
        with suppress(*IMPOSSIBLE):
            if step == "arrives":
                actions.settle_refund(refund_id, succeeds=True)
            elif step == "comes back":
                actions.fail_refund(refund_id)
            else:
                actions.cancel_refund(refund_id)

    # What the shop's staff do --------------------------------------------------------------------

    @precondition(lambda self: self.paid_sessions())
    @rule(
        pick=st.integers(0, 3),
        amount=st.one_of(st.none(), st.integers(1, 2000)),
        pending=st.booleans(),
    )
    def refund_in_the_dashboard(self, pick: int, amount: int | None, pending: bool) -> None:
        with suppress(*IMPOSSIBLE):
            actions.refund(self.one_of(self.paid_sessions(), pick), amount=amount, pending=pending)

    @rule(outcome=st.sampled_from(["succeed", "pending", "fail"]))
    def refunds_go_another_way_from_now(self, outcome: str) -> None:
        controls.set_refunds(outcome)

    @precondition(lambda self: Payment.objects.filter(status="paid").exists())
    @rule(
        pick=st.integers(0, 3),
        wish=st.one_of(
            st.just({}),
            st.integers(1, 2000).map(lambda pennies: {"amount_pennies": pennies}),
            st.sets(st.integers(0, 2), min_size=1).map(lambda lines: {"lines": lines}),
        ),
        again=st.booleans(),
        statement=CRASHES,
        after=st.booleans(),
    )
    def refund_here(
        self, pick: int, wish: dict[str, Any], again: bool, statement: int, after: bool
    ) -> None:
        payments = list(Payment.objects.filter(status="paid").order_by("pk"))
        payment = payments[pick % len(payments)]
        if not (again and self.wishes):
            self.wishes.append(uuid.uuid4())
        wish = dict(wish)
        if "lines" in wish:
            items = list(payment.order.items.order_by("position"))
            wish = {"item_ids": [items[place].pk for place in wish.pop("lines")]}
        with suppress(DomainError, Killed), dying_at(statement, after=after):
            refund_request(
                refund_id=self.wishes[-1],
                payment=payment,
                by=self.staff,
                reason="requested_by_customer",
                **wish,
            )

    @precondition(lambda self: Payment.objects.filter(status__in=("open", "processing")).exists())
    @rule()
    def the_shop_stops_waiting(self) -> None:
        """As after a restored backup: what is paid after that is still paid."""
        payment = Payment.objects.filter(status__in=("open", "processing"))[0]
        payment_give_up(payment=payment, reason="lost sight of it")

    # What the network does -----------------------------------------------------------------------

    @precondition(lambda self: controls.pending_deliveries())
    @rule(pick=st.integers(0, 30), statement=CRASHES, after=st.booleans())
    def deliver(self, pick: int, statement: int, after: bool) -> None:
        delivery = self.one_of(controls.pending_deliveries(), pick)
        with suppress(Killed), dying_at(statement, after=after):
            controls.deliver(delivery, self.through)

    @precondition(lambda self: SandboxEvent.objects.exists())
    @rule(
        pick=st.integers(0, 30),
        how=st.sampled_from([controls.duplicate, controls.retell, controls.drop]),
    )
    def the_network_plays_a_trick(self, pick: int, how: Any) -> None:
        how(self.one_of(list(SandboxEvent.objects.order_by("pk")), pick))

    @precondition(lambda self: controls.pending_deliveries())
    @rule(pick=st.integers(0, 30), state=st.sampled_from(["down", "failing", "losing_answers"]))
    def deliver_while_stripe_is_ill(self, pick: int, state: str) -> None:
        controls.set_api(state)
        controls.deliver(self.one_of(controls.pending_deliveries(), pick), self.through)
        controls.set_api(SandboxControls.Api.UP)

    @rule(statement=CRASHES, after=st.booleans())
    def the_worker_tries_again(self, statement: int, after: bool) -> None:
        with suppress(Killed), dying_at(statement, after=after):
            events_retry(even_early=True)
            payments_sweep()

    @rule()
    def letters_are_sent(self) -> None:
        mail_send_due()

    @precondition(lambda self: Order.objects.exists())
    @rule(statement=CRASHES, after=st.booleans())
    def staff_check_with_stripe(self, statement: int, after: bool) -> None:
        with suppress(Killed, GatewayError), dying_at(statement, after=after):
            order_check(order=Order.objects.order_by("created_at")[0])

    # What must hold always -----------------------------------------------------------------------

    @invariant()
    def what_is_shown_follows_from_what_is_known(self) -> None:
        for order in Order.objects.all():
            statuses = dict(order.payments.values_list("attempt", "status"))
            assert order.status == projected_status(order.paid_at, statuses)
            lines = set(order.items.values_list("pk", flat=True))
            known = order.is_paid and not is_disputed(order)
            assert open_lines(order) == (lines - revoked_lines(order) if known else set())
            assert order.total_pennies == sum(paid_for(order, item) for item in order.items.all())
            taxes = sum(item.tax_pennies for item in order.items.all())
            assert order.tax_pennies == taxes
            assert order.tax_reported_at or not taxes
            if order.is_paid:
                self.one_payment_is_what_the_order_says(order)

    @staticmethod
    def one_payment_is_what_the_order_says(order: Order) -> None:
        payments = Payment.objects.filter(order=order, status="paid")
        assert order.total_pennies in {payment.captured_pennies for payment in payments}
        assert order.tax_reported_at or order.tax_behavior == "none"
        assert not OrderAnomaly.objects.filter(code__startswith="tax_").exists()

    @invariant()
    def nothing_is_given_that_was_not_paid_at_stripe(self) -> None:
        for order in Order.objects.all():
            assert not open_lines(order) or world_of(order).is_paid

    @invariant()
    def money_never_goes_back_twice(self) -> None:
        for payment in Payment.objects.filter(status="paid"):
            back = payment.refunds.exclude(status__in=("requested", "failed", "canceled"))
            assert sum(refund.amount_pennies for refund in back) <= payment.captured_pennies

    # What must hold at the end -------------------------------------------------------------------

    def settle_everything(self) -> None:
        """The network calms down, and whatever was dropped is reconciled."""
        Refund.objects.update(created_at=timezone.now() - timedelta(hours=1))
        refunds_send_waiting()
        for _ in range(3):
            controls.deliver_all(self.through)
        events_retry(even_early=True)
        refunds_send_waiting()
        controls.deliver_all(self.through)
        since = timezone.now() - WINDOW
        unmended = [d for d in reconcile(since=since, repair=True) if not d.repaired]
        assert unmended == []
        assert list(reconcile(since=since)) == []
        assert not controls.pending_deliveries()
        waiting = StripeEvent.objects.exclude(status__in=("handled", "ignored"))
        assert list(waiting.values_list("type", "error")) == []
        for order in Order.objects.all():
            self.order_follows_from_the_world(order, world_of(order))

    def order_follows_from_the_world(self, order: Order, world: World) -> None:
        assert order.is_paid == world.is_paid
        assert open_lines(order) == world.open_lines()
        payments = Payment.objects.filter(order=order, status="paid")
        assert sum(payment.captured_pennies or 0 for payment in payments) == world.captured
        assert {
            (refund.stripe_refund_id, refund.status, refund.amount_pennies)
            for refund in Refund.objects.filter(payment__order=order).exclude(stripe_refund_id=None)
        } == {(refund["id"], refund["status"], refund["amount"]) for refund in world.refunds}
        assert {
            (dispute.stripe_dispute_id, dispute.status)
            for dispute in Dispute.objects.filter(payment__order=order)
        } == {(dispute["id"], dispute["status"]) for dispute in world.disputes}
        if world.is_paid:
            assert not self.cart.items.exists()
        self.mails_follow_from_the_world(order, world)

    def mails_follow_from_the_world(self, order: Order, world: World) -> None:
        """One letter per fact. A fact that came and went unseen needs none; what stands has one."""
        mails = OutboxMail.objects.filter(order=order)
        by_kind = {
            kind: list(mails.filter(kind=kind).values_list("fact", flat=True))
            for kind in mails.values_list("kind", flat=True)
        }
        for facts in by_kind.values():
            assert len(facts) == len(set(facts)), by_kind
        assert len(by_kind.get("receipt", [])) == int(world.is_paid)
        refunds = dict(Refund.objects.values_list("stripe_refund_id", "pk"))
        told = set(by_kind.get("refunded", []))
        assert {str(refunds[refund["id"]]) for refund in world.succeeded} <= told
        blocking = {d["id"] for d in world.disputes if d["status"] in BLOCKING_DISPUTES}
        suspended = set(by_kind.get("access_suspended", []))
        assert blocking <= suspended or not world.is_paid
        won = {d["id"] for d in world.disputes if d["status"] == "won"}
        failed = {str(refunds[r["id"]]) for r in world.refunds if r["status"] in UNDONE}
        assert set(by_kind.get("access_restored", [])) == (won & suspended) | (failed & told)

    # Helpers -------------------------------------------------------------------------------------

    @staticmethod
    def ids(kind: str) -> list[str]:
        rows = SandboxObject.objects.filter(kind=kind).order_by("pk")
        return list(rows.values_list("object_id", flat=True))

    def sessions(self) -> list[str]:
        return self.ids("checkout.session")

    def paid_sessions(self) -> list[str]:
        rows = SandboxObject.objects.filter(kind="checkout.session").order_by("pk")
        return [row.object_id for row in rows if row.data["payment_status"] == "paid"]

    @staticmethod
    def one_of(things: list[Any], pick: int) -> Any:
        return things[pick % len(things)]


def open_lines(order: Order) -> set[int]:
    """Lines whose every file may be fetched now, as the download view decides it."""
    grants = UserAsset.objects.filter(order_item__order=order).prefetch_related("revocations")
    return {grant.order_item_id for grant in grants if decide(grant).allowed}
