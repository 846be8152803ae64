"""Every button of the desk: for whoever may press it, by POST alone, written down, and explained."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.core import mail as outbox
from django.db.models import Model
from django.http import HttpResponse
from django.test import Client
from django.urls import NoReverseMatch, reverse
from wagtail.models import ModelLogEntry

from catalog_pages.roles import EDITORS, MODERATORS
from catalog_pages.tests.editors import member_client, owner_client
from orders.models import Order, OrderAnomaly, OutboxMail, StripeEvent
from orders.roles import ACTING, ORDER_DESK, SEEING, ensure_order_roles
from orders.services.anomalies import anomaly_record
from orders.services.mail import mail_send
from orders.stripe_sandbox import actions, controls
from orders.tests.desk import desk_client, order_url, said, staff_client, text_of
from tests.factories import buy, make_product, make_user, session_id_of, start_checkout

pytestmark = pytest.mark.django_db

LISTS = ("order_desk", "order_anomalies", "stripe_events", "outbox_mail")
# address, the right to see, the right to press
BUTTONS = [
    ("order_desk:check", "orders.view_order", "orders.check_order"),
    ("order_anomalies:resolve", "orders.view_orderanomaly", "orders.resolve_orderanomaly"),
    ("stripe_events:retry", "orders.view_stripeevent", "orders.retry_stripeevent"),
    ("outbox_mail:send-again", "orders.view_outboxmail", "orders.resend_outboxmail"),
]


@pytest.fixture
def desk() -> Client:
    return desk_client()


def one_of_each() -> tuple[Order, dict[str, Model]]:
    """A bought order, with a row for every list."""
    order = buy(Client(), make_user(), make_product("Harbour"))
    anomaly_record("amount_mismatch", "cs_test_other", order, "7 GBP")
    event = StripeEvent.objects.get(type="checkout.session.completed")
    StripeEvent.objects.filter(pk=event.pk).update(
        status="failed", handled_at=None, error="Trouble: yes"
    )
    letter = OutboxMail.objects.get(order=order)
    mail_send(mail_id=letter.pk)
    rows = (order, OrderAnomaly.objects.get(), event, letter)
    return order, dict(zip(LISTS, rows, strict=True))


def press(client: Client, name: str, row: Model, **data: str) -> HttpResponse:
    return client.post(reverse(name, args=[row.pk]), data)


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("name", "see", "act"), BUTTONS)
def test_a_button_needs_its_own_right_and_the_right_to_see(name: str, see: str, act: str) -> None:
    _, rows = one_of_each()
    row = rows[name.split(":")[0]]
    page, button = (
        reverse(name.split(":")[0] + ":inspect", args=[row.pk]),
        reverse(name, args=[row.pk]),
    )

    for client in (staff_client(), staff_client(see), staff_client(act)):
        answer = client.post(button)
        assert (answer.status_code, answer.url) == (302, reverse("wagtailadmin_home"))
    assert not ModelLogEntry.objects.filter(action__startswith="orders.").exists()
    assert f'action="{button}"' not in staff_client(see).get(page).content.decode()

    able = staff_client(see, act)
    assert f'action="{button}"' in able.get(page).content.decode()
    answer = able.post(button)

    assert (answer.status_code, answer.url) == (302, page)
    assert said(answer)
    entry = ModelLogEntry.objects.get(action__startswith="orders.")
    assert entry.user == answer.wsgi_request.user


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", [name for name, _, _ in BUTTONS])
def test_a_button_is_no_link(desk: Client, name: str) -> None:
    _, rows = one_of_each()
    address = reverse(name, args=[rows[name.split(":")[0]].pk])

    for method in ("get", "head", "put", "delete"):
        assert getattr(desk, method)(address).status_code == 405


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", [name for name, _, _ in BUTTONS])
def test_a_button_needs_a_csrf_token(desk: Client, name: str) -> None:
    _, rows = one_of_each()
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = desk.cookies

    assert press(strict, name, rows[name.split(":")[0]]).status_code == 403


@pytest.mark.wide
def test_a_button_leads_back_to_the_order_and_nowhere_else(desk: Client) -> None:
    order, rows = one_of_each()
    row = rows["order_anomalies"]
    name = "order_anomalies:resolve"

    assert press(desk, name, row, next=order_url(order)).url == order_url(order)
    for elsewhere in ("https://example.com/", "//example.com", "javascript:alert(1)"):
        assert press(desk, name, row, next=elsewhere).url == reverse(
            "order_anomalies:inspect", args=[row.pk]
        )


@pytest.mark.wide
def test_checking_an_order_that_agrees_says_so(desk: Client) -> None:
    order = buy(Client(), make_user(), make_product())

    answer = press(desk, "order_desk:check", order)

    assert said(answer) == "Everything agrees with Stripe."
    assert "Checked with Stripe: 0 differences" in text_of(desk.get(order_url(order)))


def test_checking_repairs_what_no_event_told(desk: Client) -> None:
    order = start_checkout(make_user(), make_product()).order
    actions.pay(session_id_of(order))

    answer = press(desk, "order_desk:check", order)

    order.refresh_from_db()
    assert order.is_paid
    assert "Repaired." in said(answer)
    assert said(press(desk, "order_desk:check", order)) == "Everything agrees with Stripe."


@pytest.mark.wide
def test_checking_while_stripe_is_down_says_so(desk: Client) -> None:
    order = buy(Client(), make_user(), make_product())
    controls.set_api(controls.Api.DOWN)

    assert "Stripe cannot be asked right now" in said(press(desk, "order_desk:check", order))


def test_what_is_dealt_with_is_marked_once_with_who_and_when(desk: Client) -> None:
    order, rows = one_of_each()
    anomaly = rows["order_anomalies"]

    first = press(desk, "order_anomalies:resolve", anomaly)
    second = press(desk_client(), "order_anomalies:resolve", anomaly)

    anomaly.refresh_from_db()
    assert anomaly.resolved_by == first.wsgi_request.user
    assert said(first) == "Marked as dealt with."
    assert said(second) == "This was dealt with already."
    assert "Marked as dealt with: Amount mismatch: cs_test_other" in text_of(
        desk.get(order_url(order))
    )


def test_a_failed_event_is_handled_again(desk: Client) -> None:
    order, rows = one_of_each()

    answer = press(desk, "stripe_events:retry", rows["stripe_events"], next=order_url(order))

    assert said(answer) == "The event has been handled."
    rows["stripe_events"].refresh_from_db()
    assert rows["stripe_events"].status == StripeEvent.Status.HANDLED
    again = press(desk, "stripe_events:retry", rows["stripe_events"])
    assert said(again) == "Nothing is left to do about this event."


def test_an_event_that_fails_again_says_why(desk: Client) -> None:
    _, rows = one_of_each()
    controls.set_api(controls.Api.DOWN)

    answer = press(desk, "stripe_events:retry", rows["stripe_events"])

    assert said(answer).startswith("It failed again. GatewayUnavailable")
    assert "GatewayUnavailable" in text_of(desk.get(answer.url))


def test_an_event_without_an_order_can_be_tried_and_is_logged_by_itself(desk: Client) -> None:
    _, rows = one_of_each()
    event = rows["stripe_events"]
    StripeEvent.objects.filter(pk=event.pk).update(order=None)
    controls.set_api(controls.Api.DOWN)

    press(desk, "stripe_events:retry", event)

    assert ModelLogEntry.objects.get().object_id == str(event.pk)


def test_mail_is_sent_again(desk: Client, django_capture_on_commit_callbacks: object) -> None:
    order, rows = one_of_each()
    letter = rows["outbox_mail"]

    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        answer = press(desk, "outbox_mail:send-again", letter, next=order_url(order))

    assert answer.url == order_url(order)
    assert order.email in said(answer)
    again = OutboxMail.objects.exclude(pk=letter.pk).get(order=order)
    assert again.requested_by == answer.wsgi_request.user
    assert [message.to for message in outbox.outbox] == [[order.email]] * 2
    assert "Had a mail sent again: Receipt" in text_of(desk.get(order_url(order)))


@pytest.mark.parametrize("name", LISTS)
def test_nothing_can_be_added_changed_or_deleted(name: str) -> None:
    _, rows = one_of_each()
    row, owner = rows[name], owner_client()
    counts = {model: model.objects.count() for model in map(type, rows.values())}
    index = reverse(f"{name}:index")

    for view in ("add", "edit", "delete", "copy", "history", "usage", "reorder"):
        with pytest.raises(NoReverseMatch):
            reverse(f"{name}:{view}", args=[row.pk])
    for end in (
        "new/",
        "add/",
        f"edit/{row.pk}/",
        f"{row.pk}/edit/",
        f"delete/{row.pk}/",
        f"{row.pk}/delete/",
        f"copy/{row.pk}/",
        f"history/{row.pk}/",
        f"usage/{row.pk}/",
    ):
        for answer in (owner.get(index + end), owner.post(index + end)):
            assert answer.status_code == 404
    page = reverse(f"{name}:inspect", args=[row.pk])
    assert owner.post(page).status_code == 405
    assert owner.post(index).status_code == 405
    bodies = owner.get(page).content.decode() + owner.get(index).content.decode()
    for word in (f'href="{index}new/', "/delete/", "/edit/", "/copy/"):
        assert word not in bodies
    assert counts == {model: model.objects.count() for model in counts}


def test_people_without_the_right_see_neither_menu_nor_pages() -> None:
    _, rows = one_of_each()
    strangers = [member_client(EDITORS), member_client(MODERATORS), staff_client()]

    for client in strangers:
        home = client.get(reverse("wagtailadmin_home")).content.decode()
        assert "/admin/orders/" not in home
        for name in LISTS:
            for address in (
                reverse(f"{name}:index"),
                reverse(f"{name}:index_results"),
                reverse(f"{name}:index") + "?export=csv",
                reverse(f"{name}:inspect", args=[rows[name].pk]),
            ):
                assert client.get(address).url == reverse("wagtailadmin_home")


def test_buyers_and_strangers_are_sent_to_sign_in() -> None:
    order, _ = one_of_each()
    buyer = Client()
    buyer.force_login(order.user)

    for client in (Client(), buyer):
        for address in (reverse("order_desk:index"), order_url(order)):
            assert "login" in client.get(address).url


@pytest.mark.parametrize(("name", "see", "act"), BUTTONS)
def test_the_menu_shows_each_list_to_whoever_may_see_its_rows(
    name: str, see: str, act: str
) -> None:
    list_name = name.split(":")[0]

    home = staff_client(see).get(reverse("wagtailadmin_home")).content.decode()

    assert [other for other in LISTS if f'"{reverse(f"{other}:index")}"' in home] == [list_name]


def test_the_order_desk_group_has_its_rights_and_no_others() -> None:
    Group.objects.filter(name=ORDER_DESK).delete()

    for _ in range(2):
        ensure_order_roles()

    rights = {
        f"{right.content_type.app_label}.{right.codename}"
        for right in Group.objects.get(name=ORDER_DESK).permissions.all()
    }
    assert rights == {"wagtailadmin.access_admin", *SEEING, *ACTING}


def test_the_desk_finds_its_way_from_the_site_history(desk: Client) -> None:
    order, _ = one_of_each()
    press(desk, "order_desk:check", order)

    report = owner_client().get(reverse("wagtailadmin_reports:site_history"))

    assert report.status_code == 200
    assert order_url(order) in report.content.decode()
    assert "Checked with Stripe" in text_of(report)


def test_a_group_can_be_given_seeing_and_buttons_but_no_writing() -> None:
    page = owner_client().get(reverse("wagtailusers_groups:add")).content.decode()

    for words in ("Can refund orders", "Can have mail sent again"):
        assert words in page
    assert "Can delete order" not in page
