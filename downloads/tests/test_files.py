"""Paid files, excerpts and covers over HTTP."""

from __future__ import annotations

import hashlib
import io
import uuid
from functools import partial
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from PIL import Image

from catalog_pages.models import DigitalAsset, Excerpt
from downloads.counting import limit_reset
from downloads.grants import access_block, access_unblock
from downloads.links import file_url
from downloads.models import AccessEvent, LedgerIsAppendOnly, UserAsset
from tests.factories import buy, make_asset, make_editor, make_product, make_user

pytestmark = pytest.mark.django_db
CONTENT = bytes(range(256)) * 1000


@pytest.fixture
def grant(client: Client) -> UserAsset:
    user = make_user()
    buy(
        client,
        user,
        make_product(assets=[make_asset(CONTENT + uuid.uuid4().bytes, file_name="Åse.flac")]),
    )
    client.force_login(user)
    return UserAsset.objects.get()


def fetch(client: Client, grant: UserAsset, **headers: str) -> Any:
    return client.get(reverse("downloads:file", args=[grant.pk]), headers=headers)


def body_of(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def test_a_whole_file_says_everything_a_client_needs(client: Client, grant: UserAsset) -> None:
    response = fetch(client, grant)

    assert response.status_code == 200
    assert response["Content-Length"] == str(grant.asset.size_bytes)
    assert response["ETag"] == f'"{grant.asset.sha256}"'
    assert response["Accept-Ranges"] == "bytes"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Type"] == "audio/flac"
    assert response["Content-Disposition"].startswith("attachment")
    assert "filename*=UTF-8''%C3%85se.flac" in response["Content-Disposition"]
    assert "no-store" in response["Cache-Control"]
    assert "Last-Modified" in response
    assert hashlib.sha256(body_of(response)).hexdigest() == grant.asset.sha256


def test_parts_put_together_are_the_file(client: Client, grant: UserAsset) -> None:
    first = fetch(client, grant, Range="bytes=0-99999")
    rest = fetch(client, grant, Range="bytes=100000-")

    assert first.status_code == rest.status_code == 206
    joined = body_of(first) + body_of(rest)
    assert hashlib.sha256(joined).hexdigest() == grant.asset.sha256


def test_head_has_the_headers_and_no_body(client: Client, grant: UserAsset) -> None:
    response = client.head(reverse("downloads:file", args=[grant.pk]))

    assert response.status_code == 200
    assert response["Content-Length"] == str(grant.asset.size_bytes)
    assert response.content == b""
    assert not AccessEvent.objects.filter(kind="downloaded").exists()


def test_beyond_the_end_is_416_and_unchanged_is_304(client: Client, grant: UserAsset) -> None:
    size = grant.asset.size_bytes

    beyond = fetch(client, grant, Range=f"bytes={size}-")
    unchanged = fetch(client, grant, **{"If-None-Match": f'"{grant.asset.sha256}"'})

    assert (beyond.status_code, beyond["Content-Range"]) == (416, f"bytes */{size}")
    assert unchanged.status_code == 304


def test_a_right_taken_away_answers_403_between_two_ranges_and_comes_back(
    client: Client, grant: UserAsset
) -> None:
    before = fetch(client, grant, Range="bytes=0-9").status_code
    access_block(order_item_ids=[grant.order_item_id], cause="refund")
    stopped = fetch(client, grant, Range="bytes=10-19")
    access_unblock(order_item_ids=[grant.order_item_id], cause="refund")
    after = fetch(client, grant, Range="bytes=10-19").status_code

    assert (before, stopped.status_code, after) == (206, 403, 206)
    assert "refunded" in stopped.content.decode()
    kinds = list(AccessEvent.objects.values_list("kind", flat=True))
    assert kinds == ["granted", "revoked", "denied", "restored"]


def test_one_cause_lifted_leaves_the_other_standing(client: Client, grant: UserAsset) -> None:
    for cause in ("refund", "dispute"):
        access_block(order_item_ids=[grant.order_item_id], cause=cause)
        access_block(order_item_ids=[grant.order_item_id], cause=cause)
    access_unblock(order_item_ids=[grant.order_item_id], cause="dispute")

    assert fetch(client, grant).status_code == 403


def test_a_vanished_file_is_a_503_with_an_apology_and_the_right_stays(
    client: Client, grant: UserAsset, caplog: pytest.LogCaptureFixture
) -> None:
    grant.asset.file.storage.delete(grant.asset.file.name)
    for headers in ({"Range": "bytes=99999999-"}, {"If-None-Match": "*"}):
        assert fetch(client, grant, **headers).status_code == 503

    response = fetch(client, grant)

    assert response.status_code == 503
    assert response["Retry-After"]
    assert str(grant.asset_id) in caplog.text
    assert not grant.revocations.exists()


def test_a_file_cut_short_is_not_sent_as_if_it_were_whole(client: Client, grant: UserAsset) -> None:
    storage, name = grant.asset.file.storage, grant.asset.file.name
    storage.delete(name)
    storage.save(name, ContentFile(CONTENT[:1000]))

    assert fetch(client, grant).status_code == 503


def test_a_file_that_left_its_product_stays_with_whoever_bought_it(
    client: Client, grant: UserAsset
) -> None:
    page = grant.order_item.product
    page.tracks.set([])
    page.save_revision()
    page.unpublish()

    assert fetch(client, grant).status_code == 200
    assert client.get(file_url(grant)).status_code == 200


def test_another_method_is_not_allowed(client: Client, grant: UserAsset) -> None:
    assert client.post(reverse("downloads:file", args=[grant.pk])).status_code == 405


def test_the_ledger_cannot_be_rewritten(grant: UserAsset) -> None:
    event = AccessEvent.objects.get(kind="granted")
    event.code = "nothing happened"

    for rewrite in (
        event.save,
        event.delete,
        AccessEvent.objects.all().delete,
        partial(AccessEvent.objects.update, code="nothing happened"),
    ):
        with pytest.raises(LedgerIsAppendOnly):
            rewrite()
    for column in ("code = 'nothing happened'", "id = id + 1", f"actor_id = {make_user().pk}"):
        with (
            pytest.raises(IntegrityError),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(f"UPDATE downloads_accessevent SET {column}")


def test_who_pressed_a_button_may_be_forgotten_with_the_account(grant: UserAsset) -> None:
    actor = make_editor()
    limit_reset(grant=grant, actor_id=actor.pk)

    actor.delete()

    assert AccessEvent.objects.get(kind="limit_reset").actor is None


def make_excerpt(asset: DigitalAsset, content: bytes = b"mp3" * 1000) -> Excerpt:
    excerpt = Excerpt(
        asset=asset, start_ms=0, length_ms=30_000, duration_ms=30_000, size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )  # fmt: skip
    excerpt.file.save("x.mp3", ContentFile(content), save=False)
    excerpt.save()
    return excerpt


def test_an_excerpt_plays_for_everybody_with_ranges_and_a_long_life(client: Client) -> None:
    asset = make_asset()
    make_product(assets=[asset])
    excerpt = make_excerpt(asset)

    response = client.get(excerpt.file.url, headers={"Range": "bytes=0-1"})

    assert response.status_code == 206
    assert response["Content-Range"] == "bytes 0-1/3000"
    assert response["Content-Type"] == "audio/mpeg"
    assert "max-age=31536000" in response["Cache-Control"]
    assert not response.cookies


def test_an_excerpt_of_what_was_never_published_is_for_staff_alone(client: Client) -> None:
    asset = make_asset()
    product = make_product(assets=[asset], live=False)
    excerpt = make_excerpt(asset)

    hidden = client.get(excerpt.file.url).status_code
    client.force_login(make_editor())
    staff = client.get(excerpt.file.url)
    client.logout()
    product.get_latest_revision().publish()
    published = client.get(excerpt.file.url).status_code

    assert (hidden, staff.status_code, published) == (404, 200, 200)
    assert "no-store" in staff["Cache-Control"]


def test_a_cover_has_ranges_and_a_long_life(client: Client) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (50, 50)).save(picture, "PNG")
    name = storages["public"].save("images/cover.png", ContentFile(picture.getvalue()))

    response = client.get(f"/media/{name}", headers={"Range": "bytes=0-3"})

    assert response.status_code == 206
    assert body_of(response) == b"\x89PNG"
    assert response["Content-Type"] == "image/png"
    assert "immutable" in response["Cache-Control"]


@pytest.mark.parametrize(
    "path",
    [
        "images/../../../etc/passwd", "images/%2e%2e/%2e%2e/secret.png", "excerpts/whatever.mp3",
        "images/", "images", "images/none.png", "images/x.svg", "images/x.html", "other/x.png",
        "images/\0.png", "images/..%5c..%5cx.png", "original_images//etc/passwd.png",
    ],
)  # fmt: skip
def test_no_other_public_path_leads_to_a_file(client: Client, path: str) -> None:
    assert client.get(f"/media/{path}").status_code == 404


def test_no_address_of_a_master_exists_anywhere(client: Client) -> None:
    asset = make_asset()
    make_product(assets=[asset])

    for address in (
        f"/media/{asset.file.name}", f"/static/{asset.file.name}", f"/{asset.file.name}",
        f"/protected_media/{asset.file.name}", f"/media/../protected/{asset.file.name}",
        f"/downloads/{asset.pk}/", f"/media/excerpts/{asset.pk}.mp3",
    ):  # fmt: skip
        final = client.get(address, follow=True)
        assert final.status_code == 404 or final.request["PATH_INFO"] == reverse("account_login")
    client.force_login(make_editor())
    assert client.get(f"/downloads/{asset.pk}/").status_code == 404
