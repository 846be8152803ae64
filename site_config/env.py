"""The one reader of the environment.

Every setting that an operator can change comes through `Config.load`, typed, and every wrong
value is reported by its name in one message, so that nobody has to start the shop five times to
find five mistakes. Nothing else in the project reads `os.environ`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from environs import Env, EnvValidationError

from site_config.env_forms import LOOPBACK_HOSTS
from site_config.env_rules import sense_problems
from site_config.env_services import PostgresConfig, ProtectedStorageConfig
from site_config.own_files import text_made_once
from site_config.secret_files import Secrets

BASE_DIR: Path = Path(__file__).resolve().parent.parent


class Profile(Enum):
    """Which settings module is loading; it decides the defaults and how strict the reader is."""

    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


_chosen = Profile.DEVELOPMENT


def choose(profile: Profile) -> None:
    """Called by a settings module before it imports `base`."""
    global _chosen  # noqa: PLW0603  # set once, before settings are read
    _chosen = profile


def profile() -> Profile:
    return _chosen


@dataclass(frozen=True)
class Config:
    """Everything the environment decides, checked. Paths are absolute, sizes are bytes."""

    secret_key: str
    secret_key_fallbacks: list[str]
    debug: bool
    allowed_hosts: list[str]
    site_base_url: str
    csrf_trusted_origins: list[str]
    cors_allowed_origins: list[str]
    api_limits: dict[str, int]
    search_limit: int
    database: dict[str, Any]
    postgres: PostgresConfig
    redis_url: str
    stripe_public_key: str
    stripe_secret_key: str
    stripe_webhook_secrets: list[str]
    stripe_currency: str
    time_zone: str
    stripe_sandbox: bool
    sandbox_deliver_to: str
    email: dict[str, Any]
    default_from_email: str
    var_dir: Path
    media_root: Path
    static_root: Path
    protected_media_root: Path
    max_upload_bytes: int
    cart_max_quantity: int
    checkout_return_urls: list[str]
    trusted_proxy: bool
    oidc_private_key: str
    oidc_previous_keys: list[str]
    storage: ProtectedStorageConfig
    web_processes: int
    web_threads: int
    shutdown_notice_seconds: int
    download_limit: int
    retention: dict[str, int]
    signed_url_max_seconds: int
    log_format: str
    metrics_token: str
    metrics_folder: str
    otlp_endpoint: str
    sentry_dsn: str
    ephemeral_disk: bool

    @property
    def is_https(self) -> bool:
        return self.site_base_url.startswith("https://")

    @property
    def is_loopback(self) -> bool:
        """True when the shop can only be reached from this machine."""
        return self.host in LOOPBACK_HOSTS

    @property
    def is_live(self) -> bool:
        """True when real money moves."""
        return "_live_" in self.stripe_secret_key[:8]

    @property
    def host(self) -> str:
        return host_of(self.site_base_url)

    @classmethod
    def load(cls, profile: Profile) -> Config:
        """Read and check everything; raise ImproperlyConfigured naming every wrong variable."""
        env = Env(eager=False)
        if profile is Profile.DEVELOPMENT:
            env.read_env(str(BASE_DIR / ".env"), recurse=False)
        secrets = Secrets(env)
        values = _read(env, secrets, profile)
        wants_sandbox = values.pop("wants_sandbox")
        config = cls(**values)
        problems = _type_problems(env) + secrets.problems
        misread = {name for name, _ in problems}
        problems += [
            (name, why)
            for name, why in sense_problems(
                config,
                production=profile is Profile.PRODUCTION,
                sandbox_wanted=wants_sandbox,
            )
            if name not in misread
        ]
        if problems:
            lines = "\n".join(f"  {name}: {why}" for name, why in problems)
            raise ImproperlyConfigured(f"These settings need attention:\n{lines}")
        return config


def host_of(url: str) -> str:
    """The host of an address; "" for what is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def secret_key_from_file(path: Path) -> str:
    """A random key of this machine's own, made on first use."""
    return text_made_once(path, lambda: secrets.token_urlsafe(50)).strip()


