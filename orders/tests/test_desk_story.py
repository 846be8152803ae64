"""The page of an order: its story, and the buttons that staff need there."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from wagtail.models import ModelLogEntry

from catalog_pages.shop_days import today
from downloads.models import AccessEvent, Revocation, UserAsset
from downloads.policy import decide
from downloads.roles import ensure_download_roles
from downloads.tests.desk import fetched
from orders.models import FreeCopy, Order, OrderNote, OutboxMail, Payment
from orders.models.desk import NotesAreAppendOnly
from orders.stripe_sandbox import actions, controls
from orders.tests.desk import desk_client, order_url, refund_url, said, staff_client, text_of
from tests.factories import (
    buy,
    make_asset,
    make_bundle,
    make_product,
    make_user,
    session_id_of,
    start_checkout,
)

pytestmark = pytest.mark.django_db
SEE = "orders.view_order"


@pytest.fixture
def desk() -> Client:
    ensure_download_roles()
    return desk_client()


@pytest.fixture
def order() -> Order:
    product = make_product("Harbour", assets=[make_asset(), make_asset()])
    return buy(Client(), make_user("ada@example.com"), product)


def url(name: str, order: Order) -> str:
    return reverse(f"order_desk:{name}", args=[order.pk])


def line(order: Order) -> dict[str, str]:
    return {"line": str(order.items.get().pk)}


def wish(given: Any, **changes: str) -> dict[str, str]:
    first = {"copy_id": str(uuid.uuid4()), "product": str(given.pk), "reason": "Lost in the post"}
    return {**first, "email": "ada@example.com", **changes}


POSTS = [
    ("send-again", "orders.resend_outboxmail"),
    ("note", "orders.note_order"),
    ("free-copy", "orders.give_order"),
    ("revoke", "downloads.revoke_userasset"),
    ("restore", "downloads.restore_userasset"),
    ("reset", "downloads.reset_userasset"),
]


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("name", "right"), POSTS)
def test_each_button_needs_its_own_right_and_that_to_see_orders(
    order: Order, name: str, right: str
) -> None:
    fetched(order.items.get().grants.first())
    data = {**line(order), **wish(make_product(), reason="Because"), "note_id": str(uuid.uuid4())}
    data["text"] = "A note"

    for client in (staff_client(), staff_client(SEE), staff_client(right)):
        answer = client.post(url(name, order), data)
        assert (answer.status_code, answer.url) == (302, reverse("wagtailadmin_home"))
        page = client.get(order_url(order)).content.decode()
        assert url(name, order) not in page
    assert not OrderNote.objects.exists()
    assert not FreeCopy.objects.exists()
    assert not Revocation.objects.exists()

    answer = staff_client(SEE, right).post(url(name, order), data)
    assert (answer.status_code, answer.url) == (302, order_url(order))


def test_the_story_tells_what_happened_when_and_by_whom(desk: Client, order: Order) -> None:
    fetched(order.items.get().grants.first())
    AccessEvent.objects.create(grant=order.items.get().grants.first(), kind="downloaded")
    actions.refund(session_id_of(order), amount=100)
    actions.open_dispute(session_id_of(order))
    assert set(controls.deliver_all(controls.through(Client()))) == {200}
    desk.post(url("note", order), {"note_id": str(uuid.uuid4()), "text": "Rang <b>twice</b>"})
    desk.post(url("check", order))
    desk.post(url("revoke", order), {**line(order), "reason": "Stolen card"})
    desk.post(url("restore", order), line(order))

    response = desk.get(order_url(order))

    story = text_of(response)
    story = story[story.index("What happened") :]
    told = (
        "Ordered (Web shop)", "Paid £4.99", "2 files of “Harbour” given", "Downloaded “Harbour part",
        "Refund of £1.00 made at Stripe", "Disputed by the buyer's bank", "payment disputed",
        "Rang <b>twice</b>", "Checked with Stripe", "revoked by staff", "Stolen card",
        "restored by staff", str(response.wsgi_request.user),
    )  # fmt: skip
    for words in told:
        assert words in story, words
    assert "Rang &lt;b&gt;twice&lt;/b&gt;" in response.content.decode()
    moments = [moment.at for moment in response.context["page"].story.moments]
    assert moments == sorted(moments)
    in_order = (
        "Ordered", "Paid £4.99", "Refund of £1.00 made at Stripe", "Refund of £1.00 went back",
        "payment disputed", "Rang", "Checked with Stripe: 0 differences",
    )  # fmt: skip
    places = [story.index(words) for words in in_order]
    assert places == sorted(places), story
    assert story.index("Paid £4.99") < story.index("Disputed by")


@pytest.mark.wide
def test_the_story_is_told_by_the_shops_clock(desk: Client, order: Order, settings: Any) -> None:
    settings.TIME_ZONE = "Pacific/Auckland"
    Order.objects.filter(pk=order.pk).update(created_at="2026-01-31T12:30Z")

    page = text_of(desk.get(order_url(order)))

    assert "1 February 2026, 01:30 Ordered" in page
    assert "Pacific/Auckland" in page


def test_a_note_is_written_once_and_by_nobody_changed(desk: Client, order: Order) -> None:
    data = {"note_id": str(uuid.uuid4()), "text": "  He moved\nhouse  "}

    answers = [desk.post(url("note", order), data) for _ in range(2)]

    note = OrderNote.objects.get()
    assert (note.text, note.written_by) == ("He moved\nhouse", answers[0].wsgi_request.user)
    assert ModelLogEntry.objects.filter(action="orders.note").count() == 1
    note.text = "Other"
    for change in (note.save, note.delete, OrderNote.objects.all().delete):
        with pytest.raises(NotesAreAppendOnly):
            change()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE orders_ordernote SET text = 'x'")


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("text", "words"),
    [("", "was empty"), ("  ", "was empty"), ("x" * 2001, "up to 2000"), ("a\0b", "Null")],
)
def test_a_note_that_cannot_be_is_said_and_not_lost(
    desk: Client, order: Order, text: str, words: str
) -> None:
    answer = desk.post(url("note", order), {"note_id": str(uuid.uuid4()), "text": text})

    assert words in said(answer)
    assert not OrderNote.objects.exists()
    kept = text.replace("\0", "").strip()
    assert kept in desk.get(order_url(order)).content.decode()


@pytest.mark.wide
def test_the_forms_id_of_another_note_writes_nothing(desk: Client, order: Order) -> None:
    other = buy(Client(), make_user(), make_product())
    data = {"note_id": str(uuid.uuid4()), "text": "One"}
    desk.post(url("note", order), data)

    assert "used for something else" in said(desk.post(url("note", other), data))
    assert "Write it again" in said(desk.post(url("note", other), {"note_id": "x", "text": "y"}))
    assert OrderNote.objects.get().order == order


def test_a_lines_files_are_revoked_with_a_reason_and_restored(desk: Client, order: Order) -> None:
    asked = desk.get(url("revoke", order), line(order))
    unsaid = desk.post(url("revoke", order), {**line(order), "reason": " "})
    assert "loses 2 files of “Harbour”" in text_of(asked)
    assert "Say why" in text_of(unsaid)
    assert not Revocation.objects.exists()

    for _ in range(2):
        desk.post(url("revoke", order), {**line(order), "reason": "Stolen card"})
    grants = UserAsset.objects.filter(order_item__order=order)
    assert {decide(grant).code for grant in grants} == {"revoked_by_staff"}
    assert Revocation.objects.count() == 2
    logged = ModelLogEntry.objects.filter(action="downloads.take_back")
    assert {entry.data["comment"] for entry in logged} == {"Stolen card"}

    answers = [desk.post(url("restore", order), line(order)) for _ in range(2)]
    assert all(decide(grant).allowed for grant in grants)
    assert said(answers[0]) == "“Harbour” is restored. It can be downloaded again."
    assert "nothing was changed" in said(answers[1])


@pytest.mark.wide
def test_a_line_that_is_refunded_stays_closed_when_staff_restore_it(
    desk: Client, order: Order
) -> None:
    desk.post(url("revoke", order), {**line(order), "reason": "Stolen card"})
    actions.refund(session_id_of(order))
    controls.deliver_all(controls.through(Client()))

    assert "stay closed: refunded" in said(desk.post(url("restore", order), line(order)))


def test_the_limits_of_a_line_are_reset(desk: Client, order: Order) -> None:
    UserAsset.objects.update(download_limit=1)
    for grant in UserAsset.objects.all():
        fetched(grant)
    assert {decide(grant).code for grant in UserAsset.objects.all()} == {"limit_reached"}

    answers = [desk.post(url("reset", order), line(order)) for _ in range(2)]

    assert said(answers[0]) == "The limits of 2 files of “Harbour” have been reset."
    assert "nothing was changed" in said(answers[1])
    assert all(decide(grant).allowed for grant in UserAsset.objects.all())


def test_of_an_order_that_was_never_paid_nothing_is_said_to_be_revoked(desk: Client) -> None:
    unpaid = start_checkout(make_user(), make_product("Harbour")).order

    answer = desk.post(url("revoke", unpaid), {**line(unpaid), "reason": "Stolen card"})

    assert said(answer) == "Nobody holds files of “Harbour”, so nothing was changed."


@pytest.mark.wide
@pytest.mark.parametrize("is_part", [False, True])
def test_nothing_is_given_before_its_day(desk: Client, is_part: bool) -> None:
    product = coming = make_product("Soon")
    if is_part:
        product = make_bundle("Both", coming)
    coming.release_date = today() + timedelta(days=10)
    coming.save()

    answer = desk.post(reverse("order_desk:give"), wish(product))

    assert "comes out on" in text_of(answer)
    assert not FreeCopy.objects.exists()


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", ["revoke", "restore", "reset"])
def test_lines_of_other_orders_are_not_touched(desk: Client, order: Order, name: str) -> None:
    other = buy(Client(), make_user(), make_product())

    for bad in (str(other.items.get().pk), "", "x", "-1", "9" * 30, "٤", "\0"):
        data = {"line": bad, "reason": "Because"}
        assert desk.post(url(name, order), data).status_code == 404
    assert not Revocation.objects.exists()


def test_the_links_are_sent_again(desk: Client, order: Order) -> None:
    OutboxMail.objects.update(status="sent", sent_at=order.created_at)

    first = desk.post(url("send-again", order))
    second = desk.post(url("send-again", order))

    assert "ada@example.com" in said(first)
    assert OutboxMail.objects.filter(order=order, kind="receipt").count() == 2
    assert said(second) != said(first)
    unpaid = start_checkout(make_user(), make_product()).order
    assert said(desk.post(url("send-again", unpaid)))
    assert url("send-again", unpaid) not in desk.get(order_url(unpaid)).content.decode()


def test_a_free_copy_is_a_real_order_of_nothing_once(desk: Client, order: Order) -> None:
    product = make_product("Tides", price_pennies=999)
    data = wish(product)

    answers = [desk.post(url("free-copy", order), data) for _ in range(2)]

    assert [answer.url for answer in answers] == [order_url(order)] * 2
    copy = Order.objects.get(pk=data["copy_id"])
    payment = copy.payments.get()
    assert (copy.status, copy.total_pennies, copy.user) == ("paid", 0, order.user)
    assert (payment.kind, payment.amount_pennies) == (Payment.Kind.FREE, 0)
    assert [item.list_price_pennies for item in copy.items.all()] == [999]
    assert decide(UserAsset.objects.get(order_item__order=copy)).allowed
    assert OutboxMail.objects.filter(order=copy, kind="receipt").count() == 1
    gift = FreeCopy.objects.get()
    user = answers[0].wsgi_request.user
    assert (gift.about, gift.reason, gift.issued_by) == (order, "Lost in the post", user)
    assert ModelLogEntry.objects.filter(action="orders.free_copy").count() == 1
    for page in (order_url(order), order_url(copy)):
        story = text_of(desk.get(page))
        assert "Free copy issued to ada@example.com" in story
        assert "Lost in the post" in story


@pytest.mark.wide
def test_a_free_copy_goes_to_an_address_without_an_order_and_of_what_is_not_sold(
    desk: Client,
) -> None:
    make_user("eve@example.com", verified=False)
    for email, product in (
        ("new@example.com", make_product(live=False)),
        ("eve@example.com", make_product(price_pennies=0)),
    ):
        data = wish(product, email=email)
        desk.post(reverse("order_desk:give"), data)
        copy = Order.objects.get(pk=data["copy_id"])
        assert (copy.user, copy.email, copy.placed_as_guest) == (None, email, True)
        assert UserAsset.objects.get(order_item__order=copy).email == email


def test_a_verified_account_gets_its_copy_as_its_own(desk: Client) -> None:
    user = make_user("ada@example.com")
    data = wish(make_product(), email="ADA@example.com")

    desk.post(reverse("order_desk:give"), data)

    assert Order.objects.get(pk=data["copy_id"]).user == user


@pytest.mark.wide
def test_what_cannot_be_given_is_said_and_nothing_is_lost(desk: Client, order: Order) -> None:
    owned = order.items.get().product
    cases = [
        (wish(owned), "ada@example.com has “Harbour” already"),
        (wish(make_product(assets=[], live=False)), "has no files yet"),
        (wish(owned, email="nonsense"), "email address"),
        (wish(owned, email=""), "Enter the email address"),
        (wish(owned, reason=" "), "Say why"),
        (wish(owned, product=""), "Choose a product"),
        (wish(owned, product="9" * 40), "Choose a product"),
        (wish(owned, product="0"), "Choose a product"),
    ]
    for data, words in cases:
        answer = desk.post(url("free-copy", order), data)
        assert answer.status_code == 200
        assert words in text_of(answer), words
    assert not FreeCopy.objects.exists()
    assert desk.post(url("free-copy", order), wish(owned, copy_id="x")).status_code == 302
    used = wish(make_product(), copy_id=str(order.pk))
    assert "used for something else" in text_of(desk.post(url("free-copy", order), used))


@pytest.mark.wide
def test_a_refund_is_three_presses_from_the_list(desk: Client, order: Order) -> None:
    first = desk.get(order_url(order)).content.decode()
    assert f'href="{refund_url(order)}?all=1"' in first

    asked = desk.get(refund_url(order), {"all": "1"})
    assert "£4.99 goes back to the buyer's Visa ending 4242" in text_of(asked)
    body = asked.content.decode()
    import re
    from html import unescape

    fields = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', body))
    data = {name: unescape(value) for name, value in fields.items()}
    answer = desk.post(refund_url(order), {**data, "step": "do"})

    assert answer.url == order_url(order)
    assert order.payments.get().refunds.get().amount_pennies == 499
    assert desk.get(refund_url(order), {"all": "1"}).url == order_url(order)
