"""Discount codes: what one takes off, when it does not fit, and who holds its places."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalog_pages.models import Artist, Genre, ProductPage
from orders.errors import (
    CartEmpty,
    DiscountNotUsable,
    DiscountUnknown,
    PaymentOnItsWay,
    TooManyCodes,
)
from orders.models import Cart, DiscountCode, DiscountUse, Order, OrderAnomaly, Payment
from orders.services import code_tries
from orders.services.cart_merging import cart_merge
from orders.services.carts import cart_add, cart_apply_code
from orders.services.checkout import checkout_start
from orders.services.code_tries import cart_try_code
from orders.services.fulfilment import payment_close
from orders.services.pricing import cart_summary
from orders.services.whose_cart import cart_of_guest, cart_of_user
from orders.stripe_sandbox import actions, controls
from orders.stripe_sandbox.models import SandboxObject
from orders.tests.desk import text_of
from orders.throttles import Trier
from site_config.accounts.models import User
from tests.factories import make_cart, make_product, make_user, session_id_of

pytestmark = pytest.mark.django_db

USED_UP = "This code has been used as often as it may be."


def make_code(text: str = "SPRING", **fields: Any) -> DiscountCode:
    if "amount_pennies" not in fields:
        fields.setdefault("percent", 10)
    kind = "amount" if "amount_pennies" in fields else "percent"
    return DiscountCode.objects.create(code=text, kind=kind, **fields)


def priced(*pennies: int) -> list[ProductPage]:
    return [make_product(price_pennies=one) for one in pennies]


def cart_with(code: DiscountCode, *products: ProductPage, user: User | None = None) -> Cart:
    cart = make_cart(user or make_user(), *products)
    cart_apply_code(cart=cart, code=code.code)
    return cart


def shares(cart: Cart) -> list[int]:
    return [line.discount_pennies for line in cart_summary(cart=cart).lines]


def refusal(code: DiscountCode, *products: ProductPage) -> str:
    """Why the code does not go into a cart of these."""
    with pytest.raises(DiscountNotUsable) as refused:
        cart_with(code, *products)
    return refused.value.message


def start(user: User, *products: ProductPage, code: DiscountCode) -> Order:
    """An order that waits at Stripe."""
    cart = cart_with(code, *products, user=user)
    return checkout_start(cart=cart, user=user, email=user.email, consented=True).order


def start_again(user: User) -> Order:
    cart = cart_of_user(user_id=user.pk)
    return checkout_start(cart=cart, user=user, email=user.email, consented=True).order


def as_guest(email: str, product: ProductPage, code: DiscountCode) -> Order:
    cart = cart_of_guest(cart_id=None, create=True)
    assert cart is not None
    cart_add(cart=cart, product_id=product.pk)
    cart_apply_code(cart=cart, code=code.code)
    return checkout_start(cart=cart, user=None, email=email, consented=True).order


def give_up(order: Order) -> None:
    """The shop stops waiting, while the session at Stripe can still be paid."""
    payment = order.payments.get()
    assert payment_close(payment=payment, waiting=[Payment.Status.OPEN])
    order.refresh_from_db()


def pay(order: Order) -> None:
    actions.pay(session_id_of(order))
    deliver()
    order.refresh_from_db()


def deliver() -> None:
    assert set(controls.deliver_all(controls.through(Client()))) == {200}


def use_of(order: Order) -> DiscountUse:
    return DiscountUse.objects.get(order=order)


# --- What it takes off ---------------------------------------------------------------------------


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("fields", "prices", "expected"),
    [
        ({"percent": 10}, [1000, 500], [100, 50]),
        # A pound for three equal lines: the remainders are equal, the first gets the odd penny.
        ({"amount_pennies": 100}, [499, 499, 499], [34, 33, 33]),
        # Half up, once for the whole: 15% of 10p is 1.5p.
        ({"percent": 15}, [10], [2]),
        ({"percent": 33}, [1, 1, 1], [1, 0, 0]),
        ({"percent": 100}, [999, 1], [999, 1]),
        ({"amount_pennies": 5000}, [999, 1], [999, 1]),
        ({"amount_pennies": 1}, [0, 100, 100], [0, 1, 0]),
    ],
)
def test_a_discount_is_shared_out_to_the_penny(
    fields: dict[str, int], prices: list[int], expected: list[int]
) -> None:
    cart = cart_with(make_code(**fields), *priced(*prices))

    assert shares(cart) == expected
    assert cart_summary(cart=cart).total_pennies == sum(prices) - sum(expected)


def test_no_line_gets_more_than_it_costs_and_none_gets_less_than_nothing() -> None:
    prices = [1, 2, 3, 50, 333, 9999]
    cart = make_cart(make_user(), *priced(*prices))
    for amount in (1, 2, 5, 7, 100, 5194, 10_387, 10_388, 99_999):
        cart_apply_code(cart=cart, code=make_code(f"C{amount:05}", amount_pennies=amount).code)

        given = shares(cart)

        assert sum(given) == min(amount, sum(prices))
        assert all(0 <= share <= price for share, price in zip(given, prices, strict=True))


def test_shares_in_a_currency_of_three_digits_end_in_0(settings: Any) -> None:
    settings.STRIPE_CURRENCY = "KWD"
    cart = cart_with(make_code(percent=33), *priced(1250, 4990, 10))

    given = shares(cart)

    assert sum(given) == 2060  # 33% of 6.250 is 2.0625
    assert all(share % 10 == 0 for share in given)


def test_the_order_keeps_its_shares_and_stripe_charges_their_sum() -> None:
    order = start(make_user(), *priced(499, 499, 499), code=make_code(amount_pennies=100))

    items = list(order.items.all())
    assert [item.discount_pennies for item in items] == [34, 33, 33]
    assert (order.subtotal_pennies, order.discount_pennies, order.total_pennies) == (
        1497,
        100,
        1397,
    )
    session = SandboxObject.objects.get(kind="checkout.session").data
    assert (session["amount_subtotal"], session["amount_total"]) == (1497, 1397)


def test_a_code_that_takes_everything_off_leaves_nothing_to_pay() -> None:
    order = start(make_user(), *priced(499), code=make_code(percent=100))

    assert order.is_paid
    assert order.total_pennies == 0
    assert use_of(order).released_at is None
    assert not SandboxObject.objects.filter(kind="checkout.session").exists()


# --- When it fits --------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["spring", " SPRING ", "sPrInG"])
def test_capital_and_small_letters_are_the_same(typed: str) -> None:
    code = make_code("Spring")

    assert cart_apply_code(cart=make_cart(make_user(), *priced(500)), code=typed) == code


@pytest.mark.sampled(5)
@pytest.mark.parametrize(
    "typed", ["", " ", "SPRIN", "SPRING2", "SPR%", "S_RING", "\0", "x" * 9000, "\ud800", "SPRİNG"]
)
def test_what_is_no_code_is_unknown(typed: str) -> None:
    make_code("SPRING")

    with pytest.raises(DiscountUnknown):
        cart_apply_code(cart=make_cart(make_user(), *priced(500)), code=typed)


def test_a_code_is_for_the_products_artists_and_genres_that_it_names() -> None:
    ada, dub = Artist.objects.create(name="Ada"), Genre.objects.create(name="Dub")
    named, by_ada, of_dub, other = (
        make_product(price_pennies=1000),
        make_product(price_pennies=1000, artist=ada),
        make_product(price_pennies=1000, genre=dub),
        make_product(price_pennies=1000),
    )
    code = make_code()
    code.products.add(named)
    code.artists.add(ada)
    code.genres.add(dub)

    assert shares(cart_with(code, other, named, by_ada, of_dub)) == [0, 100, 100, 100]
    assert refusal(code, other) == "This code is for other music than what is in your cart."


def test_a_code_that_finds_nothing_to_take_off_says_so() -> None:
    code = make_code(percent=10)

    for price in (0, 4):
        assert refusal(code, *priced(price)) == (
            "What this code is for costs too little here to take anything off."
        )


def test_a_code_wants_something_in_the_cart() -> None:
    make_code()

    with pytest.raises(CartEmpty):
        cart_apply_code(cart=make_cart(make_user()), code="SPRING")


def test_a_code_has_its_time() -> None:
    now, day = timezone.now(), timedelta(days=1)
    (product,) = priced(1000)
    over = make_code("OVER", starts_at=now - 2 * day, ends_at=now - day)
    later = make_code("LATER", starts_at=now + day)
    stopped = make_code("STOPPED", is_active=False)

    assert refusal(over, product) == "This code is no longer valid."
    assert refusal(stopped, product) == "This code is no longer valid."
    tomorrow = timezone.localtime(later.starts_at)
    assert refusal(later, product) == (
        f"This code is valid from {tomorrow.day} {tomorrow:%B %Y, %H:%M}."
    )
    assert shares(cart_with(make_code("NOW", starts_at=now, ends_at=now + day), product)) == [100]


def test_a_code_may_ask_for_a_least_order() -> None:
    code = make_code(min_subtotal_pennies=2000)

    assert refusal(code, *priced(1500)) == (
        "This code is for orders of £20.00 or more. £5.00 is missing."
    )
    assert shares(cart_with(code, *priced(1500, 500))) == [150, 50]


def test_a_code_that_does_not_fit_leaves_the_one_that_was_there() -> None:
    cart = cart_with(make_code("GOOD"), *priced(1000))
    make_code("BAD", is_active=False)

    with pytest.raises(DiscountNotUsable):
        cart_apply_code(cart=cart, code="BAD")

    cart.refresh_from_db()
    assert cart_summary(cart=cart).discount_code == "GOOD"


def test_a_code_that_fits_no_longer_stops_checkout_until_it_is_removed() -> None:
    user = make_user()
    code = make_code()
    cart = cart_with(code, *priced(1000), user=user)
    DiscountCode.objects.update(is_active=False)

    with pytest.raises(DiscountNotUsable) as refused:
        start_again(user)

    assert refused.value.message == (
        "This code is no longer valid. Remove it to check out without."
    )
    assert not Order.objects.exists()
    summary = cart_summary(cart=Cart.objects.get(pk=cart.pk))
    assert (summary.discount_pennies, summary.total_pennies) == (0, 1000)
    assert not summary.can_checkout


# --- Who holds its places ------------------------------------------------------------------------


def test_a_use_is_held_from_the_order_on_and_the_next_buyer_is_told() -> None:
    code, (product,) = make_code(max_uses=1), priced(1000)
    order = start(make_user(), product, code=code)

    assert (use_of(order).place, use_of(order).code_text) == (1, "SPRING")
    assert refusal(code, product) == USED_UP


def test_the_same_cart_pressed_twice_is_one_use() -> None:
    user, code = make_user(), make_code(max_uses=1, max_uses_per_buyer=1)
    order = start(user, *priced(1000), code=code)

    assert start_again(user) == order
    assert DiscountUse.objects.count() == 1


@pytest.mark.wide
def test_whoever_holds_the_last_use_keeps_it_when_a_late_payment_goes_beyond() -> None:
    code, (product,) = make_code(max_uses=1), priced(1000)
    late = start(make_user(), product, code=code)
    give_up(late)
    user = make_user()
    order = start(user, product, code=code)
    pay(late)

    assert start_again(user) == order
    assert use_of(order).place == 1


@pytest.mark.wide
def test_a_delayed_payment_is_named_before_its_own_code() -> None:
    user = make_user()
    order = start(user, *priced(1000), code=make_code(max_uses=1, max_uses_per_buyer=1))
    actions.delay(session_id_of(order))
    deliver()

    with pytest.raises(PaymentOnItsWay):
        start_again(user)


@pytest.mark.wide
def test_a_changed_cart_takes_its_use_along() -> None:
    user, code = make_user(), make_code(max_uses=1, max_uses_per_buyer=1)
    first = start(user, *priced(1000), code=code)
    cart_add(cart=cart_of_user(user_id=user.pk), product_id=priced(500)[0].pk)  # type: ignore[arg-type]

    second = start_again(user)

    assert second != first
    assert use_of(first).released_at is not None
    assert (use_of(second).place, second.discount_pennies) == (1, 150)


@pytest.mark.wide
def test_a_session_that_runs_out_lets_the_use_go() -> None:
    code, (product,) = make_code(max_uses=1), priced(1000)
    order = start(make_user(), product, code=code)

    actions.expire(session_id_of(order))
    deliver()

    assert use_of(order).released_at is not None
    assert use_of(order).place is None
    assert use_of(start(make_user(), product, code=code)).place == 1


@pytest.mark.wide
def test_a_delayed_payment_holds_its_use_until_it_fails_and_takes_it_again() -> None:
    user, code, (product,) = make_user(), make_code(max_uses=1), priced(1000)
    order = start(user, product, code=code)
    actions.delay(session_id_of(order))
    deliver()
    assert refusal(code, product) == USED_UP

    actions.settle(session_id_of(order), succeeds=False)
    deliver()
    assert use_of(order).released_at is not None

    assert start_again(user) == order
    assert (use_of(order).released_at, use_of(order).place) == (None, 1)
    pay(order)
    assert order.is_paid
    assert not OrderAnomaly.objects.exists()


def test_a_failed_order_whose_use_others_took_meanwhile_is_told() -> None:
    user, code, (product,) = make_user(), make_code(max_uses=1), priced(1000)
    order = start(user, product, code=code)
    actions.delay(session_id_of(order))
    actions.settle(session_id_of(order), succeeds=False)
    deliver()
    start(make_user(), product, code=code)

    with pytest.raises(DiscountNotUsable):
        start_again(user)

    assert use_of(order).released_at is not None
    assert Payment.objects.filter(order=order).count() == 1


@pytest.mark.wide
def test_a_late_payment_takes_its_use_again() -> None:
    order = start(make_user(), *priced(1000), code=make_code(max_uses=1))
    give_up(order)
    assert use_of(order).released_at is not None

    pay(order)

    assert (use_of(order).released_at, use_of(order).place) == (None, 1)
    assert not OrderAnomaly.objects.exists()


def test_a_late_payment_beyond_the_limit_is_honoured_and_flagged_once() -> None:
    code, (product,) = make_code(max_uses=1), priced(1000)
    late = start(make_user(), product, code=code)
    give_up(late)
    other = start(make_user(), product, code=code)

    pay(late)
    pay(other)

    assert late.is_paid
    assert late.total_pennies == 900
    assert (use_of(late).released_at, use_of(late).place) == (None, None)
    assert use_of(other).place == 1
    assert OrderAnomaly.objects.get(code="discount_overrun").order == late
    assert refusal(code, product) == USED_UP


@pytest.mark.wide
def test_a_late_payment_beyond_a_buyers_limit_is_flagged_too() -> None:
    user, code = make_user(), make_code(max_uses_per_buyer=1)
    late = start(user, *priced(1000), code=code)
    give_up(late)
    second = start_again(user)
    assert second != late

    pay(late)

    assert late.is_paid
    assert OrderAnomaly.objects.get(code="discount_overrun").order == late


def test_an_overrun_that_fails_after_all_needs_nobody() -> None:
    code, (product,) = make_code(max_uses=1), priced(1000)
    late = start(make_user(), product, code=code)
    give_up(late)
    start(make_user(), product, code=code)
    actions.delay(session_id_of(late))
    deliver()
    assert OrderAnomaly.objects.filter(code="discount_overrun", resolved_at=None).exists()

    actions.settle(session_id_of(late), succeeds=False)
    deliver()

    assert use_of(late).released_at is not None
    assert not OrderAnomaly.objects.filter(resolved_at=None).exists()


@pytest.mark.wide
def test_a_limit_per_buyer_goes_by_account_and_by_address_whatever_its_case() -> None:
    code, (product,) = make_code(max_uses_per_buyer=1), priced(1000)
    user = make_user("ada@example.com")
    pay(start(user, product, code=code))

    with pytest.raises(DiscountNotUsable):
        as_guest("Ada@Example.COM", product, code)
    User.objects.filter(pk=user.pk).update(email="countess@example.com")
    user.refresh_from_db()
    with pytest.raises(DiscountNotUsable):
        start(user, *priced(1000), code=code)
    assert as_guest("grace@example.com", product, code).discount_pennies == 100


@pytest.mark.wide
def test_a_code_leaves_the_cart_with_the_purchase() -> None:
    user, code = make_user(), make_code(max_uses_per_buyer=1)
    order = start(user, *priced(1000), code=code)
    kept = priced(500)[0]
    cart = cart_of_user(user_id=user.pk)
    assert cart is not None
    cart_add(cart=cart, product_id=kept.pk)

    pay(order)

    summary = cart_summary(cart=Cart.objects.get(pk=cart.pk))
    assert [line.product for line in summary.lines] == [kept]
    assert (summary.discount_code, summary.can_checkout) == ("", True)


# --- In the cart, by form and by JSON ------------------------------------------------------------


@pytest.fixture
def shopper(client: Client) -> Client:
    user = make_user()
    make_cart(user, make_product("Harbour", price_pennies=1000))
    client.force_login(user)
    return client


def use_code(client: Client, text: Any) -> Any:
    return client.post("/cart/code/", {"code": text})


def test_a_code_is_used_and_removed_by_form(shopper: Client) -> None:
    make_code("SPRING")

    used = shopper.post("/cart/code/", {"code": "spring"}, follow=True)
    page = text_of(used)
    assert "The code SPRING is in your cart." in page
    assert "Subtotal £10.00 Discount, SPRING −£1.00 Total £9.00" in page
    assert "Pay £9.00" in page

    page = text_of(shopper.post("/cart/code/remove/", follow=True))
    assert "Discount" not in page
    assert "Pay £10.00" in page


@pytest.mark.wide
def test_a_code_that_does_not_fit_is_kept_in_its_field_with_the_sentence(shopper: Client) -> None:
    make_code("BIG", min_subtotal_pennies=2000)

    unknown = use_code(shopper, '<b>"WINTER"')
    too_small = use_code(shopper, "big")

    assert unknown.status_code == 404
    assert "We do not know this code. Look at its spelling." in text_of(unknown)
    assert 'value="&lt;b&gt;&quot;WINTER&quot;"' in unknown.content.decode()
    assert 'aria-describedby="discount-code-error"' in unknown.content.decode()
    assert too_small.status_code == 409
    assert "£10.00 is missing." in text_of(too_small)
    assert 'value="big"' in too_small.content.decode()


def test_a_cart_whose_code_fits_no_longer_is_shown_with_the_sentence(shopper: Client) -> None:
    make_code("SPRING")
    use_code(shopper, "SPRING")
    DiscountCode.objects.update(ends_at=timezone.now())

    page = shopper.get("/cart/")

    assert page.status_code == 200
    assert "SPRING : This code is no longer valid. Remove it to check out without." in text_of(page)
    assert "Another code" in text_of(page)


@pytest.mark.wide
def test_codes_in_json(shopper: Client) -> None:
    make_code("SPRING")

    def post(path: str, **body: Any) -> Any:
        return shopper.post(path, json.dumps(body), content_type="application/json")

    used = post("/cart/code/", code="spring")
    assert used.status_code == 200
    facts = used.json()
    assert (facts["discount_code"], facts["discount_pennies"], facts["discount_message"]) == (
        "SPRING",
        100,
        "",
    )
    assert [line["discount_pennies"] for line in facts["lines"]] == [100]
    assert facts["total_pennies"] == 900
    for odd in (None, 5, ["SPRING"], {"code": "SPRING"}, "x" * 5000):
        problem = post("/cart/code/", code=odd)
        assert (problem.status_code, problem.json()["code"]) == (404, "discount_unknown")
    DiscountCode.objects.update(is_active=False)
    kept = shopper.get("/cart/", headers={"accept": "application/json"}).json()
    assert kept["discount_message"] == "This code is no longer valid."
    assert not kept["can_checkout"]
    assert post("/cart/code/remove/").json()["discount_code"] == ""


def test_a_code_needs_a_cart_and_the_token() -> None:
    make_code("SPRING")
    strict = Client(enforce_csrf_checks=True)

    assert use_code(Client(), "SPRING").status_code == 404
    assert strict.post("/cart/code/", {"code": "SPRING"}).status_code == 403
    assert Client().get("/cart/code/").status_code == 405


def test_guessing_codes_ends_after_thirty_wrong_ones(shopper: Client) -> None:
    make_code("SPRING")
    wrong = {use_code(shopper, f"GUESS{number}").status_code for number in range(30)}

    answer, right = use_code(shopper, "GUESS31"), use_code(shopper, "SPRING")

    assert wrong == {404}
    assert (answer.status_code, right.status_code) == (429, 429)
    assert str(TooManyCodes.message) in text_of(answer)
    assert shopper.get("/cart/").status_code == 200


@pytest.mark.wide
def test_each_client_has_guesses_of_its_own_and_right_codes_count_for_nothing() -> None:
    make_code("SPRING")
    cart = make_cart(make_user(), *priced(1000))
    for _ in range(2 * code_tries.WRONG_TRIES):
        cart_try_code(cart=cart, code="SPRING", trier=Trier("192.0.2.1"))
    for number in range(code_tries.WRONG_TRIES):
        with pytest.raises(DiscountUnknown):
            cart_try_code(cart=cart, code=f"GUESS{number}", trier=Trier("192.0.2.1"))

    with pytest.raises(TooManyCodes):
        cart_try_code(cart=cart, code="SPRING", trier=Trier("192.0.2.1"))
    assert cart_try_code(cart=cart, code="SPRING", trier=Trier("192.0.2.2"))


# --- On what the buyer gets ----------------------------------------------------------------------


@pytest.mark.wide
def test_receipt_and_order_name_the_code_and_what_it_took_off(
    client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    user = make_user()
    order = start(user, *priced(1000), code=make_code("SPRING"))
    DiscountCode.objects.update(code="RENAMED")
    with django_capture_on_commit_callbacks(execute=True):
        pay(order)
    client.force_login(user)

    page = text_of(client.get(reverse("orders:detail", args=[order.pk])))

    assert "Before the discount £10.00 Discount, code SPRING −£1.00 Total £9.00" in page
    (receipt,) = mail.outbox
    assert "Before the discount: £10.00" in receipt.body
    assert "Discount, code SPRING: −£1.00" in receipt.body
    html = str(receipt.alternatives[0][0])  # type: ignore[attr-defined]
    assert "Discount, code SPRING" in html


# --- What staff change meanwhile -----------------------------------------------------------------


def lowered(code: DiscountCode) -> None:
    DiscountCode.objects.filter(pk=code.pk).update(percent=5)


def made_an_amount(code: DiscountCode) -> None:
    DiscountCode.objects.filter(pk=code.pk).update(kind="amount", percent=None, amount_pennies=1)


def narrowed(code: DiscountCode) -> None:
    code.products.add(ProductPage.objects.earliest("pk"))


@pytest.mark.sampled(3)
@pytest.mark.parametrize("change", [lowered, made_an_amount, narrowed])
def test_a_code_that_takes_off_something_else_is_asked_for_again(change: Any) -> None:
    user, code = make_user(), make_code(percent=10)
    cart = cart_with(code, *priced(1000, 500), user=user)

    change(code)
    cart = Cart.objects.get(pk=cart.pk)
    summary = cart_summary(cart=cart)

    assert (summary.discount_pennies, summary.total_pennies) == (0, 1500)
    assert "has changed since you entered it" in summary.discount_message
    with pytest.raises(DiscountNotUsable):
        start_again(user)
    assert not Order.objects.exists()

    cart_apply_code(cart=cart, code=code.code)
    assert start_again(user).discount_pennies == cart_summary(cart=cart).discount_pennies > 0


def test_a_code_that_takes_off_more_than_was_shown_just_does() -> None:
    user, code = make_user(), make_code(percent=10)
    cart_with(code, *priced(1000), user=user)

    DiscountCode.objects.filter(pk=code.pk).update(percent=20)

    assert start_again(user).discount_pennies == 200


def test_what_a_guest_was_shown_holds_after_signing_in() -> None:
    user, code = make_user(), make_code(percent=10)
    guest = Cart.objects.create()
    cart_add(cart=guest, product_id=make_product(price_pennies=1000).pk)
    cart_apply_code(cart=guest, code=code.code)
    mine = cart_of_user(user_id=user.pk, create=True)
    assert mine is not None

    cart_merge(guest=guest, into=mine)

    assert start_again(user).discount_pennies == 100


@pytest.mark.wide
def test_a_code_that_is_deleted_is_missed_before_anything_is_paid(client: Client) -> None:
    user, code = make_user(), make_code(percent=50)
    cart = cart_with(code, *priced(1000), user=user)
    client.force_login(user)

    code.delete()
    cart = Cart.objects.get(pk=cart.pk)

    assert cart_summary(cart=cart).discount_message == "This code is no longer valid."
    with pytest.raises(DiscountNotUsable):
        start_again(user)
    assert "Remove the code" in client.get("/cart/").content.decode()
    client.post(reverse("orders:cart_drop_code"))
    assert start_again(user).total_pennies == 1000
