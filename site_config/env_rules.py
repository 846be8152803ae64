"""What a readable environment may still get wrong: each rule names its variable and says the way out."""

from __future__ import annotations

import re
from email.utils import parseaddr
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from catalog_pages.money import is_supported
from orders.return_urls import return_url_problem
from site_config.env_forms import HOST_NAME, LOOPBACK_HOSTS, is_origin, is_rsa_key, is_url
from site_config.env_storage import Problem, storage_problems

if TYPE_CHECKING:
    from site_config.env import Config


WEEK_SECONDS = 604_800  # the longest that S3 lets a signature live
MAX_UPLOAD_BYTES = 1024**4  # a terabyte: more is a typing mistake


def sense_problems(config: Config, *, production: bool, sandbox_wanted: bool) -> list[Problem]:
    return [
        *_site_problems(config, production=production),
        *_host_problems(config, production=production),
        *_data_problems(config, production=production),
        *_key_problems(config),
        *_sign_in_problems(config),
        *_payment_problems(config, production=production, sandbox_wanted=sandbox_wanted),
        *_mail_problems(config),
        *_limit_problems(config),
        *_api_problems(config),
        *storage_problems(config.storage, production=production),
        *_observing_problems(config),
        *_disk_problems(config),
    ]


def folder_problems(*, var: Path, media: Path, static: Path, protected: Path) -> list[Problem]:
    """No folder that is served may hold, or be, one that must not be."""
    var, media, static, protected = (path.resolve() for path in (var, media, static, protected))
    problems = []
    for name, served in (("STATIC_ROOT", static), ("MEDIA_ROOT", media)):
        if _overlap(served, protected):
            problems.append(
                (
                    "PROTECTED_MEDIA_ROOT",
                    f"overlaps with {name}: paid files would be served to everybody",
                )
            )
        if served == var or served in var.parents:
            problems.append((name, "holds VAR_DIR: its database and key would be served"))
    if _overlap(static, media):
        problems.append(("STATIC_ROOT", "and MEDIA_ROOT must be two separate folders"))
    return problems


def _overlap(one: Path, other: Path) -> bool:
    return one == other or one in other.parents or other in one.parents


def _site_problems(config: Config, *, production: bool) -> list[Problem]:
    problems = []
    if not config.secret_key:
        problems.append(("SECRET_KEY", "is missing; production has no default for it"))
    elif production and (
        len(config.secret_key) < 50
        or len(set(config.secret_key)) < 8
        or config.secret_key.startswith("django-insecure-")
    ):
        problems.append(("SECRET_KEY", "is too easy to guess; use at least 50 random characters"))
    if not is_origin(config.site_base_url):
        problems.append(
            ("SITE_BASE_URL", "must be the shop's own address, such as https://shop.example")
        )
    elif production and not config.is_https and not config.is_loopback:
        problems.append(("SITE_BASE_URL", "must start with https:// on a public host"))
    if production and config.debug:
        problems.append(("DEBUG", "must be off in production"))
    return problems


def _host_problems(config: Config, *, production: bool) -> list[Problem]:
    problems = [
        ("ALLOWED_HOSTS", f"{host!r} must be a host name, without scheme, port or path")
        for host in config.allowed_hosts
        if not (HOST_NAME.fullmatch(host) or (host == "*" and not production))
    ]
    covered = any(
        host in ("*", config.host, f"[{config.host}]")
        or (host.startswith(".") and f".{config.host}".endswith(host))
        for host in config.allowed_hosts
    )
    if config.host and not covered:
        problems.append(("ALLOWED_HOSTS", f"must contain {config.host}, the host of SITE_BASE_URL"))
    return problems + [
        ("CSRF_TRUSTED_ORIGINS", f"{origin!r} must be a scheme and a host: https://shop.example")
        for origin in config.csrf_trusted_origins
        if not is_origin(origin.replace("://*.", "://", 1))
    ]


def _data_problems(config: Config, *, production: bool) -> list[Problem]:
    problems = []
    if "error" in config.database:
        problems.append(("DATABASE_URL", config.database["error"]))
    elif production and ":memory:" in str(config.database["NAME"]):
        problems.append(("DATABASE_URL", "must name a database that outlives the process"))
    problems += _patience_problems(config)
    redis = urlsplit(config.redis_url) if is_url(config.redis_url) else None
    if config.redis_url and not (
        redis
        and ((redis.scheme in ("redis", "rediss") and redis.hostname) or redis.scheme == "unix")
    ):
        problems.append(("REDIS_URL", "must look like redis://host:6379/0"))
    return problems + folder_problems(
        var=config.var_dir,
        media=config.media_root,
        static=config.static_root,
        protected=config.protected_media_root,
    )


