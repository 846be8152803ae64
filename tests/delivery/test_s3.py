"""What a bucket's addresses are worth: nothing without our signature, after their time, or changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import pytest

from catalog_pages.storage_s3 import ProtectedS3Storage
from downloads.models import AccessEvent, Download
from tests import servers
from tests.delivery.asking import ask
from tests.delivery.conftest import CONTENT, FILE_NAME, Bought
from tests.servers import S3Server, Server

SHA_LIKE = 64  # letters of a signature


@pytest.fixture
def presigned(s3_shop: Server, bought: Bought) -> str:
    """Where our own link leads."""
    answer = ask(s3_shop.url + bought.path)
    assert answer.status == 302
    return answer.headers["Location"]


@pytest.fixture
def storage(s3: S3Server) -> ProtectedS3Storage:
    return ProtectedS3Storage(
        bucket_name=s3.bucket,
        region_name=s3.region,
        access_key=s3.access_key,
        secret_key=s3.secret_key,
        endpoint_url=s3.endpoint_url,
    )


@pytest.fixture
def without_s3(s3: S3Server) -> Iterator[S3Server]:
    s3.stop()
    yield s3
    s3.start()


def changed(url: str, **parameters: str) -> str:
    """The same address with other values in its query; names are written with `_` for `-`."""
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    named = {name.replace("_", "-"): value for name, value in parameters.items()}
    assert set(named) <= set(query)
    return urlunsplit(parts._replace(query=urlencode(query | named)))


def is_refused(url: str) -> bool:
    answer = ask(url)
    return answer.status == 403 and CONTENT[:100] not in answer.body


def test_our_link_leads_to_a_signed_address_that_is_kept_nowhere(
    s3_shop: Server, bought: Bought, s3: S3Server
) -> None:
    answer = ask(s3_shop.url + bought.path)

    query = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert answer.status == 302
    assert answer.headers["Location"].startswith(f"{s3.endpoint_url}/{s3.bucket}/")
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert 60 <= int(query["X-Amz-Expires"][0]) <= 3600
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.body == b""


def test_the_address_says_nothing_of_the_files_name_but_what_the_buyer_saves_it_as(
    presigned: str, bought: Bought
) -> None:
    path = urlsplit(presigned).path

    assert path.endswith(f"/{bought.small.pk.hex[:2]}/{bought.small.pk.hex}")
    assert FILE_NAME not in path


def test_the_address_fetches_the_file_until_its_time(presigned: str) -> None:
    exact = ask(presigned).body == CONTENT

    assert exact


def test_an_address_that_has_ended_fetches_nothing(
    storage: ProtectedS3Storage, bought: Bought
) -> None:
    two_minutes_ago = datetime.now(UTC).replace(tzinfo=None) - timedelta(minutes=2)

    with mock.patch("botocore.auth.get_current_datetime", return_value=two_minutes_ago):
        ended = signed(storage, bought, lifetime_s=60)
    with mock.patch("botocore.auth.get_current_datetime", return_value=two_minutes_ago):
        longer = signed(storage, bought, lifetime_s=600)

    assert is_refused(ended)
    assert ask(longer).status == 200


def signed(storage: ProtectedS3Storage, bought: Bought, *, lifetime_s: int) -> str:
    return storage.signed_url(
        bought.small.file.name or "",
        lifetime_s=lifetime_s,
        content_type="audio/flac",
        content_disposition="attachment",
    )


@pytest.mark.parametrize(
    "parameters",
    [
        {"X_Amz_Signature": "0" * SHA_LIKE},
        {"X_Amz_Expires": "604800"},
        {"X_Amz_Date": "20990101T000000Z"},
        {"response_content_type": "text/html"},
        {"response_content_disposition": "inline"},
    ],
    ids=lambda parameters: next(iter(parameters)),
)
def test_a_changed_address_fetches_nothing(presigned: str, parameters: dict[str, str]) -> None:
    assert is_refused(changed(presigned, **parameters))


def test_a_signature_opens_one_file_only(presigned: str, bought: Bought) -> None:
    another = presigned.replace(bought.small.file.name or "", bought.large.file.name or "")

    assert another != presigned
    assert is_refused(another)


def test_without_a_signature_the_bucket_is_shut(presigned: str, s3: S3Server) -> None:
    unsigned = presigned.partition("?")[0]

    assert is_refused(unsigned)
    assert is_refused(f"{s3.endpoint_url}/{s3.bucket}?list-type=2")


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_buyers_address_cannot_change_what_is_stored(presigned: str, method: str) -> None:
    answer = ask(presigned, method)

    assert answer.status == 403
    intact = ask(presigned).body == CONTENT
    assert intact


def test_while_s3_is_down_buyers_are_told_and_nothing_counts(
    without_s3: S3Server, bought: Bought, var_dir: Path
) -> None:
    before = counted()
    env = servers.shop_environment(var_dir / "down", **without_s3.environment)

    with servers.gunicorn(env) as shop:
        answers = [ask(shop.url + bought.path, method) for method in ("GET", "HEAD")]
        answers.append(ask(shop.url + bought.path, Range="bytes=100-"))
        archive = ask(shop.url + bought.archive_path)
        page = ask(shop.url + "/catalog/")

    for answer in [*answers, archive]:
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.headers["Location"] is None
        assert "no-store" in answer.headers["Cache-Control"]
    assert "Our storage does not answer" in answers[0].body.decode()
    assert page.status == 200
    assert counted() == before


def counted() -> tuple[int, int, int]:
    downloaded = AccessEvent.objects.filter(
        kind__in=[AccessEvent.Kind.DOWNLOADED, AccessEvent.Kind.LINK_ISSUED]
    )
    downloads = Download.objects.all()
    return downloads.count(), downloads.exclude(counted_at=None).count(), downloaded.count()


def test_a_zip_is_read_from_the_bucket_and_resumes(s3_shop: Server, bought: Bought) -> None:
    whole = ask(s3_shop.url + bought.archive_path)
    half = whole.length // 2

    first = ask(s3_shop.url + bought.archive_path, Range=f"bytes=0-{half - 1}")
    second = ask(s3_shop.url + bought.archive_path, Range=f"bytes={half}-")

    assert (whole.status, first.status, second.status) == (200, 206, 206)
    assert CONTENT[:1000] in whole.body
    same = first.body + second.body == whole.body
    assert same
