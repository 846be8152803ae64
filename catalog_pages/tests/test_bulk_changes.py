"""Prices and genres of many products at once: shown before they change, and never under anybody's hands."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from wagtail.models import PageLogEntry

from catalog_pages.changing import PRICE, Came, product_change
from catalog_pages.models import Artist, Genre, ProductPage
from catalog_pages.prices import PriceChange, PriceRefused, Rounding, Way, rounded
from catalog_pages.roles import EDITORS, MODERATORS
from catalog_pages.tests.editors import (
    bulk,
    member_client,
    moderation,
    owner_client,
    sentences,
    unfinished,
)
from tests.factories import make_editor, make_product

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("pennies", "rounding", "code", "expected"),
    [
        (523, Rounding.NINETY_NINE, "GBP", 499),
        (549, Rounding.NINETY_NINE, "GBP", 599),
        (550, Rounding.NINETY_NINE, "GBP", 599),
        (12, Rounding.NINETY_NINE, "GBP", 99),
        (0, Rounding.NINETY_NINE, "GBP", 0),
        (523, Rounding.FIFTY, "GBP", 550),
        (20, Rounding.FIFTY, "GBP", 50),
        (549, Rounding.WHOLE, "GBP", 500),
        (550, Rounding.WHOLE, "GBP", 600),
        (523, Rounding.NONE, "GBP", 523),
        (523, Rounding.NINETY_NINE, "JPY", 523),
        (5234, Rounding.NONE, "KWD", 5230),
        (5235, Rounding.NONE, "KWD", 5240),
        (5234, Rounding.NINETY_NINE, "KWD", 4990),
        (5234, Rounding.FIFTY, "KWD", 5500),
    ],
)
def test_prices_are_rounded_to_the_nearest_that_ends_as_wanted(
    pennies: int, rounding: Rounding, code: str, expected: int
) -> None:
    assert rounded(pennies, rounding, code) == expected


@pytest.mark.parametrize(
    ("change", "price", "expected"),
    [
        (PriceChange(Way.SET, amount=700), None, 700),
        (PriceChange(Way.SET, amount=0), 500, 0),
        (PriceChange(Way.RAISE_PERCENT, percent=Decimal(10)), 499, 549),
        (PriceChange(Way.RAISE_PERCENT, Rounding.NINETY_NINE, percent=Decimal(10)), 0, 0),
        (PriceChange(Way.LOWER_PERCENT, percent=Decimal("12.5")), 800, 700),
        (PriceChange(Way.RAISE_AMOUNT, amount=101), 499, 600),
        (PriceChange(Way.LOWER_AMOUNT, Rounding.FIFTY, amount=100), 499, 350),
        (PriceChange(Way.LOWER_PERCENT, Rounding.WHOLE, percent=Decimal(10)), 199, 100),
        (PriceChange(Way.LOWER_PERCENT, Rounding.NINETY_NINE, percent=Decimal(10)), 150, 99),
        (PriceChange(Way.LOWER_PERCENT, Rounding.NINETY_NINE, percent=Decimal(1)), 499, 499),
        (PriceChange(Way.RAISE_PERCENT, Rounding.NINETY_NINE, percent=Decimal(1)), 523, 599),
        (PriceChange(Way.RAISE_AMOUNT, Rounding.WHOLE, amount=10), 520, 600),
    ],
)
def test_prices_are_set_raised_and_lowered(
    change: PriceChange, price: int | None, expected: int
) -> None:
    assert change.applied(price, "GBP") == expected


@pytest.mark.parametrize(
    ("change", "price", "sentence"),
    [
        (PriceChange(Way.LOWER_AMOUNT, amount=600), 499, "Its price would fall below zero."),
        (PriceChange(Way.LOWER_AMOUNT, amount=499), 499, "It would become free."),
        (PriceChange(Way.LOWER_PERCENT, percent=Decimal(100)), 499, "It would become free."),
        (PriceChange(Way.LOWER_PERCENT, Rounding.WHOLE, percent=Decimal(50)), 80, "become free"),
        (
            PriceChange(Way.LOWER_PERCENT, Rounding.NINETY_NINE, percent=Decimal(10)),
            50,
            "by itself",
        ),
        (PriceChange(Way.RAISE_PERCENT, percent=Decimal(5)), None, "It has no price yet."),
        (PriceChange(Way.RAISE_AMOUNT, amount=1), 99_999_999, "more than £999,999.99"),
    ],
)
def test_no_price_becomes_nothing_by_the_way(
    change: PriceChange, price: int | None, sentence: str
) -> None:
    with pytest.raises(PriceRefused, match=re.escape(sentence)):
        change.applied(price, "GBP")


def change_prices(client: Client, *pages: ProductPage, **asked: Any) -> tuple[Any, Any]:
    """Ask for the table, then confirm it as it was shown; both answers."""
    asked = {"way": "set", "amount": "9.99", "rounding": "none", **asked}
    table = bulk(client, "change_prices", *pages, **asked)
    versions = re.findall(r'name="(version-\d+)" value="(\d*)"', table.content.decode())
    return table, bulk(client, "change_prices", *pages, **asked, **dict(versions), confirmed="1")


def test_a_table_of_old_and_new_prices_comes_first_and_changes_nothing() -> None:
    page = make_product("Harbour", price_pennies=499)

    answer = bulk(
        owner_client(), "change_prices", page, way="raise_percent", amount="12,5 %", rounding="99"
    )

    body = answer.content.decode()
    assert "£4.99" in body
    assert "£5.99" in body
    assert "Nothing is changed yet" in body
    page.refresh_from_db()
    assert page.price_pennies == 499


def test_confirmed_prices_are_on_sale_at_once_and_written_in_the_history() -> None:
    page = make_product("Harbour", price_pennies=499)

    _table, answer = change_prices(owner_client(), page, way="lower_amount", amount="£1")

    assert "1 product was changed and published." in sentences(answer)
    page.refresh_from_db()
    assert (page.live, page.price_pennies, page.has_unpublished_changes) == (True, 399, False)
    entry = PageLogEntry.objects.get(action=PRICE)
    assert (entry.page_id, entry.data["comment"]) == (page.pk, "£4.99 → £3.99")
    assert entry.user is not None


def test_whoever_may_not_publish_leaves_a_draft() -> None:
    page = make_product(price_pennies=499)

    _table, answer = change_prices(member_client(EDITORS), page)

    assert "1 product was changed as a draft." in sentences(answer)
    page.refresh_from_db()
    assert (page.price_pennies, page.has_unpublished_changes) == (499, True)
    assert page.get_latest_revision_as_object().price_pennies == 999


@pytest.mark.wide
def test_a_moderator_publishes() -> None:
    page = make_product(price_pennies=499)

    change_prices(member_client(MODERATORS), page)

    page.refresh_from_db()
    assert page.price_pennies == 999


@pytest.mark.wide
def test_a_draft_that_somebody_writes_is_not_published_along_the_way() -> None:
    page = make_product("Harbour", price_pennies=499)
    draft = page.get_latest_revision_as_object()
    draft.title, draft.description = "Half a title", "<p>Half a text</p>"
    draft.save_revision()

    change_prices(owner_client(), page)

    page.refresh_from_db()
    assert (page.title, page.price_pennies, page.description) == ("Harbour", 999, "")
    draft = page.get_latest_revision_as_object()
    assert (draft.title, draft.price_pennies) == ("Half a title", 999)
    assert page.has_unpublished_changes


@pytest.mark.parametrize(("way", "expected"), [("lower_percent", (500, 1000)), ("set", (10, 10))])
def test_a_price_of_a_draft_goes_on_sale_by_no_percentage(
    way: str, expected: tuple[int, int]
) -> None:
    page = make_product("Harbour", price_pennies=500)
    draft = page.get_latest_revision_as_object()
    draft.price_pennies = 1000
    draft.save_revision()

    table, _answer = change_prices(owner_client(), page, way=way, amount="0.10", rounding="none")

    page.refresh_from_db()
    assert (page.price_pennies, page.get_latest_revision_as_object().price_pennies) == expected
    told = "It is on sale for £5.00, and a draft of it has another price."
    assert (told in table.content.decode()) is (way != "set")


@pytest.mark.wide
def test_locked_pages_and_pages_in_moderation_are_named_and_left_alone() -> None:
    moderation()
    locked, waiting, free = (make_product(title) for title in ("Locked", "Waiting", "Free"))
    ProductPage.objects.filter(pk=locked.pk).update(locked=True)
    waiting.save_revision()
    waiting.get_workflow().start(waiting, make_editor())

    table, answer = change_prices(owner_client(), locked, waiting, free)

    assert "It is locked." in table.content.decode()
    assert "“Locked”: It is locked." in sentences(answer)
    assert "“Waiting”: It is in moderation." in sentences(answer)
    prices = {page.title: page.price_pennies for page in ProductPage.objects.all()}
    assert prices == {"Locked": 499, "Waiting": 499, "Free": 999}


def test_a_product_that_changed_since_the_table_was_shown_is_left_alone() -> None:
    page = make_product(price_pennies=499)
    table = bulk(owner_client(), "change_prices", page, way="set", amount="9", rounding="none")
    versions = re.findall(r'name="(version-\d+)" value="(\d*)"', table.content.decode())
    page.save_revision()

    answer = bulk(
        owner_client(), "change_prices", page, way="set", amount="9", rounding="none",
        confirmed="1", **dict(versions),
    )  # fmt: skip

    assert "Somebody has changed it in the meantime." in sentences(answer)
    page.refresh_from_db()
    assert page.price_pennies == 499


def test_a_confirmation_without_a_table_changes_nothing() -> None:
    page = make_product(price_pennies=499)

    bulk(
        owner_client(), "change_prices", page, way="set", amount="9", rounding="none", confirmed="1"
    )

    page.refresh_from_db()
    assert page.price_pennies == 499


def test_a_suggested_price_is_never_below_the_least_that_buyers_pay() -> None:
    page = make_product(price_pennies=499, pay_what_you_want=True, suggested_price_pennies=700)

    table, _answer = change_prices(owner_client(), page)

    assert "and the suggested price as well" in table.content.decode()
    page.refresh_from_db()
    assert (page.price_pennies, page.suggested_price_pennies) == (999, 999)


def test_the_price_of_an_unfinished_draft_can_be_set() -> None:
    page = unfinished()

    _table, answer = change_prices(owner_client(), page)

    assert "1 product was changed as a draft." in sentences(answer)
    page.refresh_from_db()
    assert page.get_latest_revision_as_object().price_pennies == 999


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"amount": "four"}, "Enter a price such as 4.99."),
        ({"amount": ""}, "This field is required."),
        ({"amount": "-4"}, "Enter a price such as 4.99."),
        ({"way": "lower_percent", "amount": "101"}, "less than or equal to 100"),
        ({"way": "raise_percent", "amount": "NaN"}, "Enter a number."),
        ({"way": "raise_percent", "amount": "1e400"}, "Ensure"),
        ({"way": "steal"}, "Select a valid choice"),
        ({"rounding": "33"}, "Select a valid choice"),
    ],
)
def test_what_was_asked_badly_has_a_sentence(asked: dict[str, str], sentence: str) -> None:
    page = make_product(price_pennies=499)

    answer = bulk(
        owner_client(),
        "change_prices",
        page,
        **{"way": "set", "amount": "9", "rounding": "none", **asked},
    )

    assert sentence in answer.content.decode()
    page.refresh_from_db()
    assert page.price_pennies == 499


@pytest.mark.wide
def test_a_genre_is_assigned_to_many() -> None:
    folk = Genre.objects.create(name="Folk")
    pages = [make_product(), make_product(genre=folk)]
    table = bulk(owner_client(), "assign_genre", *pages, genre=str(folk.pk))
    versions = dict(re.findall(r'name="(version-\d+)" value="(\d*)"', table.content.decode()))

    bulk(owner_client(), "assign_genre", *pages, genre=str(folk.pk), confirmed="1", **versions)

    assert "Stays as it is." in table.content.decode()
    assert {page.genre for page in ProductPage.objects.all()} == {folk}


def test_pages_that_are_no_products_are_passed_over() -> None:
    page = make_product()

    answer = bulk(owner_client(), "change_prices", page.get_parent())

    assert "There is no product among the pages that you chose." in answer.content.decode()


@pytest.mark.wide
@pytest.mark.parametrize(
    "chosen", ["id=all&childOf=999999", "id=all&childOf=x", "id=x", "id=", "", "id=all&q=%22%00"]
)
def test_whatever_is_chosen_is_answered(chosen: str) -> None:
    make_product()
    url = reverse("wagtail_bulk_action", args=["wagtailcore", "page", "change_prices"])

    answer = owner_client().get(f"{url}?{chosen}")

    assert answer.status_code == (302 if "childOf" in chosen else 200)


def test_all_products_of_the_list_can_be_chosen() -> None:
    pages = [make_product("Harbour"), make_product("Inland")]
    url = reverse("wagtail_bulk_action", args=["wagtailcore", "page", "change_prices"])

    asked = {"way": "set", "amount": "9", "rounding": "none"}
    body = owner_client().post(f"{url}?id=all&childOf={pages[0].get_parent().pk}", asked)

    assert "2 products would change." in body.content.decode()


def test_somebody_elses_page_is_not_changed() -> None:
    page = make_product(price_pennies=499)
    nobody = make_editor()
    nobody.is_superuser = False
    nobody.save()

    outcome = product_change(
        page_id=page.pk,
        values={"price_pennies": 1},
        user=nobody,
        action=PRICE,
        comment="",
        revision_id=page.latest_revision_id,
    )

    assert (outcome.came, outcome.sentence) == (Came.LEFT, "You may not edit it.")


@pytest.mark.wide
def test_the_list_of_products_shows_what_is_searched_for() -> None:
    make_product("Harbour", price_pennies=499, artist=Artist.objects.create(name="Ødegård"))
    make_product("Inland", price_pennies=0, pay_what_you_want=True)

    client = owner_client()
    everything = client.get(reverse("products:index")).content.decode()
    found = client.get(reverse("products:index"), {"q": "odegard harbour"}).content.decode()

    assert "from £0.00" in everything
    assert "Harbour" in everything
    assert "Inland" not in found or "Harbour" in found


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "asked",
    [{"q": '"'}, {"q": "\0"}, {"ordering": "price_pennies"}, {"ordering": "-artist__name"},
     {"ordering": "x"}, {"p": "99"}, {"q": "a " * 500}, {"live": "true"}, {"genre": "x"}],
)  # fmt: skip
def test_the_list_of_products_answers_whatever_is_asked(asked: dict[str, str]) -> None:
    make_product()

    assert owner_client().get(reverse("products:index"), asked).status_code in (200, 404)


@pytest.mark.wide
def test_the_list_of_products_costs_the_same_queries_for_one_and_for_thirty(
    django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    client, url = owner_client(), reverse("products:index")
    genre = Genre.objects.create(name="Folk")
    make_product(genre=genre)
    client.get(url)
    with django_assert_max_num_queries(60) as first:
        client.get(url)

    for number in range(29):
        artist = Artist.objects.create(name=f"Artist {number}")
        make_product(genre=genre, artist=artist)

    with django_assert_num_queries(len(first.captured_queries)):
        client.get(url)
