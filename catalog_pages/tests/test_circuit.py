"""A circuit opens after failures in a row, lets one try after a pause, and says each change once."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest

from catalog_pages.circuit import TRIAL_SECONDS, WINDOW_SECONDS, Circuit, circuit_states


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock(settings: Any) -> Clock:
    settings.CIRCUIT_FAILURES = 3
    settings.CIRCUIT_PAUSE_SECONDS = 10
    return Clock()


def an_open_one(clock: Clock) -> Circuit:
    circuit = Circuit("it", clock)
    for _ in range(3):
        assert circuit.allows()
        circuit.failed()
    return circuit


def test_it_opens_after_failures_in_a_row_and_refuses_at_once(clock: Clock) -> None:
    circuit = an_open_one(clock)

    assert [circuit.allows(), circuit.allows()] == [False, False]
    assert circuit.state.is_open


def test_a_success_between_failures_keeps_it_closed(clock: Clock) -> None:
    circuit = Circuit("it", clock)

    for _ in range(5):
        circuit.failed()
        circuit.failed()
        circuit.succeeded()

    assert circuit.allows()
    assert not circuit.state.is_open


def test_failures_far_apart_do_not_add_up(clock: Clock) -> None:
    circuit = Circuit("it", clock)

    for _ in range(5):
        circuit.failed()
        clock.seconds += WINDOW_SECONDS

    assert not circuit.state.is_open


def test_after_the_pause_exactly_one_of_many_threads_may_try(clock: Clock) -> None:
    circuit, allowed = an_open_one(clock), []
    clock.seconds += 10
    together = threading.Barrier(8)

    def ask() -> None:
        together.wait()
        allowed.append(circuit.allows())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(allowed) == [False] * 7 + [True]


def test_a_trial_that_succeeds_closes_it_and_one_that_fails_does_not(clock: Clock) -> None:
    circuit = an_open_one(clock)
    clock.seconds += 10
    assert circuit.allows()
    circuit.failed()
    assert not circuit.allows()

    clock.seconds += 10
    assert circuit.allows()
    circuit.succeeded()

    assert [circuit.allows(), circuit.allows()] == [True, True]
    assert not circuit.state.is_open


def test_a_trial_of_which_nobody_hears_again_is_given_to_another(clock: Clock) -> None:
    circuit = an_open_one(clock)
    clock.seconds += 10
    assert circuit.allows()
    assert not circuit.allows()

    clock.seconds += TRIAL_SECONDS

    assert circuit.allows()


def test_whoever_hurries_opens_nothing(clock: Clock) -> None:
    circuit = Circuit("it", clock)

    for _ in range(9):
        circuit.failed(counts=False)

    assert not circuit.state.is_open


def test_each_change_is_logged_once(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    circuit = an_open_one(clock)
    for _ in range(4):
        circuit.failed("dead")
        clock.seconds += 10
        circuit.allows()
    circuit.succeeded()
    circuit.succeeded()

    said = [record.getMessage() for record in caplog.records]

    assert [("open" in each, "closed" in each) for each in said] == [(True, False), (False, True)]


def test_every_circuit_of_the_process_can_be_watched() -> None:
    assert [state.name for state in circuit_states()] == ["stripe", "storage", "cache"]
