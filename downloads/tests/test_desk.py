"""The desk's side of downloads: found by what people have in hand, explained, and put right by hand."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from downloads.grants import access_block
from downloads.models import AccessEvent, UserAsset
from downloads.policy import decide
from downloads.roles import ensure_download_roles
from downloads.tests.desk import (
    LIST,
    RIGHTS,
    button_url,
    fetched,
    fetched_and_reset,
    found_missing,
    lifted,
    limit_of_another_version,
    page_url,
    press,
    stopped,
    without_limit,
)
from downloads.tests.granting import bought, held_by_address
from orders.tests.desk import desk_client, order_url, staff_client, text_of
from tests.factories import buy, make_asset, make_product, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Client:
    ensure_download_roles()  # transactional tests empty the tables, the group's rights included
    return desk_client()


@pytest.fixture
def grant(client: Client) -> UserAsset:
    return bought(client, download_limit=3)[0]


def found(client: Client, **query: str) -> set[UserAsset]:
    response = client.get(reverse(LIST), query)
    assert response.status_code == 200
    return set(response.context["object_list"])


def cell(client: Client, grant: UserAsset) -> str:
    """What the list says about one grant."""
    return text_of(client.get(reverse(LIST), {"q": str(grant.pk)}))


# --- The list ---------------------------------------------------------------------------------------


def test_the_list_tells_who_may_fetch_what_how_often_and_since_when(
    desk: Client, grant: UserAsset
) -> None:
    fetched(grant, 2)

    page = text_of(desk.get(reverse(LIST)))

    item = grant.order_item
    for words in (str(grant.user), grant.title, item.title, item.order.number, "Open", "2 of 3"):
        assert words in page
    assert order_url(item.order) in desk.get(reverse(LIST)).content.decode()
    assert "[invalid name]" not in page


def test_a_grant_is_found_by_everything_that_people_have_in_hand(desk: Client) -> None:
    asset = make_asset(file_name="07_harbour-lights.flac")
    buy(Client(), make_user("ada@example.com"), make_product("Tides", assets=[asset]))
    buy(Client(), make_user("grace@example.org"), make_product("Other"))
    grant = UserAsset.objects.get(asset=asset)
    number = grant.order_item.order.number

    for text in (
        "ada@example.com",
        "ADA",
        number,
        number.lower(),
        grant.title,
        "tides",
        "07_harbour-lights.flac",
        str(grant.pk),
        grant.pk.hex.upper(),
        str(asset.pk),
        f"  {number}  tides ",
    ):
        assert found(desk, q=text) == {grant}, text
    assert found(desk, q=f"{number} grace") == set()
    assert found(desk, q=str(uuid.uuid4())) == set()


def test_what_an_address_alone_holds_is_found_by_it(desk: Client, grant: UserAsset) -> None:
    held_by_address(grant, "anna@example.net")

    assert found(desk, q="anna@example.net") == {grant}
    assert "anna@example.net without an account" in cell(desk, grant)


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    "text",
    ['"', "\0", "%", "_", "\\", "'; --", "word " * 500, "x" * 5000, "٤" * 32, "\ud7ff", "(((*"],
)
def test_no_search_breaks_the_list(desk: Client, grant: UserAsset, text: str) -> None:
    for address in (reverse(LIST), reverse("download_desk:index_results")):
        assert desk.get(address, {"q": text}).status_code == 200


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    "query",
    [
        {"state": "x"},
        {"line": "x"},
        {"line": "-1"},
        {"line": "9" * 30},
        {"line": "\0"},
        {"p": "x"},
        {"ordering": "user__password"},
    ],
)
def test_a_senseless_filter_is_no_filter(
    desk: Client, grant: UserAsset, query: dict[str, str]
) -> None:
    assert found(desk, **query) == {grant}


@pytest.mark.wide
def test_the_order_page_leads_to_the_files_of_each_line(desk: Client) -> None:
    one, other = make_product(assets=[make_asset(), make_asset()]), make_product()
    order = buy(Client(), make_user(), one, other)
    line = order.items.get(product=one)

    page = desk.get(order_url(order)).content.decode()

    address = f"{reverse(LIST)}?line={line.pk}"
    assert f'href="{address}"' in page
    assert found(desk, line=str(line.pk)) == set(line.grants.all())
    assert address not in staff_client("orders.view_order").get(order_url(order)).content.decode()


# what happened, the filter that finds it, how the list calls it, how often it counts as used
STATES = [
    (lambda grant: None, "open", "Open", "0 of 3"),
    (lambda grant: fetched(grant, 2), "open", "Open", "2 of 3"),
    (lambda grant: fetched(grant, 9, counted=False), "open", "Open", "0 of 3"),
    (lambda grant: fetched(grant, 3), "limit", "Limit reached", "3 of 3"),
    (fetched_and_reset, "open", "Open", "1 of 3"),
    (without_limit, "open", "Open", "7"),
    (lifted, "open", "Open", "0 of 3"),
    (stopped("refund"), "refund", "Closed: refunded", "0 of 3"),
    (stopped("dispute"), "dispute", "Closed: payment disputed", "0 of 3"),
    (stopped("staff"), "staff", "Closed: taken back by staff", "0 of 3"),
    (stopped("account"), "account", "Closed: account closed", "0 of 3"),
    (found_missing, "missing", "File missing or damaged", "0 of 3"),
    (limit_of_another_version, "limit", "Limit reached for another version", "0 of 3"),
]


@pytest.mark.sampled(4)
@pytest.mark.parametrize(("happen", "state", "words", "used"), STATES)
def test_list_and_filters_agree_with_what_is_decided(
    desk: Client, grant: UserAsset, happen: Any, state: str, words: str, used: str
) -> None:
    happen(grant)

    states = ("open", "refund", "dispute", "staff", "account", "limit", "missing")
    assert [name for name in states if found(desk, state=name)] == [state]
    row = cell(desk, grant)
    assert f"{words} {used} " in row
    decision = decide(UserAsset.objects.get(pk=grant.pk))
    assert decision.allowed == (state in ("open", "missing") or "another" in words)
    if decision.limit:
        assert f"{decision.limit - decision.left} of {decision.limit}" == used


@pytest.mark.wide
def test_the_list_is_ordered_by_the_time_of_the_right(desk: Client, client: Client) -> None:
    one, two, three = bought(client, b"a", b"b", b"c")
    start = timezone.now()
    for days, grant in enumerate((two, three, one)):
        UserAsset.objects.filter(pk=grant.pk).update(created_at=start + timedelta(days=days))

    def order(ordering: str) -> list[UserAsset]:
        response = desk.get(reverse(LIST), {"ordering": ordering})
        return list(response.context["object_list"])

    assert order("created_at") == [two, three, one]
    assert order("-created_at") == order("") == [one, three, two]


def queries_of(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
        return len(queries)


def test_longer_lists_and_fuller_pages_need_no_more_queries(
    desk: Client, client: Client, grant: UserAsset
) -> None:
    desk.get(page_url(grant))
    before = queries_of(desk, reverse(LIST)), queries_of(desk, page_url(grant))
    for other in bought(client, b"a", b"b", b"c", b"d"):
        fetched(other)
        access_block(order_item_ids=[other.order_item_id], cause="dispute")
    fetched(grant, 2)
    for asset in (make_asset(), make_asset()):
        fetched(grant, asset=asset)
        AccessEvent.objects.create(grant=grant, kind="downloaded", asset=asset)
    for cause in ("refund", "dispute"):
        access_block(order_item_ids=[grant.order_item_id], cause=cause)
    press(desk, "take-back", grant)
    desk.get(page_url(grant))  # the message of the press is read and gone

    after = queries_of(desk, reverse(LIST)), queries_of(desk, page_url(grant))
    assert after[0] == before[0]
    assert after[1] <= before[1] + 1  # the names of versions, where there are any but the bought


# --- The page ---------------------------------------------------------------------------------------


@pytest.mark.wide
def test_the_page_tells_everything_about_a_grant(desk: Client, grant: UserAsset) -> None:
    fetched(grant, 3)
    AccessEvent.objects.create(grant=grant, kind="downloaded", asset=grant.asset)
    AccessEvent.objects.create(grant=grant, kind="denied", code="limit_reached")

    page = text_of(desk.get(page_url(grant)))

    for words in (
        str(grant.user),
        grant.title,
        grant.asset.file_name,
        grant.order_item.order.number,
        "Refused The holder reads: “You have downloaded this 3 times",
        "limit_reached",
        "Reset it, and the holder may start again",
        "3 of 3",
        "As agreed when it was bought",
        "1.0 kB of 256 kB",
        "Counted",
        "Refused: limit reached",
        "Downloaded",
        f"Given to the account {grant.user}",
    ):
        assert words in page, words


def test_what_buyers_and_staff_type_is_escaped(desk: Client, client: Client) -> None:
    grant = bought(client, title="<script>alert(1)</script>")[0]
    press(desk, "take-back", grant, reason="<img src=x onerror=alert(2)>")

    bodies = "".join(
        desk.get(address).content.decode()
        for address in (reverse(LIST), page_url(grant), button_url("take-back", grant))
    )

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in bodies
    assert "&lt;img src=x onerror=alert(2)&gt;" in bodies
    assert "<script>alert(1)" not in bodies
    assert "<img src=x" not in bodies


@pytest.mark.wide
def test_grants_that_do_not_exist_are_not_found(desk: Client, grant: UserAsset) -> None:
    grant.pk = uuid.uuid4()
    for view in ("inspect", "take-back"):
        assert desk.get(button_url(view, grant)).status_code == 404
    for view in RIGHTS:
        assert press(desk, view, grant).status_code == 404
    for address in ("x", "-1", "1/..", "%00", "00000000-0000-0000-0000-00000000000g"):
        assert desk.get(f"/admin/downloads/{address}/").status_code == 404
