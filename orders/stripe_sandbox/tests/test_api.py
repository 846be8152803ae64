"""The API as the real library sees it: answers, lists, expansion, errors and idempotency."""

from __future__ import annotations

import time

import pytest
import stripe
from stripe import InvalidRequestError

from orders.stripe_sandbox import actions, controls
from orders.stripe_sandbox.constants import SECRET_KEY
from orders.stripe_sandbox.models import SandboxEvent, SandboxObject
from orders.stripe_sandbox.tests.factories import (
    line,
    new_coupon,
    new_key,
    new_session,
    session_params,
    stripe_client,
    told,
)
from orders.stripe_sandbox.tests.listener import Shop

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("road")]


def test_a_session_is_read_back_as_it_was_made() -> None:
    made = new_session()

    read = stripe_client().v1.checkout.sessions.retrieve(made.id)

    assert read.to_dict() == made.to_dict()
    assert made.id.startswith("cs_test_")
    assert made.url == f"http://testserver/sandbox/pay/{made.id}/"
    assert (made.status, made.payment_status, made.payment_intent) == ("open", "unpaid", None)
    assert (made.amount_subtotal, made.amount_total, made.currency) == (499, 499, "gbp")
    assert made.livemode is False
    assert made.metadata.to_dict() == {"order": "order-1", "store": "store-1"}


def test_line_items_are_absent_until_they_are_asked_for() -> None:
    made = new_session(line_items=[line("First", 300), line("Second", 250, quantity=2)])

    expanded = stripe_client().v1.checkout.sessions.retrieve(
        made.id, params={"expand": ["line_items"]}
    )

    assert "line_items" not in made
    assert [
        (item.description, item.quantity, item.amount_total) for item in expanded.line_items.data
    ] == [("First", 1, 300), ("Second", 2, 500)]


def test_only_the_first_lines_of_a_long_order_are_included_and_the_rest_can_be_paged() -> None:
    made = new_session(line_items=[line(f"Track {n}", 100 + n) for n in range(25)])

    expanded = stripe_client().v1.checkout.sessions.retrieve(
        made.id, params={"expand": ["line_items"]}
    )
    everything = list(expanded.line_items.auto_paging_iter())

    assert len(expanded.line_items.data) == 10
    assert expanded.line_items.has_more is True
    assert [item.description for item in everything] == [f"Track {n}" for n in range(25)]


def test_the_intent_and_its_charge_can_be_expanded_in_one_call() -> None:
    made = new_session()
    actions.pay(made.id)

    read = stripe_client().v1.checkout.sessions.retrieve(
        made.id, params={"expand": ["line_items", "payment_intent", "payment_intent.latest_charge"]}
    )

    assert read.payment_intent.status == "succeeded"
    assert read.payment_intent.latest_charge.amount == 499
    assert read.payment_intent.latest_charge.payment_intent == read.payment_intent.id
    assert read.payment_intent.metadata.to_dict() == {"order": "order-1"}


def test_expanding_what_is_null_leaves_it_null() -> None:
    made = new_session()

    read = stripe_client().v1.checkout.sessions.retrieve(
        made.id, params={"expand": ["payment_intent.latest_charge"]}
    )

    assert read.payment_intent is None


def test_what_cannot_be_expanded_is_refused() -> None:
    made = new_session()

    with pytest.raises(InvalidRequestError, match="cannot be expanded") as refusal:
        stripe_client().v1.checkout.sessions.retrieve(made.id, params={"expand": ["metadata"]})

    assert refusal.value.http_status == 400


def test_the_parts_of_a_payment_can_be_read_one_by_one() -> None:
    made = new_session()
    intent_id = actions.pay(made.id)["payment_intent"]
    api = stripe_client().v1

    intent = api.payment_intents.retrieve(intent_id)
    charge = api.charges.retrieve(intent.latest_charge, params={"expand": ["refunds"]})

    assert (intent.amount_received, charge.amount_captured) == (499, 499)
    assert (charge.paid, charge.captured, charge.refunded) == (True, True, False)
    assert charge.billing_details.email == "ada@example.com"
    assert charge.refunds.data == []


