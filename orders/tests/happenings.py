"""What can happen to an order, once for every shape of every letter.

Each returns a sentence that its letter then holds; `CASES` says which letter that is.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.test import Client

from orders.models import Dispute, Order, OutboxMail, Payment, Refund
from orders.services.refunds import refund_request
from orders.stripe_sandbox import actions, controls
from tests.factories import buy, make_product, make_user, session_id_of, start_checkout


def tell(client: Client) -> None:
    """Everything that happened at Stripe reaches the shop."""
    controls.deliver_all(controls.through(client))


def bought(client: Client, *titles: str) -> Order:
    return buy(client, make_user(), *[make_product(title) for title in titles or ("Våren",)])


def delayed(client: Client) -> Order:
    order = start_checkout(make_user(), make_product("Våren")).order
    actions.delay(session_id_of(order))
    tell(client)
    return order


def refund(order: Order, **wish: Any) -> Refund:
    payment = order.payments.get(status="paid")
    return refund_request(refund_id=uuid.uuid4(), payment=payment, by=None, reason="", **wish)


def refund_line(order: Order, title: str) -> Refund:
    return refund(order, item_ids=[order.items.get(title=title).pk])


def dispute(client: Client, order: Order, outcome: str = "") -> None:
    opened = actions.open_dispute(session_id_of(order))
    tell(client)
    if outcome:
        actions.close_dispute(opened["id"], outcome=outcome)
        tell(client)


def a_receipt(client: Client) -> str:
    bought(client, "Våren", "Winter")
    return "You paid £9.98 on "


def a_receipt_of_a_gift(client: Client) -> str:
    buy(client, make_user(), make_product(price_pennies=0))
    return "There was nothing to pay."


def a_receipt_after_a_refund(client: Client) -> str:
    refund_line(bought(client, "Våren", "Winter"), "Winter")
    return "Sent back: £4.99"


def a_payment_under_way(client: Client) -> str:
    delayed(client)
    return "Your payment of £4.99 is on its way to us."


def a_payment_that_failed(client: Client) -> str:
    actions.settle(session_id_of(delayed(client)), succeeds=False)
    tell(client)
    return "did not go through. Nothing was charged."


def a_failed_payment_with_another_under_way(client: Client) -> str:
    a_payment_that_failed(client)
    Order.objects.update(status="processing")
    return "Another payment of yours for this order is on its way."


def a_refund_of_everything(client: Client) -> str:
    refund(bought(client))
    return "That is all that you paid for order"


def a_refund_of_a_line(client: Client) -> str:
    refund_line(bought(client, "Våren", "Winter"), "Winter")
    return "That is a part of the £9.98 that you paid for order"


def a_refund_of_the_rest(client: Client) -> str:
    order = bought(client)
    refund(order, amount_pennies=200)
    OutboxMail.objects.filter(kind="refunded").delete()
    refund(order)
    return "That is the rest of the £4.99 that you paid for order"


def a_refund_that_came_back_meanwhile(client: Client) -> str:
    actions.fail_refund(refund(bought(client)).stripe_refund_id or "")
    tell(client)
    return "Your bank did not take it, so the money came back to us."


def a_refund_of_a_second_payment(client: Client) -> str:
    order = bought(client)
    paid = order.payments.get()
    Payment.objects.create(
        order=order, attempt=2, status="paid", amount_pennies=499, captured_pennies=499,
        currency="GBP", idempotency_key="second", paid_at=paid.paid_at,
    )  # fmt: skip
    refund_request(refund_id=uuid.uuid4(), payment=paid, by=None, reason="duplicate")
    return "had been paid more than once, and this is one of those payments."


def a_suspension(client: Client) -> str:
    dispute(client, bought(client))
    return (
        "and has asked us about it. Until the bank has decided, the files of this order are closed."
    )


def a_suspension_for_a_part_of_the_payment(client: Client) -> str:
    order = bought(client, "Våren", "Winter")
    actions.open_dispute(session_id_of(order), amount=499)
    tell(client)
    return "Your bank is looking into your payment of £9.98 for"


def a_suspension_for_good(client: Client) -> str:
    dispute(client, bought(client), "lost")
    return "and taken back £4.99. So the files of this order are no longer available."


def an_end_of_a_suspension(client: Client) -> str:
    dispute(client, bought(client), "won")
    return "it is settled in the shop's favour. All files of this order can be fetched again."


def an_end_of_a_dispute_that_was_withdrawn(client: Client) -> str:
    an_end_of_a_suspension(client)
    Dispute.objects.update(status="prevented")
    return "was withdrawn."


def an_end_of_a_suspension_after_a_refund(client: Client) -> str:
    order = bought(client, "Våren", "Winter")
    refund_line(order, "Winter")
    dispute(client, order, "won")
    return "What is closed for another reason stays closed."


def an_end_of_a_suspension_that_opens_nothing(client: Client) -> str:
    order = bought(client)
    refund(order)
    dispute(client, order, "won")
    return "The files of this order stay closed all the same, for the reason below."


def a_refund_that_did_not_arrive(client: Client) -> str:
    a_refund_that_came_back_meanwhile(client)
    return "your bank did not take it and it came back. The money is with us."


CASES: list[tuple[str, Callable[[Client], str]]] = [
    ("receipt", a_receipt),
    ("receipt", a_receipt_of_a_gift),
    ("receipt", a_receipt_after_a_refund),
    ("processing", a_payment_under_way),
    ("payment_failed", a_payment_that_failed),
    ("payment_failed", a_failed_payment_with_another_under_way),
    ("refunded", a_refund_of_everything),
    ("refunded", a_refund_of_a_line),
    ("refunded", a_refund_of_the_rest),
    ("refunded", a_refund_that_came_back_meanwhile),
    ("refunded", a_refund_of_a_second_payment),
    ("access_suspended", a_suspension),
    ("access_suspended", a_suspension_for_a_part_of_the_payment),
    ("access_suspended", a_suspension_for_good),
    ("access_restored", an_end_of_a_suspension),
    ("access_restored", an_end_of_a_dispute_that_was_withdrawn),
    ("access_restored", an_end_of_a_suspension_after_a_refund),
    ("access_restored", an_end_of_a_suspension_that_opens_nothing),
    ("access_restored", a_refund_that_did_not_arrive),
]
