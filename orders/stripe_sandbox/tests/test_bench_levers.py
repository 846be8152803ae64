"""Each button of the bench does one thing, once, and says so in a sentence."""

from __future__ import annotations

import re
import time

import pytest
from django.test import Client

from orders.stripe_sandbox import actions, controls
from orders.stripe_sandbox.models import SandboxDelivery, SandboxEvent, SandboxObject
from orders.stripe_sandbox.tests.browsing import bench, paid_session, pull, refunded, state_of
from orders.stripe_sandbox.tests.factories import line, new_session, told
from orders.stripe_sandbox.tests.listener import Shop, listening

pytestmark = pytest.mark.django_db


def test_an_open_session_expires(client: Client) -> None:
    session_id = new_session().id

    assert "Let it expire" in bench(client)
    assert pull(client, f"sessions/{session_id}/expire") == "The session has expired."
    assert told(session_id) == ["checkout.session.expired"]
    assert "Let it expire" not in bench(client)


@pytest.mark.parametrize(
    ("outcome", "sentence", "event"),
    [
        ("succeeds", "arrived", "checkout.session.async_payment_succeeded"),
        ("fails", "failed", "checkout.session.async_payment_failed"),
    ],
)
def test_a_delayed_payment_is_settled_once(
    client: Client, outcome: str, sentence: str, event: str
) -> None:
    session_id = actions.delay(new_session().id)["id"]
    offered = "Let it succeed" in bench(client)

    first = pull(client, f"sessions/{session_id}/settle", outcome=outcome)
    second = pull(client, f"sessions/{session_id}/settle", outcome=outcome)

    assert offered
    assert first == f"The delayed payment {sentence}."
    assert second == "No delayed payment is on its way for this session."
    assert told(session_id)[2:] == [event]


@pytest.mark.parametrize(
    ("amount", "pennies", "sentence"),
    [("", 499, "£4.99"), ("1.99", 199, "£1.99"), (" 4.99 ", 499, "£4.99")],
)
def test_all_or_the_typed_amount_is_refunded(
    client: Client, amount: str, pennies: int, sentence: str
) -> None:
    session_id = paid_session()

    said = pull(client, f"sessions/{session_id}/refund", amount=amount)

    assert said == f"Refund of {sentence}: succeeded."
    assert refunded(session_id) == pennies


def test_the_amount_is_read_in_the_sessions_currency(client: Client) -> None:
    session_id = paid_session(line_items=[line(pennies=500, currency="jpy")])

    half = pull(client, f"sessions/{session_id}/refund", amount="2.50")
    whole = pull(client, f"sessions/{session_id}/refund", amount="250")

    assert half == "Type an amount in digits, such as 10."
    assert whole == "Refund of ¥250: succeeded."
    assert 'value="250"' in bench(client)


@pytest.mark.wide
@pytest.mark.parametrize(
    "amount",
    ["all", "-1", "0", "1e2", "1,99", "NaN", "٤.٩٩", "4.99\0", "9" * 50, "4.999", "5.00", "<b>"],
)
def test_what_cannot_be_refunded_is_a_sentence(client: Client, amount: str) -> None:
    session_id = paid_session()

    said = pull(client, f"sessions/{session_id}/refund", amount=amount)

    assert said.startswith(("Type an amount", "The amount must be", "Refund amount (£5.00)"))
    assert refunded(session_id) == 0
    assert not SandboxObject.objects.filter(kind="refund").exists()


@pytest.mark.wide
@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (lambda session_id: None, "Nothing has been charged for this session."),
        (actions.expire, "Nothing has been charged for this session."),
        (actions.delay, "Nothing has been charged for this session."),
        (actions.decline, "has not been paid"),
        (lambda session_id: actions.refund(actions.pay(session_id)["id"]), "already been refunded"),
        (
            lambda session_id: actions.open_dispute(actions.pay(session_id)["id"]),
            "has been charged back",
        ),
    ],
)
def test_a_refund_that_is_not_possible_is_a_sentence(client: Client, act, sentence: str) -> None:
    session_id = new_session().id
    act(session_id)
    before = told(session_id)

    assert sentence in pull(client, f"sessions/{session_id}/refund")
    assert told(session_id) == before