def test_a_session_is_found_by_its_payment_intent() -> None:
    new_session()
    wanted = new_session()
    intent_id = actions.pay(wanted.id)["payment_intent"]

    found = stripe_client().v1.checkout.sessions.list(params={"payment_intent": intent_id})

    assert [session.id for session in found.data] == [wanted.id]


def test_a_list_is_paged_newest_first() -> None:
    made = [new_session().id for _ in range(5)]
    sessions = stripe_client().v1.checkout.sessions

    first = sessions.list(params={"limit": 2})
    second = sessions.list(params={"limit": 2, "starting_after": first.data[-1].id})
    back = sessions.list(params={"limit": 2, "ending_before": second.data[0].id})
    everything = list(sessions.list(params={"limit": 2}).auto_paging_iter())

    assert [session.id for session in first.data] == made[:2:-1]
    assert first.has_more is True
    assert [session.id for session in second.data] == made[2:0:-1]
    assert back.to_dict()["data"] == first.to_dict()["data"]
    assert [session.id for session in everything] == made[::-1]


def test_a_list_can_be_narrowed_by_time_and_status() -> None:
    old, fresh = new_session().id, new_session().id
    SandboxObject.objects.filter(object_id=old).update(created=1000)
    actions.expire(fresh)
    sessions = stripe_client().v1.checkout.sessions

    recent = sessions.list(params={"created": {"gte": 1001}})
    exact = sessions.list(params={"created": 1000})
    expired = sessions.list(params={"status": "expired", "expand": ["data.line_items"]})

    assert [session.id for session in recent.data] == [fresh]
    assert [session.id for session in exact.data] == [old]
    assert [session.id for session in expired.data] == [fresh]
    assert expired.data[0].line_items.data[0].description == "Night Bus"


@pytest.mark.parametrize("cursor", ["starting_after", "ending_before"])
def test_a_cursor_that_names_nothing_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        stripe_client().v1.checkout.sessions.list(params={cursor: "cs_test_nothing"})

    assert (refusal.value.code, refusal.value.param) == ("resource_missing", cursor)
    assert refusal.value.http_status == 400


@pytest.mark.parametrize("limit", [0, 101])
def test_a_page_has_between_one_and_a_hundred_entries(limit: int) -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        stripe_client().v1.checkout.sessions.list(params={"limit": limit})

    assert refusal.value.param == "limit"


@pytest.mark.parametrize(
    "read",
    [
        lambda api: api.checkout.sessions.retrieve("cs_test_nothing"),
        lambda api: api.checkout.sessions.expire("cs_test_nothing"),
        lambda api: api.payment_intents.retrieve("pi_nothing"),
        lambda api: api.charges.retrieve("ch_nothing"),
        lambda api: api.refunds.retrieve("re_nothing"),
        lambda api: api.disputes.retrieve("du_nothing"),
        lambda api: api.events.retrieve("evt_nothing"),
        lambda api: api.coupons.retrieve("nothing"),
    ],
)
def test_a_missing_object_is_a_404(read) -> None:
    with pytest.raises(InvalidRequestError, match="No such") as refusal:
        read(stripe_client().v1)

    assert (refusal.value.http_status, refusal.value.code) == (404, "resource_missing")


def test_an_id_of_another_kind_is_missing_too() -> None:
    session = new_session()

    with pytest.raises(InvalidRequestError) as refusal:
        stripe_client().v1.charges.retrieve(session.id)

    assert refusal.value.http_status == 404


def test_an_unknown_address_is_a_404() -> None:
    with pytest.raises(InvalidRequestError, match="Unrecognized request URL") as refusal:
        stripe_client().v1.customers.list()

    assert refusal.value.http_status == 404


def test_a_wrong_key_is_refused() -> None:
    with pytest.raises(stripe.AuthenticationError, match="Invalid API Key") as refusal:
        stripe_client("sk_test_wrong").v1.events.list()

    assert refusal.value.http_status == 401


def test_another_api_version_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="and no other version"):
        stripe_client().v1.events.list(options={"stripe_version": "2024-06-20"})


def test_an_unknown_parameter_is_refused_by_its_full_name() -> None:
    params = session_params(line_items=[line(unit_price=499)])

    with pytest.raises(InvalidRequestError, match="Received unknown parameter") as refusal:
        stripe_client().v1.checkout.sessions.create(params=params)

    assert refusal.value.code == "parameter_unknown"
    assert refusal.value.param == "line_items[0][price_data][unit_price]"


