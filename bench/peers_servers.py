"""The shops that stand beside each other, each under gunicorn in processes of its own."""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from bench.report import RESULTS
from tests import servers
from tests.server_processes import ROOT, answers_http, end, spawn, wait_until
from tests.servers import Server

THREADS = 16  # as the Dockerfile has it
HOST = "shop.example"
# What a proxy that ends TLS says of each request.
HEADERS = {"Host": HOST, "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
OSCAR = ("django-oscar", "sorl-thumbnail", "whoosh", "psycopg[binary]")
BENCH = ROOT / "bench"


@dataclass(frozen=True)
class Oscar:
    server: Server
    detail: str  # path of a product
    products: tuple[int, int]  # the first id, and the last
    version: str


@contextmanager
def gunicorn(
    application: str, env: Mapping[str, str], log: Path, *, python: str = sys.executable,
    worker: str = "gthread", ready: str = "/",
) -> Iterator[Server]:  # fmt: skip
    """One worker; it has answered `ready` when the block begins."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        port = int(listener.getsockname()[1])
        command = [python, "-m", "gunicorn", "--bind", f"fd://{listener.fileno()}"]
        command += ["--worker-class", worker, "--workers", "1", "--threads", str(THREADS)]
        command += ["--no-control-socket", "--graceful-timeout", "1", "--timeout", "120"]
        command += ["--log-level", "warning", application]
        process = spawn(command, log=log, env=env, descriptor=listener.fileno())
    try:
        wait_until(answers_http(port, ready, statuses=(200, 301, 302, 400, 404)), process, log)
        yield Server(port, process.pid)
    finally:
        end(process)


def plain_environment(**more: str) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**inherited, "NO_PROXY": "127.0.0.1", **more}


@contextmanager
def bare(where: Path) -> Iterator[Server]:
    env = plain_environment(PYTHONPATH=str(ROOT))
    with gunicorn(
        "bench.bare_site:application", env, where / "bare.log", ready="/words/"
    ) as server:
        yield server


def shop_environment(where: Path, **more: str) -> dict[str, str]:
    """A public shop behind a proxy, with the database of this moment. No request of these reaches Stripe."""
    return {
        **servers.shop_environment(where / "shop"),
        "DJANGO_SETTINGS_MODULE": "site_config.settings.production",
        "SECRET_KEY": "measures beside others, 0123456789 abcdefghijklmnopqrstuvwxyz",
        "SITE_BASE_URL": f"https://{HOST}",
        "ALLOWED_HOSTS": HOST,
        "TRUSTED_PROXY": "1",
        "STRIPE_SANDBOX": "",
        "STRIPE_SECRET_KEY": "sk_test_nobody_is_asked_to_pay_here",
        "STRIPE_WEBHOOK_SECRET": "whsec_nobody_is_asked_to_pay_here",
        "STATIC_ROOT": str(where / "static"),
        "WEB_THREADS": str(THREADS),
        # All requests come from one address here.
        "SEARCH_LIMIT": "0",
        **{f"API_{who}_LIMIT": "1000000" for who in ("ADDRESS", "PERSON", "APP")},
        **more,
    }


def collect_static(where: Path) -> None:
    """Compressing takes a minute, so that what was collected of the same files is used again."""
    kept = RESULTS / "static" / _state_of_static()
    if not kept.exists():
        subprocess.run(
            [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"],
            cwd=ROOT, env=shop_environment(where), check=True,
        )  # fmt: skip
        shutil.rmtree(kept.parent, ignore_errors=True)
        shutil.copytree(where / "static", kept)
    elif not (where / "static").exists():
        (where / "static").symlink_to(kept)


def _state_of_static() -> str:
    digest = hashlib.sha256((ROOT / "requirements.txt").read_bytes())
    for path in sorted((ROOT / "frontend_templates" / "static").rglob("*")):
        if path.is_file():
            digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]


@contextmanager
def shop(where: Path, *, settings: str = "", name: str = "shop") -> Iterator[Server]:
    """`settings`: a module of bench's in place of production's own."""
    more = {"DJANGO_SETTINGS_MODULE": settings} if settings else {}
    env = shop_environment(where, **more)
    Path(env["VAR_DIR"]).mkdir(parents=True, exist_ok=True)
    with gunicorn(
        "site_config.wsgi:application", env, where / f"{name}.log", worker=servers.WORKER,
        ready="/healthz/",
    ) as server:  # fmt: skip
        yield server


@contextmanager
def oscar(where: Path, products: int) -> Iterator[Oscar]:
    """django-oscar with as many products, in its own database beside ours, run by a Python of its own."""
    python = _oscar_python()
    with _oscar_database(where) as url:
        env = plain_environment(
            PYTHONPATH=str(BENCH), OSCAR_VAR=str(where / "oscar"), OSCAR_DATABASE_URL=url,
            DJANGO_SETTINGS_MODULE="oscar_site.settings",
        )  # fmt: skip
        filled = _said(python, "-m", "oscar_site.fill", str(products), env=env)
        last = re.search(r"_(\d+)/$", filled)
        assert last, filled
        version = _said(
            python, "-c", "from importlib.metadata import version as v; print(v('django-oscar'))"
        )
        with gunicorn(
            "django.core.wsgi:get_wsgi_application()", env, where / "oscar.log", python=str(python),
            ready="/catalogue/",
        ) as server:  # fmt: skip
            end_id = int(last[1])
            yield Oscar(server, filled.splitlines()[-1], (end_id - products + 1, end_id), version)


def _oscar_python() -> Path:
    """Installed on first use, as anybody would: into a folder of its own, because it has other needs."""
    folder = Path(os.environ.get("BENCH_OSCAR_VENV") or ROOT / "var" / "bench" / "oscar-venv")
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        print(f"django-oscar is installed into {folder}.", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        gunicorn_version = _said(
            sys.executable,
            "-c",
            "import gunicorn; print(gunicorn.__version__)",
            env=dict(os.environ),
        )
        subprocess.run(
            [str(python), "-m", "pip", "install", "--quiet", *OSCAR, f"gunicorn=={gunicorn_version}"],
            check=True,
        )  # fmt: skip
        (folder / "ready").touch()
    return python


@contextmanager
def _oscar_database(where: Path) -> Iterator[str]:
    (where / "oscar").mkdir(parents=True, exist_ok=True)
    ours = urlsplit(servers.database_url())
    if ours.scheme == "sqlite":
        yield f"sqlite://{where / 'oscar' / 'db.sqlite3'}"
        return
    name = f"bench_oscar_{os.getpid()}"
    with psycopg.connect(servers.database_url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield f"postgres://{ours.username}@{ours.hostname}:{ours.port}/{name}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _said(*command: object, env: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        [*map(str, command)], cwd=BENCH, env=dict(env or plain_environment()), check=True,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return done.stdout.strip()


def asked(
    server: Server, method: str, path: str, body: str = "", headers: Mapping[str, str] | None = None
) -> tuple[int, list[str], bytes]:
    """Status, cookies that are set as "name=value", and the body."""
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        connection.request(method, path, body or None, {**HEADERS, **(headers or {})})
        answer = connection.getresponse()
        cookies = [
            cookie.partition(";")[0] for cookie in answer.headers.get_all("Set-Cookie") or []
        ]
        return answer.status, cookies, answer.read()
