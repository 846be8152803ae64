"""Refunds from the order desk: asked for, agreed to in a sentence, done once, and always explained."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from wagtail.models import ModelLogEntry

from downloads.models import Revocation
from orders.models import Order, Payment, Refund
from orders.stripe_sandbox import actions, controls
from orders.stripe_sandbox.models import SandboxObject
from orders.tests.desk import (
    SEE_ORDERS,
    desk_client,
    hidden,
    order_url,
    refund_url,
    said,
    staff_client,
    text_of,
)
from tests.factories import (
    buy,
    make_product,
    make_user,
    session_id_of,
    start_checkout,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Client:
    return desk_client()


def deliver() -> None:
    assert set(controls.deliver_all(controls.through(Client()))) == {200}


def typed(client: Client, order: Order, **changes: Any) -> dict[str, Any]:
    """The form as it comes, with what was changed in it."""
    response = client.get(refund_url(order))
    assert response.status_code == 200
    form = response.context["form"]
    return {
        "refund_id": str(form["refund_id"].value()),
        "payment": form["payment"].value(),
        "what": "everything",
        "amount": "",
        "reason": "requested_by_customer",
        "note": "",
        **changes,
    }


def ask(client: Client, order: Order, **changes: Any) -> tuple[dict[str, Any], HttpResponse]:
    """Fill in the form and go on; returns what was typed and the answer."""
    data = typed(client, order, **changes)
    return data, client.post(refund_url(order), data | {"step": "ask"})


def confirm(
    client: Client, order: Order, data: dict[str, Any], question: HttpResponse
) -> HttpResponse:
    agreed = {"step": "do", "confirmed": hidden(question, "confirmed")}
    return client.post(refund_url(order), data | agreed)


def refund(client: Client, order: Order, **changes: Any) -> HttpResponse:
    """The whole road."""
    data, question = ask(client, order, **changes)
    return confirm(client, order, data, question)


def closed_titles() -> set[str]:
    """Titles of the lines whose files do not open."""
    standing = Revocation.objects.filter(lifted_at=None)
    return set(standing.values_list("grant__order_item__title", flat=True))


def refunded_at_stripe() -> list[int]:
    rows = SandboxObject.objects.filter(kind="refund")
    return sorted(row.data["amount"] for row in rows if row.data["status"] != "failed")


def test_everything_goes_back_once_it_was_agreed_to(desk: Client) -> None:
    order = buy(Client(), make_user(), make_product("Harbour"), make_product("Quay"))

    data, question = ask(desk, order, reason="duplicate", note="called on Monday")

    assert (
        "£9.98 goes back to the buyer's Visa ending 4242. They lose all files of this order. "
        "This cannot be undone." in text_of(question)
    )
    assert not Refund.objects.exists()

    answer = confirm(desk, order, data, question)

    assert answer.url == order_url(order)
    assert said(answer) == "£9.98 has gone back to the buyer."
    made = Refund.objects.get()
    assert (str(made.pk), made.amount_pennies, made.reason, made.note) == (
        data["refund_id"],
        998,
        "duplicate",
        "called on Monday",
    )
    assert made.requested_by == answer.wsgi_request.user
    assert refunded_at_stripe() == [998]
    assert closed_titles() == {"Harbour", "Quay"}


def test_lines_go_back_with_exactly_their_files(desk: Client) -> None:
    order = buy(Client(), make_user(), make_product("Harbour"), make_product("Quay"))
    item = order.items.get(title="Quay")

    data, question = ask(desk, order, what="lines", items=[item.pk])

    assert "£4.99 goes back" in text_of(question)
    assert "They lose the files of “Quay”." in text_of(question)

    confirm(desk, order, data, question)

    assert closed_titles() == {"Quay"}
    assert refunded_at_stripe() == [499]
    page = text_of(desk.get(order_url(order)))
    assert "“Quay”" in page
    assert "Closed: refunded" in page
    assert "Has the file" in page


@pytest.mark.wide
def test_an_amount_goes_back_and_the_files_stay(desk: Client) -> None:
    order = buy(Client(), make_user(), make_product(price_pennies=1000))

    data, question = ask(desk, order, what="amount", amount="2,50")

    assert "£2.50 goes back" in text_of(question)
    assert "They keep the files that they have." in text_of(question)

    answer = confirm(desk, order, data, question)

    assert said(answer) == "£2.50 has gone back to the buyer."
    assert refunded_at_stripe() == [250]
    assert closed_titles() == set()


@pytest.mark.wide
def test_an_amount_that_is_all_takes_the_files_and_says_so(desk: Client) -> None:
    order = buy(Client(), make_user(), make_product("Harbour"))

    data, question = ask(desk, order, what="amount", amount="4.99")

    assert "They lose all files of this order." in text_of(question)
    confirm(desk, order, data, question)
    assert closed_titles() == {"Harbour"}


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("amount", "sentence"),
    [
        ("", "Enter an amount such as 4.99."),
        ("-1", "Enter an amount such as 4.99."),
        ("1e3", "Enter an amount such as 4.99."),
        ("٤", "Enter an amount such as 4.99."),
        ("4.999", "An amount in GBP has at most two decimals, such as 4.99."),
        ("0", "Enter an amount above zero."),
        ("5.00", "Only £4.99 of this payment is left to refund."),
        ("999999999999", "An amount can be at most £999,999.99."),
    ],
)
def test_an_amount_that_cannot_be_is_told_beside_what_was_typed(
    desk: Client, amount: str, sentence: str
) -> None:
    order = buy(Client(), make_user(), make_product())

    _, answer = ask(desk, order, what="amount", amount=amount, note="keep this")

    assert answer.status_code == 200
    assert sentence in text_of(answer)
    assert f'value="{amount}"' in answer.content.decode() or not amount
    assert "keep this" in answer.content.decode()
    assert not Refund.objects.exists()


@pytest.mark.wide
def test_no_line_chosen_is_told(desk: Client) -> None:
    order = buy(Client(), make_user(), make_product())

    _, answer = ask(desk, order, what="lines")

    assert "Choose at least one line." in text_of(answer)


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    "changes",
    [
        {"payment": "x"},
        {"payment": str(10**30)},
        {"what": "all of it"},
        {"what": "lines", "items": ["x"]},
        {"what": "lines", "items": [str(10**30)]},
        {"reason": "because"},
        {"reason": ""},
        {"note": "x" * 301},
        {"note": "\0"},
        {"amount": "\0"},
    ],
)
def test_a_tampered_form_refunds_nothing(desk: Client, changes: dict[str, Any]) -> None:
    order = buy(Client(), make_user(), make_product())
    data = typed(desk, order)

    for step in ("ask", "do", "change", ""):
        answer = desk.post(refund_url(order), data | changes | {"step": step})
        assert answer.status_code == 200

    assert not Refund.objects.exists()


def test_nothing_of_another_order_can_be_refunded_from_here(desk: Client) -> None:
    mine = buy(Client(), make_user(), make_product())
    other = buy(Client(), make_user(), make_product())

    for changes in (
        {"payment": other.payments.get().pk},
        {"what": "lines", "items": [other.items.get().pk]},
    ):
        data = typed(desk, mine, **changes)
        desk.post(refund_url(mine), data | {"step": "do", "confirmed": "x"})

    assert not Refund.objects.exists()


@pytest.mark.sampled(3)
@pytest.mark.parametrize("refund_id", ["", "x", "1" * 500])
def test_a_form_without_its_id_is_opened_again(desk: Client, refund_id: str) -> None:
    order = buy(Client(), make_user(), make_product())

    _, answer = ask(desk, order, refund_id=refund_id)

    assert answer.url == refund_url(order)
    assert "Open it again" in said(answer)


def test_pressing_twice_is_one_refund(desk: Client) -> None:
    order = buy(Client(), make_user(), make_product(), make_product())
    item = order.items.first()
    ways: list[dict[str, Any]] = [
        {"what": "amount", "amount": "1.00"},
        {"what": "lines", "items": [item.pk]},
        {"what": "everything"},
    ]

    for count, changes in enumerate(ways, start=1):
        data, question = ask(desk, order, **changes)
        answers = [confirm(desk, order, data, question) for _ in range(2)]

        assert said(answers[0]).endswith("has gone back to the buyer.")
        assert said(answers[1]) == said(answers[0])
        assert Refund.objects.count() == len(refunded_at_stripe()) == count
    assert sum(refunded_at_stripe()) == 998
    assert ModelLogEntry.objects.filter(action="orders.refund").count() == 3


@pytest.mark.wide
def test_a_used_form_cannot_be_used_for_another_refund(desk: Client) -> None:
    order = buy(Client(), make_user(), make_product(price_pennies=1000))
    data, question = ask(desk, order, what="amount", amount="1.00")
    confirm(desk, order, data, question)

    answer = desk.post(
        refund_url(order), data | {"amount": "2.00", "step": "do", "confirmed": "anything"}
    )

    assert "used already for another refund" in text_of(answer)
    assert answer.context["form"]["refund_id"].value() != data["refund_id"]
    assert refunded_at_stripe() == [100]


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "changes", [{"what": "everything"}, {"what": "amount", "amount": "9.00"}, {"what": "lines"}]
)
def test_what_changed_after_the_question_is_asked_again(
    desk: Client, changes: dict[str, Any]
) -> None:
    order = buy(Client(), make_user(), make_product("Harbour", price_pennies=1000))
    if changes["what"] == "lines":
        changes = changes | {"items": [order.items.get().pk]}
    data, question = ask(desk, order, **changes)
    actions.refund(session_id_of(order), amount=400)
    deliver()

    answer = confirm(desk, order, data, question)

    assert answer.status_code == 200
    words = text_of(answer)
    assert "has changed since you looked" in words or "Only £6.00" in words
    assert refunded_at_stripe() == [400]


def test_nothing_is_done_without_the_question(desk: Client) -> None:
    order = buy(Client(), make_user(), make_product())
    data = typed(desk, order)

    for confirmed in ({}, {"confirmed": ""}, {"confirmed": "1/499/"}):
        answer = desk.post(refund_url(order), data | {"step": "do"} | confirmed)
        assert "has changed since you looked" in text_of(answer)

    assert not Refund.objects.exists()


@pytest.mark.wide
def test_one_may_change_ones_mind_and_finds_what_was_typed(desk: Client) -> None:
    order = buy(Client(), make_user(), make_product())
    data, question = ask(desk, order, what="amount", amount="1.25", note="careful")
    assert hidden(question, "note") == "careful"

    answer = desk.post(refund_url(order), data | {"step": "change"})

    form = answer.context["form"]
    assert (form["amount"].value(), form["note"].value()) == ("1.25", "careful")
    assert form["refund_id"].value() == data["refund_id"]
    assert not form.errors


def test_while_stripe_is_down_the_refund_is_written_down(desk: Client) -> None:
    order = buy(Client(), make_user(), make_product())
    data, question = ask(desk, order)
    controls.set_api(controls.Api.DOWN)

    answer = confirm(desk, order, data, question)

    assert "Stripe cannot be reached" in said(answer)
    assert "by itself" in said(answer)
    assert Refund.objects.get().status == Refund.Status.REQUESTED
    assert closed_titles() == set()
    assert "Being sent to Stripe" in text_of(desk.get(order_url(order)))


@pytest.mark.wide
def test_what_stripe_refuses_is_said_and_changes_nothing(desk: Client) -> None:
    order = buy(Client(), make_user(), make_product())
    data, question = ask(desk, order)
    # Refunded in Stripe's dashboard a second ago; nobody has told the shop.
    actions.refund(session_id_of(order))

    answer = confirm(desk, order, data, question)

    assert said(answer).startswith("Stripe said: ")
    assert said(answer).endswith("Nothing was changed here.")
    assert Refund.objects.get().status == Refund.Status.FAILED
    assert closed_titles() == set()


@pytest.mark.wide
def test_a_disputed_payment_is_refused_with_the_reason(desk: Client) -> None:
    order = buy(Client(), make_user(), make_product())
    data, question = ask(desk, order)
    actions.open_dispute(session_id_of(order))
    deliver()

    answers = [desk.get(refund_url(order)), confirm(desk, order, data, question)]

    for answer in answers:
        assert answer.url == order_url(order)
        assert "bank disputes this payment" in said(answer)
    assert not Refund.objects.exists()
    assert refund_url(order) not in desk.get(order_url(order)).content.decode()


@pytest.mark.wide
def test_what_was_never_paid_or_free_or_all_refunded_is_refused(desk: Client) -> None:
    unpaid = start_checkout(make_user(), make_product()).order
    free = buy(Client(), make_user(), make_product(price_pennies=0))
    refunded = buy(Client(), make_user(), make_product())
    refund(desk, refunded)

    for order, words in (
        (unpaid, "has not been paid"),
        (free, "Nothing was charged"),
        (refunded, "Everything that was paid has gone back"),
    ):
        for answer in (desk.get(refund_url(order)), desk.post(refund_url(order), {"step": "ask"})):
            assert answer.url == order_url(order)
            assert words in said(answer)
    assert Refund.objects.count() == 1


def test_of_an_order_paid_twice_one_payment_goes_back_and_the_files_stay(desk: Client) -> None:
    order = buy(Client(), make_user(), make_product("Harbour"))
    first = order.payments.get()
    second = Payment.objects.create(
        order=order,
        attempt=2,
        status=Payment.Status.PAID,
        amount_pennies=499,
        captured_pennies=499,
        currency="GBP",
        idempotency_key=f"order-{order.pk}-a2",
        paid_at=first.paid_at,
        card_brand="mastercard",
        card_last4="4444",
        stripe_payment_intent_id="pi_test_second",
    )
    page = text_of(desk.get(refund_url(order)))
    assert "with Visa ending 4242" in page
    assert "with Mastercard ending 4444" in page

    _, question = ask(desk, order, payment=second.pk)

    assert "£4.99 goes back to the buyer's Mastercard ending 4444." in text_of(question)
    assert "They keep the files that they have." in text_of(question)


def test_refunding_needs_its_own_right_and_the_right_to_see() -> None:
    order = buy(Client(), make_user(), make_product())
    data = {"refund_id": str(uuid.uuid4()), "step": "do", "what": "everything"}

    for client in (staff_client(SEE_ORDERS), staff_client("orders.refund_order"), staff_client()):
        for answer in (client.get(refund_url(order)), client.post(refund_url(order), data)):
            assert answer.status_code == 302
            assert answer.url == reverse("wagtailadmin_home")
    assert refund_url(order) not in staff_client(SEE_ORDERS).get(order_url(order)).content.decode()
    able = staff_client(SEE_ORDERS, "orders.refund_order")
    assert refund_url(order) in able.get(order_url(order)).content.decode()
    assert said(refund(able, order)) == "£4.99 has gone back to the buyer."


def test_refunding_needs_a_csrf_token(desk: Client) -> None:
    order = buy(Client(), make_user(), make_product())
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = desk.cookies

    answer = strict.post(refund_url(order), typed(desk, order) | {"step": "ask"})

    assert answer.status_code == 403


@pytest.mark.wide
def test_who_refunded_is_in_the_orders_history(desk: Client) -> None:
    order = buy(Client(), make_user(), make_product())

    who = refund(desk, order, reason="fraudulent").wsgi_request.user

    assert f"Refund of £4.99 asked for {who}" in text_of(desk.get(order_url(order)))
    entry = ModelLogEntry.objects.get(action="orders.refund")
    assert (entry.user, entry.object_id) == (who, str(order.pk))
    assert entry.comment == "£4.99, fraud"
