"""Every list of the desk: who may see it, what narrows it, what it costs, and what a spreadsheet gets."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from catalog_pages.admin.capped import CappedPaginator
from downloads.roles import ensure_download_roles
from orders.models import GiftCode, Order, OrderItem, OutboxMail
from orders.services.gifts import gift_codes_issue, gift_redeem
from orders.stripe_sandbox import actions, controls
from orders.tests.desk import desk_client, staff_client, text_of
from tests.factories import buy, make_product, make_user, session_id_of

pytestmark = pytest.mark.django_db
LISTS = {
    "order_desk": "orders.view_order",
    "customer_desk": "orders.view_customer",
    "payment_desk": "orders.view_payment",
    "refund_desk": "orders.view_refund",
    "dispute_desk": "orders.view_dispute",
    "gift_desk": "orders.view_giftcode",
    "download_desk": "downloads.view_userasset",
    "ledger_desk": "downloads.view_accessevent",
    "outbox_mail": "orders.view_outboxmail",
    "stripe_events": "orders.view_stripeevent",
    "discount_codes": "orders.view_discountcode",
}


@pytest.fixture
def desk() -> Client:
    ensure_download_roles()
    return desk_client()


def sold(email: str = "", title: str = "Harbour") -> Order:
    """An order with a row for every list."""
    order = buy(Client(), make_user(email), make_product(title))
    item = order.items.get()
    OrderItem.objects.filter(pk=item.pk).update(is_gift=True, gift_email="friend@example.net")
    gift_codes_issue(order=order)
    actions.refund(session_id_of(order), amount=100)
    actions.open_dispute(session_id_of(order))
    assert set(controls.deliver_all(controls.through(Client()))) == {200}
    return order


def index(name: str) -> str:
    return reverse(f"{name}:index")


def rows(client: Client, name: str, **query: str) -> list[Any]:
    response = client.get(index(name), query)
    assert response.status_code == 200
    return list(response.context["object_list"])


def sheet(client: Client, name: str) -> list[dict[str, str]]:
    response = client.get(index(name), {"export": "csv"})
    return list(csv.DictReader(io.StringIO(b"".join(response).decode("utf-8-sig"))))


@pytest.mark.sampled(4)
@pytest.mark.parametrize(("name", "right"), list(LISTS.items()))
def test_each_list_its_pages_and_its_exports_need_its_own_right(name: str, right: str) -> None:
    order = sold()
    able, others = staff_client(right), staff_client(*(set(LISTS.values()) - {right}))
    row = next(iter(rows(able, name)), None)
    pages = [index(name), reverse(f"{name}:index_results")]
    pages += [f"{index(name)}?export={kind}" for kind in ("csv", "xlsx")]
    pages += [reverse(f"{name}:inspect", args=[row.pk])] if row is not None else []

    for page in pages:
        assert able.get(page).status_code == 200, page
        assert others.get(page).url == reverse("wagtailadmin_home"), page
    assert order is not None


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", [name for name in LISTS if name != "discount_codes"])
def test_a_list_finds_its_rows_by_what_a_customer_quotes(desk: Client, name: str) -> None:
    order = sold("ada@example.com")
    sold("grace@example.org", "Other")
    both = len(rows(desk, name))

    for text in ("ada@example.com", "ADA@EXAMPLE.COM", order.number, "harbour"):
        mine = rows(desk, name, q=text)
        assert 0 < len(mine) < both, text
    assert rows(desk, name, q="nobody@example.com") == []
    for text in ('"', "%", "word " * 300, "\ud7ff", "(((*", "x" * 999):
        assert desk.get(index(name), {"q": text}).status_code == 200


def test_more_rows_cost_no_more_queries(desk: Client) -> None:
    def queries(name: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert desk.get(index(name)).status_code == 200, name
        return len(captured)

    sold()
    for name in LISTS:  # what is remembered for good is remembered
        desk.get(index(name))

    before = {name: queries(name) for name in LISTS}
    for _ in range(4):
        sold()

    assert {name: queries(name) for name in LISTS} == before


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", list(LISTS))
def test_no_filter_breaks_a_list(desk: Client, name: str) -> None:
    sold()
    for query in (
        {"created_at_from": "0001-01-01", "created_at_to": "9999-12-31"},
        {"opened_at_to": "9999-12-31", "at_from": "0001-01-01", "received_at_to": "9999-12-31"},
        {"created_at_from": "nonsense", "at_to": "\0"},
        {"status": "x", "kind": "x", "state": "x", "currency": "\0", "type": "x", "reason": "x"},
        {"product": "\0", "marked": "x", "p": "99999999999999999999", "ordering": "user__password"},
        {"product": "x" * 9999, "export": "nonsense"},
    ):
        assert desk.get(index(name), query).status_code == 200, query


@pytest.mark.wide
def test_filters_of_the_new_lists_narrow_them(desk: Client) -> None:
    sold()

    assert len(rows(desk, "payment_desk", status="paid", currency="GBP", kind="stripe")) == 1
    assert rows(desk, "payment_desk", status="failed") == []
    assert rows(desk, "payment_desk", created_at_to="2001-01-01") == []
    assert len(rows(desk, "refund_desk", status="succeeded")) == 1
    assert rows(desk, "refund_desk", status="failed") == []
    assert len(rows(desk, "dispute_desk", status="needs_response")) == 1
    assert len(rows(desk, "gift_desk", state="open")) == 1
    assert rows(desk, "gift_desk", state="redeemed") == []
    assert len(rows(desk, "customer_desk", kind="account")) == 1
    assert rows(desk, "customer_desk", kind="guest") == []
    assert rows(desk, "ledger_desk", kind="limit_reset") == []
    assert {row.kind for row in rows(desk, "ledger_desk", kind="granted")} == {"granted"}
    for mark, number in (("refunded", 1), ("gift", 1), ("free_copy", 0)):
        assert len(rows(desk, "order_desk", marked=mark)) == number
        assert len(rows(desk, "order_desk", marked=mark, status="paid")) == number
    assert len(rows(desk, "order_desk", product="harb")) == 1
    assert rows(desk, "order_desk", product="arbour") == []


def test_gift_codes_are_never_shown_nor_exported_whole(desk: Client) -> None:
    sold()
    gift = GiftCode.objects.get()
    shown = b"".join(
        desk.get(page).content
        for page in (
            index("gift_desk"),
            reverse("gift_desk:inspect", args=[gift.pk]),
            reverse("order_desk:inspect", args=[gift.order_item.order_id]),
            reverse("customer_desk:inspect", args=[gift.order_item.order_id]),
        )
    ).decode()

    for secret in (
        gift.code,
        gift.code.replace("-", ""),
        gift.link_key,
        gift.order_item.order.link_key,
    ):
        assert secret not in shown
    assert sheet(desk, "gift_desk")[0]["Code"] == f"… {gift.code[-5:]}"
    assert rows(desk, "gift_desk", q=gift.code.lower().replace("-", "")) == [gift]
    assert rows(desk, "gift_desk", q=gift.code[-5:]) == []


@pytest.mark.wide
def test_a_customer_is_one_row_with_everything_of_theirs(desk: Client) -> None:
    user = make_user("ada@example.com")
    first = buy(Client(), user, make_product("Harbour", price_pennies=500))
    last = buy(Client(), user, make_product("Tides", price_pennies=700))
    Order.objects.filter(pk=first.pk).update(created_at="2026-01-01T00:00Z")
    for number, email in enumerate(("pat@example.io", "PAT@example.io")):
        guest = buy(Client(), make_user(), make_product(f"For Pat {number}"))
        Order.objects.filter(pk=guest.pk).update(user=None, email=email, placed_as_guest=True)

    listed = rows(desk, "customer_desk")
    ada = next(row for row in listed if row.user == user)
    pat = next(row for row in listed if row.user is None)

    assert len(listed) == 2
    assert (ada.pk, ada.times, ada.paid, ada.titles) == (last.pk, 2, "£12.00", ["Tides"])
    assert pat.times == 2
    pages = [
        text_of(desk.get(reverse("customer_desk:inspect", args=[order.pk])))
        for order in (first, last)
    ]
    for page in pages:
        for words in (first.number, last.number, "£12.00", "Harbour", "Receipt"):
            assert words.lower() in page.lower(), words
        assert "For Pat" not in page
    assert rows(desk, "customer_desk", q=first.number) == [ada]


@pytest.mark.wide
def test_whoever_redeemed_a_gift_stands_on_their_page_and_in_the_list(desk: Client) -> None:
    sold()
    order = buy(Client(), make_user(), make_product("Second"))
    order.items.update(is_gift=True)
    gift_codes_issue(order=order)
    gift = GiftCode.objects.get(order_item__order=order)
    gift_redeem(code_text=gift.code, email="pat@example.io")

    assert rows(desk, "gift_desk", q="pat@example.io") == [gift]
    assert [row.pk for row in rows(desk, "order_desk", q="pat@example.io")] == [order.pk]


@pytest.mark.sampled(2)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_no_cell_of_a_spreadsheet_is_a_formula(desk: Client, kind: str) -> None:
    order = sold()
    Order.objects.filter(pk=order.pk).update(email="=cmd@example.com")
    OutboxMail.objects.filter(order=order).update(subject="+1+1", last_error="\tx\x07")

    for name, bad in (("order_desk", "=cmd"), ("outbox_mail", "+1+1")):
        response = desk.get(index(name), {"export": kind})
        content = b"".join(response)
        if kind == "csv":
            text = content.decode("utf-8-sig")
            cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
        else:
            book = load_workbook(io.BytesIO(content))
            assert all(c.data_type != "f" for row in book.active.iter_rows() for c in row)
            cells = [str(c.value or "") for row in book.active.iter_rows() for c in row]
        assert any(cell.startswith(f"'{bad}") for cell in cells)
        assert not any(cell.startswith(("=", "+", "-", "@", "\t")) for cell in cells)


@pytest.mark.wide
def test_an_export_is_read_and_sent_row_by_row(desk: Client) -> None:
    for _ in range(3):
        sold()

    response = desk.get(index("order_desk"), {"export": "csv"})

    assert response.streaming
    lines = iter(response.streaming_content)
    assert next(lines).removeprefix(b"\xef\xbb\xbf").startswith(b"Number,")
    assert len(list(lines)) == 3


@pytest.mark.wide
def test_a_long_list_is_counted_up_to_a_limit(
    desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CappedPaginator, "counted", 2)
    sold()
    sold()
    assert "2 orders" in text_of(desk.get(index("order_desk")))

    sold()

    assert "More than 2 orders" in text_of(desk.get(index("order_desk")))
    assert "More than 2 orders" in text_of(desk.get(index("order_desk"), {"status": "paid"}))
