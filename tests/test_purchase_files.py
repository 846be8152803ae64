"""The purchases page offers archives, and says what is left of a limit."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from downloads.models import UserAsset
from orders.tests.test_updates import publish, replace, wish
from tests.factories import (
    buy,
    make_asset,
    make_product,
    make_user,
)
from tests.test_new_versions import body_of, buttons, fetch, purchases, words_of

pytestmark = pytest.mark.django_db


def test_one_zip_of_a_line_is_offered_where_several_files_are_open(client: Client) -> None:
    album = make_product("Album", assets=[make_asset(b"a" * 10_000), make_asset(b"b" * 20_000)])
    single = make_product("Single")
    client.force_login(buy(client, make_user(), album, single).user)

    words = [words for words, _ in buttons(purchases(client)) if "all" in words]

    assert words == ["Download all (30 kB)"]


@pytest.mark.wide
def test_a_line_in_several_formats_has_one_zip_for_each(client: Client) -> None:
    files = [
        make_asset(name * size, format_name=fmt)
        for name, size, fmt in (
            (b"a", 10_000, "FLAC"), (b"b", 20_000, "FLAC"), (b"c", 1_000, "MP3"), (b"d", 2_000, "MP3")
        )
    ]  # fmt: skip
    client.force_login(buy(client, make_user(), make_product(assets=files)).user)

    archives = [(words, href) for words, href in buttons(purchases(client)) if "all" in words]

    assert [words for words, _ in archives] == [
        "Download all as FLAC, 30 kB",
        "Download all as MP3, 3.0 kB",
    ]
    for _, href in archives:
        assert body_of(client, href)[:2] == b"PK"


@pytest.mark.wide
def test_owners_see_what_is_left_of_a_limit(client: Client, settings: Any) -> None:
    settings.DOWNLOAD_LIMIT = 3
    client.force_login(buy(client, make_user(), make_product(assets=[make_asset()])).user)
    ((_, link),) = buttons(purchases(client))
    assert "3 of 3 downloads left of each file" in words_of(purchases(client))

    for program in ("one", "two"):
        fetch(client, link, program)

    assert "FLAC: 1 of 3 downloads left" in words_of(purchases(client))
    assert "1 of 3 downloads left of each file" in words_of(purchases(client))


@pytest.mark.wide
def test_without_a_limit_nothing_is_said_of_one(client: Client, settings: Any) -> None:
    settings.DOWNLOAD_LIMIT = 0
    client.force_login(buy(client, make_user(), make_product()).user)

    assert "left of each file" not in purchases(client)


@pytest.mark.wide
def test_a_version_is_offered_while_the_file_that_was_bought_is_used_up(
    client: Client, settings: Any
) -> None:
    settings.DOWNLOAD_LIMIT = 1
    old = make_asset()
    page = make_product(assets=[old])
    client.force_login(buy(client, make_user(), page).user)
    ((_, link),) = buttons(purchases(client))
    fetch(client, link, "one")
    replace(old)
    publish(page)

    ((words, newer),) = buttons(purchases(client))

    assert words.startswith("Download the new version")
    assert body_of(client, newer)


@pytest.mark.wide
def test_the_purchases_page_asks_no_more_for_more_purchases(client: Client) -> None:
    user = make_user()
    client.force_login(user)
    counts = []
    for _ in range(2):
        for _ in range(1 + 3 * len(counts)):
            pages = [make_product(assets=[make_asset(), make_asset()]) for _ in range(2)]
            buy(client, user, *pages)
            for page in pages:
                replace(page.tracks.first().files.get().asset)
                publish(page)
        for grant in UserAsset.objects.all():
            wish(grant)
        purchases(client)  # what is cached is cached now
        with CaptureQueriesContext(connection) as queries:
            body = purchases(client)
        counts.append(len(queries))

    assert body.count("Download the new version") == 10
    assert body.count("Stop these letters") == 10
    assert counts[0] == counts[1]
