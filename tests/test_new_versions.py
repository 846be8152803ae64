"""A file is replaced: what was bought stays, the new version stands beside it, and nobody hears twice."""

from __future__ import annotations

import hashlib
import re
from functools import partial

import pytest
from django.core import mail
from django.core.signals import request_finished
from django.db import close_old_connections
from django.test import Client
from django.urls import reverse

from catalog_pages.admin.replacing import Outcome, asset_replace
from catalog_pages.models import DigitalAsset, ProductPage
from catalog_pages.versions import CannotReplace, version_add
from downloads.models import UserAsset
from orders.models import OutboxMail, UpdateNotice
from orders.services.updates import new_versions_tell
from orders.stripe_sandbox import actions
from orders.tests.guesting import guest_buys, redeemed_gift
from orders.tests.happenings import refund, tell
from orders.tests.test_updates import owner_who_asked, publish, replace
from tests.factories import (
    buy,
    make_asset,
    make_editor,
    make_product,
    make_user,
    session_id_of,
    start_checkout,
)
from tests.together import at_once

in_one_transaction = pytest.mark.django_db
for_real = pytest.mark.django_db(transaction=True)


def buttons(body: str) -> list[tuple[str, str]]:
    """Words and address of every button that downloads something."""
    found = re.findall(r'href="(/downloads/[^"]+)"[^>]*>(.*?)</a>', body, flags=re.DOTALL)
    plain = ((re.sub(r"<[^>]+>", " ", words), href) for href, words in found)
    return [
        (" ".join(words.replace("\xa0", " ").split()), href.replace("&amp;", "&"))
        for words, href in plain
    ]


def body_of(client: Client, address: str) -> bytes:
    response = client.get(address)
    assert response.status_code == 200, (address, response.status_code)
    return b"".join(response.streaming_content) if response.streaming else response.content


def fetch(client: Client, address: str, program: str) -> None:
    """All of a file, by a program of this name, and what is counted at its end."""
    response = client.get(address, headers={"User-Agent": program})
    b"".join(response.streaming_content)
    request_finished.disconnect(close_old_connections)  # the test's transaction goes on
    response.close()
    request_finished.connect(close_old_connections)


def sha256_of(client: Client, address: str) -> str:
    return hashlib.sha256(body_of(client, address)).hexdigest()


