"""A whole life of the shop, by HTTP, then a look through all that was logged: it names orders, nobody else.

Every value that was typed, mailed, set or shown on the way and that is somebody's own is looked for.
"""

from __future__ import annotations

import logging
import re
import uuid
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core import mail
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path, reverse

from downloads.links import file_url
from downloads.models import UserAsset
from orders.models import GiftCode, Order, OutboxMail
from orders.services.mail import mail_send_due
from orders.services.refunds import refund_request
from orders.stripe_sandbox import actions, controls
from orders.tests.guesting import check_out, guest_order, letters, links_in, put_in_cart
from orders.tests.smtp_sink import configured_sink
from site_config.tests.test_app_sign_in import App
from tests.factories import PASSWORD, make_product, session_id_of
from tests.logged import Log, logged
from tests.partners import (
    SECRET,
    answered,
    asking,
    bearer,
    consent,
    exchange,
    make_access_token,
    make_partner,
    pkce,
)
from tests.signing_in import mailed_code, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
BUYER, GUEST, FRIEND, APP_USER = (
    "ada.buyer@post.example", "gus.guest@post.example", "fay.friend@post.example", "ann.app@post.example"
)  # fmt: skip
ADDRESS = "203.0.113.77"
PROGRAM = "Very-Own-Browser/7.7"
WRONG = "wrong-password-of-ada"
CARD = "4242424242424242"
KEY = "sk_" + "live_51NotAKeyOfAnybody"


def breaks(request: HttpRequest) -> HttpResponse:
    """As a library would: it quotes what it could not digest."""
    raise ValueError(
        f"cannot read {BUYER} from {ADDRESS}, {CARD}, {KEY}, {request.get_full_path()}"
        f" sent with {request.headers.get('Authorization')}"
    )


urlpatterns = [path("breaks/", breaks), path("", include("site_config.urls"))]


class Walk:
    """Somebody's way through the shop, and everything on it that is theirs alone."""

    def __init__(self) -> None:
        self.private: dict[str, str] = {
            "an address": BUYER, "a guest's address": GUEST, "a friend's address": FRIEND,
            "an app's user": APP_USER, "where they are": ADDRESS, "their browser": PROGRAM,
            "a password": PASSWORD, "a wrong password": WRONG, "a card": CARD, "a key": KEY,
            "an app's secret": SECRET, "the webhook's secret": "whsec_test_first",
        }  # fmt: skip
        self.clients: list[Client] = []

    def browser(self, **more: Any) -> Client:
        client = Client(
            REMOTE_ADDR=ADDRESS,
            headers={"User-Agent": PROGRAM},
            raise_request_exception=False,
            **more,
        )
        self.clients.append(client)
        return client

    def keep(self, what: str, value: str) -> str:
        self.private[f"{what} {len(self.private)}"] = value
        return value

    def keep_letters(self) -> None:
        """What was mailed: codes by themselves, and every address of a page with something of one's own."""
        for letter in mail.outbox:
            for link in re.findall(r"http://testserver(/\S+)", str(letter.body)):
                if len(last := link.rstrip("/").rpartition("/")[2]) > 15:
                    self.keep("a link", last)

    def keep_cookies(self) -> None:
        for client in self.clients:
            for name, cookie in client.cookies.items():
                if len(cookie.value) > 8:
                    self.keep(f"the cookie {name}", cookie.value)
        for session in Session.objects.all():
            self.keep("a session", session.session_key)


def signs_up_and_buys(walk: Walk) -> Order:
    client = walk.browser()
    client.post(reverse("account_signup"), {"email": BUYER, "password1": PASSWORD})
    code = walk.keep("a code", mailed_code())
    client.post(reverse("account_email_verification_sent"), {"code": code})
    walk.keep_cookies()
    put_in_cart(client, make_product())
    answer = check_out(client, BUYER)
    assert answer.status_code == 303, answer.content
    order = Order.objects.latest("created_at")
    pays(order)
    grant = UserAsset.objects.filter(user__email=BUYER)[0]
    for address in (reverse("orders:detail", args=[order.pk]), file_url(grant), reverse("profile")):
        response: Any = client.get(address)
        assert response.status_code == 200
        response.getvalue()
    walk.keep("a download's key", file_url(grant).partition("key=")[2])
    walk.keep_cookies()
    return order


def pays(order: Order) -> None:
    actions.pay(session_id_of(order))
    assert set(controls.deliver_all(controls.through(Client(REMOTE_ADDR=ADDRESS)))) == {200}


def guest_buys_and_comes_back(walk: Walk) -> Order:
    client = walk.browser()
    order = guest_order(client, GUEST)
    pays(order)
    for text in letters():
        for link in links_in(text):
            walk.keep("a guest's link", link.rstrip("/").rpartition("/")[2])
            assert walk.browser().get(link).status_code in {200, 302}
            assert walk.browser().get(f"{link[:-2]}/").status_code >= 400
    walk.browser().post(reverse("orders:guest_find"), {"email": GUEST})
    walk.keep_letters()
    letters()
    return order