@pytest.mark.wide
@pytest.mark.parametrize(
    ("path", "fields", "status", "sentence"),
    [
        ("settle", {"outcome": "succeeds"}, "succeeded", "is now succeeded"),
        ("settle", {"outcome": "fails"}, "failed", "is now failed"),
        ("cancel", {}, "canceled", "is called off"),
        ("fail", {}, "failed", "sent £4.99 back"),
    ],
)
def test_a_pending_refund_ends(
    client: Client, path: str, fields: dict[str, str], status: str, sentence: str
) -> None:
    session_id = paid_session()
    said = pull(client, f"sessions/{session_id}/refund", course="pending")
    refund_id = SandboxObject.objects.get(kind="refund").object_id

    first = pull(client, f"refunds/{refund_id}/{path}", **fields)
    second = pull(client, f"refunds/{refund_id}/{path}", **fields)

    assert said == "Refund of £4.99: pending."
    assert sentence in first
    assert state_of(refund_id) == status
    assert second.startswith(f"This refund is {status};")


def test_a_refund_fails_after_all(client: Client) -> None:
    refund = actions.refund(paid_session())
    offered = "Let it fail after all" in bench(client)

    assert pull(client, f"refunds/{refund['id']}/fail") == "The buyer's bank sent £4.99 back."
    assert offered
    assert state_of(refund["id"]) == "failed"
    assert "expired_or_canceled_card" in bench(client)


@pytest.mark.parametrize(
    ("kind", "status", "sentence"),
    [
        ("dispute", "needs_response", "The buyer's bank opened a dispute about £4.99."),
        ("inquiry", "warning_needs_response", "The buyer's bank opened an inquiry about £4.99."),
    ],
)
def test_a_payment_is_disputed(client: Client, kind: str, status: str, sentence: str) -> None:
    session_id = paid_session()

    assert pull(client, f"sessions/{session_id}/dispute", kind=kind) == sentence
    assert SandboxObject.objects.get(kind="dispute").status == status


def test_a_payment_is_disputed_once(client: Client) -> None:
    session_id = paid_session()
    pull(client, f"sessions/{session_id}/dispute", kind="dispute")

    again = pull(client, f"sessions/{session_id}/dispute", kind="dispute")

    assert again == "Only a paid charge without a dispute can be disputed."


@pytest.mark.wide
@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_a_dispute_is_answered_and_closed(client: Client, outcome: str) -> None:
    dispute_id = actions.open_dispute(paid_session())["id"]

    answered = pull(client, f"disputes/{dispute_id}/answer")
    closed = pull(client, f"disputes/{dispute_id}/close", outcome=outcome)
    again = pull(client, f"disputes/{dispute_id}/close", outcome=outcome)

    assert answered == "The evidence is with the bank; the dispute is under_review."
    assert closed == f"The dispute is closed: {outcome}."
    assert again.startswith(f"This dispute is {outcome};")
    assert "Close it as won" not in bench(client)


def test_an_inquiry_is_closed(client: Client) -> None:
    dispute_id = actions.open_dispute(paid_session(), status="warning_needs_response")["id"]

    won = pull(client, f"disputes/{dispute_id}/close", outcome="won")
    closed = pull(client, f"disputes/{dispute_id}/close", outcome="warning_closed")

    assert won == "An inquiry is closed as warning_closed; a dispute is won or lost."
    assert closed == "The dispute is closed: warning_closed."


def test_an_inquiry_becomes_a_dispute(client: Client) -> None:
    dispute_id = actions.open_dispute(paid_session(), status="warning_needs_response")["id"]

    first = pull(client, f"disputes/{dispute_id}/escalate")
    second = pull(client, f"disputes/{dispute_id}/escalate")

    assert first == "The inquiry became a dispute; the bank took £4.99."
    assert second == "This dispute is needs_response; only an open inquiry escalates."


