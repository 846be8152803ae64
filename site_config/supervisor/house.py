"""The order of it all: prepare, open, keep open, close."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import threading
import time
from pathlib import Path

from site_config.supervisor.plan import ANY_ADDRESS, Plan, Refusal
from site_config.supervisor.preparation import prepare
from site_config.supervisor.processes import (
    Service,
    end_all,
    exit_code,
    say,
    shop_services,
    signal_group,
)

START_LIMIT_SECONDS = 60
RESTARTS_A_MINUTE = 3


class House:
    """Everything that one `make run` started."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.web, *self.helpers = shop_services(plan)
        self.stop = threading.Event()
        self.hurry = threading.Event()

    def run(self) -> int:
        """Until a signal (0), or until something that the shop needs ends by itself (Refusal)."""
        started = time.monotonic()
        self.listen_for_signals()
        prepare(self.plan, self.stop)
        if self.stop.is_set():
            say("Stopped before the shop opened; make run goes on from here.")
            return 0
        try:
            # Sequential on purpose: on two cores three Djangos starting at once are all late.
            self.web.start(self.plan)
            if self.web_answers():
                self.visit("/")
                for service in self.helpers:
                    service.start(self.plan)
                say(banner(self.plan, time.monotonic() - started))
                self.keep_open()
        finally:
            self.close()
        return 0

    def listen_for_signals(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
                continue  # nohup: stay when the terminal goes
            signal.signal(number, self.on_signal)
        if "MAKELEVEL" in os.environ:
            threading.Thread(target=self.watch_make, args=[os.getppid()], daemon=True).start()

    def on_signal(self, _number: int, _frame: object) -> None:
        if self.stop.is_set():
            self.hurry.set()
        self.stop.set()

    def watch_make(self, make: int) -> None:
        while not make_let_go(make):
            time.sleep(0.5)
        self.stop.set()

    def web_answers(self) -> bool:
        """True when the web server answers, False when a signal came first.

        Raises Refusal when it ends or stays silent.
        """
        deadline = time.monotonic() + START_LIMIT_SECONDS
        while not self.stop.wait(0.1):
            if self.web.process is not None and self.web.process.poll() is not None:
                code = exit_code(self.web.process)
                raise Refusal(f"The web server did not start; the lines above say why ({code}).")
            if self.visit("/healthz/"):
                return True
            if time.monotonic() > deadline:
                raise Refusal(f"The web server gave no answer for {START_LIMIT_SECONDS} seconds.")
        return False

    def visit(self, path: str) -> bool:
        """Ask for a page, as a first visitor would; True for any answer but a server error."""
        host = ANY_ADDRESS.get(self.plan.host, self.plan.host)
        connection = http.client.HTTPConnection(host, self.plan.port, timeout=10)
        with (
            contextlib.closing(connection),
            contextlib.suppress(OSError, http.client.HTTPException),
        ):
            connection.request("GET", path, headers={"Host": self.plan.base_url.split("//")[1]})
            return connection.getresponse().status < 500
        return False

    def keep_open(self) -> None:
        while not self.stop.wait(0.25):
            for service in (self.web, *self.helpers):
                self.look_after(service)

    def look_after(self, service: Service) -> None:
        """Start a helper again that ended; end the house when the web server did, or too often."""
        now = time.monotonic()
        if service.process is None:
            if now >= service.restart_at:
                service.start(self.plan)
            return
        if service.process.poll() is None:
            return
        code = exit_code(service.process)
        signal_group(service.process, signal.SIGKILL)  # what it may have left behind
        service.deaths = [*(when for when in service.deaths if now - when < 60), now]
        if service is self.web or len(service.deaths) > RESTARTS_A_MINUTE:
            raise Refusal(
                f"{service.name} ended by itself (exit code {code}); the rest was ended too."
            )
        pause = 2 ** (len(service.deaths) - 1)
        say(f"{service.name} ended by itself (exit code {code}); it starts again in {pause} s.")
        service.process, service.restart_at = None, now + pause

    def close(self) -> None:
        running = [s.process for s in (self.web, *self.helpers) if s.process is not None]
        say("\nClosing the shop ...")
        self.stop.set()  # from here on another Ctrl-C means: at once
        end_all(running, self.hurry)
        say("Closed; nothing is left running.")


def make_let_go(make: int) -> bool:
    """Whether the `make` above us is gone, or was told to end and waits for us to notice.

    GNU make passes SIGTERM on but not SIGINT or SIGHUP, which a terminal sends to everybody. When
    only make is sent one, it waits inside its handler, where that signal is blocked; Linux shows.
    """
    if os.getppid() != make:
        return True
    with contextlib.suppress(OSError, StopIteration, ValueError):
        lines = Path(f"/proc/{make}/status").read_text(encoding="utf-8").splitlines()
        if lines[0].split()[1] in {"make", "gmake"}:
            blocked = int(next(line for line in lines if line.startswith("SigBlk")).split()[1], 16)
            return any(blocked >> (number - 1) & 1 for number in (signal.SIGINT, signal.SIGHUP))
    return False


def banner(plan: Plan, seconds: float) -> str:
    """What a person needs to know to use the shop, and nothing else."""
    return f"""
  Digital Downloads is open ({seconds:.1f} s).

  Shop      {plan.base_url}/
  Admin     {plan.base_url}/admin/
            {admin_sign_in(plan)}
  Payments  {payments(plan)}

  Ctrl-C closes it.
"""


def admin_sign_in(plan: Plan) -> str:
    try:
        editor = json.loads((plan.var_dir / "demo_editor.json").read_text(encoding="utf-8"))
        return f"sign in as {editor['email']} with the password {editor['password']}"
    except (OSError, ValueError, KeyError):
        return "make a sign-in with: .venv/bin/python manage.py createsuperuser"


def payments(plan: Plan) -> str:
    if not plan.stripe_key:
        return "sandboxed: nobody is charged, and no Stripe account is needed"
    if plan.stripe_key[:8] in {"sk_live_", "rk_live_"}:
        return "Stripe, live mode: cards are charged"
    return "Stripe, test mode: nobody is charged"
