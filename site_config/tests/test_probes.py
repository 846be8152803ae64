"""The probes say in plain words what is away, in time, and take out only a replica that can do nothing."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from orders.services.mail import mail_send_task
from site_config import probes
from site_config.draining import asked_to_end
from site_config.probes import Readiness, missing_migrations, own_migrations, readiness

pytestmark = pytest.mark.django_db(transaction=True)
EVERYTHING_OK = "ready\ndatabase: ok\nmigrations: ok\ncache: ok\nstorage: ok\nqueue: ok\n"


@pytest.fixture(autouse=True)
def anew(settings: Any) -> None:
    Path(settings.PROTECTED_MEDIA_ROOT).mkdir(parents=True, exist_ok=True)
    readiness.forget()
    probes.migrations_state.forget()
    probes._probed_cache.cache_clear()


def asked() -> tuple[int, str]:
    readiness.forget()
    answer = Client().get("/readyz/")
    return answer.status_code, answer.content.decode()


def test_a_whole_shop_is_ready() -> None:
    assert asked() == (200, EVERYTHING_OK)


def test_probes_set_no_cookie_and_are_never_kept() -> None:
    for address in ("/healthz/", "/readyz/"):
        answer = Client().get(address)

        assert not answer.cookies
        assert "no-store" in answer["Cache-Control"]
        assert answer["Content-Type"] == "text/plain; charset=utf-8"
        assert Client().post(address).status_code == 405


@pytest.mark.parametrize("address", ["/healthz/", "/readyz/", "/metrics/"])
def test_no_browser_makes_a_page_of_a_probe(address: str, settings: Any) -> None:
    settings.METRICS_TOKEN = "a-token-of-twenty-characters"
    settings.SECURE_HSTS_SECONDS, settings.SECURE_SSL_REDIRECT = 31_536_000, True
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = True

    by_tls, plain = Client().get(address, secure=True), Client().get(address)

    assert by_tls["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert plain.status_code == by_tls.status_code  # whoever probes by HTTP is led nowhere
    for answer in (by_tls, plain):
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert {"default-src 'none'", "frame-ancestors 'none'"} <= set(
            answer["Content-Security-Policy"].split("; ")
        )


def test_life_asks_nothing_of_a_database(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert Client().get("/healthz/").content == b"ok\n"


def test_newer_code_than_its_database_is_not_ready() -> None:
    app, name = own_migrations()[-1]
    MigrationRecorder(connection).record_unapplied(app, name)
    try:
        assert missing_migrations() == [f"{app}.{name}"]
        status, words = asked()
    finally:
        MigrationRecorder(connection).record_applied(app, name)

    assert (status, words.splitlines()[:3]) == (
        503,
        ["not ready", "database: ok", "migrations: behind"],
    )


def test_older_code_beside_a_newer_database_stays_ready() -> None:
    MigrationRecorder(connection).record_applied("orders", "9999_of_tomorrow")
    try:
        assert asked() == (200, EVERYTHING_OK)
    finally:
        MigrationRecorder(connection).record_unapplied("orders", "9999_of_tomorrow")


def test_the_files_names_are_the_migrations_that_django_knows() -> None:
    from django.db.migrations.loader import MigrationLoader

    assert set(own_migrations()) == set(MigrationLoader(connection).disk_migrations)


def test_paid_files_that_are_away_are_told_and_take_nobody_out(
    settings: Any, tmp_path: Path
) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "protected": {
            "BACKEND": "catalog_pages.storage.ProtectedFileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "not mounted")},
        },
    }

    assert asked() == (
        200,
        EVERYTHING_OK.replace("ready", "degraded").replace("storage: ok", "storage: down"),
    )


def test_a_cache_that_is_away_is_told_and_takes_nobody_out(settings: Any) -> None:
    settings.CACHES = {
        **settings.CACHES,
        "default": {
            "BACKEND": "site_config.shared_cache.SharedCache",
            "LOCATION": "redis://127.0.0.1:9/0",
        },
    }

    status, words = asked()

    assert (status, "cache: down" in words) == (200, True)
    assert "127.0.0.1" not in words


@pytest.mark.parametrize(("minutes", "state"), [(1, "ok"), (10, "behind")])
def test_tasks_that_nobody_begins_say_that_no_worker_runs(
    settings: Any, minutes: int, state: str
) -> None:
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
    mail_send_task.enqueue(0)
    long_ago = timezone.now() - timedelta(minutes=minutes)
    DBTaskResult.objects.update(enqueued_at=long_ago)

    status, words = asked()

    assert (status, words.splitlines()[-1]) == (200, f"queue: {state}")


def test_a_task_that_was_put_off_is_not_late() -> None:
    DBTaskResult.objects.create(
        enqueued_at=timezone.now(),
        run_after=timezone.now() + timedelta(hours=1),
        args_kwargs={"args": [], "kwargs": {}},
        task_path="orders.services.mail.sending.mail_send_task",
        backend_name="default",
        exception_class_path="",
        traceback="",
    )
    DBTaskResult.objects.update(enqueued_at=timezone.now() - timedelta(hours=1))

    assert asked() == (200, EVERYTHING_OK)


def test_a_process_that_was_told_to_end_is_not_ready_but_alive() -> None:
    asked_to_end.set()
    try:
        assert asked() == (503, "ending\n")
        assert Client().get("/healthz/").status_code == 200
    finally:
        asked_to_end.clear()


def test_a_dead_database_is_not_ready_and_nothing_more_is_said(settings: Any) -> None:
    def dead() -> str:
        raise OperationalError('connection to server at "10.0.0.5", user "store" failed')

    assert Readiness({"database": dead, "cache": lambda: "ok"}).look() == {
        "database": "down",
        "cache": "ok",
    }


def test_what_hangs_is_down_in_time_and_asked_once_however_many_ask() -> None:
    hangs, asked_times = threading.Event(), []

    def hanging() -> str:
        asked_times.append(1)
        hangs.wait(60)
        return "ok"

    readiness = Readiness({"database": lambda: "ok", "storage": hanging, "queue": lambda: "ok"})
    found: list[dict[str, str]] = []
    threads = [
        threading.Thread(target=lambda: found.append(readiness.look()), daemon=True)
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    hangs.set()

    assert found == [{"database": "ok", "storage": "down", "queue": "down"}] * 20
    assert len(asked_times) == 1


def test_what_was_found_is_believed_for_a_second() -> None:
    asked_times: list[int] = []

    def counting() -> str:
        asked_times.append(1)
        return "ok"

    readiness = Readiness({"database": counting})
    for _ in range(50):
        readiness.look()

    assert len(asked_times) <= 2  # a slow machine may need longer than that second


def test_the_installation_is_checked_when_asked_for(
    settings: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.MEDIA_ROOT = tmp_path / "nowhere"
    settings.CACHES = {
        **settings.CACHES,
        "default": {
            "BACKEND": "site_config.shared_cache.SharedCache",
            "LOCATION": "redis://127.0.0.1:9/0",
        },
    }
    app, name = own_migrations()[-1]
    MigrationRecorder(connection).record_unapplied(app, name)
    try:
        told = told_by_check("--database", "default")
        untold = told_by_check()
    finally:
        MigrationRecorder(connection).record_applied(app, name)

    assert {"site_config.E011", "site_config.W010", "site_config.E012"} <= told
    assert not {"site_config.E011", "site_config.W010", "site_config.E012"} & untold


def told_by_check(*options: str) -> set[str]:
    import re
    from io import StringIO

    from django.core.management.base import SystemCheckError

    said = StringIO()
    try:
        call_command("check", "--deploy", *options, stdout=said, stderr=said)
        words = said.getvalue()
    except SystemCheckError as error:
        words = str(error) + said.getvalue()
    return set(re.findall(r"site_config\.[EW]\d+", words))