def words_of(body: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", body).split())


def purchases(client: Client) -> str:
    return client.get(reverse("orders:purchases")).content.decode()


@in_one_transaction
def test_the_new_version_stands_beside_what_was_bought_which_stays_as_it_was(
    client: Client,
) -> None:
    old = make_asset(b"o" * 20_000)
    page = make_product("Harbour", assets=[old])
    order = buy(client, make_user(), page)
    client.force_login(order.user)
    new = replace(old, content=b"n" * 31_000)

    before = buttons(purchases(client))
    publish(page)
    after = buttons(purchases(client))

    assert [words for words, _ in before] == ["Download FLAC, 20 kB"]
    assert [words for words, _ in after] == [
        "Download FLAC, 20 kB",
        "Download the new version, FLAC, 31 kB",
    ]
    assert "New FLAC version since" in purchases(client)
    assert sha256_of(client, after[0][1]) == old.sha256
    assert sha256_of(client, after[1][1]) == new.sha256
    assert UserAsset.objects.get().asset == old


@in_one_transaction
def test_owners_of_any_version_of_a_chain_are_offered_the_last_published_one(
    client: Client,
) -> None:
    first = make_asset(b"1" * 10_000)
    page = make_product(assets=[first])
    early, later = make_user(), make_user()
    buy(client, early, page)
    second = replace(first, content=b"2" * 20_000)
    publish(page)
    buy(client, later, page)
    third = replace(second, content=b"3" * 30_000)
    offered = []
    for is_published in (False, True):
        if is_published:
            publish(page)
        for user in (early, later):
            client.force_login(user)
            offered.append([words for words, _ in buttons(purchases(client))])

    assert offered == [
        ["Download FLAC, 10 kB", "Download the new version, FLAC, 20 kB"],
        ["Download FLAC, 20 kB"],
        ["Download FLAC, 10 kB", "Download the new version, FLAC, 30 kB"],
        ["Download FLAC, 20 kB", "Download the new version, FLAC, 30 kB"],
    ]
    assert third.lineage == first.lineage


@in_one_transaction
def test_taken_from_sale_the_new_version_is_offered_no_more_and_its_link_opens_nothing(
    client: Client,
) -> None:
    old = make_asset()
    page = make_product(assets=[old])
    client.force_login(buy(client, make_user(), page).user)
    replace(old)
    publish(page)
    (_, bought), (_, newer) = buttons(purchases(client))

    page.unpublish()

    assert len(buttons(purchases(client))) == 1
    assert client.get(newer).status_code == 404
    assert sha256_of(client, bought) == old.sha256


@in_one_transaction
def test_a_refunded_owner_gets_neither_the_old_nor_the_new_file(client: Client) -> None:
    old = make_asset()
    page = make_product(assets=[old])
    order = owner_who_asked(client, page)
    client.force_login(order.user)
    replace(old)
    publish(page)
    links = [href for _, href in buttons(purchases(client))]
    assert len(links) == 2

    refund(order)

    assert buttons(purchases(client)) == []
    assert [client.get(link).status_code for link in links] == [403, 403]


@pytest.mark.wide
@in_one_transaction
def test_a_guest_and_a_friend_with_a_gift_are_offered_it_as_well() -> None:
    old = make_asset(b"o" * 10_000)
    page = make_product(assets=[old])
    guest, friend = Client(), Client()
    order = guest_buys(guest, product=page)
    gift = redeemed_gift(order, "bo@example.com")
    session = friend.session
    session["guest_gifts"] = {str(gift.pk): {"key": gift.link_key, "until": 2**40}}
    session.save()
    new = replace(old, content=b"n" * 20_000)
    publish(page)

    pages = [
        guest.get(order.get_absolute_url()).content.decode(),
        friend.get(reverse("orders:gift_copy", args=[gift.pk])).content.decode(),
    ]

    for browser, body in zip((guest, friend), pages, strict=True):
        (_, bought), (words, newer) = buttons(body)
        assert words == "Download the new version, FLAC, 20 kB"
        assert sha256_of(browser, bought) == old.sha256
        assert sha256_of(browser, newer) == new.sha256


@pytest.mark.wide
@in_one_transaction
def test_new_buyers_get_the_new_version_alone(client: Client) -> None:
    old = make_asset()
    page = make_product(assets=[old])
    new = replace(old)
    publish(page)

    client.force_login(buy(client, make_user(), page).user)

    ((_, link),) = buttons(purchases(client))
    assert sha256_of(client, link) == new.sha256


@pytest.mark.wide
@in_one_transaction
def test_an_order_that_waited_for_its_payment_delivers_what_was_agreed_and_offers_the_new(
    client: Client,
) -> None:
    old, user = make_asset(), make_user()
    page = make_product(assets=[old])
    order = start_checkout(user, page).order
    replace(old)
    publish(page)

    actions.pay(session_id_of(order))
    tell(client)

    client.force_login(user)
    (_, bought), _ = buttons(purchases(client))
    assert sha256_of(client, bought) == old.sha256


# --- For real: signals, tasks and threads ---------------------------------------------------------


@for_real
def test_an_editor_publishes_and_the_letter_is_sent(client: Client) -> None:
    old = make_asset()
    page = make_product("Harbour", assets=[old])
    owner_who_asked(client, page)
    replace(old)

    page.refresh_from_db()
    page.get_latest_revision().publish()

    assert [letter.subject for letter in mail.outbox] == [
        "A new version of “Harbour” from Digital Downloads"
    ]


@pytest.mark.wide
@for_real
def test_publications_at_once_are_one_letter_for_each_who_asked(client: Client) -> None:
    shared = make_asset()
    pages = [make_product(f"Record {number}", assets=[shared]) for number in range(3)]
    for _ in range(3):
        owner_who_asked(client, *pages)
    mail.outbox.clear()
    replace(shared)
    for page in pages:
        publish(page)
    OutboxMail.objects.filter(kind="new_version").delete()
    UpdateNotice.objects.all().delete()
    mail.outbox.clear()

    results = at_once(*[partial(new_versions_tell, page_id=page.pk) for page in pages] * 2)

    assert sum(results) == 3, results
    told = OutboxMail.objects.filter(kind="new_version")
    assert told.count() == told.values("to_email").distinct().count() == 3
    assert len(mail.outbox) == 3


@pytest.mark.wide
@for_real
def test_of_editors_who_replace_one_file_at_once_one_wins() -> None:
    old = make_asset()
    page = make_product(assets=[old])
    rivals = [(make_asset(), make_editor()) for _ in range(4)]

    results = at_once(
        *[partial(asset_replace, old=old, new=new, by=editor) for new, editor in rivals]
    )

    won = [result for result in results if isinstance(result, list)]
    assert len(won) == 1, results
    assert isinstance(won[0][0], Outcome)
    assert sum(isinstance(result, CannotReplace) for result in results) == 3, results
    successor = DigitalAsset.objects.get(replaces=old)
    draft = ProductPage.objects.get(pk=page.pk).get_latest_revision_as_object()
    assert [file.asset for file in draft.tracks.first().files.all()] == [successor]


@pytest.mark.sampled(4)
@for_real
@pytest.mark.parametrize("turn", range(4))
def test_a_ring_of_replacements_at_once_never_closes(turn: int) -> None:
    ring = [make_asset() for _ in range(3)]

    results = at_once(
        *[
            partial(version_add, old_id=old.pk, new_id=new.pk)
            for old, new in zip(ring, [*ring[1:], ring[0]], strict=True)
        ]
    )

    assert all(isinstance(result, DigitalAsset | CannotReplace) for result in results), results
    rows = DigitalAsset.objects.filter(pk__in=[asset.pk for asset in ring])
    assert rows.filter(replaces=None).count() >= 1
    for row in rows.exclude(replaces=None).select_related("replaces"):
        assert row.lineage == row.replaces.lineage
