"""The order desk's list and pages: everything is found and told, for whoever may see it."""

from __future__ import annotations

import csv
import io
import re
import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orders.models import Order, OrderAnomaly, OutboxMail, StripeEvent
from orders.services.anomalies import anomaly_record
from orders.services.mail import mail_send
from orders.stripe_sandbox import actions, controls
from orders.tests.desk import SEE_ORDERS, desk_client, order_url, staff_client, text_of
from tests.factories import (
    buy,
    make_asset,
    make_product,
    make_user,
    session_id_of,
    start_checkout,
)

pytestmark = pytest.mark.django_db

LIST = "order_desk:index"


@pytest.fixture
def desk() -> Client:
    return desk_client()


def deliver() -> None:
    assert set(controls.deliver_all(controls.through(Client()))) == {200}


def found(client: Client, **query: str) -> set[str]:
    """Numbers of the orders that the list shows."""
    response = client.get(reverse(LIST), query)
    assert response.status_code == 200
    return {order.number for order in response.context["object_list"]}


def test_the_list_tells_who_bought_for_how_much_and_what_is_wrong(desk: Client) -> None:
    order = buy(Client(), make_user("ada@example.com"), make_product(price_pennies=1250))
    actions.refund(session_id_of(order), amount=250)
    actions.open_dispute(session_id_of(order))
    deliver()

    page = text_of(desk.get(reverse(LIST)))

    for words in (order.number, "ada@example.com", "Paid", "£12.50", "£2.50", "Disputed"):
        assert words in page
    assert page.count("Needs attention") > 1


def test_an_order_is_found_by_everything_that_people_have_in_hand(desk: Client) -> None:
    order = buy(Client(), make_user("ada@example.com"), make_product())
    buy(Client(), make_user("grace@example.org"), make_product())
    actions.refund(session_id_of(order), amount=100)
    dispute = actions.open_dispute(session_id_of(order))
    deliver()
    payment = order.payments.get()
    refund = payment.refunds.get()

    for text in (
        order.number,
        order.number.lower(),
        "ada@example.com",
        "ada example",
        payment.stripe_session_id,
        payment.stripe_payment_intent_id,
        payment.stripe_charge_id,
        refund.stripe_refund_id,
        dispute["id"],
        f"  {order.number}  ada ",
    ):
        assert found(desk, q=str(text)) == {order.number}, text
    assert found(desk, q="4242") == set(Order.objects.values_list("number", flat=True))
    assert found(desk, q="424") == set()
    assert found(desk, q=f"{order.number} grace") == set()


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    "text", ['"', "\0", "%", "_", "\\", "'; --", "word " * 500, "x" * 5000, "٤", "\ud7ff", "(((*"]
)
def test_no_search_breaks_a_list(desk: Client, text: str) -> None:
    buy(Client(), make_user(), make_product())

    for name in (LIST, "order_anomalies:index", "stripe_events:index", "outbox_mail:index"):
        for address in (reverse(name), reverse(f"{name}_results")):
            assert desk.get(address, {"q": text}).status_code == 200


def test_filters_narrow_the_list_and_nonsense_does_not_break_it(desk: Client) -> None:
    paid = buy(Client(), make_user(), make_product())
    waiting = start_checkout(make_user(), make_product()).order
    actions.open_dispute(session_id_of(paid))
    deliver()

    assert found(desk, status="paid") == {paid.number}
    assert found(desk, status="pending") == {waiting.number}
    assert found(desk, currency="GBP") == {paid.number, waiting.number}
    assert found(desk, marked="disputed") == {paid.number}
    assert found(desk, marked="attention") == {paid.number}
    assert found(desk, created_at_to="2001-01-01") == set()
    assert found(desk, created_at_from="2001-01-01") == {paid.number, waiting.number}
    nonsense = {
        "status": "x",
        "created_at_from": "no date",
        "currency": "\0",
        "ordering": "password",
    }
    assert found(desk, **nonsense, p="x") == {paid.number, waiting.number}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("key", ["number", "created_at", "email", "status", "total_pennies"])
