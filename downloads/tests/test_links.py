"""Links: they name a grant and a file, are signed, end, and open what the holder may have now."""

from __future__ import annotations

import io
import uuid
import zipfile
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from downloads.grants import access_block, access_unblock, grants_claim
from downloads.links import archive_url, file_url
from downloads.models import AccessEvent, Revocation, UserAsset
from downloads.tests.granting import body_of, bought, bought_as_guest
from tests.factories import make_asset, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def grant(client: Client) -> UserAsset:
    """Held by an address: whoever has a link needs no session."""
    return bought_as_guest(client)[0]


@pytest.fixture
def own(client: Client) -> UserAsset:
    """Held by the account that `client` is signed in with."""
    return bought(client)[0]


@pytest.fixture
def stranger() -> Client:
    """Without a session, as a download manager is."""
    return Client()


@pytest.fixture
def all_links_have_ended(settings: Any) -> Any:
    """Called in the middle of a test: whatever link was made before is too old."""

    def end() -> None:
        settings.DOWNLOAD_LINK_HOURS = -1

    return end


def key_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["key"][0]


def test_whoever_has_the_link_needs_no_session(grant: UserAsset, stranger: Client) -> None:
    response = stranger.get(file_url(grant))

    assert response.status_code == 200
    assert len(body_of(response)) == grant.asset.size_bytes


def test_a_link_names_grant_and_file_and_neither_holder_nor_path(grant: UserAsset) -> None:
    url = file_url(grant)

    assert str(grant.pk) in url
    assert str(grant.asset_id) in url
    for secret in ("anna", "example", grant.asset.file.name, grant.asset.file_name):
        assert secret not in url


def test_no_link_with_one_bit_changed_opens_anything(grant: UserAsset, stranger: Client) -> None:
    path, _, key = file_url(grant).rpartition("key=")

    for place in range(len(key)):
        flipped = chr(ord(key[place]) ^ 1)
        response = stranger.get(path, {"key": key[:place] + flipped + key[place + 1 :]})
        assert response.status_code == 404, place


@pytest.mark.sampled(4)
@pytest.mark.parametrize("key", ["", "x", ":", "::", "1:2", "é", "\0", "A" * 5000, "1" * 90 + ":a"])
def test_a_key_that_never_was_one_opens_nothing_for_the_holder_either(
    client: Client, own: UserAsset, key: str
) -> None:
    path = reverse("downloads:file", args=[own.pk, own.asset_id])

    with_key = client.get(path, {"key": key})

    assert with_key.status_code == (200 if key == "" else 404)


def test_a_key_opens_its_own_grant_and_file_alone(client: Client, stranger: Client) -> None:
    first, second = bought_as_guest(client, b"one", b"two")
    key = key_of(file_url(first))

    for grant_id, asset_id in [
        (second.pk, second.asset_id),
        (first.pk, second.asset_id),
        (second.pk, first.asset_id),
    ]:
        address = reverse("downloads:file", args=[grant_id, asset_id])
        assert stranger.get(address, {"key": key}).status_code == 404
    for scope in ("line", "order"):
        address = reverse("downloads:archive", args=[first.pk, scope])
        assert stranger.get(address, {"key": key}).status_code == 404


@pytest.mark.wide
def test_an_archives_key_opens_that_archive_alone(client: Client, stranger: Client) -> None:
    first, _ = bought_as_guest(client, b"one", b"two")
    key = key_of(archive_url(first))

    order = reverse("downloads:archive", args=[first.pk, "order"])
    flac = reverse("downloads:archive", args=[first.pk, "line"])
    file = reverse("downloads:file", args=[first.pk, first.asset_id])

    assert stranger.get(order, {"key": key}).status_code == 404
    assert stranger.get(flac, {"key": key, "format": "FLAC"}).status_code == 404
    assert stranger.get(file, {"key": key}).status_code == 404


def test_a_link_that_has_ended_says_so_and_offers_its_holder_a_fresh_one(
    client: Client, own: UserAsset, all_links_have_ended: Any, settings: Any
) -> None:
    url = file_url(own)
    all_links_have_ended()

    answer = client.get(url)

    assert answer.status_code == 410
    settings.DOWNLOAD_LINK_HOURS = 12
    assert client.get(answer.context["fresh_url"]).status_code == 200
    assert AccessEvent.objects.filter(kind="denied", code="link_expired").count() == 1


