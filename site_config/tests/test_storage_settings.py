"""Where paid files are kept: chosen by settings, and refused when anybody could fetch them."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import StorageHandler, storages
from django.utils.module_loading import import_string

from catalog_pages.storage import ProtectedFileSystemStorage
from catalog_pages.storage_s3 import ProtectedS3Storage
from site_config.tests.test_settings import load

S3 = {"PROTECTED_STORAGE": "s3", "AWS_STORAGE_BUCKET_NAME": "paid-files"}


def pem_of(key: Any) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.fixture(scope="module")
def pem() -> str:
    return pem_of(rsa.generate_private_key(public_exponent=65537, key_size=2048))


def storage_of(config: Any) -> Any:
    entry = config.storage.as_storage(config.protected_media_root)
    return import_string(entry["BACKEND"])(**entry["OPTIONS"])


def test_without_a_word_files_are_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(storage_of(load(monkeypatch)), ProtectedFileSystemStorage)


def test_a_bucket_needs_its_name_and_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    storage = storage_of(load(monkeypatch, **S3))

    assert isinstance(storage, ProtectedS3Storage)
    assert storage.bucket_name == "paid-files"


def test_other_servers_are_addressed_by_path_and_amazon_by_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "one", "AWS_SECRET_ACCESS_KEY": "two"}
    other = storage_of(load(monkeypatch, **S3, **keys, AWS_S3_ENDPOINT_URL="https://s3.example/"))
    amazon = storage_of(load(monkeypatch, **S3, **keys, AWS_S3_REGION_NAME="eu-west-2"))

    def address(storage: Any) -> str:
        return storage.signed_url(
            "ab/c", lifetime_s=60, content_type="a/b", content_disposition="attachment"
        )

    assert address(other).startswith("https://s3.example/paid-files/ab/c?")
    assert address(amazon).startswith("https://paid-files.s3.")


def test_cloudfront_signs_when_all_of_it_is_given(
    monkeypatch: pytest.MonkeyPatch, pem: str
) -> None:
    config = load(
        monkeypatch,
        **S3,
        AWS_CLOUDFRONT_DOMAIN="files.shop.example",
        AWS_CLOUDFRONT_KEY_ID="K2",
        AWS_CLOUDFRONT_KEY=pem.replace("\n", "\\n"),
    )

    assert storage_of(config).exposures() == []


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"PROTECTED_STORAGE": "dropbox"}, "PROTECTED_STORAGE"),
        ({"PROTECTED_ACCEL_REDIRECT": "protected"}, "PROTECTED_ACCEL_REDIRECT"),
        ({"PROTECTED_ACCEL_REDIRECT": "/"}, "PROTECTED_ACCEL_REDIRECT"),
        ({"PROTECTED_ACCEL_REDIRECT": "/a/../b/"}, "PROTECTED_ACCEL_REDIRECT"),
        ({"PROTECTED_STORAGE": "s3"}, "AWS_STORAGE_BUCKET_NAME"),
        (S3 | {"AWS_STORAGE_BUCKET_NAME": "a/b"}, "AWS_STORAGE_BUCKET_NAME"),
        (S3 | {"PROTECTED_ACCEL_REDIRECT": "/protected/"}, "PROTECTED_ACCEL_REDIRECT"),
        (S3 | {"AWS_ACCESS_KEY_ID": "only one"}, "AWS_SECRET_ACCESS_KEY"),
        (S3 | {"AWS_S3_ENDPOINT_URL": "s3.example"}, "AWS_S3_ENDPOINT_URL"),
        (S3 | {"AWS_S3_ENDPOINT_URL": "http://s3.example"}, "AWS_S3_ENDPOINT_URL"),
        (S3 | {"AWS_CLOUDFRONT_DOMAIN": "files.shop.example"}, "AWS_CLOUDFRONT_KEY"),
        (S3 | {"AWS_CLOUDFRONT_DOMAIN": "files.shop.example"}, "AWS_CLOUDFRONT_KEY_ID"),
        (S3 | {"AWS_CLOUDFRONT_KEY_ID": "K2"}, "AWS_CLOUDFRONT_DOMAIN"),
        (
            S3
            | {
                "AWS_CLOUDFRONT_DOMAIN": "https://files.shop.example/",
                "AWS_CLOUDFRONT_KEY_ID": "K2",
                "AWS_CLOUDFRONT_KEY": "x",
            },
            "AWS_CLOUDFRONT_DOMAIN",
        ),
        (
            S3
            | {
                "AWS_CLOUDFRONT_DOMAIN": "files.shop.example",
                "AWS_CLOUDFRONT_KEY_ID": "K2",
                "AWS_CLOUDFRONT_KEY": "not a key",
            },
            "AWS_CLOUDFRONT_KEY",
        ),
        (
            S3
            | {
                "AWS_CLOUDFRONT_DOMAIN": "files.shop.example",
                "AWS_CLOUDFRONT_KEY_ID": "K2",
                "AWS_CLOUDFRONT_KEY": pem_of(ec.generate_private_key(ec.SECP256R1())),
            },
            "AWS_CLOUDFRONT_KEY",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_would_lose_or_expose_files_is_named(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], name: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match=rf"\n  {name}: "):
        load(monkeypatch, **changes)


@pytest.fixture
def protected(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts another storage in the place of the one for paid files, as a settings file can."""

    def put(storage: Any) -> None:
        held = StorageHandler.__getitem__
        monkeypatch.setattr(
            StorageHandler,
            "__getitem__",
            lambda self, alias: storage if alias == "protected" else held(self, alias),
        )
        assert storages["protected"] is storage

    return put


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("backend", "options", "problem"),
    [
        ("django.core.files.storage.FileSystemStorage", {}, "site_config.E004"),
        (
            "storages.backends.s3.S3Storage",
            {"bucket_name": "b", "querystring_auth": False},
            "site_config.E004",
        ),
        (
            "catalog_pages.storage_s3.ProtectedS3Storage",
            {
                "bucket_name": "b",
                "access_key": "a",
                "secret_key": "b",
                "custom_domain": "f.example",
            },
            "site_config.E005",
        ),
    ],
)
def test_a_storage_that_hands_out_unsigned_addresses_is_refused_at_start(
    protected: Any, backend: str, options: dict[str, Any], problem: str
) -> None:
    before = {found.id for found in run_checks(tags=["site_config"])}

    protected(import_string(backend)(**options))

    after = {found.id for found in run_checks(tags=["site_config"])}
    assert problem not in before
    assert problem in after
