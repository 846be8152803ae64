"""Letters about new versions: to those who asked, while it is true, and once."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.core import mail
from django.test import Client
from django.urls import reverse

from catalog_pages.admin.replacing import asset_replace
from catalog_pages.models import DigitalAsset, ProductPage
from downloads.grants import access_block, access_unblock
from downloads.models import Revocation, UserAsset
from orders.models import Order, OutboxMail, PublishedVersion, UpdateNotice, UpdateWish
from orders.services.claims import account_close, rights_claim
from orders.services.mail import mail_send_due
from orders.services.updates import (
    new_versions_sweep,
    new_versions_tell,
    update_wish_add,
    update_wish_drop,
)
from orders.tests.guesting import guest_buys, letters, links_in, redeemed_gift
from orders.tests.happenings import refund
from tests.factories import buy, make_asset, make_editor, make_product, make_user

pytestmark = pytest.mark.django_db


def replace(old: DigitalAsset, **fields: Any) -> DigitalAsset:
    """A new version, in a draft of every product that uses the old one."""
    new = make_asset(**{"format_name": old.format_name, **fields})
    asset_replace(old=old, new=new, by=make_editor())
    new.refresh_from_db()
    return new


def publish(page: ProductPage) -> int:
    """As an editor does it; the task that follows is done at once. How many letters it wrote."""
    page.refresh_from_db()
    page.get_latest_revision().publish()
    return new_versions_tell(page_id=page.pk)


def wish(grant: UserAsset) -> None:
    update_wish_add(order_item_id=grant.order_item_id, seat=grant.seat)


def press(client: Client, grant: UserAsset, wanted: str = "yes", **data: Any) -> Any:
    address = reverse("orders:update_wish", args=[grant.pk])
    return client.post(address, {"wanted": wanted, **data})


def waiting() -> list[OutboxMail]:
    return list(OutboxMail.objects.filter(kind="new_version").order_by("pk"))


def owner_who_asked(client: Client, *pages: ProductPage, email: str = "") -> Order:
    """Somebody who bought each of these, and asked for letters about all; the receipt is sent."""
    order = buy(client, make_user(email), *pages)
    for grant in UserAsset.objects.filter(order_item__order=order):
        wish(grant)
    letters()
    return order


# --- The letter ---------------------------------------------------------------------------------


def test_who_asked_is_told_what_is_new_that_nothing_is_lost_and_how_to_stop(
    client: Client,
) -> None:
    page = make_product("Harbour", assets=[make_asset(format_name="FLAC")])
    order = owner_who_asked(client, page)
    replace(page.tracks.get().files.get().asset, content=b"x" * 31_000)

    publish(page)

    (text,) = letters()
    text = text.replace("\N{NO-BREAK SPACE}", " ")
    assert "“Harbour” by The Test Pressings: Harbour part 1, FLAC, 31 kB." in text
    assert "What you have stays as it is" in text
    assert "http://testserver/purchases/\n" in text
    assert "No more letters like this: http://testserver/purchases/updates/stop/" in text
    (row,) = waiting()
    assert row.subject == "A new version of “Harbour” from Digital Downloads"
    assert row.to_email == order.email
    assert order.number not in text, "it is about files, not about an order"


def test_several_files_replaced_by_one_publication_are_one_letter(client: Client) -> None:
    page = make_product("Harbour", assets=[make_asset(), make_asset()])
    owner_who_asked(client, page)
    for track in page.tracks.all():
        replace(track.files.get().asset)

    publish(page)

    (text,) = letters()
    assert "Harbour part 1, FLAC" in text
    assert "Harbour part 2, FLAC" in text
    assert waiting()[0].subject.startswith("New versions of “Harbour”")


def test_a_publication_whose_task_was_lost_is_told_later(client: Client) -> None:
    page = make_product("Harbour")
    owner_who_asked(client, page)
    replace(page.tracks.get().files.get().asset)
    page.refresh_from_db()
    page.get_latest_revision().publish()  # and the task that should follow never runs

    assert (new_versions_sweep(), new_versions_sweep()) == (1, 0)
    assert len(letters()) == 1


def test_nobody_is_told_who_did_not_ask(client: Client) -> None:
    page = make_product()
    buy(client, make_user(), page)
    replace(page.tracks.get().files.get().asset)

    publish(page)

    assert waiting() == []
    assert PublishedVersion.objects.count() == 1


@pytest.mark.wide
def test_a_wish_that_was_taken_back_gets_no_letter(client: Client) -> None:
    page = make_product()
    owner_who_asked(client, page)
    replace(page.tracks.get().files.get().asset)
    grant = UserAsset.objects.get()

    update_wish_drop(order_item_id=grant.order_item_id, seat=grant.seat)
    publish(page)

    assert waiting() == []


@pytest.mark.wide
def test_whoever_asks_beside_a_new_version_is_not_told_of_that_one(client: Client) -> None:
    page = make_product()
    buy(client, make_user(), page)
    second = replace(page.tracks.get().files.get().asset)
    publish(page)

    wish(UserAsset.objects.get())
    publish(page)

    assert waiting() == []

    replace(second)
    publish(page)

    assert len(waiting()) == 1


# --- Once ---------------------------------------------------------------------------------------


def test_publishing_again_tells_nobody_again(client: Client) -> None:
    page = make_product()
    owner_who_asked(client, page)
    replace(page.tracks.get().files.get().asset)

    told = [publish(page), publish(page)]
    page.unpublish()
    told.append(publish(page))

    assert told == [1, 0, 0]
    assert len(letters()) == 1


@pytest.mark.wide
def test_two_products_with_the_same_file_are_one_letter(client: Client) -> None:
    shared = make_asset()
    single, album = make_product("Single", assets=[shared]), make_product("Album", assets=[shared])
    owner_who_asked(client, single, album)
    replace(shared)

    publish(single)
    publish(album)

    (text,) = letters()
    assert "“Single”" in text
    assert "“Album”" in text


@pytest.mark.wide
def test_a_second_copy_that_opens_again_later_is_no_reason_for_a_second_letter(
    client: Client,
) -> None:
    shared = make_asset()
    single, album = make_product("Single", assets=[shared]), make_product("Album", assets=[shared])
    order = owner_who_asked(client, single, album)
    line = order.items.get(title="Album")
    access_block(order_item_ids=[line.pk], cause=Revocation.Cause.DISPUTE)
    replace(shared)
    publish(single)
    access_unblock(order_item_ids=[line.pk], cause=Revocation.Cause.DISPUTE)

    publish(album)

    assert len(waiting()) == 1


@pytest.mark.wide
def test_each_version_of_a_chain_is_told_once(client: Client) -> None:
    page = make_product()
    owner_who_asked(client, page)
    second = replace(page.tracks.get().files.get().asset)
    publish(page)
    assert len(letters()) == 1

    replace(second)
    publish(page)
    publish(page)

    assert len(letters()) == 1


@pytest.mark.wide
def test_a_letter_that_a_still_newer_version_overtook_leaves_the_word_to_that_one(
    client: Client,
) -> None:
    page = make_product()
    owner_who_asked(client, page)
    second = replace(page.tracks.get().files.get().asset, content=b"2" * 2_000_000)
    publish(page)
    replace(second, content=b"3" * 3_000_000)
    publish(page)

    (text,) = letters()

    assert "3.0\N{NO-BREAK SPACE}MB" in text
    assert [row.status for row in waiting()] == ["skipped", "sent"]


@pytest.mark.wide
def test_a_letter_skipped_while_the_product_was_off_sale_goes_out_when_it_is_back(
    client: Client,
) -> None:
    page = make_product()
    owner_who_asked(client, page)
    replace(page.tracks.get().files.get().asset)
    publish(page)
    page.unpublish()
    assert letters() == []
    assert [row.status for row in waiting()] == ["skipped"]

    publish(page)

    assert len(letters()) == 1
    publish(page)
    assert letters() == []


# --- Who gets none ------------------------------------------------------------------------------


@pytest.mark.wide
def test_a_refunded_line_gets_no_letter_whenever_it_was_refunded(client: Client) -> None:
    early, late = make_product("Early"), make_product("Late")
    refund(owner_who_asked(client, early))
    order = owner_who_asked(client, late)
    for page in (early, late):
        replace(page.tracks.get().files.get().asset)

    assert publish(early) == 0
    assert publish(late) == 1
    refund(order)
    mail_send_due()

    assert [row.status for row in waiting()] == ["skipped"]


@pytest.mark.wide
def test_a_closed_account_gets_no_letter_whenever_it_was_closed(client: Client) -> None:
    page = make_product()
    first, second = owner_who_asked(client, page), owner_who_asked(client, page)
    replace(page.tracks.get().files.get().asset)
    account_close(user=first.user)

    assert publish(page) == 1
    account_close(user=second.user)
    mail_send_due()

    assert [row.status for row in waiting()] == ["skipped"]
    assert mail.outbox == []


@pytest.mark.wide
def test_an_account_that_staff_switched_off_gets_no_letter(client: Client) -> None:
    page = make_product()
    order = owner_who_asked(client, page)
    replace(page.tracks.get().files.get().asset)
    order.user.is_active = False
    order.user.save()

    assert publish(page) == 0


# --- Guests and gifts ---------------------------------------------------------------------------


@pytest.mark.wide
def test_a_guest_is_told_with_a_fresh_link_and_nothing_of_it_stays_in_the_outbox() -> None:
    page = make_product("Harbour")
    guest_buys(Client(), product=page)
    wish(UserAsset.objects.get())
    letters()
    replace(page.tracks.get().files.get().asset)

    publish(page)

    (text,) = letters()
    (link,) = links_in(text)
    opened = Client().get(link, follow=True)
    assert "Download the new version" in opened.content.decode()
    assert link not in waiting()[0].body_text


@pytest.mark.wide
def test_a_guest_with_two_orders_gets_one_letter_with_a_link_to_each() -> None:
    shared = make_asset()
    single, album = make_product("Single", assets=[shared]), make_product("Album", assets=[shared])
    guest_buys(Client(), "guest@example.com", single)
    guest_buys(Client(), "Guest@Example.com", album)
    for grant in UserAsset.objects.all():
        wish(grant)
    letters()
    replace(shared)

    publish(single)

    (text,) = letters()
    assert len(links_in(text)) == 2


@pytest.mark.wide
def test_whoever_redeemed_a_gift_hears_of_its_new_version_and_the_buyer_does_not(
    client: Client,
) -> None:
    page = make_product("Harbour")
    order = buy(client, make_user(), page)
    gift = redeemed_gift(order, "bo@example.com")
    wish(UserAsset.objects.get(seat=1))
    letters()
    replace(page.tracks.get().files.get().asset)

    publish(page)

    (text,) = letters()
    assert [row.to_email for row in waiting()] == ["bo@example.com"]
    assert order.number not in text
    page_of_gift = Client().get(links_in(text)[0])
    assert page_of_gift["Location"] == reverse("orders:gift_copy", args=[gift.pk])


def test_an_account_that_claims_an_order_takes_the_wish_along_and_is_not_told_twice() -> None:
    page = make_product()
    guest_buys(Client(), "anna@example.com", page)
    wish(UserAsset.objects.get())
    letters()
    second = replace(page.tracks.get().files.get().asset)
    publish(page)
    assert len(letters()) == 1

    rights_claim(user=make_user("anna@example.com"))
    assert publish(page) == 0
    replace(second)
    publish(page)

    (text,) = letters()
    assert "http://testserver/purchases/\n" in text


# --- Asking, and taking it back -----------------------------------------------------------------


def test_an_owner_asks_and_takes_it_back_on_the_purchases_page(client: Client) -> None:
    order = buy(client, make_user(), make_product("Harbour"))
    client.force_login(order.user)
    grant = UserAsset.objects.get()

    asked = press(client, grant)
    again = press(client, grant)

    assert asked.status_code == again.status_code == 303
    assert asked["Location"] == f"/purchases/#purchase-{grant.order_item_id}"
    assert UpdateWish.objects.count() == 1
    assert "We write to you when a file of this" in client.get("/purchases/").content.decode()

    press(client, grant, "no")

    assert UpdateWish.objects.count() == 0
    assert "Tell me when a file of this" in client.get("/purchases/").content.decode()


@pytest.mark.parametrize(
    ("page", "where"),
    [("2", "/purchases/?page=2"), ("//evil", "/purchases/"), ("٢", "/purchases/")],
)
def test_they_come_back_to_the_page_they_were_on(client: Client, page: str, where: str) -> None:
    order = buy(client, make_user(), make_product())
    client.force_login(order.user)

    answer = press(client, UserAsset.objects.get(), page=page)

    assert answer["Location"].partition("#")[0] == where


@pytest.mark.parametrize("wanted", ["yes", "no"])
def test_somebody_elses_purchase_answers_like_none_at_all(client: Client, wanted: str) -> None:
    order = owner_who_asked(client, make_product())
    guest_buys(Client(), "guest@example.com")
    client.force_login(make_user())
    theirs = UserAsset.objects.get(user=order.user)
    guests = UserAsset.objects.get(user=None)
    nothing = UserAsset(pk=uuid.uuid4())

    answers = [press(client, grant, wanted) for grant in (theirs, guests, nothing)]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert answers[0].content == answers[1].content == answers[2].content
    assert list(UpdateWish.objects.values_list("order_item__order", flat=True)) == [order.pk]


def test_signed_out_nobody_can_ask_for_others() -> None:
    order = owner_who_asked(Client(), make_product())
    grant = UserAsset.objects.get(user=order.user)

    answer = press(Client(), grant, "no")

    assert answer.status_code == 302
    assert "/login/" in answer["Location"]
    assert UpdateWish.objects.count() == 1


def test_a_wish_needs_the_token_and_is_never_a_get(client: Client) -> None:
    order = buy(client, make_user(), make_product())
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(order.user)
    address = reverse("orders:update_wish", args=[UserAsset.objects.get().pk])

    assert careful.post(address, {"wanted": "yes"}).status_code == 403
    assert careful.get(address).status_code == 405
    assert UpdateWish.objects.count() == 0


def test_a_guest_asks_on_the_page_of_the_order() -> None:
    browser = Client()
    order = guest_buys(browser, product=make_product("Harbour"))
    grant = UserAsset.objects.get()

    answer = press(browser, grant)

    assert answer["Location"] == f"{order.get_absolute_url()}#purchase-{grant.order_item_id}"
    said = [str(message) for message in get_messages(answer.wsgi_request)]
    assert said[-1] == "We write to you when a file of “Harbour” is replaced."
    assert UpdateWish.objects.filter(order_item=grant.order_item, seat=0).exists()
    assert "Stop these letters" in browser.get(order.get_absolute_url()).content.decode()


# --- The letter's own link ----------------------------------------------------------------------


def stop_link(text: str) -> str:
    found = re.search(r"http://testserver(/purchases/updates/stop/\S+/)", text)
    assert found
    return found[1]


def test_the_link_in_a_letter_stops_all_of_them_once_it_is_confirmed(client: Client) -> None:
    page, other = make_product(), make_product()
    owner_who_asked(client, page, other)
    stranger = owner_who_asked(client, page)
    replace(page.tracks.get().files.get().asset)
    publish(page)
    first, _ = letters()
    reader = Client()

    looked = reader.get(stop_link(first))
    assert looked.status_code == 200
    assert UpdateWish.objects.count() == 3, "programs that look at mail follow links"
    stopped = reader.post(stop_link(first))

    assert "You get no more of them" in stopped.content.decode()
    left = UpdateWish.objects.values_list("order_item__order", flat=True)
    assert list(left) == [stranger.pk]


@pytest.mark.parametrize("token", ["x", "x" * 2000, "WyJhIl0:1tX:y"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_link_that_is_not_ours_stops_nothing(client: Client, token: str, method: str) -> None:
    owner_who_asked(client, make_product())

    answer = getattr(client, method)(reverse("orders:updates_stop", args=[token]))

    assert answer.status_code == 404
    assert UpdateWish.objects.count() == 1


def test_a_notice_and_a_wish_are_unique_in_the_database(client: Client) -> None:
    page = make_product()
    owner_who_asked(client, page)
    replace(page.tracks.get().files.get().asset)
    publish(page)
    publish(page)

    assert UpdateNotice.objects.count() == UpdateWish.objects.count() == 1
    assert "new_version:" in waiting()[0].dedupe_key
