"""The one reader of the environment.

Every setting that an operator can change comes through `Config.load`, typed, and every wrong
value is reported by its name in one message, so that nobody has to start the shop five times to
find five mistakes. Nothing else in the project reads `os.environ`.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from environs import Env, EnvValidationError

BASE_DIR = Path(__file__).resolve().parent.parent
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


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
    debug: bool
    allowed_hosts: list[str]
    site_base_url: str
    csrf_trusted_origins: list[str]
    database: dict[str, Any]
    redis_url: str
    stripe_public_key: str
    stripe_secret_key: str
    stripe_webhook_secrets: list[str]
    stripe_currency: str
    stripe_sandbox: bool
    email: dict[str, Any]
    default_from_email: str
    var_dir: Path
    media_root: Path
    static_root: Path
    protected_media_root: Path
    max_upload_bytes: int
    cart_max_quantity: int
    trusted_proxy: bool

    @property
    def is_https(self) -> bool:
        return self.site_base_url.startswith("https://")

    @property
    def host(self) -> str:
        return urlsplit(self.site_base_url).hostname or ""

    @classmethod
    def load(cls, profile: Profile) -> Config:
        """Read and check everything; raise ImproperlyConfigured naming every wrong variable."""
        env = Env(eager=False)
        if profile is Profile.DEVELOPMENT:
            env.read_env(str(BASE_DIR / ".env"), recurse=False)
        values = _read(env, profile)
        wants_sandbox = values.pop("wants_sandbox")
        config = cls(**values)
        problems = _type_problems(env)
        misread = {name for name, _ in problems}
        problems += [
            (name, why)
            for name, why in _sense_problems(config, profile, sandbox_wanted=wants_sandbox)
            if name not in misread
        ]
        if problems:
            lines = "\n".join(f"  {name}: {why}" for name, why in problems)
            raise ImproperlyConfigured(f"These settings need attention:\n{lines}")
        return config


def is_loopback(url: str) -> bool:
    """True when `url` can only be reached from this machine."""
    return (urlsplit(url).hostname or "") in LOOPBACK_HOSTS


def secret_key_from_file(path: Path) -> str:
    """A random key of this machine's own, made on first use and readable by its owner alone."""
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("x", encoding="ascii") as file:
                path.chmod(0o600)
                file.write(secrets.token_urlsafe(50))
        except FileExistsError:  # another process was faster; its key is the key
            pass
        return path.read_text(encoding="ascii").strip()


def _read(env: Env, profile: Profile) -> dict[str, Any]:
    production = profile is Profile.PRODUCTION
    var_dir = Path(env.str("VAR_DIR", str(BASE_DIR / "var")) or "var").absolute()
    base_url = (
        env.str("SITE_BASE_URL", "" if production else "http://127.0.0.1:8000") or ""
    ).rstrip("/")
    host = urlsplit(base_url).hostname or ""
    local_hosts = [] if production else ["localhost", "127.0.0.1", "[::1]"]
    secret_key = env.str("SECRET_KEY", "") or ""
    if not secret_key and not production:
        secret_key = secret_key_from_file(var_dir / "secret_key")
    stripe_key = env.str("STRIPE_SECRET_KEY", "") or ""
    wants_sandbox = env.bool("STRIPE_SANDBOX", not production and not stripe_key)
    webhook_secrets = _list(env, "STRIPE_WEBHOOK_SECRET")
    if wants_sandbox and not stripe_key and not webhook_secrets and secret_key:
        webhook_secrets = [_sandbox_webhook_secret(secret_key)]
    return {
        "secret_key": secret_key,
        "debug": bool(env.bool("DEBUG", False)),
        "allowed_hosts": _list(env, "ALLOWED_HOSTS") or [h for h in [host, *local_hosts] if h],
        "site_base_url": base_url,
        "csrf_trusted_origins": _list(env, "CSRF_TRUSTED_ORIGINS") or ([base_url] if host else []),
        "database": _database(env, var_dir),
        "redis_url": env.str("REDIS_URL", ""),
        "stripe_public_key": env.str("STRIPE_PUBLIC_KEY", ""),
        "stripe_secret_key": stripe_key,
        "stripe_webhook_secrets": webhook_secrets,
        "stripe_currency": (env.str("STRIPE_CURRENCY", "GBP") or "").upper(),
        "wants_sandbox": bool(wants_sandbox),
        # The sandbox steps aside whenever a real key exists, whatever the switch says.
        "stripe_sandbox": bool(wants_sandbox) and not stripe_key,
        "email": _email(env),
        "default_from_email": env.str("DEFAULT_FROM_EMAIL", f"shop@{host or 'localhost'}"),
        "var_dir": var_dir,
        "media_root": _path(env, "MEDIA_ROOT", var_dir / "media"),
        "static_root": _path(env, "STATIC_ROOT", var_dir / "static"),
        "protected_media_root": _path(env, "PROTECTED_MEDIA_ROOT", BASE_DIR / "protected_media"),
        "max_upload_bytes": _int(env, "MAX_UPLOAD_MB", 2048) * 1024 * 1024,
        "cart_max_quantity": _int(env, "CART_MAX_QUANTITY", 1),
        "trusted_proxy": env.bool("TRUSTED_PROXY", False),
    }