def _read(env: Env, secrets: Secrets, profile: Profile) -> dict[str, Any]:
    production = profile is Profile.PRODUCTION
    var_dir = Path(env.str("VAR_DIR", str(BASE_DIR / "var")) or "var").absolute()
    default_url = "" if production else "http://127.0.0.1:8000"
    base_url = (env.str("SITE_BASE_URL", "") or default_url).rstrip("/")
    host = host_of(base_url)
    local_hosts = [] if production else ["localhost", "127.0.0.1", "[::1]"]
    secret_key = secrets.text("SECRET_KEY")
    if not secret_key and not production:
        secret_key = secret_key_from_file(var_dir / "secret_key")
    stripe_key = secrets.text("STRIPE_SECRET_KEY")
    wants_sandbox = _bool(env, "STRIPE_SANDBOX", not production and not stripe_key)
    # The sandbox steps aside whenever a real key exists, whatever the switch says.
    sandbox = wants_sandbox and not stripe_key
    return {
        "secret_key": secret_key,
        "secret_key_fallbacks": secrets.list("SECRET_KEY_FALLBACKS"),
        "debug": _bool(env, "DEBUG", False),
        "allowed_hosts": _list(env, "ALLOWED_HOSTS") or [h for h in [host, *local_hosts] if h],
        "site_base_url": base_url,
        "csrf_trusted_origins": _list(env, "CSRF_TRUSTED_ORIGINS") or ([base_url] if host else []),
        "cors_allowed_origins": _list(env, "CORS_ALLOWED_ORIGINS"),
        "api_limits": _api_limits(env),
        "database": _database(secrets, var_dir),
        "postgres": _postgres(env),
        "redis_url": secrets.text("REDIS_URL"),
        "stripe_public_key": env.str("STRIPE_PUBLIC_KEY", ""),
        "stripe_secret_key": stripe_key,
        "stripe_webhook_secrets": secrets.list("STRIPE_WEBHOOK_SECRET")
        or ([_sandbox_webhook_secret(secret_key)] if sandbox and secret_key else []),
        "stripe_currency": (env.str("STRIPE_CURRENCY", "") or "GBP").upper(),
        "time_zone": env.str("TIME_ZONE", "") or "UTC",
        "wants_sandbox": wants_sandbox,
        "stripe_sandbox": sandbox,
        "sandbox_deliver_to": env.str("STRIPE_SANDBOX_DELIVER_TO", "").rstrip("/"),
        "email": _email(env, secrets),
        "default_from_email": env.str("DEFAULT_FROM_EMAIL", "")
        or f"shop@{host if '.' in host and not host[-1].isdigit() else 'localhost'}",
        "var_dir": var_dir,
        "media_root": _path(env, "MEDIA_ROOT", var_dir / "media"),
        "static_root": _path(env, "STATIC_ROOT", var_dir / "static"),
        "protected_media_root": _path(env, "PROTECTED_MEDIA_ROOT", BASE_DIR / "protected_media"),
        "trusted_proxy": _bool(env, "TRUSTED_PROXY", False),
        "checkout_return_urls": _list(env, "CHECKOUT_RETURN_URLS"),
        # One line in a .env file, as below.
        "oidc_private_key": secrets.text("OIDC_PRIVATE_KEY").replace("\\n", "\n"),
        "oidc_previous_keys": _pems(secrets.text("OIDC_PREVIOUS_KEYS")),
        "storage": _storage(env, secrets),
        # Heroku names each dyno; what a dyno writes to its disk is gone with it, at least once a day.
        "ephemeral_disk": bool(env.str("DYNO", "")),
        "retention": _retention(env),
        **_limits(env),
        **_observing(env, secrets, production=production),
    }


def _pems(text: str) -> list[str]:
    """Keys one after the other, as PEM texts come; what is none of them stays, for the rules to refuse."""
    pieces = re.split(r"(?=-----BEGIN )", text.replace("\\n", "\n"))
    return [key for piece in pieces if (key := piece.strip(" ,\n"))]


def _limits(env: Env) -> dict[str, int]:
    return {
        "max_upload_bytes": _int(env, "MAX_UPLOAD_MB", 2048) * 1024 * 1024,
        "cart_max_quantity": _int(env, "CART_MAX_QUANTITY", 99),
        "web_processes": _int(env, "WEB_CONCURRENCY", 1),
        "web_threads": _int(env, "WEB_THREADS", 16),
        "shutdown_notice_seconds": _int(env, "SHUTDOWN_NOTICE_SECONDS", 0),
        "download_limit": _int(env, "DOWNLOAD_LIMIT", 20),
        "search_limit": _int(env, "SEARCH_LIMIT", 120),
        "signed_url_max_seconds": _int(env, "SIGNED_URL_MAX_SECONDS", 3600),
    }


def _retention(env: Env) -> dict[str, int]:
    """How long the shop keeps what it knows of people; 0 is for ever."""
    return {
        "guest_years": _int(env, "KEEP_GUEST_ADDRESSES_YEARS", 10),
        "unpaid_days": _int(env, "KEEP_UNPAID_ADDRESSES_DAYS", 400),
        "letter_days": _int(env, "KEEP_LETTER_TEXTS_DAYS", 180),
        "message_days": _int(env, "KEEP_PAYMENT_MESSAGES_DAYS", 400),
    }


def _observing(env: Env, secrets: Secrets, *, production: bool) -> dict[str, str]:
    return {
        "log_format": (env.str("LOG_FORMAT", "") or ("json" if production else "plain")).lower(),
        "metrics_token": secrets.text("METRICS_TOKEN"),
        "metrics_folder": env.str("PROMETHEUS_MULTIPROC_DIR", ""),  # the library reads it by itself
        "otlp_endpoint": env.str("OTEL_EXPORTER_OTLP_ENDPOINT", "").rstrip("/"),
        "sentry_dsn": secrets.text("SENTRY_DSN"),
    }


