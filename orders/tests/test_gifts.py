"""Gift copies: made with the payment, redeemed once, taken back with their line."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalog_pages.errors import DomainError
from catalog_pages.models import ProductPage
from downloads.models import UserAsset
from downloads.policy import decide
from orders.errors import GiftClosed, GiftOwned, GiftRedeemed, GiftUnknown
from orders.models import CartItem, Dispute, GiftCode, Order, OutboxMail, RefundLine
from orders.services.access import has_open_lines
from orders.services.carts import cart_set_gift
from orders.services.checkout import checkout_start
from orders.services.gift_facts import gift_views
from orders.services.gifts import gift_codes_issue, gift_redeem, gift_state
from orders.services.projections import compare_projections
from orders.stripe_sandbox import actions
from orders.tests.happenings import dispute, refund, refund_line, tell
from tests.factories import buy, make_asset, make_cart, make_product, make_user, session_id_of

pytestmark = pytest.mark.django_db


def bought(
    client: Client, *products: ProductPage, quantity: int = 2, user: Any = None, **gift: Any
) -> Order:
    """A paid order of `quantity` of each product; `gift`: what `cart_set_gift` takes, for each line."""
    user = user or make_user("ada@example.com")
    cart = make_cart(user, *(products or [make_product("Harbour")]))
    for item in cart.items.all():
        CartItem.objects.filter(pk=item.pk).update(quantity=quantity)
        cart_set_gift(cart=cart, item_id=item.pk, **{"is_gift": False, **gift})
    order = checkout_start(cart=cart, user=user, email=user.email, consented=True).order
    if not order.is_paid:
        actions.pay(session_id_of(order))
        tell(client)
    order.refresh_from_db()
    assert order.is_paid
    return order


def gift_url(gift: GiftCode) -> str:
    return reverse("orders:gift", args=[gift.code])


def words_of(response: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def is_open(gift: GiftCode) -> bool:
    grants = UserAsset.objects.filter(order_item=gift.order_item, seat=gift.seat)
    return bool(grants) and all(decide(grant).allowed for grant in grants)


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_copies_beyond_the_first_are_codes_and_the_first_is_the_buyers(client: Client) -> None:
    order = bought(client, quantity=3)

    assert list(GiftCode.objects.values_list("seat", flat=True)) == [1, 2]
    assert UserAsset.objects.filter(seat=0, user=order.user).count() == 1
    assert UserAsset.objects.exclude(seat=0).count() == 0
    assert [view.state for view in gift_views(order)] == ["open", "open"]


def test_a_line_that_is_a_gift_as_a_whole_gives_the_buyer_codes_alone(client: Client) -> None:
    order = bought(client, quantity=2, is_gift=True)

    assert list(GiftCode.objects.values_list("seat", flat=True)) == [1, 2]
    assert not UserAsset.objects.exists()
    assert not has_open_lines(order)


def test_one_copy_for_oneself_makes_no_code(client: Client) -> None:
    bought(client, quantity=1)

    assert not GiftCode.objects.exists()


def test_codes_are_made_once_however_often_that_is_asked(client: Client) -> None:
    order = bought(client, quantity=3)
    codes = set(GiftCode.objects.values_list("code", flat=True))

    assert gift_codes_issue(order=order) == 0

    assert set(GiftCode.objects.values_list("code", flat=True)) == codes


def test_the_first_code_has_what_the_buyer_wished(client: Client) -> None:
    day = timezone.localdate() + timedelta(days=20)
    bought(client, quantity=3, email="bo@example.com", message="Happy birthday", send_on=day)

    first, second = GiftCode.objects.all()
    assert (first.recipient_email, first.message) == ("bo@example.com", "Happy birthday")
    assert first.send_at is not None
    assert (first.send_at.date(), first.send_at.hour) == (day, 8)
    assert (second.recipient_email, second.message, second.send_at) == ("", "", None)


def test_paid_after_the_day_it_is_sent_at_once(client: Client) -> None:
    user, product = make_user(), make_product()
    cart = make_cart(user, product)
    cart_set_gift(
        cart=cart, item_id=cart.items.get().pk, is_gift=True, email="bo@example.com",
        send_on=timezone.localdate() + timedelta(days=1),
    )  # fmt: skip
    order = checkout_start(cart=cart, user=user, email=user.email, consented=True).order
    order.items.update(gift_send_on=date(2020, 1, 1))

    actions.pay(session_id_of(order))
    tell(client)

    gift = GiftCode.objects.get()
    assert gift.send_at is not None
    assert timezone.now() - gift.send_at < timedelta(minutes=1)


def test_an_account_redeems_with_one_button_and_finds_the_files_in_its_purchases(
    client: Client,
) -> None:
    order = bought(client)
    gift = GiftCode.objects.get()
    friend = make_user("bo@example.com")
    browser = signed_in(friend)

    page = browser.get(gift_url(gift))
    assert page.status_code == 200
    assert not UserAsset.objects.filter(user=friend).exists()  # looking redeems nothing
    response = browser.post(gift_url(gift))

    assert response.status_code == 303
    assert response["Location"] == reverse("orders:purchases")
    assert UserAsset.objects.get(user=friend).seat == 1
    shown = browser.get(reverse("orders:purchases")).content.decode()
    assert "Harbour" in shown
    assert "A gift" in shown
    assert order.number not in shown
    assert str(order.pk) not in shown
    fetched = browser.get(reverse("downloads:file", args=[UserAsset.objects.get(user=friend).pk]))
    assert fetched.status_code == 200
    assert browser.get(order.get_absolute_url()).status_code == 404


def test_an_address_is_enough_and_the_files_show_in_that_browser_alone(client: Client) -> None:
    order = bought(client)
    gift = GiftCode.objects.get()
    browser = Client()

    response = browser.post(gift_url(gift), {"email": " Bo@Example.com "}, follow=True)

    page = response.content.decode()
    assert response.status_code == 200
    assert "Download FLAC" in words_of(response)
    assert order.number not in page
    assert str(order.pk) not in page
    assert order.email not in page
    grant = UserAsset.objects.get(seat=1)
    assert (grant.user, grant.email) == (None, "Bo@Example.com")
    gift.refresh_from_db()
    assert (gift.redeemed_email, gift.redeemed_by) == ("Bo@Example.com", None)
    stranger = Client()
    assert stranger.get(reverse("orders:gift_copy", args=[gift.pk])).status_code == 302
    assert "Download FLAC" not in words_of(stranger.get(gift_url(gift)))


@pytest.mark.sampled(5)
@pytest.mark.parametrize("email", ["", "bo", "bo@", "bo@example.com\nx@example.com", "a" * 300])
def test_what_is_no_address_is_said_beside_the_field_and_uses_nothing(
    client: Client, email: str
) -> None:
    bought(client)
    gift = GiftCode.objects.get()

    response = Client().post(gift_url(gift), {"email": email})

    assert response.status_code == 400
    assert 'id="email-error"' in response.content.decode()
    assert gift_state(gift) == "open"
    assert not GiftCode.objects.exclude(redeemed_at=None).exists()


def test_who_comes_second_is_told_so_and_gets_nothing(client: Client) -> None:
    bought(client)
    gift = GiftCode.objects.get()
    Client().post(gift_url(gift), {"email": "bo@example.com"})

    for browser in (Client(), signed_in(make_user())):
        response = browser.post(gift_url(gift), {"email": "bo@example.com"})
        assert response.status_code == 410
        assert "has been redeemed already" in words_of(response)
        assert "bo@example.com" not in words_of(response)

    assert UserAsset.objects.filter(seat=1).count() == 1


@pytest.mark.wide
def test_who_redeemed_it_is_led_to_the_files_by_the_same_link(client: Client) -> None:
    bought(client, quantity=3)
    first, second = GiftCode.objects.all()
    guest, member = Client(), signed_in(make_user())
    guest.post(gift_url(first), {"email": "bo@example.com"})
    member.post(gift_url(second))

    for browser, gift, place in (
        (guest, first, reverse("orders:gift_copy", args=[first.pk])),
        (member, second, reverse("orders:purchases")),
    ):
        assert browser.get(gift_url(gift))["Location"] == place
        assert browser.post(gift_url(gift))["Location"] == place


@pytest.mark.wide
def test_an_owner_is_refused_and_the_code_stays_good(client: Client) -> None:
    order = bought(client)
    gift = GiftCode.objects.get()

    response = signed_in(order.user).post(gift_url(gift))

    assert response.status_code == 409
    assert "You own “Harbour” already" in words_of(response)
    assert gift_state(GiftCode.objects.get()) == "open"
    with pytest.raises(GiftOwned):
        gift_redeem(code_text=gift.code, user=order.user)
    assert gift_redeem(code_text=gift.code, email="bo@example.com").redeemed_at is not None


@pytest.mark.wide
def test_typing_is_forgiven(client: Client) -> None:
    bought(client)
    gift = GiftCode.objects.get()
    typed = f"  {gift.code.lower().replace('-', ' ')} "

    response = client.post(reverse("orders:gifts"), {"code": typed})

    assert response["Location"] == gift_url(gift)
    bare = gift.code.replace("-", "").lower()
    assert client.get(reverse("orders:gift", args=[bare])).status_code == 200


@pytest.mark.parametrize(
    "code",
    ["", "x", "7F3KW-9QXMD-2CHTR-KKN4", "AAAAA-AAAAA-AAAAA-AAAAA", "\0", "é" * 20, "2" * 900],
)
def test_what_cannot_be_a_code_is_a_sentence(client: Client, code: str) -> None:
    response = client.post(reverse("orders:gifts"), {"code": code})

    assert response.status_code == 404
    assert "We do not know this gift code" in response.content.decode()
    with pytest.raises(GiftUnknown):
        gift_redeem(code_text=code, email="bo@example.com")


@pytest.mark.wide
def test_the_page_tells_what_was_given_and_nothing_of_its_order(client: Client) -> None:
    order = bought(
        client, email="bo@example.com", message="<b>For you</b>\n\nhttp://x.example/ Ada"
    )
    gift = GiftCode.objects.get()

    response = Client().get(gift_url(gift))

    page = response.content.decode()
    assert "Harbour" in page
    assert "&lt;b&gt;For you&lt;/b&gt; http://x.example/ Ada" in page
    assert 'href="http://x.example' not in page
    for secret in (order.number, str(order.pk), order.email, "bo@example.com", "£", "4.99"):
        assert secret not in page


@pytest.mark.wide
def test_the_address_of_a_gift_goes_to_no_cache_and_no_other_site(client: Client) -> None:
    bought(client)

    response = Client().get(gift_url(GiftCode.objects.get()))

    assert response["Referrer-Policy"] == "same-origin"
    assert "no-store" in response["Cache-Control"]
    assert 'name="robots" content="noindex"' in response.content.decode()


def test_guessing_ends_after_ten_wrong_codes_and_then_right_ones_are_not_looked_up_either(
    client: Client,
) -> None:
    bought(client)
    gift = GiftCode.objects.get()
    guesser = Client()

    answers = [
        guesser.get(reverse("orders:gift", args=[GiftCode().code])).status_code for _ in range(12)
    ]

    assert answers == [404] * 10 + [429] * 2
    refused = guesser.post(gift_url(gift), {"email": "eve@example.com"})
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 3600
    assert "Too many codes" in refused.content.decode()
    assert gift_state(GiftCode.objects.get()) == "open"
    elsewhere = Client(REMOTE_ADDR="203.0.113.9")
    assert elsewhere.get(gift_url(gift)).status_code == 200


@pytest.mark.wide
def test_right_codes_may_be_opened_as_often_as_one_likes(client: Client) -> None:
    bought(client)
    gift = GiftCode.objects.get()

    assert {Client().get(gift_url(gift)).status_code for _ in range(30)} == {200}


def test_a_code_has_96_bits_and_none_is_like_another() -> None:
    codes = {GiftCode().code for _ in range(2000)}

    assert len(codes) == 2000
    assert all(
        re.fullmatch(r"([2-9BCDFGHJ-NP-TV-XZ]{5}-){3}[2-9BCDFGHJ-NP-TV-XZ]{5}", c) for c in codes
    )
    assert 28**20 > 2**96


def test_a_guess_makes_one_query_and_waits_for_no_lock(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(1), pytest.raises(GiftUnknown):
        gift_redeem(code_text=GiftCode().code, email="bo@example.com")


def test_a_refund_ends_codes_and_takes_redeemed_copies_back(client: Client) -> None:
    order = bought(client, make_product("Harbour"), make_product("Winter"), quantity=3)
    redeemed, waiting, _, other = GiftCode.objects.order_by("order_item__position", "seat")
    friend = make_user()
    gift_redeem(code_text=redeemed.code, user=friend)

    refund_line(order, "Harbour")

    assert gift_state(redeemed) == gift_state(waiting) == "refunded"
    assert gift_state(other) == "open"
    assert not is_open(redeemed)
    with pytest.raises(GiftClosed, match="because its order was refunded"):
        gift_redeem(code_text=waiting.code, user=make_user())
    page = Client().get(gift_url(waiting))
    assert page.status_code == 410
    assert "This gift was taken back because its order was refunded." in words_of(page)
    held = UserAsset.objects.get(user=friend)
    assert signed_in(friend).get(reverse("downloads:file", args=[held.pk])).status_code == 403


def test_a_refund_of_a_gift_that_nobody_redeemed_works(client: Client) -> None:
    order = bought(client, quantity=1, is_gift=True)

    refund(order)

    assert gift_state(GiftCode.objects.get()) == "refunded"
    assert RefundLine.objects.count() == 0 or RefundLine.objects.get().revokes
    assert list(compare_projections(Order.objects.all())) == []


@pytest.mark.wide
def test_a_refund_that_comes_back_makes_codes_and_copies_good_again(client: Client) -> None:
    order = bought(client, quantity=3)
    redeemed, waiting = GiftCode.objects.all()
    gift_redeem(code_text=redeemed.code, email="bo@example.com")
    sent = refund(order)

    actions.fail_refund(sent.stripe_refund_id or "")
    tell(client)

    assert gift_state(waiting) == "open"
    assert is_open(redeemed)


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("outcome", "state", "words"),
    [
        ("", "suspended", "This gift is closed for now"),
        ("lost", "lost", "This gift was taken back because its payment was."),
        ("won", "open", ""),
    ],
)
def test_a_dispute_closes_codes_until_it_is_won(
    client: Client, outcome: str, state: str, words: str
) -> None:
    order = bought(client)
    gift = GiftCode.objects.get()

    dispute(client, order, outcome)

    assert gift_state(gift) == state
    assert words in words_of(Client().get(gift_url(gift)))
    if state == "open":
        gift_redeem(code_text=gift.code, email="bo@example.com")
    else:
        with pytest.raises(GiftClosed):
            gift_redeem(code_text=gift.code, email="bo@example.com")
    assert list(compare_projections(Order.objects.all())) == []
    assert Dispute.objects.exists()


@pytest.mark.wide
def test_projections_see_a_redeemed_copy_that_lost_its_right_and_mend_it(client: Client) -> None:
    order = bought(client, make_product("Harbour", assets=[make_asset(), make_asset()]))
    gift = gift_redeem(code_text=GiftCode.objects.get().code, email="bo@example.com")
    assert list(compare_projections([order])) == []
    lost = UserAsset.objects.filter(seat=1).first()
    assert lost is not None
    # The ledger keeps every right from being deleted: this one went to another order's line.
    elsewhere = buy(Client(), make_user(), make_product()).items.get()
    UserAsset.objects.filter(pk=lost.pk).update(order_item=elsewhere, seat=9)

    found = list(compare_projections([order]))

    assert [finding.difference.code for finding in found] == ["order_access"]
    assert found[0].mend()
    assert is_open(gift)
    assert UserAsset.objects.filter(seat=1, email="bo@example.com").count() == 2


@pytest.mark.wide
def test_the_buyer_sees_each_code_and_what_became_of_it(client: Client) -> None:
    order = bought(client, quantity=4, email="bo@example.com")
    first, second, third = GiftCode.objects.all()
    gift_redeem(code_text=first.code, email="Bo@example.com")
    gift_redeem(code_text=second.code, email="secret@example.com")

    page = signed_in(order.user).get(order.get_absolute_url())

    words = words_of(page)
    assert third.code in words
    assert f'value="http://testserver{gift_url(third)}"' in page.content.decode()
    assert first.code not in words
    assert "by bo@example.com" in words
    assert "secret@example.com" not in page.content.decode()


@pytest.mark.wide
def test_a_gift_alone_is_not_called_files(client: Client) -> None:
    order = bought(client, is_gift=True, quantity=1)

    browser = signed_in(order.user)
    after_paying = browser.get(f"{reverse('orders:checkout_success')}?order={order.pk}")
    receipt = browser.get(order.get_absolute_url())

    assert "Thank you. Your gift is ready" in words_of(after_paying)
    assert GiftCode.objects.get().code in words_of(after_paying)
    assert "Your files" not in words_of(after_paying)
    assert "Go to your files" not in words_of(receipt)


def test_nobody_else_sees_or_sends_the_codes_of_an_order(client: Client) -> None:
    order = bought(client)
    gift = GiftCode.objects.get()
    url = reverse("orders:gift_send", args=[order.pk, gift.pk])

    for browser, answer in ((signed_in(make_user()), 404), (Client(), 302)):
        assert browser.post(url, {"email": "eve@example.com"}).status_code == answer
        assert browser.get(order.get_absolute_url()).status_code == answer

    other = bought(client, user=make_user("eve@example.com"))
    foreign = reverse("orders:gift_send", args=[other.pk, gift.pk])
    assert signed_in(other.user).post(foreign, {"email": "eve@example.com"}).status_code == 404
    gift.refresh_from_db()
    assert gift.recipient_email == ""
    assert not OutboxMail.objects.filter(kind="gift").exists()


def test_a_gift_is_chosen_on_the_product_page_and_described_in_the_cart() -> None:
    client, product = Client(), make_product("Harbour")
    shown = client.get(product.url).content.decode()
    assert 'name="as_gift"' in shown

    client.post(reverse("orders:cart_add"), {"product": product.pk, "as_gift": "1"})
    item = CartItem.objects.get()
    assert item.is_gift
    day = timezone.localdate() + timedelta(days=3)
    response = client.post(
        reverse("orders:cart_gift"),
        {
            "item": item.pk, "is_gift": "yes", "gift_email": "bo@example.com",
            "gift_message": "Enjoy", "gift_send_on": day.isoformat(),
        },
    )  # fmt: skip

    assert response.status_code == 303
    item.refresh_from_db()
    assert (item.gift_email, item.gift_message, item.gift_send_on) == (
        "bo@example.com",
        "Enjoy",
        day,
    )
    client.post(reverse("orders:cart_gift"), {"item": item.pk})
    item.refresh_from_db()
    assert (item.is_gift, item.gift_email) == (False, "")


@pytest.mark.wide
@pytest.mark.parametrize(
    "wrong",
    [
        {"gift_email": "bo"},
        {"gift_send_on": "yesterday"},
        {"gift_send_on": "2020-01-01"},
        {"gift_send_on": "2999-01-01"},
        {"gift_message": "x" * 501},
    ],
)
def test_a_wish_that_cannot_be_stays_in_its_fields_with_the_reason(wrong: dict[str, str]) -> None:
    client, product = Client(), make_product()
    client.post(reverse("orders:cart_add"), {"product": product.pk})
    item = CartItem.objects.get()

    response = client.post(
        reverse("orders:cart_gift"),
        {"item": item.pk, "is_gift": "yes", "gift_message": "Dear Bo", **wrong},
    )

    page = response.content.decode()
    assert response.status_code == 400
    assert f'id="gift-{item.pk}-error"' in page
    assert next(iter(wrong.values())) in page
    assert f'id="error-{item.pk}"' not in page
    item.refresh_from_db()
    assert not item.is_gift


@pytest.mark.wide
def test_an_owner_is_offered_to_buy_it_as_a_gift(client: Client) -> None:
    order = bought(client, quantity=1)
    product = order.items.get().product
    browser = signed_in(order.user)

    fragment = browser.get(reverse("orders:header_fragment"), {"product": product.pk})
    assert "Buy it as a gift" in fragment.content.decode()
    browser.post(reverse("orders:cart_add"), {"product": product.pk, "as_gift": "1"})
    cart = browser.get(reverse("orders:cart"))

    assert cart.context["summary"].can_checkout


def test_who_holds_two_copies_of_a_line_sees_each_file_once(client: Client) -> None:
    order = bought(client, quantity=2)
    UserAsset.objects.filter(seat=0).update(user=None)
    gift_redeem(code_text=GiftCode.objects.get().code, user=order.user)
    UserAsset.objects.filter(seat=0).update(user=order.user)

    page = words_of(signed_in(order.user).get(reverse("orders:purchases")))

    assert page.count("Download FLAC") == 1
    assert order.number in page


@pytest.mark.wide
def test_every_refusal_is_one_of_ours(client: Client) -> None:
    bought(client)
    code = GiftCode.objects.get().code
    gift_redeem(code_text=code, email="bo@example.com")

    with pytest.raises(GiftRedeemed) as refused:
        gift_redeem(code_text=code, email="eve@example.com")

    assert isinstance(refused.value, DomainError)
    assert refused.value.code == "gift_redeemed"
