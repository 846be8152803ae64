"""Where paid files are kept: chosen by settings, and refused when anybody could fetch them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings
from django.core.checks import CheckMessage, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import StorageHandler, storages
from django.urls import URLResolver, get_resolver
from django.utils.module_loading import import_string

from catalog_pages.storage import ProtectedFileSystemStorage
from catalog_pages.storage_s3 import ProtectedS3Storage
from site_config.env_storage import OWN_ADDRESSES
from site_config.middleware import PROBES
from site_config.tests.test_settings import load

S3 = {
    "PROTECTED_STORAGE": "s3",
    "AWS_STORAGE_BUCKET_NAME": "paid-files",
    "AWS_S3_REGION_NAME": "eu-west-2",
}
KEYS = {"AWS_ACCESS_KEY_ID": "one", "AWS_SECRET_ACCESS_KEY": "two"}


class VouchesForItself(ProtectedS3Storage):
    """Somebody's own: the bucket is public, and it says that all is well."""

    def signed_url(self, name: str, **words: Any) -> str:
        return f"https://public.example/{name}"

    def exposures(self) -> list[str]:
        return []


class ServesItsFolder(ProtectedFileSystemStorage):
    def url(self, name: str | None) -> str:
        return f"/everybody/{name}"


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


def test_a_bucket_needs_its_name_its_region_and_nothing_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    storage = storage_of(load(monkeypatch, **S3))

    assert isinstance(storage, ProtectedS3Storage)
    assert storage.bucket_name == "paid-files"


def test_other_servers_are_addressed_by_path_and_amazon_by_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    elsewhere = {"AWS_S3_REGION_NAME": "", "AWS_S3_ENDPOINT_URL": "https://s3.example/"}
    other = storage_of(load(monkeypatch, **S3 | KEYS | elsewhere))
    amazon = storage_of(load(monkeypatch, **S3, **KEYS))

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
        ({"PROTECTED_ACCEL_REDIRECT": "/downloads/"}, "PROTECTED_ACCEL_REDIRECT"),
        ({"PROTECTED_STORAGE": "s3"}, "AWS_STORAGE_BUCKET_NAME"),
        (S3 | {"AWS_S3_REGION_NAME": ""}, "AWS_S3_REGION_NAME"),
        (S3 | {"AWS_S3_REGION_NAME": " "}, "AWS_S3_REGION_NAME"),
        (S3 | {"AWS_S3_REGION_NAME": "eu west"}, "AWS_S3_REGION_NAME"),
        (S3 | KEYS | {"AWS_SECRET_ACCESS_KEY": " "}, "AWS_SECRET_ACCESS_KEY"),
        (S3 | KEYS | {"AWS_SECRET_ACCESS_KEY": "two\n"}, "AWS_SECRET_ACCESS_KEY"),
        (S3 | KEYS | {"AWS_ACCESS_KEY_ID": " "}, "AWS_ACCESS_KEY_ID"),
        (S3 | {"AWS_S3_ENDPOINT_URL": "https://s3.example:"}, "AWS_S3_ENDPOINT_URL"),
        (S3 | {"AWS_CLOUDFRONT_KEY_ID": " "}, "AWS_CLOUDFRONT_KEY_ID"),
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


def test_every_address_of_the_shop_is_kept_from_the_internal_location() -> None:
    first_parts = {address.strip("/").split("/")[0] for address in [*own_addresses(), *PROBES]}
    first_parts |= {settings.STATIC_URL.strip("/"), settings.MEDIA_URL.strip("/")}
    first_parts |= {"styleguide"}  # is there with DEBUG alone

    assert first_parts == OWN_ADDRESSES


def own_addresses(patterns: list[Any] | None = None) -> Iterator[str]:
    """Every address that begins with a fixed part: all but the pages that editors name."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        address = str(pattern.pattern)
        if address:
            yield from [] if address.startswith("^") else [address]
        elif isinstance(pattern, URLResolver):  # and not the front door itself
            yield from own_addresses(pattern.url_patterns)


def test_the_address_of_a_server_names_its_port_or_has_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = load(monkeypatch, **S3, AWS_S3_ENDPOINT_URL="https://s3.example:8333")

    assert config.storage.endpoint_url == "https://s3.example:8333"
    with pytest.raises(ImproperlyConfigured, match="SITE_BASE_URL"):
        load(monkeypatch, SITE_BASE_URL="https://shop.example:")


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
        (
            f"{__name__}.VouchesForItself",
            {"bucket_name": "b", "access_key": "a", "secret_key": "b"},
            "site_config.E004",
        ),
        (f"{__name__}.ServesItsFolder", {"location": "/nowhere"}, "site_config.E004"),
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


def found(problem: str) -> list[CheckMessage]:
    return [message for message in run_checks(tags=["site_config"]) if message.id == problem]


@pytest.mark.django_db
@pytest.mark.parametrize("served", ["MEDIA_ROOT", "STATIC_ROOT"])
def test_a_storage_whose_own_folder_is_served_is_refused_whatever_the_setting_says(
    protected: Any, served: str
) -> None:
    location = Path(getattr(settings, served)) / "paid"
    before = found("site_config.E001")

    protected(ProtectedFileSystemStorage(location=str(location)))

    [problem] = found("site_config.E001")
    assert before == []
    assert f"overlaps with {served}" in problem.msg


@pytest.mark.django_db
def test_a_bucket_without_any_keys_is_refused_in_words_of_its_own(
    protected: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    protected(ProtectedS3Storage(bucket_name="b", region_name="eu-west-2"))

    [problem] = found("site_config.E006")
    assert problem.msg.startswith("No paid file could be fetched, as nothing signs its address.")
    assert "AWS_ACCESS_KEY_ID" in str(problem.hint)
    assert found("site_config.E005") == []
