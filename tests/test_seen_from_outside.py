"""The shop as it is served, with somebody watching: readers of figures and logs, a trace collector, Sentry.

The last two are servers of ours, which take what the libraries send."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families

from tests.receiver import Receiver, receiver
from tests.servers import Server, gunicorn, shop_environment

pytestmark = pytest.mark.django_db
TOKEN = "a-token-of-more-than-twenty-letters"
SOMEBODY = "gus.guest@post.example"
LINK = "WyJvcmRlciJdWyJvcmRlciJd:1xXvxX:VJ9tp2k98s6hZk1dCTQbBAKZu1LCTzqfGq6QSThP06Q"
PRIVATE = (SOMEBODY, LINK, "hunter2-of-gus", "203.0.113.9", "Very-Own-Browser", "sessionid")
LIBRARIES = ("opentelemetry", "sentry_sdk")


@pytest.fixture(scope="module")
def environment(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    with django_db_blocker.unblock():
        folder = tmp_path_factory.mktemp("shop")
        return {**shop_environment(folder), "LOG_FORMAT": "json"}


def ask(server: Server, path: str, **headers: str) -> tuple[int, str]:
    request = urllib.request.Request(server.url + path, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def visits(server: Server) -> None:
    """Pages and errors of somebody who leaves traces wherever they can."""
    own = {
        "User-Agent": "Very-Own-Browser", "X-Forwarded-For": "203.0.113.9",
        "Cookie": "sessionid=n0fu3v6x8k2m4p7q9s1t5w8y0b3d6g9j",
    }  # fmt: skip
    for path in ("/", f"/catalog/?q={SOMEBODY}", f"/orders/link/{LINK}/", f"/none/{SOMEBODY}/"):
        ask(server, path, **own)
    body = f"login={SOMEBODY}&password=hunter2-of-gus".encode()
    request = urllib.request.Request(f"{server.url}/accounts/login/", data=body, headers=own)
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(request, timeout=30)


@pytest.fixture
def measured(environment: dict[str, str], tmp_path: Path) -> Iterator[Server]:
    shared = tmp_path / "figures"
    shared.mkdir()
    more = {"METRICS_TOKEN": TOKEN, "PROMETHEUS_MULTIPROC_DIR": str(shared), "WEB_CONCURRENCY": "2"}
    with gunicorn({**environment, **more}, threads=4, workers=2) as server:
        yield server


def test_several_web_processes_tell_what_all_of_them_have_counted(measured: Server) -> None:
    for _ in range(24):  # each on a connection of its own, to whichever process takes it
        ask(measured, "/cart/")

    seen = []
    for _ in range(6):
        status, text = ask(measured, "/metrics/", Authorization=f"Bearer {TOKEN}")
        assert status == 200
        seen += [
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == "shop_requests_total" and sample.labels["route"] == "orders:cart"
        ]
    assert seen == [24] * 6


def test_the_servers_own_lines_are_json_and_name_no_client(
    environment: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "var"
    folder.mkdir()
    options = [
        "--logger-class",
        "site_config.observing.gunicorn_log.JsonLog",
        "--log-level",
        "info",
    ]
    with gunicorn({**environment, "VAR_DIR": str(folder)}, threads=4, options=options) as server:
        visits(server)
        with socket.create_connection(("127.0.0.1", server.port)) as line:
            line.sendall(f"GET /orders/link/{LINK}/ HTTP/9\r\n\r\n".encode())
            line.recv(1000)
    (log,) = folder.glob("gunicorn-*.log")
    lines = [json.loads(line) for line in log.read_text().splitlines()]

    messages = [line["message"] for line in lines]
    assert any(message.startswith("Booting worker") for message in messages)
    assert any(message.startswith("Invalid request: ") for message in messages)
    assert "127.0.0.1" not in json.dumps(
        [line for line in lines if "Listening" not in line["message"]]
    )
    access = [line["route"] for line in lines if line["logger"] == "shop.access"]
    assert access == ["home", "catalog:catalogue", "orders:guest_link", "(none)", "account_login"]
    assert not [value for value in PRIVATE if value in log.read_text()]


def test_traces_reach_a_collector_and_hold_nothing_of_anybody(environment: dict[str, str]) -> None:
    with receiver() as collector:
        more = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }
        with gunicorn({**environment, **more}, threads=4) as server:
            visits(server)
            wait_for(collector, "/v1/traces", b"account_login", b"accounts/login")
    spans = [
        span
        for body in collector.bodies["/v1/traces"]
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]

    names = {span.name for span in spans}
    assert any("orders/link/<str:token>/" in name for name in names), names
    told = {attribute.key for span in spans for attribute in span.attributes}
    assert {"shop.request_id", "http.route"} <= told
    sent = collector.everything.decode(errors="replace")
    assert not [value for value in (*PRIVATE, "127.0.0.1", "q=") if value in sent]


def wait_for(received: Receiver, address: str, *words: bytes) -> None:
    """Until one of the words has come there; half a minute at most."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if any(word in body for word in words for body in received.bodies.get(address, [])):
            return
        received.came.wait(0.1)
        received.came.clear()
    raise AssertionError(f"None of {words} came to {address}: {list(received.bodies)}")