def test_a_guests_link_that_has_ended_gives_nobody_a_fresh_one(
    grant: UserAsset, stranger: Client, all_links_have_ended: Any
) -> None:
    url = file_url(grant)
    all_links_have_ended()

    answer = stranger.get(url)

    assert answer.status_code == 410
    assert "key=" not in answer.content.decode()
    assert reverse("orders:guest_find") in answer.content.decode()


@pytest.mark.wide
def test_a_holder_goes_on_with_a_download_whose_link_has_ended_meanwhile(
    client: Client, own: UserAsset, all_links_have_ended: Any
) -> None:
    url = file_url(own)
    all_links_have_ended()

    assert client.get(url, headers={"Range": "bytes=100-"}).status_code == 206
    assert Client().get(url, headers={"Range": "bytes=100-"}).status_code == 302


@pytest.mark.wide
def test_a_program_in_the_middle_of_a_guests_download_goes_on_after_the_link_has_ended(
    grant: UserAsset, all_links_have_ended: Any
) -> None:
    url = file_url(grant)
    program, other = (Client(headers={"User-Agent": name}) for name in ("a program", "another"))
    body_of(program.get(url, headers={"Range": "bytes=0-99"}))
    all_links_have_ended()

    assert program.get(url, headers={"Range": "bytes=100-"}).status_code == 206
    assert program.get(url).status_code == 410
    assert other.get(url, headers={"Range": "bytes=100-"}).status_code == 410


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Range": "bytes=0-"},
        {"Range": "bytes=100-,0-0"},
        {"Range": "bytes=100-", "If-Range": '"another"'},
        {"Range": "bytes=200-"},
        {"Range": "bytes=-99999999"},
        {"Range": "lines=100-"},
    ],
)
def test_nothing_but_what_follows_goes_on_after_a_guests_link_has_ended(
    grant: UserAsset, stranger: Client, all_links_have_ended: Any, headers: dict[str, str]
) -> None:
    url = file_url(grant)
    body_of(stranger.get(url, headers={"Range": "bytes=0-99"}))
    all_links_have_ended()

    refused = stranger.get(url, headers=headers)
    resumed = stranger.get(url, headers={"Range": "Bytes=100-"})

    assert (refused.status_code, resumed.status_code) == (410, 206)


@pytest.mark.wide
def test_a_guests_zip_goes_on_in_any_of_its_files_after_the_link_has_ended(
    client: Client, stranger: Client, all_links_have_ended: Any
) -> None:
    first, *_ = bought_as_guest(client, *(bytes([n]) * 200_000 for n in range(3)))
    url = archive_url(first)
    got = body_of(stranger.get(url, headers={"Range": "bytes=0-499999"}))
    all_links_have_ended()

    resumed = stranger.get(url, headers={"Range": f"bytes={len(got)}-"})

    assert resumed.status_code == 206
    with zipfile.ZipFile(io.BytesIO(got + body_of(resumed))) as archive:
        assert archive.testzip() is None
    assert stranger.get(url).status_code == 410


def test_a_zip_whose_link_was_never_used_does_not_begin_after_it_has_ended(
    client: Client, stranger: Client, all_links_have_ended: Any
) -> None:
    first, *_ = bought_as_guest(client, *(bytes([n]) * 200_000 for n in range(3)))
    url = archive_url(first)
    body_of(stranger.get(file_url(first), headers={"Range": "bytes=0-99"}))
    all_links_have_ended()

    answers = [
        stranger.get(url, headers={"Range": f"bytes={start}-"}).status_code
        for start in (0, 1, 5000, 300_000)
    ]

    assert answers == [410, 410, 410, 410]


@pytest.mark.wide
def test_the_link_of_an_account_is_of_no_use_to_others(
    client: Client, own: UserAsset, stranger: Client
) -> None:
    for url in (file_url(own), archive_url(own)):
        signed_out = stranger.get(url)
        program = stranger.get(url, headers={"Accept": "application/json"})
        other = Client()
        other.force_login(make_user())

        assert signed_out["Location"].startswith(reverse("account_login"))
        assert (program.status_code, program.json()["code"]) == (401, "not_signed_in")
        assert other.get(url).status_code == 404
        assert client.get(url).status_code == 200