def test_an_event_is_sent_once_more_with_the_same_id(client: Client) -> None:
    session_id = new_session().id
    actions.expire(session_id)
    event = SandboxEvent.objects.get()

    said = pull(client, f"events/{event.event_id}/replay")

    shop = Shop()
    controls.deliver_all(shop)
    assert said == "The event is sent once more, with the same id."
    assert shop.bodies == [event.payload.encode()] * 2


def test_a_fact_is_told_again_under_another_id(client: Client) -> None:
    session_id = new_session().id
    actions.expire(session_id)
    first = SandboxEvent.objects.get()

    said = pull(client, f"events/{first.event_id}/retell")

    second = SandboxEvent.objects.latest("pk")
    assert said == f"The same fact is told again as {second.event_id}."
    assert second.event_id != first.event_id
    assert controls.json_of(second) == {**controls.json_of(first), "id": second.event_id}


def test_deliveries_are_made_in_the_order_that_one_chooses(client: Client, settings) -> None:
    paid_session()
    controls.hold()
    chosen = controls.pending_deliveries()[::-1]

    with listening() as shop:
        settings.SITE_BASE_URL = shop.url
        said = {pull(client, f"deliveries/{delivery.pk}/deliver") for delivery in chosen}

    assert said == {"The shop answered 200."}
    assert shop.types == [delivery.event.type for delivery in chosen]
    assert controls.pending_deliveries() == []


def test_a_delivered_event_can_be_delivered_again(client: Client, settings) -> None:
    actions.expire(new_session().id)
    [delivery] = controls.pending_deliveries()

    with listening(200, 500) as shop:
        settings.SITE_BASE_URL = shop.url
        said = [pull(client, f"deliveries/{delivery.pk}/deliver") for _ in range(2)]

    delivery.refresh_from_db()
    assert said == ["The shop answered 200.", "The shop answered 500."]
    assert (delivery.status, delivery.attempts, len(delivery.log)) == ("pending", 2, 2)


@pytest.mark.parametrize(("defect", "is_old"), [("wrong_secret", False), ("stale", True)])
def test_a_delivery_is_signed_wrongly_once(
    client: Client, settings, defect: str, is_old: bool
) -> None:
    actions.expire(new_session().id)
    [delivery] = controls.pending_deliveries()

    with listening(400) as shop:
        settings.SITE_BASE_URL = shop.url
        said = pull(client, f"deliveries/{delivery.pk}/deliver", defect=defect)
        right = pull(client, f"deliveries/{delivery.pk}/deliver")

    wrong, good = (headers["Stripe-Signature"] for headers in shop.headers)
    stamp = int(wrong.removeprefix("t=").split(",")[0])
    assert (said, right) == ("The shop answered 400.", "The shop answered 200.")
    assert (stamp < time.time() - 300) is is_old
    assert wrong.split(",")[1] != good.split(",")[1]


def test_a_shop_that_cannot_be_reached_is_a_sentence(client: Client, settings) -> None:
    actions.expire(new_session().id)
    [delivery] = controls.pending_deliveries()
    settings.SITE_BASE_URL = "http://127.0.0.1:1"

    said = pull(client, f"deliveries/{delivery.pk}/deliver")

    assert said.startswith("The shop could not be reached: ConnectionRefusedError")


def test_a_delivery_that_is_being_sent_is_left_alone(client: Client) -> None:
    actions.expire(new_session().id)
    [delivery] = controls.pending_deliveries()
    controls.claim_out_of_turn(delivery)

    assert pull(client, f"deliveries/{delivery.pk}/deliver") == "This delivery is just being sent."


def test_one_delivery_is_dropped_and_no_other(client: Client) -> None:
    actions.expire(new_session().id)
    event = SandboxEvent.objects.get()
    second = controls.duplicate(event)

    first = pull(client, f"deliveries/{second.pk}/drop")
    again = pull(client, f"deliveries/{second.pk}/drop")

    assert first == "The delivery is dropped; the shop will not hear of it."
    assert again == "This delivery is no longer on its way; it cannot be dropped."
    statuses = SandboxDelivery.objects.order_by("pk").values_list("status", flat=True)
    assert list(statuses) == ["pending", "dropped"]