def test_an_open_session_can_be_expired_once() -> None:
    made = new_session()
    sessions = stripe_client().v1.checkout.sessions

    expired = sessions.expire(made.id)
    with pytest.raises(InvalidRequestError, match="status of `expired`") as refusal:
        sessions.expire(made.id)

    assert (expired.status, expired.url) == ("expired", None)
    assert refusal.value.http_status == 400
    assert told(made.id) == ["checkout.session.expired"]


def test_a_paid_session_cannot_be_expired() -> None:
    made = new_session()
    actions.pay(made.id)

    with pytest.raises(InvalidRequestError, match="status of `complete`"):
        stripe_client().v1.checkout.sessions.expire(made.id)


def test_a_session_whose_time_has_run_out_is_expired_by_the_next_look() -> None:
    made = new_session()
    controls.let_time_run_out(made.id)

    read = stripe_client().v1.checkout.sessions.retrieve(made.id)

    assert (read.status, read.payment_status, read.url) == ("expired", "unpaid", None)
    assert told(made.id) == ["checkout.session.expired"]


def test_the_clock_expires_sessions_without_a_look() -> None:
    first, second = new_session(), new_session(expires_at=int(time.time()) + 3600)

    expired = actions.expire_due(first.expires_at)

    assert expired == 1
    assert told(first.id) == ["checkout.session.expired"]
    assert told(second.id) == []


def test_events_can_be_listed_by_type_and_read_back() -> None:
    made = new_session()
    actions.pay(made.id)
    events = stripe_client().v1.events

    completed = events.list(params={"type": "checkout.session.completed"})
    group = events.list(params={"type": "checkout.*"})
    two = events.list(params={"types": ["charge.succeeded", "payment_intent.succeeded"]})
    read = events.retrieve(completed.data[0].id)

    assert [event.type for event in group.data] == ["checkout.session.completed"]
    assert [event.type for event in two.data] == ["payment_intent.succeeded", "charge.succeeded"]
    assert read.data.object.id == made.id
    assert read.to_dict() == completed.data[0].to_dict()


def test_events_tell_whether_they_were_delivered() -> None:
    made = new_session()
    actions.expire(made.id)
    events = stripe_client().v1.events
    before = events.list(params={"delivery_success": False})

    controls.deliver_all(Shop())
    after = events.list(params={"delivery_success": True})

    assert (len(before.data), before.data[0].pending_webhooks) == (1, 1)
    assert (len(after.data), after.data[0].pending_webhooks) == (1, 0)
    assert events.list(params={"delivery_success": False}).data == []


def test_events_older_than_thirty_days_are_gone() -> None:
    made = new_session()
    actions.expire(made.id)
    event_id = SandboxEvent.objects.get().event_id
    SandboxEvent.objects.update(created=int(time.time()) - 31 * 86_400)

    with pytest.raises(InvalidRequestError, match="No such event"):
        stripe_client().v1.events.retrieve(event_id)

    assert stripe_client().v1.events.list().data == []


def test_an_event_caused_by_a_call_names_the_call() -> None:
    made = new_session()
    key = new_key()

    expired = stripe_client().v1.checkout.sessions.expire(made.id, options={"idempotency_key": key})

    request = stripe_client().v1.events.list().data[0].request
    assert (request.id, request.idempotency_key) == (expired.last_response.request_id, key)


def test_a_coupon_comes_back_by_its_own_id() -> None:
    coupon = new_coupon(id="order-1-a1", name="Spring")

    read = stripe_client().v1.coupons.retrieve("order-1-a1")

    assert read.to_dict() == coupon.to_dict()
    assert (read.amount_off, read.currency, read.duration) == (100, "gbp", "once")


def test_a_coupon_id_can_be_used_once() -> None:
    new_coupon(id="order-1-a1")

    with pytest.raises(InvalidRequestError) as refusal:
        new_coupon(id="order-1-a1")

    assert refusal.value.code == "resource_already_exists"


def test_the_key_that_the_adapter_uses_is_the_sandboxs() -> None:
    assert SECRET_KEY == "sk_test_sandbox"
