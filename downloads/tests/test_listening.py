"""Playing a bought file on a page: the right of a download, none of which it uses up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from downloads.grants import access_block
from downloads.links import file_url, listen_url
from downloads.listening import heard_first
from downloads.models import AccessEvent, Download, Listening, UserAsset
from downloads.policy import decide
from downloads.tests.granting import CONTENT, body_of, bought, bought_as_guest
from tests.factories import make_asset, make_product, make_user
from tests.together import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def grant(client: Client) -> UserAsset:
    return bought_as_guest(client)[0]


def play(grant: UserAsset, **headers: str) -> Any:
    response = Client().get(listen_url(grant), headers=headers)
    if response.streaming:
        response.body = body_of(response)
    return response


def kinds(grant: UserAsset) -> list[str]:
    return list(grant.events.values_list("kind", flat=True))


def test_a_player_gets_the_whole_file_in_parts_and_to_itself_alone(grant: UserAsset) -> None:
    size = grant.asset.size_bytes

    first = play(grant, Range="bytes=0-99999")
    rest = play(grant, Range="bytes=100000-")

    assert (first.status_code, rest.status_code) == (206, 206)
    assert first["Content-Range"] == f"bytes 0-99999/{size}"
    assert (first.body + rest.body).startswith(CONTENT)
    assert first["Content-Disposition"] == "inline"
    assert first["Content-Type"] == "audio/flac"
    assert first["Cache-Control"] == "private, no-cache"
    assert "ETag" in first


def test_listening_uses_up_no_download_and_is_one_line_of_the_ledger(grant: UserAsset) -> None:
    before = decide(grant)

    for _ in range(3):
        play(grant)

    after = decide(UserAsset.objects.get(pk=grant.pk))
    assert (after.left, after.limit) == (before.left, before.limit)
    assert not Download.objects.exists()
    assert kinds(grant) == ["granted", "listened"]
    assert grant.events.get(kind="listened").asset_id == grant.asset_id


def test_what_plays_is_bounded_by_its_bytes_until_the_window_ends(
    grant: UserAsset, settings: Any
) -> None:
    settings.LISTENING_COPIES = 2
    half = f"bytes=0-{grant.asset.size_bytes // 2 - 1}"

    answers = [play(grant, Range=half).status_code for _ in range(4)]
    beyond = play(grant)

    assert answers == [206] * 4
    assert beyond.status_code == 429
    assert 86_000 < int(beyond["Retry-After"]) <= 86_400
    assert "denied" in kinds(grant)
    assert decide(grant).allowed

    yesterday = timezone.now() - timedelta(hours=25)
    Listening.objects.update(started_at=yesterday)
    assert play(grant).status_code == 200
    assert kinds(grant).count("listened") == 2


def test_what_a_player_breaks_off_is_not_held_against_it(grant: UserAsset) -> None:
    response = Client().get(listen_url(grant), headers={"Range": "bytes=0-"})
    assert Listening.objects.get().sent_bytes == grant.asset.size_bytes

    block = next(iter(response.streaming_content))
    response._iterator.close()  # the test client's own wrapper, which ends the response

    assert Listening.objects.get().sent_bytes == len(block)


@pytest.mark.django_db(transaction=True)
def test_what_is_broken_off_while_more_begins_is_given_back_all_the_same(
    client: Client, settings: Any
) -> None:
    settings.LISTENING_COPIES = 1000
    grant = bought_as_guest(client)[0]

    def seek_about() -> int:
        sent = 0
        for _ in range(10):
            response = Client().get(listen_url(grant), headers={"Range": "bytes=0-"})
            if response.streaming:
                sent += len(next(iter(response.streaming_content)))
                response._iterator.close()
        return sent

    sent = at_once(*[seek_about] * 4)

    assert Listening.objects.get().sent_bytes == sum(sent)


def test_what_has_not_changed_is_not_sent_again(grant: UserAsset) -> None:
    unchanged = play(grant, **{"If-None-Match": f'"{grant.asset.sha256}"'})

    assert unchanged.status_code == 304
    assert not Listening.objects.exists()


def test_what_may_not_be_downloaded_may_not_be_heard(grant: UserAsset) -> None:
    access_block(order_item_ids=[grant.order_item_id], cause="refund")

    assert play(grant).status_code == 403
    assert kinds(grant) == ["granted", "revoked", "denied"]


def test_whoever_has_used_up_the_downloads_has_used_up_listening(grant: UserAsset) -> None:
    UserAsset.objects.update(download_limit=1)
    body_of(Client().get(file_url(grant)))

    assert play(grant).status_code == 403


def test_a_link_for_listening_downloads_nothing_and_the_other_way_round(grant: UserAsset) -> None:
    listen_key = listen_url(grant).partition("?")[2]
    file_key = file_url(grant).partition("?")[2]

    download = Client().get(f"{file_url(grant).partition('?')[0]}?{listen_key}")
    heard = Client().get(f"{listen_url(grant).partition('?')[0]}?{file_key}")

    assert (download.status_code, heard.status_code) == (404, 404)


def test_nobody_else_hears_what_an_account_holds(client: Client) -> None:
    grant = bought(client)[0]
    stranger = Client()
    stranger.force_login(make_user())

    assert client.get(listen_url(grant)).status_code == 200
    assert stranger.get(listen_url(grant)).status_code == 404
    assert Client().get(listen_url(grant)).status_code == 302


def test_what_no_browser_plays_has_no_such_address(client: Client) -> None:
    track = make_product(assets=[make_asset(format_name="AIFF", content_type="audio/aiff")])
    grant = bought_as_guest(client)[0]
    UserAsset.objects.update(asset=track.tracks.get().files.get().asset)
    grant.refresh_from_db()

    assert play(grant).status_code == 404


def test_the_lightest_format_that_plays_is_heard_first() -> None:
    formats = ["AIFF", "FLAC", "MP3", "Opus"]
    grants = [UserAsset(asset=make_asset(format_name=name)) for name in formats]

    first = heard_first(grants)

    assert first is not None
    assert first.asset.format_name == "MP3"
    assert heard_first(grants[:1]) is None


def test_nginx_is_told_to_send_it_and_what_it_was_asked_for_counts(
    grant: UserAsset, settings: Any
) -> None:
    settings.PROTECTED_ACCEL_REDIRECT = "/protected/"

    answer = play(grant, Range="bytes=0-99")

    assert answer["X-Accel-Redirect"].startswith("/protected/")
    assert (answer["Content-Disposition"], answer["Cache-Control"]) == (
        "inline",
        "private, no-cache",
    )
    assert Listening.objects.get().sent_bytes == 100
    assert AccessEvent.objects.filter(kind="listened").count() == 1