def _patience_problems(config: Config) -> list[Problem]:
    problems = []
    if not 2 <= config.postgres.connect_seconds <= 60:  # PostgreSQL's library takes 1 for 2
        problems.append(("DATABASE_CONNECT_SECONDS", "must be between 2 and 60"))
    if not 0 <= config.postgres.statement_seconds <= 3600:
        problems.append(("DATABASE_STATEMENT_SECONDS", "must be between 0 (no limit) and 3600"))
    if not 0 <= config.shutdown_notice_seconds <= 120:
        problems.append(("SHUTDOWN_NOTICE_SECONDS", "must be between 0 and 120"))
    return problems


def _key_problems(config: Config) -> list[Problem]:
    problems = []
    key, public = config.stripe_secret_key, config.stripe_public_key
    if key and not re.fullmatch(r"(sk|rk)_(test|live)_\S+", key):
        problems.append(
            ("STRIPE_SECRET_KEY", "must start with sk_test_, sk_live_, rk_test_ or rk_live_")
        )
    if key and not config.stripe_webhook_secrets:
        problems.append(
            ("STRIPE_WEBHOOK_SECRET", "is missing; without it no payment can be believed")
        )
    problems += [
        ("STRIPE_WEBHOOK_SECRET", "must start with whsec_")
        for secret in config.stripe_webhook_secrets
        if not re.fullmatch(r"whsec_\S+", secret)
    ]
    if public and not re.fullmatch(r"pk_(test|live)_\S+", public):
        problems.append(("STRIPE_PUBLIC_KEY", "must start with pk_test_ or pk_live_"))
    elif public and key and public.startswith("pk_live_") != config.is_live:
        problems.append(("STRIPE_PUBLIC_KEY", "is of another mode than STRIPE_SECRET_KEY"))
    return problems


def _sign_in_problems(config: Config) -> list[Problem]:
    must = "must be an RSA private key as PEM text, without a password"
    problems = []
    if config.oidc_private_key and not is_rsa_key(config.oidc_private_key):
        problems.append(("OIDC_PRIVATE_KEY", must))
    if not all(is_rsa_key(pem) for pem in config.oidc_previous_keys):
        problems.append(("OIDC_PREVIOUS_KEYS", f"each {must}"))
    return problems


def _payment_problems(config: Config, *, production: bool, sandbox_wanted: bool) -> list[Problem]:
    problems = []
    if config.is_live and config.debug:
        problems.append(("DEBUG", "must be off while STRIPE_SECRET_KEY is a live key"))
    if not config.stripe_secret_key and not sandbox_wanted and production:
        problems.append(("STRIPE_SECRET_KEY", "is missing; nobody could pay"))
    if sandbox_wanted and not config.stripe_secret_key and not config.is_loopback:
        problems.append(
            (
                "STRIPE_SANDBOX",
                "is for this machine only; a public SITE_BASE_URL needs STRIPE_SECRET_KEY",
            )
        )
    if config.sandbox_deliver_to and not is_origin(config.sandbox_deliver_to):
        problems.append(
            ("STRIPE_SANDBOX_DELIVER_TO", "must be an address such as http://proxy:8080")
        )
    if not is_supported(config.stripe_currency):
        problems.append(("STRIPE_CURRENCY", "must be a currency that Stripe takes, such as GBP"))
    if config.time_zone not in available_timezones():
        problems.append(("TIME_ZONE", "must be a time zone such as Europe/London"))
    return problems


def _mail_problems(config: Config) -> list[Problem]:
    problems = []
    if not 1 <= config.email["PORT"] <= 65535:
        problems.append(("EMAIL_PORT", "must be between 1 and 65535"))
    try:
        validate_email(parseaddr(config.default_from_email)[1])
    except ValidationError:
        problems.append(("DEFAULT_FROM_EMAIL", "must be an address such as shop@shop.example"))
    return problems


