"""What every test needs and nothing else: a site tree, files of its own, and honest skips."""

from __future__ import annotations

import gc
import os
import shutil
from collections import Counter
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.core.cache import caches

IN_CI = os.environ.get("CI") == "true"
DATABASE_FIXTURES = {"db", "transactional_db", "live_server"}
OVER_HTTP = os.environ.get("STRIPE_OVER") == "http"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of a test that is `sampled(n)`, its first case and every n-th after are quick, the others `wide`. One
    that asks a database is marked so: the others need not run on a second one.
    """
    cases: Counter[tuple[object, ...]] = Counter()
    for item in items:
        names = set(getattr(item, "fixturenames", ()))
        if item.get_closest_marker("django_db") or names & DATABASE_FIXTURES:
            item.add_marker("database")
        if mark := item.get_closest_marker("sampled"):
            test = (item.path, getattr(item, "originalname", item.name))
            if cases[test] % mark.args[0]:
                item.add_marker("wide")
            cases[test] += 1


def pytest_collection_finish() -> None:
    """All modules and tests live to the end: the garbage collector need not look through them again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: object) -> None:
    """A reused database may have been emptied by the last run's transactional tests."""
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        _plant_site_tree()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Transactional and live-server tests empty every table, the site tree too, also when they end badly."""
    try:
        yield
    finally:
        if _empties_tables(item):
            from django.db import connections
            from pytest_django.plugin import blocking_manager_key

            with item.config.stash[blocking_manager_key].unblock():
                _plant_site_tree()
                connections.close_all()


def _empties_tables(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("django_db")
    if marker and marker.kwargs.get("available_apps"):
        return False  # a test with a few apps only has no pages, and empties no others' tables
    names = set(getattr(item, "fixturenames", ()))
    by_mark = bool(marker and marker.kwargs.get("transaction"))
    return by_mark or bool({"transactional_db", "live_server"} & names)


def _plant_site_tree() -> None:
    from django.contrib.contenttypes.models import ContentType

    from catalog_pages.site_tree import ensure_site_tree

    ContentType.objects.clear_cache()  # emptied tables number their content types anew
    ensure_site_tree()


@pytest.fixture(autouse=True)
def _stripe_over_http(request: pytest.FixtureRequest) -> Iterator[None]:
    """STRIPE_OVER=http: the library talks to the sandbox through its own client, over a socket."""
    if not OVER_HTTP or "db" not in _database_of(request):
        yield
        return
    from orders.stripe_sandbox.tests import loopback

    own = request.getfixturevalue("settings")
    with loopback.serve(shared_connection="transactional_db" not in _database_of(request)) as url:
        own.STRIPE_SANDBOX_API_URL = url
        yield


def _database_of(request: pytest.FixtureRequest) -> set[str]:
    """Which database fixtures the test stands on: none, `db`, or `transactional_db` as well."""
    marker = request.node.get_closest_marker("django_db")
    names = set(request.fixturenames) & DATABASE_FIXTURES
    if marker:
        names.add("db")
    if names & {"live_server", "transactional_db"} or (marker and marker.kwargs.get("transaction")):
        names |= {"db", "transactional_db"}
    for name in sorted(names - {"live_server"}):
        request.getfixturevalue(name)
    return names


@pytest.fixture(autouse=True)
def _one_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """What counts by the minute or the hour is ten seconds into both: none ends while a test counts."""
    from orders import throttles

    monkeypatch.setattr(throttles, "clock", lambda: 1_800_000_010.0)


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    """Rate limits count per process, as does how money is shown; no test inherits another's."""
    from catalog_pages import circuit
    from catalog_pages.money import BY_SYMBOL, display

    for cache in caches.all():
        cache.clear()
    for each in (circuit.stripe, circuit.storage, circuit.cache):
        each.forget()
    display.by = BY_SYMBOL


@pytest.fixture(scope="session", autouse=True)
def _remove_stored_files() -> Iterator[None]:
    yield
    shutil.rmtree(settings.MEDIA_ROOT.parent, ignore_errors=True)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """In CI nothing is skipped: a missing part is a failure there, not a detail."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if IN_CI and skipped and exitstatus == pytest.ExitCode.OK:
        reporter.write_line(f"CI runs every test, and {len(skipped)} were skipped.", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
