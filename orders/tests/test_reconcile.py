"""Our facts beside Stripe's: what was missed is found, mended, and then agrees."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.models import Dispute, Order, OrderAnomaly, Payment, Reconciliation, Refund
from orders.services.comparing import PAGE, by_key
from orders.services.events import events_retry
from orders.services.fulfilment import payment_give_up, sync_checkout
from orders.services.projections import compare_projections
from orders.services.reconcile import order_check, reconcile, reconcile_and_repair
from orders.services.refunds import refund_request
from orders.services.reviewing import anomaly_resolve
from orders.stripe_facts import GatewayUnavailable
from orders.stripe_sandbox import actions, controls
from orders.stripe_sandbox.models import SandboxControls, SandboxEvent, SandboxObject
from orders.tests.calls import counted_calls
from tests.factories import (
    buy,
    make_editor,
    make_product,
    make_user,
    session_id_of,
    start_checkout,
)

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[int, Any]:
    """Exit code and what it found."""
    out = StringIO()
    code = 0
    try:
        call_command("reconcile_payments", "--json", *arguments, stdout=out, stderr=StringIO())
    except SystemExit as stop:
        code = int(stop.code or 0)
    return code, json.loads(out.getvalue())["differences"]


def codes(found: list[dict[str, Any]]) -> set[str]:
    return {difference["code"] for difference in found}


def drop_everything() -> None:
    for delivery in controls.pending_deliveries():
        controls.drop(delivery.event)


def test_a_shop_whose_events_arrived_agrees(client: Client) -> None:
    order = buy(client, make_user(), make_product())
    actions.refund(session_id_of(order), amount=100)
    controls.deliver_all(controls.through(client))

    assert run() == (0, [])


def test_what_was_never_told_is_found_and_mended(client: Client) -> None:
    refunded = buy(client, make_user(), make_product())
    disputed = buy(client, make_user(), make_product())
    paid = start_checkout(make_user(), make_product()).order
    actions.pay(session_id_of(paid))
    actions.refund(session_id_of(refunded))
    actions.open_dispute(session_id_of(disputed))
    drop_everything()

    code, found = run()
    assert code == 1
    assert codes(found) == {
        "session_status", "refund_unknown", "dispute_unknown", "event_missing",
    }  # fmt: skip
    paid.refresh_from_db()
    assert not paid.is_paid

    code, found = run("--repair")
    assert code == 1
    assert all(difference["repaired"] for difference in found), found
    paid.refresh_from_db()
    assert paid.is_paid
    assert Refund.objects.get().status == "succeeded"
    assert Dispute.objects.get().status == "needs_response"
    assert run() == (0, [])


def test_stripe_being_away_is_said_and_not_taken_for_agreement() -> None:
    start_checkout(make_user(), make_product())
    controls.set_api(SandboxControls.Api.DOWN)

    assert run()[0] == 2


def test_a_projection_that_was_broken_is_found_and_mended(client: Client) -> None:
    order = buy(client, make_user(), make_product())
    Order.objects.filter(pk=order.pk).update(paid_at=None, status="expired")

    code, found = run()

    assert (code, codes(found)) == (1, {"order_access"})


def test_one_order_is_checked_and_mended() -> None:
    order = start_checkout(make_user(), make_product()).order
    actions.pay(session_id_of(order))
    actions.refund(session_id_of(order))
    drop_everything()

    found = order_check(order=order)

    order.refresh_from_db()
    assert order.is_paid
    assert Payment.objects.get().status == "paid"
    assert Refund.objects.get().status == "succeeded"
    assert [difference.repaired for difference in found] == [True, True]
    assert order_check(order=order) == []


@pytest.mark.wide
def test_the_table_names_order_and_outcome(client: Client) -> None:
    order = start_checkout(make_user(), make_product()).order
    actions.pay(session_id_of(order))
    drop_everything()
    out = StringIO()

    with pytest.raises(SystemExit) as stop:
        call_command("reconcile_payments", "--repair", stdout=out)

    assert stop.value.code == 1
    row = next(line for line in out.getvalue().splitlines() if "session_status" in line)
    assert row.startswith(order.number)
    assert row.endswith("repaired")
    out = StringIO()
    call_command("reconcile_payments", stdout=out)
    assert out.getvalue() == "Everything that could be compared agrees.\n"


@pytest.mark.parametrize("since", ["", "3", "d3", "-3d", "3y", "0d", "99999d", "٣d", "3d\n"])
def test_a_span_of_time_that_is_none_is_refused(since: str) -> None:
    with pytest.raises(CommandError, match="is no span of time"):
        call_command("reconcile_payments", f"--since={since}")


def test_what_another_shop_on_the_account_did_is_no_difference() -> None:
    order = start_checkout(make_user(), make_product()).order
    session = SandboxObject.objects.get(object_id=session_id_of(order))
    order.payments.update(stripe_session_id=None, livemode=None)
    for metadata in (session.data["metadata"], session.hidden["payment_intent_data"]["metadata"]):
        metadata["store"] = str(uuid.uuid4())
    session.save()
    actions.pay(session.object_id)
    actions.refund(session.object_id)
    drop_everything()

    assert run() == (0, [])


@pytest.mark.wide
def test_an_event_that_waits_is_found_and_mended(client: Client) -> None:
    order = start_checkout(make_user(), make_product()).order
    actions.pay(session_id_of(order))
    controls.set_api(SandboxControls.Api.DOWN)
    controls.deliver(controls.pending_deliveries()[-1], controls.through(client))
    controls.set_api(SandboxControls.Api.UP)
    sync_checkout(session_id_of(order))

    code, found = run()
    assert (code, codes(found)) == (1, {"event_waiting"})
    assert "GatewayUnavailable" in found[0]["ours"]

    run("--repair")
    assert run() == (0, [])


def test_a_session_that_stripe_lost_is_given_up_and_said_once() -> None:
    order = start_checkout(make_user(), make_product()).order
    SandboxObject.objects.all().delete()

    code, found = run("--repair")
    order.refresh_from_db()

    assert (code, codes(found)) == (1, {"session_missing"})
    assert order.status == Order.Status.EXPIRED
    assert OrderAnomaly.objects.get().code == "session_missing"
    assert run() == (0, [])


def test_a_refund_that_nobody_answered_is_found_and_sent(client: Client) -> None:
    order = buy(client, make_user(), make_product())
    controls.set_api(SandboxControls.Api.DOWN)
    refund = refund_request(
        refund_id=uuid.uuid4(), payment=order.payments.get(), by=make_editor(), reason="duplicate"
    )
    controls.set_api(SandboxControls.Api.UP)
    Refund.objects.update(created_at=timezone.now() - timedelta(hours=2))

    code, found = run("--repair")

    refund.refresh_from_db()
    assert code == 1
    assert "refund_unsent" in codes(found)
    assert refund.status == "succeeded"


@pytest.mark.wide
def test_a_delayed_payment_that_failed_untold_is_found(client: Client) -> None:
    order = start_checkout(make_user(), make_product()).order
    actions.delay(session_id_of(order))
    controls.deliver_all(controls.through(client))
    actions.settle(session_id_of(order), succeeds=False)
    drop_everything()

    run("--repair")

    order.refresh_from_db()
    assert order.status == Order.Status.FAILED


@pytest.mark.wide
def test_more_than_a_page_is_compared_page_by_page(client: Client) -> None:
    user, product = make_user(), make_product()
    for _ in range(101):
        order = start_checkout(user, product).order
        payment_give_up(payment=order.payments.get(), reason="for another order")
    OrderAnomaly.objects.all().delete()
    with counted_calls() as calls:
        found = list(reconcile(since=timezone.now() - timedelta(hours=1)))

    assert {difference.code for difference in found} <= {"session_status"}
    assert calls["/v1/checkout/sessions"] == 2


@pytest.mark.wide
def test_what_was_found_before_stripe_went_away_is_reported(client: Client) -> None:
    order = start_checkout(make_user(), make_product()).order
    actions.pay(session_id_of(order))
    found = reconcile(since=timezone.now() - timedelta(hours=1))

    assert next(found).code == "session_status"
    controls.set_api(SandboxControls.Api.DOWN)
    with pytest.raises(GatewayUnavailable):
        list(found)


def test_no_statement_is_left_open_while_stripe_is_asked() -> None:
    """On SQLite an open one pins the reader to the past, and every write after it fails."""
    OrderAnomaly.objects.bulk_create(
        OrderAnomaly(code="test", reference=str(number)) for number in range(PAGE + 1)
    )

    with CaptureQueriesContext(connection) as queries:
        rows = by_key(OrderAnomaly.objects.all())
        next(rows)
        assert len(queries) == 1
        assert f"LIMIT {PAGE}" in queries[0]["sql"]
        assert len(list(rows)) == PAGE
    assert len(queries) == 3


def test_an_order_that_is_paid_between_two_queries_is_no_difference(client: Client) -> None:
    order = start_checkout(make_user(), make_product()).order
    as_listed = Order.objects.get(pk=order.pk)
    actions.pay(session_id_of(order))
    controls.deliver_all(controls.through(client))

    assert list(compare_projections([as_listed])) == []


@pytest.mark.wide
def test_what_was_not_stored_is_not_called_repaired() -> None:
    order = start_checkout(make_user(), make_product()).order
    session = SandboxObject.objects.get(object_id=session_id_of(order))
    order.payments.update(stripe_session_id=None)
    session.data["livemode"] = True
    session.save()

    code, found = run("--repair")

    assert (code, codes(found)) == (1, {"session_unknown"})
    assert not found[0]["repaired"]


@pytest.mark.wide
def test_an_outage_of_any_length_leaves_nothing_out(client: Client) -> None:
    order = buy(client, make_user(), make_product())
    refund = actions.refund(session_id_of(order))
    drop_everything()
    ago = timezone.now() - timedelta(days=20)
    Reconciliation.objects.create(started_at=ago, finished_at=ago)
    Reconciliation.objects.create(started_at=timezone.now() - timedelta(days=1))
    row = SandboxObject.objects.get(object_id=refund["id"])
    row.created = row.data["created"] = int((ago + timedelta(days=1)).timestamp())
    row.save()

    assert reconcile_and_repair() > 0

    assert Refund.objects.get().status == "succeeded"
    assert Reconciliation.objects.first().finished_at is not None


def test_a_run_that_stripe_interrupts_is_not_complete() -> None:
    controls.set_api(SandboxControls.Api.DOWN)

    reconcile_and_repair()

    assert Reconciliation.objects.get().finished_at is None


@pytest.mark.wide
def test_payments_of_the_other_mode_are_none_of_this_keys_business() -> None:
    order = start_checkout(make_user(), make_product()).order
    order.payments.update(livemode=True, status="paid", paid_at=timezone.now(), captured_pennies=1)
    SandboxObject.objects.all().delete()

    assert "session_missing" not in codes(run()[1])


@pytest.mark.wide
def test_a_paid_payment_that_stripe_does_not_know_stays_paid_and_said_until_people_settle_it(
    client: Client,
) -> None:
    order = buy(client, make_user(), make_product())
    SandboxObject.objects.all().delete()

    code, found = run("--repair")
    order.refresh_from_db()

    assert (code, codes(found), found[0]["repaired"]) == (1, {"session_missing"}, False)
    assert order.is_paid
    assert codes(run()[1]) == {"on_record"}
    anomaly_resolve(anomaly=OrderAnomaly.objects.get(), by=make_editor())
    order.refresh_from_db()
    assert order.is_paid
    assert run() == (0, [])


@pytest.mark.wide
def test_an_object_that_makes_no_sense_hides_no_other(client: Client) -> None:
    odd, good = (buy(client, make_user(), make_product()) for _ in range(2))
    for order in (odd, good):
        actions.refund(session_id_of(order))
    row = SandboxObject.objects.filter(kind="refund").earliest("pk")
    del row.data["currency"]
    row.save()
    told = {
        controls.deliver(one, controls.through(client)) for one in controls.pending_deliveries()
    }
    assert told == {200, 503}
    Refund.objects.all().delete()
    events_retry(even_early=True)

    code, found = run("--repair")

    assert code == 1
    assert "unreadable" in codes(found)
    assert Refund.objects.get().payment.order == good


@pytest.mark.wide
def test_a_session_given_up_that_comes_to_light_is_no_matter_any_more(client: Client) -> None:
    order = start_checkout(make_user(), make_product()).order
    payment_give_up(payment=order.payments.get(), reason="lost sight of it")
    actions.pay(session_id_of(order))
    controls.deliver_all(controls.through(client))

    order.refresh_from_db()
    assert order.is_paid
    assert OrderAnomaly.objects.get().resolved_at is not None
    assert run() == (0, [])


@pytest.mark.wide
def test_runs_that_never_completed_leave_nothing_out(client: Client) -> None:
    order = buy(client, make_user(), make_product())
    refund = actions.refund(session_id_of(order))
    drop_everything()
    ago = timezone.now() - timedelta(days=9)
    Reconciliation.objects.create(started_at=ago)
    row = SandboxObject.objects.get(object_id=refund["id"])
    row.created = row.data["created"] = int(ago.timestamp())
    row.save()

    reconcile_and_repair()

    assert Refund.objects.get().status == "succeeded"
    assert Reconciliation.objects.count() == 1


@pytest.mark.wide
def test_a_word_for_a_refund_that_nobody_knows_stops_nothing(client: Client) -> None:
    order = buy(client, make_user(), make_product())
    refund = actions.refund(session_id_of(order), amount=100)
    controls.deliver_all(controls.through(client))
    row = SandboxObject.objects.get(object_id=refund["id"])
    row.data["status"] = "blocked"
    row.save()

    assert run() == (0, [])
    controls.deliver_all(
        controls.through(client),
        [controls.duplicate(controls.retell(event)) for event in told_about(refund["id"])],
    )

    assert Refund.objects.get().status == "succeeded"
    assert OrderAnomaly.objects.filter(code="refund_status_unknown").count() == 1


def told_about(object_id: str) -> list[SandboxEvent]:
    return [
        event
        for event in SandboxEvent.objects.filter(type="refund.updated")
        if object_id in event.payload
    ]
