"""What a readable environment may still get wrong: each rule names its variable and says the way out."""

from __future__ import annotations

import re
from email.utils import parseaddr
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from catalog_pages.money import is_supported
from orders.return_urls import return_url_problem

if TYPE_CHECKING:
    from site_config.env import Config, ProtectedStorageConfig

Problem = tuple[str, str]

HOST_NAME = re.compile(r"\.?[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\]")
BUCKET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]")
ACCEL_PREFIX = re.compile(r"/[A-Za-z0-9_-]+/")
REGION_NAME = re.compile(r"[A-Za-z0-9-]+")
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
KEY_TEXT = re.compile(r"[!-~]+")  # ASCII without a space: what a header can carry
# The first parts of the shop's addresses. nginx would keep such a location for itself, and answer 404.
OWN_ADDRESSES = frozenset(
    ".well-known _allauth _util accounts admin api cart catalog checkout django-admin downloads "
    "favicon.ico fragments gifts healthz identity legal media orders purchases readyz sandbox static".split()
)
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


def _sign_in_problems(config: Config) -> list[Problem]:
    must = "must be an RSA private key as PEM text, without a password"
    problems = []
    if config.oidc_private_key and not _is_rsa_key(config.oidc_private_key):
        problems.append(("OIDC_PRIVATE_KEY", must))
    if not all(_is_rsa_key(pem) for pem in config.oidc_previous_keys):
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


def _is_safe_origin(text: str) -> bool:
    """As browsers send it: in small letters, without the port that goes without saying."""
    if not _is_origin(text) or text != text.lower() or text.endswith((":443", ":80")):
        return False
    parts = urlsplit(text)
    return parts.scheme == "https" or parts.hostname in LOOPBACK_HOSTS


def storage_problems(storage: ProtectedStorageConfig, *, production: bool) -> list[Problem]:
    """A bucket is named whole, and nothing that would hand out its files without a signature passes."""
    if storage.kind not in ("local", "s3"):
        return [("PROTECTED_STORAGE", "must be local or s3")]
    if storage.is_s3:
        return _s3_problems(storage, production=production)
    return _accel_problems(storage.accel_redirect)


def _accel_problems(prefix: str) -> list[Problem]:
    if prefix and not ACCEL_PREFIX.fullmatch(prefix):
        return [("PROTECTED_ACCEL_REDIRECT", "must look like /protected/, with both slashes")]
    if prefix.strip("/") in OWN_ADDRESSES:
        return [
            (
                "PROTECTED_ACCEL_REDIRECT",
                f"{prefix} is where the shop has pages of its own, which nginx would hide",
            )
        ]
    return []


def _s3_problems(storage: ProtectedStorageConfig, *, production: bool) -> list[Problem]:
    problems = []
    if not BUCKET_NAME.fullmatch(storage.bucket):
        problems.append(("AWS_STORAGE_BUCKET_NAME", "must name the bucket that holds paid files"))
    if storage.accel_redirect:
        problems.append(
            ("PROTECTED_ACCEL_REDIRECT", "is for files on this machine: nginx has none of a bucket")
        )
    return [
        *problems,
        *_aws_key_problems(storage),
        *_endpoint_problems(storage, production=production),
        *_cloudfront_problems(storage),
    ]


def _aws_key_problems(storage: ProtectedStorageConfig) -> list[Problem]:
    given = {
        "AWS_ACCESS_KEY_ID": storage.access_key,
        "AWS_SECRET_ACCESS_KEY": storage.secret_key,
    }
    problems = [
        (name, "must be the key and nothing else: no spaces, no line breaks")
        for name, value in given.items()
        if value and not KEY_TEXT.fullmatch(value)
    ]
    if bool(storage.access_key) != bool(storage.secret_key):
        problems.append(
            ("AWS_SECRET_ACCESS_KEY", "and AWS_ACCESS_KEY_ID come together or not at all")
        )
    return problems


def _endpoint_problems(storage: ProtectedStorageConfig, *, production: bool) -> list[Problem]:
    """Amazon takes no address that was signed for another region than the bucket's."""
    problems = []
    if not storage.region and not storage.endpoint_url:
        problems.append(
            (
                "AWS_S3_REGION_NAME",
                "is missing: addresses are signed for the bucket's region, such as eu-west-2",
            )
        )
    elif storage.region and not REGION_NAME.fullmatch(storage.region):
        problems.append(("AWS_S3_REGION_NAME", "must be the name of a region, such as eu-west-2"))
    if storage.endpoint_url and not _is_origin(storage.endpoint_url):
        problems.append(("AWS_S3_ENDPOINT_URL", "must be an address such as https://s3.example"))
    elif production and storage.endpoint_url.startswith("http://"):
        problems.append(
            ("AWS_S3_ENDPOINT_URL", "must start with https://: files pass there openly")
        )
    return problems


def _cloudfront_problems(storage: ProtectedStorageConfig) -> list[Problem]:
    """CloudFront with half a key would hand out addresses that anybody may pass on."""
    given = {
        "AWS_CLOUDFRONT_DOMAIN": storage.cloudfront_domain,
        "AWS_CLOUDFRONT_KEY_ID": storage.cloudfront_key_id,
        "AWS_CLOUDFRONT_KEY": storage.cloudfront_key,
    }
    if not any(given.values()):
        return []
    problems = [
        (name, "is missing: without it CloudFront's links would carry no signature")
        for name, value in given.items()
        if not value
    ]
    if storage.cloudfront_key_id and not KEY_TEXT.fullmatch(storage.cloudfront_key_id):
        problems.append(("AWS_CLOUDFRONT_KEY_ID", "must be the key's id, without spaces"))
    domain = storage.cloudfront_domain
    if domain and not HOST_NAME.fullmatch(domain):
        problems.append(("AWS_CLOUDFRONT_DOMAIN", "must be a host name, without scheme or path"))
    if storage.cloudfront_key and not _is_rsa_key(storage.cloudfront_key):
        problems.append(("AWS_CLOUDFRONT_KEY", "must be the RSA private key as PEM text"))
    return problems


def _is_rsa_key(pem: str) -> bool:
    try:
        return isinstance(load_pem_private_key(pem.encode(), password=None), RSAPrivateKey)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False


def _is_url(text: str) -> bool:
    try:
        urlsplit(text).port  # noqa: B018  # reading the port is what checks it
    except ValueError:
        return False
    return True


def _is_origin(text: str) -> bool:
    """Scheme, host and perhaps a port, which is then named; nothing before, between or after."""
    if not _is_url(text):
        return False
    parts = urlsplit(text)
    host = parts.hostname or ""
    return (
        parts.scheme in ("http", "https")
        and bool(HOST_NAME.fullmatch(f"[{host}]" if ":" in host else host))
        and not (parts.path or parts.query or parts.fragment or "@" in parts.netloc)
        and not parts.netloc.endswith(":")
    )