def test_deliveries_are_held_and_released(client: Client) -> None:
    held = pull(client, "controls", deliveries="hold")
    is_held = controls.current().held
    running = pull(client, "controls", deliveries="release")

    assert (held, running) == ("Deliveries are held.", "Deliveries are running.")
    assert (is_held, controls.current().held) == (True, False)


@pytest.mark.parametrize("state", controls.Api.values)
def test_the_api_is_switched(client: Client, state: str) -> None:
    said = pull(client, "controls", api=state)

    assert said == f"The API is {state.replace('_', ' ')}."
    assert controls.api_state() == state
    assert pressed(bench(client), "api") == [state]


@pytest.mark.parametrize("course", controls.Refunds.values)
def test_what_becomes_of_refunds_is_switched(client: Client, course: str) -> None:
    pull(client, "controls", refunds=course)

    assert controls.current().refunds == course
    assert pressed(bench(client), "refunds") == [course]


def pressed(page: str, name: str) -> list[str]:
    return re.findall(rf'name="{name}" value="(\w+)" aria-pressed="true"', page)


@pytest.mark.wide
@pytest.mark.parametrize(
    ("path", "fields", "sentence"),
    [
        ("sessions/cs_test_nothing/expire", {}, "No such checkout.session: 'cs_test_nothing'"),
        ("sessions/cs_test_nothing/settle", {"outcome": "fails"}, "No such checkout.session"),
        ("sessions/cs_test_nothing/refund", {}, "No such checkout.session"),
        ("sessions/cs_test_nothing/dispute", {"kind": "dispute"}, "No such checkout.session"),
        ("refunds/re_nothing/settle", {"outcome": "fails"}, "No such refund"),
        ("refunds/re_nothing/fail", {}, "No such refund"),
        ("refunds/re_nothing/cancel", {}, "No such refund"),
        ("disputes/du_nothing/answer", {}, "No such dispute"),
        ("disputes/du_nothing/escalate", {}, "No such dispute"),
        ("disputes/du_nothing/close", {"outcome": "won"}, "No such dispute"),
        ("events/evt_nothing/replay", {}, "There is no such event."),
        ("events/evt_nothing/retell", {}, "There is no such event."),
        ("deliveries/0/deliver", {}, "There is no such delivery."),
        ("deliveries/99999999999999999999/deliver", {}, "There is no such delivery."),
        ("deliveries/0/drop", {}, "There is no such delivery."),
        ("controls", {}, "There is no such switch."),
        ("controls", {"api": "\0", "refunds": "nonsense"}, "There is no such switch."),
    ],
)
def test_a_button_for_nothing_is_a_sentence(
    client: Client, path: str, fields: dict[str, str], sentence: str
) -> None:
    assert sentence in pull(client, path, **fields)


@pytest.mark.wide
@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("sessions/{session}/settle", "Choose whether it succeeds or fails."),
        ("sessions/{session}/dispute", "Choose a dispute or an inquiry."),
        ("refunds/{refund}/settle", "Choose whether it succeeds or fails."),
        ("disputes/{dispute}/close", "it cannot become nonsense."),
        ("deliveries/{delivery}/deliver", "There is no such way to sign a delivery."),
    ],
)
def test_an_unknown_choice_is_a_sentence_and_changes_nothing(
    client: Client, path: str, sentence: str
) -> None:
    session_id = paid_session()
    ids = {
        "session": session_id,
        "refund": actions.refund(session_id, amount=1, pending=True)["id"],
        "dispute": actions.open_dispute(session_id)["id"],
        "delivery": controls.pending_deliveries()[0].pk,
    }
    before = told(session_id)
    choice = {"outcome": "nonsense", "kind": "nonsense", "defect": "nonsense"}

    assert sentence in pull(client, path.format(**ids), **choice)
    assert told(session_id) == before
