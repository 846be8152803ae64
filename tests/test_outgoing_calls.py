"""Nobody is called without a limit on how long we wait: the source is read, the settings are looked at."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from orders import stripe_gateway
from site_config.env_services import PostgresConfig

ROOMS = ("site_config", "store_api", "orders", "downloads", "catalog_pages")
CALLS = {
    # name of what is called -> place of its time-out among the arguments, None: by name alone
    "HTTPConnection": None,
    "HTTPSConnection": None,
    "urlopen": 2,
    "create_connection": 1,
    "SMTP": None,
    "SMTP_SSL": None,
    "Session": None,
    "RequestsClient": None,
    "ConnectionPool": None,
    "Redis": None,
}
# Of a function: what gives the limit instead.
BOUNDED = {
    ("site_config/probes.py", "_probed_cache"): "a cache of Django's, which connects to nobody",
    ("orders/services/outgoing/transport.py", "_exchange"): "its socket has one deadline for everything",
}  # fmt: skip


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call, str]]:
    """The function, the call, and what is called, of everything in `CALLS`; "" outside of functions."""
    inside: dict[ast.AST, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            inside |= dict.fromkeys(ast.walk(node), node.name)
    aliases = {
        target.id: name
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for name in names_in(node.value) & CALLS.keys()
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            name = aliases.get(name, name)
            if name in CALLS:
                yield inside.get(node, ""), node, name


def names_in(node: ast.AST) -> set[str]:
    return {
        getattr(each, "attr", getattr(each, "id", ""))
        for each in ast.walk(node)
        if not isinstance(node, ast.Call)
    }


def without_limit(path: str, source: str) -> list[str]:
    found = []
    for function, call, name in calls(ast.parse(source)):
        place = CALLS[name]
        named = any(
            keyword.arg == "timeout" and not is_none(keyword.value) for keyword in call.keywords
        )
        placed = place is not None and len(call.args) > place
        if not (named or placed or (path, function) in BOUNDED):
            found.append(f"{path}:{call.lineno} {name}")
    return found


def is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def own_sources() -> Iterator[tuple[str, str]]:
    for room in ROOMS:
        for path in sorted((settings.BASE_DIR / room).rglob("*.py")):
            relative = path.relative_to(settings.BASE_DIR)
            if not {"tests", "migrations"} & set(relative.parts):
                yield str(relative), path.read_text(encoding="utf-8")


def test_every_call_of_ours_has_a_limit() -> None:
    assert [each for path, source in own_sources() for each in without_limit(path, source)] == []


def test_the_places_that_are_let_off_are_still_there() -> None:
    found = {
        (path, function)
        for path, source in own_sources()
        for function, _, _ in calls(ast.parse(source))
    }

    assert BOUNDED.keys() <= found


@pytest.mark.parametrize(
    "line",
    [
        "http.client.HTTPConnection(host)", "urlopen(address)", "socket.create_connection(address)",
        "smtplib.SMTP(host, timeout=None)", "requests.Session()",
        "kind = HTTPSConnection if tls else HTTPConnection\nkind(host)",
    ],
)  # fmt: skip
def test_a_call_without_one_would_be_found(line: str) -> None:
    assert without_limit("x.py", line)


def test_what_libraries_call_has_one_too() -> None:
    # boto3 is imported where a bucket is used; here as well, for what it is told.
    from catalog_pages.storage_s3 import ProtectedS3Storage

    storage = ProtectedS3Storage(bucket_name="it", access_key="one", secret_key="two")
    told = storage.client.meta.config
    stripe_client = stripe_gateway._stripe_client("sk_test_x", stripe_gateway.PATIENT, 0)
    database = PostgresConfig(True, False, 5, 30).as_database(threads=16)["OPTIONS"]

    assert 0 < settings.EMAIL_TIMEOUT <= 30
    assert (told.connect_timeout, told.read_timeout) == (3, 20)
    assert stripe_client._requestor._client._timeout == stripe_gateway.PATIENT
    assert (database["connect_timeout"], database["pool"]["timeout"]) == (5, 5)
    assert database["tcp_user_timeout"] == 30_000


def test_redis_is_waited_for_a_second(tmp_path: Path) -> None:
    """The tests' own settings have no Redis: another process tells what a shop's are."""
    ask = "from django.conf import settings; print(settings.CACHES['default']['OPTIONS'])"
    environment = {
        "PATH": os.environ["PATH"],
        "VAR_DIR": str(tmp_path),
        "REDIS_URL": "redis://cache/0",
        "DJANGO_SETTINGS_MODULE": "site_config.settings.dev",
    }

    told = subprocess.run(
        [sys.executable, "-c", ask], cwd=settings.BASE_DIR, env=environment,
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert ast.literal_eval(told.stdout) == {"socket_connect_timeout": 1, "socket_timeout": 1}
