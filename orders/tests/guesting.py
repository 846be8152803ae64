"""Guests as a browser is one: every step through HTTP, each with a session of its own."""

from __future__ import annotations

import re
from typing import Any

from django.core import mail
from django.test import Client
from django.urls import reverse

from catalog_pages.models import ProductPage
from downloads.models import UserAsset
from orders.models import GiftCode, Order, OrderItem, OutboxMail
from orders.services.mail import mail_send_due
from orders.stripe_sandbox import actions, controls
from tests.factories import make_product, session_id_of

EMAIL = "guest@example.com"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


def put_in_cart(client: Client, product: ProductPage) -> None:
    answer = client.post(reverse("orders:cart_add"), {"product": product.pk}, headers=SAME_ORIGIN)
    assert answer.status_code == 303, answer.content


def check_out(client: Client, email: str = EMAIL, **fields: str) -> Any:
    return client.post(
        reverse("orders:checkout_start"), {"email": email, "consent": "yes", **fields}
    )


def guest_order(client: Client, email: str = EMAIL, product: ProductPage | None = None) -> Order:
    """An order that waits for its payment at the sandbox."""
    put_in_cart(client, product or make_product())
    answer = check_out(client, email)
    assert answer.status_code == 303, answer.content
    return Order.objects.latest("created_at")


def pay(order: Order) -> Order:
    actions.pay(session_id_of(order))
    assert set(controls.deliver_all(controls.through(Client()))) == {200}
    order.refresh_from_db()
    assert order.is_paid
    return order


def guest_buys(client: Client, email: str = EMAIL, product: ProductPage | None = None) -> Order:
    return pay(guest_order(client, email, product))


def redeemed_gift(order: Order, email: str) -> GiftCode:
    """A second copy of the order's first line, redeemed with an address alone."""
    item: OrderItem = order.items.get()
    gift = GiftCode.objects.create(
        order_item=item, seat=1, redeemed_email=email, redeemed_at=order.paid_at
    )
    for delivery in item.deliveries.all():
        UserAsset.objects.create(
            order_item=item, asset=delivery.asset, seat=1, email=email, title=delivery.title
        )
    return gift


def letters() -> list[str]:
    """Sends what waits, and returns the texts of all that were sent since the last look."""
    mail_send_due()
    texts = [str(letter.body) for letter in mail.outbox]
    mail.outbox.clear()
    return texts


def links_in(text: str) -> list[str]:
    return list(dict.fromkeys(re.findall(r"http://testserver(/orders/link/\S+/)", text)))


def mailed_link() -> str:
    """The link of the receipt that was just sent."""
    (text,) = letters()
    return links_in(text)[0]


def reissued() -> list[OutboxMail]:
    return list(OutboxMail.objects.filter(kind="guest_links"))


def without_tokens(body: bytes) -> str:
    """A page without what Django makes anew each time."""
    return re.sub(r'(csrfmiddlewaretoken" value=)"[^"]+"', r"\1", body.decode())