def _limit_problems(config: Config) -> list[Problem]:
    problems = [
        ("CHECKOUT_RETURN_URLS", f"{entry!r} {problem}")
        for entry in config.checkout_return_urls
        if (problem := return_url_problem(entry))
    ]
    if not 1 <= config.cart_max_quantity <= 99:
        problems.append(("CART_MAX_QUANTITY", "must be between 1 and 99"))
    if not 0 < config.max_upload_bytes <= MAX_UPLOAD_BYTES:
        problems.append(("MAX_UPLOAD_MB", "must be between 1 and 1048576"))
    if not 1 <= config.web_processes <= 256:
        problems.append(("WEB_CONCURRENCY", "must be between 1 and 256"))
    if not 4 <= config.web_threads <= 512:
        problems.append(("WEB_THREADS", "must be between 4 and 512"))
    if not 0 <= config.download_limit <= 100_000:
        problems.append(("DOWNLOAD_LIMIT", "must be between 0 (no limit) and 100000"))
    if config.search_limit and not 10 <= config.search_limit <= 100_000:
        problems.append(("SEARCH_LIMIT", "must be 0 (no limit), or between 10 and 100000"))
    problems += [
        (name, f"must be between {least} and {most}, or 0 for ever")
        for name, kept, least, most in (
            ("KEEP_GUEST_ADDRESSES_YEARS", "guest_years", 1, 100),
            ("KEEP_UNPAID_ADDRESSES_DAYS", "unpaid_days", 30, 36_500),
            ("KEEP_LETTER_TEXTS_DAYS", "letter_days", 30, 36_500),
            ("KEEP_PAYMENT_MESSAGES_DAYS", "message_days", 60, 36_500),
        )
        if config.retention[kept] and not least <= config.retention[kept] <= most
    ]
    if not 60 <= config.signed_url_max_seconds <= WEEK_SECONDS:
        problems.append(("SIGNED_URL_MAX_SECONDS", f"must be between 60 and {WEEK_SECONDS}"))
    return problems


def _api_problems(config: Config) -> list[Problem]:
    problems = [
        (f"API_{kind.upper()}_LIMIT", "must be between 5 and 1000000 requests a minute")
        for kind, limit in config.api_limits.items()
        if not 5 <= limit <= 1_000_000  # a fifth of it may write: at least one
    ]
    return problems + [
        (
            "CORS_ALLOWED_ORIGINS",
            f"{origin!r} must be one exact origin such as https://app.example (http: on this machine only)",
        )
        for origin in config.cors_allowed_origins
        if not _is_safe_origin(origin)
    ]


def _observing_problems(config: Config) -> list[Problem]:
    problems = []
    if config.log_format not in ("json", "plain"):
        problems.append(("LOG_FORMAT", "must be json or plain"))
    if config.metrics_token and not re.fullmatch(r"[!-~]{20,}", config.metrics_token):
        problems.append(("METRICS_TOKEN", "must be at least 20 random characters, without spaces"))
    if config.metrics_folder and not Path(config.metrics_folder).is_dir():
        problems.append(
            ("PROMETHEUS_MULTIPROC_DIR", "must be a folder that is there, best one kept in memory")
        )
    if config.otlp_endpoint and not _is_http_url(config.otlp_endpoint):
        problems.append(
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "must be an address such as http://collector:4318")
        )
    if config.sentry_dsn and not (
        _is_http_url(config.sentry_dsn) and urlsplit(config.sentry_dsn).username
    ):
        problems.append(("SENTRY_DSN", "must be the DSN that Sentry shows for the project"))
    return problems


def _is_http_url(text: str) -> bool:
    return (
        is_url(text)
        and urlsplit(text).scheme in ("http", "https")
        and bool(urlsplit(text).hostname)
    )


def _is_safe_origin(text: str) -> bool:
    """As browsers send it: in small letters, without the port that goes without saying."""
    if not is_origin(text) or text != text.lower() or text.endswith((":443", ":80")):
        return False
    parts = urlsplit(text)
    return parts.scheme == "https" or parts.hostname in LOOPBACK_HOSTS


def _disk_problems(config: Config) -> list[Problem]:
    """Where a disk is thrown away every day, nothing that must last may lie there."""
    if not config.ephemeral_disk:
        return []
    gone = "and this machine (a dyno of Heroku's) loses its disk at least once a day"
    found: list[Problem] = []
    if not config.storage.is_s3:
        found.append(("PROTECTED_STORAGE", f"must be s3: paid files would be on a disk, {gone}"))
    if str(config.database.get("ENGINE", "")).endswith("sqlite3"):
        found.append(("DATABASE_URL", f"must name a PostgreSQL database: SQLite is a file, {gone}"))
    if not config.oidc_private_key:
        found.append(
            ("OIDC_PRIVATE_KEY", f"is missing: the one that is made would be a file, {gone}")
        )
    return found
