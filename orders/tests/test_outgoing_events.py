"""What is told: each fact once, in its own transaction, to whoever wants it, and nothing secret."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from wagtail.models import Comment

from catalog_pages.admin.replacing import asset_replace
from catalog_pages.models import BundledProduct, DigitalAsset, ProductPage
from downloads.content_disposition import safe_file_name
from orders.models import (
    GiftCode,
    Order,
    OrderItemAsset,
    Refund,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
    WebhookType,
)
from orders.services.carts import cart_add
from orders.services.checkout import checkout_start
from orders.services.claims import rights_claim
from orders.services.fulfilment import order_issue_rights, order_mark_paid
from orders.services.gifts import gift_redeem
from orders.services.outgoing import (
    endpoint_delete,
    endpoint_update,
    event_address,
    events_address_due,
    order_paid_tell,
)
from orders.services.refund_facts import refunds_sync
from orders.stripe_sandbox import actions, controls
from orders.tests.guesting import guest_buys
from orders.tests.happenings import refund, refund_line
from orders.tests.hooks import ALL, make_endpoint, receiver, send_all, told
from orders.tests.test_gifts import bought
from site_config.accounts.models import User
from tests.factories import (
    buy,
    make_asset,
    make_bundle,
    make_cart,
    make_editor,
    make_product,
    make_user,
    session_id_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def endpoint() -> WebhookEndpoint:
    return make_endpoint().endpoint


def event_of(kind: str) -> WebhookEvent:
    return WebhookEvent.objects.get(type=kind)


def data_of(kind: str) -> dict[str, Any]:
    return event_of(kind).payload["data"]


def published(page: ProductPage) -> list[WebhookEvent]:
    events = WebhookEvent.objects.filter(type="product.published").order_by("occurred_at")
    return [event for event in events if event.payload["data"]["product"]["id"] == page.pk]


def seats() -> list[int]:
    events = WebhookEvent.objects.filter(type="download.granted")
    return sorted(event.payload["data"]["seat"] for event in events)


def publish(page: ProductPage, **changes: Any) -> None:
    """As an editor does: a new revision each time."""
    page = ProductPage.objects.get(pk=page.pk)
    for name, value in changes.items():
        setattr(page, name, value)
    page.save_revision().publish()


def test_a_paid_order_is_told_with_its_lines_and_amounts(
    client: Client, endpoint: WebhookEndpoint
) -> None:
    product = make_product("Tidewater", price_pennies=899)

    order = buy(client, make_user("ada@example.com"), product)

    payload = event_of("order.paid").payload
    line = order.items.get()
    assert payload == {
        "type": "order.paid",
        "timestamp": order.paid_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "data": {
            "order": {
                "id": str(order.pk),
                "number": order.number,
                "currency": "GBP",
                "subtotal_pennies": 899,
                "discount_pennies": 0,
                "tax_pennies": 0,
                "tax_behavior": "none",
                "total_pennies": 899,
                "lines": [
                    {
                        "id": line.pk,
                        "product_id": product.pk,
                        "title": "Tidewater",
                        "artist": "The Test Pressings",
                        "quantity": 1,
                        "is_gift": False,
                        "unit_price_pennies": 899,
                        "discount_pennies": 0,
                        "tax_pennies": 0,
                        "total_pennies": 899,
                    }
                ],
            }
        },
    }


def test_granted_downloads_are_told_for_each_line_with_its_files(
    client: Client, endpoint: WebhookEndpoint
) -> None:
    asset = make_asset(file_name="tidewater.flac")

    order = buy(client, make_user(), make_product("Tidewater", assets=[asset]), make_product("Ebb"))

    first, second = WebhookEvent.objects.filter(type="download.granted").order_by("dedupe_key")
    line = order.items.get(title="Tidewater")
    [data] = [
        event.payload["data"]
        for event in (first, second)
        if event.payload["data"]["line"]["id"] == line.pk
    ]
    assert data == {
        "order": {"id": str(order.pk), "number": order.number},
        "line": {
            "id": line.pk,
            "product_id": line.product_id,
            "title": "Tidewater",
            "artist": "The Test Pressings",
        },
        "seat": 0,
        "files": [
            {
                "id": str(asset.pk),
                "title": "Tidewater part 1",
                "file_name": "tidewater.flac",
                "content_type": "audio/flac",
                "size_bytes": asset.size_bytes,
                "sha256": asset.sha256,
            }
        ],
    }


def test_an_event_names_a_file_as_the_download_does(
    client: Client, endpoint: WebhookEndpoint
) -> None:
    asset = make_asset()
    DigitalAsset.objects.filter(pk=asset.pk).update(file_name="a\t\u202egnp.flac")

    buy(client, make_user(), make_product(assets=[asset]))

    told = WebhookEvent.objects.get(type="download.granted").payload["data"]
    assert told["files"][0]["file_name"] == safe_file_name("a\t\u202egnp.flac")


def test_nothing_is_written_when_nobody_wants_it(client: Client) -> None:
    make_endpoint(events=["order.refunded"])
    make_endpoint(is_active=False)

    buy(client, make_user(), make_product())

    assert not WebhookEvent.objects.exists()


def test_only_what_an_endpoint_wants_is_written_and_sent_to_it(client: Client) -> None:
    paid = make_endpoint(events=["order.paid"]).endpoint
    off = make_endpoint(is_active=False).endpoint
    granted = make_endpoint(events=["download.granted", "order.refunded"]).endpoint

    buy(client, make_user(), make_product())
    events_address_due()

    assert sorted(told()) == ["download.granted", "order.paid"]
    assert [d.event.type for d in paid.deliveries.all()] == ["order.paid"]
    assert [d.event.type for d in granted.deliveries.all()] == ["download.granted"]
    assert not off.deliveries.exists()


def test_marking_an_order_paid_twice_tells_it_once(
    client: Client, endpoint: WebhookEndpoint
) -> None:
    order = buy(client, make_user(), make_product())
    before = told()

    with transaction.atomic():
        order_mark_paid(order=order, cart=None, at=timezone.now())
        order_paid_tell(order=order, wanted=ALL)
        order_issue_rights(order)

    assert told() == before


def test_a_payment_that_is_rolled_back_is_not_told(
    client: Client, endpoint: WebhookEndpoint
) -> None:
    order = Order.objects.get(pk=buy(client, make_user(), make_product()).pk)
    WebhookEvent.objects.all().delete()

    with transaction.atomic():
        order_mark_paid(order=order, cart=None, at=timezone.now())
        seen = told()
        transaction.set_rollback(True)

    assert seen == ["order.paid"]
    assert told() == []


def test_a_free_order_is_told_as_well(endpoint: WebhookEndpoint) -> None:
    user = make_user()
    cart = make_cart(user, make_product(price_pennies=0))

    checkout_start(cart=cart, user=user, email=user.email, consented=True)

    assert data_of("order.paid")["order"]["total_pennies"] == 0
    assert sorted(set(told())) == ["download.granted", "order.paid", "product.published"]


def test_each_refund_that_succeeds_is_told_once(client: Client, endpoint: WebhookEndpoint) -> None:
    order = buy(client, make_user(), make_product(price_pennies=1000))
    actions.refund(session_id_of(order), amount=300)
    actions.refund(session_id_of(order), amount=700)
    controls.deliver_all(controls.through(client))
    refunds_sync(order.payments.get().stripe_payment_intent_id)

    events = WebhookEvent.objects.filter(type="order.refunded").order_by("occurred_at")
    datas = [event.payload["data"] for event in events]
    assert sorted(data["refund"]["amount_pennies"] for data in datas) == [300, 700]
    assert max(data["order"]["refunded_pennies"] for data in datas) == 1000
    assert {data["order"]["number"] for data in datas} == {order.number}


@pytest.mark.wide
def test_a_refund_of_lines_says_which_and_whether_their_files_go(
    client: Client, endpoint: WebhookEndpoint
) -> None:
    order = buy(client, make_user(), make_product("Winter", price_pennies=500), make_product())

    refund_line(order, "Winter")

    line = order.items.get(title="Winter")
    data = data_of("order.refunded")
    assert data["refund"]["lines"] == [
        {"line_id": line.pk, "amount_pennies": 500, "takes_files_back": True}
    ]
    assert data["refund"]["id"] == str(Refund.objects.get().pk)


@pytest.mark.wide
def test_a_refund_that_is_under_way_or_failed_is_not_told(
    client: Client, endpoint: WebhookEndpoint
) -> None:
    order = buy(client, make_user(), make_product())
    done = refund(order)
    WebhookEvent.objects.all().delete()

    actions.fail_refund(done.stripe_refund_id or "")
    controls.deliver_all(controls.through(client))

    assert "order.refunded" not in told()


def test_a_gift_is_granted_when_it_is_redeemed_and_its_seat_is_named(
    client: Client, endpoint: WebhookEndpoint
) -> None:
    user = make_user()
    cart = make_cart(user)
    cart_add(cart=cart, product_id=make_product().pk, quantity=1, is_gift=True)
    order = checkout_start(cart=cart, user=user, email=user.email, consented=True).order
    actions.pay(session_id_of(order))
    controls.deliver_all(controls.through(client))
    assert "download.granted" not in told()

    gift = GiftCode.objects.get()
    friend = make_user()
    gift_redeem(code_text=gift.code, user=friend)
    gift_redeem(code_text=gift.code, user=friend)

    assert data_of("download.granted")["seat"] == 1


def test_of_several_copies_one_is_told_with_the_payment_and_each_other_when_it_is_redeemed(
    client: Client, endpoint: WebhookEndpoint
) -> None:
    bought(client, make_product(), quantity=3, user=make_user(), is_gift=False)
    at_first = seats()

    for number, gift in enumerate(GiftCode.objects.order_by("seat")):
        gift_redeem(code_text=gift.code, email=f"friend{number}@example.com")
    rights_claim(user=make_user("friend0@example.com"))

    assert (at_first, seats()) == ([0], [0, 1, 2])


def test_nothing_is_granted_to_an_account_that_was_closed_while_it_paid(
    client: Client, endpoint: WebhookEndpoint
) -> None:
    user = make_user()
    cart = make_cart(user, make_product())
    order = checkout_start(cart=cart, user=user, email=user.email, consented=True).order
    User.objects.filter(pk=user.pk).update(is_active=False, closed_at=timezone.now())

    actions.pay(session_id_of(order))
    controls.deliver_all(controls.through(client))

    assert told() == ["product.published", "order.paid"]


def test_a_line_that_gets_a_file_that_was_missing_is_told_and_no_other(
    client: Client,
) -> None:
    order = buy(client, make_user(), make_product("Winter"), make_product("Summer"))
    make_endpoint()
    line = order.items.get(title="Winter")
    OrderItemAsset.objects.create(order_item=line, asset=make_asset(), title="Snow", position=2)

    with transaction.atomic():
        order_issue_rights(order)

    assert data_of("download.granted")["line"]["id"] == line.pk


@pytest.mark.wide
def test_claiming_what_an_address_bought_tells_nothing_new(
    client: Client, endpoint: WebhookEndpoint
) -> None:
    guest_buys(client, "guest@example.com", make_product())
    before = told()
    user = make_user("guest@example.com")

    rights_claim(user=user)

    assert told() == before


def test_publishing_tells_what_the_product_is(endpoint: WebhookEndpoint) -> None:
    page = make_product("Tidewater", price_pennies=899)

    [event] = published(page)
    assert event.payload["data"]["product"] == {
        "id": page.pk,
        "slug": "tidewater",
        "title": "Tidewater",
        "artist": {"name": "The Test Pressings", "slug": "the-test-pressings"},
        "genre": None,
        "currency": "GBP",
        "price_pennies": 899,
        "pay_what_you_want": False,
        "release_date": None,
        "url": "http://testserver/catalog/tidewater/",
    }


@pytest.mark.wide
def test_publishing_again_without_a_change_tells_nothing(endpoint: WebhookEndpoint) -> None:
    page = make_product()

    publish(page)
    publish(page)
    ProductPage.objects.get(pk=page.pk).get_latest_revision().publish()

    assert len(published(page)) == 1


def test_a_comment_among_editors_is_no_news(endpoint: WebhookEndpoint) -> None:
    page = make_product()
    publish(page)
    Comment.objects.create(page=page, user=make_editor(), text="Is this the right cover?")

    publish(page)

    assert len(published(page)) == 1


@pytest.mark.wide
def test_a_bundle_is_told_once_as_long_as_its_contents_stay(endpoint: WebhookEndpoint) -> None:
    first, second, third = make_product(), make_product(), make_product()
    bundle = make_bundle("Both", first, second)

    publish(bundle)
    publish(bundle)
    told_so_far = len(published(bundle))
    changed = ProductPage.objects.get(pk=bundle.pk)
    changed.contents.add(BundledProduct(product=third, sort_order=9))
    changed.save_revision().publish()

    assert (told_so_far, len(published(bundle))) == (1, 2)


@pytest.mark.wide
def test_publishing_a_change_and_taking_it_back_are_told(endpoint: WebhookEndpoint) -> None:
    page = make_product(price_pennies=500)

    publish(page, price_pennies=600)
    publish(page, price_pennies=500)
    publish(page, description="<p>New words</p>")

    prices = [event.payload["data"]["product"]["price_pennies"] for event in published(page)]
    assert prices == [500, 600, 500, 500]


@pytest.mark.wide
def test_a_version_that_is_published_once_more_after_another_is_told_once_more(
    endpoint: WebhookEndpoint,
) -> None:
    page = make_product(price_pennies=500)
    publish(page, price_pennies=600)
    version = ProductPage.objects.get(pk=page.pk).get_latest_revision()
    publish(page, price_pennies=500)

    ProductPage.objects.get(pk=page.pk).revisions.get(pk=version.pk).publish()

    prices = [event.payload["data"]["product"]["price_pennies"] for event in published(page)]
    assert prices == [500, 600, 500, 600]


def test_a_file_that_is_replaced_is_told_when_that_is_published(endpoint: WebhookEndpoint) -> None:
    old, new = make_asset(), make_asset()
    page = make_product(assets=[old])

    [outcome] = asset_replace(old=old, new=new, by=make_editor())
    as_a_draft = len(published(page))
    outcome.revision.publish()

    assert (as_a_draft, len(published(page))) == (1, 2)


def test_a_change_that_is_planned_is_told_on_its_day(endpoint: WebhookEndpoint) -> None:
    page = make_product(price_pennies=500)
    publish(page)

    publish(page, price_pennies=900, go_live_at=timezone.now() + timedelta(hours=1))

    assert ProductPage.objects.get(pk=page.pk).live
    assert len(published(page)) == 1


def test_a_copy_that_is_on_sale_at_once_is_a_product_of_its_own(endpoint: WebhookEndpoint) -> None:
    page = ProductPage.objects.get(pk=make_product("One").pk)

    copy = page.copy(update_attrs={"slug": "two", "title": "Two"}, keep_live=True)
    publish(copy)

    assert (len(published(page)), len(published(copy))) == (1, 1)


def test_a_track_that_is_renamed_is_a_change(endpoint: WebhookEndpoint) -> None:
    page = make_product()
    changed = ProductPage.objects.get(pk=page.pk)
    track = changed.tracks.get()
    track.title = "Another name"
    changed.tracks = [track]

    changed.save_revision().publish()

    assert len(published(page)) == 2


@pytest.mark.wide
def test_on_sale_again_after_it_was_not_is_told_without_a_change(endpoint: WebhookEndpoint) -> None:
    page = make_product()
    ProductPage.objects.get(pk=page.pk).unpublish()

    publish(page)
    publish(page)

    assert len(published(page)) == 2


def test_a_draft_and_a_plan_are_not_told_until_the_day_comes(endpoint: WebhookEndpoint) -> None:
    page = make_product(live=False)
    page.go_live_at = timezone.now() + timedelta(hours=1)
    page.save_revision().publish()
    assert published(page) == []
    revision = page.get_latest_revision()
    revision.content["go_live_at"] = revision.approved_go_live_at = timezone.now() - timedelta(
        hours=1
    )
    revision.content["go_live_at"] = revision.approved_go_live_at.isoformat()
    revision.save()

    call_command("publish_scheduled")

    assert len(published(page)) == 1


def test_no_payload_holds_an_address_a_secret_or_a_link_to_a_file(
    client: Client, endpoint: WebhookEndpoint
) -> None:
    user = make_user("ada.lovelace@example.com", first_name="Ada", last_name="Lovelace")
    cart = make_cart(user, make_product())
    cart_add(cart=cart, product_id=make_product().pk, is_gift=True, quantity=2)
    order = checkout_start(cart=cart, user=user, email=user.email, consented=True).order
    actions.pay(session_id_of(order))
    controls.deliver_all(controls.through(client))
    gift_redeem(code_text=GiftCode.objects.all()[0].code, email="friend@example.com")
    refund(order)

    text = json.dumps([event.payload for event in WebhookEvent.objects.all()])

    order.refresh_from_db()
    payment = order.payments.get()
    assert set(told()) == set(WebhookType.values)
    secrets = [order.link_key, payment.stripe_session_id, payment.stripe_payment_intent_id]
    secrets += [gift.code for gift in GiftCode.objects.all()]
    assert [secret for secret in secrets if secret and secret in text] == []
    assert not re.search(r"@|Lovelace|/downloads/|protected", text)
    assert not re.search(r"\d\.\d", re.sub(r'"(title|url)": "[^"]*"', "", text))


@pytest.mark.wide
def test_the_paid_road_asks_once_whether_anybody_wants_to_know(client: Client) -> None:
    order = buy(client, make_user(), make_product())

    with (
        CaptureQueriesContext(
            connection,
        ) as queries,
        transaction.atomic(),
    ):
        order_mark_paid(order=order, cart=None, at=timezone.now())

    asked = [query["sql"] for query in queries if "webhook" in query["sql"]]
    assert len(asked) == 1
    assert asked[0].startswith("SELECT")


@pytest.mark.wide
def test_an_event_is_addressed_once_to_endpoints_that_were_there_when_it_happened(
    client: Client, endpoint: WebhookEndpoint
) -> None:
    buy(client, make_user(), make_product())
    make_endpoint()
    event = event_of("order.paid")

    assert event_address(event_id=str(event.pk)) == 1
    assert event_address(event_id=str(event.pk)) == 0

    assert [delivery.endpoint for delivery in event.deliveries.all()] == [endpoint]


@pytest.mark.wide
def test_what_happened_while_an_endpoint_was_off_is_not_told_when_it_is_on_again(
    client: Client, endpoint: WebhookEndpoint
) -> None:
    off = endpoint_update(endpoint=make_endpoint().endpoint, is_active=False)
    never_on = make_endpoint(is_active=False).endpoint
    buy(client, make_user(), make_product())
    for late in (off, never_on):
        endpoint_update(endpoint=late, is_active=True)
    event = event_of("order.paid")

    event_address(event_id=str(event.pk))

    assert [delivery.endpoint for delivery in event.deliveries.all()] == [endpoint]


def test_what_happened_before_an_endpoint_was_off_waits_for_it(
    client: Client, endpoint: WebhookEndpoint
) -> None:
    buy(client, make_user(), make_product())
    endpoint_update(endpoint=endpoint, is_active=False)
    event = event_of("order.paid")

    assert event_address(event_id=str(event.pk)) == 1

    assert event.deliveries.get().status == "pending"


def test_an_endpoint_that_is_on_again_is_told_of_what_happens_from_then_on(
    client: Client, endpoint: WebhookEndpoint
) -> None:
    endpoint_update(endpoint=endpoint, is_active=False)
    endpoint_update(endpoint=endpoint, is_active=True)

    buy(client, make_user(), make_product())
    endpoint_update(endpoint=endpoint, is_active=True)  # it is on already

    assert event_address(event_id=str(event_of("order.paid").pk)) == 1


@pytest.mark.wide
def test_an_event_whose_endpoint_is_gone_is_done(client: Client, endpoint: WebhookEndpoint) -> None:
    buy(client, make_user(), make_product())
    endpoint_delete(endpoint=endpoint)

    assert events_address_due() == 0

    assert not WebhookEvent.objects.filter(addressed_at=None).exists()


def test_from_the_payment_to_the_receiver(
    client: Client, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    settings.SITE_BASE_URL = "http://127.0.0.1:8000"
    product = make_product()
    with receiver() as here:
        make_endpoint(here.url, events=["order.paid", "download.granted"])

        with django_capture_on_commit_callbacks(execute=True):
            order = buy(client, make_user(), product)

    assert sorted(got.json["type"] for got in here.received) == ["download.granted", "order.paid"]
    assert {got.json["data"]["order"]["number"] for got in here.received} == {order.number}
    assert set(WebhookDelivery.objects.values_list("status", flat=True)) == {"delivered"}


@pytest.mark.wide
def test_what_the_queue_lost_is_sent_by_the_scheduler(client: Client, settings: Any) -> None:
    settings.SITE_BASE_URL = "http://127.0.0.1:8000"
    with receiver() as here:
        make_endpoint(here.url)
        buy(client, make_user(), make_product())  # no callback runs in this test

        assert send_all() == 3

    assert len(here.received) == 3
