"""One search that finds an order by whatever a customer quotes."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from orders.models import DiscountCode, DiscountUse, GiftCode, Order, StripeEvent
from orders.services import finding
from orders.services.finding import orders_found
from orders.services.gifts import gift_codes_issue
from orders.stripe_sandbox import actions, controls
from orders.tests.desk import desk_client, text_of
from tests.factories import buy, make_product, make_user, session_id_of

pytestmark = [pytest.mark.django_db, pytest.mark.wide]


@pytest.fixture
def order() -> Order:
    """Refunded in part, disputed, with a gift copy for a friend; and another order beside it."""
    order = buy(Client(), make_user("Ada.Brook@example.com"), make_product("Harbour Lights"))
    buy(Client(), make_user("grace@example.org"), make_product("Other"))
    order.items.update(is_gift=True, gift_email="friend@example.net")
    gift_codes_issue(order=order)
    actions.refund(session_id_of(order), amount=100)
    actions.open_dispute(session_id_of(order))
    assert set(controls.deliver_all(controls.through(Client()))) == {200}
    order.payments.update(card_last4="0041")
    return order


def found(text: str) -> set[Any]:
    return set(orders_found(text).order_ids)


def test_by_the_number_however_it_is_written(order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(number="7F3K-9Q01")

    for text in (
        "7F3K-9Q01", "7f3k9q01", "7F3K 9Q01", " 7f3k – 9q01 ", "#7F3K-9Q01", "Order 7F3K-9Q01",
        "order no. 7f3k 9q01", "my order number is 7F3K-9Q01.", "No. 7F3K‑9Q01", "paid 7F3K 9Q01",
        "from 7F3K9Q01", "7F3K", "7F3K-9", "7f3k9q", "7F3K-9QOI", "７Ｆ３Ｋ－９Ｑ０１",
    ):  # fmt: skip
        assert found(text) == {order.pk}, text
    for text in ("7F3", "7F3K-9Q02", "7F3K-9Q012", "F3K9Q01"):
        assert found(text) == set(), text


def test_by_addresses_of_buyer_account_and_recipient_in_any_case(order: Order) -> None:
    order.user.email = "ada@new.example.com"
    order.user.save()
    GiftCode.objects.update(redeemed_email="Pat@example.io", redeemed_at=order.created_at)

    for text in (
        "ada.brook@example.com", "ADA.BROOK@EXAMPLE.COM", "Ada Brook <ada.brook@example.com>",
        "mailto:ada.brook@example.com", "ada.brook", "ADA.B", "ada@new.example.com",
        "friend@example.net", "FRIEND@example.net", "pat@example.io", "friend",
    ):  # fmt: skip
        assert found(text) == {order.pk}, text
    assert found("nobody@example.com") == set()


def test_by_a_number_that_somebody_spells_out(order: Order) -> None:
    first, last = order.number.split("-")

    for text in (
        " ".join(order.number), f"order no. {' '.join(first + last)}".lower(),
        f"{first[:2]} {first[2:]} {last[:2]} {last[2:]}", f"my number is {'.'.join(first + last)}",
    ):  # fmt: skip
        assert found(text) == {order.pk}, text
    assert found(" ".join(order.number[:-1])) == set()


def test_by_the_last_four_digits_of_the_card(order: Order) -> None:
    for text in (
        "0041", "card 0041", "Visa ending 0041", "with 0041", "•••• 0041", "**** 0041",
        "xxxx 0041", "XXXX-XXXX-XXXX-0041", "xxxx xxxx xxxx 0041", "x0041", "XX0041", "visa-0041",
        "Mastercard-0041", "xxxx-0041", "****0041", "Visa ••••0041", "4000 0000 0000 0041",
        "4000000000000041",
    ):  # fmt: skip
        assert found(text) == {order.pk}, text
    for text in ("041", "00410", "٠٠٤١"):
        assert found(text) == set(), text


def test_by_every_id_that_stripe_shows(order: Order) -> None:
    payment = order.payments.get()
    event = StripeEvent.objects.filter(order=order).latest("pk")
    refund, dispute = payment.refunds.get(), payment.disputes.get()

    for text in (
        payment.stripe_session_id, payment.stripe_payment_intent_id, payment.stripe_charge_id,
        refund.stripe_refund_id, dispute.stripe_dispute_id, event.event_id,
        f"see {payment.stripe_payment_intent_id}, please",
        f"{payment.stripe_payment_intent_id}_secret_9sBk2",
    ):  # fmt: skip
        assert found(text) == {order.pk}, text
    StripeEvent.objects.filter(pk=event.pk).update(order=None)
    assert found(event.event_id) == {order.pk}


def test_by_a_whole_gift_code_and_never_by_a_part(order: Order) -> None:
    code = GiftCode.objects.get().code

    for text in (
        code,
        code.lower(),
        code.replace("-", ""),
        code.replace("-", " "),
        f"gift {code}!",
    ):
        assert found(text) == {order.pk}, text
    for text in (code[:-1], code[:11], code[-5:], code.replace("-", "")[:15]):
        assert found(text) == set(), text


@pytest.mark.parametrize("code", ["SPRING24", "Low-Tide_10", "2024", "SUMMER", "A1B"])
def test_by_the_discount_code_that_it_used(order: Order, code: str) -> None:
    discount = DiscountCode.objects.create(code=code, kind="percent", percent=10)
    DiscountUse.objects.create(
        code=discount, order=order, code_text=code, buyer_email=order.email, place=1
    )

    for text in (code, code.lower(), f"code {code}", f"{code} ada.brook@example.com"):
        assert found(text) == {order.pk}, text
    assert found(code[:-1]) == set()


def test_by_our_own_ids_and_by_what_was_bought(order: Order) -> None:
    for text in (str(order.pk), order.pk.hex, f"https://shop.example/orders/{order.pk}/",
                 "harbour", "Harbour Lights", "HARBOUR LIG"):  # fmt: skip
        assert order.pk in found(text), text
    assert found("lights") == set()


def test_several_clues_have_to_agree(order: Order) -> None:
    assert found("harbour ada.brook@example.com") == {order.pk}
    assert found("other ada.brook@example.com") == set()
    assert found(f"{order.number} grace@example.org") == set()
    assert found("ada example") == set()
    Order.objects.filter(pk=order.pk).update(email="ada@example.com")
    assert found("ada example") == {order.pk}


def test_nothing_is_found_by_nothing(order: Order) -> None:
    for text in ("", " ", None, "\0", "%", "_", "%%%%", "@", "....", "-", "x" * 5000, "q " * 500):
        assert orders_found(text).order_ids == [], text


def test_what_was_cut_off_is_said(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "MAX_FOUND", 1)
    for payment_of in Order.objects.all():
        payment_of.payments.update(card_last4="0041")

    page = text_of(desk_client().get(reverse("order_desk:index"), {"q": "0041"}))

    assert "More match than are listed" in page
    assert orders_found("0041").is_cut
    assert orders_found("0041 ada.brook@example.com") == finding.Found([order.pk])


def test_where_is_my_download_is_answered_from_one_search(order: Order) -> None:
    desk = desk_client()

    listing = desk.get(reverse("order_desk:index"), {"q": "card 0041"})
    page = text_of(desk.get(reverse("order_desk:inspect", args=[order.pk])))

    assert [row.pk for row in listing.context["object_list"]] == [order.pk]
    for words in ("Closed: payment disputed", "Last download", "Never"):
        assert words in page
