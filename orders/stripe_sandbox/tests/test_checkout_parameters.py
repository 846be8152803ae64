"""What Stripe refuses when a session is made, the sandbox refuses too."""

from __future__ import annotations

import time
from typing import Any

import pytest
from stripe import InvalidRequestError

from orders.stripe_sandbox.models import SandboxObject
from orders.stripe_sandbox.tests.factories import line, new_coupon, new_session

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("road")]


def in_minutes(minutes: int) -> int:
    return int(time.time()) + 60 * minutes


@pytest.mark.parametrize(
    ("changes", "param", "code"),
    [
        ({"success_url": None}, "success_url", "parameter_missing"),
        ({"line_items": None}, "line_items", "parameter_missing"),
        ({"mode": None}, "mode", "parameter_missing"),
        ({"mode": "gift"}, "mode", None),
        ({"success_url": "/checkout/success/"}, "success_url", "url_invalid"),
        ({"cancel_url": "javascript:alert(1)"}, "cancel_url", "url_invalid"),
        ({"client_reference_id": "x" * 201}, "client_reference_id", None),
        ({"customer_email": "ada"}, "customer_email", "email_invalid"),
        ({"customer_email": ""}, "customer_email", "parameter_invalid_empty"),
        ({"customer_creation": "never"}, "customer_creation", None),
        ({"adaptive_pricing": {"enabled": "yes"}}, "adaptive_pricing[enabled]", None),
        ({"automatic_tax": {"enabled": "yes"}}, "automatic_tax[enabled]", None),
        ({"metadata": {"k" * 41: "v"}}, f"metadata[{'k' * 41}]", None),
        ({"metadata": {"k": "v" * 501}}, "metadata[k]", None),
        ({"metadata": {f"k{n}": "v" for n in range(51)}}, "metadata", None),
        ({"line_items": [line() for _ in range(101)]}, "line_items", None),
        ({"line_items": [line(quantity=0)]}, "line_items[0][quantity]", None),
        ({"line_items": [line(quantity=1.5)]}, "line_items[0][quantity]", None),
        ({"discounts": [{"coupon": "none"}]}, "discounts[0][coupon]", "resource_missing"),
        ({"colour": "red"}, "colour", "parameter_unknown"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(
    changes: dict[str, Any], param: str, code: str | None
) -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        new_session(**changes)

    assert refusal.value.http_status == 400
    assert refusal.value.param == param
    assert code is None or refusal.value.code == code
    assert refusal.value.error.type == "invalid_request_error"
    assert SandboxObject.objects.count() == 0


@pytest.mark.parametrize(
    ("price", "param"),
    [
        ({"unit_amount": -1}, "unit_amount"),
        ({"unit_amount": "4.99"}, "unit_amount"),
        ({"unit_amount": 4.99}, "unit_amount"),
        ({"unit_amount": 100_000_000}, "unit_amount"),
        ({"currency": "zzz"}, "currency"),
        ({"currency": "usd"}, "currency"),
        ({"product_data": {"name": ""}}, "product_data][name"),
        ({"product_data": {"name": "Hum", "description": ""}}, "product_data][description"),
        ({"product_data": {"name": "Hum", "images": ["x.png"]}}, "product_data][images][0"),
        ({"tax_behavior": "none"}, "tax_behavior"),
    ],
)
def test_a_wrong_price_is_refused_by_name(price: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        new_session(line_items=[line(), line(**{"pennies": 499} | {"name": "Hum"}, **price)])

    assert refusal.value.param == f"line_items[1][price_data][{param}]"


@pytest.mark.parametrize("minutes", [31, 23 * 60])
def test_a_session_may_live_between_half_an_hour_and_a_day(minutes: int) -> None:
    expires_at = in_minutes(minutes)

    made = new_session(expires_at=expires_at)

    assert made.expires_at == expires_at


@pytest.mark.parametrize("minutes", [29, 24 * 60 + 1])
def test_a_shorter_or_longer_life_is_refused(minutes: int) -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        new_session(expires_at=in_minutes(minutes))

    assert refusal.value.param == "expires_at"


def test_without_an_end_a_session_lives_for_a_day() -> None:
    made = new_session(expires_at=None)

    assert made.expires_at - made.created == 24 * 60 * 60


@pytest.mark.parametrize(
    ("currency", "smallest"),
    [
        ("usd", 50),
        ("eur", 50),
        ("jpy", 50),
        ("gbp", 30),
        ("czk", 1500),
        ("dkk", 250),
        ("sek", 300),
        ("nok", 300),
        ("hkd", 400),
        ("pln", 200),
        ("huf", 17500),
    ],
)
def test_a_total_below_the_minimum_charge_is_refused(currency: str, smallest: int) -> None:
    with pytest.raises(InvalidRequestError, match="at least") as refusal:
        new_session(line_items=[line(pennies=smallest - 1, currency=currency)])

    assert refusal.value.code == "amount_too_small"
    made = new_session(line_items=[line(pennies=smallest, currency=currency)])
    assert made.amount_total == smallest


def test_a_total_above_eight_digits_is_refused() -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        new_session(line_items=[line(pennies=99_999_999, quantity=2)])

    assert refusal.value.code == "amount_too_large"


@pytest.mark.parametrize(
    ("currency", "amount"), [("isk", 50_000), ("ugx", 400_000), ("kwd", 1_250), ("jpy", 501)]
)
def test_whole_coins_of_any_currency_are_accepted(currency: str, amount: int) -> None:
    made = new_session(line_items=[line(pennies=amount, currency=currency)])

    assert made.amount_total == amount


@pytest.mark.parametrize(
    ("currency", "amount"), [("isk", 50_050), ("ugx", 400_001), ("kwd", 1_255)]
)
def test_parts_of_a_coin_are_refused(currency: str, amount: int) -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        new_session(line_items=[line(pennies=amount, currency=currency)])

    assert refusal.value.param == "line_items[0][price_data][unit_amount]"


def test_a_currency_may_be_written_in_capitals() -> None:
    made = new_session(line_items=[line(currency="GBP")])

    assert made.currency == "gbp"


def test_a_hundred_lines_are_accepted_and_add_up() -> None:
    made = new_session(line_items=[line(f"Track {n}", 100 + n, quantity=2) for n in range(100)])

    assert made.amount_total == 2 * sum(100 + n for n in range(100))


def test_empty_metadata_values_are_not_kept() -> None:
    made = new_session(metadata={"order": "order-1", "note": ""})

    assert made.metadata.to_dict() == {"order": "order-1"}


def test_metadata_keys_may_be_numbers_and_texts_may_be_in_any_script() -> None:
    made = new_session(metadata={"0": "zero", "title": "Ólafur – 夜 & [live] 100%"})

    assert made.metadata.to_dict() == {"0": "zero", "title": "Ólafur – 夜 & [live] 100%"}


def test_a_coupon_takes_its_amount_off_and_the_lines_still_add_up() -> None:
    coupon = new_coupon(100)
    items = [line("One", 333), line("Two", 333), line("Three", 334)]

    made = new_session(line_items=items, discounts=[{"coupon": coupon.id}], expand=["line_items"])

    assert (made.amount_subtotal, made.amount_total) == (1000, 900)
    assert made.total_details.amount_discount == 100
    lines = made.line_items.data
    assert sum(item.amount_discount for item in lines) == 100
    assert [item.amount_total for item in lines] == [300, 300, 300]
    assert made.discounts[0].coupon == coupon.id


def test_a_coupon_never_takes_off_more_than_there_is() -> None:
    coupon = new_coupon(5000)

    made = new_session(discounts=[{"coupon": coupon.id}])

    assert (made.amount_total, made.payment_status) == (0, "no_payment_required")


def test_a_coupon_of_another_currency_is_refused() -> None:
    coupon = new_coupon(100, currency="usd")

    with pytest.raises(InvalidRequestError, match="currency"):
        new_session(discounts=[{"coupon": coupon.id}])


@pytest.mark.parametrize("price", [{}, {"tax_behavior": "unspecified"}])
def test_automatic_tax_wants_to_know_of_every_price_whether_tax_is_in_it(
    price: dict[str, Any],
) -> None:
    lines = [line(tax_behavior="inclusive"), line(**price)]

    with pytest.raises(InvalidRequestError, match="tax_behavior") as refusal:
        new_session(line_items=lines, automatic_tax={"enabled": True})

    assert refusal.value.param == "line_items[1][price_data][tax_behavior]"


def test_automatic_tax_is_not_known_before_the_address_is() -> None:
    made = new_session(line_items=[line(tax_behavior="exclusive")], automatic_tax={"enabled": True})

    assert made.automatic_tax.status == "requires_location_inputs"
    assert (made.amount_total, made.total_details.amount_tax) == (499, 0)
