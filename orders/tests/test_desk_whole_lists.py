"""What a spreadsheet or a search of the desk is given is whole, or it is said that it is not."""

from __future__ import annotations

import csv
import io
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook
from wagtail.users.models import UserProfile

from downloads.admin import big_lists, grant_list
from downloads.admin import finding as finding_grants
from downloads.grants import access_block
from downloads.models import UserAsset
from downloads.roles import ensure_download_roles
from downloads.tests.desk import fetched
from orders.models import GiftCode, Order, OutboxMail, StripeEvent
from orders.services import finding
from orders.services.finding import orders_found
from orders.services.free_copies import free_copy_issue
from orders.stripe_sandbox import actions, controls
from orders.tests.desk import desk_client, said, text_of
from tests.factories import buy, make_asset, make_product, make_user, session_id_of

pytestmark = [pytest.mark.django_db, pytest.mark.wide]


@pytest.fixture
def desk() -> Client:
    ensure_download_roles()
    return desk_client()


def given(title: str = "Harbour", times: int = 4) -> list[Order]:
    product = make_product(title)
    return [
        free_copy_issue(
            copy_id=uuid.uuid4(),
            product=product,
            email=f"first{number}@example.com",
            reason="Because",
            by=None,
        )[0]
        for number in range(times)
    ]


def listed(client: Client, name: str, **query: str) -> list[Any]:
    response = client.get(reverse(f"{name}:index"), query)
    return list(response.context["object_list"])


def exported(client: Client, name: str, **query: str) -> list[dict[str, str]]:
    response = client.get(reverse(f"{name}:index"), {**query, "export": "csv"})
    text = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(text)))


