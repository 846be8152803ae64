"""A worker of a real server is killed in the middle of a delivery, again and again; Stripe sends again.

`make prove ARGS="-k sigkill"`. KILLS and SEED choose how many and which moments; both are printed, with how
many kills fell where.
"""

from __future__ import annotations

import http.client
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from downloads.models import AccessEvent, UserAsset
from orders.models import Order, OutboxMail, StripeEvent
from orders.services.reconcile import reconcile
from orders.stripe_sandbox import actions, controls
from orders.stripe_sandbox.models import SandboxDelivery
from tests.factories import make_product, make_user, session_id_of, start_checkout
from tests.test_make_run import process_table

pytestmark = [pytest.mark.prove, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("KILLS", "50"))
SEED = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1, 10**9)
UNHURT = 12  # deliveries to learn from how long one takes
PATIENCE_SECONDS = 30.0


class Server:
    """One gunicorn with one worker of four threads; `address` stays while workers come and go."""

    def __init__(self, listener: socket.socket) -> None:
        self.port = listener.getsockname()[1]
        command = [sys.executable, "-m", "gunicorn", "--bind", f"fd://{listener.fileno()}"]
        command += ["--worker-class", "gthread", "--workers", "1", "--threads", "4", "--preload"]
        command += ["--no-control-socket", "--graceful-timeout", "1", "--log-level", "critical"]
        self.master = subprocess.Popen(
            [*command, "tests.prove.served:application"],
            cwd=ROOT,
            env={**os.environ, "SERVED_DATABASE": str(connection.settings_dict["NAME"])},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[listener.fileno()],
        )
        self.departing = threading.Event()

    def workers(self) -> list[int]:
        table = process_table()
        return [pid for pid, (parent, _) in table.items() if parent == self.master.pid]

    def worker(self) -> int:
        """The one that lives; the next one, when that has just been killed."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (workers := self.workers()):
            assert time.monotonic() < deadline, "no worker came up"
            assert self.master.poll() is None, "the server ended"
            time.sleep(0.01)
        return workers[0]

    def post(self, body: bytes, headers: Mapping[str, str]) -> int:
        """One delivery; OSError when no answer came."""
        to_server = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        try:
            to_server.connect()
            self.departing.set()
            to_server.request("POST", "/checkout/webhook/", body=body, headers=dict(headers))
            return to_server.getresponse().status
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error
        finally:
            to_server.close()

    def end(self) -> None:
        """By number, and the hard way where the soft way does not do."""
        family = [self.master.pid, *self.workers()]
        self.master.terminate()
        try:
            self.master.wait(10)
        except subprocess.TimeoutExpired:
            for pid in family:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.master.wait(10)


@contextmanager
def a_server() -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(listener)
        try:
            yield server
        finally:
            server.end()


def a_paid_order(product: object) -> tuple[Order, SandboxDelivery]:
    """Paid at the sandbox, and the shop does not know: what it is to be told comes with it."""
    order = start_checkout(make_user(), product).order  # type: ignore[arg-type]
    actions.pay(session_id_of(order))
    told = controls.pending_deliveries()
    for delivery in told[:-1]:
        controls.drop(delivery.event)
    return order, told[-1]


def deliver_and_kill(server: Server, delivery: SandboxDelivery, after_seconds: float) -> bool:
    """Kill the worker so long after the request left; whether an answer came all the same."""
    answers: list[int | None] = []

    def deliver() -> None:
        answers.append(controls.deliver(delivery, server.post))
        connection.close()

    worker = server.worker()
    server.departing.clear()
    thread = threading.Thread(target=deliver)
    thread.start()
    assert server.departing.wait(PATIENCE_SECONDS)
    time.sleep(after_seconds)  # the moment of the kill is what is tried out here
    os.kill(worker, signal.SIGKILL)
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()
    while worker in server.workers():
        time.sleep(0.005)
    return answers == [200]


def where_it_died(delivery: SandboxDelivery) -> str:
    event = StripeEvent.objects.filter(event_id=delivery.event.event_id).first()
    if event is None:
        return "before the event was recorded"
    if event.status != "handled":
        return "between recording and the grants"
    return "after the grants, before the answer"


def deliver_until_taken(server: Server, delivery: SandboxDelivery) -> None:
    """Again and again, as Stripe does: a lock of the dead may outlive it for a moment."""
    answers = [controls.deliver(delivery, server.post)]
    while answers[-1] != 200:
        assert answers[-1] == 503, answers
        assert len(answers) < 20, answers
        answers.append(controls.deliver(delivery, server.post))


def assert_done_once(order: Order, delivery: SandboxDelivery) -> None:
    order.refresh_from_db()
    assert order.is_paid
    (grant,) = UserAsset.objects.filter(order_item__order=order)
    assert AccessEvent.objects.filter(grant=grant, kind="granted").count() == 1
    assert list(OutboxMail.objects.filter(order=order).values_list("kind")) == [("receipt",)]
    events = StripeEvent.objects.filter(event_id=delivery.event.event_id)
    assert list(events.values_list("status", "order")) == [("handled", order.pk)]


def test_a_worker_killed_in_the_middle_of_a_delivery_loses_and_doubles_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    dice, product = random.Random(SEED), make_product()
    places: Counter[str] = Counter()

    with a_server() as server:
        took = unhurt_deliveries(server, product)
        while places.total() - places["too late, it had answered"] < KILLS:
            assert places["too late, it had answered"] <= 3 * KILLS, places
            order, delivery = a_paid_order(product)
            # Squared, for the first steps are the shortest: more kills fall early than late.
            if deliver_and_kill(server, delivery, max(took) * dice.random() ** 2):
                places["too late, it had answered"] += 1
            else:
                places[where_it_died(delivery)] += 1
            deliver_until_taken(server, delivery)
            assert_done_once(order, delivery)

    with capsys.disabled():
        middle, longest = statistics.median(took) * 1000, max(took) * 1000
        print(f"\nSEED={SEED} on {connection.vendor}; an unhurt delivery takes {middle:.0f} ms,")
        print(f"at most {longest:.0f} ms. SIGKILL fell")
        for place, times in places.most_common():
            print(f"  {times:3} times {place}")
    assert list(reconcile(since=timezone.now() - timedelta(days=1))) == []
    assert places["between recording and the grants"], places  # else nothing was tried out


def unhurt_deliveries(server: Server, product: object) -> list[float]:
    """Seconds that each took; the first, by a worker that has just been born, is left out."""
    took = []
    for _ in range(UNHURT + 1):
        order, delivery = a_paid_order(product)
        left = time.monotonic()
        assert controls.deliver(delivery, server.post) == 200
        took.append(time.monotonic() - left)
        assert_done_once(order, delivery)
    return took[1:]
