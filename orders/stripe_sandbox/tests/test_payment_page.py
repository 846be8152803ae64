"""The payment page does what its buttons say."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from orders.stripe_sandbox import actions, controls
from orders.stripe_sandbox.models import SandboxObject
from orders.stripe_sandbox.tests.factories import line, new_coupon, new_session, told

pytestmark = pytest.mark.django_db

PAID = ["charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"]


def page_of(session) -> str:
    return f"/sandbox/pay/{session.id}/"


def choose(client: Client, session, outcome: str, **fields: str):
    return client.post(page_of(session), {"outcome": outcome, **fields})


def test_the_page_says_that_it_is_a_test_and_what_it_costs(client: Client) -> None:
    session = new_session(line_items=[line("Night Bus <live>", 499), line("Hum", 250, quantity=2)])

    response = client.get(page_of(session))

    text = response.content.decode()
    assert response.status_code == 200
    assert "<h1>Test payment</h1>" in text
    assert "no money moves" in text
    assert "Night Bus &lt;live&gt;" in text
    assert "Hum × 2" in text
    assert "Pay £9.99" in text
    assert "ada@example.com" in text


def test_the_page_is_never_cached_and_has_nothing_inline(client: Client) -> None:
    text = client.get(page_of(new_session()))

    assert "no-store" in text.headers["Cache-Control"]
    html = text.content.decode()
    assert "<script" not in html
    assert "<style" not in html
    assert not re.search(r"\s(style|on\w+)=", html)


def test_paying_leads_back_to_the_shop_with_the_session_id(client: Client) -> None:
    session = new_session()

    response = choose(client, session, "pay")

    assert response.status_code == 303
    assert response.headers["Location"] == (
        f"http://testserver/checkout/success/?session_id={session.id}"
    )
    assert told(session.id) == PAID


def test_a_second_click_on_pay_pays_once_and_leads_back_too(client: Client) -> None:
    session = new_session()

    first, second = choose(client, session, "pay"), choose(client, session, "pay")

    assert second.headers["Location"] == first.headers["Location"]
    assert told(session.id) == PAID


def test_a_declined_card_is_said_on_the_page_until_the_next_try(client: Client) -> None:
    session = new_session()

    response = choose(client, session, "decline")
    page = client.get(response.headers["Location"])
    paid = choose(client, session, "pay")

    assert response.status_code == 303
    assert "Your card was declined." in page.content.decode()
    assert "Pay £4.99" in page.content.decode()
    assert "success" in paid.headers["Location"]


def test_a_delayed_method_leads_back_unpaid(client: Client) -> None:
    session = new_session()

    response = choose(client, session, "delay")

    assert "success" in response.headers["Location"]
    assert told(session.id) == ["payment_intent.processing", "checkout.session.completed"]


def test_an_expired_session_says_so_and_shows_the_way_back(client: Client) -> None:
    session = new_session()

    response = choose(client, session, "expire")
    page = client.get(response.headers["Location"]).content.decode()

    assert "This session has expired" in page
    assert "http://testserver/checkout/cancel/" in page
    assert "<button" not in page
    assert told(session.id) == ["checkout.session.expired"]


def test_a_session_expires_while_its_page_is_open(client: Client) -> None:
    session = new_session()
    controls.let_time_run_out(session.id)

    response = choose(client, session, "pay")

    assert response.headers["Location"] == page_of(session)
    assert told(session.id) == ["checkout.session.expired"]


def test_a_complete_session_offers_nothing_but_the_way_back(client: Client) -> None:
    session = new_session()
    actions.pay(session.id)

    page = client.get(page_of(session)).content.decode()

    assert "This payment is complete" in page
    assert f"session_id={session.id}" in page
    assert "<button" not in page


def test_cancelling_is_a_link_and_tells_nobody(client: Client) -> None:
    session = new_session()

    page = client.get(page_of(session)).content.decode()

    assert 'href="http://testserver/checkout/cancel/">Cancel and go back</a>' in page
    assert told(session.id) == []


def test_an_address_is_asked_for_when_the_shop_gave_none(client: Client) -> None:
    session = new_session(customer_email=None)

    page = client.get(page_of(session)).content.decode()
    refused = choose(client, session, "pay", email="grace")
    paid = choose(client, session, "pay", email="grace@example.com")

    assert 'type="email"' in page
    assert refused.status_code == 400
    assert "Enter an email address" in refused.content.decode()
    assert paid.status_code == 303
    row = SandboxObject.objects.get(object_id=session.id)
    assert row.data["customer_details"]["email"] == "grace@example.com"


def test_discount_and_tax_are_shown(client: Client) -> None:
    coupon = new_coupon(100)
    session = new_session(
        line_items=[line(tax_behavior="exclusive")],
        discounts=[{"coupon": coupon.id}],
        automatic_tax={"enabled": True},
    )

    page = client.get(page_of(session)).content.decode()

    assert "−£1.00" in page
    assert "£0.80" in page
    assert "Pay £4.79" in page


def taxed_session(behavior: str = "exclusive"):
    return new_session(line_items=[line(tax_behavior=behavior)], automatic_tax={"enabled": True})


def test_the_total_follows_the_buyers_country_before_paying(client: Client) -> None:
    session = taxed_session()

    response = choose(client, session, "country", country="DE")
    page = client.get(response.headers["Location"]).content.decode()
    choose(client, session, "pay", country="JP")

    assert response.status_code == 303
    assert re.search(r'value="DE"\s+selected', page)
    assert "Pay £5.94" in page
    row = SandboxObject.objects.get(object_id=session.id)
    assert row.data["amount_total"] == 549
    assert row.data["customer_details"]["address"]["country"] == "JP"


def test_tax_that_is_included_changes_no_total(client: Client) -> None:
    session = taxed_session("inclusive")

    page = client.get(page_of(session)).content.decode()

    assert re.search(r"Tax, included\s+</td>\s+<td class=\"amount\">£0.83", page)
    assert "Pay £4.99" in page


def test_a_country_of_which_nothing_is_known_changes_nothing(client: Client) -> None:
    session = taxed_session()

    response = choose(client, session, "pay", country="ZZ")

    assert response.headers["Location"] == page_of(session)
    assert told(session.id) == []


def test_without_tax_no_country_is_asked_for(client: Client) -> None:
    assert 'name="country"' not in client.get(page_of(new_session())).content.decode()


def test_an_order_for_nothing_is_completed_not_paid(client: Client) -> None:
    coupon = new_coupon(499)
    session = new_session(discounts=[{"coupon": coupon.id}])

    page = client.get(page_of(session)).content.decode()

    assert "Complete order" in page
    assert "Decline" not in page


def test_an_unknown_session_is_not_found(client: Client) -> None:
    assert client.get("/sandbox/pay/cs_test_nothing/").status_code == 404


def test_an_unknown_outcome_changes_nothing(client: Client) -> None:
    session = new_session()

    response = choose(client, session, "rob")

    assert response.headers["Location"] == page_of(session)
    assert told(session.id) == []


def test_the_forms_are_protected_against_other_sites() -> None:
    session = new_session()
    strict = Client(enforce_csrf_checks=True)

    assert choose(strict, session, "pay").status_code == 403
    assert told(session.id) == []


def test_without_the_switch_there_is_no_payment_page(client: Client, settings) -> None:
    session = new_session()
    settings.STRIPE_SANDBOX = False

    assert client.get(page_of(session)).status_code == 404
    assert choose(client, session, "pay").status_code == 404
    assert told(session.id) == []


@pytest.mark.parametrize("outcome", ["", "pay"])
def test_its_form_may_end_where_apps_want_their_buyers_back(
    client: Client, settings, outcome: str
) -> None:
    settings.CHECKOUT_RETURN_URLS = ["com.example.app:/paid", "https://app.example:8443/paid"]
    session = new_session(customer_email=None)

    # With a button that wants an address it is the same page again, with its mistake.
    page = (
        choose(client, session, outcome, email="none") if outcome else client.get(page_of(session))
    )

    (policy,) = [
        rule
        for rule in page.headers["Content-Security-Policy"].split("; ")
        if "form-action" in rule
    ]
    assert policy == "form-action 'self' com.example.app: https://app.example:8443"