FAULTY = f"""
import os
import django
django.setup()
import logging
from django.test import Client, override_settings
from django.urls import path
from orders.log_context import order_name
import sentry_sdk
def breaks(request, what):
    order_name("7F3K-9QXM")
    secret_of_somebody = "hunter2-of-gus"
    raise ValueError("cannot read {SOMEBODY} of 203.0.113.9")
urlpatterns = [path("breaks/<str:what>/", breaks)]
with override_settings(ROOT_URLCONF=__name__):
    Client(raise_request_exception=False).post(
        "/breaks/{LINK}/?q={SOMEBODY}", {{"password": "hunter2-of-gus"}},
        REMOTE_ADDR="203.0.113.9", headers={{"User-Agent": "Very-Own-Browser", "Cookie": "sessionid=x"}})
logging.getLogger("orders").error("Letter to %s is lost", "{SOMEBODY}")
sentry_sdk.flush(10)
"""


def test_faults_reach_sentry_and_hold_nothing_of_anybody(environment: dict[str, str]) -> None:
    with receiver() as sentry:
        dsn = f"http://0123456789abcdef@127.0.0.1:{sentry.port}/7"
        more = {"SENTRY_DSN": dsn, "ALLOWED_HOSTS": "testserver,127.0.0.1"}
        in_python(FAULTY, {**environment, **more})
    envelopes = [body.split(b"\n") for body in sentry.bodies["/api/7/envelope/"]]
    events = [
        json.loads(line)
        for lines in envelopes
        for kind, line in pairwise(lines)
        if b'"type":"event"' in kind.replace(b" ", b"")
    ]

    fault, letter = sorted(events, key=lambda event: "exception" not in event)
    (exception,) = fault["exception"]["values"]
    assert (exception["type"], exception["value"]) == (
        "ValueError",
        "cannot read [email] of [address]",
    )
    assert exception["stacktrace"]["frames"][-1]["function"] == "breaks"
    assert fault["tags"]["order"] == "7F3K-9QXM"
    assert len(fault["tags"]["request_id"]) == 32
    assert len(fault["release"]) == 12
    assert fault["environment"] == "127.0.0.1"
    assert letter["logentry"]["message"] == "Letter to [email] is lost"
    assert not {"request", "user", "breadcrumbs", "extra", "contexts", "server_name"} & set(fault)
    # Lines of code are the shop's own; here the test's values stand in them.
    bare = json.dumps([without_code(event) for event in events])
    assert not [value for value in PRIVATE if value in bare]


def without_code(event: dict[str, Any]) -> dict[str, Any]:
    for exception in event.get("exception", {}).get("values", []):
        for frame in exception["stacktrace"]["frames"]:
            for part in ("context_line", "pre_context", "post_context"):
                frame.pop(part, None)
    return event


def test_without_their_settings_neither_is_needed(environment: dict[str, str]) -> None:
    said = in_python(
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({LIBRARIES}))  # as if they were not installed\n"
        "import site_config.wsgi\n"
        "print('serves')\n",
        environment,
    )

    assert said.strip().splitlines()[-1] == "serves"


def in_python(program: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**environment, "PYTHONPATH": "."}, cwd=Path(__file__).parent.parent,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout
