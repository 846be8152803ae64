"""The environment as operators get it wrong: each wrong variable by name, all of them at once."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured

from catalog_pages.models import ShopSettings
from site_config.env import Config, Profile, secret_key_from_file
from tests.factories import make_product

COMPLETE = {
    "SECRET_KEY": "kJ8-fLq2" * 8,
    "SITE_BASE_URL": "https://shop.example",
    "STRIPE_PUBLIC_KEY": "pk_live_1",
    "STRIPE_SECRET_KEY": "sk_live_1",
    "STRIPE_WEBHOOK_SECRET": "whsec_1,whsec_2",
    "STRIPE_CURRENCY": "GBP",
    "DATABASE_URL": "postgres://store:store@db/store",
}
OURS = (
    "DEBUG ALLOWED_HOSTS CSRF_TRUSTED_ORIGINS REDIS_URL STRIPE_SANDBOX VAR_DIR MEDIA_ROOT STATIC_ROOT "
    "PROTECTED_MEDIA_ROOT MAX_UPLOAD_MB CART_MAX_QUANTITY TRUSTED_PROXY EMAIL_HOST "
    "DEFAULT_FROM_EMAIL EMAIL_PORT EMAIL_USE_TLS PROTECTED_STORAGE PROTECTED_ACCEL_REDIRECT "
    "AWS_STORAGE_BUCKET_NAME AWS_S3_REGION_NAME AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY "
    "AWS_S3_ENDPOINT_URL AWS_CLOUDFRONT_DOMAIN AWS_CLOUDFRONT_KEY_ID AWS_CLOUDFRONT_KEY "
    "WEB_THREADS DOWNLOAD_LIMIT SIGNED_URL_MAX_SECONDS CORS_ALLOWED_ORIGINS API_ADDRESS_LIMIT "
    "API_PERSON_LIMIT API_APP_LIMIT SEARCH_LIMIT WEB_CONCURRENCY OIDC_PRIVATE_KEY KEEP_GUEST_ADDRESSES_YEARS "
    "KEEP_UNPAID_ADDRESSES_DAYS KEEP_LETTER_TEXTS_DAYS KEEP_PAYMENT_MESSAGES_DAYS "
    "LOG_FORMAT METRICS_TOKEN PROMETHEUS_MULTIPROC_DIR OTEL_EXPORTER_OTLP_ENDPOINT SENTRY_DSN"
).split()


def load(
    monkeypatch: pytest.MonkeyPatch, profile: Profile = Profile.PRODUCTION, **changes: str
) -> Config:
    for name in (*COMPLETE, *OURS):
        monkeypatch.delenv(name, raising=False)
    for name, value in {**COMPLETE, **changes}.items():
        if value != "unset":
            monkeypatch.setenv(name, value)
    return Config.load(profile)


def test_a_complete_production_environment_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    config = load(monkeypatch)

    assert config.allowed_hosts == ["shop.example"]
    assert config.stripe_webhook_secrets == ["whsec_1", "whsec_2"]
    assert not config.stripe_sandbox
    assert not config.debug
    assert config.is_https


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"SECRET_KEY": "unset"}, "SECRET_KEY"),
        ({"SECRET_KEY": ""}, "SECRET_KEY"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"STRIPE_SECRET_KEY": "unset"}, "STRIPE_SECRET_KEY"),
        ({"STRIPE_SECRET_KEY": "pk_live_1"}, "STRIPE_SECRET_KEY"),
        ({"STRIPE_WEBHOOK_SECRET": "unset"}, "STRIPE_WEBHOOK_SECRET"),
        ({"STRIPE_WEBHOOK_SECRET": "secret"}, "STRIPE_WEBHOOK_SECRET"),
        ({"DEBUG": "1"}, "DEBUG"),
        ({"DEBUG": "perhaps"}, "DEBUG"),
        ({"STRIPE_PUBLIC_KEY": "pk_test_1"}, "STRIPE_PUBLIC_KEY"),
        ({"STRIPE_PUBLIC_KEY": "junk"}, "STRIPE_PUBLIC_KEY"),
        ({"SITE_BASE_URL": "unset"}, "SITE_BASE_URL"),
        ({"SITE_BASE_URL": "shop.example"}, "SITE_BASE_URL"),
        ({"SITE_BASE_URL": "http://shop.example"}, "SITE_BASE_URL"),
        ({"SITE_BASE_URL": "https://shop.example/sub"}, "SITE_BASE_URL"),
        ({"STRIPE_SECRET_KEY": "unset", "STRIPE_SANDBOX": "1"}, "STRIPE_SANDBOX"),
        ({"STRIPE_CURRENCY": "pounds"}, "STRIPE_CURRENCY"),
        ({"DATABASE_URL": "nonsense"}, "DATABASE_URL"),
        ({"REDIS_URL": "localhost:6379"}, "REDIS_URL"),
        ({"CSRF_TRUSTED_ORIGINS": "shop.example"}, "CSRF_TRUSTED_ORIGINS"),
        ({"CART_MAX_QUANTITY": "0"}, "CART_MAX_QUANTITY"),
        ({"CART_MAX_QUANTITY": "many"}, "CART_MAX_QUANTITY"),
        ({"MAX_UPLOAD_MB": "-5"}, "MAX_UPLOAD_MB"),
        ({"WEB_THREADS": "1"}, "WEB_THREADS"),
        ({"DATABASE_CONNECT_SECONDS": "1"}, "DATABASE_CONNECT_SECONDS"),
        ({"DATABASE_STATEMENT_SECONDS": "-1"}, "DATABASE_STATEMENT_SECONDS"),
        ({"DATABASE_POOL": "many"}, "DATABASE_POOL"),
        ({"DATABASE_PGBOUNCER": "perhaps"}, "DATABASE_PGBOUNCER"),
        ({"SHUTDOWN_NOTICE_SECONDS": "121"}, "SHUTDOWN_NOTICE_SECONDS"),
        ({"DOWNLOAD_LIMIT": "-1"}, "DOWNLOAD_LIMIT"),
        ({"KEEP_GUEST_ADDRESSES_YEARS": "-1"}, "KEEP_GUEST_ADDRESSES_YEARS"),
        ({"KEEP_UNPAID_ADDRESSES_DAYS": "7"}, "KEEP_UNPAID_ADDRESSES_DAYS"),
        ({"KEEP_LETTER_TEXTS_DAYS": "soon"}, "KEEP_LETTER_TEXTS_DAYS"),
        ({"KEEP_PAYMENT_MESSAGES_DAYS": "59"}, "KEEP_PAYMENT_MESSAGES_DAYS"),
        ({"SIGNED_URL_MAX_SECONDS": "59"}, "SIGNED_URL_MAX_SECONDS"),
        ({"SIGNED_URL_MAX_SECONDS": "604801"}, "SIGNED_URL_MAX_SECONDS"),
        ({"EMAIL_PORT": "smtp"}, "EMAIL_PORT"),
        ({"EMAIL_PORT": "99999"}, "EMAIL_PORT"),
        ({"DEFAULT_FROM_EMAIL": "nonsense"}, "DEFAULT_FROM_EMAIL"),
        ({"SITE_BASE_URL": "https://[::1"}, "SITE_BASE_URL"),
        ({"SITE_BASE_URL": "https://shop.example:abc"}, "SITE_BASE_URL"),
        ({"SITE_BASE_URL": "https://shop.example:99999"}, "SITE_BASE_URL"),
        ({"SITE_BASE_URL": "https://shop.example?x=1"}, "SITE_BASE_URL"),
        ({"SITE_BASE_URL": "https://me:pw@shop.example"}, "SITE_BASE_URL"),
        ({"SITE_BASE_URL": "https://shop example"}, "SITE_BASE_URL"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS"),
        ({"ALLOWED_HOSTS": "https://shop.example"}, "ALLOWED_HOSTS"),
        ({"ALLOWED_HOSTS": "other.example"}, "ALLOWED_HOSTS"),
        ({"CSRF_TRUSTED_ORIGINS": "https://shop.example/x"}, "CSRF_TRUSTED_ORIGINS"),
        ({"DATABASE_URL": "mysql://a:b@c/d"}, "DATABASE_URL"),
        ({"DATABASE_URL": "sqlite://:memory:"}, "DATABASE_URL"),
        ({"REDIS_URL": "redis://"}, "REDIS_URL"),
        ({"SECRET_KEY": "a" * 60}, "SECRET_KEY"),
        ({"SECRET_KEY": "django-insecure-" + "abcdefghij" * 5}, "SECRET_KEY"),
        ({"STRIPE_SECRET_KEY": "sk_live_"}, "STRIPE_SECRET_KEY"),
        ({"STRIPE_WEBHOOK_SECRET": "whsec_"}, "STRIPE_WEBHOOK_SECRET"),
        ({"STRIPE_CURRENCY": "XXX"}, "STRIPE_CURRENCY"),
        ({"TIME_ZONE": "Mars/Olympus"}, "TIME_ZONE"),
        ({"MAX_UPLOAD_MB": "9999999999999999999"}, "MAX_UPLOAD_MB"),
        ({"LOG_FORMAT": "xml"}, "LOG_FORMAT"),
        ({"METRICS_TOKEN": "short"}, "METRICS_TOKEN"),
        ({"METRICS_TOKEN": "twenty letters and spaces"}, "METRICS_TOKEN"),
        ({"PROMETHEUS_MULTIPROC_DIR": "/nowhere"}, "PROMETHEUS_MULTIPROC_DIR"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"}, "OTEL_EXPORTER_OTLP_ENDPOINT"),
        ({"SENTRY_DSN": "https://sentry.example/7"}, "SENTRY_DSN"),
        ({"STATIC_ROOT": "/x", "VAR_DIR": "/x/var"}, "STATIC_ROOT"),
        ({"MEDIA_ROOT": "/x", "PROTECTED_MEDIA_ROOT": "/x/paid"}, "PROTECTED_MEDIA_ROOT"),
    ],
)
def test_a_wrong_variable_is_named(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], name: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match=rf"\n  {name}: "):
        load(monkeypatch, **changes)


@pytest.mark.parametrize(
    ("profile", "log_format"), [(Profile.PRODUCTION, "json"), (Profile.DEVELOPMENT, "plain")]
)
def test_programs_read_the_log_in_production_and_people_elsewhere(
    monkeypatch: pytest.MonkeyPatch, profile: Profile, log_format: str
) -> None:
    assert load(monkeypatch, profile).log_format == log_format
    assert load(monkeypatch, profile, LOG_FORMAT="JSON").log_format == "json"


def test_all_wrong_variables_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        load(
            monkeypatch, DEBUG="perhaps", STRIPE_SECRET_KEY="unset", EMAIL_PORT="x", SECRET_KEY="",
            DATABASE_URL="nope://", MAX_UPLOAD_MB="0", STRIPE_CURRENCY="XXX", STATIC_ROOT="/x",
            PROTECTED_MEDIA_ROOT="/x/paid",
        )  # fmt: skip

    text = str(caught.value)
    for name in (
        "DEBUG",
        "STRIPE_SECRET_KEY",
        "EMAIL_PORT",
        "SECRET_KEY",
        "DATABASE_URL",
        "MAX_UPLOAD_MB",
        "STRIPE_CURRENCY",
        "PROTECTED_MEDIA_ROOT",
    ):
        assert f"\n  {name}: " in text


def test_a_live_key_with_debug_is_refused_in_development_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ImproperlyConfigured, match="live key"):
        load(monkeypatch, Profile.TEST, DEBUG="1")


def test_a_real_key_switches_the_sandbox_off(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not load(monkeypatch, STRIPE_SANDBOX="1").stripe_sandbox


def test_production_may_be_tried_on_loopback_with_the_sandbox(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = load(
        monkeypatch, STRIPE_SECRET_KEY="unset", STRIPE_PUBLIC_KEY="unset", STRIPE_WEBHOOK_SECRET="unset",
        STRIPE_SANDBOX="1", SITE_BASE_URL="http://127.0.0.1:8000",
    )  # fmt: skip

    assert config.stripe_sandbox
    assert config.stripe_webhook_secrets[0].startswith("whsec_")


def test_the_key_of_a_laptop_is_random_private_and_stays(tmp_path: Path) -> None:
    first, second = (secret_key_from_file(tmp_path / "a" / "key") for _ in range(2))
    other = secret_key_from_file(tmp_path / "b" / "key")

    assert first == second != other
    assert len(first) >= 50
    assert (tmp_path / "a" / "key").stat().st_mode & 0o077 == 0


@pytest.mark.django_db
@pytest.mark.parametrize("served", ["STATIC_ROOT", "MEDIA_ROOT"])
@pytest.mark.parametrize("inside", ["x/paid", ".", ".."])
def test_protected_files_may_not_overlap_with_served_ones(
    settings: object, tmp_path: Path, served: str, inside: str
) -> None:
    setattr(settings, served, tmp_path / "served")
    settings.PROTECTED_MEDIA_ROOT = tmp_path / "served" / inside  # type: ignore[attr-defined]

    assert "site_config.E001" in {problem.id for problem in run_checks(tags=["site_config"])}


@pytest.mark.django_db
def test_another_currency_is_refused_once_products_exist(settings: object) -> None:
    ShopSettings.load()
    settings.STRIPE_CURRENCY = "JPY"  # type: ignore[attr-defined]
    before = {problem.id for problem in run_checks(tags=["site_config"])}
    make_product()

    after = {problem.id for problem in run_checks(tags=["site_config"])}

    assert "site_config.E003" not in before
    assert "site_config.E003" in after


@pytest.mark.django_db
def test_an_unknown_currency_is_refused(settings: object) -> None:
    settings.STRIPE_CURRENCY = "XXX"  # type: ignore[attr-defined]

    assert "site_config.E002" in {problem.id for problem in run_checks(tags=["site_config"])}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("processes", "redis", "warned"), [(1, "", False), (2, "", True), (2, "redis://cache/0", False)]
)
def test_several_processes_without_a_shared_cache_are_warned_of(
    settings: object, processes: int, redis: str, warned: bool
) -> None:
    known = settings.CONFIG  # type: ignore[attr-defined]
    settings.CONFIG = replace(known, web_processes=processes, redis_url=redis)  # type: ignore[attr-defined]

    problems = {problem.id for problem in run_checks(tags=["site_config"])}

    assert ("site_config.W001" in problems) is warned


def test_the_web_server_does_not_start_on_nonsense(tmp_path: Path) -> None:
    environment = {
        **{name: value for name, value in os.environ.items() if name not in (*COMPLETE, *OURS)},
        **COMPLETE,
        "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
        "MEDIA_ROOT": str(tmp_path / "media"),
        "PROTECTED_MEDIA_ROOT": str(tmp_path / "media" / "paid"),
        "DJANGO_SETTINGS_MODULE": "site_config.settings.production",
    }

    started = subprocess.run(
        [sys.executable, "-c", "import site_config.wsgi"],
        cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert started.returncode != 0
    assert "PROTECTED_MEDIA_ROOT" in started.stderr


def test_a_blank_line_of_a_copied_example_means_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    blanks = dict.fromkeys(["DEBUG", "CART_MAX_QUANTITY", "EMAIL_PORT", "REDIS_URL", "VAR_DIR"], "")

    config = load(monkeypatch, **blanks)

    assert (config.debug, config.cart_max_quantity, config.email["PORT"]) == (False, 99, 587)


@pytest.mark.parametrize(
    ("given", "pools", "server_side"),
    [({}, True, True), ({"DATABASE_PGBOUNCER": "1"}, False, False),
     ({"DATABASE_PGBOUNCER": "1", "DATABASE_POOL": "1"}, True, False),
     ({"DATABASE_POOL": "0"}, False, True)],
)  # fmt: skip
def test_a_pool_is_as_large_as_there_are_threads_or_left_to_pgbouncer(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], pools: bool, server_side: bool
) -> None:
    entry = load(monkeypatch, **given).postgres.as_database(threads=8)

    assert entry["CONN_MAX_AGE"] == 0
    assert entry["DISABLE_SERVER_SIDE_CURSORS"] is not server_side
    assert entry["OPTIONS"].get("pool", {}).get("max_size") == (12 if pools else None)
    assert entry["OPTIONS"]["prepare_threshold"] is None