def _api_limits(env: Env) -> dict[str, int]:
    """Requests a minute."""
    return {
        "address": _int(env, "API_ADDRESS_LIMIT", 300),
        "person": _int(env, "API_PERSON_LIMIT", 300),
        "app": _int(env, "API_APP_LIMIT", 1200),
    }


def _storage(env: Env, secrets: Secrets) -> ProtectedStorageConfig:
    return ProtectedStorageConfig(
        kind=(env.str("PROTECTED_STORAGE", "") or "local").lower(),
        accel_redirect=env.str("PROTECTED_ACCEL_REDIRECT", ""),
        bucket=env.str("AWS_STORAGE_BUCKET_NAME", ""),
        region=env.str("AWS_S3_REGION_NAME", ""),
        access_key=secrets.text("AWS_ACCESS_KEY_ID"),
        secret_key=secrets.text("AWS_SECRET_ACCESS_KEY"),
        endpoint_url=env.str("AWS_S3_ENDPOINT_URL", "").rstrip("/"),
        public_url=env.str("AWS_S3_PUBLIC_URL", "").rstrip("/"),
        cloudfront_domain=env.str("AWS_CLOUDFRONT_DOMAIN", ""),
        cloudfront_key_id=env.str("AWS_CLOUDFRONT_KEY_ID", ""),
        # One line in a .env file: its line breaks are written as \\n there.
        cloudfront_key=secrets.text("AWS_CLOUDFRONT_KEY").replace("\\n", "\n"),
    )


def _int(env: Env, name: str, default: int) -> int:
    """The number, or the default when it is blank or cannot be read (`seal` then names it)."""
    value = env.int(name, default) if env.str(name, "") else default
    return default if value is None else value


def _bool(env: Env, name: str, default: bool) -> bool:
    value = env.bool(name, default) if env.str(name, "") else default
    return default if value is None else bool(value)


def _list(env: Env, name: str) -> list[str]:
    values: list[str] = env.list(name, []) or []
    return [value.strip() for value in values if value.strip()]


def _path(env: Env, name: str, default: Path) -> Path:
    return Path(env.str(name, str(default)) or default).absolute()


def _database(secrets: Secrets, var_dir: Path) -> dict[str, Any]:
    """What DATABASE_URL says, with POSTGRES_PASSWORD where it names a user without a password."""
    url = secrets.text("DATABASE_URL") or f"sqlite:///{var_dir / 'db.sqlite3'}"
    password = secrets.text("POSTGRES_PASSWORD")
    try:
        parsed: dict[str, Any] = dict(dj_database_url.parse(url))
    except (ValueError, KeyError, dj_database_url.ParseError) as error:
        return {"error": f"not a database URL that this shop knows ({error})"}
    if not parsed.get("NAME"):
        return {"error": "the URL names no database"}
    if not parsed["ENGINE"].endswith(("sqlite3", "postgresql")):
        return {"error": "must start with sqlite:/// or postgres://"}
    if parsed["ENGINE"].endswith("postgresql") and not parsed["PASSWORD"]:
        parsed["PASSWORD"] = password
    return parsed


def _postgres(env: Env) -> PostgresConfig:
    """Behind pgbouncer, which pools for all processes, there is no second pool unless asked for."""
    pgbouncer = _bool(env, "DATABASE_PGBOUNCER", False)
    return PostgresConfig(
        pool=_bool(env, "DATABASE_POOL", not pgbouncer),
        pgbouncer=pgbouncer,
        connect_seconds=_int(env, "DATABASE_CONNECT_SECONDS", 5),
        statement_seconds=_int(env, "DATABASE_STATEMENT_SECONDS", 30),
    )


def _email(env: Env, secrets: Secrets) -> dict[str, Any]:
    """EMAIL_* settings; without a host, mail goes to the console."""
    return {
        "HOST": env.str("EMAIL_HOST", ""),
        "PORT": _int(env, "EMAIL_PORT", 587),
        "HOST_USER": env.str("EMAIL_HOST_USER", ""),
        "HOST_PASSWORD": secrets.text("EMAIL_HOST_PASSWORD"),
        "USE_TLS": _bool(env, "EMAIL_USE_TLS", True),
    }


def _sandbox_webhook_secret(secret_key: str) -> str:
    """Every process of the installation derives the same secret, and nobody else can."""
    digest = hmac.new(secret_key.encode(), b"stripe sandbox webhook", hashlib.sha256).hexdigest()
    return f"whsec_sandbox_{digest}"


def _type_problems(env: Env) -> list[tuple[str, str]]:
    try:
        env.seal()
    except EnvValidationError as error:
        return [
            (name, " ".join(str(message) for message in messages))
            for name, messages in dict(error.error_messages).items()  # type: ignore[arg-type]
        ]
    return []
