"""What was bought without an account comes to the account of who proves the address; once, and to one."""

from __future__ import annotations

from functools import partial

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from downloads.models import AccessEvent, UserAsset
from orders.models import GiftCode, Order
from orders.services.checkout import checkout_start
from orders.services.claims import Claimed, rights_claim
from orders.services.fulfilment import sync_checkout
from orders.services.whose_cart import cart_of_user
from orders.stripe_sandbox import actions
from orders.tests.guesting import EMAIL, guest_buys, guest_order, pay, redeemed_gift
from tests.factories import (
    PASSWORD,
    buy,
    make_product,
    make_user,
    session_id_of,
)
from tests.signing_in import mailed_code, sign_in
from tests.together import at_once

pytestmark = pytest.mark.django_db


def test_a_guest_signs_up_later_and_finds_the_order(client: Client) -> None:
    order = guest_buys(Client())
    signup = reverse("account_signup")
    assert f'value="{EMAIL}"' in client.get(f"{signup}?email={EMAIL}").content.decode()

    client.post(signup, {"email": EMAIL, "password1": PASSWORD})
    order.refresh_from_db()
    assert order.user is None  # not before the address is proved
    client.post(reverse("account_email_verification_sent"), {"code": mailed_code()})

    order.refresh_from_db()
    grant = UserAsset.objects.get()
    assert order.user is not None
    assert order.user == grant.user
    assert order.claimed_at is not None
    assert order.email == grant.email == EMAIL
    assert client.get(order.get_absolute_url()).status_code == 200
    page = client.get(reverse("orders:purchases"))
    assert client.get(page.context["purchases"][0].grants[0].url).status_code == 200
    assert order.number in client.get(reverse("orders:list")).content.decode()


def test_an_account_that_bought_as_a_guest_gets_it_at_the_next_sign_in(client: Client) -> None:
    owner = make_user(EMAIL)
    order = guest_buys(Client())

    sign_in(client, EMAIL)

    order.refresh_from_db()
    assert order.user == owner
    page = client.get(reverse("orders:purchases")).content.decode()
    assert "What you bought without an account is in your account now." in page


def test_a_second_address_claims_once_it_is_confirmed(client: Client) -> None:
    order = guest_buys(Client(), "second@example.com")
    owner = make_user("first@example.com")
    sign_in(client, owner.email)

    client.post(reverse("account_email"), {"action_add": "", "email": "second@example.com"})
    order.refresh_from_db()
    assert order.user is None
    client.post(reverse("account_email_verification_sent"), {"code": mailed_code()})

    order.refresh_from_db()
    assert order.user == owner


def test_an_address_that_is_not_confirmed_claims_nothing() -> None:
    order = guest_buys(Client())
    thief = make_user("thief@example.com")
    EmailAddress.objects.create(user=thief, email=EMAIL, verified=False)
    unconfirmed = make_user(EMAIL, verified=False)

    assert not rights_claim(user=thief)
    assert not rights_claim(user=unconfirmed)

    order.refresh_from_db()
    assert order.user is None


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("bought_as", "account"),
    [
        ("Guest@Example.COM", "guest@example.com"),
        ("guest@example.com", "GUEST@example.com"),
        (" guest@example.com ", "guest@example.com"),
    ],
)
def test_capital_letters_and_spaces_do_not_matter(bought_as: str, account: str) -> None:
    order = guest_buys(Client(), bought_as)
    owner = make_user(account)

    assert rights_claim(user=owner) == Claimed(orders=1)

    order.refresh_from_db()
    assert order.user == owner


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "account",
    [
        "g.uest@example.com",
        "guest+music@example.com",
        "guest@example.org",
        "guest@mail.example.com",
        "xguest@example.com",
        "gue\u017ft@example.com",  # a long s, which case folding would turn into an s
    ],
)
def test_an_address_that_only_looks_alike_claims_nothing(account: str) -> None:
    guest_buys(Client())

    assert not rights_claim(user=make_user(account))


def test_two_domains_that_folding_would_make_one_stay_two() -> None:
    guest_buys(Client(), "anna@strasse.example.com")

    assert not rights_claim(user=make_user("anna@stra\u00dfe.example.com"))


def test_claiming_again_changes_nothing() -> None:
    guest_buys(Client())
    owner = make_user(EMAIL)
    rights_claim(user=owner)
    before = Order.objects.values().get(), AccessEvent.objects.count()

    assert not rights_claim(user=owner)

    assert (Order.objects.values().get(), AccessEvent.objects.count()) == before


