"""What a readable environment may still get wrong: each rule names its variable and says the way out."""

from __future__ import annotations

import re
from email.utils import parseaddr
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from catalog_pages.money import is_supported

if TYPE_CHECKING:
    from site_config.env import Config

Problem = tuple[str, str]

HOST_NAME = re.compile(r"\.?[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\]")
MAX_UPLOAD_BYTES = 1024**4  # a terabyte: more is a typing mistake


def sense_problems(config: Config, *, production: bool, sandbox_wanted: bool) -> list[Problem]:
    return [
        *_site_problems(config, production=production),
        *_host_problems(config, production=production),
        *_data_problems(config, production=production),
        *_key_problems(config),
        *_payment_problems(config, production=production, sandbox_wanted=sandbox_wanted),
        *_mail_problems(config),
        *_limit_problems(config),
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
    if not _is_origin(config.site_base_url):
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
        if not _is_origin(origin.replace("://*.", "://", 1))
    ]


def _data_problems(config: Config, *, production: bool) -> list[Problem]:
    problems = []
    if "error" in config.database:
        problems.append(("DATABASE_URL", config.database["error"]))
    elif production and ":memory:" in str(config.database["NAME"]):
        problems.append(("DATABASE_URL", "must name a database that outlives the process"))
    redis = urlsplit(config.redis_url) if _is_url(config.redis_url) else None
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
    if not is_supported(config.stripe_currency):
        problems.append(("STRIPE_CURRENCY", "must be a currency that Stripe takes, such as GBP"))
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
    problems = []
    if not 1 <= config.cart_max_quantity <= 99:
        problems.append(("CART_MAX_QUANTITY", "must be between 1 and 99"))
    if not 0 < config.max_upload_bytes <= MAX_UPLOAD_BYTES:
        problems.append(("MAX_UPLOAD_MB", "must be between 1 and 1048576"))
    return problems


def _is_url(text: str) -> bool:
    try:
        urlsplit(text).port  # noqa: B018  # reading the port is what checks it
    except ValueError:
        return False
    return True


def _is_origin(text: str) -> bool:
    """Scheme, host and perhaps a port; nothing before, between or after."""
    if not _is_url(text):
        return False
    parts = urlsplit(text)
    host = parts.hostname or ""
    return (
        parts.scheme in ("http", "https")
        and bool(HOST_NAME.fullmatch(f"[{host}]" if ":" in host else host))
        and not (parts.path or parts.query or parts.fragment or "@" in parts.netloc)
    )
