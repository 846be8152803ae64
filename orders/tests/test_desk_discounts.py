"""Discount codes in the admin: editors make them in plain words, and never see who used one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalog_pages.models import Artist, Genre
from catalog_pages.roles import EDITORS, ensure_roles
from orders.models import DiscountCode, DiscountUse, Order
from orders.roles import ensure_order_roles
from orders.services.carts import cart_apply_code
from orders.services.checkout import checkout_start
from orders.tests.desk import client_of, desk_client, said, staff_client, text_of
from tests.factories import make_cart, make_editor, make_product, make_user

pytestmark = pytest.mark.django_db

LIST = "discount_codes:index"
ADD = "discount_codes:add"


@pytest.fixture
def editor() -> Client:
    ensure_roles()
    ensure_order_roles()
    user = make_user()
    user.groups.add(Group.objects.get(name=EDITORS))
    return client_of(user)


def typed(**changes: Any) -> dict[str, Any]:
    return {
        "code": "SPRING",
        "is_active": "on",
        "kind": "percent",
        "percent": "20",
        "amount_pennies": "",
        "min_subtotal_pennies": "",
        "starts_at": "",
        "ends_at": "",
        "max_uses": "",
        "max_uses_per_buyer": "",
        **changes,
    }


def errors_of(client: Client, **changes: Any) -> dict[str, list[str]]:
    """What the form says about it; nothing was saved."""
    response = client.post(reverse(ADD), typed(**changes))
    assert response.status_code == 200, response
    assert not DiscountCode.objects.filter(note="").exclude(code="TAKEN").exists()
    return {field: list(sentences) for field, sentences in response.context["form"].errors.items()}


def make_code(code: str = "SPRING", **fields: Any) -> DiscountCode:
    if "amount_pennies" not in fields:
        fields.setdefault("percent", 20)
    kind = "amount" if "amount_pennies" in fields else "percent"
    return DiscountCode.objects.create(code=code, kind=kind, **fields)


def order_with(code: DiscountCode, email: str = "") -> Order:
    buyer = make_user(email)
    cart = make_cart(buyer, make_product(price_pennies=1000))
    cart_apply_code(cart=cart, code=code.code)
    return checkout_start(cart=cart, user=buyer, email=buyer.email, consented=True).order


def listed(client: Client, **query: str) -> set[str]:
    response = client.get(reverse(LIST), query)
    assert response.status_code == 200
    return {code.code for code in response.context["object_list"]}


def test_an_editor_makes_a_code_with_everything_that_it_can_have(editor: Client) -> None:
    first, second = make_product(), make_product()
    artist, genre = Artist.objects.create(name="Ada"), Genre.objects.create(name="Dub")

    answer = editor.post(
        reverse(ADD),
        typed(
            kind="amount",
            amount_pennies="5.00",
            min_subtotal_pennies="12,50",
            starts_at="2031-05-01 09:00",
            ends_at="2031-05-08 09:00",
            max_uses="100",
            max_uses_per_buyer="1",
            products=[first.pk, "", second.pk],
            artists=[artist.pk],
            genres=[genre.pk],
        ),
    )

    assert answer.status_code == 302, answer.context["form"].errors
    code = DiscountCode.objects.get()
    assert (code.kind, code.percent, code.amount_pennies) == ("amount", None, 500)
    assert code.min_subtotal_pennies == 1250
    assert code.starts_at == datetime(2031, 5, 1, 9, tzinfo=UTC)
    assert (code.max_uses, code.max_uses_per_buyer) == (100, 1)
    assert set(code.products.all()) == {first, second}
    assert list(code.artists.all()) == [artist]
    assert list(code.genres.all()) == [genre]
    page = text_of(editor.get(reverse("discount_codes:inspect", args=[code.pk])))
    for words in ("£5.00", "£12.50", "From 1 May 2031, 09:00 until 8 May 2031, 09:00", "0 of 100"):
        assert words in page
    for name in (first.title, second.title, "Ada", "Dub"):
        assert name in page


def test_dates_are_the_shops_whatever_zone_the_editors_account_has(
    editor: Client, settings: Any
) -> None:
    settings.TIME_ZONE = "Europe/London"
    zone = timezone.get_default_timezone
    zone.cache_clear()
    timezone.get_default_timezone_name.__globals__["get_default_timezone"].cache_clear()
    try:
        with timezone.override("Asia/Tokyo"):
            editor.post(reverse(ADD), typed(starts_at="2031-07-01 09:00"))
        form = editor.get(reverse("discount_codes:edit", args=[DiscountCode.objects.get().pk]))
    finally:
        settings.TIME_ZONE = "UTC"
        zone.cache_clear()

    assert DiscountCode.objects.get().starts_at == datetime(2031, 7, 1, 8, tzinfo=UTC)
    assert 'value="2031-07-01 09:00"' in form.content.decode()
    assert "Europe/London" in form.content.decode()


@pytest.mark.sampled(4)
@pytest.mark.parametrize("percent", ["0", "101", "-5", "12.5", "abc", "", "1e2", "9" * 400])
def test_a_percentage_is_a_whole_number_from_1_to_100(editor: Client, percent: str) -> None:
    assert errors_of(editor, percent=percent) == {"percent": ["Type a whole number from 1 to 100."]}


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("currency", "amount", "words"),
    [
        ("GBP", "", "above zero"),
        ("GBP", "0", "above zero"),
        ("GBP", "-1", "Enter a price such as 4.99."),
        ("GBP", "4.999", "at most two decimals"),
        ("GBP", "99999999999", "at most £999,999.99"),
        ("JPY", "4.5", "no decimals"),
        ("KWD", "1.234", "The last decimal of a price in KWD must be 0"),
        ("KWD", "1.2345", "Enter a price such as 4.990."),
    ],
)
def test_an_amount_is_typed_as_money_of_the_shop(
    editor: Client, settings: Any, currency: str, amount: str, words: str
) -> None:
    settings.STRIPE_CURRENCY = currency

    said_there = errors_of(editor, kind="amount", percent="", amount_pennies=amount)

    assert list(said_there) == ["amount_pennies"]
    assert words in said_there["amount_pennies"][0]


@pytest.mark.parametrize(
    ("currency", "text", "pennies"), [("JPY", "500", 500), ("KWD", "1.250", 1250)]
)
def test_an_amount_may_be_of_a_currency_with_other_digits(
    editor: Client, settings: Any, currency: str, text: str, pennies: int
) -> None:
    settings.STRIPE_CURRENCY = currency

    editor.post(reverse(ADD), typed(kind="amount", percent="", amount_pennies=text))

    code = DiscountCode.objects.get()
    assert code.amount_pennies == pennies
    again = editor.get(reverse("discount_codes:edit", args=[code.pk])).content.decode()
    assert f'value="{text}"' in again


@pytest.mark.sampled(6)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("code", ""),
        ("code", "AB"),
        ("code", "X" * 31),
        ("code", "X" * 5000),
        ("code", "TEN OFF"),
        ("code", "ZEHN€"),
        ("code", "taken"),
        ("code", "A\0BC"),
        ("note", "x" * 201),
        ("kind", "everything"),
        ("starts_at", "soon"),
        ("starts_at", "0001-01-01 00:00"),
        ("ends_at", "9999-12-31 23:59"),
        ("max_uses", "0"),
        ("max_uses", "1.5"),
        ("max_uses", "99999999999999999999"),
        ("max_uses_per_buyer", "-1"),
        ("products", ["999999"]),
        ("products", ["first"]),
        ("products", ["9" * 30]),
        ("artists", ["999999"]),
        ("genres", ["²"]),
        ("products", [str(number) for number in range(300)]),
    ],
)
def test_what_makes_no_sense_is_a_sentence_at_its_field(
    editor: Client, field: str, value: Any
) -> None:
    make_code("TAKEN")

    assert list(errors_of(editor, **{field: value})) == [field]


def test_the_other_kinds_box_may_hold_anything(editor: Client) -> None:
    editor.post(reverse(ADD), typed(percent="20", amount_pennies="rubbish"))
    editor.post(
        reverse(ADD), typed(code="TEN", kind="amount", percent="999", amount_pennies="10.00")
    )

    assert set(DiscountCode.objects.values_list("percent", "amount_pennies")) == {
        (20, None),
        (None, 1000),
    }


@pytest.mark.wide
@pytest.mark.parametrize("ends", ["2031-05-01 09:00", "2031-04-30 09:00"])
def test_a_code_ends_after_it_starts(editor: Client, ends: str) -> None:
    said_there = errors_of(editor, starts_at="2031-05-01 09:00", ends_at=ends)

    assert said_there == {"ends_at": ["It has to end after it starts."]}


def test_a_code_keeps_its_name_when_it_is_saved_again(editor: Client) -> None:
    code = make_code("Spring")

    answer = editor.post(
        reverse("discount_codes:edit", args=[code.pk]), typed(code="SPRING", percent="30")
    )

    assert answer.status_code == 302
    code.refresh_from_db()
    assert (code.code, code.percent) == ("SPRING", 30)


@pytest.mark.wide
def test_editors_find_a_code_by_its_state_kind_and_words(editor: Client) -> None:
    now, day = timezone.now(), timedelta(days=1)
    make_code("NOW", note="For the newsletter")
    make_code("LATER", starts_at=now + day)
    make_code("OVER", ends_at=now - day)
    make_code("STOPPED", is_active=False, ends_at=now - day)
    order_with(make_code("GONE", amount_pennies=100, max_uses=1))

    everything = text_of(editor.get(reverse(LIST)))

    assert "1 of 1" in everything
    assert "£1.00" in everything
    for state, code in [
        ("usable", "NOW"),
        ("waiting", "LATER"),
        ("over", "OVER"),
        ("used_up", "GONE"),
        ("stopped", "STOPPED"),
    ]:
        assert listed(editor, state=state) == {code}
    assert listed(editor, kind="amount") == {"GONE"}
    assert listed(editor, q="newsletter") == {"NOW"}
    assert listed(editor, q="now") == {"NOW"}
    for odd in ("\0", '"', "x" * 3000):
        listed(editor, q=odd)


@pytest.mark.wide
def test_only_people_who_see_orders_see_who_used_a_code(editor: Client) -> None:
    code = make_code()
    order = order_with(code, "ada@example.com")
    page = reverse("discount_codes:inspect", args=[code.pk])

    for_editor, for_desk = text_of(editor.get(page)), text_of(desk_client().get(page))

    assert order.number in for_desk
    assert "ada@example.com" in for_desk
    assert "£2.00" in for_desk
    for secret in (order.number, "ada@example.com", "Orders that used it"):
        assert secret not in for_editor


def test_the_desk_looks_but_does_not_make_codes() -> None:
    code, desk = make_code(), desk_client()

    answers = [
        desk.get(reverse(ADD)),
        desk.post(reverse(ADD), typed(code="MINE")),
        desk.post(reverse("discount_codes:edit", args=[code.pk]), typed(percent="90")),
        desk.post(reverse("discount_codes:delete", args=[code.pk])),
    ]

    assert {answer.status_code for answer in answers} == {302}
    assert DiscountCode.objects.get().percent == 20
    assert listed(desk) == {"SPRING"}


def test_whoever_has_no_right_finds_nothing() -> None:
    code, stranger = make_code(), staff_client()

    answers = [
        stranger.get(reverse(name, args=args))
        for name, args in [
            (LIST, []),
            (ADD, []),
            ("discount_codes:edit", [code.pk]),
            ("discount_codes:inspect", [code.pk]),
        ]
    ]

    assert {answer.status_code for answer in answers} == {302}
    assert "Discount codes" not in text_of(stranger.get(reverse("wagtailadmin_home")))


def test_a_used_code_cannot_be_deleted_and_an_unused_one_can() -> None:
    boss = client_of(make_editor())
    used, unused = make_code("USED"), make_code("UNUSED")
    order_with(used)

    refusals = [
        boss.get(reverse("discount_codes:delete", args=[used.pk])),
        boss.post(reverse("discount_codes:delete", args=[used.pk])),
    ]
    boss.post(reverse("discount_codes:delete", args=[unused.pk]))

    assert {answer.status_code for answer in refusals} == {302}
    assert "Untick “in use” instead" in said(refusals[1])
    assert set(DiscountCode.objects.all()) == {used}


def test_an_editor_stops_a_code_that_is_in_use(editor: Client) -> None:
    code = make_code()
    order = order_with(code)
    page = editor.get(reverse("discount_codes:edit", args=[code.pk])).content.decode()

    editor.post(reverse("discount_codes:edit", args=[code.pk]), typed(is_active=""))

    assert "Untick to stop it" in page
    code.refresh_from_db()
    assert not code.is_active
    assert DiscountUse.objects.get().order == order


@pytest.mark.wide
def test_the_page_of_an_order_names_the_code_and_what_each_line_got() -> None:
    order = order_with(make_code("SPRING"))

    page = text_of(desk_client().get(reverse("order_desk:inspect", args=[order.pk])))

    assert "SPRING" in page
    assert "£2.00 off" in page
