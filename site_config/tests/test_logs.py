"""Lines of the log: what is in them, in which shape, and what the net under them catches."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import include, path
from django_tasks import task

from orders.log_context import order_forget, order_name
from site_config.observing.logs import PlainLines
from site_config.observing.redaction import redacted
from site_config.web_worker import without_addresses
from tests.factories import make_user
from tests.logged import logged

logger = logging.getLogger("shop.of.the.test")


def breaks(request: Any) -> Any:
    raise ValueError("two\nlines")


urlpatterns = [
    path("breaks/<str:what>/", breaks, name="breaks"),
    path("", include("site_config.urls")),
]
SECRETS = {
    "gus@post.example": "[email]",
    "gus+shop@mail.post.example": "[email]",
    "sk_live_51abc": "[stripe key]",
    "rk_test_51abc": "[stripe key]",
    "whsec_9/x+y=": "[webhook secret]",
    "cs_test_a1_secret_fid": "[stripe secret]",
    "https://s3.example/f?X-Amz-Signature=ab12&X-Amz-Date=1": "https://s3.example/f?[query]",
    "/downloads/x/?key=abc:def": "/downloads/x/?[query]",
    "Authorization: Bearer abcdefgh12": "Authorization: Bearer [secret]",
    "postgres://shop:hunter2@db/shop": "postgres://[credentials]@db/shop",
    "redis://:hunter2@cache:6379/0": "redis://[credentials]@cache:6379/0",
    "password='hunter22'": "password='[secret]'",
    "Password: hunter22": "Password: [secret]",
    "sessionid=abcdefgh": "sessionid=[secret]",
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln": "[token]",
    "WyJvcmRlciJdWyJvcmRlciJd:1xXvxX:VJ9tp2k98s6hZk1dCTQbBAKZu1LCTzqfGq6QSThP06Q": "[signed]",
    "7F3KW-9QXMD-2CHTR-KKN4B": "[gift code]",
    "4242 4242 4242 4242": "[card]",
    "4242424242424242": "[card]",
    "203.0.113.9": "[address]",
    "2001:db8::8a2e:370:7334": "[address]",
    "2001:db8:85a3:0:0:8a2e:370:7334": "[address]",
    "n0fu3v6x8k2m4p7q9s1t5w8y0b3d6g9j": "[session]",
    "DETAIL:  Key (name)=(Gus Guest) already exists.": "DETAIL: [withheld]",
}  # fmt: skip
HARMLESS = [
    "7F3K-9QXM", "cs_test_a1b2c3", "evt_1Nabc", "0d5c7f6e9b1a4c3d8e2f7a6b5c4d3e2f", "12:34:56", "1.26.4",
    "d7b78e4e-e09f-43c2-8a6c-f152f79e5f69", "1790000000123", "Order 7F3K-9QXM: 4 of 4 lines",
    "GET orders:detail 200", "the token of the form", "Is it there?",
]  # fmt: skip


@pytest.mark.parametrize(("secret", "shown"), SECRETS.items())
def test_what_is_personal_or_secret_is_caught(secret: str, shown: str) -> None:
    assert redacted(f"said {secret}") == f"said {shown}"
    assert redacted(secret) == shown


@pytest.mark.parametrize("text", HARMLESS)
def test_what_finds_a_fault_is_left_alone(text: str) -> None:
    assert redacted(text) == text


def test_what_is_long_is_cut_and_caught_all_the_same() -> None:
    assert redacted("x" * 20_000 + "@post.example") == "[email]"
    assert len(redacted("key " + "x" * 100_000)) < 33_000


def test_a_line_is_json_with_its_moment_and_its_order() -> None:
    order_name("7F3K-9QXM")
    with logged() as log:
        logger.warning("It is so: %s", 7, extra={"secret": "never shown"})
    order_forget()

    (line,) = log.lines
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert line == {
        "level": "WARNING",
        "logger": "shop.of.the.test",
        "message": "It is so: 7",
        "order": "7F3K-9QXM",
    }


def test_a_traceback_is_a_part_of_its_line() -> None:
    with logged() as log:
        try:
            int("gus@post.example\nsecond")
        except ValueError:
            logger.exception("Broken")

    assert log.text.count("\n") == 1
    assert log.lines[0]["traceback"].endswith(r"[email]\nsecond'")


@pytest.mark.urls(__name__)
@pytest.mark.django_db
def test_each_request_has_one_line_with_route_and_status_and_no_address() -> None:
    client = Client(raise_request_exception=False)
    with logged() as log:
        client.get("/breaks/gus/", headers={"X-Request-ID": "partner-7"})

    (line,) = log.of("shop.access")
    assert line["duration_ms"] >= 0
    assert {name: line[name] for name in ("method", "route", "status", "request_id")} == {
        "method": "GET",
        "route": "breaks",
        "status": 500,
        "request_id": "partner-7",
    }
    (fault,) = log.of("django.request")
    assert (fault["message"], fault["request_id"]) == ("Internal Server Error: breaks", "partner-7")
    assert "gus" not in log.text


@pytest.mark.django_db
def test_a_line_names_who_was_looked_up_by_number_and_looks_nobody_up(
    client: Client, django_assert_num_queries: Any
) -> None:
    user = make_user()
    client.force_login(user)
    with logged() as log:
        client.get("/accounts/profile/")
        with django_assert_num_queries(0):
            client.get("/healthz/")
        client.get("/static/none.css")

    lines = log.of("shop.access")
    assert [line.get("user") for line in lines] == [user.pk, None]
    assert user.email not in log.text


@pytest.mark.django_db
def test_probes_that_succeed_are_not_worth_a_line(client: Client) -> None:
    with logged() as log:
        client.get("/healthz/")

    assert log.lines == []


@task()
def sighs() -> None:
    logger.warning("oh")


@pytest.mark.django_db
def test_a_task_is_in_the_lines_about_it_and_has_one_when_it_is_over() -> None:
    with logged() as log:
        result = sighs.enqueue()

    said, over = [line for line in log.lines if line["logger"] != "django_tasks"]
    assert (said["message"], said["task"]) == ("oh", result.id)
    assert (over["logger"], over["task_name"], over["status"]) == (
        "shop.tasks",
        "sighs",
        "SUCCESSFUL",
    )


def test_people_read_the_same_in_plain_lines() -> None:
    order_name("7F3K-9QXM")
    with logged(PlainLines()) as log:
        logger.warning("to gus@post.example")
    order_forget()

    assert log.text.endswith("Z WARNING - shop.of.the.test to [email] [7F3K-9QXM]\n")


@pytest.mark.parametrize(
    ("message", "args", "left"),
    [
        ("Invalid request from ip=203.0.113.9: GET /?key=1", (), "Invalid request: ValueError"),
        ("Error handling request %s %s", ("GET", "/orders/link/x/"), "Error handling a request"),
        ("Booting worker with pid: %s", (7,), "Booting worker with pid: 7"),
    ],
)
def test_the_web_server_names_neither_clients_nor_addresses(
    message: str, args: tuple[Any, ...], left: str
) -> None:
    record = logging.LogRecord("gunicorn.error", 30, "", 0, message, args, None)
    try:
        int("x")
    except ValueError:
        without_addresses(record)

    assert record.getMessage() == left