def test_a_marked_order_is_exported_and_found_however_many_are_newer(
    desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(big_lists, "COUNTED", 1)
    orders = given()

    assert len(listed(desk, "order_desk", marked="free_copy")) == 2
    for query in ({"marked": "free_copy"}, {"product": "harb"}):
        assert {row["Number"] for row in exported(desk, "order_desk", **query)} == {
            order.number for order in orders
        }
    for order in orders:
        found = listed(desk, "order_desk", q=order.email, marked="free_copy", product="harb")
        assert [row.pk for row in found] == [order.pk]


def test_a_mark_is_looked_for_in_all_orders_of_a_product(
    desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(big_lists, "COUNTED", 1)
    first, *newer = given()
    for order in newer:
        Order.objects.filter(pk=order.pk).update(currency="EUR")
        order.free_copy.delete()

    found = listed(desk, "order_desk", product="harb", marked="free_copy")

    assert [row.pk for row in found] == [first.pk]


@pytest.mark.parametrize("state", ["staff", "limit"])
def test_files_in_a_state_are_exported_all(
    desk: Client, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    for module in (big_lists, grant_list):
        monkeypatch.setattr(module, "COUNTED", 1)
    given()
    UserAsset.objects.update(download_limit=1)
    for grant in UserAsset.objects.all():
        if state == "limit":
            fetched(grant)
        else:
            access_block(order_item_ids=[grant.order_item_id], cause=state)

    assert len(exported(desk, "download_desk", state=state)) == 4


@pytest.mark.parametrize("name", ["order_desk", "payment_desk", "download_desk", "ledger_desk"])
def test_a_search_that_is_cut_makes_no_spreadsheet(
    desk: Client, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for module in (finding, finding_grants):
        monkeypatch.setattr(module, "MAX_FOUND", 2)
    given()

    answer = desk.get(reverse(f"{name}:index"), {"q": "harbour", "export": "xlsx"})

    assert answer.status_code == 302
    assert answer["Location"] == f"{reverse(f'{name}:index')}?q=harbour"
    assert "would not be whole" in said(answer)
    assert "More match than are listed" in text_of(desk.get(answer["Location"]))
    assert len(exported(desk, name, q="first1@example.com")) == 1
    assert len(exported(desk, name)) == 4


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("gift_desk", "friend@"),
        ("outbox_mail", "reader@"),
        ("stripe_events", "evt_more"),
        ("download_desk", "take"),
    ],
)
def test_rows_that_are_found_themselves_are_said_to_be_cut(
    desk: Client, monkeypatch: pytest.MonkeyPatch, name: str, asked: str
) -> None:
    monkeypatch.setattr(finding_grants, "MAX_FOUND", 2)
    monkeypatch.setattr(finding_grants, "MAX_FILES", 2)
    now, line = timezone.now(), given(times=1)[0].items.get()
    for number in range(3):
        GiftCode.objects.create(
            order_item=line, seat=number + 1, recipient_email="friend@example.com"
        )
        OutboxMail.objects.create(
            to_email="reader@example.com",
            kind="claim_link",
            message_id=f"<{number}@example.com>",
            dedupe_key=f"claim_link:{number}:0",
        )
        StripeEvent.objects.create(
            event_id=f"evt_more{number}", type="x", created_at=now, payload={}, livemode=False
        )
        make_asset(file_name=f"Take {number}.flac")

    none = {f"{day}_from": "2199-01-01" for day in ("created_at", "received_at")}

    def page(**query: str) -> str:
        return text_of(desk.get(reverse(f"{name}:index"), {"q": asked} | query))

    assert "More match than are listed" in page()
    assert "More match the search than the filters" in page(**none)
    assert desk.get(reverse(f"{name}:index"), {"q": asked, "export": "csv"}).status_code == 302
    monkeypatch.setattr(finding_grants, "MAX_FOUND", 9)
    monkeypatch.setattr(finding_grants, "MAX_FILES", 9)
    page()  # says why there was no spreadsheet
    assert "More match" not in page()


@pytest.mark.parametrize(
    ("name", "amounts"),
    [
        ("order_desk", {"Total": 4.99, "Refunded": 1}),
        ("payment_desk", {"Amount": 4.99, "Taken": 4.99}),
        ("refund_desk", {"Amount": 1}),
        ("dispute_desk", {"Amount": 4.99}),
    ],
)
def test_amounts_are_numbers_that_add_up(
    desk: Client, name: str, amounts: dict[str, float]
) -> None:
    order = buy(Client(), make_user(), make_product())
    actions.refund(session_id_of(order), amount=100)
    actions.open_dispute(session_id_of(order))
    controls.deliver_all(controls.through(Client()))

    response = desk.get(reverse(f"{name}:index"), {"export": "xlsx"})

    rows = list(load_workbook(io.BytesIO(b"".join(response))).active.iter_rows())  # type: ignore[union-attr]
    row = dict(zip([cell.value for cell in rows[0]], rows[1], strict=True))
    for heading, amount in amounts.items():
        assert (row[heading].data_type, row[heading].value) == ("n", pytest.approx(amount))
    text = {"4.99" if amount == 4.99 else "1.00" for amount in amounts.values()}
    assert text <= set(exported(desk, name)[0].values())


def test_days_are_the_shops_for_an_account_in_another_zone(desk: Client) -> None:
    answer = desk.get(reverse("order_desk:index"))
    profile = UserProfile.get_for_user(answer.wsgi_request.user)
    profile.current_time_zone = "Pacific/Kiritimati"
    profile.save()
    order = given(times=1)[0]
    at = datetime(2026, 5, 1, 13, 30, tzinfo=UTC)
    Order.objects.update(created_at=at)
    UserAsset.objects.update(created_at=at)

    for name in ("order_desk", "download_desk"):
        page = desk.get(
            reverse(f"{name}:index"),
            {"created_at_from": "2026-05-01", "created_at_to": "2026-05-01"},
        ).content.decode()
        assert order.number in page
        assert "2026-05-01T" in page
        assert "2026-05-02T" not in page
    assert exported(desk, "order_desk")[0]["Date"].startswith("2026-05-01 ")


@pytest.mark.parametrize(
    ("title", "texts"),
    [
        ("Ärger im Paradies", ["Ärger", "ärger", "ÄRGER IM", "ärger im paradies"]),
        ("ölspur", ["Ölspur", "ÖLSPUR", "ölsp"]),
        ("Été à l'île", ["été", "ÉTÉ À L'ÎLE", "Été À"]),
        ("Тихая Вода", ["тихая вода", "ТИХАЯ", "Тихая", "тих"]),
        ("ТИХАЯ ВОДА", ["тихая вода", "Тихая"]),
    ],
)
def test_a_title_is_found_whatever_the_case_of_any_letter(
    desk: Client, title: str, texts: list[str]
) -> None:
    order = given(title, 1)[0]
    given("Other", 1)

    for text in texts:
        assert orders_found(text).order_ids == [order.pk], text
        assert [row.pk for row in listed(desk, "order_desk", product=text)] == [order.pk]
        grants = listed(desk, "download_desk", q=text)
        assert {row.order_item.order_id for row in grants} == {order.pk}
