"""The page of purchases: found again, played whole, downloaded in one format, gifts passed on."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog_pages.models import Artist
from downloads.grants import access_block
from downloads.models import UserAsset
from orders.models import OrderItem
from orders.services.purchase_search import lines_about
from orders.services.purchases import purchased_items
from orders.tests.guesting import guest_buys
from orders.tests.test_gifts import bought as bought_for_others
from orders.tests.test_gifts import words_of
from tests.factories import buy, make_asset, make_product, make_user

pytestmark = pytest.mark.django_db
PAGE = "/purchases/"


def owner_of(client: Client, *products: Any) -> Any:
    user = make_user()
    buy(client, user, *products)
    client.force_login(user)
    return user


def titles(client: Client, q: str) -> list[str]:
    page = client.get(PAGE, {"q": q})
    assert page.status_code == 200
    return sorted(purchase.item.title for purchase in page.context["purchases"])


def players(body: str) -> list[str]:
    return re.findall(r'data-play="([^"]+)"', body)


@pytest.fixture
def shelf(client: Client) -> Any:
    harbour = make_product(
        "Harbour",
        artist=Artist.objects.create(name="Anaïs Öström", slug="anais"),
        assets=[make_asset()],
    )
    winter = make_product(
        "Winter Songs",
        artist=Artist.objects.create(name="Low Sun", slug="low-sun"),
        assets=[make_asset(), make_asset()],
    )
    user = owner_of(client, harbour, winter)
    grant = UserAsset.objects.filter(order_item__product=winter).last()
    assert grant is not None
    UserAsset.objects.filter(pk=grant.pk).update(title="Slack Water")
    return user


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("harbour", ["Harbour"]),
        ("HARB", ["Harbour"]),
        ("anais ostrom", ["Harbour"]),
        ("ÖSTRÖM", ["Harbour"]),
        ("slack", ["Winter Songs"]),
        ("water low", ["Winter Songs"]),
        ("harbour sun", []),
        ("%", []),
        ("\0\ud800'\"", []),
        ("x" * 5_000, []),
        ("   ", ["Harbour", "Winter Songs"]),
    ],
)
def test_purchases_are_found_by_title_artist_and_track(
    client: Client, shelf: Any, q: str, found: list[str]
) -> None:
    assert titles(client, q.encode("utf-8", "replace").decode()) == found


def test_what_was_looked_for_is_said_and_kept_from_page_to_page(client: Client, shelf: Any) -> None:
    page = words_of(client.get(PAGE, {"q": "<b>zz"}))

    assert "Nothing that you bought matches “&lt;b&gt;zz”." in page
    assert "You have not bought anything yet" not in page
    wish = client.post(
        reverse("orders:update_wish", args=[UserAsset.objects.all()[0].pk]),
        {"wanted": "yes", "q": "slack water", "page": "2"},
    )
    assert wish["Location"].startswith("/purchases/?q=slack+water&page=2#purchase-")


def test_only_own_lines_are_searched(client: Client, shelf: Any) -> None:
    other = make_user()
    buy(client, other, make_product("Harbour Lights"))

    assert titles(client, "harbour") == ["Harbour"]
    assert set(lines_about(purchased_items(other), "lights")) == set(
        OrderItem.objects.filter(title="Harbour Lights")
    )
    assert not lines_about(purchased_items(other), "winter")


def test_a_guest_searches_and_plays_what_this_browser_bought(client: Client) -> None:
    guest_buys(client, product=make_product("Harbour"))

    body = client.get(PAGE, {"q": "harb"}).content.decode()

    (address,) = players(body)
    assert titles(client, "harb") == ["Harbour"]
    assert titles(client, "winter") == []
    assert Client().get(address.replace("&amp;", "&")).status_code == 200


def test_searching_takes_the_same_queries_for_one_and_for_many(client: Client) -> None:
    user = owner_of(client, make_product("Harbour one"))
    counts = []
    for number in range(2):
        client.get(PAGE, {"q": "harbour"})  # what is cached is cached now
        with CaptureQueriesContext(connection) as queries:
            found = titles(client, "harbour")
        counts.append((len(found), len(queries)))
        buy(client, user, *[make_product(f"Harbour {number} {n}") for n in range(8)])
        bought_for_others(client, make_product("Given"), quantity=3, user=user)

    assert counts[0][0] < counts[1][0]
    assert counts[0][1] == counts[1][1]


def test_each_track_is_played_whole_in_the_lightest_format(client: Client) -> None:
    formats = [
        make_asset(format_name=name, content_type=kind)
        for name, kind in (("FLAC", "audio/flac"), ("MP3", "audio/mpeg"), ("AIFF", "audio/aiff"))
    ]
    product = make_product(assets=formats)
    user = owner_of(client, product)
    UserAsset.objects.update(title="Slack Water")

    body = client.get(PAGE).content.decode()

    (address,) = set(players(body))
    assert UserAsset.objects.get(asset=formats[1], user=user).pk.hex in address.replace("-", "")
    assert (
        f'<audio controls\n                 preload="none"\n                 src="{address}"'
        in body
    )
    assert 'aria-label="Play Slack Water"' in body
    assert client.get(address)["Content-Type"] == "audio/mpeg"
    assert body.count("data-choose") == 3


def test_a_player_knows_a_track_again_on_the_next_page(client: Client, shelf: Any) -> None:
    first, again = (players(client.get(PAGE).content.decode()) for _ in range(2))

    assert first == again
    assert len(first) == 3


def test_a_track_that_lacks_a_format_is_never_without_a_button(client: Client) -> None:
    owner_of(client, make_product(assets=[make_asset(), make_asset(format_name="MP3")]))

    (purchase,) = client.get(PAGE).context["purchases"]

    assert purchase.formats == ["FLAC", "MP3"]
    assert [track.is_in_every_format for track in purchase.tracks] == [False, False]


def test_closed_files_are_not_played_and_the_reason_stands_once(client: Client, shelf: Any) -> None:
    line = OrderItem.objects.get(title="Winter Songs")
    access_block(order_item_ids=[line.pk], cause="refund")

    body = client.get(PAGE).content.decode()

    assert len(players(body)) == 1
    assert body.count("This was refunded, so its files are no longer available.") == 1


def test_a_reason_that_is_not_everys_says_which_files_it_closes(
    client: Client, settings: Any
) -> None:
    owner_of(client, make_product(assets=[make_asset(), make_asset()]))
    first = UserAsset.objects.order_by("position")[0]
    UserAsset.objects.filter(pk=first.pk).update(download_limit=1)
    b"".join(client.get(reverse("downloads:file", args=[first.pk])).streaming_content)  # type: ignore[attr-defined]

    page = words_of(client.get(PAGE))

    assert "You have downloaded this once" in page
    assert f"{first.title} (FLAC)" in page


def test_gift_codes_to_share_and_receipts_are_reached_from_here(client: Client) -> None:
    kept = bought_for_others(client, make_product("Harbour"), quantity=2)
    given = bought_for_others(
        client, make_product("Winter"), quantity=2, user=kept.user, is_gift=True
    )
    client.force_login(kept.user)

    body = client.get(PAGE).content.decode()

    assert f'href="{kept.get_absolute_url()}#gifts">Gift codes' in body
    assert f'href="{given.get_absolute_url()}#gifts">Winter' in body
    assert f"Receipt {kept.number}" in words_of(client.get(PAGE))
    assert "2 codes that nobody has redeemed yet" in words_of(client.get(PAGE))


def test_the_sum_of_a_file_is_there_to_copy(client: Client, shelf: Any) -> None:
    body = client.get(PAGE).content.decode()

    for grant in UserAsset.objects.select_related("asset"):
        assert f'data-copy="{grant.asset.sha256}"' in body
        assert f">{grant.asset.sha256}</span>" in body
