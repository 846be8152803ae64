"""Secrets from files, and machines that lose their disks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from site_config.tests.test_settings import load


def test_a_secret_is_read_from_its_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("from a file\n")

    config = load(monkeypatch, EMAIL_HOST_PASSWORD_FILE=str(path))

    assert config.email["HOST_PASSWORD"] == "from a file"


def test_a_user_of_postgresql_gets_the_password_that_stands_apart(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "password"
    path.write_text("secret")

    config = load(
        monkeypatch, DATABASE_URL="postgres://shop@db/shop", POSTGRES_PASSWORD_FILE=str(path)
    )

    assert config.database["PASSWORD"] == "secret"


@pytest.mark.parametrize(
    ("content", "beside", "words"),
    [
        (b"", "", "is empty"),
        (b"\xff\xfe\x00", "", "cannot be read"),
        (None, "", "cannot be read"),
        (b"one", "another", "keep one of them"),
    ],
)
def test_a_file_that_says_nothing_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: Any, beside: str, words: str
) -> None:
    path = tmp_path / "password"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ImproperlyConfigured, match=words) as refusal:
        load(monkeypatch, EMAIL_HOST_PASSWORD_FILE=str(path), EMAIL_HOST_PASSWORD=beside)

    assert "EMAIL_HOST_PASSWORD" in str(refusal.value)
    assert "another" not in str(refusal.value)


def test_nothing_that_must_last_lies_on_a_disk_that_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ImproperlyConfigured) as refusal:
        load(monkeypatch, DYNO="web.1", DATABASE_URL="sqlite:////tmp/db.sqlite3")

    for name in ("PROTECTED_STORAGE", "DATABASE_URL", "OIDC_PRIVATE_KEY"):
        assert f"{name}: " in str(refusal.value)


@pytest.mark.parametrize("address", ["proxy:8080", "http://proxy:8080/there", "ftp://proxy"])
def test_the_sandbox_posts_to_an_address(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="STRIPE_SANDBOX_DELIVER_TO"):
        load(monkeypatch, STRIPE_SANDBOX_DELIVER_TO=address)
