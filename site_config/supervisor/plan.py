"""What the environment asks for. `.env` counts below it.

Read here and not through `site_config/env.py`, which needs Django and its packages: this runs
before either is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent.parent
LOOPBACK_HOSTS = {"localhost", "127.0.0.1", "::1"}
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "127.0.0.1"}  # noqa: S104  # nosec B104  # read, never chosen here


class Refusal(Exception):
    """Why the shop does not start or go on: one sentence, and the exit code that goes with it."""

    def __init__(self, sentence: str, code: int = 1) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True)
class Plan:
    """The environment's wishes, checked, and the environment that the children get."""

    host: str
    port: int
    base_url: str
    database_url: str
    var_dir: Path
    stripe_key: str
    debug: bool
    demo: bool
    web_threads: int
    child_env: dict[str, str]

    @property
    def authority(self) -> str:
        """`host:port` as URLs and gunicorn write it."""
        return f"{bracketed(self.host)}:{self.port}"

    @property
    def database_file(self) -> Path | None:
        """The SQLite file, or None when the database is a server."""
        if not self.database_url:
            return self.var_dir / "db.sqlite3"
        parts = urlsplit(self.database_url)
        return ROOT / unquote(parts.path[1:]) if parts.scheme == "sqlite" else None


def bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def read_plan(environ: Mapping[str, str]) -> Plan:
    """Merge `.env` below the environment and derive the rest.

    Raises Refusal when PORT or WEB_THREADS is no such number.
    """
    given = {name: value for name, value in environ.items() if value}
    known = read_dotenv() | given
    host = known.get("HOST", "127.0.0.1").strip("[]")
    port = read_port(known.get("PORT", "8000"))
    base_url = known.get("SITE_BASE_URL", "").rstrip("/")
    if not base_url or ("SITE_BASE_URL" not in given and is_loopback(base_url)):
        # A copied .env.example must not hold `make run PORT=8001` at port 8000.
        base_url = f"http://{bracketed(ANY_ADDRESS.get(host, host))}:{port}"
    return Plan(
        host=host,
        port=port,
        base_url=base_url,
        database_url=known.get("DATABASE_URL", ""),
        var_dir=ROOT / known.get("VAR_DIR", "var"),
        stripe_key=known.get("STRIPE_SECRET_KEY", ""),
        debug=is_on(known.get("DEBUG", "")),
        demo=is_on(known.get("DEMO", "1")),
        web_threads=read_threads(known.get("WEB_THREADS", "16")),
        child_env=child_environment(environ, known, base_url),
    )


def child_environment(
    environ: Mapping[str, str], known: Mapping[str, str], base_url: str
) -> dict[str, str]:
    """The caller's environment plus what `make run` decides for every process."""
    env = dict(environ) | {"SITE_BASE_URL": base_url, "PYTHONUNBUFFERED": "1"}
    env.setdefault("DJANGO_SETTINGS_MODULE", "site_config.settings.dev")
    if not known.get("STRIPE_SECRET_KEY") and not known.get("STRIPE_SANDBOX"):
        env["STRIPE_SANDBOX"] = "1"
    return env


def read_dotenv() -> dict[str, str]:
    try:
        from dotenv import dotenv_values
    except ImportError:  # before the packages are installed, the environment has to do
        return {}
    return {name: value for name, value in dotenv_values(ROOT / ".env").items() if value}


def read_port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise Refusal(f"PORT must be a number from 1 to 65535, and {text!r} is not.")
    return int(text)


def read_threads(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 4 <= int(text) <= 512):
        raise Refusal(f"WEB_THREADS must be a number from 4 to 512, and {text!r} is not.")
    return int(text)


def is_on(text: str) -> bool:
    return text.strip().lower() in {"1", "true", "yes", "on", "y", "t"}


def is_loopback(url: str) -> bool:
    return (urlsplit(url).hostname or "") in LOOPBACK_HOSTS
