"""Told to end, worker and scheduler finish what they have in hand and begin nothing new."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.test import Client
from django_tasks_db.models import DBTaskResult

from orders.models import OutboxMail
from tests.factories import buy, make_product, make_user
from tests.server_processes import ROOT, end, free_ports, spawn
from tests.servers import shop_environment
from tests.slow_tasks import slow_task

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_S = 60.0


@contextmanager
def running(folder: Path, *command: str, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = shop_environment(folder / "var", **more)
    process = spawn(
        [sys.executable, str(ROOT / "manage.py"), *command], log=folder / "log", env=environment
    )
    try:
        yield process
    finally:
        end(process)


def wait_until(fact: Callable[[], object], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not fact():
        assert process.poll() is None, log.read_text()[-2000:]
        assert time.monotonic() < deadline, log.read_text()[-2000:]
        time.sleep(0.05)


def test_a_worker_finishes_its_task_and_begins_no_other(tmp_path: Path, settings: Any) -> None:
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        slow_task.enqueue(str(folder))

    with running(tmp_path, "db_worker", "--no-reload", "--no-startup-delay") as worker:
        wait_until((first / "begun").exists, worker, tmp_path / "log")
        worker.terminate()
        (first / "go").touch()
        assert worker.wait(PATIENCE_S) == 0

    assert (first / "done").exists()
    assert not (second / "begun").exists()
    states = DBTaskResult.objects.order_by("enqueued_at").values_list("status", flat=True)
    assert list(states) == ["SUCCESSFUL", "READY"]


class SlowToAnswer:
    """A mail server that has the letter, and says so when it is let."""

    def __init__(self) -> None:
        self.has_letter, self.may_answer = threading.Event(), threading.Event()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.has_letter.set()
        self.may_answer.wait(PATIENCE_S)
        return "250 OK"


def test_a_scheduler_finishes_its_job(client: Client, tmp_path: Path) -> None:
    buy(client, make_user(), make_product())
    OutboxMail.objects.update(status="queued", sent_at=None, next_attempt_at=None)
    slow, (port,) = SlowToAnswer(), free_ports(1)
    mail = Controller(slow, hostname="127.0.0.1", port=port)
    mail.start()
    try:
        told = {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(port), "EMAIL_USE_TLS": "0"}
        with running(tmp_path, "run_scheduler", **told) as scheduler:
            wait_until(slow.has_letter.is_set, scheduler, tmp_path / "log")
            scheduler.terminate()
            slow.may_answer.set()
            assert scheduler.wait(PATIENCE_S) == 0
    finally:
        slow.may_answer.set()
        mail.stop()

    assert list(OutboxMail.objects.values_list("status", flat=True)) == ["sent"]
