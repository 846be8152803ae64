"""The shop in a process of its own with something to sell, as programs of others meet it."""

from __future__ import annotations

import random
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.management import call_command

from catalog_pages.models import DigitalAsset, ProductPage
from catalog_pages.site_tree import ensure_site_tree
from orders.tests.smtp_sink import SmtpSink
from tests import servers
from tests.factories import PASSWORD, make_asset, make_product
from tests.server_processes import answers_http, end, spawn, wait_until

CONTENT = random.Random(8).randbytes(400_003)


@dataclass(frozen=True)
class OpenShop:
    """`url`: where it listens, and what it calls itself. `letters`: what it has mailed."""

    url: str
    smtp: SmtpSink
    product: ProductPage
    asset: DigitalAsset

    def code_for(self, email: str) -> str:
        """The one that was mailed to this address after signing up."""
        letters = [letter for letter in self.smtp.letters if letter["To"] == email]
        assert letters, f"no letter for {email}"
        text = letters[-1].get_body(("plain",)).get_content()
        found = re.search(r"^\s*([A-Z0-9]{3,4}-?[A-Z0-9]{3,4})\s*$", text, flags=re.MULTILINE)
        assert found is not None, text
        return found[1]


def sign_up(shop: OpenShop, email: str) -> str:
    """By the road that our own apps take. The session's token."""
    auth = f"{shop.url}/_allauth/app/v1/auth"
    with httpx.Client(trust_env=False) as client:
        begun = client.post(f"{auth}/signup", json={"email": email, "password": PASSWORD}).json()
        token = {"X-Session-Token": begun["meta"]["session_token"]}
        code = {"key": shop.code_for(email)}
        done = client.post(f"{auth}/email/verify", json=code, headers=token).json()
    assert done["meta"]["is_authenticated"], done
    return str(done["meta"]["session_token"])


def pay(address: str) -> None:
    """As a buyer does at the sandbox: one button."""
    with httpx.Client(trust_env=False) as browser:
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.get(address).text)
        assert token is not None
        button = {"csrfmiddlewaretoken": token[1], "outcome": "pay"}
        assert browser.post(address, data=button).status_code == 303


@pytest.fixture(scope="package")
def db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """In place of pytest-django's, whose transaction would hide the rows from other processes.

    What is written is committed; afterwards the tables are as empty as before.
    """
    with django_db_blocker.unblock():
        yield
        call_command("flush", verbosity=0, interactive=False)
        ensure_site_tree()


@pytest.fixture(scope="package")
def shop(db: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenShop]:
    asset = make_asset(CONTENT, file_name="01 Slack Water.flac")
    product = make_product("Tidewater", price_pennies=899, assets=[asset])
    var_dir = tmp_path_factory.mktemp("shop")
    with SmtpSink() as smtp, socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        env = servers.shop_environment(
            var_dir,
            SITE_BASE_URL=f"http://127.0.0.1:{listener.getsockname()[1]}",
            EMAIL_HOST="127.0.0.1",
            EMAIL_PORT=str(smtp.port),
            EMAIL_USE_TLS="0",
            WEB_THREADS="8",
        )
        with _listening(listener, env, log=var_dir / "log"):
            yield OpenShop(env["SITE_BASE_URL"], smtp, product, asset)


@contextmanager
def _listening(listener: socket.socket, env: dict[str, str], *, log: Path) -> Iterator[None]:
    """The shop under gunicorn. Unlike that of tests/servers.py it knows its own address, which is where
    the sandbox tells it of payments."""
    command = [sys.executable, "-m", "gunicorn", "--bind", f"fd://{listener.fileno()}"]
    command += ["--worker-class", "gthread", "--threads", env["WEB_THREADS"], "--no-control-socket"]
    command += ["--graceful-timeout", "1", "--log-level", "warning", "site_config.wsgi:application"]
    process = spawn(command, log=log, env=env, descriptor=listener.fileno())
    port = int(listener.getsockname()[1])
    try:
        wait_until(answers_http(port, "/healthz/", statuses=(200,)), process, log)
        yield
    finally:
        end(process)
