"""Links to what was bought: they open with nothing but themselves, and there is none without a right."""

from __future__ import annotations

import hashlib
import io
import uuid
import zipfile
from typing import Any

import pytest
from django.test import Client

from catalog_pages.models import DigitalAsset, TrackFile
from catalog_pages.versions import version_add
from downloads.content_disposition import content_disposition, safe_file_name
from downloads.models import Download
from orders.tests.happenings import dispute, refund, refund_line, tell
from store_api.tests.buying import body_of, cost, fetch, line_of, listed, problem_of
from store_api.tests.calling import app_of
from tests.factories import buy, make_asset, make_product, make_user

pytestmark = pytest.mark.django_db


def test_formats_are_offered_each_as_a_zip_where_there_are_several(client: Client) -> None:
    user = make_user()
    flac = [make_asset(b"f1" * 100), make_asset(b"f2" * 100)]
    mp3 = [make_asset(text * 50, format_name="MP3") for text in (b"m1", b"m2")]
    buy(client, user, make_product(assets=[*flac, *mp3]))

    (purchase,) = listed(app_of(user))

    assert purchase["archives"] == [
        {"format": "FLAC", "size_bytes": 400},
        {"format": "MP3", "size_bytes": 200},
    ]


def test_a_link_opens_with_nothing_but_itself_and_brings_what_was_said(client: Client) -> None:
    user, asset = make_user(), make_asset(b"the very bytes " * 1000)
    order = buy(client, user, make_product(assets=[asset]))

    answer = app_of(user)("post", f"purchases/{line_of(order)}/link/", {})
    link = answer.json()
    response = fetch(link)
    body = body_of(response)

    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    assert set(link) == {
        "url", "expires_at", "file_name", "content_type", "size_bytes", "sha256",
    }  # fmt: skip
    assert (response.status_code, response.cookies) == (200, {})
    assert response["Content-Type"] == link["content_type"]
    assert link["file_name"] in response["Content-Disposition"]
    assert len(body) == link["size_bytes"]
    assert hashlib.sha256(body).hexdigest() == link["sha256"] == asset.sha256
    assert Download.objects.filter(counted_at__isnull=False).count() == 1


def test_a_download_resumes_by_a_second_link(client: Client) -> None:
    user, asset = make_user(), make_asset(b"the very bytes " * 1000)
    order = buy(client, user, make_product(assets=[asset]))
    app, path = app_of(user), f"purchases/{line_of(order)}/link/"
    half = asset.size_bytes // 2

    first = fetch(app("post", path, {}).json(), Range=f"bytes=0-{half - 1}")
    whole = body_of(first)
    rest = fetch(app("post", path, {}).json(), Range=f"bytes={half}-", If_Range=first["ETag"])
    whole += body_of(rest)

    assert (first.status_code, rest.status_code) == (206, 206)
    assert hashlib.sha256(whole).hexdigest() == asset.sha256
    assert Download.objects.filter(counted_at__isnull=False).count() == 1


def test_a_link_is_to_the_file_that_was_named(client: Client) -> None:
    user, assets = make_user(), [make_asset(), make_asset()]
    order = buy(client, user, make_product(assets=assets))
    app, path = app_of(user), f"purchases/{line_of(order)}/link/"

    first = app("post", path, {}).json()
    second = app("post", path, {"file": str(assets[1].pk)}).json()

    assert (first["sha256"], second["sha256"]) == (assets[0].sha256, assets[1].sha256)


def test_a_newer_version_is_beside_what_was_bought(client: Client) -> None:
    user, old, new = make_user(), make_asset(b"old" * 100), make_asset(b"new" * 100)
    order = buy(client, user, make_product(assets=[old]))
    version_add(old_id=old.pk, new_id=new.pk)
    TrackFile.objects.filter(asset=old).update(asset=new)
    app, path = app_of(user), f"purchases/{line_of(order)}/link/"

    newer = listed(app)[0]["files"][0]["newer"]
    bought = app("post", path, {}).json()
    chosen = app("post", path, {"file": newer["id"]}).json()

    assert (newer["id"], newer["sha256"]) == (str(new.pk), new.sha256)
    assert (bought["sha256"], chosen["sha256"]) == (old.sha256, new.sha256)
    assert hashlib.sha256(body_of(fetch(chosen))).hexdigest() == new.sha256


