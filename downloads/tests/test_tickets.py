"""Links for programs: they open for whoever has them, for minutes, and no longer than the right stands."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from downloads import links
from downloads.counting import client_digest
from downloads.errors import DownloadUnderWay, FileMissing, LimitReached
from downloads.grants import access_block, access_close_account, access_unblock, grants_claim
from downloads.links import TICKET, archive_url, file_url, ticket_end
from downloads.models import AccessEvent, Download, UserAsset
from downloads.offers import Offer, answers_for_holder, archive_offer, file_offer
from downloads.policy import Client as Digest
from downloads.tests.granting import body_of, bought, held_by_address
from site_config.accounts.models import User
from tests.factories import make_user

pytestmark = pytest.mark.django_db
NOBODY_YET = Digest("a program that has fetched nothing")


@pytest.fixture
def grant(client: Client) -> UserAsset:
    """Held by an account."""
    return bought(client)[0]


@pytest.fixture
def stranger() -> Client:
    """A program with nothing but a link: no cookie, no header."""
    return Client()


@pytest.fixture
def tickets_have_ended(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    return lambda: monkeypatch.setattr(links, "TICKET_LIFETIME", timedelta(seconds=-1))


def offered(grant: UserAsset, client: Digest = NOBODY_YET) -> Offer:
    return file_offer(grant=grant, asset=grant.asset, client=client)


def path_of(offer: Offer) -> str:
    assert offer.url.startswith("http://testserver/")
    return offer.url.removeprefix("http://testserver")


def downloaded(grant: UserAsset, *, times: int, by: str = "another program") -> None:
    now = timezone.now()
    for number in range(times):
        Download.objects.create(
            grant=grant,
            asset=grant.asset,
            client=f"{by} {number}" if number else by,
            started_at=now,
            ends_at=now + timedelta(days=1),
            counted_at=now,
            sent_bytes=grant.asset.size_bytes,
            covered=[[0, grant.asset.size_bytes]],
        )


def limit_to(grant: UserAsset, limit: int) -> UserAsset:
    UserAsset.objects.filter(pk=grant.pk).update(download_limit=limit)
    grant.refresh_from_db()
    return grant


def test_a_ticket_opens_what_an_account_holds_without_its_session(
    grant: UserAsset, stranger: Client
) -> None:
    offer = offered(grant)

    response = stranger.get(path_of(offer))
    body = body_of(response)

    assert response.status_code == 200
    assert (len(body), hashlib.sha256(body).hexdigest()) == (offer.size_bytes, offer.sha256)
    assert (offer.file_name, offer.content_type) == (grant.asset.file_name, "audio/flac")
    assert response["Content-Type"] == offer.content_type
    assert Download.objects.get().counted_at is not None


def test_what_broke_off_is_resumed_by_the_same_link(grant: UserAsset, stranger: Client) -> None:
    offer = offered(grant)
    half = offer.size_bytes // 2

    first = stranger.get(path_of(offer), headers={"Range": f"bytes=0-{half - 1}"})
    whole = body_of(first)
    rest = stranger.get(
        path_of(offer), headers={"Range": f"bytes={half}-", "If-Range": first["ETag"]}
    )
    whole += body_of(rest)

    assert (first.status_code, rest.status_code) == (206, 206)
    assert hashlib.sha256(whole).hexdigest() == offer.sha256
    assert Download.objects.filter(counted_at__isnull=False).count() == 1


def test_a_ticket_ends_within_minutes_and_what_is_under_way_goes_on(
    grant: UserAsset, stranger: Client, tickets_have_ended: Callable[[], None]
) -> None:
    path, half = path_of(offered(grant)), grant.asset.size_bytes // 2
    body_of(stranger.get(path, headers={"Range": f"bytes=0-{half - 1}"}))

    tickets_have_ended()
    rest = stranger.get(path, headers={"Range": f"bytes={half}-"})
    again = stranger.get(path)
    other = Client(headers={"User-Agent": "another"}).get(path, headers={"Range": f"bytes={half}-"})

    assert rest.status_code == 206
    assert len(body_of(rest)) == grant.asset.size_bytes - half
    assert (again.status_code, other.status_code) == (410, 410)
    assert "ticket=" not in again.content.decode()
    assert file_url(grant) not in again.content.decode()


def test_a_ticket_lasts_ten_minutes_or_as_long_as_any_link(settings: Any) -> None:
    now = timezone.now()
    assert timedelta(minutes=9) < ticket_end() - now <= timedelta(minutes=10)

    settings.DOWNLOAD_LINK_HOURS = 0
    assert ticket_end() <= timezone.now()


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    "accept", ["application/json", "application/json, text/plain, */*", "*/*", "audio/flac"]
)
def test_a_refused_ticket_answers_programs_as_data_and_browsers_as_a_page(
    grant: UserAsset, stranger: Client, tickets_have_ended: Callable[[], None], accept: str
) -> None:
    path = file_url(grant, kind=TICKET)
    tickets_have_ended()

    program = stranger.get(path, headers={"Accept": accept})
    person = stranger.get(path, headers={"Accept": BROWSER})

    assert program["Content-Type"] == "application/problem+json"
    assert (program.status_code, program.json()["code"]) == (410, "link_expired")
    assert program.json()["detail"]
    assert (person.status_code, person["Content-Type"]) == (410, "text/html; charset=utf-8")


def test_an_ended_ticket_tells_programs_so(
    grant: UserAsset, stranger: Client, tickets_have_ended: Callable[[], None]
) -> None:
    path = path_of(offered(grant))
    tickets_have_ended()

    answer = stranger.get(path, headers={"Accept": "application/problem+json"})

    assert (answer.status_code, answer.json()["code"]) == (410, "link_expired")


def test_neither_passes_for_the_other(grant: UserAsset, stranger: Client) -> None:
    """A key to what an account holds wants its session; renamed it is no ticket, nor the reverse."""
    key, ticket = file_url(grant), file_url(grant, kind=TICKET)
    assert parse_qs(urlsplit(key).query).keys() == {"key"}
    assert parse_qs(urlsplit(ticket).query).keys() == {"ticket"}

    as_ticket = stranger.get(key.replace("key=", "ticket="))
    as_key = stranger.get(ticket.replace("ticket=", "key="))

    assert (as_ticket.status_code, as_key.status_code) == (404, 404)


@pytest.mark.wide
def test_no_ticket_with_one_bit_changed_opens_anything(grant: UserAsset, stranger: Client) -> None:
    path, _, ticket = file_url(grant, kind=TICKET).rpartition("ticket=")

    for place in range(len(ticket)):
        for bit in (1, 2, 4):
            changed = ticket[:place] + chr(ord(ticket[place]) ^ bit) + ticket[place + 1 :]
            response = stranger.get(path, {"ticket": changed.replace("%3A", ":")})
            assert response.status_code == 404, changed


def test_a_ticket_to_one_file_opens_no_other(client: Client, stranger: Client) -> None:
    first, second = bought(client, b"one", b"two")
    ticket = parse_qs(urlsplit(file_url(first, kind=TICKET)).query)["ticket"][0]
    others = [file_url(second), archive_url(first), archive_url(first, scope="order")]

    for url in others:
        assert stranger.get(url.partition("?")[0], {"ticket": ticket}).status_code == 404


def test_every_use_looks_at_the_right_as_it_is_now(grant: UserAsset, stranger: Client) -> None:
    path = path_of(offered(grant))

    statuses = [stranger.get(path).status_code]
    access_block(order_item_ids=[grant.order_item_id], cause="refund")
    refused = stranger.get(path, headers={"Accept": "application/json"})
    access_unblock(order_item_ids=[grant.order_item_id], cause="refund")
    statuses.append(stranger.get(path).status_code)

    assert statuses == [200, 200]
    assert (refused.status_code, refused.json()["code"]) == (403, "revoked_by_refund")


@pytest.mark.wide
def test_a_ticket_ends_with_its_account(grant: UserAsset, stranger: Client) -> None:
    path = path_of(offered(grant))
    assert grant.user_id is not None

    User.objects.filter(pk=grant.user_id).update(is_active=False)
    locked_out = stranger.get(path).status_code
    User.objects.filter(pk=grant.user_id).update(is_active=True)
    access_close_account(user_id=grant.user_id)

    assert (locked_out, stranger.get(path).status_code) == (404, 403)


@pytest.mark.wide
def test_a_ticket_ends_when_the_holder_changes(grant: UserAsset, stranger: Client) -> None:
    held = held_by_address(grant)
    path = path_of(offered(held))
    assert stranger.get(path).status_code == 200

    grants_claim(user_id=make_user().pk, order_item_ids=[grant.order_item_id])
    claimed = stranger.get(path)
    UserAsset.objects.filter(pk=grant.pk).update(user=None, email="another@example.com")

    assert claimed.status_code == 410
    assert stranger.get(path).status_code == 404


def test_a_ticket_of_one_account_is_none_of_the_next(grant: UserAsset, stranger: Client) -> None:
    path = path_of(offered(grant))

    UserAsset.objects.filter(pk=grant.pk).update(user=make_user())

    assert stranger.get(path).status_code == 404


def test_whoever_is_signed_in_as_somebody_else_may_use_a_ticket(grant: UserAsset) -> None:
    other = Client()
    other.force_login(make_user())

    assert other.get(path_of(offered(grant))).status_code == 200


@pytest.mark.wide
def test_a_zip_is_as_long_as_was_said_and_resumes(client: Client, stranger: Client) -> None:
    grant, _ = bought(client, b"one" * 1000, b"two" * 1000)
    offer = archive_offer(grant=grant, scope="line", fmt="", client=NOBODY_YET)
    assert offer is not None

    first = body_of(stranger.get(path_of(offer), headers={"Range": "bytes=0-999"}))
    rest = stranger.get(path_of(offer), headers={"Range": "bytes=1000-"})
    whole = first + body_of(rest)

    assert rest.status_code == 206
    assert (len(whole), offer.sha256, offer.content_type) == (
        offer.size_bytes,
        None,
        "application/zip",
    )
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == 2
    assert offer.file_name in rest["Content-Disposition"]


@pytest.mark.wide
def test_there_is_no_zip_of_a_format_that_is_not_there(grant: UserAsset) -> None:
    assert archive_offer(grant=grant, scope="line", fmt="OPUS", client=NOBODY_YET) is None


@pytest.mark.wide
def test_no_link_is_given_where_the_limit_is_reached_but_to_whoever_goes_on(
    grant: UserAsset,
) -> None:
    limit_to(grant, 1)
    downloaded(grant, times=1, by="this program")

    with pytest.raises(LimitReached):
        offered(grant)
    assert offered(grant, Digest("this program")).url
    denied = AccessEvent.objects.get(kind="denied")
    assert (denied.code, denied.asset_id) == ("limit_reached", grant.asset_id)


@pytest.mark.wide
def test_no_link_is_given_while_another_program_has_the_last_place(grant: UserAsset) -> None:
    limit_to(grant, 1)
    now = timezone.now()
    Download.objects.create(
        grant=grant,
        asset=grant.asset,
        client="another program",
        started_at=now,
        ends_at=now + timedelta(days=1),
        held_until=now + timedelta(minutes=3),
        open_requests=1,
    )

    with pytest.raises(DownloadUnderWay):
        offered(grant)
    with pytest.raises(DownloadUnderWay):
        archive_offer(grant=grant, scope="line", fmt="", client=NOBODY_YET)
    assert Download.objects.count() == 1


@pytest.mark.wide
def test_no_link_is_given_to_a_file_that_is_missing(grant: UserAsset) -> None:
    grant.asset.file.storage.delete(grant.asset.file.name or "")

    with pytest.raises(FileMissing):
        offered(grant)
    with pytest.raises(FileMissing):
        archive_offer(grant=grant, scope="line", fmt="", client=NOBODY_YET)


@pytest.mark.wide
@pytest.mark.parametrize(
    ("cause", "code"),
    [
        ("refund", "revoked_by_refund"),
        ("dispute", "suspended_by_dispute"),
        ("staff", "revoked_by_staff"),
        ("account", "account_closed"),
    ],
)
def test_the_holder_reads_why_and_what_has_to_happen(
    grant: UserAsset, cause: str, code: str
) -> None:
    (open_still,) = answers_for_holder([grant], client=NOBODY_YET)
    access_block(order_item_ids=[grant.order_item_id], cause=cause)

    (answer,) = answers_for_holder([grant], client=NOBODY_YET)

    assert (open_still.allowed, open_still.code, open_still.next_words) == (True, "", "")
    assert (answer.allowed, answer.code) == (False, code)
    assert answer.message
    assert answer.next_words


@pytest.mark.wide
def test_the_holder_reads_of_limits_and_faults_as_well(client: Client) -> None:
    used, missing = bought(client, b"used", b"missing")
    limit_to(used, 2)
    downloaded(used, times=2)
    missing.asset.file.storage.delete(missing.asset.file.name or "")

    answers = answers_for_holder([used, missing], client=NOBODY_YET)

    assert [answer.code for answer in answers] == ["limit_reached", "file_missing"]
    assert [answer.decision.left for answer in answers] == [0, 20]
    assert all(answer.next_words for answer in answers)


@pytest.mark.wide
def test_the_same_program_is_the_same_client_wherever_it_asks(grant: UserAsset, rf: Any) -> None:
    request = rf.get("/api/v1/purchases/", headers={"User-Agent": "a player"})
    path = path_of(offered(grant))

    body_of(Client(headers={"User-Agent": "a player"}).get(path))

    assert Download.objects.get().client == client_digest(request)