@pytest.mark.wide
def test_an_old_link_to_what_was_refunded_does_not_say_that_the_file_is_still_theirs(
    grant: UserAsset, stranger: Client, all_links_have_ended: Any
) -> None:
    url = file_url(grant)
    access_block(order_item_ids=[grant.order_item_id], cause="refund")
    all_links_have_ended()

    answer = stranger.get(url, headers={"Accept": "application/problem+json"})

    assert (answer.status_code, answer.json()["code"]) == (403, "revoked_by_refund")


@pytest.mark.wide
def test_a_format_that_is_none_opens_nothing(client: Client, own: UserAsset) -> None:
    address = reverse("downloads:archive", args=[own.pk, "line"])

    for fmt in ("\0", "FLAC\n", "x" * 5000, "\u202eCALF"):
        assert client.get(address, {"format": fmt}).status_code == 404


def test_every_use_of_a_link_looks_at_the_right_as_it_is_now(
    grant: UserAsset, stranger: Client
) -> None:
    url = file_url(grant)

    statuses = [stranger.get(url).status_code]
    access_block(order_item_ids=[grant.order_item_id], cause="dispute")
    statuses.append(stranger.get(url).status_code)
    access_unblock(order_item_ids=[grant.order_item_id], cause="dispute")
    statuses.append(stranger.get(url).status_code)

    assert statuses == [200, 403, 200]


@pytest.mark.wide
def test_the_links_of_a_guest_end_when_an_account_claims_what_they_open(
    grant: UserAsset, stranger: Client
) -> None:
    url = file_url(grant)
    assert stranger.get(url).status_code == 200

    grants_claim(user_id=make_user().pk, order_item_ids=[grant.order_item_id])
    response = stranger.get(url)

    assert response.status_code == 410
    assert "account holds the file now" in response.content.decode()


def test_a_link_of_one_holder_does_not_work_for_the_next(
    grant: UserAsset, stranger: Client
) -> None:
    url = file_url(grant)

    UserAsset.objects.filter(pk=grant.pk).update(email="another@example.com")

    assert stranger.get(url).status_code == 404


def test_what_is_not_yours_answers_as_what_does_not_exist(client: Client, grant: UserAsset) -> None:
    client.force_login(make_user())
    client.get("/downloads/")  # what the first page of a process looks up is no matter here
    addresses = [
        reverse("downloads:file", args=[grant.pk]),
        reverse("downloads:file", args=[grant.pk, grant.asset_id]),
        reverse("downloads:archive", args=[grant.pk, "line"]),
    ]

    for address in addresses:
        for query in ({}, {"key": "1abc:def"}):
            nowhere = address.replace(str(grant.pk), str(uuid.uuid4()))
            with CaptureQueriesContext(connection) as for_foreign:
                foreign = client.get(address, query)
            with CaptureQueriesContext(connection) as for_absent:
                absent = client.get(nowhere, query)
            assert len(for_foreign) == len(for_absent)
            assert foreign.status_code == absent.status_code == 404
            assert foreign.content == absent.content


@pytest.mark.wide
def test_a_file_that_the_grant_is_not_for_does_not_exist(client: Client, grant: UserAsset) -> None:
    other = make_asset()

    assert client.get(file_url(grant, other)).status_code == 404


@pytest.mark.parametrize(
    "path", ["/downloads/../secret/", "/downloads/%2e%2e/", "/downloads/1/", "/downloads/a/b/c.zip"]
)
def test_no_address_reaches_beside_the_grants(client: Client, path: str) -> None:
    assert client.get(path).status_code in (301, 404)


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
def test_programs_read_the_code_of_a_refusal(
    client: Client, grant: UserAsset, cause: str, code: str
) -> None:
    Revocation.objects.create(grant=grant, cause=cause)

    response = client.get(file_url(grant), headers={"Accept": "application/json"})

    assert response.status_code == 403
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == code
    assert response.json()["title"]


@pytest.mark.wide
def test_signed_out_programs_are_told_to_sign_in_and_people_are_led_there(
    grant: UserAsset, stranger: Client
) -> None:
    address = reverse("downloads:file", args=[grant.pk])

    program = stranger.get(address, headers={"Accept": "application/json"})
    person = stranger.get(address)

    assert (program.status_code, program.json()["code"]) == (401, "not_signed_in")
    assert person.status_code == 302
    assert person["Location"] == f"{reverse('account_login')}?next={address}"