def test_a_zip_of_a_purchase_is_as_long_as_was_said(client: Client) -> None:
    user = make_user()
    flac, mp3 = make_asset(b"f" * 900), make_asset(b"m" * 90, format_name="MP3")
    order = buy(client, user, make_product("Tidewater", assets=[flac, mp3]))
    app, path = app_of(user), f"purchases/{line_of(order)}/archive-link/"

    whole, one_format = app("post", path, {}).json(), app("post", path, {"format": "MP3"}).json()

    for link, count in ((whole, 2), (one_format, 1)):
        body = body_of(fetch(link))
        assert (len(body), link["content_type"]) == (link["size_bytes"], "application/zip")
        assert link["sha256"] is None
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            assert archive.testzip() is None
            assert len(archive.namelist()) == count
    assert one_format["file_name"] == "Tidewater (MP3).zip"


def test_a_zip_of_the_whole_order_has_every_product(client: Client) -> None:
    user = make_user()
    order = buy(client, user, make_product("Winter"), make_product("Spring"))
    path = f"purchases/{order.items.first().pk}/archive-link/"

    link = app_of(user)("post", path, {"scope": "order"}).json()

    with zipfile.ZipFile(io.BytesIO(body_of(fetch(link)))) as archive:
        assert len(archive.namelist()) == 2
    assert order.number in link["file_name"]


@pytest.mark.parametrize("kind", ["link", "archive-link"])
def test_no_link_is_made_after_a_refund_and_older_ones_end(client: Client, kind: str) -> None:
    user = make_user()
    order = buy(client, user, make_product())
    app, path = app_of(user), f"purchases/{line_of(order)}/{kind}/"
    link = app("post", path, {}).json()

    refund(order)
    tell(client)
    refused = fetch(link, Accept="application/json")

    assert problem_of(app("post", path, {})) == (403, "revoked_by_refund")
    assert problem_of(refused) == (403, "revoked_by_refund")
    assert listed(app)[0]["files"][0]["code"] == "revoked_by_refund"
    assert listed(app)[0]["archives"] == []


def test_a_dispute_closes_until_it_is_won(client: Client) -> None:
    user = make_user()
    order = buy(client, user, make_product())
    app, path = app_of(user), f"purchases/{line_of(order)}/link/"
    dispute(client, order)

    assert problem_of(app("post", path, {})) == (403, "suspended_by_dispute")


def test_no_link_is_made_beyond_the_limit(client: Client) -> None:
    user = make_user()
    order = buy(client, user, make_product(download_limit=1))
    app, path = app_of(user), f"purchases/{line_of(order)}/link/"
    body_of(fetch(app("post", path, {}).json(), Client(headers={"User-Agent": "another"})))

    (purchase,) = listed(app)

    assert problem_of(app("post", path, {})) == (403, "limit_reached")
    assert (purchase["files"][0]["code"], purchase["files"][0]["downloads_left"]) == (
        "limit_reached",
        0,
    )


def test_a_purchase_its_explanation_and_its_link_agree_for_whoever_asks(client: Client) -> None:
    """The one download that there is has been begun: its client goes on with it, another does not."""
    user = make_user()
    order = buy(client, user, make_product(download_limit=1))
    path = f"purchases/{line_of(order)}/"
    same, other = app_of(user), app_of(user, User_Agent="another")
    body_of(fetch(same("post", f"{path}link/", {}).json()))

    for app, allowed, code in ((same, True, ""), (other, False, "limit_reached")):
        files = [
            listed(app)[0]["files"][0],
            app("get", path).json()["files"][0],
            app("get", f"{path}explain/").json()["files"][0],
        ]
        link = app("post", f"{path}link/", {})
        assert [(row["allowed"], row["code"]) for row in files] == [(allowed, code)] * 3
        assert [row["downloads_left"] for row in files] == [0] * 3
        assert len({row["message"] for row in files}) == 1
        assert link.status_code == (200 if allowed else 403)