def gift_is_redeemed(walk: Walk, order: Order) -> None:
    gift = GiftCode.objects.create(order_item=order.items.all()[0], seat=5, recipient_email=FRIEND)
    code = walk.keep("a gift code", gift.code)
    client = walk.browser()
    client.post(reverse("orders:gifts"), {"code": code})
    page = reverse("orders:gift", args=[code])
    assert client.get(page).status_code == 200
    client.post(page, {"email": FRIEND})
    client.get(reverse("orders:gift", args=["2" * 20]))
    letters()


def money_goes_back(order: Order) -> None:
    payment = order.payments.get()
    refund_request(refund_id=uuid.uuid4(), payment=payment, by=None, reason="")
    controls.deliver_all(controls.through(Client(REMOTE_ADDR=ADDRESS)))


def a_letter_is_refused(settings: Any) -> None:
    sink = configured_sink(settings)
    for address in (BUYER, GUEST, FRIEND):
        sink.refusals[address] = f"550 5.1.1 <{address}>: nobody of that name at {ADDRESS}"
    OutboxMail.objects.update(status="queued", sent_at=None, next_attempt_at=None)
    with sink:
        mail_send_due()
    assert OutboxMail.objects.filter(last_error__contains="550").exists()


def odd_requests(walk: Walk) -> None:
    client = walk.browser()
    sign_in(client, BUYER, WRONG)
    for _ in range(12):
        sign_in(client, BUYER, WRONG)
    for address in (f"/none/{BUYER}/", f"/downloads/{BUYER}/?key={KEY}", f"/orders/link/{BUYER}/"):
        assert client.get(address).status_code in {404, 410}
    assert client.get("/breaks/", {"q": BUYER}, headers=bearer(KEY)).status_code == 500
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400
    assert walk.browser(enforce_csrf_checks=True).post("/cart/update/").status_code == 403
    hook = reverse("orders:stripe_webhook")
    body, signature = f'{{"email": "{BUYER}"}}', f"t=1,v1={'ab' * 32}"
    walk.keep("a signature", "ab" * 32)
    refused = client.post(
        hook, body, content_type="application/json", headers={"Stripe-Signature": signature}
    )
    assert refused.status_code == 400


def apps_call(walk: Walk) -> None:
    app = App()
    app.call("POST", "auth/signup", {"email": APP_USER, "password": PASSWORD})
    walk.keep("an app's session", app.token)
    app.call("POST", "auth/email/verify", {"key": walk.keep("a code", mailed_code())})
    assert app.call("GET", "/api/v1/orders/").status_code == 200
    walk.keep("an app's session", app.token)
    browser, partner, (verifier, challenge) = walk.browser(), make_partner(), pkce()
    assert sign_in(browser, APP_USER).status_code == 302
    code = answered(consent(browser, asking(partner, challenge)))["code"]
    given = exchange(Client(REMOTE_ADDR=ADDRESS), partner, code, verifier).json()
    walk.keep("an app's code", code)
    walk.keep("a verifier", verifier)
    for name in ("access_token", "refresh_token", "id_token"):
        walk.keep(name, given.get(name) or make_access_token(partner))
    api = walk.browser()
    assert api.get("/api/v1/orders/", headers=bearer(given["access_token"])).status_code == 200
    assert api.get("/api/v1/orders/", headers=bearer(KEY)).status_code == 401
    exchange(Client(REMOTE_ADDR=ADDRESS), partner, code, verifier)


def whole_life(walk: Walk, settings: Any) -> Order:
    order = signs_up_and_buys(walk)
    guest_buys_and_comes_back(walk)
    gift_is_redeemed(walk, order)
    money_goes_back(order)
    apps_call(walk)
    odd_requests(walk)
    walk.keep_cookies()
    a_letter_is_refused(settings)
    return order


def found_in(log: Log, walk: Walk) -> list[str]:
    return [f"{what}: {value}" for what, value in walk.private.items() if value in log.text]


def test_a_whole_life_of_the_shop_leaves_nothing_of_anybody_in_the_log(settings: Any) -> None:
    walk = Walk()
    with logged() as log:
        order = whole_life(walk, settings)

    assert len(walk.private) > 30
    assert found_in(log, walk) == []
    written = log.lines
    # It was not silence: the life is in there.
    routes = {line.get("route") for line in written}
    assert {
        "account_signup",
        "orders:checkout_start",
        "orders:stripe_webhook",
        "orders:guest_link",
    } <= routes
    assert {"downloads:file", "orders:gift", "v1:orders", "headless:app:account:signup"} <= routes
    assert "site_config.accounts.oauth.views.TokenEndpoint" in routes
    told = {line.get("order") for line in written if line.get("route") == "orders:stripe_webhook"}
    assert order.number in told
    (fault,) = [line for line in written if "ValueError" in line.get("traceback", "")]
    assert "[email]" in fault["traceback"]
    assert any("was not sent" in line["message"] and line.get("order") for line in written)


def test_the_look_through_the_log_finds_what_is_there(settings: Any) -> None:
    walk = Walk()
    walk.keep("a gift code", "7F3KW-9QXMD-2CHTR-KKN4B")
    with logged(logging.Formatter("%(message)s")) as log:
        for value in walk.private.values():
            logging.getLogger("orders").warning("said: %s", value)

    assert len(found_in(log, walk)) == len(walk.private)
