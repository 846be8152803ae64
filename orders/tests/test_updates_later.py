"""Letters about new versions after something changed: an address, a wish, a dispute, a queue."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import transaction
from django.test import Client
from django.utils import timezone

from catalog_pages.models import ProductPage
from downloads.grants import access_block, access_unblock
from downloads.models import Revocation, UserAsset
from orders.models import OutboxMail, UpdateNotice, UpdateWish
from orders.receivers import tell_about_new_versions
from orders.services.claims import rights_claim
from orders.services.mail import mail_send_due
from orders.services.mail.outbox import mail_send_again
from orders.services.update_facts import copies_among
from orders.services.updates import new_versions_sweep, new_versions_tell, update_wish_drop
from orders.tests.guesting import guest_buys, letters
from orders.tests.test_updates import owner_who_asked, publish, replace, waiting, wish
from tests.factories import make_asset, make_product, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.wide]


def replace_file_of(page: ProductPage) -> None:
    replace(page.tracks.get().files.get().asset)


def days_pass(number: int) -> None:
    then = timezone.now() - timedelta(days=number)
    ProductPage.objects.update(last_published_at=then)


def drop(grant: UserAsset) -> None:
    update_wish_drop(order_item_id=grant.order_item_id, seat=grant.seat)


# --- To whom --------------------------------------------------------------------------------------


def test_a_letter_goes_to_the_address_that_the_account_has_when_it_is_sent(client: Client) -> None:
    page = make_product()
    user = owner_who_asked(client, page).user
    replace_file_of(page)
    publish(page)
    user.email = "new@example.com"
    user.save()

    mail_send_due()

    assert [letter.to for letter in mail.outbox] == [["new@example.com"]]
    assert [row.to_email for row in waiting()] == ["new@example.com"]


def test_sent_again_it_goes_to_the_address_of_then(client: Client) -> None:
    page = make_product()
    user = owner_who_asked(client, page).user
    replace_file_of(page)
    publish(page)
    letters()
    user.email = "new@example.com"
    user.save()

    mail_send_again(mail=waiting()[0], by=make_user())
    mail_send_due()

    assert [letter.to for letter in mail.outbox] == [["new@example.com"]]


def test_what_an_account_claimed_while_the_letter_waited_is_told_to_the_account() -> None:
    page = make_product()
    guest_buys(Client(), "Anna@Example.com", page)
    wish(UserAsset.objects.get())
    letters()
    replace_file_of(page)
    publish(page)
    user = make_user("anna@example.com")
    rights_claim(user=user)
    user.email = "other@example.com"
    user.save()

    mail_send_due()

    (letter,) = mail.outbox
    assert letter.to == ["other@example.com"]
    assert "http://testserver/purchases/\n" in letter.body


def test_an_address_in_other_capitals_stays_as_it_was_written(client: Client) -> None:
    page = make_product()
    user = owner_who_asked(client, page, email="anna@example.com").user
    replace_file_of(page)
    publish(page)
    user.email = "Anna@example.com"
    user.save()

    mail_send_due()

    assert [letter.to for letter in mail.outbox] == [["anna@example.com"]]


# --- A wish that comes again ----------------------------------------------------------------------


@pytest.mark.parametrize("is_skipped_first", [True, False])
def test_whoever_asks_again_beside_the_new_version_is_not_told_of_it_later(
    is_skipped_first: bool, client: Client
) -> None:
    page = make_product()
    owner_who_asked(client, page)
    grant = UserAsset.objects.get()
    replace_file_of(page)
    publish(page)
    drop(grant)
    if is_skipped_first:
        assert letters() == []

    wish(grant)
    publish(page)
    new_versions_sweep()

    assert letters() == []
    assert [row.status for row in waiting()] == ["skipped"]


def test_who_asks_again_after_the_letter_can_still_stop_by_its_link(client: Client) -> None:
    page = make_product()
    owner_who_asked(client, page)
    replace_file_of(page)
    publish(page)
    assert len(letters()) == 1

    wish(UserAsset.objects.get())

    assert UpdateNotice.objects.get().letter == waiting()[0]


# --- Told late ------------------------------------------------------------------------------------


def test_a_publication_during_a_dispute_is_told_whenever_that_is_won(client: Client) -> None:
    page = make_product()
    owner_who_asked(client, page)
    line = [UserAsset.objects.get().order_item_id]
    access_block(order_item_ids=line, cause=Revocation.Cause.DISPUTE)
    replace_file_of(page)
    publish(page)
    days_pass(30)
    assert new_versions_sweep() == 0

    access_unblock(order_item_ids=line, cause=Revocation.Cause.DISPUTE)

    assert (new_versions_sweep(), new_versions_sweep()) == (1, 0)
    assert len(letters()) == 1


def test_a_letter_that_a_dispute_stopped_goes_out_whenever_that_is_won(client: Client) -> None:
    page = make_product()
    owner_who_asked(client, page)
    line = [UserAsset.objects.get().order_item_id]
    replace_file_of(page)
    publish(page)
    access_block(order_item_ids=line, cause=Revocation.Cause.DISPUTE)
    assert letters() == []
    days_pass(30)

    access_unblock(order_item_ids=line, cause=Revocation.Cause.DISPUTE)
    new_versions_sweep()

    assert len(letters()) == 1
    new_versions_sweep()
    assert letters() == []


def test_a_sweep_asks_no_more_for_products_of_which_everybody_knows(
    client: Client, django_assert_num_queries: Any
) -> None:
    for _ in range(3):
        page = make_product()
        owner_who_asked(client, page)
        replace_file_of(page)
        publish(page)
    days_pass(30)

    with django_assert_num_queries(1):
        assert new_versions_sweep() == 0


# --- Many, and a queue that is away ---------------------------------------------------------------


@pytest.mark.parametrize(
    "copies", [{(n, 0) for n in range(1500)}, {(n, n % 7) for n in range(9000)}]
)
def test_thousands_of_copies_are_one_filter(copies: set[tuple[int, int]], client: Client) -> None:
    owner_who_asked(client, make_product())
    grant = UserAsset.objects.get()
    copy = (grant.order_item_id, grant.seat)

    assert UpdateWish.objects.filter(copies_among(copies | {copy})).count() == 1
    assert UpdateWish.objects.filter(copies_among(copies - {copy})).count() == 0


def test_seats_are_told_apart(client: Client) -> None:
    owner_who_asked(client, make_product())
    line = UserAsset.objects.get().order_item_id

    assert UpdateWish.objects.filter(copies_among({(line, 1), (line + 1, 0)})).count() == 0
    assert UpdateWish.objects.filter(copies_among(set())).count() == 0


@pytest.mark.django_db(transaction=True)
def test_a_queue_that_is_away_does_not_disturb_the_publishing(
    client: Client, settings: Any
) -> None:
    page = make_product(assets=[make_asset()])
    owner_who_asked(client, page)
    replace_file_of(page)
    page.refresh_from_db()
    settings.TASKS = {"default": {"BACKEND": "queue.that.is.away"}}

    with transaction.atomic():
        tell_about_new_versions(instance=page)

    assert waiting() == []


@pytest.mark.django_db(transaction=True)
def test_nor_the_telling_of_what_was_skipped(client: Client, settings: Any) -> None:
    page = make_product(assets=[make_asset()])
    owner_who_asked(client, page)
    replace_file_of(page)
    publish(page)
    OutboxMail.objects.filter(kind="new_version").update(status="skipped", sent_at=None)
    settings.TASKS = {"default": {"BACKEND": "queue.that.is.away"}}

    new_versions_tell(page_id=page.pk)

    assert [row.status for row in waiting()] == ["queued"]