def test_the_list_is_ordered_both_ways(desk: Client, key: str) -> None:
    for price in (100, 300, 200):
        buy(Client(), make_user(), make_product(price_pennies=price))

    def values(ordering: str) -> list[object]:
        response = desk.get(reverse(LIST), {"ordering": ordering})
        return [getattr(order, key) for order in response.context["object_list"]]

    assert values(key) == sorted(values(key))
    assert values(f"-{key}") == sorted(values(key), reverse=True)


def queries_of(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
        return len(queries)


def test_a_longer_list_needs_no_more_queries(desk: Client) -> None:
    names = [LIST, "order_anomalies:index", "stripe_events:index", "outbox_mail:index"]

    def add() -> None:
        order = buy(Client(), make_user(), make_product())
        actions.refund(session_id_of(order), amount=100)
        deliver()

    add()
    for name in names:  # what is remembered for good is remembered
        desk.get(reverse(name))
    before = {name: queries_of(desk, reverse(name)) for name in names}
    for _ in range(4):
        add()

    assert {name: queries_of(desk, reverse(name)) for name in names} == before


@pytest.mark.wide
def test_an_order_with_more_of_everything_needs_no_more_queries(desk: Client) -> None:
    small = buy(Client(), make_user(), make_product())
    large = buy(
        Client(),
        make_user(),
        *(make_product(assets=[make_asset(), make_asset()]) for _ in range(6)),
    )
    for order, times in ((small, 1), (large, 5)):
        for _ in range(times):
            actions.refund(session_id_of(order), amount=50)
        actions.open_dispute(session_id_of(order))
    deliver()
    desk.get(order_url(small))

    assert queries_of(desk, order_url(large)) == queries_of(desk, order_url(small))


@pytest.mark.wide
def test_the_page_tells_everything_about_an_order(desk: Client) -> None:
    order = buy(Client(), make_user("ada@example.com"), make_product("Harbour"))
    actions.refund(session_id_of(order), amount=100)
    dispute = actions.open_dispute(session_id_of(order))
    deliver()
    payment = order.payments.get()

    page = text_of(desk.get(order_url(order)))

    for words in (
        order.number,
        "ada@example.com",
        "Harbour",
        "Closed: payment disputed",
        payment.stripe_session_id,
        payment.stripe_payment_intent_id,
        payment.stripe_charge_id,
        "Visa ending 4242",
        "£4.99",
        "£1.00",
        "At Stripe",
        "No line in particular",
        dispute["id"],
        "needs_response",
        "The buyer's bank wants the money back",
        "Receipt",
        "charge.dispute.created",
        "Ordered (Web shop)",
        "Disputed by the buyer's bank",
    ):
        assert str(words) in page, words


def test_the_page_of_an_order_that_nobody_paid(desk: Client) -> None:
    order = start_checkout(make_user(), make_product()).order

    page = text_of(desk.get(order_url(order)))

    assert "Not given yet" in page
    assert "Not yet" in page
    assert reverse("order_desk:refund", args=[order.pk]) not in page


def test_what_buyers_type_is_escaped(desk: Client) -> None:
    order = buy(Client(), make_user(), make_product("<script>alert(1)</script>"))
    anomaly_record("amount_mismatch", "cs_<b>x</b>", order, "<img src=x>")
    event = StripeEvent.objects.order_by("-pk")[0]
    event.payload["data"]["object"]["name"] = "</pre><script>alert(2)</script>"
    event.save()
    pages = [
        order_url(order),
        reverse("order_anomalies:index"),
        reverse("stripe_events:inspect", args=[event.pk]),
    ]

    bodies = "".join(desk.get(page).content.decode() for page in pages)

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in bodies
    for raw in ("<script>alert(1)", "<script>alert(2)", "cs_<b>", "<img src=x>"):
        assert raw not in bodies


@pytest.mark.wide
def test_ids_that_do_not_exist_are_not_found(desk: Client) -> None:
    for name in ("order_anomalies", "stripe_events", "outbox_mail"):
        for pk in (0, 10**30):
            assert desk.get(reverse(f"{name}:inspect", args=[pk])).status_code == 404
    for view in ("inspect", "refund"):
        assert desk.get(reverse(f"order_desk:{view}", args=[uuid.uuid4()])).status_code == 404
    for address in ("x", "-1", "1/..", "%00", "00000000-0000-0000-0000-00000000000g"):
        assert desk.get(f"/admin/orders/{address}/").status_code == 404


@pytest.mark.wide
def test_the_list_goes_into_a_spreadsheet_and_no_cell_is_a_formula(desk: Client) -> None:
    order = buy(Client(), make_user("ada@example.com"), make_product(price_pennies=1250))
    Order.objects.filter(pk=order.pk).update(email="=cmd@example.com")

    response = desk.get(reverse(LIST), {"export": "csv"})

    rows = list(csv.DictReader(io.StringIO(b"".join(response).decode("utf-8-sig"))))
    assert [(row["Number"], row["Total"], row["Currency"]) for row in rows] == [
        (order.number, "12.50", "GBP")
    ]
    assert rows[0]["Buyer"] == "'=cmd@example.com"


def test_what_nobody_has_dealt_with_is_listed_and_counted(desk: Client) -> None:
    anomaly_record("unknown_session", "cs_test_lost", None, "no such order")
    anomaly_record("amount_mismatch", "cs_test_paid", None, "")
    OrderAnomaly.objects.filter(reference="cs_test_paid").update(resolved_at="2026-01-01T00:00Z")

    def references(**query: str) -> set[str]:
        response = desk.get(reverse("order_anomalies:index"), query)
        return {row.reference for row in response.context["object_list"]}

    assert references() == {"cs_test_lost"}
    assert references(state="resolved") == {"cs_test_paid"}
    assert references(state="all") == {"cs_test_lost", "cs_test_paid"}
    assert references(state="nonsense") == {"cs_test_lost"}
    assert "Needs attention (1)" in desk.get(reverse("wagtailadmin_home")).content.decode()


@pytest.mark.wide
def test_a_failed_event_shows_its_reason(desk: Client) -> None:
    buy(Client(), make_user(), make_product())
    event = StripeEvent.objects.filter(type="checkout.session.completed").get()
    StripeEvent.objects.filter(pk=event.pk).update(
        status=StripeEvent.Status.FAILED,
        handled_at=None,
        error="GatewayUnavailable: no connection",
        attempts=3,
    )

    listing = text_of(desk.get(reverse("stripe_events:index"), {"status": "failed"}))
    page = text_of(desk.get(reverse("stripe_events:inspect", args=[event.pk])))

    assert "GatewayUnavailable: no connection" in listing
    assert "GatewayUnavailable: no connection" in page
    assert event.event_id in page
    assert '"payment_status": "paid"' in page


@pytest.mark.wide
def test_a_mail_shows_its_text(desk: Client) -> None:
    order = buy(Client(), make_user("ada@example.com"), make_product("Harbour"))
    mail = OutboxMail.objects.get(order=order, kind="receipt")
    mail_send(mail_id=mail.pk)

    listing = text_of(desk.get(reverse("outbox_mail:index"), {"q": order.number}))
    page = text_of(desk.get(reverse("outbox_mail:inspect", args=[mail.pk])))

    assert "Receipt" in listing
    assert "ada@example.com" in listing
    assert "Harbour" in page
    assert mail.message_id in page


@pytest.mark.wide
def test_the_page_shows_only_what_its_reader_may_see() -> None:
    order = buy(Client(), make_user(), make_product())
    anomaly_record("amount_mismatch", "cs_test_x", order, "")

    response = staff_client(SEE_ORDERS).get(order_url(order))

    page = text_of(response)
    assert order.number in page
    for hidden in ("Receipt", "checkout.session.completed", "Compare both", "Send again"):
        assert hidden not in page
    assert not re.search(r'<form[^>]*action="/admin/orders/', response.content.decode())
    assert reverse("order_desk:refund", args=[order.pk]) not in response.content.decode()