@pytest.mark.wide
def test_they_agree_as_well_while_another_device_fetches_the_last(client: Client) -> None:
    user = make_user()
    order = buy(client, user, make_product(assets=[make_asset(b"x" * 5000)], download_limit=1))
    path = f"purchases/{line_of(order)}/"
    same, other = app_of(user), app_of(user, User_Agent="another")
    first = fetch(same("post", f"{path}link/", {}).json())
    next(iter(first.streaming_content))

    told = [other("get", path).json(), other("get", f"{path}explain/").json()]
    link = other("post", f"{path}link/", {})
    first.close()

    assert [body["files"][0]["code"] for body in told] == ["download_under_way"] * 2
    assert problem_of(link) == (409, "download_under_way")


@pytest.mark.wide
def test_a_missing_file_is_our_fault_and_says_when_to_ask_again(client: Client) -> None:
    user, asset = make_user(), make_asset()
    order = buy(client, user, make_product(assets=[asset]))
    asset.file.storage.delete(asset.file.name or "")

    (purchase,) = listed(app_of(user))
    answer = app_of(user)("post", f"purchases/{line_of(order)}/link/", {})

    assert purchase["files"][0]["code"] == "file_missing"
    assert problem_of(answer) == (503, "file_missing")
    assert int(answer["Retry-After"]) > 0


@pytest.mark.wide
def test_the_first_file_that_opens_is_the_one_that_is_meant(client: Client) -> None:
    user, assets = make_user(), [make_asset(), make_asset()]
    order = buy(client, user, make_product(assets=assets, download_limit=1))
    app, path = app_of(user), f"purchases/{line_of(order)}/link/"
    body_of(fetch(app("post", path, {}).json(), Client(headers={"User-Agent": "another"})))

    assert app("post", path, {}).json()["sha256"] == assets[1].sha256


@pytest.mark.wide
def test_the_buyer_reads_why_and_no_more(client: Client) -> None:
    user, assets = make_user(), [make_asset(), make_asset()]
    order = buy(client, user, make_product("Winter", assets=assets), make_product("Spring"))
    app = app_of(user)
    winter = order.items.get(title="Winter").pk
    before = app("get", f"purchases/{winter}/explain/").json()

    refund_line(order, "Winter")
    tell(client)
    after = app("get", f"purchases/{winter}/explain/").json()

    assert before["purchase"] == winter
    assert before["files"][0] == {
        "file": str(assets[0].pk),
        "allowed": True,
        "code": "",
        "message": "",
        "downloads_left": 20,
        "download_limit": 20,
        "next": "",
    }
    assert [row["code"] for row in after["files"]] == ["revoked_by_refund"] * 2
    assert all(row["message"] and row["next"] for row in after["files"])
    assert set(after["files"][0]) == set(before["files"][0])


@pytest.mark.wide
def test_explaining_costs_the_same_for_any_number_of_files(client: Client) -> None:
    user = make_user()
    small = buy(client, user, make_product())
    large = buy(client, user, make_product(assets=[make_asset() for _ in range(8)]))
    app = app_of(user)
    app("get", f"purchases/{line_of(small)}/explain/")

    costs = [
        cost(lambda pk=pk: app("get", f"purchases/{pk}/explain/"))[1]
        for pk in (line_of(small), line_of(large))
    ]

    assert costs[0] == costs[1]