def test_a_claim_is_in_the_ledger_and_ends_every_link() -> None:
    order = guest_buys(Client())
    owner = make_user(EMAIL)

    rights_claim(user=owner)

    event = AccessEvent.objects.latest("pk")
    assert (event.kind, event.code, event.actor) == ("granted", "claimed", owner)
    assert Order.objects.get().link_key != order.link_key


def test_an_order_that_waits_comes_along_and_its_payment_gives_to_the_account() -> None:
    order = guest_order(Client())
    owner = make_user(EMAIL)

    assert rights_claim(user=owner) == Claimed(orders=1)
    pay(order)

    grant = UserAsset.objects.get()
    assert (grant.user, grant.email) == (owner, EMAIL)


@pytest.mark.wide
def test_a_redeemed_gift_is_claimed_alone() -> None:
    order = guest_buys(Client(), "giver@example.com")
    gift = redeemed_gift(order, "Friend@example.com")
    friend = make_user("friend@example.com")

    assert rights_claim(user=friend) == Claimed(gifts=1)

    order.refresh_from_db()
    assert order.user is None
    assert GiftCode.objects.get().link_key != gift.link_key
    assert GiftCode.objects.get().redeemed_by == friend
    assert {(grant.seat, grant.user) for grant in UserAsset.objects.all()} == {
        (0, None),
        (1, friend),
    }


def test_a_gift_that_nobody_redeemed_is_nobodys() -> None:
    order = guest_buys(Client(), "giver@example.com")
    GiftCode.objects.create(order_item=order.items.get(), seat=1, recipient_email=EMAIL)

    assert not rights_claim(user=make_user(EMAIL))


def test_orders_of_accounts_are_never_claimed(client: Client) -> None:
    buyer = make_user("buyer@example.com")
    order = buy(client, buyer, make_product())
    Order.objects.filter(pk=order.pk).update(user=None, email=EMAIL)  # its account was deleted

    assert not rights_claim(user=make_user(EMAIL))


@pytest.mark.wide
def test_signing_in_asks_few_questions_however_much_there_is() -> None:
    owner = make_user(EMAIL)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            rights_claim(user=owner)
        counts.append(len(queries))
        for _ in range(3):
            guest_buys(Client(), "other@example.com")

    assert counts == [3, 3]


@pytest.mark.django_db(transaction=True)
def test_two_accounts_claim_at_once_and_one_has_it() -> None:
    for number in range(4):
        email = f"guest{number}@example.com"
        order = guest_buys(Client(), email)
        first, second = make_user(email), make_user()
        EmailAddress.objects.create(user=second, email=email.upper(), verified=True)

        results = at_once(partial(rights_claim, user=first), partial(rights_claim, user=second))

        order.refresh_from_db()
        assert sorted(result.orders for result in results) == [0, 1]
        assert UserAsset.objects.get(order_item__order=order).user == order.user


@pytest.mark.wide
@pytest.mark.django_db(transaction=True)
def test_a_payment_that_arrives_while_it_is_claimed_gives_to_the_account() -> None:
    for number in range(4):
        email = f"guest{number}@example.com"
        order = guest_order(Client(), email)
        actions.pay(session_id_of(order))
        owner = make_user(email)

        claimed, settled = at_once(
            partial(rights_claim, user=owner), partial(sync_checkout, session_id_of(order))
        )

        assert claimed == Claimed(orders=1)
        assert isinstance(settled, Order)
        assert UserAsset.objects.get(order_item__order=order).user == owner


@pytest.mark.sampled(2)
@pytest.mark.parametrize("own_address", [True, False])
def test_signing_in_after_each_of_two_unpaid_checkouts_of_the_same_works(own_address: bool) -> None:
    user, product, browser = make_user(), make_product(), Client()
    address = user.email if own_address else "other@example.com"

    for _ in range(2):
        guest_order(browser, address, product)
        assert sign_in(browser, user.email).status_code == 302
        browser.post(reverse("account_logout"))

    cart = cart_of_user(user_id=user.pk)
    order = checkout_start(cart=cart, user=user, email=user.email, consented=True).order
    assert Order.objects.filter(status=Order.Status.PENDING, cart=cart).get() == order


@pytest.mark.wide
def test_signing_in_on_two_devices_with_the_same_in_both_carts_works() -> None:
    user, product = make_user(), make_product()

    for browser in (Client(), Client()):
        guest_order(browser, EMAIL, product)
        assert sign_in(browser, user.email).status_code == 302

    assert cart_of_user(user_id=user.pk).items.get().quantity == 1  # type: ignore[union-attr]
