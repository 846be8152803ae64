"""“Select all pages in listing” is the list that was looked at: its search, its filters, and no page more."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalog_pages.models import CataloguePage, Genre, HomePage, ProductPage
from catalog_pages.roles import MODERATORS
from catalog_pages.tests.editors import bulk, member_client, owner_client, sentences
from tests.factories import make_product

pytestmark = pytest.mark.django_db


def on_all(client: Client, action: str, chosen: str, **data: str) -> HttpResponse:
    """All pages of a list; `chosen` is what stood in the list's address, and its page for the explorer's."""
    url = reverse("wagtail_bulk_action", args=["wagtailcore", "page", action])
    return client.post(f"{url}?{chosen}&id=all", data)


def jazz_and_rock() -> tuple[Genre, ProductPage, ProductPage]:
    jazz, rock = (Genre.objects.create(name=name) for name in ("Jazz", "Rock"))
    return jazz, make_product("Blue", genre=jazz), make_product("Red", genre=rock)


def live_titles() -> set[str]:
    return set(ProductPage.objects.live().values_list("title", flat=True))


def test_prices_change_in_the_filtered_list_alone() -> None:
    jazz, _blue, _red = jazz_and_rock()
    client, asked = owner_client(), {"way": "set", "amount": "1", "rounding": "none"}
    table = on_all(client, "change_prices", f"genre={jazz.pk}", **asked).content.decode()
    shown = dict(re.findall(r'name="(version-\d+)" value="(\d*)"', table))

    on_all(client, "change_prices", f"genre={jazz.pk}", **asked, **shown, confirmed="1")

    prices = dict(ProductPage.objects.values_list("title", "price_pennies"))
    assert prices == {"Blue": 100, "Red": 499}


def test_a_moderator_unpublishes_what_the_list_of_products_showed() -> None:
    jazz, _blue, _red = jazz_and_rock()

    on_all(member_client(MODERATORS), "unpublish", f"genre={jazz.pk}&live=true&ordering=title&p=1")

    assert live_titles() == {"Red"}
    assert HomePage.objects.get().live
    assert CataloguePage.objects.get().live


def test_without_a_filter_the_list_of_products_is_products_alone() -> None:
    jazz_and_rock()
    client = owner_client()
    url = reverse("wagtail_bulk_action", args=["wagtailcore", "page", "unpublish"])

    shown = client.get(f"{url}?id=all").content.decode()
    on_all(client, "unpublish", "")

    assert "Blue" in shown
    assert f"/pages/{CataloguePage.objects.get().pk}/" not in shown
    assert live_titles() == set()
    assert CataloguePage.objects.get().live


@pytest.mark.parametrize("action", ["delete", "unpublish"])
def test_what_was_searched_for_counts_in_both_lists(action: str) -> None:
    jazz_and_rock()
    catalogue = CataloguePage.objects.get().pk

    on_all(owner_client(), action, f"q=blue&childOf={catalogue}&ordering=title")
    assert live_titles() == {"Red"}

    on_all(owner_client(), action, "q=red")
    assert live_titles() == set()


def test_the_filters_of_the_explorer_count() -> None:
    jazz_and_rock()
    catalogue = CataloguePage.objects.get().pk

    answer = on_all(
        owner_client(), "change_prices", f"childOf={catalogue}&has_child_pages=true",
        way="set", amount="1", rounding="none",
    )  # fmt: skip

    assert "There is no product among the pages that you chose." in answer.content.decode()


@pytest.mark.sampled(5)
@pytest.mark.parametrize("action", ["change_prices", "assign_genre", "unpublish", "delete", "move"])
@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ("genre=999999", "The filters of this list cannot be applied."),
        ("childOf={catalogue}&owner=999999", "The filters of this list cannot be applied."),
        ("next={search}", "All pages of this list cannot be chosen at once."),
        ("childOf=999999", "The page that this list was of is not there any more."),
    ],
)
def test_a_list_that_nobody_knows_is_refused(action: str, chosen: str, sentence: str) -> None:
    jazz_and_rock()
    search = quote(reverse("wagtailadmin_pages:search") + "?q=blue")
    chosen = chosen.format(catalogue=CataloguePage.objects.get().pk, search=search)

    answer = on_all(owner_client(), action, chosen)

    assert answer.status_code == 302
    assert sentence in sentences(answer)
    assert live_titles() == {"Blue", "Red"}


@pytest.mark.parametrize("model", [HomePage, CataloguePage])
def test_the_shops_own_pages_are_not_unpublished(model: type[HomePage | CataloguePage]) -> None:
    page, product, client = model.objects.get(), make_product(), member_client(MODERATORS)
    said = f"The shop needs the page “{page.title}”; it cannot be unpublished."

    alone = client.post(reverse("wagtailadmin_pages:unpublish", args=[page.pk]))
    among_others = bulk(client, "unpublish", page, product)

    assert said in sentences(alone)
    assert said in sentences(among_others)
    page.refresh_from_db()
    product.refresh_from_db()
    assert (page.live, product.live) == (True, True)


def test_the_shops_own_pages_do_not_expire() -> None:
    past = timezone.now() - timedelta(minutes=1)
    CataloguePage.objects.update(expire_at=past)

    call_command("publish_scheduled")

    assert CataloguePage.objects.get().live
