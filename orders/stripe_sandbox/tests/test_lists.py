"""Lists as the shop's gateway asks for them: narrowed, paged to the end, and cheap."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import stripe
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.stripe_sandbox import actions, controls
from orders.stripe_sandbox.models import SandboxEvent, SandboxObject
from orders.stripe_sandbox.tests.factories import new_coupon, new_session, stripe_client
from orders.stripe_sandbox.tests.listener import Shop

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("road")]

CHARGES = ["data.payment_intent.latest_charge"]


def paid_session() -> str:
    return actions.pay(new_session().id)["id"]


def in_their_past(kind: str) -> list[str]:
    """The ids of a kind, newest first, each a minute older than the one before it."""
    rows = SandboxObject.objects.filter(kind=kind).order_by("-pk")
    for age, row in enumerate(rows):
        SandboxObject.objects.filter(pk=row.pk).update(created=row.created - 60 * age)
    return [row.object_id for row in rows]


def refunds() -> list[str]:
    session_id = paid_session()
    for _ in range(5):
        actions.refund(session_id, amount=50)
    return in_their_past("refund")


def disputes() -> list[str]:
    for _ in range(5):
        actions.open_dispute(paid_session())
    return in_their_past("dispute")


def sessions() -> list[str]:
    for _ in range(5):
        new_session()
    return in_their_past("checkout.session")


def events() -> list[str]:
    for _ in range(2):
        paid_session()
    return list(SandboxEvent.objects.order_by("-pk").values_list("event_id", flat=True))


@pytest.mark.parametrize(
    ("make", "service"),
    [
        (sessions, lambda: stripe_client().v1.checkout.sessions),
        (refunds, lambda: stripe_client().v1.refunds),
        (disputes, lambda: stripe_client().v1.disputes),
        (events, lambda: stripe_client().v1.events),
    ],
)
def test_every_list_is_turned_over_to_its_end(
    make: Callable[[], list[str]], service: Callable[[], stripe.RefundService]
) -> None:
    made = make()

    listed = service().list(params={"limit": 2, "created": {"gte": 1}})

    assert [found.id for found in listed.auto_paging_iter()] == made
    assert len(made) >= 5


def test_a_list_since_a_moment_ends_there() -> None:
    made = refunds()
    moment = SandboxObject.objects.get(object_id=made[2]).created

    listed = stripe_client().v1.refunds.list(params={"limit": 2, "created": {"gte": moment}})

    assert [found.id for found in listed.auto_paging_iter()] == made[:3]


def test_what_is_older_comes_later_whatever_was_stored_first() -> None:
    first, second = new_session().id, new_session().id
    SandboxObject.objects.filter(object_id=second).update(created=1000)

    listed = stripe_client().v1.checkout.sessions.list(params={"limit": 1})

    assert [session.id for session in listed.auto_paging_iter()] == [first, second]


def test_a_list_is_turned_back_to_its_beginning() -> None:
    made = sessions()
    service = stripe_client().v1.checkout.sessions

    last = service.list(params={"limit": 2, "ending_before": made[-1]})
    first = service.list(params={"limit": 2, "ending_before": made[2]})

    assert [session.id for session in last.data] == made[2:4]
    assert [session.id for session in first.data] == made[:2]
    assert (last.has_more, first.has_more) == (True, False)


def test_a_session_is_found_by_its_payment_with_its_charge() -> None:
    paid_session()
    wanted = paid_session()
    intent_id = SandboxObject.objects.get(object_id=wanted).payment_intent

    found = stripe_client().v1.checkout.sessions.list(
        params={"payment_intent": intent_id, "limit": 1, "expand": CHARGES}
    )

    [session] = found.data
    assert (session.id, found.has_more) == (wanted, False)
    assert session.payment_intent.latest_charge.amount == 499


def test_sessions_in_every_state_are_expanded_in_one_list() -> None:
    wanted = {
        new_session().id: None,
        actions.delay(new_session().id)["id"]: None,
        paid_session(): "succeeded",
        actions.decline(new_session().id)["id"]: "failed",
    }

    listed = stripe_client().v1.checkout.sessions.list(
        params={"expand": [*CHARGES, "data.line_items"]}
    )

    assert {session.id: charge_status(session) for session in listed.data} == wanted
    assert {len(session.line_items.data) for session in listed.data} == {1}


def charge_status(session: stripe.checkout.Session) -> str | None:
    charge = session.payment_intent and session.payment_intent.latest_charge
    return charge.status if charge else None


def test_what_cannot_be_expanded_in_a_list_is_refused() -> None:
    new_session()

    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        stripe_client().v1.checkout.sessions.list(params={"expand": ["data.metadata"]})


def test_refunds_and_disputes_are_found_by_their_charge() -> None:
    session_id = paid_session()
    refund = actions.refund(session_id, amount=100)
    dispute = actions.open_dispute(session_id)
    actions.refund(paid_session())
    params = {"charge": refund["charge"]}

    assert [found.id for found in stripe_client().v1.refunds.list(params=params).data] == [
        refund["id"]
    ]
    assert [found.id for found in stripe_client().v1.disputes.list(params=params).data] == [
        dispute["id"]
    ]
    assert stripe_client().v1.refunds.list(params={"charge": "ch_nothing"}).data == []


def test_events_of_some_types_are_paged_with_their_deliveries_counted() -> None:
    for _ in range(3):
        paid_session()
    controls.deliver_all(Shop(500, 500))
    wanted = ["charge.succeeded", "checkout.session.completed"]

    listed = stripe_client().v1.events.list(
        params={"types": wanted, "limit": 2, "created": {"gte": 1}}
    )

    found = list(listed.auto_paging_iter())
    assert [event.type for event in found] == [*reversed(wanted)] * 3
    assert [event.pending_webhooks for event in found] == [0, 0, 0, 0, 0, 1]


@pytest.mark.wide
@pytest.mark.parametrize(
    "call",
    [
        lambda: stripe_client().v1.checkout.sessions.list(params={"limit": 100}),
        lambda: stripe_client().v1.checkout.sessions.list(
            params={"limit": 100, "expand": [*CHARGES, "data.line_items"]}
        ),
        lambda: stripe_client().v1.events.list(params={"limit": 100}),
        lambda: stripe_client().v1.refunds.list(params={"limit": 100, "expand": ["data.charge"]}),
    ],
)
def test_a_longer_page_costs_no_more_queries(call: Callable[[], stripe.ListObject]) -> None:
    actions.refund(paid_session())
    with CaptureQueriesContext(connection) as for_one:
        one = call()
    for _ in range(4):
        actions.refund(paid_session())

    with CaptureQueriesContext(connection) as for_five:
        five = call()

    assert (len(five.data), len(for_five)) == (5 * len(one.data), len(for_one))


def test_a_list_is_read_from_an_index_in_its_order() -> None:
    sessions()
    with CaptureQueriesContext(connection) as queries:
        stripe_client().v1.checkout.sessions.list(params={"limit": 2, "created": {"gte": 1}})
    [query] = [entry["sql"] for entry in queries if "DESC" in entry["sql"]]

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")
            cursor.execute(f"EXPLAIN {query}")
        else:
            cursor.execute(f"EXPLAIN QUERY PLAN {query}")
        plan = str(cursor.fetchall())

    assert "sandbox_object_page" in plan
    assert "SORT" not in plan.upper().replace("ENABLE_SORT", "")
    assert "TEMP B-TREE" not in plan


def test_a_single_use_coupon_for_one_attempt_goes_into_one_session() -> None:
    coupon = new_coupon(
        150,
        id="discount_order_1_a1",
        duration="once",
        max_redemptions=1,
        redeem_by=4_000_000_000,
        name="Spring",
    )
    made = new_session(discounts=[{"coupon": coupon.id}])

    session = stripe_client().v1.checkout.sessions.retrieve(made.id)

    assert (session.amount_subtotal, session.amount_total) == (499, 349)
    assert session.total_details.amount_discount == 150
    assert session.discounts[0].coupon == "discount_order_1_a1"