def _int(env: Env, name: str, default: int) -> int:
    """The number, or the default when it could not be read (`seal` then reports the variable)."""
    value = env.int(name, default)
    return default if value is None else value


def _list(env: Env, name: str) -> list[str]:
    values: list[str] = env.list(name, []) or []
    return [value.strip() for value in values if value.strip()]


def _path(env: Env, name: str, default: Path) -> Path:
    return Path(env.str(name, str(default)) or default).absolute()


def _database(env: Env, var_dir: Path) -> dict[str, Any]:
    url = env.str("DATABASE_URL", "") or f"sqlite:///{var_dir / 'db.sqlite3'}"
    try:
        parsed: dict[str, Any] = dict(dj_database_url.parse(url))
    except (ValueError, KeyError, dj_database_url.ParseError) as error:
        return {"error": f"not a database URL that this shop knows ({error})"}
    if not parsed.get("NAME"):
        return {"error": "the URL names no database"}
    return parsed


def _email(env: Env) -> dict[str, Any]:
    """EMAIL_* settings; without a host, mail goes to the console."""
    return {
        "HOST": env.str("EMAIL_HOST", ""),
        "PORT": _int(env, "EMAIL_PORT", 587),
        "HOST_USER": env.str("EMAIL_HOST_USER", ""),
        "HOST_PASSWORD": env.str("EMAIL_HOST_PASSWORD", ""),
        "USE_TLS": env.bool("EMAIL_USE_TLS", True),
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


def _sense_problems(
    config: Config, profile: Profile, *, sandbox_wanted: bool
) -> list[tuple[str, str]]:
    return [
        *_site_problems(config, profile),
        *_stripe_problems(config, profile, sandbox_wanted=sandbox_wanted),
        *_limit_problems(config),
    ]


def _site_problems(config: Config, profile: Profile) -> list[tuple[str, str]]:
    problems = []
    production = profile is Profile.PRODUCTION
    if not config.secret_key:
        problems.append(("SECRET_KEY", "is missing; production has no default for it"))
    elif production and len(config.secret_key) < 50:
        problems.append(("SECRET_KEY", "is too short; use at least 50 random characters"))
    parts = urlsplit(config.site_base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path:
        problems.append(
            ("SITE_BASE_URL", "must be the shop's own address, such as https://shop.example")
        )
    elif production and parts.scheme == "http" and not is_loopback(config.site_base_url):
        problems.append(("SITE_BASE_URL", "must start with https:// on a public host"))
    if production and config.debug:
        problems.append(("DEBUG", "must be off in production"))
    problems += [
        ("CSRF_TRUSTED_ORIGINS", f"{origin!r} must start with http:// or https://")
        for origin in config.csrf_trusted_origins
        if not origin.startswith(("http://", "https://"))
    ]
    if "error" in config.database:
        problems.append(("DATABASE_URL", config.database["error"]))
    if config.redis_url and not config.redis_url.startswith(("redis://", "rediss://", "unix://")):
        problems.append(("REDIS_URL", "must start with redis://, rediss:// or unix://"))
    return problems


def _stripe_problems(
    config: Config, profile: Profile, *, sandbox_wanted: bool
) -> list[tuple[str, str]]:
    problems = []
    key = config.stripe_secret_key
    if key and not key.startswith(("sk_test_", "sk_live_", "rk_test_", "rk_live_")):
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
        if not secret.startswith("whsec_")
    ]
    live = "_live_" in key[:8]
    if live and config.debug:
        problems.append(("DEBUG", "must be off while STRIPE_SECRET_KEY is a live key"))
    public = config.stripe_public_key
    if public and not public.startswith(("pk_test_", "pk_live_")):
        problems.append(("STRIPE_PUBLIC_KEY", "must start with pk_test_ or pk_live_"))
    elif public and key and public.startswith("pk_live_") != live:
        problems.append(("STRIPE_PUBLIC_KEY", "is of another mode than STRIPE_SECRET_KEY"))
    if not key and not sandbox_wanted and profile is Profile.PRODUCTION:
        problems.append(("STRIPE_SECRET_KEY", "is missing; nobody could pay"))
    if sandbox_wanted and not key and not is_loopback(config.site_base_url):
        problems.append(
            (
                "STRIPE_SANDBOX",
                "is for this machine only; a public SITE_BASE_URL needs STRIPE_SECRET_KEY",
            )
        )
    return problems


def _limit_problems(config: Config) -> list[tuple[str, str]]:
    problems = []
    if not 1 <= config.cart_max_quantity <= 99:
        problems.append(("CART_MAX_QUANTITY", "must be between 1 and 99"))
    if config.max_upload_bytes <= 0:
        problems.append(("MAX_UPLOAD_MB", "must be at least 1"))
    if not (len(config.stripe_currency) == 3 and config.stripe_currency.isalpha()):
        problems.append(("STRIPE_CURRENCY", "must be a three-letter code such as GBP"))
    return problems