@pytest.mark.wide
def test_a_file_of_another_purchase_is_nothing(client: Client) -> None:
    user, theirs = make_user(), make_asset()
    order = buy(client, user, make_product())
    buy(client, make_user(), make_product(assets=[theirs]))
    path = f"purchases/{line_of(order)}/link/"

    for file_id in (theirs.pk, uuid.uuid4()):
        answer = app_of(user)("post", path, {"file": str(file_id)})
        assert problem_of(answer) == (404, "file_unknown")


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("link", {"file": 7}, "file"),
        ("link", {"file": "junk"}, "file"),
        ("link", {"file": None}, "file"),
        ("link", {"file": "urn:uuid:5a3f0d0e-1f6b-4b8e-9d0a-7d5b0a6f0c21"}, "file"),
        ("link", {"file": "5a3f0d0e1f6b4b8e9d0a7d5b0a6f0c21"}, "file"),
        ("link", {"url": "https://elsewhere.example"}, "url"),
        ("archive-link", {"format": "FLAC/../.."}, "format"),
        ("archive-link", {"format": ""}, "format"),
        ("archive-link", {"format": 5}, "format"),
        ("archive-link", {"format": "F" * 21}, "format"),
        ("archive-link", {"scope": "everything"}, "scope"),
        ("archive-link", {"scope": True}, "scope"),
        ("archive-link", {"user": 1}, "user"),
    ],
)
def test_what_cannot_be_meant_is_named(
    client: Client, path: str, body: dict[str, Any], field: str
) -> None:
    user = make_user()
    order = buy(client, user, make_product())

    answer = app_of(user)("post", f"purchases/{line_of(order)}/{path}/", body)

    assert problem_of(answer) == (400, "invalid")
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.wide
@pytest.mark.parametrize("body", [[], "FLAC", 5, True])
def test_a_body_that_is_no_object_is_refused(client: Client, body: Any) -> None:
    user = make_user()
    order = buy(client, user, make_product())

    answer = app_of(user)("post", f"purchases/{line_of(order)}/link/", body)

    assert answer.status_code == 400


@pytest.mark.wide
def test_no_body_is_as_good_as_an_empty_one(client: Client) -> None:
    user = make_user()
    order = buy(client, user, make_product())
    client.force_login(user)

    for kind in ("link", "archive-link"):
        path = f"/api/v1/purchases/{line_of(order)}/{kind}/"
        assert client.generic("POST", path, content_type="").status_code == 200


@pytest.mark.wide
def test_a_format_that_did_not_come_with_it_is_nothing(client: Client) -> None:
    user = make_user()
    order = buy(client, user, make_product())

    answer = app_of(user)("post", f"purchases/{line_of(order)}/archive-link/", {"format": "OPUS"})

    assert problem_of(answer) == (404, "format_unknown")


@pytest.mark.wide
@pytest.mark.parametrize("name", ["été \u202egnp.flac", "a\tb.flac", " .flac", "ø" * 200 + ".flac"])
def test_a_link_names_the_file_as_the_download_does(client: Client, name: str) -> None:
    user, asset = make_user(), make_asset()
    order = buy(client, user, make_product(assets=[asset]))
    DigitalAsset.objects.filter(pk=asset.pk).update(file_name=name)

    (purchase,) = listed(app_of(user))
    link = app_of(user)("post", f"purchases/{line_of(order)}/link/", {}).json()

    assert purchase["files"][0]["file_name"] == link["file_name"]
    assert (
        content_disposition("attachment", file_name=link["file_name"])
        == (fetch(link)["Content-Disposition"])
    )
    assert link["file_name"] == safe_file_name(name)


@pytest.mark.wide
@pytest.mark.parametrize("title", ["AC/DC", "a\tb \u202egnp", "ø" * 200])
def test_a_link_names_the_zip_as_the_download_does(client: Client, title: str) -> None:
    user, product = make_user(), make_product("Tidewater")
    order = buy(client, user, product)
    order.items.update(title=title)

    link = app_of(user)("post", f"purchases/{line_of(order)}/archive-link/", {}).json()

    assert link["file_name"] == safe_file_name(f"{title}.zip")
    assert (
        content_disposition("attachment", file_name=link["file_name"])
        == (fetch(link)["Content-Disposition"])
    )
